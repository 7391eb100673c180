import type { Handshake } from "../../match/handshake.ts";
import type { TextFormat } from "../text_sink.ts";
import type { TraceState } from "../../pipeline/sink.ts";
import { Statistics } from "./statistics.ts";
import { encodeStatistics } from "./json.ts";
import { formatStatistics } from "./text.ts";

/** How statistics are written. */
export interface StatisticsOptions {
  /** Servers and clients to name. */
  top: number;
  /** One JSON object instead of text. */
  json: boolean;
  /** Text in ASCII alone. */
  ascii: boolean;
}

/** Statistics of all handshakes instead of the handshakes. */
export class StatisticsFormat implements TextFormat {
  readonly #options: StatisticsOptions;
  readonly #statistics = new Statistics();

  /** Writes nothing before the end. */
  constructor(options: StatisticsOptions) {
    this.#options = options;
  }

  /** Nothing yet. */
  take(handshake: Handshake): void {
    this.#statistics.record(handshake);
  }

  /** Everything. */
  end(state: TraceState): string {
    const { top, json } = this.#options;
    return json
      ? encodeStatistics(this.#statistics, state, top)
      : formatStatistics(this.#statistics, state.span, this.#options);
  }
}
