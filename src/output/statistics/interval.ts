import type { Handshake } from "../../match/handshake.ts";
import { type Losses, subtractLosses, type Undecoded } from "../../pipeline/losses.ts";
import type { TraceState } from "../../pipeline/sink.ts";
import { Summary } from "../../pipeline/summary.ts";
import type { GroupingContext } from "./groupings.ts";
import { Statistics } from "./statistics.ts";

/** What was counted from one moment of a trace to another. */
export interface IntervalState {
  statistics: Statistics;
  /** As of a trace that lasted so long. */
  state: TraceState;
}

/** Counts from one report to the next: all of them together are the whole trace. */
export class IntervalCounts {
  #statistics = new Statistics();
  #summary = new Summary();
  /** What had been counted when it began. */
  #before: { filtered: number; losses: Losses; undecoded: Undecoded } | undefined;
  #startNs: number | undefined;

  /** Takes a handshake; nothing of the object is kept. */
  record(handshake: Handshake, context: GroupingContext = {}): void {
    this.#statistics.record(handshake, context);
    this.#summary.record(handshake);
  }

  /** Ends it, and begins the next. @param whole How the trace goes so far. */
  close(whole: TraceState): IntervalState {
    const { span, losses, undecoded, summary } = whole;
    const { filtered } = summary;
    const before = this.#before ?? { filtered: 0, losses: {}, undecoded: {} };
    this.#summary.recordFiltered(filtered - before.filtered);
    const closed: IntervalState = {
      statistics: this.#statistics,
      state: {
        ...whole,
        summary: this.#summary,
        span: { ...span, startNs: this.#startNs ?? span.startNs },
        losses: subtractLosses(losses, before.losses),
        undecoded: subtractReasons(undecoded, before.undecoded),
      },
    };
    this.#statistics = new Statistics();
    this.#summary = new Summary();
    this.#before = { filtered, losses, undecoded };
    this.#startNs = span.endNs;
    return closed;
  }
}

function subtractReasons(reasons: Undecoded, before: Undecoded): Undecoded {
  const came = Object.entries(reasons)
    .map(([reason, count]) => [reason, count - (before[reason] ?? 0)] as const);
  return Object.fromEntries(came.filter(([, count]) => count > 0));
}
