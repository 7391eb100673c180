/**
 * Which row of the table a packet or a kernel record belongs to: among the attempts on its tuple the
 * one whose sequence numbers it fits (RFC 9293 section 3.4, all arithmetic modulo 2^32).
 */
import type { KernelPacket, KernelReset } from "../kernel/kernel_record.ts";
import type { Segment } from "../wire/segment.ts";
import { sequenceAdd, sequenceDistance } from "../wire/sequence.ts";
import { TcpFlag } from "../wire/tcp_flags.ts";
import { FlowState, type FlowTable, WireFact } from "./flow_table.ts";

/** Data that a server may send before the third ACK, which that ACK may acknowledge too. */
const EARLY_DATA_MAX = 1 << 20;

/** Both ports as the table keeps them. */
export function joinPorts(clientPort: number, serverPort: number): number {
  return (clientPort * 65536 + serverPort) >>> 0;
}

/** The row of one attempt, told by its client's initial sequence number, -1 where there is none. */
export function findAttempt(
  table: FlowTable,
  client: Uint32Array,
  server: Uint32Array,
  ports: number,
  clientIsn: number,
): number {
  let row = table.find(client, server, ports);
  while (row >= 0 && table.clientIsn[row] !== clientIsn) {
    row = table.older(row, client, server, ports);
  }
  return row;
}

/** The row whose SYN a SYN-ACK with this Ack answers, -1 where there is none. */
export function findAnswered(
  table: FlowTable,
  client: Uint32Array,
  server: Uint32Array,
  ports: number,
  acknowledgment: number,
): number {
  let row = table.find(client, server, ports);
  while (row >= 0 && !acknowledgesSyn(table, row, acknowledgment)) {
    row = table.older(row, client, server, ports);
  }
  return row;
}

/** Tells whether a packet that the kernel tells of began an attempt. */
export function isSyn({ flags }: KernelPacket): boolean {
  return (flags & (TcpFlag.SYN | TcpFlag.ACK)) === TcpFlag.SYN;
}

/**
 * The row of the packet that the kernel answered with a RST, -1 where there is none: a SYN's, a
 * SYN-ACK's or a third ACK's.
 */
export function findReset(table: FlowTable, record: KernelReset): number {
  const { source, destination, sourcePort, destinationPort, acknowledgment } = record;
  const isAck = (record.flags & TcpFlag.ACK) !== 0;
  if ((record.flags & TcpFlag.SYN) !== 0 && isAck) {
    const ports = joinPorts(destinationPort, sourcePort);
    return findAnswered(table, destination, source, ports, acknowledgment);
  }
  const ports = joinPorts(sourcePort, destinationPort);
  if (!isAck) return findAttempt(table, source, destination, ports, record.sequence);
  let row = table.find(source, destination, ports);
  while (
    row >= 0 &&
    !(fitsAckSequence(table, row, record.sequence) && canBeThirdAck(table, row, acknowledgment))
  ) {
    row = table.older(row, source, destination, ports);
  }
  return row;
}

/**
 * Whether an ACK with the third one's Seq can be it: a client that only receives sends the same Seq
 * for as long as it lives, but acknowledges more than the SYN-ACK.
 */
function canBeThirdAck(table: FlowTable, row: number, acknowledgment: number): boolean {
  const isComplete = (table.facts[row] & WireFact.Ack) !== 0;
  return !isComplete || acknowledgesIsn(table, row, table.serverIsn[row], acknowledgment);
}

/** Whether a SYN-ACK's or RST's Ack lies in a SYN's window: ISN + 1, plus data sent in the SYN. */
export function acknowledgesSyn(table: FlowTable, row: number, acknowledgment: number): boolean {
  const distance = sequenceDistance(table.clientIsn[row], acknowledgment);
  const dataMax = (table.facts[row] & WireFact.Syn) !== 0 ? table.synPayloadLength[row] : 0;
  return distance >= 1 && distance <= 1 + dataMax;
}

/** Whether Seq is where the client stands after its SYN: ISN + 1, plus data sent in the SYN. */
export function fitsAckSequence(table: FlowTable, row: number, sequence: number): boolean {
  return acknowledgesSyn(table, row, sequence);
}

/** Whether an Ack acknowledges a SYN-ACK of the row. */
export function acknowledgesSynAck(
  table: FlowTable,
  row: number,
  acknowledgment: number,
): boolean {
  return acknowledgesIsn(table, row, table.serverIsn[row], acknowledgment) ||
    (table.facts[row] & WireFact.OtherServerIsn) !== 0 &&
      acknowledgesIsn(table, row, table.otherServerIsn[row], acknowledgment);
}

/** Whether an Ack acknowledges a SYN-ACK of the row that had this initial sequence number. */
export function acknowledgesIsn(
  table: FlowTable,
  row: number,
  serverIsn: number,
  acknowledgment: number,
): boolean {
  const distance = sequenceDistance(serverIsn, acknowledgment);
  // With TCP Fast Open the server may have sent data already, which the ACK then covers.
  const fastOpen = (table.facts[row] & WireFact.FastOpen) !== 0;
  return distance >= 1 && distance <= (fastOpen ? EARLY_DATA_MAX : 1);
}

/** Whether no packet ended the handshake yet. */
export function isOpen(table: FlowTable, row: number): boolean {
  const ended = WireFact.Ack | WireFact.ServerReset | WireFact.ClientReset;
  return table.state[row] !== FlowState.Reported && (table.facts[row] & ended) === 0;
}

/** Whether its SYN-ACK was not seen and can come. */
export function awaitsSynAck(table: FlowTable, row: number): boolean {
  return isOpen(table, row) && (table.facts[row] & WireFact.SynAck) === 0;
}

/** Whether its SYN-ACK was seen and its third packet can come. */
export function awaitsAck(table: FlowTable, row: number): boolean {
  return isOpen(table, row) && (table.facts[row] & WireFact.SynAck) !== 0;
}

/**
 * Whether a RST refuses an attempt: in answer to the SYN it must acknowledge it (RFC 9293
 * section 3.10.7.3), after the SYN-ACK its Seq must be the next one of the server.
 */
export function isServerReset(table: FlowTable, row: number, segment: Segment): boolean {
  if (!isOpen(table, row)) return false;
  if ((table.facts[row] & WireFact.SynAck) !== 0) {
    return segment.sequence === sequenceAdd(table.serverIsn[row], 1) ||
      (table.facts[row] & WireFact.OtherServerIsn) !== 0 &&
        segment.sequence === sequenceAdd(table.otherServerIsn[row], 1);
  }
  return (segment.flags & TcpFlag.ACK) !== 0 &&
    acknowledgesSyn(table, row, segment.acknowledgment);
}
