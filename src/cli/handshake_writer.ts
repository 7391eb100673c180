import type { LineOutput } from "../files/stream_output.ts";
import type { Handshake } from "../match/handshake.ts";
import { ByteText } from "../text/byte_text.ts";
import type { RecordContext } from "../record/record_context.ts";
import type { HandshakeFormat, TraceSpan } from "../output/handshake_format.ts";
import { type Losses, Summary, type Undecoded } from "../output/summary.ts";
import { type HandshakeFilter, passes } from "./filter.ts";

/** What to write, how, and where. */
export interface HandshakeWriterOptions {
  filter: HandshakeFilter;
  /** Handshakes written at most. */
  count: number;
  output: LineOutput;
  format: HandshakeFormat;
  context: RecordContext;
  /** Called when the last handshake that may be written was taken. */
  onCount(): void;
}

/** Bytes of lines that are worth a write of their own; so many more are never held here. */
const WRITE_LENGTH = 256 * 1024;

/** The end of the pipeline: filters handshakes, counts them, and writes them in a format. */
export class HandshakeWriter {
  readonly #options: HandshakeWriterOptions;
  readonly #summary = new Summary();
  readonly #lines = new ByteText(WRITE_LENGTH);
  #records = 0;

  /** Writes little before {@link flush}. */
  constructor(options: HandshakeWriterOptions) {
    this.#options = options;
  }

  /** Takes a handshake; nothing of the object is kept. @returns Whether it is one to report. */
  take(handshake: Handshake): boolean {
    const { filter, count, format, context, onCount } = this.#options;
    if (!passes(filter, handshake)) {
      this.#summary.recordFiltered();
      return false;
    }
    if (this.#summary.handshakes >= count) return false;
    this.#summary.record(handshake);
    format.take(handshake, context, this.#lines);
    this.#records++;
    if (this.#lines.length >= WRITE_LENGTH) this.flush();
    if (this.#summary.handshakes === count) onCount();
    return true;
  }

  /** Writes what was taken since the last time, as far as the format gave it. */
  flush(): void {
    if (this.#lines.length === 0) return;
    this.#options.output.write(this.#lines.take(), this.#records);
    this.#records = 0;
  }

  /** Writes what the format has behind the last handshake. */
  end(span: TraceSpan, losses: Losses, undecoded: Undecoded = {}): void {
    const { format, context } = this.#options;
    const end = { summary: this.#summary, context, span, losses, undecoded };
    this.#lines.text(format.end(end));
    this.flush();
  }

  /** The summary for a person. */
  summarize(losses: Losses, undecoded: Undecoded = {}): string {
    return this.#summary.format(losses, undecoded);
  }
}

/** Records that rotation removed, where it rotates. */
export function rotatedAway({ rotatedAway }: LineOutput): Losses {
  return rotatedAway === undefined ? {} : { rotated_records: rotatedAway };
}
