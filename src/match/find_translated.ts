/**
 * Which handshake a packet or a kernel record belongs to that goes by another tuple: a packet filter
 * of this host translates addresses (NAT, RFC 3022), and the sequence numbers stay what they are.
 *
 * The client's initial sequence number alone proves too little: some scanners send all their SYNs with
 * one. So each tuple has a row of its own, and two become one when they are reported: if the SYN went on from
 * one place to another in little time and with the same options, and what answered it did so too. A kernel
 * record must know the other number too, or one end that was not translated.
 *
 * @module
 */
import type { KernelEnd } from "../kernel/kernel_record.ts";
import { TcpState } from "../kernel/tcp_state.ts";
import type { Segment } from "../wire/segment.ts";
import { acknowledgesSynAck } from "./acceptance.ts";
import { REFUSAL_SLACK_NS } from "./find_attempt.ts";
import { Mark, WireFact } from "./facts.ts";
import type { FlowKey } from "./flow_key.ts";
import { FlowState, type FlowTable, Mistimed } from "./flow_table.ts";
import { hasMore } from "./keep_packet.ts";

/** Attempts with one client's number that are looked at: a flood may send all its SYNs with one. */
const LOOKED_AT_MAX = 8;
/** How long a packet may take through the host; after that the client sends its SYN again. */
const PASSING_MAX_NS = 1e9;
/** The same where no timestamp tells the SYN from others that are like it. */
const PASSING_UNSTAMPED_MAX_NS = 50e6;
/** How long a handshake may have taken of which the kernel tells only its end. */
const HANDSHAKE_MAX_NS = 10e9;
/** Clocks of packets and of the kernel's events may be apart by this. */
const CLOCK_SLACK_NS = 1e6;

/** Whether a row's handshake is the one that is looked for. */
type IsSame = (row: number) => boolean;

function findByIsn(table: FlowTable, clientIsn: number, key: FlowKey, isSame: IsSame): number {
  let looked = 0;
  let row = table.findIsn(clientIsn);
  for (; row >= 0 && looked < LOOKED_AT_MAX; row = table.olderIsn(row)) {
    if (table.clientIsn[row] !== clientIsn) continue;
    looked++;
    const canBe = table.state[row] !== FlowState.Reported && !table.isTranslated(row) &&
      !table.hasFirstTuple(row, key);
    if (canBe && isSame(row)) return row;
  }
  return -1;
}

/** The row that only the kernel told of so far and whose SYN this is with another key, -1: there is none. */
export function findTranslatedSyn(
  table: FlowTable,
  key: FlowKey,
  { sequence }: Segment,
  timeNs: number,
): number {
  // Most often none has its number: a function for each SYN would be garbage.
  if (table.findIsn(sequence) < 0) return -1;
  return findByIsn(
    table,
    sequence,
    key,
    (row) => table.facts[row] === 0 && isKernelsSyn(table, row, key, timeNs),
  );
}

/**
 * Marks a row whose first SYN was taken, and those whose SYN it may be, translated. Two flows can begin so alike: what
 * comes after their SYNs tells, see {@link findSides}.
 */
export function markPassed(table: FlowTable, row: number): void {
  findByIsn(table, table.clientIsn[row], table.firstKey(row), (near) => {
    if (!canBePassed(table, near, row)) return false;
    table.marks[near] |= Mark.MayHavePassed;
    table.marks[row] |= Mark.MayHavePassed | Mark.Passed;
    return false;
  });
}

/** Whether the first SYN of a row can be the last one of another, gone on to another place. */
function canBePassed(table: FlowTable, near: number, far: number): boolean {
  const { Syn, SynAck, ServerReset, ClientReset, SynTimestamps, FastOpen, Mptcp } = WireFact;
  if ((table.facts[far] & (FastOpen | Mptcp) & ~table.facts[near]) !== 0) return false;
  if (!table.has(near, Syn) || table.has(near, SynAck | ServerReset | ClientReset)) return false;
  const passingNs = table.has(near, SynTimestamps) ? PASSING_MAX_NS : PASSING_UNSTAMPED_MAX_NS;
  return table.synPlace[far] !== 0 && !table.hasPlace(near, table.synPlace[far]) &&
    Math.abs(table.firstSynNs[far] - table.lastSynNs[near]) <= passingNs &&
    isSamePacket(table.synMark[near], table.synMark[far]) &&
    table.lastSynTimestamp[near] === table.lastSynTimestamp[far] && areAlike(table, near, far);
}

/** Whether two packets may be one by what {@link markOf} says of them. */
function isSamePacket(mark: number, other: number): boolean {
  return mark < 0 || other < 0 || mark === other;
}

/** Whether two SYNs are alike in what no translation changes, and the second offers no more than the first. */
function areAlike(table: FlowTable, near: number, far: number): boolean {
  const { SynTimestamps, SynSackPermitted } = WireFact;
  const offersMore = (table.facts[far] & SynSackPermitted & ~table.facts[near]) !== 0;
  // A router lowers the MSS to what its link takes, or adds one; it never raises it.
  const isMssRaised = table.clientMss[near] >= 0 && table.clientMss[far] > table.clientMss[near];
  return !offersMore && !isMssRaised &&
    table.has(near, SynTimestamps) === table.has(far, SynTimestamps) &&
    table.clientWindow[near] === table.clientWindow[far] &&
    table.clientWindowScale[near] === table.clientWindowScale[far] &&
    table.synPayloadLength[near] === table.synPayloadLength[far];
}

/** Whether what only the kernel told of so far can have begun with a SYN of this time. */
function isKernelsSyn(table: FlowTable, row: number, key: FlowKey, timeNs: number): boolean {
  const end = table.clientKernel[row] ?? table.serverKernel[row];
  if (end === undefined) return false;
  const begunNs = end.synSentNs ?? end.connectNs ?? end.endNs - HANDSHAKE_MAX_NS;
  return timeNs >= begunNs - CLOCK_SLACK_NS && timeNs <= end.endNs + CLOCK_SLACK_NS &&
    (end.newState === TcpState.Established || sharesEnd(table, row, key));
}

/** The row of the handshake whose other side, or whose packets, have another tuple; -1: none. */
export function findTranslatedHalf(
  table: FlowTable,
  key: FlowKey,
  clientIsn: number,
  record: KernelEnd,
): number {
  return findByIsn(table, clientIsn, key, (row) => isEndOf(table, row, key, record));
}

/** Whether what the kernel tells of an end, by another key, is of a row's handshake. */
function isEndOf(table: FlowTable, row: number, key: FlowKey, record: KernelEnd): boolean {
  const isClient = record.kind === "client";
  const serverIsn = isClient ? record.irs : record.iss;
  const { Syn, SynAck, OtherServerIsn } = WireFact;
  const opposite = isClient ? table.serverKernel[row] : table.clientKernel[row];
  if ((isClient ? table.clientKernel[row] : table.serverKernel[row]) !== undefined) return false;
  if (table.has(row, SynAck) && serverIsn !== undefined) {
    return serverIsn === table.serverIsn[row] ||
      table.has(row, OtherServerIsn) && serverIsn === table.otherServerIsn[row];
  }
  if (opposite !== undefined && serverIsn !== undefined) {
    return serverIsn === (isClient ? opposite.iss : opposite.irs);
  }
  return table.has(row, Syn) && sharesEnd(table, row, key) &&
    table.firstSynNs[row] <= record.endNs + CLOCK_SLACK_NS &&
    table.firstSynNs[row] >= (record.synSentNs ?? record.connectNs ?? -Infinity) - CLOCK_SLACK_NS;
}

/**
 * The other row of a handshake that is about to be reported: one has the SYN and what the kernel did with
 * it, which it told first, the other what it told of the client, by another key, before the SYN itself
 * was fetched. -1 where there is none.
 */
export function findTranslatedClient(table: FlowTable, row: number): number {
  const isClient = isClientAlone(table, row);
  if (!isClient && !isRefusedSyn(table, row)) return -1;
  return findByIsn(table, table.clientIsn[row], table.firstKey(row), (other) => {
    const [refused, client] = isClient ? [other, row] : [row, other];
    if (!isRefusedSyn(table, refused) || !isClientAlone(table, client)) return false;
    return isEndOf(table, refused, table.firstKey(client), table.clientKernel[client]!);
  });
}

/** Whether all that is known is what the kernel told of the client. */
function isClientAlone(table: FlowTable, row: number): boolean {
  return table.facts[row] === 0 && !table.isTranslated(row) &&
    table.clientKernel[row] !== undefined && table.serverKernel[row] === undefined &&
    table.accept[row] === undefined && table.drops[row] === undefined &&
    table.reset[row] === undefined;
}

/** Whether its SYN was seen and the kernel told what it did with it, but of no end. */
function isRefusedSyn(table: FlowTable, row: number): boolean {
  return table.has(row, WireFact.Syn) && !table.isTranslated(row) &&
    table.clientKernel[row] === undefined && table.serverKernel[row] === undefined &&
    (table.drops[row] !== undefined || table.reset[row] !== undefined);
}

/**
 * The other row of a handshake that is about to be reported: one has the SYN, the other what the kernel
 * did with it behind the translation, a drop or a RST. -1 where there is none. Not sooner, for the SYN
 * that the kernel tells of may yet be captured itself: scanners send SYNs with one number to many ports.
 */
export function findTranslatedFate(table: FlowTable, row: number): number {
  const isFate = isKernelsWord(table, row);
  if (!isFate && !isUnexplainedSyn(table, row)) return -1;
  const key = table.firstKey(row);
  return findByIsn(table, table.clientIsn[row], key, (other) => {
    const [syn, fate] = isFate ? [other, row] : [row, other];
    if (!isUnexplainedSyn(table, syn) || !isKernelsWord(table, fate)) return false;
    const toldNs = table.reset[fate]?.endNs ?? table.drops[fate]?.lastNs ?? Infinity;
    return sharesEnd(table, other, key) &&
      Math.abs(toldNs - table.lastSynNs[syn]) <= REFUSAL_SLACK_NS;
  });
}

/** Whether all that is known is that the kernel dropped packets, or answered one with a RST. */
function isKernelsWord(table: FlowTable, row: number): boolean {
  return table.facts[row] === 0 && !table.isTranslated(row) &&
    table.clientKernel[row] === undefined && table.serverKernel[row] === undefined &&
    table.accept[row] === undefined &&
    (table.drops[row] !== undefined || table.reset[row] !== undefined);
}

/** Whether its SYN was seen and nothing tells why no SYN-ACK came. */
function isUnexplainedSyn(table: FlowTable, row: number): boolean {
  const { Syn, SynAck } = WireFact;
  return table.has(row, Syn) && !table.has(row, SynAck) && !table.isTranslated(row) &&
    table.drops[row] === undefined && table.reset[row] === undefined;
}

/** Whether one end, address and port, is the same in both tuples. */
function sharesEnd(table: FlowTable, row: number, { client, server, ports }: FlowKey): boolean {
  const at = row * 4;
  const differing = (table.ports[row] ^ ports) >>> 0;
  return differing >>> 16 === 0 && sameAddress(table.clientAddress, at, client) ||
    (differing & 0xffff) === 0 && sameAddress(table.serverAddress, at, server);
}

function sameAddress(column: Uint32Array, at: number, words: Uint32Array): boolean {
  return words.every((word, index) => word === column[at + index]);
}

/** Two rows of one handshake: by the packets before a translation, and by those behind it. */
export interface Sides {
  near: number;
  far: number;
}

/**
 * A row and the other one of its handshake, which is under way too: their SYNs look like one packet, and so do those
 * that answer it. Both initial sequence numbers tell, or the client's ACK of an answer that is not seen behind the
 * translation. Of SYNs alone much must be the same, and no other flow may have their number.
 *
 * @returns Undefined where there is none, or where several may be it.
 */
export function findSides(table: FlowTable, row: number): Sides | undefined {
  const clientIsn = table.clientIsn[row];
  const key = table.firstKey(row);
  let found: Sides | undefined;
  let others = 0;
  let looked = 0;
  let other = table.findIsn(clientIsn);
  for (; other >= 0 && looked < LOOKED_AT_MAX; other = table.olderIsn(other)) {
    if (table.clientIsn[other] !== clientIsn) continue;
    looked++;
    if (table.hasFirstTuple(other, key)) continue;
    if (table.has(other, WireFact.Syn)) others++;
    if (!table.isMarked(other, Mark.MayHavePassed)) continue;
    const sides = isNearer(table, row, other)
      ? { near: row, far: other }
      : { near: other, far: row };
    if (!canBeSides(table, sides)) continue;
    if (found) return undefined;
    found = sides;
  }
  if (!found || isProven(table, found)) return found;
  return others === 1 && looked < LOOKED_AT_MAX && areOneSyn(table, found) ? found : undefined;
}

/** Whether the SYN of one row was seen before that of another. */
function isNearer(table: FlowTable, row: number, other: number): boolean {
  const laterNs = table.firstSynNs[other] - table.firstSynNs[row];
  return laterNs !== 0 ? laterNs > 0 : !table.isMarked(row, Mark.Passed);
}

/** Whether nothing that was seen of two rows contradicts that they are one handshake. */
function canBeSides(table: FlowTable, sides: Sides): boolean {
  const { near, far } = sides;
  for (const row of [near, far]) {
    const isUnderWay = table.state[row] !== FlowState.Reported && !table.isTranslated(row);
    if (!isUnderWay || table.has(row, WireFact.SimultaneousSyn)) return false;
  }
  // A translation leaves one tuple on each side.
  const isLike = table.isMarked(far, Mark.Passed) && areAlike(table, near, far);
  if (!isLike || table.sharesPlace(near, far)) return false;
  const hasTwo = table.clientKernel[near] && table.clientKernel[far] ||
    table.serverKernel[near] && table.serverKernel[far];
  if (hasTwo) return false;
  // Its answer came by where its SYN did not: no time of one place would tell how long it took.
  const isAstray = hasMore(table, near, far) && table.has(far, WireFact.SynAck) &&
    table.synAckPlace[far] !== table.synPlace[far];
  if (isAstray) return false;
  if (knowsServerIsn(table, near) && knowsServerIsn(table, far)) {
    return sharesServerIsn(table, near, far) && isWithin(table, sides);
  }
  // What answers it comes by the far side first, what its client says by the near one.
  const { SynAck, ServerReset, Ack } = WireFact;
  const hasAck = (row: number) => table.isMarked(row, Mark.AckHeld);
  if (table.has(near, SynAck)) return acknowledgesOf(table, near, far);
  if (table.has(far, SynAck)) {
    return hasAck(near) ? acknowledgesOf(table, far, near) : !table.has(far, Ack) && !hasAck(far);
  }
  if (hasAck(near) || hasAck(far)) return acknowledgeOne(table, sides);
  const [isNearReset, isFarReset] = [table.has(near, ServerReset), table.has(far, ServerReset)];
  if (isNearReset) return isFarReset && isWithin(table, sides);
  // Who sends its SYN again was not refused.
  return !isFarReset || table.syns[near] === table.syns[far];
}

/** Whether what two rows have beside their SYNs proves that they are one handshake. */
function isProven(table: FlowTable, sides: Sides): boolean {
  const { near, far } = sides;
  return knowsServerIsn(table, near) && knowsServerIsn(table, far) ||
    acknowledgesOf(table, near, far) || acknowledgesOf(table, far, near) ||
    acknowledgeOne(table, sides);
}

/** Whether an ACK came where no answer was seen, and acknowledges the answer that was seen elsewhere. */
function acknowledgesOf(table: FlowTable, answered: number, row: number): boolean {
  return table.has(answered, WireFact.SynAck) && !table.has(row, WireFact.SynAck) &&
    table.isMarked(row, Mark.AckHeld) && acknowledgesSynAck(table, answered, table.heldAck[row]);
}

/** Whether both saw an ACK of one answer, which neither saw. */
function acknowledgeOne(table: FlowTable, { near, far }: Sides): boolean {
  const isHeld = (row: number) =>
    table.isMarked(row, Mark.AckHeld) && !table.has(row, WireFact.SynAck);
  return isHeld(near) && isHeld(far) && table.heldAck[near] === table.heldAck[far];
}

/** Whether two SYNs, which look like one packet, are: one end is the same, and a number that changes by itself. */
function areOneSyn(table: FlowTable, { near, far }: Sides): boolean {
  const mark = table.synMark[near];
  const hasNumber = mark >= 0 && mark === table.synMark[far] ||
    table.has(near, WireFact.SynTimestamps) && table.lastSynTimestamp[near] !== 0;
  return hasNumber && sharesEnd(table, near, table.firstKey(far));
}

/** Whether the server's initial sequence number is known, of packets or of the kernel. */
function knowsServerIsn(table: FlowTable, row: number): boolean {
  return table.has(row, WireFact.SynAck) || toldServerIsn(table, row) !== undefined;
}

function toldServerIsn(table: FlowTable, row: number): number | undefined {
  return table.serverKernel[row]?.iss ?? table.clientKernel[row]?.irs;
}

/** Whether one of the numbers that the server is known by is the same in both rows. */
function sharesServerIsn(table: FlowTable, row: number, other: number): boolean {
  const isns = serverIsnsOf(table, other);
  return serverIsnsOf(table, row).some((isn) => isns.includes(isn));
}

function serverIsnsOf(table: FlowTable, row: number): number[] {
  const { SynAck, OtherServerIsn } = WireFact;
  const isns = table.has(row, SynAck) ? [table.serverIsn[row]] : [toldServerIsn(table, row)!];
  if (table.has(row, OtherServerIsn)) isns.push(table.otherServerIsn[row]);
  return isns;
}

/**
 * Whether the far side was answered within the time in which the near one was, each once and by the same packet:
 * so it is whatever clocks the two places have.
 */
function isWithin(table: FlowTable, { near, far }: Sides): boolean {
  const isOnce = [near, far].every((row) =>
    table.syns[row] === 1 && table.synAcks[row] <= 1 && table.mistimed[row] === Mistimed.No
  );
  const isAnswered = table.synAcks[near] + table.synAcks[far] === 2;
  if (!isOnce || table.synAcks[near] !== table.synAcks[far]) return true;
  if (isAnswered && !isSamePacket(table.synAckMark[near], table.synAckMark[far])) return false;
  const answerNs = isAnswered ? table.firstSynAckNs : table.refusedNs;
  const waitedNs = (row: number) => answerNs[row] - table.firstSynNs[row];
  // Where nothing answered on the wire there is nothing to compare.
  return !(waitedNs(far) > waitedNs(near));
}
