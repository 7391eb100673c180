import type { Segment } from "../wire/segment.ts";
import { sequenceAdd } from "../wire/sequence.ts";
import { conclude, type HostContext, isHere } from "./conclude.ts";
import { findCrowding, isOneSided } from "./find_attempt.ts";
import { assertWholeSeconds } from "./exact_time.ts";
import {
  findSides,
  findTranslatedClient,
  findTranslatedFate,
  type Sides,
} from "./find_translated.ts";
import { Mark, WireFact } from "./facts.ts";
import { FlowKey } from "./flow_key.ts";
import { FlowState, FlowTable, Mistimed } from "./flow_table.ts";
import { Handshake } from "./handshake.ts";
import { keepAnswerOf, keepHeldAck } from "./keep_packet.ts";
import { Remembered } from "./remembered.ts";
import {
  type MatcherCounters,
  type MatcherOptions,
  type OnHandshake,
  type RowKeeper,
  ROWS_USUAL,
} from "./options.ts";
import { hasServer } from "./outcome.ts";
import { LINUX_RETRY_SETTINGS, retryWaits } from "./retry_waits.ts";

const DEFAULTS = {
  capacity: ROWS_USUAL,
  joinNs: 40e6,
  doubtNs: 1e9,
  ...retryWaits(LINUX_RETRY_SETTINGS),
  rememberNs: 60e9,
};

/**
 * Reported handshakes that keep their rows: of those before them less is remembered. With all of 65,536 rows
 * in use a trace had 17 MB more (a replay of packets and kernel records, eight interleaved pairs).
 */
const REPORTED_ROWS = 8_192;

/** How long a handshake waits at most for a name, after all else of it is known. */
const NAME_NS = 1e9;

/**
 * The handshakes under way: how each begins, how long it waits, when it is reported and forgotten.
 * Which packet or record belongs to which, and what it moves, is the `Matcher`'s.
 */
export class Attempts {
  /** Their facts. */
  readonly table: FlowTable;
  /** Those that were reported before the ones that still have a row. */
  readonly #remembered: Remembered;
  readonly #counters: MatcherCounters;
  readonly #hostContext: HostContext;
  readonly #joinNs: number;
  readonly #doubtNs: number;
  readonly #unansweredNs: number;
  readonly #halfOpenNs: number;
  readonly #ownUnansweredNs: number;
  readonly #ownHalfOpenNs: number;
  readonly #rememberNs: number;
  readonly #reportedRows: number;
  readonly #rowKeeper: RowKeeper | undefined;
  readonly #onHandshake: OnHandshake;
  readonly #handshake = new Handshake();
  /** Since when handshakes wait for a name, by their rows. */
  readonly #soughtSinceNs = new Map<number, number>();
  /** Until every source has delivered up to here, what begins may carry the time of a clock since set. */
  #mistimedUntilNs = -Infinity;

  /**
   * Makes an empty table.
   *
   * @param epochSeconds Whole seconds of Unix time at which the axis begins.
   * @param onHandshake Called once for each handshake, with one object filled anew.
   * @param options Limits and what tells this host's part.
   * @param counters Where what is given up is counted.
   */
  constructor(
    epochSeconds: number,
    onHandshake: OnHandshake,
    options: MatcherOptions,
    counters: MatcherCounters,
  ) {
    const capacity = options.capacity ?? DEFAULTS.capacity;
    this.table = new FlowTable(capacity);
    this.#remembered = new Remembered(capacity);
    this.#hostContext = options;
    this.#counters = counters;
    this.#joinNs = options.joinNs ?? DEFAULTS.joinNs;
    this.#doubtNs = options.doubtNs ?? DEFAULTS.doubtNs;
    this.#unansweredNs = options.unansweredNs ?? DEFAULTS.unansweredNs;
    this.#halfOpenNs = options.halfOpenNs ?? DEFAULTS.halfOpenNs;
    this.#ownUnansweredNs = options.ownUnansweredNs ?? this.#unansweredNs;
    this.#ownHalfOpenNs = options.ownHalfOpenNs ?? this.#halfOpenNs;
    this.#rememberNs = options.rememberNs ?? DEFAULTS.rememberNs;
    this.#reportedRows = options.reportedRows ?? REPORTED_ROWS;
    this.#rowKeeper = options.rowKeeper;
    this.#onHandshake = onHandshake;
    this.epochSeconds = epochSeconds;
  }

  /** See `Matcher.epochSeconds`. */
  set epochSeconds(seconds: number) {
    assertWholeSeconds(seconds);
    this.#handshake.epochSeconds = seconds;
  }

  /** Handshakes begun and not yet reported. */
  get pending(): number {
    const table = this.table;
    return table.count(FlowState.SynSent) + table.count(FlowState.Answered) +
      table.count(FlowState.Settled) + table.count(FlowState.Doubted);
  }

  /** Of these the ones whose end is known. */
  get concluded(): number {
    return this.table.count(FlowState.Settled);
  }

  /**
   * Begins an attempt, for which another is given up where there is no room.
   *
   * @param state Where it stands by the first thing known of it.
   * @returns Its row.
   */
  begin(key: FlowKey, clientIsn: number, state: FlowState, timeNs: number): number {
    this.#limitTuple(key);
    while (this.table.count(FlowState.Reported) > this.#reportedRows) {
      this.#remember(this.table.oldest(FlowState.Reported));
    }
    this.#makeRoom();
    const sender = state === FlowState.Answered ? key.server : key.client;
    const isOwn = this.#sendsAgain(state, sender, 0);
    const row = this.table.insert(key, clientIsn, state, timeNs, isOwn);
    if (this.#soughtSinceNs.size > 0) this.#soughtSinceNs.delete(row);
    this.table.mistimed[row] = this.#mistimedUntilNs > -Infinity ? 1 : 0;
    this.#rowKeeper?.begin(row);
    return row;
  }

  /**
   * What became of a handshake that was reported and has no row any more.
   *
   * @param timeNs When something of it came again. @param vlan See `isOfVlan`.
   * @returns One of `Fate`; 0: nothing of it is remembered.
   */
  fateOf(key: FlowKey, clientIsn: number, timeNs: number, vlan = -1): number {
    return this.#remembered.fateOf(key, clientIsn, timeNs - this.#rememberNs, vlan);
  }

  /** Gives the row of a reported handshake back, and remembers what became of it. */
  #remember(row: number): void {
    this.#remembered.take(this.table, row);
    this.table.remove(row);
  }

  /**
   * Marks a handshake whose end is known. It waits even where nothing more about it can come:
   * who listened may be known only a moment later.
   */
  settle(row: number, timeNs: number): void {
    const table = this.table;
    if (table.state[row] !== FlowState.Settled) table.move(row, FlowState.Settled, timeNs);
  }

  /**
   * Marks a handshake that a RST ended, or of which an ACK tells an unseen answer. Later packets may
   * tell otherwise, unless they are of this host's own stack, or the kernel has told.
   */
  doubt(row: number, timeNs: number): void {
    const { table } = this;
    const hasServer = this.#hasServer(row, timeNs);
    const isOwn = isHere(table, row, table.clientAddress, this.#hostContext) ||
      isHere(table, row, table.serverAddress, this.#hostContext);
    if (isOwn && !hasServer || this.#isTold(row)) return this.settle(row, timeNs);
    if (table.state[row] !== FlowState.Settled) table.move(row, FlowState.Doubted, timeNs);
  }

  /**
   * Completes it by its third packet. Where this host's kernel decides what that did, it waits for it.
   * @param isDoubted Whether a RST may tell that the server did not take it.
   */
  complete(row: number, timeNs: number, isDoubted = false): void {
    const { table } = this;
    if (this.#isTold(row)) return this.settle(row, timeNs);
    if (!this.#hasServer(row, timeNs)) {
      table.marks[row] |= Mark.UnknownServer;
      return isDoubted ? this.doubt(row, timeNs) : this.settle(row, timeNs);
    }
    if (table.state[row] !== FlowState.Settled) this.#wait(row, FlowState.Answered, timeNs);
  }

  /**
   * Waits for the kernel's word of a handshake that seemed to need none: that somebody listens there, the
   * kernel told only after its packets were taken.
   */
  #waitsAfterAll(row: number, nowNs: number): boolean {
    const { table } = this;
    if (!table.isMarked(row, Mark.UnknownServer)) return false;
    table.marks[row] &= ~Mark.UnknownServer;
    const hasAck = table.has(row, WireFact.Ack);
    if (!hasAck || this.#isTold(row) || !this.#hasServer(row, table.ackNs[row])) return false;
    this.#wait(row, FlowState.Answered, nowNs);
    return true;
  }

  /**
   * Waits on while a name is being looked for: of who has just begun to listen or, on a busy machine, of who
   * listens, and of a container that was not met before.
   */
  #waitsForName(row: number, nowNs: number): boolean {
    const host = this.#hostContext;
    const client = this.table.clientKernel[row];
    const server = this.table.serverKernel[row];
    const isSought = server !== undefined && host.isListenerSought?.(server) ||
      client !== undefined && host.isContainerSought?.(client) ||
      server !== undefined && host.isContainerSought?.(server);
    if (!isSought) return false;
    const sinceNs = this.#soughtSinceNs.get(row) ?? nowNs;
    this.#soughtSinceNs.set(row, sinceNs);
    // Not by when the kernel saw it, which told of it late where the machine is busy.
    const waitedNs = nowNs - sinceNs;
    if (waitedNs > NAME_NS || waitedNs < 0) return false;
    // Behind the others, whose names are known.
    this.table.move(row, FlowState.Settled, nowNs);
    return true;
  }

  /** Whether the server's address is one of this host. */
  isServerHere(row: number): boolean {
    return isHere(this.table, row, this.table.serverAddress, this.#hostContext);
  }

  /**
   * Follows `hasServer`, which says of less than before that the kernel tells of it. What waited for its word
   * is ended by its packets, unless the word comes within the time for which an end is doubted.
   */
  kernelFellSilent(nowNs: number): void {
    const { table } = this;
    for (const isOwn of [true, false]) {
      let row = table.oldest(FlowState.Answered, isOwn);
      while (row >= 0) {
        const next = table.newer(row);
        const waits = table.has(row, WireFact.Ack) && !this.#isTold(row);
        if (waits && !this.#hasServer(row, table.ackNs[row])) {
          table.move(row, FlowState.Doubted, nowNs);
        }
        row = next;
      }
    }
  }

  /** Whether the kernel told of either end, or of what it did with the SYN. */
  #isTold(row: number): boolean {
    const { table } = this;
    return table.clientKernel[row] !== undefined || table.serverKernel[row] !== undefined ||
      table.accept[row] !== undefined || table.reset[row] !== undefined;
  }

  #hasServer(row: number, timeNs: number): boolean {
    return hasServer(this.table, row, timeNs, this.#hostContext);
  }

  /** Merges this row into another: both are one handshake. It goes on to swallow late packets. */
  join(row: number, into: number, timeNs: number): void {
    const table = this.table;
    if (table.state[row] === FlowState.Reported) return;
    table.drops[into] ??= table.drops[row];
    const end = table.clientKernel[row];
    table.forgetAnswers(row);
    table.move(row, FlowState.Reported, timeNs);
    this.#rowKeeper?.join(row, into);
    if (end === undefined) return;
    table.serverKernel[into] ??= end;
    this.settle(into, timeNs);
  }

  /**
   * Waits for the ACK from now on, because the SYN was answered: also where a RST came before, which
   * is seen to have ended nothing.
   */
  answer(row: number, timeNs: number): void {
    if (this.table.has(row, WireFact.Ack)) return;
    const state = this.table.state[row];
    const isEnded = state === FlowState.Settled && this.#isTold(row);
    const isAnswered = state === FlowState.Answered || state === FlowState.Reported;
    if (!isEnded && !isAnswered) this.#wait(row, FlowState.Answered, timeNs);
  }

  /** Restarts the timeout, because more was seen of it. No effect once its end is known. */
  touch(row: number, timeNs: number): void {
    const state = this.table.state[row] as FlowState;
    if (state !== FlowState.Settled) this.#wait(row, state, timeNs);
  }

  #wait(row: number, state: FlowState, timeNs: number): void {
    const { table } = this;
    const ends = state === FlowState.Answered ? table.serverAddress : table.clientAddress;
    table.move(row, state, timeNs, this.#sendsAgain(state, ends, table.tupleAt(row) * 4));
  }

  /** Whether it is this host that sends again what was not answered, where that makes a difference. */
  #sendsAgain(state: FlowState, addresses: Uint32Array, at: number): boolean {
    const isUsual = state === FlowState.SynSent
      ? this.#ownUnansweredNs === this.#unansweredNs
      : this.#ownHalfOpenNs === this.#halfOpenNs;
    if (isUsual || state === FlowState.Settled || state === FlowState.Reported) return false;
    return this.#hostContext.isLocalAddress?.(addresses, at) ?? false;
  }

  /** See `Matcher.clockSet`. */
  clockSet(jumpNs: number, nowNs: number): void {
    this.table.shiftTimes(jumpNs);
    this.#remembered.shiftTimes(jumpNs);
    this.#mistimedUntilNs = nowNs;
  }

  /** See `Matcher.clockStep`. */
  clockStep(jumpNs: number): void {
    this.#remembered.shiftTimes(jumpNs);
    const { touchedNs, mistimed, capacity } = this.table;
    for (let row = 0; row < capacity; row++) {
      touchedNs[row] += jumpNs;
      if (mistimed[row] === Mistimed.No) mistimed[row] = Mistimed.IfMoreComes;
    }
  }

  /** See `Matcher.advance`. */
  advance(completeNs: number): void {
    const table = this.table;
    const { SynSent, Answered, Settled, Doubted } = FlowState;
    this.#reportUntil(Settled, false, completeNs - this.#joinNs, completeNs);
    this.#reportUntil(Doubted, false, completeNs - this.#doubtNs, completeNs);
    this.#reportUntil(SynSent, false, completeNs - this.#unansweredNs, completeNs);
    this.#reportUntil(SynSent, true, completeNs - this.#ownUnansweredNs, completeNs);
    this.#reportUntil(Answered, false, completeNs - this.#halfOpenNs, completeNs);
    this.#reportUntil(Answered, true, completeNs - this.#ownHalfOpenNs, completeNs);
    if (completeNs > this.#mistimedUntilNs) this.#mistimedUntilNs = -Infinity;
    const forgetNs = completeNs - this.#rememberNs;
    for (;;) {
      const row = table.oldest(FlowState.Reported);
      if (row < 0 || table.touchedNs[row] > forgetNs) return;
      table.remove(row);
    }
  }

  /**
   * Reports and forgets handshakes between the two ends of a segment, whichever is the client: what comes
   * now is of another one, whatever its numbers and times say.
   *
   * @param isCutOff Whether the trace that a row is of ended before it did; undefined: it goes on.
   */
  part(segment: Segment, isCutOff: (row: number) => boolean | undefined): void {
    const key = new FlowKey();
    this.#partFrom(key.sentByClient(segment), segment.sequence, isCutOff);
    const clientIsn = sequenceAdd(segment.acknowledgment, -1);
    this.#partFrom(key.sentByServer(segment), clientIsn, isCutOff);
  }

  #partFrom(
    key: FlowKey,
    clientIsn: number,
    isCutOff: (row: number) => boolean | undefined,
  ): void {
    const { table } = this;
    this.#remembered.forget(key, clientIsn);
    let row = table.find(key);
    while (row >= 0) {
      const older = table.older(row, key);
      const cutOff = isCutOff(row);
      if (cutOff !== undefined) {
        if (table.state[row] !== FlowState.Reported) {
          this.#report(row, cutOff, table.touchedNs[row]);
        }
        table.remove(row);
      }
      row = older;
    }
  }

  /** See `Matcher.flush`. */
  flush(): void {
    const { SynSent, Answered, Settled, Doubted } = FlowState;
    for (const state of [Doubted, Settled, Answered, SynSent]) {
      for (let row = this.table.oldest(state); row >= 0; row = this.table.oldest(state)) {
        this.#report(row, true, this.table.touchedNs[row]);
      }
    }
  }

  #reportUntil(state: FlowState, isOwn: boolean, untilNs: number, nowNs: number): void {
    const table = this.table;
    for (;;) {
      const row = table.oldest(state, isOwn);
      if (row < 0 || table.touchedNs[row] > untilNs) return;
      const isSettled = state === FlowState.Settled;
      if (isSettled && (this.#waitsAfterAll(row, nowNs) || this.#waitsForName(row, nowNs))) {
        continue;
      }
      this.#report(row, false, nowNs);
    }
  }

  #report(row: number, traceEnded: boolean, nowNs: number): void {
    const table = this.table;
    const fate = findTranslatedFate(table, row);
    const other = fate >= 0 ? fate : findTranslatedClient(table, row);
    if (other >= 0 && table.facts[row] === 0) {
      this.#joinTold(row, other, nowNs);
      return;
    }
    if (other >= 0) this.#joinTold(other, row, nowNs);
    const sides = table.isMarked(row, Mark.MayHavePassed) ? findSides(table, row) : undefined;
    if (sides) this.#joinSides(sides, nowNs);
    if (sides?.far === row) return;
    if (isOneSided(table, row) && !this.isServerHere(row)) keepHeldAck(table, row);
    conclude(table, row, this.#hostContext, traceEnded, this.#handshake);
    if (this.#handshake.outcome !== "established") table.marks[row] |= Mark.ReportedFailed;
    table.move(row, FlowState.Reported, nowNs);
    table.forgetAnswers(row);
    this.#onHandshake(this.#handshake, row);
  }

  /** Takes what the kernel told by the other tuple of a translation for what became of a SYN. */
  #joinTold(row: number, into: number, nowNs: number): void {
    const { table } = this;
    this.#takeTold(row, into);
    if (table.state[row] === FlowState.Settled) this.settle(into, nowNs);
    table.forgetAnswers(row);
    table.move(row, FlowState.Reported, nowNs);
  }

  #takeTold(row: number, into: number): void {
    const { table } = this;
    table.translate(into, table.firstKey(row));
    table.drops[into] ??= table.drops[row];
    table.reset[into] ??= table.reset[row];
    table.accept[into] ??= table.accept[row];
    table.icmp[into] ??= table.icmp[row];
    table.clientKernel[into] ??= table.clientKernel[row];
    table.serverKernel[into] ??= table.serverKernel[row];
    if (!table.has(into, WireFact.ServerReset)) {
      table.refusedNs[into] = Math.min(table.refusedNs[into], table.refusedNs[row]);
    }
  }

  /** Makes one of two rows that are one handshake: it goes on as the near one, and by both tuples. */
  #joinSides({ near, far }: Sides, nowNs: number): void {
    const { table } = this;
    const state = table.state[far];
    if (table.icmp[near] === undefined) table.icmpNs[near] = table.icmpNs[far];
    keepAnswerOf(table, near, far);
    this.#takeTold(far, near);
    table.takePlaces(near, far);
    this.#rowKeeper?.join(far, near);
    table.forgetAnswers(far);
    table.move(far, FlowState.Reported, nowNs);
    if (state === FlowState.Settled) this.settle(near, nowNs);
    else if (state === FlowState.Doubted) this.doubt(near, nowNs);
    else if (state === FlowState.Answered) this.answer(near, nowNs);
  }

  /** Frees a row where too many have one tuple. */
  #limitTuple(key: FlowKey): void {
    const row = findCrowding(this.table, key);
    if (row >= 0) this.#giveUp(row, "crowded");
  }

  /** Frees a row: of a handshake whose end is known after it was reported, else without. */
  #giveUp(row: number, why: "evicted" | "crowded" = "evicted"): void {
    const { table } = this;
    const state = table.state[row];
    const isKnown = state === FlowState.Settled || state === FlowState.Doubted;
    if (isKnown) this.#report(row, false, table.touchedNs[row]);
    else if (state !== FlowState.Reported) {
      this.#counters[why]++;
      return table.remove(row);
    }
    this.#remember(row);
  }

  /** Frees a row where none is: a reported one, else a half-open one, else one that only waits. */
  #makeRoom(): void {
    const table = this.table;
    if (!table.full) return;
    const unanswered = table.oldest(FlowState.SynSent);
    const answered = table.oldest(FlowState.Answered);
    let halfOpen = unanswered >= 0 ? unanswered : answered;
    if (answered >= 0 && table.touchedNs[answered] < table.touchedNs[halfOpen]) halfOpen = answered;
    const reported = table.oldest(FlowState.Reported);
    const doubted = table.oldest(FlowState.Doubted);
    const known = doubted >= 0 ? doubted : table.oldest(FlowState.Settled);
    if (reported >= 0) this.#giveUp(reported);
    else this.#giveUp(halfOpen >= 0 ? halfOpen : known);
  }
}
