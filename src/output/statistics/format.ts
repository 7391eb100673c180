import type { Handshake } from "../../match/handshake.ts";
import type { HandshakeFormat, TraceEnd } from "../handshake_format.ts";
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
export class StatisticsFormat implements HandshakeFormat {
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
  end(end: TraceEnd): string {
    const { top, json } = this.#options;
    return json
      ? encodeStatistics(this.#statistics, end, top)
      : formatStatistics(this.#statistics, end.span, this.#options);
  }
}
