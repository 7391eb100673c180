import type { KernelListener, KernelRecord } from "../kernel/kernel_record.ts";
import { type IcmpError, unreachableSymbol } from "../wire/icmp.ts";
import type { Segment } from "../wire/segment.ts";
import { sequenceAdd } from "../wire/sequence.ts";
import { TcpFlag } from "../wire/tcp_flags.ts";
import {
  acceptsHeld,
  acknowledgesOther,
  acknowledgesSyn,
  acknowledgesSynAck,
  fitsAckSequence,
  provesThird,
  takeServerSegment,
} from "./acceptance.ts";
import { Attempts } from "./attempts.ts";
import { assertExact } from "./exact_time.ts";
import {
  AckRows,
  awaitsAck,
  awaitsServersAck,
  awaitsSynAck,
  beganFirst,
  findAborted,
  findAnswered,
  findAttempt,
  findBegun,
  findOpen,
  findRefused,
  findSimultaneous,
  hasAnswer,
  isCrowded,
  isOfVlan,
  isOneSided,
  isOpen,
} from "./find_attempt.ts";
import { findTranslatedSyn, markPassed } from "./find_translated.ts";
import { Mark, WireFact } from "./facts.ts";
import { FlowKey } from "./flow_key.ts";
import { FlowState, type FlowTable, Mistimed } from "./flow_table.ts";
import {
  holdAck,
  keepAck,
  keepHeldAck,
  keepSyn,
  keepSynAck,
  keepSynAckAgain,
  keepSynAgain,
  noteAckBeforeSynAck,
  passAck,
  passSynAck,
} from "./keep_packet.ts";
import { KernelSide } from "./kernel_side.ts";
import { Fate } from "./remembered.ts";
import type { MatcherCounters, MatcherOptions, OnHandshake } from "./options.ts";
import { StrayAnswers } from "./stray_answers.ts";

/**
 * Puts packets and kernel records together into handshakes, each handed out once.
 *
 * Reads no clock: {@link advance} tells it up to when every source has delivered. All times are
 * integer nanoseconds on one axis (see `ClockAxis`).
 */
export class Matcher {
  /** What could not be used so far. */
  readonly counters: MatcherCounters = {
    evicted: 0,
    crowded: 0,
    contradicted: 0,
    lateKernelRecords: 0,
    lateAccepts: 0,
    unexpected: 0,
  };

  readonly #attempts: Attempts;
  readonly #table: FlowTable;
  readonly #kernel: KernelSide;
  readonly #strayAnswers = new StrayAnswers();
  /** The tuple of the packet at hand, where its client sent it, and where its server did. */
  readonly #fromClient = new FlowKey();
  readonly #fromServer = new FlowKey();
  /** What the segment at hand can be of, where it only acknowledges. */
  readonly #ackRows = new AckRows();

  /**
   * Makes a matcher without handshakes.
   *
   * @param epochSeconds Whole seconds of Unix time at which the axis begins.
   * @param onHandshake Called once for each handshake; the object is reused, see `Handshake`.
   * @param options Limits and what tells this host's part.
   */
  constructor(epochSeconds: number, onHandshake: OnHandshake, options: MatcherOptions = {}) {
    this.#attempts = new Attempts(epochSeconds, onHandshake, options, this.counters);
    this.#table = this.#attempts.table;
    this.#table.seesServerData = options.seesServerData ?? true;
    this.#kernel = new KernelSide(this.#attempts, this.counters);
  }

  /** See {@link MatcherOptions.seesServerData}; of handshakes that begin from now on. */
  set seesServerData(isSeen: boolean) {
    this.#table.seesServerData = isSeen;
  }

  /** Handshakes begun and not yet reported. */
  get pending(): number {
    return this.#attempts.pending;
  }

  /** Of these the ones whose end is known, which are reported next. */
  get concluded(): number {
    return this.#attempts.concluded;
  }

  /**
   * Takes one TCP segment.
   *
   * @param segment The segment; nothing of it is kept.
   * @param timeNs When it was captured.
   * @param place Where: a packet seen on several interfaces counts once.
   * @returns The row of the handshake that it is a packet of, or that waited for one with other numbers;
   * -1 where there is none, or it was reported before.
   * @throws {RangeError} See {@link assertExact}.
   */
  packet(segment: Segment, timeNs: number, place: number): number {
    assertExact(timeNs);
    this.#fromClient.sentByClient(segment);
    this.#fromServer.sentByServer(segment);
    const row = this.#packet(segment, timeNs, place);
    const { mistimed } = this.#table;
    if (row >= 0 && mistimed[row] === Mistimed.IfMoreComes) mistimed[row] = Mistimed.Yes;
    return row;
  }

  #packet(segment: Segment, timeNs: number, place: number): number {
    const { flags } = segment;
    if ((flags & TcpFlag.RST) !== 0) return this.#reset(segment, timeNs);
    if ((flags & TcpFlag.SYN) === 0) return this.#acknowledgment(segment, timeNs, place);
    if ((flags & TcpFlag.ACK) === 0) return this.#syn(segment, timeNs, place);
    return this.#synAck(segment, timeNs, place);
  }

  #syn(segment: Segment, timeNs: number, place: number): number {
    const table = this.#table;
    const key = this.#fromClient;
    let row = findBegun(table, key, segment, timeNs, place);
    if (row < 0) {
      const fate = this.#attempts.fateOf(key, segment.sequence, timeNs, segment.vlan);
      if (fate === Fate.Crowded) this.counters.crowded++;
      if (fate !== 0 && fate !== Fate.Refused) return -1;
      const hasAlike = table.findIsn(segment.sequence) >= 0;
      if (hasAlike) row = findTranslatedSyn(table, key, segment, timeNs);
      if (row < 0) return this.#firstSyn(segment, timeNs, place, hasAlike);
      table.translate(row, key);
    }
    if (table.state[row] === FlowState.Reported) return -1;
    table.recordPlace(row, key, place);
    if (!table.has(row, WireFact.Syn)) keepSyn(table, row, segment, timeNs, place);
    else if (place !== table.synPlace[row]) table.passElsewhere(row, timeNs, place);
    else if (keepSynAgain(table, row, segment, timeNs)) this.#attempts.touch(row, timeNs);
    return row;
  }

  /** @param hasAlike Whether others may have its number. */
  #firstSyn(segment: Segment, timeNs: number, place: number, hasAlike: boolean): number {
    const table = this.#table;
    const key = this.#fromClient;
    const row = this.#attempts.begin(key, segment.sequence, FlowState.SynSent, timeNs);
    table.recordPlace(row, key, place);
    keepSyn(table, row, segment, timeNs, place);
    if (hasAlike) markPassed(table, row);
    return row;
  }

  #synAck(segment: Segment, timeNs: number, place: number): number {
    const table = this.#table;
    const key = this.#fromServer;
    let row = findAnswered(table, key, segment.acknowledgment, -Infinity, segment.vlan);
    if (row < 0) {
      const clientIsn = sequenceAdd(segment.acknowledgment, -1);
      if (this.#attempts.fateOf(key, clientIsn, timeNs) !== 0) return -1;
      const newest = table.find(key);
      if (newest >= 0 && isOpen(table, newest) && !isCrowded(table, key)) {
        // Not in the window of the SYN that waits for an answer, or has one: it completes nothing.
        this.#strayAnswers.note(segment, timeNs);
        return this.#misfit(newest, awaitsSynAck(table, newest) ? WireFact.WrongSynAckAck : 0);
      }
      if (this.#strayAnswers.has(segment, timeNs)) return -1;
      row = this.#attempts.begin(key, clientIsn, FlowState.Answered, timeNs);
    }
    const isAgain = table.has(row, WireFact.SynAck);
    if (!isAgain) {
      const own = this.#simultaneous(row, segment, timeNs, place);
      if (own >= 0) return own;
    }
    if (table.state[row] === FlowState.Reported) return -1;
    if (!isAgain && place !== table.synPlace[row] && table.hasPlace(row, place)) {
      table.marks[row] |= Mark.BothPassed;
    }
    table.recordPlace(row, key, place);
    if (isAgain) this.#synAckAgain(row, segment, timeNs, place);
    // The other way round, a server's ACK to its client's SYN-ACK, it is established already.
    else if (!table.has(row, WireFact.Ack)) this.#firstSynAck(row, segment, timeNs, place);
    return row;
  }

  #firstSynAck(row: number, segment: Segment, timeNs: number, place: number): void {
    const table = this.#table;
    const isOtherIsn = segment.sequence !== table.serverIsn[row];
    keepSynAck(table, row, segment, timeNs, place);
    this.#attempts.answer(row, timeNs);
    if (acceptsHeld(table, row)) this.#completeBackwards(row, timeNs);
    else if (table.isMarked(row, Mark.AckHeld) && !table.has(row, WireFact.Ack)) {
      this.#misfit(row, WireFact.WrongAckAck);
    }
    if (!table.has(row, WireFact.SimultaneousSynAck)) return;
    if (isOtherIsn) table.facts[row] &= ~WireFact.SimultaneousSynAck;
    else this.#attempts.settle(row, timeNs);
  }

  /** Takes a SYN-ACK of a row that has one: sent again, a copy, or one on its way past another place. */
  #synAckAgain(row: number, segment: Segment, timeNs: number, place: number): void {
    const table = this.#table;
    if (place !== table.synAckPlace[row]) return passSynAck(table, row, segment, timeNs, place);
    if (!keepSynAckAgain(table, row, segment, timeNs)) return;
    const canComplete = acceptsHeld(table, row) && awaitsAck(table, row);
    if (canComplete) this.#completeBackwards(row, timeNs);
    this.#attempts.touch(row, timeNs);
  }

  /**
   * Takes the first SYN-ACK of a row whose sender sent a SYN too: two attempts are one, of which the first goes on.
   *
   * @returns The row of the sender's own SYN where that one goes on, else -1.
   */
  #simultaneous(row: number, segment: Segment, timeNs: number, place: number): number {
    const table = this.#table;
    const own = findSimultaneous(table, row, this.#fromClient, segment.sequence);
    if (own < 0) return -1;
    if (!beganFirst(table, row, own)) {
      table.recordPlace(own, this.#fromClient, place);
      this.#answeredToo(own, row, timeNs);
      return own;
    }
    table.facts[row] |= WireFact.SimultaneousSyn;
    table.serverIsn[row] = segment.sequence;
    this.#attempts.join(own, row, timeNs);
    return -1;
  }

  /** The client of an attempt sent a SYN-ACK: it answers the SYN of the server, which has a row too. */
  #answeredToo(row: number, ofServer: number, timeNs: number): void {
    const table = this.#table;
    table.facts[row] |= WireFact.SimultaneousSyn | WireFact.SimultaneousSynAck;
    table.serverIsn[row] = table.clientIsn[ofServer];
    this.#attempts.join(ofServer, row, timeNs);
    if (table.has(row, WireFact.SynAck)) this.#attempts.settle(row, timeNs);
    else this.#attempts.answer(row, timeNs);
  }

  /**
   * A segment without SYN and RST: the third packet of the handshake it fits, or one of the server that
   * shows how far both are.
   */
  #acknowledgment(segment: Segment, timeNs: number, place: number): number {
    // Without the flag the acknowledgment number means nothing; such a segment completes nothing.
    if ((segment.flags & TcpFlag.ACK) === 0) return -1;
    const table = this.#table;
    const { sequence, acknowledgment, vlan } = segment;
    const { third, later, early, ended, newest, astray } = this.#ackRows.find(
      table,
      this.#fromClient,
      segment,
    );
    if (third >= 0) {
      table.acknowledge(third, acknowledgesOther(table, third, acknowledgment));
      keepAck(table, third, segment, timeNs, place);
      this.#attempts.complete(third, timeNs);
      return third;
    }
    if (astray >= 0 && passAck(table, astray, segment, timeNs, place)) return -1;
    const fromServer = this.#serverSegment(segment, timeNs, place);
    if (fromServer >= 0) return fromServer;
    const isOfEnded = ended >= 0 && isOfVlan(table, ended, vlan);
    if (early >= 0 && !(isOfEnded && !isOfVlan(table, early, vlan))) {
      return this.#beforeAnswer(early, segment, timeNs, place);
    }
    if (later >= 0) return this.#laterAck(later, timeNs);
    const fitsSequence = newest >= 0 && fitsAckSequence(table, newest, sequence);
    if (ended >= 0 && !fitsSequence) {
      // A RST ended it. Should the server go on, this was the third packet.
      return holdAck(table, ended, segment, timeNs, place) ? ended : -1;
    }
    if (newest < 0) return -1;
    const fitsAck = acknowledgesSynAck(table, newest, acknowledgment);
    // What it acknowledges may have been sent, and be captured, after all.
    const isHeld = fitsSequence && holdAck(table, newest, segment, timeNs, place);
    const { WrongAckSequence, WrongAckAck } = WireFact;
    const wrong = (fitsSequence ? 0 : WrongAckSequence) | (fitsAck ? 0 : WrongAckAck);
    const judged = this.#misfit(newest, wrong);
    return isHeld ? newest : judged;
  }

  /** The client acknowledges an answer that was not seen, or not yet. */
  #beforeAnswer(row: number, segment: Segment, timeNs: number, place: number): number {
    holdAck(this.#table, row, segment, timeNs, place);
    // A server of this host gives no answer that is not seen here.
    const isLikely = isOneSided(this.#table, row) && !this.#attempts.isServerHere(row);
    if (isLikely) this.#attempts.doubt(row, timeNs);
    return row;
  }

  /**
   * The client went on behind its third packet, which did not come here: established, but nobody knows when
   * the SYN-ACK was answered. Should the third packet's data be sent again, that tells no time either.
   */
  #laterAck(row: number, timeNs: number): number {
    const table = this.#table;
    table.facts[row] = table.facts[row] & ~WireFact.WrongAckAck | WireFact.WrongAckSequence;
    table.marks[row] |= Mark.LaterAck;
    this.#attempts.complete(row, timeNs, true);
    return row;
  }

  /** @returns The row whose server a segment is of, where it waits for that; else -1. */
  #serverSegment(segment: Segment, timeNs: number, place: number): number {
    const table = this.#table;
    const { sequence, acknowledgment } = segment;
    const key = this.#fromServer;
    let row = table.find(key);
    for (; row >= 0; row = table.older(row, key)) {
      if (awaitsServersAck(table, row)) {
        // It answers the client's SYN-ACK, as a client answers a server's.
        const isThird = sequence === sequenceAdd(table.serverIsn[row], 1) &&
          acknowledgesSyn(table, row, acknowledgment);
        if (!isThird) continue;
        keepAck(table, row, segment, timeNs, place);
        this.#attempts.settle(row, timeNs);
        return row;
      }
      if (!hasAnswer(table, row) || !takeServerSegment(table, row, segment)) continue;
      const isProven = provesThird(table, row, acknowledgment);
      if (acceptsHeld(table, row) && (isProven || awaitsAck(table, row))) {
        this.#completeHeld(row, timeNs);
      } else if (isProven) {
        table.marks[row] |= Mark.Proven;
        this.#attempts.complete(row, timeNs);
      }
      return row;
    }
    return -1;
  }

  #completeHeld(row: number, timeNs: number): void {
    const table = this.#table;
    table.acknowledge(row, acknowledgesOther(table, row, table.heldAck[row]));
    keepHeldAck(table, row);
    this.#attempts.complete(row, timeNs);
  }

  /** The ACK was captured before the SYN-ACK that it acknowledges. */
  #completeBackwards(row: number, timeNs: number): void {
    noteAckBeforeSynAck(this.#table, row);
    this.#completeHeld(row, timeNs);
  }

  /**
   * Notes that a packet's numbers do not fit a row that waits for it. The first is judged.
   *
   * @param wrong What is wrong with it; 0: nothing that is kept.
   * @returns The row where that is news, else -1: who sends many does not fill up what is kept of it.
   */
  #misfit(row: number, wrong: number): number {
    const table = this.#table;
    this.counters.unexpected++;
    const { WrongSynAckAck, WrongAckSequence, WrongAckAck } = WireFact;
    const kind = wrong === WrongSynAckAck ? WrongSynAckAck : WrongAckSequence | WrongAckAck;
    if (wrong === 0 || table.has(row, kind)) return -1;
    table.facts[row] |= wrong;
    return row;
  }

  #reset(segment: Segment, timeNs: number): number {
    const table = this.#table;
    let row = findRefused(table, this.#fromServer, segment);
    if (row >= 0) {
      if (!isOpen(table, row)) return -1;
      if (!table.has(row, WireFact.SynAck)) table.refusedNs[row] = timeNs;
      return this.#endByReset(row, WireFact.ServerReset, timeNs);
    }
    row = findAborted(table, this.#fromClient, segment.sequence);
    if (row >= 0) return this.#endByReset(row, WireFact.ClientReset, timeNs);
    const open = findOpen(table, this.#fromServer);
    const either = open >= 0 ? open : findOpen(table, this.#fromClient);
    if (either < 0) return -1;
    this.counters.unexpected++;
    if (table.isMarked(either, Mark.WrongReset)) return -1;
    table.marks[either] |= Mark.WrongReset;
    return either;
  }

  #endByReset(row: number, fact: number, timeNs: number): number {
    const table = this.#table;
    table.resets[row]++;
    table.facts[row] |= fact;
    if (table.has(row, WireFact.SynAck)) table.marks[row] |= Mark.AnswerReset;
    this.#attempts.doubt(row, timeNs);
    return row;
  }

  /**
   * Takes an ICMP error. One that quotes a SYN and says that it reached nobody answers that SYN, which
   * the client may send again all the same.
   *
   * @param error The error; nothing of it is kept.
   * @param timeNs When it was captured.
   * @returns The row of the handshake whose SYN it quotes; -1 where there is none, or it was reported
   * before.
   */
  icmpError(error: IcmpError, timeNs: number): number {
    assertExact(timeNs);
    const table = this.#table;
    const { sequence, flags } = error.quoted;
    const symbol = unreachableSymbol(error);
    const mayBeSyn = flags === 0 || (flags & (TcpFlag.SYN | TcpFlag.ACK)) === TcpFlag.SYN;
    if (symbol === undefined || !mayBeSyn) return -1;
    const row = findAttempt(table, this.#fromClient.sentByClient(error.quoted), sequence);
    if (row < 0 || table.state[row] === FlowState.Reported) return -1;
    if (table.icmp[row] === undefined) {
      table.icmp[row] = { symbol, reporter: error.reporter.slice() };
      table.icmpNs[row] = timeNs;
    }
    this.#attempts.touch(row, timeNs);
    return row;
  }

  /**
   * Takes what the kernel says of a handshake. Listeners are not the matcher's: they go to
   * `Listeners`.
   */
  kernelRecord(record: Exclude<KernelRecord, KernelListener>): void {
    this.#kernel.take(record);
  }

  /** See {@link Attempts.kernelFellSilent}. */
  kernelFellSilent(nowNs: number): void {
    this.#attempts.kernelFellSilent(nowNs);
  }

  /**
   * Follows a step of the axis's clock: what was seen before and after it cannot be subtracted,
   * so the handshakes under way give no durations, and their waiting goes on in the new time.
   * @param jumpNs By how much, negative: back.
   * @param nowNs Now, in the new time. What is captured but not delivered yet carries the old one.
   */
  clockSet(jumpNs: number, nowNs: number): void {
    this.#strayAnswers.shiftTimes(jumpNs);
    this.#attempts.clockSet(jumpNs, nowNs);
  }

  /**
   * Follows a step of the packets' times, which go on from another moment: a capture whose host's clock
   * was set back, or several joined end to end. Only what has packets on both sides gives no durations.
   * @param jumpNs By how much, negative: back.
   */
  clockStep(jumpNs: number): void {
    this.#strayAnswers.shiftTimes(jumpNs);
    this.#attempts.clockStep(jumpNs);
  }

  /** Withholds the durations of a row: the time of the packet that it was told of last is wrong. */
  withhold(row: number): void {
    this.#table.mistimed[row] = Mistimed.Yes;
  }

  /** Whole seconds of Unix time at which the axis begins; moved only while nothing is under way. */
  set epochSeconds(seconds: number) {
    this.#attempts.epochSeconds = seconds;
  }

  /** Reports what has waited long enough. @param completeNs Up to here every source has delivered all. */
  advance(completeNs: number): void {
    this.#attempts.advance(completeNs);
  }

  /** See `Attempts.part`. */
  part(segment: Segment, isCutOff: (row: number) => boolean | undefined): void {
    this.#attempts.part(segment, isCutOff);
  }

  /** Reports everything that is under way, as at the end of a trace or of a file. */
  flush(): void {
    this.#attempts.flush();
  }
}
