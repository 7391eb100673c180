import type { Handshake } from "../../match/handshake.ts";
import type { TextFormat } from "../text_sink.ts";
import type { TraceState } from "../../pipeline/sink.ts";
import type { GroupingContext } from "./groupings.ts";
import { READ_BY_STATISTICS, Statistics } from "./statistics.ts";
import { encodeStatistics } from "./json.ts";
import { formatStatistics } from "./text.ts";
import { IntervalCounts } from "./interval.ts";
import { formatInterval, formatIntervalHeading } from "./interval_line.ts";

/** How statistics are written. */
export interface StatisticsOptions {
  /** Names of each kind to tell. */
  top: number;
  /** One JSON object instead of text. */
  json: boolean;
  /** Text in ASCII alone. */
  ascii: boolean;
  /** The columns of the terminal now; absent: lines are as wide as what they tell. */
  width?: () => number;
  /** How often those of the time since the last are written, milliseconds; undefined: never. */
  intervalMs?: number;
}

/**
 * Statistics of all handshakes instead of the handshakes. With an interval those of each: as JSON an
 * object each, which together are the whole; as text a line each, and at the end the whole.
 */
export class StatisticsFormat implements TextFormat {
  readonly reportMs: number | undefined;
  readonly reads: readonly string[] = READ_BY_STATISTICS;
  readonly #options: StatisticsOptions;
  readonly #statistics = new Statistics();
  readonly #interval: IntervalCounts | undefined;
  #headed = false;

  /** Writes nothing before the end of the first interval, or of all. */
  constructor(options: StatisticsOptions) {
    this.#options = options;
    this.reportMs = options.intervalMs;
    if (options.intervalMs !== undefined) this.#interval = new IntervalCounts();
  }

  /** Nothing yet. */
  take(handshake: Handshake, context: GroupingContext = {}): void {
    this.#interval?.record(handshake, context);
    if (!this.#interval || !this.#options.json) this.#statistics.record(handshake, context);
  }

  /** What came since the last time. */
  report(state: TraceState): string {
    if (this.#interval === undefined) return "";
    const { top, json, ascii } = this.#options;
    const interval = this.#interval.close(state);
    if (json) return encodeStatistics(interval.statistics, interval.state, top);
    const heading = this.#headed ? "" : formatIntervalHeading();
    this.#headed = true;
    return heading + formatInterval(interval, ascii);
  }

  /** Everything, unless that was written in parts. */
  end(state: TraceState): string {
    const { top, json } = this.#options;
    if (!json) {
      const { ascii, width } = this.#options;
      const text = formatStatistics(this.#statistics, state.span, {
        ...{ top, ascii },
        width: width?.() ?? Infinity,
      });
      return this.#headed ? `\n${text}` : text;
    }
    return this.#interval ? "" : encodeStatistics(this.#statistics, state, top);
  }
}
