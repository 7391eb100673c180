/**
 * Handshakes as text: what a form of it is, NDJSON, and the sink that writes any form.
 *
 * @module
 */
import type { LineOutput } from "../files/stream_output.ts";
import type { Handshake } from "../match/handshake.ts";
import type { Losses } from "../pipeline/losses.ts";
import type { Sink, Source, TraceState } from "../pipeline/sink.ts";
import { ByteText } from "../text/byte_text.ts";
import type { RecordContext } from "../record/record_context.ts";
import { encodeStatus, type StatusOptions } from "./status.ts";
import type { Field } from "../record/field.ts";
import { FIELDS } from "../record/fields.ts";
import { RecordEncoder } from "../record/ndjson.ts";

/** One way to write handshakes as lines. */
export interface TextFormat {
  /**
   * Takes a handshake; nothing of the object is kept.
   *
   * @param into Whole lines that can be written now are appended to it.
   */
  take(handshake: Handshake, context: RecordContext, into: ByteText): void;
  /** How often it wants a {@link report}, milliseconds; undefined: never. */
  readonly reportMs?: number;
  /** Whole lines that tell how it goes so far. @param written Records that were written. */
  report?(state: TraceState, written: number): string;
  /** Whole lines that stand behind the last handshake. */
  end(state: TraceState): string;
}

/** What every line has, so that its reader knows what it is. */
const ALWAYS = ["v", "event"];

/** NDJSON: a record a line, the summary as the last; status lines between them where asked for. */
export class NdjsonFormat implements TextFormat {
  readonly reportMs: number | undefined;
  readonly #status: StatusOptions | undefined;
  readonly #encoder: RecordEncoder;

  /**
   * Writes nothing yet.
   *
   * @param status Of the status lines; undefined: none are written.
   * @param fields What a record holds beside its version and kind; undefined: everything.
   */
  constructor(status?: StatusOptions, fields?: readonly Field[]) {
    this.#status = status;
    this.reportMs = status?.intervalMs;
    this.#encoder = new RecordEncoder(
      fields && FIELDS.filter((field) => ALWAYS.includes(field.path) || fields.includes(field)),
    );
  }

  /** Its record. */
  take(handshake: Handshake, context: RecordContext, into: ByteText): void {
    this.#encoder.write(into, handshake, context);
  }

  /** A status line. */
  report(state: TraceState, written: number): string {
    return this.#status === undefined ? "" : encodeStatus(state, written, this.#status);
  }

  /** The summary's line. */
  end({ summary, context, span, losses, undecoded }: TraceState): string {
    const { epochSeconds, startNs, endNs } = span;
    return summary.encode(context, epochSeconds, startNs, endNs, losses, undecoded);
  }
}

/** Bytes of lines that are worth a write of their own; so many more are never held here. */
const WRITE_LENGTH = 256 * 1024;

/** Writes handshakes in a format. */
export class TextSink implements Sink {
  readonly label: string;
  readonly #output: LineOutput;
  readonly #format: TextFormat;
  readonly #lines = new ByteText(WRITE_LENGTH);
  #context: RecordContext | undefined;
  readonly #isShown: boolean;
  /** Those whose lines were not handed to the output yet. */
  #records = 0;
  /** Those that were. */
  #handedOn = 0;

  /**
   * Writes little before {@link flush}.
   *
   * @param label See {@link Sink.label}.
   * @param options `isShown`: only shows what goes elsewhere too, so that nothing can be lost here.
   */
  constructor(
    output: LineOutput,
    format: TextFormat,
    label: string,
    { isShown = false }: { isShown?: boolean } = {},
  ) {
    this.#output = output;
    this.#format = format;
    this.label = label;
    this.#isShown = isShown;
  }

  /** See {@link Sink.begin}. */
  begin({ context }: Source): void {
    this.#context = context;
  }

  /** See {@link Sink.take}. */
  take(handshake: Handshake): void {
    this.#format.take(handshake, this.#context!, this.#lines);
    this.#records++;
    if (this.#lines.length >= WRITE_LENGTH) this.flush();
  }

  /** Writes what was taken since the last time, as far as the format gave it. */
  flush(): void {
    if (this.#lines.length === 0) return;
    this.#output.write(this.#lines.take(), this.#records);
    this.#handedOn += this.#records;
    this.#records = 0;
  }

  /** How often its format wants to report. */
  get reportMs(): number | undefined {
    return this.#format.reportMs;
  }

  /** Writes what its format reports. */
  report(state: TraceState): void {
    this.flush();
    const written = this.#handedOn - this.#output.lost;
    this.#lines.text(this.#format.report?.(state, written) ?? "");
    this.flush();
  }

  /** See {@link Sink.hasten}. */
  hasten(): void {
    this.#output.hasten?.();
  }

  /** Writes what the format has behind the last handshake. */
  end(state: TraceState): void {
    this.#lines.text(this.#format.end(state));
    this.flush();
  }

  /** See {@link Sink.settle}. */
  async settle(): Promise<void> {
    await this.#output.flush();
  }

  /** Records that could not be written, and those that rotation removed, where it rotates. */
  get losses(): Losses {
    if (this.#isShown) return {};
    const { lost, rotatedAway } = this.#output;
    const rotated = rotatedAway === undefined ? {} : { rotated_records: rotatedAway };
    return { output_records: lost, ...rotated };
  }

  /** Whether records could not be written. */
  get failed(): boolean {
    return !this.#isShown && this.#output.lost > 0;
  }
}
