import { copyHandshake } from "../../match/copy_handshake.ts";
import type { Handshake } from "../../match/handshake.ts";
import { NO_ROW } from "../../pipeline/sink.ts";
import type { RecordContext } from "../../record/record_context.ts";
import { type Grouping, namesOf } from "../statistics/groupings.ts";
import { Counts } from "./counts.ts";
import { type KeptHandshake, Latest } from "./kept_handshakes.ts";
import { TopClock } from "./top_clock.ts";

/** The latest handshakes that are kept, whatever became of them. */
const LATEST_MAX = 2_048;
/** Handshakes of the group that is looked at. */
const OPENED_MAX = 1_000;

/** Those that are kept of a second, at most: of what failed, is slow, passes a filter or is open. */
const SOUGHT_MAX = 1_000;
/** And of all others. */
const OTHERS_MAX = 200;

/** Tells which handshakes count. */
export type Passes = (handshake: Handshake, context: RecordContext) => boolean;

/** A group whose handshakes are kept because somebody looks at them. */
interface Opened {
  grouping: Grouping;
  name: string;
  latest: Latest<KeptHandshake>;
}

/** What a terminal can show: counts what comes, and keeps some of it, in bounded memory. */
export class TopModel {
  readonly clock: TopClock;
  readonly #namesMax: number | undefined;
  #all: Counts;
  #latest: Latest<KeptHandshake> = new Latest(LATEST_MAX);
  #taken = 0;
  #filtered: { passes: Passes; counts: Counts } | undefined;
  #opened: Opened | undefined;
  #keptSecond = 0;
  #sought = 0;
  #others = 0;
  /** Copies the packets of a handshake that is taken, by its row; absent: there are none. */
  packetsOf: ((row: number) => unknown) | undefined;

  /** @param wallMs The time of day, milliseconds of Unix time. @param namesMax See {@link Counts}. */
  constructor(wallMs: () => number, namesMax?: number) {
    this.clock = new TopClock(wallMs);
    this.#namesMax = namesMax;
    this.#all = this.#newCounts();
  }

  #newCounts(): Counts {
    return new Counts(this.clock, this.#namesMax);
  }

  /** Handshakes taken, whatever became of them here. */
  get taken(): number {
    return this.#taken;
  }

  /** What is counted: of those that pass, where there is a filter. */
  get counts(): Counts {
    return this.#filtered?.counts ?? this.#all;
  }

  /**
   * Takes a handshake; nothing of the object is kept.
   *
   * @param context What its record says beyond it, which is kept. @param row See `Sink.take`.
   */
  take(handshake: Handshake, context: RecordContext, row = NO_ROW): void {
    this.clock.place(handshake);
    this.#taken++;
    this.#all.record(handshake, context);
    const filtered = this.#filtered;
    const isPassed = filtered === undefined || filtered.passes(handshake, context);
    if (isPassed) filtered?.counts.record(handshake, context);
    const isOpened = isPassed && this.#opened !== undefined &&
      isIn(this.#opened, handshake, context);
    const isSought = isOpened || this.#all.wants(handshake) ||
      isPassed && filtered !== undefined;
    if (!this.#hasRoom(isSought)) return;
    const kept: KeptHandshake = {
      number: this.#taken,
      second: this.clock.second,
      handshake: copyHandshake(handshake),
      context,
      packets: isSought && row !== NO_ROW ? this.packetsOf?.(row) : undefined,
    };
    this.#latest.push(kept);
    this.#all.keep(kept);
    if (isPassed) filtered?.counts.keep(kept);
    if (isOpened) this.#opened!.latest.push(kept);
  }

  /** Whether one more is kept in this second: copies cost more than counts. */
  #hasRoom(isSought: boolean): boolean {
    const { second } = this.clock;
    if (second !== this.#keptSecond) {
      this.#keptSecond = second;
      this.#sought = this.#others = 0;
    }
    return isSought ? ++this.#sought <= SOUGHT_MAX : ++this.#others <= OTHERS_MAX;
  }

  /**
   * Counts from now on what passes, beginning with those that are kept; undefined: all that came. What
   * came is counted as before, to go back to.
   */
  filter(passes: Passes | undefined): void {
    this.#filtered = undefined;
    if (passes !== undefined) {
      const counts = this.#newCounts();
      for (const kept of this.#kept()) {
        const { handshake, context, second } = kept;
        if (!passes(handshake, context)) continue;
        this.clock.second = second;
        counts.record(handshake, context);
        counts.keep(kept);
      }
      this.#filtered = { passes, counts };
    }
    if (this.#opened !== undefined) this.open(this.#opened.grouping, this.#opened.name);
  }

  /** Keeps the handshakes of a group, beginning with those that are kept already. */
  open(grouping: Grouping, name: string): void {
    const latest = new Latest<KeptHandshake>(OPENED_MAX);
    for (const kept of this.handshakesOf(grouping, name).reverse()) latest.push(kept);
    this.#opened = { grouping, name, latest };
  }

  /** The handshakes of the group that was opened last, the latest first. */
  opened(): KeptHandshake[] {
    return this.#opened?.latest.list() ?? [];
  }

  /** Those of a group that pass and are kept, the latest first. */
  handshakesOf(grouping: Grouping, name: string): KeptHandshake[] {
    return this.latest().filter(({ handshake, context }) =>
      isIn({ grouping, name }, handshake, context)
    );
  }

  /** All that pass and are kept, the latest first. */
  latest(): KeptHandshake[] {
    const passes = this.#filtered?.passes ?? (() => true);
    return this.#kept().filter(({ handshake, context }) => passes(handshake, context)).reverse();
  }

  /** Keeps those of no group any more. */
  close(): void {
    this.#opened = undefined;
  }

  /** Counts anew, as if nothing had come before. */
  clear(): void {
    this.#all = this.#newCounts();
    this.#latest = new Latest(LATEST_MAX);
    this.clock.restart();
    this.filter(this.#filtered?.passes);
  }

  /** All that are kept, each once, in the order in which they came. */
  #kept(): KeptHandshake[] {
    const { failures, slowest } = this.#all;
    const all = new Set([...this.#latest.list(), ...failures.list(), ...slowest.list()]);
    return [...all].sort((one, other) => one.number - other.number);
  }
}

function isIn(
  { grouping, name }: Pick<Opened, "grouping" | "name">,
  handshake: Handshake,
  context: RecordContext,
): boolean {
  return namesOf(grouping, handshake, context).includes(name);
}
