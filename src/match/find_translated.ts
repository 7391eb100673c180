/**
 * Which handshake a packet or a kernel record belongs to that goes by another tuple: a packet filter
 * of this host translates addresses (NAT, RFC 3022), and the sequence numbers stay what they are.
 *
 * The client's initial sequence number alone proves too little: some scanners send all their SYNs with
 * one. So a packet must also have gone on from one place to another in little time and with the same
 * options, and a kernel record must know the other number too, or one end that was not translated.
 *
 * @module
 */
import type { KernelEnd } from "../kernel/kernel_record.ts";
import { TcpState } from "../kernel/tcp_state.ts";
import type { Segment } from "../wire/segment.ts";
import { REFUSAL_SLACK_NS } from "./find_attempt.ts";
import { WireFact } from "./facts.ts";
import type { FlowKey } from "./flow_key.ts";
import { FlowState, type FlowTable } from "./flow_table.ts";

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

/** The row of the handshake whose SYN this is with another key, -1 where there is none. */
export function findTranslatedSyn(
  table: FlowTable,
  key: FlowKey,
  segment: Segment,
  timeNs: number,
  place: number,
): number {
  const { Syn, SynAck, ServerReset, ClientReset, SynTimestamps } = WireFact;
  const { options, window } = segment;
  return findByIsn(table, segment.sequence, key, (row) => {
    if (table.facts[row] === 0) return isKernelsSyn(table, row, key, timeNs);
    const hasTimestamps = table.has(row, SynTimestamps);
    return table.has(row, Syn) && !table.has(row, SynAck | ServerReset | ClientReset) &&
      !table.hasPlace(row, place) && place !== 0 &&
      Math.abs(timeNs - table.lastSynNs[row]) <=
        (hasTimestamps ? PASSING_MAX_NS : PASSING_UNSTAMPED_MAX_NS) &&
      table.clientWindow[row] === window &&
      table.clientWindowScale[row] === options.windowScale &&
      hasTimestamps === options.timestamps &&
      (!hasTimestamps || table.lastSynTimestamp[row] === options.timestampValue);
  });
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
