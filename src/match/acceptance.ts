/**
 * Which numbers an end of a handshake takes for an answer (RFC 9293 section 3.10.7, all arithmetic
 * modulo 2^32).
 *
 * @module
 */
import type { Segment } from "../wire/segment.ts";
import { sequenceDistance } from "../wire/sequence.ts";
import { TcpFlag } from "../wire/tcp_flags.ts";
import { Mark, WireFact } from "./facts.ts";
import type { FlowTable } from "./flow_table.ts";

/** What a server can have sent before the third ACK, where nothing says how much it was. */
const EARLY_DATA_MAX = 1 << 20;
/** A window as SYN and SYN-ACK carry it is not scaled (RFC 7323 section 2.2). */
const FIRST_WINDOW_MAX = 0xffff;

/** Whether a SYN-ACK's or RST's Ack lies in a SYN's window: ISN + 1, plus data sent in the SYN. */
export function acknowledgesSyn(table: FlowTable, row: number, acknowledgment: number): boolean {
  const distance = sequenceDistance(table.clientIsn[row], acknowledgment);
  return distance >= 1 && distance <= 1 + synData(table, row);
}

/** Whether Seq is where the client stands after its SYN: ISN + 1, plus data sent in the SYN. */
export function fitsAckSequence(table: FlowTable, row: number, sequence: number): boolean {
  return acknowledgesSyn(table, row, sequence);
}

/**
 * Whether a segment whose Seq is not that of the third packet stands in the window that the SYN-ACK announced,
 * be it behind that Seq or with a part of it: a server that lost the third packet takes it for that (RFC 9293
 * section 3.10.7.4, and Linux' `tcp_in_window`). With SYN cookies it does not: a cookie fits one Seq, or by the
 * MSS that it hides another at most three octets from it, such as that of a keep-alive.
 */
export function isInWindow(table: FlowTable, row: number, segment: Segment): boolean {
  const third = 1 + synData(table, row);
  const behind = sequenceDistance(table.clientIsn[row], segment.sequence) - third;
  const length = lengthOf(segment);
  if (behind < 0) return behind + length > 0;
  return behind <= table.serverWindow[row] - (length > 0 ? 1 : 0);
}

/** Whether a server that sent a SYN-ACK of the row takes an Ack (SND.UNA < SEG.ACK =< SND.NXT). */
export function acknowledgesSynAck(
  table: FlowTable,
  row: number,
  acknowledgment: number,
): boolean {
  return acknowledgesIsn(table, row, false, acknowledgment) ||
    table.has(row, WireFact.OtherServerIsn) &&
      acknowledgesIsn(table, row, true, acknowledgment);
}

/**
 * The same of the SYN-ACK with one of the server's initial sequence numbers.
 *
 * @param isOther Whether it is the other one; of a row that has one.
 */
export function acknowledgesIsn(
  table: FlowTable,
  row: number,
  isOther: boolean,
  acknowledgment: number,
): boolean {
  const isn = isOther ? table.otherServerIsn[row] : table.serverIsn[row];
  const octets = sequenceDistance(isn, acknowledgment);
  return octets >= 1 && octets <= sentMax(table, row, isOther);
}

/** Whether it is the other SYN-ACK that an Ack acknowledges: what follows one exactly counts first. */
export function acknowledgesOther(table: FlowTable, row: number, acknowledgment: number): boolean {
  if (!table.has(row, WireFact.OtherServerIsn)) return false;
  const isNext = sequenceDistance(table.otherServerIsn[row], acknowledgment) === 1;
  const isNextOfFirst = sequenceDistance(table.serverIsn[row], acknowledgment) === 1;
  return isNext && !isNextOfFirst || !acknowledgesIsn(table, row, false, acknowledgment);
}

/** Octets that the server can have sent, its SYN included. */
function sentMax(table: FlowTable, row: number, isOther: boolean): number {
  if (table.has(row, WireFact.FastOpen)) return EARLY_DATA_MAX;
  const seen = isOther ? table.otherSent[row] : table.serverSent[row];
  if (!table.isMarked(row, Mark.DataHidden)) return seen;
  const hasSyn = table.has(row, WireFact.Syn);
  return Math.max(seen, 1 + (hasSyn ? table.clientWindow[row] : FIRST_WINDOW_MAX));
}

/** Whether Seq is where the server stands, or stood since its SYN-ACK. */
export function isFromServer(table: FlowTable, row: number, sequence: number): boolean {
  const { serverIsn, serverSent, otherServerIsn, otherSent } = table;
  return isWithin(sequence, serverIsn[row], serverSent[row]) ||
    table.has(row, WireFact.OtherServerIsn) &&
      isWithin(sequence, otherServerIsn[row], otherSent[row]);
}

function isWithin(sequence: number, isn: number, octets: number): boolean {
  const distance = sequenceDistance(isn, sequence);
  return distance >= 1 && distance <= octets;
}

/**
 * Takes how far a segment brings the server of a row whose SYN-ACK was seen.
 *
 * @returns Whether it can be that server's: its Seq lies in the client's first window.
 */
export function takeServerSegment(table: FlowTable, row: number, segment: Segment): boolean {
  const { sequence } = segment;
  const length = lengthOf(segment);
  const first = octetsAfter(table.serverIsn[row], sequence, length);
  if (first > table.serverSent[row]) table.serverSent[row] = first;
  if (!table.has(row, WireFact.OtherServerIsn)) return first > 0;
  const other = octetsAfter(table.otherServerIsn[row], sequence, length);
  if (other > table.otherSent[row]) table.otherSent[row] = other;
  return first > 0 || other > 0;
}

/** Sequence numbers that a segment takes, without those of its SYN: data and FIN. */
export function lengthOf({ payloadLength, flags }: Segment): number {
  return payloadLength + ((flags & TcpFlag.FIN) !== 0 ? 1 : 0);
}

/** Octets from a SYN to the end of a segment behind it; 0 where the segment does not follow that SYN. */
function octetsAfter(isn: number, sequence: number, length: number): number {
  const distance = sequenceDistance(isn, sequence);
  if (distance < 1 || distance > 1 + FIRST_WINDOW_MAX) return 0;
  return Math.min(distance + length, EARLY_DATA_MAX);
}

/**
 * Whether a server's Ack proves that the third packet came: it acknowledges more than the SYN, which no
 * server does before.
 */
export function provesThird(table: FlowTable, row: number, acknowledgment: number): boolean {
  const octets = sequenceDistance(table.clientIsn[row], acknowledgment);
  return octets > 1 + synData(table, row) && octets <= EARLY_DATA_MAX;
}

/** Whether the ACK that was held is one that the server takes, by what is known by now. */
export function acceptsHeld(table: FlowTable, row: number): boolean {
  return table.isMarked(row, Mark.AckHeld) &&
    table.has(row, WireFact.SynAck) && !table.has(row, WireFact.Ack) &&
    acknowledgesSynAck(table, row, table.heldAck[row]);
}

function synData(table: FlowTable, row: number): number {
  return table.has(row, WireFact.Syn) ? table.synPayloadLength[row] : 0;
}
