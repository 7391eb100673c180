/** Which two attempts of the plain model are one handshake, seen before a translation and behind it. */
import {
  type Attempt,
  possibleIsns,
  type Seen,
  sharesEnd,
  synAcksOf,
  tupleOf,
} from "./model_attempt.ts";
import type { Packet } from "./traffic.ts";

/** Both, the one before the translation first. */
export type Sides = [near: Attempt, far: Attempt];

/** Whether a SYN can be that of an attempt, gone on to another place. */
export function canBePassed(attempt: Attempt, { packet, timeNs, place }: Seen): boolean {
  const { syns, synAcks, places, serverResets, clientResets } = attempt;
  if (syns.length === 0 || synAcks.length + serverResets + clientResets > 0) return false;
  const first = syns[0].packet;
  const last = syns.at(-1)!;
  const numbers = [last.packet.identification ?? 0, packet.identification ?? 0];
  const isOther = numbers[0] !== numbers[1] && !numbers.includes(0);
  const hasFastOpen = (each: Packet) =>
    each.fastOpenCookieLength !== undefined || (each.payloadLength ?? 0) > 0;
  const isAdded = packet.mptcpSubtype !== undefined && first.mptcpSubtype === undefined ||
    hasFastOpen(packet) && !hasFastOpen(first);
  return areAlike(first, packet) && !isOther && !isAdded &&
    last.packet.timestamps?.[0] === packet.timestamps?.[0] && !places.includes(place) &&
    Math.abs(timeNs - last.timeNs) <= (packet.timestamps ? 1_000_000_000 : 50_000_000);
}

/** Whether two SYNs are alike in what a translation leaves, and the second has no more than the first. */
function areAlike(first: Packet, packet: Packet): boolean {
  const sameFields = (["window", "windowScale", "payloadLength"] as const).every((field) =>
    (first[field] ?? 0) === (packet[field] ?? 0)
  );
  const isRaised = (packet.mss ?? 0) > (first.mss ?? Infinity);
  const isAdded = packet.sackPermitted === true && !first.sackPermitted;
  const bothStamped = (first.timestamps === undefined) === (packet.timestamps === undefined);
  return sameFields && !isRaised && !isAdded && bothStamped;
}

/** Whether the server of an attempt takes an Ack. */
type Accepts = (attempt: Attempt, acknowledgment: number) => boolean;

/** The two of which one is an attempt; of all with its number only the newest eight are looked at. */
export function sidesOf(
  attempts: readonly Attempt[],
  attempt: Attempt,
  accepts: Accepts,
): Sides | undefined {
  if (!attempt.mayHavePassed) return undefined;
  const alike = attempts.filter(({ clientIsn }) => clientIsn === attempt.clientIsn).reverse();
  const others = alike.slice(0, 8).filter((other) =>
    tupleOf(other.client, other.server) !== tupleOf(attempt.client, attempt.server)
  );
  const found = others.filter(({ mayHavePassed }) => mayHavePassed)
    .map((other) => inOrder(attempt, other)).filter((sides) => canBe(sides, accepts));
  if (found.length !== 1) return undefined;
  const isOnly = others.filter(({ syns }) => syns.length > 0).length === 1 && alike.length < 8;
  return isProven(found[0], accepts) || isOnly && areOneSyn(found[0]) ? found[0] : undefined;
}

function inOrder(one: Attempt, other: Attempt): Sides {
  const laterNs = other.syns[0].timeNs - one.syns[0].timeNs;
  return laterNs > 0 || laterNs === 0 && !one.isPassed ? [one, other] : [other, one];
}

function canBe([near, far]: Sides, accepts: Accepts): boolean {
  const isReady = [near, far].every(({ state, other, serverSynIsn }) =>
    state !== "reported" && other === undefined && serverSynIsn === undefined
  );
  const sharesPlace = near.places.some((place) => far.places.includes(place));
  const hasTwo = near.clientKernel && far.clientKernel || near.serverKernel && far.serverKernel;
  if (!isReady || !far.isPassed || sharesPlace || hasTwo) return false;
  if (!areAlike(near.syns[0].packet, far.syns[0].packet)) return false;
  const isAstray = hasMore(far, near) && far.synAcks.length > 0 &&
    synAcksOf(far)[0].place !== far.syns[0].place;
  if (isAstray) return false;
  const [nearIsns, farIsns] = [isnsOf(near), isnsOf(far)];
  if (nearIsns.length > 0 && farIsns.length > 0) {
    return nearIsns.some((isn) => farIsns.includes(isn)) && isWithin([near, far]);
  }
  if (near.synAcks.length > 0) return isAckOf(near, far, accepts);
  if (far.synAcks.length > 0) {
    return near.held
      ? isAckOf(far, near, accepts)
      : far.ack === undefined && far.held === undefined;
  }
  if (near.held || far.held) return haveOneAck([near, far]);
  if (near.serverResets > 0) return far.serverResets > 0 && isWithin([near, far]);
  return far.serverResets === 0 || near.syns.length === far.syns.length;
}

function isProven([near, far]: Sides, accepts: Accepts): boolean {
  return isnsOf(near).length > 0 && isnsOf(far).length > 0 || isAckOf(near, far, accepts) ||
    isAckOf(far, near, accepts) || haveOneAck([near, far]);
}

/** Whether two SYNs share an end, and a number that changes by itself. */
function areOneSyn([near, far]: Sides): boolean {
  const [packet, passed] = [near, far].map(({ syns }) => syns.at(-1)!.packet);
  const { identification = 0 } = packet;
  const isOne = identification > 0 && identification === passed.identification;
  return (isOne || (near.syns.at(-1)!.packet.timestamps?.[0] ?? 0) !== 0) && sharesEnd(near, far);
}

function isnsOf(attempt: Attempt): number[] {
  if (attempt.synAcks.length > 0) return possibleIsns(attempt);
  const told = attempt.serverKernel?.iss ?? attempt.clientKernel?.irs;
  return told === undefined ? [] : [told];
}

function isAckOf(answered: Attempt, { synAcks, held }: Attempt, accepts: Accepts): boolean {
  if (answered.synAcks.length === 0 || synAcks.length > 0 || held === undefined) return false;
  return accepts(answered, held.packet.acknowledgment ?? 0);
}

function haveOneAck([near, far]: Sides): boolean {
  if (near.synAcks.length + far.synAcks.length > 0) return false;
  return near.held !== undefined && far.held !== undefined &&
    near.held.packet.acknowledgment === far.held.packet.acknowledgment;
}

/** Whether the far one was answered within the time in which the near one was. */
function isWithin(sides: Sides): boolean {
  const [near, far] = sides.map((attempt) => ({ ...attempt, counted: synAcksOf(attempt) }));
  const count = near.counted.length;
  const isOnce = near.syns.length === 1 && far.syns.length === 1 && count <= 1 &&
    count === far.counted.length && !near.isMistimed && !far.isMistimed;
  if (!isOnce) return true;
  const numbers = [near, far].map(({ counted }) => counted[0]?.packet.identification ?? 0);
  if (numbers[0] !== numbers[1] && !numbers.includes(0)) return false;
  const [nearNs, farNs] = [near, far].map(({ syns, counted, refusedNs, kernelRefusedNs }) =>
    (counted[0]?.timeNs ?? refusedNs ?? kernelRefusedNs ?? Infinity) - syns[0].timeNs
  );
  return !(farNs > nearNs);
}

/** Whether more was seen of what came after its SYN. */
function hasMore(far: Attempt, near: Attempt): boolean {
  const isAnswered = near.synAcks.length + near.serverResets > 0;
  return !isAnswered && far.synAcks.length + far.serverResets > 0 ||
    near.ack === undefined && far.ack !== undefined;
}

/** Has the near one go on as both. */
export function joinSides([near, far]: Sides): void {
  if (hasMore(far, near)) {
    const [synAck] = far.synAcks;
    if (synAck) {
      near.answeredSyns = far.syns.filter(({ order }) => order < synAck.order);
      near.synElsewhere = near.answeredSyns.at(-1);
      near.bothPassed = true;
    }
    for (const field of ANSWER_FIELDS) Object.assign(near, { [field]: far[field] });
    near.synAcks = synAcksOf(far).map((seen) => ({
      ...seen,
      packet: { ...seen.packet, fastOpenCookieLength: undefined, mptcpSubtype: undefined },
    }));
    near.isMistimed ||= far.isMistimed;
  }
  near.other = { client: far.client, server: far.server };
  near.clientKernel ??= far.clientKernel;
  near.serverKernel ??= far.serverKernel;
  near.accept ??= far.accept;
  if (near.drops.length === 0) near.drops = far.drops;
  if (near.kernelResets.length === 0) near.kernelResets = far.kernelResets;
  if (near.icmps.length === 0) near.icmps = far.icmps;
  if (near.serverResets === 0 && far.kernelRefusedNs !== undefined) {
    near.kernelRefusedNs = Math.min(near.kernelRefusedNs ?? Infinity, far.kernelRefusedNs);
  }
  for (const place of far.places) if (near.places.length < 8) near.places.push(place);
}

const ANSWER_FIELDS = [
  "ack",
  "isAckAstray",
  "ackElsewhere",
  "acknowledgedIsn",
  "held",
  "isBackwards",
  "sent",
  "isProven",
  "wentOn",
  "answerReset",
  "serverResets",
  "clientResets",
  "refusedNs",
  "misfit",
] as const;
