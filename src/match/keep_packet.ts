/** What a row of the table keeps of the first SYN, of the first SYN-ACK and of the ACK, and where they passed. */
import { Passage } from "../wire/passage.ts";
import type { Segment } from "../wire/segment.ts";
import { ecnSetup } from "../wire/tcp_flags.ts";
import { lengthOf } from "./acceptance.ts";
import { Mark, WireFact } from "./facts.ts";
import { type FlowTable, Mistimed } from "./flow_table.ts";

/** How long a copy of a packet may take from one tap to another, where both write into one capture. */
export const COPY_MAX_NS = 100e6;

/** How far the times of two taps may be apart, one for each direction of a link. */
const TAPS_APART_NS = 1e6;

const CHECKSUM = 0xffff;
const CHECKSUM_BITS = 16;

/**
 * Tells a packet from others of its handshake, whatever a switch or router does to it on the way: by
 * the identification of the IPv4 packet, else by the checksum over all of the segment, and how it
 * passed the place where it was seen.
 */
export function markOf({ identification, checksum, passage }: Segment): number {
  return identification > 0 ? identification : ~(passage << CHECKSUM_BITS | checksum);
}

/**
 * Whether a packet is a copy of the one of this mark and time, which was seen at the same place.
 *
 * A server sends one SYN-ACK by its timer and the same for a repeated SYN, within a millisecond or two:
 * what an interface shows twice as it leaves, or as it comes in for this host, was sent twice, though
 * no bit differs.
 */
export function isCopy(ofMark: number, ofNs: number, mark: number, timeNs: number): boolean {
  if (Math.abs(timeNs - ofNs) > COPY_MAX_NS) return false;
  if (mark >= 0 || ofMark >= 0) return mark === ofMark;
  const passage = ~mark >>> CHECKSUM_BITS;
  return (~mark & CHECKSUM) === (~ofMark & CHECKSUM) &&
    (passage === Passage.UNKNOWN || passage !== ~ofMark >>> CHECKSUM_BITS);
}

/** Keeps the first SYN: its options, its time and where it was seen. */
export function keepSyn(
  table: FlowTable,
  row: number,
  segment: Segment,
  timeNs: number,
  place: number,
): void {
  const { options } = segment;
  const ecn = ecnSetup(segment.flags);
  if (table.has(row, WireFact.SynAck)) noteSwapped(table, row, table.firstSynAckNs[row], timeNs);
  table.facts[row] |= WireFact.Syn |
    (options.timestamps ? WireFact.SynTimestamps : 0) |
    (options.sackPermitted ? WireFact.SynSackPermitted : 0) |
    (options.truncated ? WireFact.SynOptionsCut : 0) |
    (options.fastOpenCookieLength >= 0 || segment.payloadLength > 0 ? WireFact.FastOpen : 0) |
    (options.mptcpSubtype >= 0 ? WireFact.Mptcp : 0) |
    (ecn === "ecn" ? WireFact.SynEcn : 0) | (ecn === "accecn" ? WireFact.SynAccEcn : 0);
  table.syns[row] = table.synsBeforeAnswer[row] = 1;
  table.firstSynNs[row] = table.lastSynNs[row] = timeNs;
  table.lastSynTimestamp[row] = options.timestampValue;
  table.synPayloadLength[row] = segment.payloadLength;
  table.clientMss[row] = options.mss;
  table.clientWindow[row] = segment.window;
  table.clientWindowScale[row] = options.windowScale;
  table.synPlace[row] = place;
  table.synMark[row] = markOf(segment);
  table.synMarkNs[row] = timeNs;
  keepNetwork(table, row, segment);
}

/** Keeps a SYN that was sent again. @returns Whether it was: not where it is a copy of the last one. */
export function keepSynAgain(
  table: FlowTable,
  row: number,
  segment: Segment,
  timeNs: number,
): boolean {
  const mark = markOf(segment);
  if (isCopy(table.synMark[row], table.synMarkNs[row], mark, timeNs)) return false;
  table.synMark[row] = mark;
  table.synMarkNs[row] = timeNs;
  table.syns[row]++;
  if (!table.has(row, WireFact.SynAck)) {
    table.repeatSyn(row, timeNs, segment.options.timestampValue);
  }
  return true;
}

/** Keeps the first SYN-ACK: its numbers, its options, its time and where it was seen. */
export function keepSynAck(
  table: FlowTable,
  row: number,
  segment: Segment,
  timeNs: number,
  place: number,
): void {
  const { options } = segment;
  const ecn = ecnSetup(segment.flags);
  if (!table.has(row, WireFact.Syn)) keepNetwork(table, row, segment);
  else noteBackward(table, row, table.firstSynNs[row], timeNs);
  table.facts[row] |= WireFact.SynAck |
    (options.timestamps ? WireFact.SynAckTimestamps : 0) |
    (options.sackPermitted ? WireFact.SynAckSackPermitted : 0) |
    (options.truncated ? WireFact.SynAckOptionsCut : 0) |
    (options.fastOpenCookieLength >= 0 ? WireFact.FastOpen : 0) |
    (options.mptcpSubtype >= 0 ? WireFact.Mptcp : 0) |
    (ecn === "ecn" ? WireFact.SynAckEcn : 0) | (ecn === "accecn" ? WireFact.SynAckAccEcn : 0);
  table.synAcks[row] = table.synAcksBeforeAck[row] = 1;
  table.serverIsn[row] = segment.sequence;
  table.serverSent[row] = 1 + lengthOf(segment);
  table.synAckMark[row] = markOf(segment);
  table.synAckMarkNs[row] = timeNs;
  table.firstSynAckNs[row] = table.lastSynAckNs[row] = timeNs;
  table.lastSynAckTimestamp[row] = options.timestampValue;
  table.synAckEcho[row] = options.timestampEcho;
  table.serverMss[row] = options.mss;
  table.serverWindow[row] = segment.window;
  table.serverWindowScale[row] = options.windowScale;
  table.synAckPlace[row] = place;
}

/** Keeps a SYN-ACK that was sent again. @returns Whether it was: not where it is a copy of the last one. */
export function keepSynAckAgain(
  table: FlowTable,
  row: number,
  segment: Segment,
  timeNs: number,
): boolean {
  const mark = markOf(segment);
  if (isCopy(table.synAckMark[row], table.synAckMarkNs[row], mark, timeNs)) return false;
  table.synAckMark[row] = mark;
  table.synAckMarkNs[row] = timeNs;
  table.synAcks[row]++;
  if (!table.has(row, WireFact.Ack)) {
    const { sequence, options } = segment;
    table.repeatSynAck(row, timeNs, sequence, options.timestampValue, lengthOf(segment));
  }
  return true;
}

/**
 * Takes the last SYN-ACK at another place than where it counts: where the SYN was seen, it counts there, for only
 * times of one place may be subtracted. One before it that did not come this far keeps the time of where it was seen.
 */
export function passSynAck(
  table: FlowTable,
  row: number,
  segment: Segment,
  timeNs: number,
  place: number,
): void {
  if (place !== table.synPlace[row] || table.has(row, WireFact.Ack)) return;
  if (!isLastSynAck(table, row, segment)) return;
  table.placeSynAck(row, timeNs, segment.sequence, true);
  if (table.synAcks[row] > 1) return;
  table.firstSynAckNs[row] = timeNs;
  table.synAckPlace[row] = place;
  table.synAckMark[row] = markOf(segment);
  table.synAckMarkNs[row] = timeNs;
}

/** Whether a SYN-ACK is the last one, not one before it that took longer from place to place. */
function isLastSynAck(
  table: FlowTable,
  row: number,
  { sequence, options, identification }: Segment,
): boolean {
  const mark = table.synAckMark[row];
  if (sequence !== table.lastServerIsn(row)) return false;
  if (identification > 0 && mark >= 0 && identification !== mark) return false;
  // A checksum may be filled in on the way.
  return !options.timestamps ||
    !table.has(row, WireFact.LastSynAckTimestampShared) &&
      options.timestampValue === table.lastSynAckTimestamp[row];
}

/** Keeps the third packet: its time, its place and its echo. */
export function keepAck(
  table: FlowTable,
  row: number,
  segment: Segment,
  timeNs: number,
  place: number,
): void {
  if (table.has(row, WireFact.SynAck)) noteBackward(table, row, table.firstSynAckNs[row], timeNs);
  const { options } = segment;
  table.facts[row] |= WireFact.Ack | (options.timestamps ? WireFact.AckTimestamps : 0);
  table.ackNs[row] = timeNs;
  table.ackEcho[row] = options.timestampEcho;
  if (isAstray(table, row, place)) noteAstray(table, row, markOf(segment), place);
}

/** Whether the ACK was seen at another place than the SYN or the SYN-ACK: it may yet come by there. */
function isAstray(table: FlowTable, row: number, place: number): boolean {
  return place !== table.synAckPlace[row] ||
    table.has(row, WireFact.Syn) && place !== table.synPlace[row];
}

function noteAstray(table: FlowTable, row: number, mark: number, place: number): void {
  table.marks[row] |= Mark.AckAstray;
  table.ackMark[row] = mark;
  table.ackPlace[row] = place;
  table.ackElsewherePlace[row] = 0;
}

/**
 * Keeps when the ACK passed one more place: where the SYN was seen first it counts, where the SYN-ACK counts the time
 * between the two does. @returns Whether it is that ACK.
 */
export function passAck(
  table: FlowTable,
  row: number,
  segment: Segment,
  timeNs: number,
  place: number,
): boolean {
  const [mark, ofMark] = [markOf(segment), table.ackMark[row]];
  const isSame = mark >= 0 || ofMark >= 0
    ? mark === ofMark
    : (~mark & CHECKSUM) === (~ofMark & CHECKSUM);
  const ofNs = table.ackNs[row];
  const ofPlace = table.ackPlace[row];
  if (!isSame || place === ofPlace || Math.abs(timeNs - ofNs) > COPY_MAX_NS) return false;
  const answerPlace = table.synAckPlace[row];
  if (place === table.synPlace[row] && ofPlace !== place) {
    table.ackNs[row] = timeNs;
    table.ackPlace[row] = place;
    if (ofPlace !== answerPlace) return true;
    table.ackElsewhereNs[row] = ofNs;
    table.ackElsewherePlace[row] = ofPlace;
  } else if (place === answerPlace && table.ackElsewherePlace[row] !== place) {
    table.ackElsewhereNs[row] = timeNs;
    table.ackElsewherePlace[row] = place;
  }
  return true;
}

/** Holds an ACK, the first of several, until it is known what it acknowledges. @returns Whether it is. */
export function holdAck(
  table: FlowTable,
  row: number,
  segment: Segment,
  timeNs: number,
  place: number,
): boolean {
  if (table.isMarked(row, Mark.AckHeld)) return false;
  const { options, acknowledgment } = segment;
  table.marks[row] |= Mark.AckHeld | (options.timestamps ? Mark.HeldTimestamps : 0);
  table.heldAck[row] = acknowledgment;
  table.heldEcho[row] = options.timestampEcho;
  table.heldNs[row] = timeNs;
  table.ackMark[row] = markOf(segment);
  table.ackPlace[row] = place;
  return true;
}

/** Takes the ACK that was held for the third packet. */
export function keepHeldAck(table: FlowTable, row: number): void {
  const hasTimestamps = table.isMarked(row, Mark.HeldTimestamps);
  table.facts[row] |= WireFact.Ack | (hasTimestamps ? WireFact.AckTimestamps : 0);
  table.ackNs[row] = table.heldNs[row];
  table.ackEcho[row] = table.heldEcho[row];
  const place = table.ackPlace[row];
  if (isAstray(table, row, place)) noteAstray(table, row, table.ackMark[row], place);
}

/** What the SYN-ACK and what came after it said. */
const ANSWER_FACTS = WireFact.SynAck | WireFact.Ack | WireFact.ServerReset | WireFact.ClientReset |
  WireFact.WrongAckSequence | WireFact.WrongAckAck | WireFact.SynAckTimestamps |
  WireFact.AckTimestamps | WireFact.SynAckSackPermitted | WireFact.SynAckEcn |
  WireFact.SynAckAccEcn | WireFact.LastSynTimestampShared | WireFact.LastSynAckTimestampShared |
  WireFact.OtherServerIsn | WireFact.ServerIsnRepeated | WireFact.OtherServerIsnRepeated |
  WireFact.SynAckOptionsCut | WireFact.LastIsOtherServerIsn;
const ANSWER_MARKS = Mark.AckHeld | Mark.HeldTimestamps | Mark.Proven | Mark.AnswerReset |
  Mark.LaterAck | Mark.AckAstray;

const ANSWER_COLUMNS = [
  "serverIsn",
  "otherServerIsn",
  "serverSent",
  "otherSent",
  "heldAck",
  "heldEcho",
  "heldNs",
  "synAckMark",
  "synAckMarkNs",
  "firstSynAckNs",
  "lastSynAckNs",
  "otherSynAckNs",
  "acknowledgedNs",
  "ackNs",
  "synAcks",
  "synAcksBeforeAck",
  "lastSynAckTimestamp",
  "synAckEcho",
  "ackEcho",
  "ackMark",
  "ackPlace",
  "ackElsewhereNs",
  "ackElsewherePlace",
  "serverMss",
  "serverWindow",
  "serverWindowScale",
  "synAckPlace",
  "resets",
] as const;

/** Whether more was seen of what came after the SYN of another row of the same handshake. */
export function hasMore(table: FlowTable, row: number, other: number): boolean {
  const { SynAck, Ack, ServerReset } = WireFact;
  return !table.has(row, SynAck | ServerReset) && table.has(other, SynAck | ServerReset) ||
    !table.has(row, Ack) && table.has(other, Ack);
}

/**
 * Keeps the SYN-ACK, the ACK and the RST of another row of the same handshake where the own one has less, with when
 * the SYN passed where they were seen: so all times stay those of one place.
 */
export function keepAnswerOf(table: FlowTable, row: number, other: number): void {
  if (!hasMore(table, row, other)) return;
  table.facts[row] = table.facts[row] & ~ANSWER_FACTS | table.facts[other] & ANSWER_FACTS;
  table.marks[row] = table.marks[row] & ~ANSWER_MARKS | table.marks[other] & ANSWER_MARKS;
  for (const name of ANSWER_COLUMNS) table[name][row] = table[name][other];
  if (table.has(other, WireFact.ServerReset)) table.refusedNs[row] = table.refusedNs[other];
  if (table.has(other, WireFact.SynAck)) {
    table.synsBeforeAnswer[row] = table.synsBeforeAnswer[other];
    table.lastSynTimestamp[row] = table.lastSynTimestamp[other];
    table.synElsewhereNs[row] = table.lastSynNs[other];
    table.synElsewherePlace[row] = table.synPlace[other];
    table.marks[row] = table.marks[row] & ~(Mark.LastAtSyn | Mark.OtherAtSyn) | Mark.BothPassed;
  }
  if (table.mistimed[other] === Mistimed.Yes) table.mistimed[row] = Mistimed.Yes;
}

/** Notes that the ACK that is held was captured before the SYN-ACK that it acknowledges: it tells no RTT. */
export function noteAckBeforeSynAck(table: FlowTable, row: number): void {
  noteSwapped(table, row, table.heldNs[row] + TAPS_APART_NS, table.lastSynAckNs[row]);
  table.synAcksBeforeAck[row] = 0;
}

/** Notes where an answer carries an earlier time than what it answers: the clock was set back in between. */
function noteBackward(table: FlowTable, row: number, askedNs: number, answerNs: number): void {
  if (answerNs < askedNs) table.mistimed[row] = Mistimed.Yes;
}

/**
 * Notes where what was asked stands behind its answer by so little that it was not sent again: their times
 * brought them into that order, which are wrong.
 */
function noteSwapped(table: FlowTable, row: number, answerNs: number, askedNs: number): void {
  const laterNs = askedNs - answerNs;
  if (laterNs > 0 && laterNs <= COPY_MAX_NS) table.mistimed[row] = Mistimed.Yes;
}

function keepNetwork(table: FlowTable, row: number, { vlan, tunnels }: Segment): void {
  table.vlan[row] = vlan;
  table.tunnels[row] = tunnels;
}

/** When the ACK passed a place of a SYN-ACK; undefined where it was seen elsewhere though both come by one place. */
function ackAt(table: FlowTable, row: number, place: number): number | undefined {
  if (placeOfAck(table, row) === place) return table.ackNs[row];
  if (table.isMarked(row, Mark.AckAstray) && table.ackElsewherePlace[row] === place) {
    return table.ackElsewhereNs[row];
  }
  const areApart = !table.isMarked(row, Mark.BothPassed | Mark.LastAtSyn) &&
    table.synPlace[row] !== table.synAckPlace[row];
  return areApart ? table.ackNs[row] : undefined;
}

/** From a SYN-ACK to when the ACK passed its place; undefined where that is not known. */
export function toAck(
  table: FlowTable,
  row: number,
  answeredNs: number,
  place: number,
): number | undefined {
  const ackNs = ackAt(table, row, place);
  return ackNs === undefined ? undefined : elapsed(answeredNs, ackNs);
}

function placeOfAck(table: FlowTable, row: number): number {
  return table.isMarked(row, Mark.AckAstray) ? table.ackPlace[row] : table.synAckPlace[row];
}

/** From the first SYN to the ACK, where one place saw both; undefined: none did that could have. */
export function totalOf(table: FlowTable, row: number): number | undefined {
  const place = placeOfAck(table, row);
  const ack = table.ackNs[row];
  if (place === table.synPlace[row]) return elapsed(table.firstSynNs[row], ack);
  const passed = table.synElsewherePlace[row];
  if (passed !== 0 && table.synsBeforeAnswer[row] === 1) {
    const passedNs = table.synElsewhereNs[row];
    if (place === passed) return elapsed(passedNs, ack);
    if (table.isMarked(row, Mark.AckAstray) && table.ackElsewherePlace[row] === passed) {
      return elapsed(passedNs, table.ackElsewhereNs[row]);
    }
  }
  return table.hasPlace(row, place) ? undefined : elapsed(table.firstSynNs[row], ack);
}

/** Time between two packets; undefined where the capture shows them in the wrong order. */
export function elapsed(fromNs: number, toNs: number): number | undefined {
  return toNs >= fromNs ? toNs - fromNs : undefined;
}
