/**
 * Handshakes as text: what a form of it is, NDJSON, and the sink that writes any form.
 *
 * @module
 */
import type { LineOutput } from "../files/stream_output.ts";
import type { Handshake } from "../match/handshake.ts";
import { NO_ROW } from "../match/options.ts";
import type { Losses } from "../pipeline/losses.ts";
import type { Sink, Source, TraceState } from "../pipeline/sink.ts";
import { ByteText } from "../text/byte_text.ts";
import type { RecordContext } from "../record/record_context.ts";
import type { LineThread, LineThreadOptions } from "./line_thread.ts";
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
  /** What it reads of a handshake; see {@link Sink.reads}. */
  readonly reads?: readonly string[];
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
  /** What a line holds; undefined: everything. */
  readonly fields: readonly Field[] | undefined;
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
    this.fields = fields &&
      FIELDS.filter((field) => ALWAYS.includes(field.path) || fields.includes(field));
    this.#encoder = new RecordEncoder(this.fields);
  }

  /** The fields that it writes. */
  get reads(): readonly string[] | undefined {
    return this.fields?.map(({ path }) => path);
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

/**
 * Handshakes after which another thread makes the lines: it takes 30 ms to begin and 20 MB, so what is
 * read sooner than that is not worth one.
 */
const ALONE_MAX = 4_096;

/** What a sink is told beside its output and format. */
export interface TextSinkOptions {
  /** Whether it only shows what goes elsewhere too, so that nothing can be lost here. */
  isShown?: boolean;
  /** Makes what makes the lines once there are many handshakes; undefined, or in the promise: nothing. */
  openThread?(options: LineThreadOptions): Promise<LineThread | undefined>;
}

/** Writes handshakes in a format. */
export class TextSink implements Sink {
  readonly label: string;
  readonly #output: LineOutput;
  readonly #format: TextFormat;
  readonly #lines = new ByteText(WRITE_LENGTH);
  #context: RecordContext | undefined;
  readonly #options: TextSinkOptions;
  #thread: LineThread | undefined;
  /** Those that were taken here, as long as a thread may still be worth it. */
  #taken = 0;
  #hasEnded = false;
  /** Those whose lines were not handed to the output yet. */
  #records = 0;
  /** Those that were. */
  #handedOn = 0;

  /**
   * Writes little before {@link flush}.
   *
   * @param label See {@link Sink.label}.
   */
  constructor(
    output: LineOutput,
    format: TextFormat,
    label: string,
    options: TextSinkOptions = {},
  ) {
    this.#output = output;
    this.#format = format;
    this.label = label;
    this.#options = options;
  }

  /** What its format reads. */
  get reads(): readonly string[] | undefined {
    return this.#format.reads;
  }

  /** See {@link Sink.begin}. */
  begin({ context }: Source): void {
    this.#context = context;
  }

  /** See {@link Sink.take}. */
  take(handshake: Handshake, row: number = NO_ROW): void {
    const isAlone = row === NO_ROW;
    if (this.#thread !== undefined) return this.#thread.take(handshake, isAlone);
    if (!isAlone && ++this.#taken === ALONE_MAX) this.#openThread();
    this.#format.take(handshake, this.#context!, this.#lines);
    this.#records++;
    if (this.#lines.length >= WRITE_LENGTH) this.flush();
  }

  async #openThread(): Promise<void> {
    const { openThread } = this.#options;
    if (!openThread || !(this.#format instanceof NdjsonFormat)) return;
    const thread = await openThread({
      context: this.#context!,
      fields: this.#format.fields,
      onLines: (lines, records) => {
        this.#output.write(lines, records);
        this.#handedOn += records;
      },
      onEnd: () => this.#thread = undefined,
    });
    if (this.#hasEnded) return thread?.end();
    // What is held here stands before all that it takes.
    this.flush();
    this.#thread = thread;
  }

  /** Writes what was taken since the last time, as far as the format gave it. */
  flush(): void {
    this.#thread?.flush();
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
    this.#hasEnded = true;
    this.#thread?.end();
    this.#thread = undefined;
    this.#lines.text(this.#format.end(state));
    this.flush();
  }

  /** See {@link Sink.settle}. */
  async settle(): Promise<void> {
    await this.#thread?.settle();
    await this.#output.flush();
  }

  /** Records that could not be written, and those that rotation removed, where it rotates. */
  get losses(): Losses {
    if (this.#options.isShown) return {};
    const { lost, rotatedAway } = this.#output;
    const rotated = rotatedAway === undefined ? {} : { rotated_records: rotatedAway };
    return { output_records: lost, ...rotated };
  }

  /** Whether records could not be written. */
  get failed(): boolean {
    return !this.#options.isShown && this.#output.lost > 0;
  }
}
