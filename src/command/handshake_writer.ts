import type { LineOutput } from "../io/stream_output.ts";
import type { Handshake } from "../match/handshake.ts";
import type { RecordContext } from "../report/fields.ts";
import { formatHandshake, formatHeading } from "../report/line.ts";
import { encodeHandshake } from "../report/ndjson.ts";
import { type Losses, Summary, type Undecoded } from "../report/summary.ts";
import { type HandshakeFilter, passes } from "./filter.ts";

/** What to write, how, and where. */
export interface HandshakeWriterOptions {
  filter: HandshakeFilter;
  /** Handshakes written at most. */
  count: number;
  output: LineOutput;
  /** Lines for a terminal instead of NDJSON. */
  asText: boolean;
  context: RecordContext;
  /** Called when the last handshake that may be written was taken. */
  onCount(): void;
}

/** When a trace began and ended, for its summary. */
export interface TraceSpan {
  /** Whole seconds of Unix time at which the axis begins. */
  epochSeconds: number;
  /** Nanoseconds on the axis. */
  startNs: number;
  endNs: number;
}

/** The end of the pipeline: filters handshakes, counts them, and writes them as lines. */
export class HandshakeWriter {
  readonly #options: HandshakeWriterOptions;
  readonly #summary = new Summary();
  #lines = "";
  #records = 0;
  #headingWritten = false;

  /** Writes nothing before {@link flush}. */
  constructor(options: HandshakeWriterOptions) {
    this.#options = options;
  }

  /** Takes a handshake; nothing of the object is kept. @returns Whether it is one to report. */
  take(handshake: Handshake): boolean {
    const { filter, count, asText, context, onCount } = this.#options;
    if (!passes(filter, handshake)) {
      this.#summary.recordFiltered();
      return false;
    }
    if (this.#summary.handshakes >= count) return false;
    this.#summary.record(handshake);
    this.#lines += asText ? this.#heading() + formatHandshake(handshake) : encodeHandshake(
      handshake,
      context,
    );
    this.#records++;
    if (this.#summary.handshakes === count) onCount();
    return true;
  }

  #heading(): string {
    if (this.#headingWritten) return "";
    this.#headingWritten = true;
    return formatHeading();
  }

  /** Writes what was taken since the last time. */
  flush(): void {
    if (this.#lines === "") return;
    this.#options.output.write(this.#lines, this.#records);
    this.#lines = "";
    this.#records = 0;
  }

  /**
   * Writes the summary as the last line of NDJSON.
   *
   * @returns The summary for a person.
   */
  end(span: TraceSpan, losses: Losses, undecoded: Undecoded = {}): string {
    const { asText, output, context } = this.#options;
    if (!asText) {
      const { epochSeconds, startNs, endNs } = span;
      const { host } = context;
      output.write(
        this.#summary.encode(host, epochSeconds, startNs, endNs, losses, undecoded),
        0,
      );
    }
    return this.#summary.format(losses, undecoded);
  }
}
