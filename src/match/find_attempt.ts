/**
 * Which row of the table a packet or a kernel record belongs to: among the attempts on its tuple the
 * one whose sequence numbers it fits (RFC 9293 section 3.4, all arithmetic modulo 2^32).
 */
import type { KernelEnd, KernelPacket, KernelReset } from "../kernel/kernel_record.ts";
import type { Segment } from "../wire/segment.ts";
import { sequenceDistance } from "../wire/sequence.ts";
import { TcpFlag } from "../wire/tcp_flags.ts";
import {
  acknowledgesIsn,
  acknowledgesSyn,
  acknowledgesSynAck,
  fitsAckSequence,
  isFromServer,
  isInWindow,
} from "./acceptance.ts";
import { Mark, WireFact } from "./facts.ts";
import { FlowKey } from "./flow_key.ts";
import { FlowState, type FlowTable } from "./flow_table.ts";
import { isCopy, markOf } from "./keep_packet.ts";

/**
 * How much later than the RST a record of the SYN that it refused may be: the kernel frees the SYN
 * after that, and its CPU may be taken away in between. Windows sends the SYN again after 500 ms.
 */
export const REFUSAL_SLACK_NS = 200e6;

/** A cookie tells one of four sizes of segments (`msstab`), each by one more. */
const COOKIE_SLACK = 3;

/**
 * The newest row of an attempt, told by its client's initial sequence number, -1 where there is none.
 */
export function findAttempt(table: FlowTable, key: FlowKey, clientIsn: number): number {
  let row = table.find(key);
  while (row >= 0 && table.clientIsn[row] !== clientIsn) row = table.older(row, key);
  return row;
}

/**
 * The row of the attempt in whose time a kernel record falls. A client that was refused may send the
 * very SYN again (Windows does): attempts that only their times tell apart.
 *
 * @param timeNs When it happened.
 * @param sinceNs The latest that it can have begun: no attempt that was refused before goes on then.
 * @returns The row, -1 where there is none: the record is of an attempt that begins with it.
 */
export function findAttemptAt(
  table: FlowTable,
  key: FlowKey,
  clientIsn: number,
  timeNs: number,
  sinceNs: number,
): number {
  let begunLater = -1;
  let wasRefused = false;
  let row = table.find(key);
  for (; row >= 0; row = table.older(row, key)) {
    if (table.clientIsn[row] !== clientIsn) continue;
    const hasSyn = table.has(row, WireFact.Syn);
    if (!hasSyn || table.firstSynNs[row] <= timeNs) {
      if (sinceNs <= goesOnUntil(table, row)) return row;
      // One before it goes on where that is of another VLAN.
      wasRefused = true;
    } else if (!wasRefused) begunLater = row;
  }
  return begunLater;
}

/**
 * The row of the attempt that a server completed by a SYN cookie, which fits a Seq near the third packet's too:
 * the kernel then takes the number before that Seq for the client's. -1 where there is none.
 */
export function findByCookie(
  table: FlowTable,
  key: FlowKey,
  clientIsn: number,
  serverIsn: number | undefined,
): number {
  let row = table.find(key);
  for (; row >= 0; row = table.older(row, key)) {
    const isNear = Math.abs(sequenceDistance(table.clientIsn[row], clientIsn)) <= COOKIE_SLACK;
    if (isNear && table.has(row, WireFact.SynAck) && table.serverIsn[row] === serverIsn) return row;
  }
  return -1;
}

/**
 * The row of the attempt whose SYN the kernel dropped and answered with a RST, as {@link findAttemptAt} finds
 * it, but rather one that was refused by then and of which no drop was told: a SYN is freed after it was
 * answered, and by then the client may have sent the next one.
 */
export function findRefusedAt(
  table: FlowTable,
  key: FlowKey,
  clientIsn: number,
  timeNs: number,
): number {
  const sinceNs = timeNs - REFUSAL_SLACK_NS;
  const found = findAttemptAt(table, key, clientIsn, timeNs, sinceNs);
  for (let row = found; row >= 0; row = table.older(row, key)) {
    const isSame = table.clientIsn[row] === clientIsn;
    const wasRefused = table.has(row, WireFact.ServerReset) && !table.has(row, WireFact.SynAck) &&
      sinceNs <= table.refusedNs[row] && table.refusedNs[row] <= timeNs;
    const told = table.drops[row]?.count ?? 0;
    if (isSame && wasRefused && told < table.syns[row]) return row;
  }
  return found;
}

/**
 * Until when what the kernel tells can be of an attempt: until the RST that refused it. Of one whose
 * SYN was captured only a RST that was captured counts: another did not leave this host.
 */
export function goesOnUntil(table: FlowTable, row: number): number {
  const { Syn, SynAck, ServerReset } = WireFact;
  const wasNotRefused = table.has(row, SynAck) ||
    table.has(row, Syn) && !table.has(row, ServerReset);
  return wasNotRefused ? Infinity : table.refusedNs[row];
}

/**
 * The row that a captured SYN belongs to, -1 where it begins an attempt: also where it is the very
 * SYN that was refused, seen again at the same place.
 */
export function findBegun(
  table: FlowTable,
  key: FlowKey,
  segment: Segment,
  timeNs: number,
  place: number,
): number {
  const { sequence } = segment;
  let row = findAttempt(table, key, sequence);
  if (row < 0) return -1;
  if (!table.has(row, WireFact.Syn)) {
    // The kernel told of this attempt already; perhaps also of one that was refused before.
    let older = table.older(row, key);
    for (; older >= 0; older = table.older(older, key)) {
      if (table.clientIsn[older] !== sequence) continue;
      const refusedNs = table.refusedNs[older];
      const isExact = table.has(older, WireFact.ServerReset);
      const untilNs = isExact ? refusedNs : refusedNs + REFUSAL_SLACK_NS;
      if (refusedNs !== Infinity && timeNs <= untilNs) row = older;
    }
  }
  const isHere = table.synPlace[row] === place;
  if (!isHere || isCopy(table.synMark[row], table.synMarkNs[row], markOf(segment), timeNs)) {
    return row;
  }
  const { ServerReset, SynAck } = WireFact;
  if (table.has(row, ServerReset) && !table.has(row, SynAck)) return -1;
  // One network may use another's addresses, in a VLAN of its own.
  while (row >= 0 && !(table.clientIsn[row] === sequence && isOfVlan(table, row, segment.vlan))) {
    row = table.older(row, key);
  }
  return row;
}

/** Whether a packet with a VLAN tag can be of a row, as far as both have one. */
export function isOfVlan(table: FlowTable, row: number, vlan: number): boolean {
  return areOfOneVlan(table.vlan[row], vlan);
}

/** Whether two packets can be of one VLAN, as far as both have a tag. */
export function areOfOneVlan(one: number, other: number): boolean {
  return one === other || one <= 0 || other <= 0;
}

/**
 * The row whose SYN a SYN-ACK with this Ack answers, -1 where there is none.
 *
 * @param timeNs When, where the kernel tells of it: after a RST nothing is answered. A packet says by
 * itself that something was.
 * @param vlan VLAN of the packet: of several rows that it fits one of that VLAN is its own.
 */
export function findAnswered(
  table: FlowTable,
  key: FlowKey,
  acknowledgment: number,
  timeNs = -Infinity,
  vlan = -1,
): number {
  let found = -1;
  let row = table.find(key);
  for (; row >= 0; row = table.older(row, key)) {
    if (!acknowledgesSyn(table, row, acknowledgment) || timeNs > goesOnUntil(table, row)) continue;
    if (isOfVlan(table, row, vlan)) return row;
    if (found < 0) found = row;
  }
  return found;
}

/**
 * The row of the attempt that the sender of a SYN-ACK began itself, with the number that the SYN-ACK
 * repeats: both ends sent a SYN, and the two attempts are one (RFC 9293 section 3.5). -1 where it
 * began none.
 *
 * @param row Of the attempt that the SYN-ACK answers.
 * @param ownKey The tuple of an attempt of its sender. @param sequence The number that it repeats.
 */
export function findSimultaneous(
  table: FlowTable,
  row: number,
  ownKey: FlowKey,
  sequence: number,
): number {
  const own = findAttempt(table, ownKey, sequence);
  // A SYN that answers itself is a port connected to itself.
  if (own < 0 || own === row || table.state[own] === FlowState.Reported) return -1;
  const { Syn, SynAck, ServerReset, ClientReset, SimultaneousSyn } = WireFact;
  if (!table.has(own, Syn) || table.has(own, ServerReset | ClientReset)) return -1;
  const isJoined = table.has(own, SimultaneousSyn);
  if (isJoined) return table.serverIsn[own] === table.clientIsn[row] ? own : -1;
  return !table.has(own, SynAck) ? own : -1;
}

/**
 * The row of a simultaneous open whose server is the client that a kernel record tells of, -1 where
 * there is none under way.
 */
export function findJoined(table: FlowTable, record: KernelEnd): number {
  const { remote, remotePort, local, localPort } = record;
  const key = new FlowKey().set(remote, remotePort, local, localPort);
  const row = findAttempt(table, key, record.irs ?? 0);
  if (row < 0 || table.state[row] === FlowState.Reported) return -1;
  const isOne = table.has(row, WireFact.SimultaneousSyn) &&
    table.serverIsn[row] === record.iss && table.serverKernel[row] === undefined;
  return isOne ? row : -1;
}

/** Of two attempts that are one: whether this one goes on, not the other. */
export function beganFirst(table: FlowTable, row: number, other: number): boolean {
  return table.state[row] !== FlowState.Reported && table.has(row, WireFact.Syn) &&
    table.firstSynNs[row] <= table.firstSynNs[other];
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
  const { acknowledgment, endNs } = record;
  const key = new FlowKey();
  const isAck = (record.flags & TcpFlag.ACK) !== 0;
  if ((record.flags & TcpFlag.SYN) !== 0 && isAck) {
    return findAnswered(table, key.sentByServer(record), acknowledgment);
  }
  key.sentByClient(record);
  if (!isAck) {
    return findAttemptAt(table, key, record.sequence, endNs, endNs - REFUSAL_SLACK_NS);
  }
  let row = table.find(key);
  while (
    row >= 0 &&
    !(fitsAckSequence(table, row, record.sequence) && canBeThirdAck(table, row, acknowledgment))
  ) {
    row = table.older(row, key);
  }
  return row;
}

/**
 * Whether an ACK with the third one's Seq can be it: a client that only receives sends the same Seq
 * for as long as it lives, but acknowledges more than the SYN-ACK.
 */
function canBeThirdAck(table: FlowTable, row: number, acknowledgment: number): boolean {
  const both = WireFact.SynAck | WireFact.Ack;
  return !table.hasAll(row, both) || acknowledgesIsn(table, row, false, acknowledgment);
}

/** Whether no packet ended the handshake yet. */
export function isOpen(table: FlowTable, row: number): boolean {
  const resets = WireFact.ServerReset | WireFact.ClientReset;
  return !isComplete(table, row) && !table.has(row, resets);
}

/** Whether nothing can make it more than it is: it is established, or was reported. */
function isComplete(table: FlowTable, row: number): boolean {
  return table.state[row] === FlowState.Reported || table.has(row, WireFact.Ack) ||
    table.isMarked(row, Mark.Proven);
}

/** Whether an ACK came and no SYN-ACK, not even a wrong one: an answer was given that was not seen. */
export function isOneSided(table: FlowTable, row: number): boolean {
  const { SynAck, WrongSynAckAck, SimultaneousSynAck, Ack, ServerReset } = WireFact;
  const known = SynAck | WrongSynAckAck | SimultaneousSynAck | Ack | ServerReset;
  return table.isMarked(row, Mark.AckHeld) && !table.has(row, known);
}

/** The newest row of the attempts on a tuple that are open, -1 where there is none. */
export function findOpen(table: FlowTable, key: FlowKey): number {
  let row = table.find(key);
  while (row >= 0 && !isOpen(table, row)) row = table.older(row, key);
  return row;
}

/** Whether its SYN-ACK was not seen and can come. */
export function awaitsSynAck(table: FlowTable, row: number): boolean {
  return isOpen(table, row) && !table.has(row, WireFact.SynAck);
}

/** Whether its SYN-ACK was not seen at a moment and could come, as a kernel record may tell late. */
export function awaitedSynAck(table: FlowTable, row: number, timeNs: number): boolean {
  const hasBoth = table.has(row, WireFact.Syn) &&
    table.has(row, WireFact.SynAck);
  return awaitsSynAck(table, row) ||
    hasBoth && table.firstSynNs[row] <= timeNs && timeNs < table.firstSynAckNs[row];
}

/**
 * Whether its SYN-ACK was seen and its third packet can come: also after a RST before that SYN-ACK, by
 * which it is seen that the RST ended nothing.
 */
export function awaitsAck(table: FlowTable, row: number): boolean {
  return hasAnswer(table, row) && !table.isMarked(row, Mark.AnswerReset | Mark.LaterAck);
}

/** Whether its SYN-ACK was seen, and it is not established yet. */
export function hasAnswer(table: FlowTable, row: number): boolean {
  return table.has(row, WireFact.SynAck) && !isComplete(table, row);
}

/** Whether the client answered a SYN of the server, and the server did not answer that yet. */
export function awaitsServersAck(table: FlowTable, row: number): boolean {
  const { SimultaneousSynAck, SynAck, Ack, ServerReset, ClientReset } = WireFact;
  return table.state[row] !== FlowState.Reported && table.has(row, SimultaneousSynAck) &&
    !table.has(row, SynAck | Ack | ServerReset | ClientReset);
}

/**
 * The row that a RST refuses, -1 where there is none: an attempt whose SYN was captured before one
 * that only the kernel told of; of several of those with one number the first. Where a RST refused one
 * with that number already, this is a copy of it at another place: the row is then that one, which is
 * not open.
 */
export function findRefused(table: FlowTable, key: FlowKey, segment: Segment): number {
  let withoutSyn = -1;
  let row = table.find(key);
  for (; row >= 0; row = table.older(row, key)) {
    if (!isServerReset(table, row, segment)) continue;
    if (table.has(row, WireFact.Syn)) return row;
    const isSame = withoutSyn < 0 || table.clientIsn[row] === table.clientIsn[withoutSyn];
    if (isSame) withoutSyn = row;
  }
  if (withoutSyn < 0) return -1;
  row = table.find(key);
  for (; row >= 0; row = table.older(row, key)) {
    const isSame = table.clientIsn[row] === table.clientIsn[withoutSyn];
    if (isSame && table.has(row, WireFact.ServerReset)) return row;
  }
  return withoutSyn;
}

/**
 * Whether a RST refuses an attempt: in answer to the SYN it must acknowledge it (RFC 9293
 * section 3.10.7.3), after the SYN-ACK its Seq must be where the server stands.
 */
export function isServerReset(table: FlowTable, row: number, segment: Segment): boolean {
  if (!isOpen(table, row)) return false;
  if (table.has(row, WireFact.SynAck)) return isFromServer(table, row, segment.sequence);
  return (segment.flags & TcpFlag.ACK) !== 0 &&
    acknowledgesSyn(table, row, segment.acknowledgment);
}

/** The row whose client a RST is of, -1 where there is none. */
export function findAborted(table: FlowTable, key: FlowKey, sequence: number): number {
  let row = table.find(key);
  for (; row >= 0; row = table.older(row, key)) {
    // Who sent its ACK already ends a connection, not a handshake.
    const isUnderWay = isOpen(table, row) && !isOneSided(table, row) &&
      !table.isMarked(row, Mark.LaterAck);
    if (isUnderWay && fitsAckSequence(table, row, sequence)) return row;
  }
  return -1;
}

/** The rows that a client's segment without SYN and RST can be of; -1 where there is none. */
export class AckRows {
  /** The one of which it is the third packet. */
  third = -1;
  /** One whose server takes it for the third packet, though it begins behind that, or before it. */
  later = -1;
  /** One whose SYN-ACK did not come yet. */
  early = -1;
  /** One that a RST ended after its SYN-ACK. */
  ended = -1;
  /** The newest that waits for its third packet, whatever the segment's numbers are. */
  newest = -1;
  /** The newest that has its third packet, of another place than what it is compared with. */
  astray = -1;

  /** Fills in those of a segment. @param key Its tuple, as the client's. */
  find(table: FlowTable, key: FlowKey, segment: Segment): this {
    const { sequence, acknowledgment, vlan } = segment;
    this.third =
      this.later =
      this.early =
      this.ended =
      this.newest =
      this.astray =
        -1;
    let row = table.find(key);
    for (; row >= 0; row = table.older(row, key)) {
      if (awaitsAck(table, row)) {
        if (this.newest < 0) this.newest = row;
        if (!acknowledgesSynAck(table, row, acknowledgment)) continue;
        if (!fitsAckSequence(table, row, sequence)) {
          if (this.later < 0 && isInWindow(table, row, segment)) this.later = row;
          continue;
        }
        const isOwn = isOfVlan(table, row, vlan);
        if (this.third < 0 || isOwn) this.third = row;
        if (isOwn) break;
      } else if (hasAnswer(table, row)) {
        const canGoOn = this.ended < 0 && table.isMarked(row, Mark.AnswerReset);
        if (canGoOn && fitsAckSequence(table, row, sequence)) this.ended = row;
      } else if (table.isMarked(row, Mark.AckAstray)) {
        if (this.astray < 0 && table.state[row] !== FlowState.Reported) this.astray = row;
      } else if (this.early < 0 && awaitsSynAck(table, row)) {
        const hasSyn = table.has(row, WireFact.Syn);
        if (hasSyn && fitsAckSequence(table, row, sequence)) this.early = row;
      }
    }
    return this;
  }
}

/**
 * Attempts on one tuple that are kept at most: looking for one must not take longer and longer where
 * somebody sends SYN after SYN with one tuple.
 */
export const ATTEMPTS_PER_TUPLE = 64;

/** Whether a tuple has so many attempts that one may have been given up. */
export function isCrowded(table: FlowTable, key: FlowKey): boolean {
  let count = 0;
  let row = table.find(key);
  for (; row >= 0; row = table.older(row, key)) count++;
  return count >= ATTEMPTS_PER_TUPLE;
}

/**
 * The row to be freed where too many have one tuple: what was reported, else a SYN without an answer that is
 * neither of the first nor of the last. Who sends SYN after SYN in somebody's name then neither pushes
 * out one that was before nor one that comes after, and nothing that was answered.
 *
 * @returns -1 where there is room.
 */
export function findCrowding(table: FlowTable, key: FlowKey): number {
  let count = 0;
  let oldest = -1;
  let reported = -1;
  let unanswered = -1;
  let row = table.find(key);
  for (; row >= 0; row = table.older(row, key)) {
    count++;
    oldest = row;
    const state = table.state[row];
    if (state === FlowState.Reported) reported = row;
    else if (state === FlowState.SynSent && (unanswered < 0 || count <= ATTEMPTS_PER_TUPLE / 2)) {
      unanswered = row;
    }
  }
  if (count < ATTEMPTS_PER_TUPLE) return -1;
  if (reported >= 0) return reported;
  return unanswered >= 0 ? unanswered : oldest;
}
