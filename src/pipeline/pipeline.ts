import type { Handshake } from "../match/handshake.ts";
import { Matcher } from "../match/matcher.ts";
import { type MatcherOptions, type RowKeeper, ROWS_USUAL } from "../match/options.ts";
import type { KeptPacket } from "../pcap/kept_packets.ts";
import type { RecordContext } from "../record/record_context.ts";
import type { Disguise } from "./disguise.ts";
import { type HandshakeFilter, passes, readByFilter } from "./filter.ts";
import { addLosses } from "./losses.ts";
import type { PacketKeeper, Sink, Source, Supervisor, TraceState } from "./sink.ts";
import { READ_BY_SUMMARY, Summary } from "./summary.ts";

/** What comes through, where to, and whom to tell. */
export interface PipelineOptions {
  /** Which handshakes the sinks get; absent: all. */
  filter?: HandshakeFilter;
  /** Handshakes that the sinks get at most; absent: all. */
  count?: number;
  /** They are ended in this order: one whose losses another tells stands before it. */
  sinks: readonly Sink[];
  /**
   * What the sinks see instead of what is; absent: that. The filter is about what is.
   *
   * @internal
   */
  disguise?: Disguise;
  /** Whom to tell what failed; absent: it is thrown. */
  supervisor?: Supervisor;
  /** Handshakes under way at most, where they come from a matcher. */
  rows?: number;
  /** Called when the last handshake that the sinks may get was taken. */
  onCount?(): void;
}

const THROWS: Supervisor = {
  fail: (_, error) => {
    throw error;
  },
  attempt: async (_, work) => await work(),
};

/**
 * Between one source and any number of sinks: matches, filters, counts, and hands each handshake to
 * every sink. What one sink cannot take, the others do.
 */
export class Pipeline {
  readonly #options: PipelineOptions;
  readonly #supervisor: Supervisor;
  readonly #filter: HandshakeFilter;
  readonly #count: number;
  readonly #sinks: readonly Sink[];
  readonly #rows: number;
  readonly #keepers: readonly PacketKeeper[];
  readonly #summary = new Summary();
  readonly #disguise: Disguise | undefined;
  #source: Source | undefined;
  /** As the sinks see it. */
  #shown: Source | undefined;
  /** When each sink is to get its next report, by `performance.now()`. */
  readonly #dueMs: number[];
  #nextDueMs: number;

  /** Sinks that keep packets reserve the memory for them. */
  constructor(options: PipelineOptions) {
    this.#options = options;
    this.#supervisor = options.supervisor ?? THROWS;
    this.#filter = options.filter ?? {};
    this.#count = options.count ?? Infinity;
    this.#sinks = options.sinks;
    this.#disguise = options.disguise;
    this.#rows = options.rows ?? ROWS_USUAL;
    this.#keepers = this.#sinks.flatMap((sink) => sink.keepPackets?.(this.#rows) ?? []);
    const nowMs = performance.now();
    this.#dueMs = this.#sinks.map(({ reportMs = Infinity }) => nowMs + reportMs);
    this.#nextDueMs = Math.min(...this.#dueMs);
  }

  /** Tells the sinks where the handshakes come from. Once, before the first. */
  begin(source: Source): void {
    this.#source = source;
    const shown = this.#disguise?.source(source) ?? source;
    this.#shown = shown;
    for (const sink of this.#sinks) sink.begin?.(shown);
  }

  /** Makes the matcher whose handshakes come here; see `Matcher`. */
  createMatcher(epochSeconds: number, options: MatcherOptions = {}): Matcher {
    const take = (handshake: Handshake, row: number) => this.take(handshake, row);
    const rowKeeper = this.#rowKeeper();
    return new Matcher(epochSeconds, take, { ...options, rowKeeper, capacity: this.#rows });
  }

  #rowKeeper(): RowKeeper | undefined {
    const keepers = this.#keepers;
    if (keepers.length < 2) return keepers.at(0);
    return {
      begin: (row) => keepers.forEach((keeper) => keeper.begin(row)),
      join: (row, into) => keepers.forEach((keeper) => keeper.join(row, into)),
    };
  }

  /** Handshakes that the sinks got. */
  get handshakes(): number {
    return this.#summary.handshakes;
  }

  /** Whether a sink wants packets. */
  get keepsPackets(): boolean {
    return this.#keepers.length > 0;
  }

  /**
   * Takes a packet of a handshake under way.
   *
   * @param row Its row, as the matcher told.
   * @internal
   */
  keep(row: number, packet: Readonly<KeptPacket>): void {
    for (const keeper of this.#keepers) keeper.keep(row, packet);
  }

  /**
   * Takes a handshake; nothing of the object is kept.
   *
   * @param row Its row in the matcher's table, `NO_ROW` where it comes from none.
   */
  take(handshake: Handshake, row: number): void {
    if (this.passes(handshake, this.#source!.context)) this.takeAdmitted(handshake, row);
    else this.holdBack();
  }

  /** Paths of the fields and levels of a record that are read behind the filter; undefined: every field. */
  get reads(): readonly string[] | undefined {
    const reads = this.#sinks.map((sink) => sink.reads);
    if (this.#disguise !== undefined || reads.includes(undefined)) return undefined;
    return [...READ_BY_SUMMARY, ...reads.flatMap((each) => each!)];
  }

  /** The same of what the filter reads; undefined: there is none. */
  get filterReads(): readonly string[] | undefined {
    return readByFilter(this.#filter);
  }

  /** Which handshakes the sinks get. */
  get filter(): HandshakeFilter {
    return this.#filter;
  }

  /** Whether the filter lets a handshake pass. @param context What its record says beyond it. */
  passes(handshake: Handshake, context: RecordContext): boolean {
    return passes(this.#filter, handshake, context);
  }

  /** Counts a handshake that the filter keeps back. */
  holdBack(): void {
    this.#summary.recordFiltered();
  }

  /** Takes a handshake that the filter lets pass; see {@link take}. */
  takeAdmitted(handshake: Handshake, row: number): void {
    const summary = this.#summary;
    if (summary.handshakes >= this.#count) return;
    summary.record(handshake);
    const shown = this.#disguise?.handshake(handshake) ?? handshake;
    for (const sink of this.#sinks) {
      try {
        sink.take(shown, row);
      } catch (error) {
        // Neither in the midst of the matcher's work, nor before the other sinks.
        this.#supervisor.fail("writing a handshake", error);
      }
    }
    if (summary.handshakes === this.#count) this.#options.onCount?.();
  }

  /** Takes what another says of a handshake that was taken already; see {@link Sink.takeAgain}. */
  takeAgain(handshake: Handshake): void {
    const shown = this.#disguise?.handshake(handshake) ?? handshake;
    for (const sink of this.#sinks) {
      if (sink.takeAgain) this.#guard(sink, () => sink.takeAgain!(shown));
    }
  }

  /** Takes a line of NDJSON that is no handshake; see {@link Sink.takeEvent}. */
  takeEvent(event: string, members: Readonly<Record<string, unknown>>): void {
    const shown = this.#disguise ? this.#disguise.event(event, members) : members;
    if (shown === undefined) return;
    for (const sink of this.#sinks) {
      if (sink.takeEvent) this.#guard(sink, () => sink.takeEvent!(event, shown));
    }
  }

  /** Has the sinks hand on what they took, and report where that is due. Never waits. */
  flush(): void {
    const nowMs = performance.now();
    if (nowMs >= this.#nextDueMs) this.#report(nowMs);
    for (const sink of this.#sinks) this.#guard(sink, () => sink.flush());
  }

  #report(nowMs: number): void {
    this.#sinks.forEach((sink, at) => {
      const { reportMs = Infinity } = sink;
      if (nowMs < this.#dueMs[at]) return;
      // One that is late makes no other late.
      this.#dueMs[at] += Math.ceil((nowMs - this.#dueMs[at] + 1) / reportMs) * reportMs;
      this.#guard(sink, () => sink.report?.(this.state()));
    });
    this.#nextDueMs = Math.min(...this.#dueMs);
  }

  #guard(sink: Sink, work: () => void): void {
    try {
      work();
    } catch (error) {
      this.#supervisor.fail(`writing ${sink.label}`, error);
    }
  }

  /**
   * Everything that is counted, now: cheap. Only once a source has begun.
   *
   * @param fresh Whether what takes milliseconds to count is counted anew, see {@link Source.counters}.
   */
  state(fresh = false): TraceState {
    const source = this.#shown!;
    const counters = source.counters(fresh);
    const { losses } = counters;
    return {
      ...counters,
      losses: this.#sinks.reduce((sum, sink) => addLosses(sum, sink.losses), losses),
      summary: this.#summary,
      context: source.context,
    };
  }

  /** How it goes so far, or went, for a person. Only once a source has begun. */
  summarize(): string {
    const { losses, undecoded } = this.state(true);
    return this.#summary.format(losses, undecoded);
  }

  /** Tells the sinks that the end is near. */
  hasten(): void {
    for (const sink of this.#sinks) this.#guard(sink, () => sink.hasten?.());
  }

  /** Settles when everything handed on was written or given up. */
  async settle(): Promise<void> {
    await Promise.all(this.#sinks.map((sink) => sink.settle?.()));
  }

  /**
   * Ends the sinks after the last handshake: each writes what it holds, then, in their order, what
   * stands at the end. Each part is done whatever becomes of the others.
   */
  async end(): Promise<void> {
    const supervisor = this.#supervisor;
    const attempt = (sink: Sink, work: () => void | Promise<void>) =>
      supervisor.attempt(`writing ${sink.label}`, work);
    await Promise.all(this.#sinks.map(async (sink) => {
      await attempt(sink, () => sink.flush());
      await attempt(sink, () => sink.settle?.());
    }));
    for (const sink of this.#sinks) {
      if (sink.reportMs !== undefined) await attempt(sink, () => sink.report?.(this.state()));
      await attempt(sink, () => sink.end(this.state()));
      await attempt(sink, () => sink.settle?.());
    }
  }

  /** Whether what a sink wrote lacks anything. */
  get failed(): boolean {
    return this.#sinks.some(({ failed }) => failed);
  }
}
