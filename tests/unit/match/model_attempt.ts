/** What the plain model of the matcher keeps of an attempt, and what follows from that alone. */
import type {
  KernelAccept,
  KernelDrop,
  KernelEnd,
  KernelReset,
  Process,
} from "../../../src/kernel/kernel_record.ts";
import { Passage } from "../../../src/wire/passage.ts";
import { TcpFlag } from "../../../src/wire/tcp_flags.ts";
import { type End, formatEnd, type Packet } from "./traffic.ts";

/** A packet as it was seen, and its place in the order of all. */
export interface Seen {
  packet: Packet;
  timeNs: number;
  place: number;
  order: number;
}

/** A tuple. */
export interface Ends {
  client: End;
  server: End;
}

export type State = "syn_sent" | "answered" | "concluded" | "doubted" | "reported";

/** One attempt of a client: a tuple and an initial sequence number. */
export interface Attempt {
  client: End;
  server: End;
  /** The other tuple that it goes by, and whether that is the one of its packets. */
  other: Ends | undefined;
  packetsUseOther: boolean;
  /** Where SYNs and SYN-ACKs of it were seen. */
  places: number[];
  clientIsn: number;
  state: State;
  touchedNs: number;
  syns: Seen[];
  /** The last SYN at another place than the first's, before any SYN-ACK. */
  synElsewhere?: Seen;
  synAcks: Seen[];
  /** Whether another SYN looks like its own translated, and its own like another translated. */
  mayHavePassed: boolean;
  isPassed: boolean;
  /** The SYNs of the other side of a translation, where its answer was seen there. */
  answeredSyns?: Seen[];
  /** Its VLAN: of the first packet that tells the network. */
  vlan: number;
  ack: Seen | undefined;
  /** Whether the ACK was seen where the SYN or the SYN-ACK does not count, and where else it passed. */
  isAckAstray: boolean;
  ackElsewhere: Seen | undefined;
  /** Whether the first SYN-ACK came by where a SYN had been seen, not first. */
  bothPassed: boolean;
  acknowledgedIsn: number | undefined;
  /** An ACK with the third one's Seq of which it is not known what it acknowledges. */
  held: Seen | undefined;
  /** Whether it is the third packet though it was captured before what it acknowledges. */
  isBackwards: boolean;
  /** How far the server got from each of its numbers, in octets, by segments behind its SYN-ACK. */
  sent: Map<number, number>;
  /** Whether the server acknowledged more than the SYN. */
  isProven: boolean;
  /** Whether the client went on behind the third packet, which did not come. */
  wentOn: boolean;
  /** Whether the times of its packets contradict their order. */
  isMistimed: boolean;
  /** Whether a RST came after the SYN-ACK. */
  answerReset: boolean;
  serverResets: number;
  clientResets: number;
  /** When a RST came and no SYN-ACK before it; when the kernel told of one. */
  refusedNs: number | undefined;
  kernelRefusedNs: number | undefined;
  /** The number of the server's own SYN, where it sent one; whether the client answered that. */
  serverSynIsn: number | undefined;
  answeredToo: boolean;
  wrongSynAckAck: boolean;
  /** What is wrong with the first third packet that did not fit. */
  misfit: { sequence: boolean; acknowledgment: boolean } | undefined;
  clientKernel: KernelEnd | undefined;
  serverKernel: KernelEnd | undefined;
  accept: KernelAccept | undefined;
  drops: KernelDrop[];
  kernelResets: KernelReset[];
  /** Whether it was reported as not established. */
  wasFailed: boolean;
  /** ICMP errors that quote the SYN and say that it reached nobody. */
  icmps: { symbol: string; reporter: Uint32Array; timeNs: number }[];
}

/** One of which nothing is known but how it began. */
export function newAttempt(
  client: End,
  server: End,
  clientIsn: number,
  state: State,
  nowNs: number,
): Attempt {
  return {
    client,
    server,
    other: undefined,
    packetsUseOther: false,
    places: [],
    clientIsn,
    state,
    touchedNs: nowNs,
    syns: [],
    synAcks: [],
    mayHavePassed: false,
    isPassed: false,
    vlan: -1,
    ack: undefined,
    isAckAstray: false,
    ackElsewhere: undefined,
    bothPassed: false,
    acknowledgedIsn: undefined,
    held: undefined,
    isBackwards: false,
    sent: new Map(),
    isProven: false,
    wentOn: false,
    isMistimed: false,
    answerReset: false,
    serverResets: 0,
    clientResets: 0,
    refusedNs: undefined,
    kernelRefusedNs: undefined,
    serverSynIsn: undefined,
    answeredToo: false,
    wrongSynAckAck: false,
    misfit: undefined,
    wasFailed: false,
    clientKernel: undefined,
    serverKernel: undefined,
    accept: undefined,
    drops: [],
    kernelResets: [],
    icmps: [],
  };
}

/** What the model is told of its hostContext and limits. */
export interface ModelOptions {
  capacity: number;
  joinNs: number;
  unansweredNs: number;
  halfOpenNs: number;
  rememberNs: number;
  doubtNs: number;
  seesServerData: boolean;
  isLocal(address: Uint32Array): boolean;
  hasServer(address: Uint32Array): boolean;
  listenerOf(server: KernelEnd): Process | undefined;
}

/** Names of ICMP errors that say that a packet reached nobody, by type and code. */
export const ICMP: Readonly<Record<number, readonly string[]>> = {
  3: ["ICMP_NET_UNREACH", "ICMP_HOST_UNREACH", "ICMP_PROT_UNREACH", "ICMP_PORT_UNREACH", ""],
  11: ["ICMP_EXC_TTL"],
};
export const ICMPV6: Readonly<Record<number, readonly string[]>> = { 1: ["ICMPV6_NOROUTE"] };

export const MODULUS = 1n << 32n;
export const EARLY_DATA_MAX = 1 << 20;

/** Octets from one sequence number on to another, 0 to 2^32 - 1. */
export function ahead(from: number, to: number): number {
  return Number((BigInt(to) - BigInt(from) + MODULUS) % MODULUS);
}

export function tupleOf(client: End, server: End): string {
  return `${client.address} ${client.port} ${server.address} ${server.port}`;
}

export function has(packet: Packet, flag: number): boolean {
  return (packet.flags & flag) !== 0;
}

/** Whether a number is that after the SYN, or after some of the data that the SYN carried. */
export function followsSyn(attempt: Attempt, number: number): boolean {
  const data = attempt.syns[0]?.packet.payloadLength ?? 0;
  const octets = ahead(attempt.clientIsn, number);
  return octets >= 1 && octets <= 1 + data;
}

/** Whether the attempt that a SYN-ACK answers and that of its sender are a simultaneous open. */
export function areOne(answered: Attempt, own: Attempt): boolean {
  if (own === answered || own.state === "reported" || own.syns.length === 0) return false;
  if (own.serverResets + own.clientResets > 0) return false;
  if (own.serverSynIsn !== undefined) {
    const isn = own.acknowledgedIsn ?? own.synAcks[0]?.packet.sequence ?? own.serverSynIsn;
    return isn === answered.clientIsn;
  }
  return own.synAcks.length === 0;
}

/** Whether what was asked came behind its answer, and too soon to have been sent again. */
export function isSwapped(answer: Seen, asked: Seen, slackNs = 0): boolean {
  const laterNs = asked.timeNs - answer.timeNs - slackNs;
  return laterNs > 0 && laterNs <= 100_000_000;
}

/**
 * Whether a client's segment, which does not begin with the third packet, stands in the window that the SYN-ACK
 * announced: behind that packet, or across where it begins.
 */
export function wentOnIn(
  attempt: Attempt,
  { sequence, payloadLength = 0, flags }: Packet,
): boolean {
  const data = attempt.syns[0]?.packet.payloadLength ?? 0;
  const window = attempt.synAcks[0].packet.window ?? 0;
  const octets = ahead(attempt.clientIsn, sequence) - 1 - data;
  const length = payloadLength + ((flags & TcpFlag.FIN) === 0 ? 0 : 1);
  const isEmpty = length === 0;
  const missing = ahead(sequence, attempt.clientIsn) + 1 + data;
  if (missing < 2 ** 31) return missing < length;
  return octets > 0 && (isEmpty ? octets <= window : octets < window);
}

export function usesFastOpen(attempt: Attempt): boolean {
  const [syn] = attempt.syns;
  const [synAck] = attempt.synAcks;
  return syn !== undefined &&
      (syn.packet.fastOpenCookieLength !== undefined || (syn.packet.payloadLength ?? 0) > 0) ||
    synAck?.packet.fastOpenCookieLength !== undefined;
}

/** The server's initial sequence numbers that are kept: the first, and the last that is another. */
export function serverIsns(attempt: Attempt): number[] {
  const all = synAcksOf(attempt).map(({ packet }) => packet.sequence);
  return [...all.slice(0, 1), ...all.filter((isn) => isn !== all[0]).slice(-1)];
}

/** Those of them that can be the connection's, as far as the packets up to the ACK tell. */
export function possibleIsns(attempt: Attempt): number[] {
  const { ack, acknowledgedIsn } = attempt;
  if (ack === undefined) return serverIsns(attempt);
  const all = synAcksOf(attempt).filter(({ order }) => order < ack.order)
    .map(({ packet }) => packet.sequence);
  if (acknowledgedIsn !== all[0]) return [acknowledgedIsn!];
  return [all[0], ...all.filter((isn) => isn !== all[0]).slice(-1)];
}

/** Octets that the server was seen to send from a number on, its SYN included. */
export function seenOctets(attempt: Attempt, isn: number): number {
  const inSynAcks = synAcksOf(attempt).filter(({ packet }) => packet.sequence === isn)
    .map(({ packet }) => 1 + (packet.payloadLength ?? 0));
  return Math.max(...inSynAcks, attempt.sent.get(isn) ?? 0);
}

/** Whether nothing can make the attempt more than it is. */
export function isComplete({ state, ack, isProven }: Attempt): boolean {
  return state === "reported" || ack !== undefined || isProven;
}

/** Whether no packet ended the attempt yet. */
export function isOpen(attempt: Attempt): boolean {
  return !isComplete(attempt) && attempt.serverResets + attempt.clientResets === 0;
}

/** Whether an ACK tells of an answer that was not seen. */
export function isOneSided({ held, ack, synAcks, serverResets, ...attempt }: Attempt): boolean {
  return held !== undefined && ack === undefined && !attempt.answeredToo &&
    !attempt.wrongSynAckAck &&
    synAcks.length + serverResets === 0;
}

/** Whether a packet's VLAN can be the attempt's. */
export function isOfVlan(attempt: Attempt, packet: Packet): boolean {
  const tags = [attempt.vlan, packet.vlan ?? -1].filter((vlan) => vlan > 0);
  return new Set(tags).size < 2;
}

/** Whether one of two packets is a copy that another tap made. */
export function areCopies(one: Seen, other: Seen): boolean {
  const [a, b] = [one.packet, other.packet];
  if (Math.abs(one.timeNs - other.timeNs) > 100_000_000 || a.checksum === undefined) return false;
  if (a.identification !== b.identification) return false;
  // Without that, what passed by twice in one way was sent twice.
  return a.identification !== 0 ||
    a.checksum === b.checksum && (a.passage === Passage.UNKNOWN || a.passage !== b.passage);
}

/**
 * The SYN-ACKs, each once. Only times of one place may be subtracted: each has that of the SYN's
 * place if it came by there. They are counted where the first was seen that did not come so far, or
 * at the SYN's place.
 */
export function synAcksOf({ syns: [syn], synAcks: [first, ...more], ack }: Attempt): Seen[] {
  if (first === undefined) return [];
  const counted = [first];
  let place = first.place;
  for (const seen of more) {
    const inTime = syn !== undefined && syn.order < seen.order &&
      (ack === undefined || seen.order < ack.order);
    if (seen.place === place) {
      counted.push(seen);
    } else if (
      inTime && seen.place === syn.place && isLast(counted, seen)
    ) {
      const last = counted.pop()!;
      const moved = { ...last, timeNs: seen.timeNs, place: seen.place };
      if (counted.length === 0) {
        place = seen.place;
        const { identification, checksum, passage } = seen.packet;
        moved.packet = { ...last.packet, identification, checksum, passage };
      }
      counted.push(moved);
    }
  }
  counted[0] = { ...counted[0], place: place };
  return counted;
}

/** Whether the last of some timestamps is after all before it. */
export function isNewest(values: readonly number[]): boolean {
  let newest = values[0];
  let isAfter = true;
  for (const value of values.slice(1)) {
    const octets = ahead(newest, value);
    isAfter = octets > 0 && octets < 2 ** 31;
    if (isAfter) newest = value;
  }
  return isAfter;
}

/** Whether a SYN-ACK is the last of those counted, by its numbers and its timestamp. */
function isLast(counted: readonly Seen[], { packet }: Seen): boolean {
  const last = counted.at(-1)!.packet;
  const numbers = [last.identification ?? 0, packet.identification ?? 0];
  const isOther = numbers[0] !== numbers[1] && !numbers.includes(0);
  if (last.sequence !== packet.sequence || isOther) return false;
  const values = counted.map((seen) => seen.packet.timestamps?.[0] ?? 0);
  const isTold = counted.length === 1 || isNewest(values);
  return packet.timestamps === undefined || isTold && values.at(-1) === packet.timestamps[0];
}

/** Takes the third packet, and whether it may yet come by where another packet counts. */
export function takeAck(attempt: Attempt, ack: Seen): void {
  const [syn] = attempt.syns;
  const answerPlace = synAcksOf(attempt)[0]?.place ?? 0;
  attempt.ack = ack;
  attempt.isAckAstray = syn !== undefined && ack.place !== syn.place || ack.place !== answerPlace;
}

/** Takes the third packet where it passes one more place. @returns Whether it is that. */
export function passAck(attempt: Attempt, seen: Seen): boolean {
  const { syns } = attempt;
  const ack = attempt.ack!;
  const numbers = [ack, seen].map(({ packet }) => packet.identification ?? 0);
  const isSame = numbers.some((number) => number > 0)
    ? numbers[0] === numbers[1]
    : seen.packet.checksum !== undefined && ack.packet.checksum === seen.packet.checksum;
  const isLate = Math.abs(seen.timeNs - ack.timeNs) > 100_000_000;
  if (!isSame || isLate || seen.place === ack.place) return false;
  const answerPlace = synAcksOf(attempt)[0]?.place ?? 0;
  if (seen.place === (syns[0]?.place ?? 0)) {
    if (ack.place === answerPlace) attempt.ackElsewhere = ack;
    attempt.ack = { ...ack, timeNs: seen.timeNs, place: seen.place };
  } else if (seen.place === answerPlace && attempt.ackElsewhere?.place !== answerPlace) {
    attempt.ackElsewhere = seen;
  }
  return true;
}

/** Whether the same end, or the same other end, is in both tuples. */
export function sharesEnd(attempt: Attempt, { client, server }: Ends): boolean {
  return formatEnd(attempt.client) === formatEnd(client) ||
    formatEnd(attempt.server) === formatEnd(server);
}

/** The tuple that its packets had where they were seen first. */
export function endsOfPackets({ client, server, other, packetsUseOther }: Attempt): Ends {
  return packetsUseOther && other ? other : { client, server };
}

/** Takes where a SYN or SYN-ACK was seen, and of the first of all by which tuple it went. */
export function see(attempt: Attempt, client: End, server: End, { place }: Seen): void {
  const { places, other } = attempt;
  if (other && !hasPackets(attempt)) {
    attempt.packetsUseOther = tupleOf(other.client, other.server) === tupleOf(client, server);
  }
  if (place === 0 || places.length === 8 || places.includes(place)) return;
  places.push(place);
}

/** Takes the VLAN of the SYN, or of the SYN-ACK where no SYN was seen. */
export function tellVlan(attempt: Attempt, { vlan = -1 }: Packet): void {
  attempt.vlan = vlan;
}

/** Whether a packet of it was seen. */
export function hasPackets({ syns, synAcks, serverSynIsn, ...attempt }: Attempt): boolean {
  return syns.length + synAcks.length + attempt.serverResets + attempt.clientResets > 0 ||
    attempt.wrongSynAckAck || serverSynIsn !== undefined;
}

/** Whether what the kernel tells of an end, by another tuple, is of the attempt. */
export function isEndOf(attempt: Attempt, record: KernelEnd, ends: Ends): boolean {
  const isClient = record.kind === "client";
  const serverIsn = isClient ? record.irs : record.iss;
  const { syns, clientKernel, serverKernel } = attempt;
  if ((isClient ? clientKernel : serverKernel) !== undefined) return false;
  const known = attempt.synAcks.length > 0
    ? possibleIsns(attempt)
    : isClient && serverKernel
    ? [serverKernel.iss]
    : !isClient && clientKernel
    ? [clientKernel.irs]
    : undefined;
  if (known !== undefined && serverIsn !== undefined) return known.includes(serverIsn);
  if (syns.length === 0 || !sharesEnd(attempt, ends)) return false;
  const [{ timeNs }] = syns;
  return timeNs <= record.endNs + 1_000_000 &&
    timeNs >= (record.synSentNs ?? record.connectNs ?? -Infinity) - 1_000_000;
}

/** How late a record of a SYN may be that was refused, and how far clocks are apart. */
export const REFUSAL_SLACK_NS = 200_000_000;

/** Whether the kernel can tell of the attempt what began at a time: not after its RST. */
export function canGoOnAt({ syns, synAcks, ...attempt }: Attempt, timeNs: number): boolean {
  if (synAcks.length > 0) return true;
  if (attempt.serverResets > 0) return timeNs <= attempt.refusedNs!;
  if (syns.length > 0 || attempt.kernelRefusedNs === undefined) return true;
  return timeNs <= attempt.kernelRefusedNs;
}

/** Whether a server completed it by a SYN cookie, which takes another Seq near the third packet's for that. */
export function isOfCookie(
  { synAcks, clientIsn, acknowledgedIsn }: Attempt,
  { kind, iss, irs }: KernelEnd,
): boolean {
  if (kind !== "server" || irs === undefined || synAcks.length === 0) return false;
  const isNear = ahead(irs, clientIsn) <= 3 || ahead(clientIsn, irs) <= 3;
  return isNear && (acknowledgedIsn ?? synAcks[0].packet.sequence) === iss;
}

/** Whether a refusal that the kernel tells of can be of an attempt that was refused by then, and is not told yet. */
export function lacksRefusal({ syns, synAcks, ...attempt }: Attempt, timeNs: number): boolean {
  const { serverResets, refusedNs = Infinity, drops } = attempt;
  if (serverResets === 0 || synAcks.length > 0 || drops.length >= syns.length) return false;
  return refusedNs <= timeNs && timeNs <= refusedNs + REFUSAL_SLACK_NS;
}

/** Of two attempts that are one, that of the first SYN goes on. */
export function firstOf(answered: Attempt, own: Attempt): [kept: Attempt, joined: Attempt] {
  const isAnswered = answered.state !== "reported" &&
    answered.syns[0]?.timeNs <= own.syns[0].timeNs;
  return isAnswered ? [answered, own] : [own, answered];
}

/** Whether the kernel told of it: of an end, of accept(), of a RST. */
export function isTold({ clientKernel, serverKernel, accept, kernelResets }: Attempt): boolean {
  return kernelResets.length > 0 ||
    [clientKernel, serverKernel, accept].some((it) => it !== undefined);
}

/** The last by its time; of equal times the one told of last. */
export function lastDropOf({ drops }: Attempt): KernelDrop | undefined {
  return drops.toSorted((a, b) => a.endNs - b.endNs).at(-1);
}

/** Where a packet that the kernel tells of came from, and where it went. */
export function endsOf(record: KernelDrop | KernelReset): [from: End, to: End] {
  return [
    { address: record.source, port: record.sourcePort },
    { address: record.destination, port: record.destinationPort },
  ];
}
