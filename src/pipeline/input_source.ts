/**
 * Files of either kind - captures, or records that were written before - as one source.
 *
 * @module
 */
import { countOf } from "../text/count.ts";
import type { CaptureReader } from "../pcap/capture_reader.ts";
import type { CaptureFault } from "../pcap/captured_packet.ts";
import { CurrentContext, type RecordContext } from "../record/record_context.ts";
import type { RecordReader } from "../record/record_reader.ts";
import { FileSource, type FileSourceOptions, type Silence } from "./file_source.ts";
import { addLosses } from "./losses.ts";
import type { OpenDecoding, RecordSource, UnknownParts } from "./record_source.ts";
import type { Source, SourceCounters, TraceSpan } from "./sink.ts";

/** What to read of the files, and where to. */
export interface InputSourceOptions extends FileSourceOptions {
  /** Whether a handshake that two hosts recorded counts once; absent: each record counts. */
  countsOnce?: boolean;
  /**
   * Begins a thread that decodes records; absent: there is none.
   *
   * @internal
   */
  openThread?: OpenDecoding;
  /** Why records are of no use here, as the end of a sentence; absent: they are taken. */
  refusal?: string;
}

/** What a file holds. */
export type Held = "packets" | "records";

/** Files in their order. What each one holds, its first bytes tell. */
export class InputSource implements Source {
  readonly context: RecordContext;
  readonly #options: Omit<InputSourceOptions, "refusal">;
  readonly #captures: FileSource;
  #records: RecordSource | undefined;
  /** See {@link InputSourceOptions.refusal}. */
  readonly refusal: string | undefined;
  readonly #held = new Set<Held>();

  /** Reads nothing yet. */
  constructor({ refusal, ...options }: InputSourceOptions) {
    this.#options = options;
    this.#captures = new FileSource(options);
    this.refusal = refusal;
    const captures = this.#captures.context;
    this.context = new CurrentContext(() => this.#records?.atHand ?? captures);
    options.pipeline.begin(this);
  }

  /** See {@link Source.epochSeconds}. */
  get epochSeconds(): number {
    return this.#captures.epochSeconds;
  }

  /** See {@link Source.interfaceInFile}. */
  interfaceInFile(place: number): string | undefined {
    return this.#captures.interfaceInFile(place);
  }

  /** See {@link Source.hidesData}. */
  hidesData(place: number): boolean {
    return this.#captures.hidesData(place);
  }

  /** Packets and records read so far. */
  get items(): number {
    return this.#captures.packets + (this.#records?.records ?? 0);
  }

  /** How much was read: `3 packets were read`, of packets where the files hold both, or nothing. */
  describeRead(): string {
    const holdsRecords = this.#held.size > 0 && !this.#held.has("packets");
    return holdsRecords
      ? countOf(this.items, "record was read", "records were read")
      : countOf(this.items, "packet was read", "packets were read");
  }

  /** Whether nothing more is needed: set by who has enough. */
  get done(): boolean {
    return this.#captures.done;
  }

  set done(isDone: boolean) {
    this.#captures.done = isDone;
    if (this.#records) this.#records.done = isDone;
  }

  /** How often the clock of the host that captured was set back. */
  get clockSteps(): number {
    return this.#captures.clockSteps;
  }

  /** Captures that begin before what was read before them ends. */
  get earlyFiles(): number {
    return this.#captures.earlyFiles;
  }

  /**
   * Begins with the next file.
   *
   * @param held What it holds, where that is known. @param isWhole See {@link RecordSource.beginFile}.
   * @returns What takes its bytes.
   */
  beginFile(held?: Held, isWhole?: boolean): InputReader {
    return new InputReader(this.#captures.beginFile(), () => this.#beginRecords(isWhole), {
      held,
      refusal: this.refusal,
      onKnown: (held) => this.#held.add(held),
    });
  }

  /** Begins with the next file, one that holds records whatever its first bytes are. */
  async beginRecords(): Promise<RecordReader> {
    this.#held.add("records");
    return await this.#beginRecords();
  }

  /** What takes records is loaded for the first file that holds some: 2 ms of each start. */
  async #beginRecords(isWhole = false): Promise<RecordReader> {
    if (this.#records === undefined) {
      const path = import.meta.resolve("./record_source.ts");
      const { RecordSource }: typeof import("./record_source.ts") = await import(path);
      this.#records = new RecordSource({ countsOnce: false, ...this.#options });
      this.#records.done = this.done;
    }
    return this.#records.beginFile(isWhole);
  }

  /** Reports what is complete though nothing more came; see {@link FileSource.rest}. */
  rest(silence?: Silence): void {
    this.#captures.rest(silence);
  }

  /** Reports everything that is under way: nothing more is read. */
  conclude(): void {
    this.#captures.conclude();
    this.#records?.conclude();
  }

  /** What the records have that this version does not know. */
  unknown(): UnknownParts {
    return this.#records?.unknown() ?? { names: new Set(), version: undefined };
  }

  /** See {@link Source.counters}. */
  counters(): SourceCounters {
    if (this.#records === undefined) return this.#captures.counters();
    const records = this.#records.counters();
    if (!this.#held.has("packets")) return records;
    const captures = this.#captures.counters();
    return {
      ...captures,
      span: joinSpans(captures.span, records.span),
      losses: addLosses(captures.losses, records.losses),
    };
  }
}

/** From the start of the earlier to the end of the later, on the axis of the first. */
function joinSpans(one: TraceSpan, other: TraceSpan): TraceSpan {
  const movedNs = (other.epochSeconds - one.epochSeconds) * 1e9;
  return {
    epochSeconds: one.epochSeconds,
    startNs: Math.min(one.startNs, other.startNs + movedNs),
    endNs: Math.max(one.endNs, other.endNs + movedNs),
  };
}

/** The first byte of a record, and of a mark that some programs put before UTF-8. */
const BRACE = "{".charCodeAt(0);
const BYTE_ORDER_MARK = 0xef;
/** What may stand between JSON texts (RFC 8259 section 2). */
const BLANKS = [..." \t\n\r"].map((blank) => blank.charCodeAt(0));
/** The first bytes of a pcapng file: the name of its first block. */
const PCAPNG = [..."\n\r\r\n"].map((blank) => blank.charCodeAt(0));

/** Takes the bytes of one file, in the buffer of the capture reader whatever they are. */
export class InputReader {
  readonly #captures: CaptureReader;
  readonly #beginRecords: () => Promise<RecordReader>;
  readonly #refusal: string | undefined;
  readonly #onKnown: (held: Held) => void;
  #held: Held | undefined;
  #records: RecordReader | undefined;
  #fault: CaptureFault | undefined;

  /**
   * Knows nothing of the file yet.
   *
   * @param beginRecords Makes what takes its bytes where it holds records.
   * @param options `held`: what it holds, where that is known; `refusal`: see
   * {@link InputSourceOptions}; `onKnown`: told what it holds.
   */
  constructor(
    captures: CaptureReader,
    beginRecords: () => Promise<RecordReader>,
    options: { held?: Held; refusal: string | undefined; onKnown: (held: Held) => void },
  ) {
    this.#captures = captures;
    this.#beginRecords = beginRecords;
    this.#refusal = options.refusal;
    this.#onKnown = options.onKnown;
    if (options.held !== undefined) this.#know(options.held);
  }

  /** What the file holds; undefined before its first bytes came. */
  get held(): Held | undefined {
    return this.#held;
  }

  /** Why the file cannot be read further. */
  get fault(): CaptureFault | undefined {
    return this.#held === "records" ? this.#fault : this.#captures.fault;
  }

  /** Where the next bytes of the file can be read into; see {@link CaptureReader.room}. */
  room(): Uint8Array<ArrayBuffer> {
    return this.#captures.room();
  }

  /**
   * Takes the bytes put into the {@link room}.
   *
   * @param length How many were put there.
   * @returns Of the first records a promise, to be waited for: what takes those is loaded.
   */
  take(length: number): Promise<void> | undefined {
    if (this.#held === undefined && length > 0) this.#know(heldBy(this.room().subarray(0, length)));
    if (this.#held !== "records") this.#captures.take(length);
    else if (this.#fault === undefined) return this.#takeRecords(this.room().subarray(0, length));
    return undefined;
  }

  #know(held: Held): void {
    this.#held = held;
    this.#onKnown(held);
    if (held === "records" && this.#refusal !== undefined) {
      this.#fault = { byteOffset: 0, reason: this.#refusal };
    }
  }

  #takeRecords(bytes: Uint8Array<ArrayBuffer>): Promise<void> | undefined {
    if (this.#records === undefined) {
      return this.#beginRecords().then((records) => (this.#records = records).feed(bytes));
    }
    this.#records.feed(bytes);
    return undefined;
  }

  /** Takes bytes from elsewhere, any number. @returns As of {@link take}, to be waited for. */
  feed(bytes: Uint8Array): Promise<void> | undefined {
    for (let at = 0; at < bytes.length;) {
      const room = this.room();
      const part = bytes.subarray(at, at + room.length);
      room.set(part);
      at += part.length;
      const loading = this.take(part.length);
      if (loading !== undefined) return loading.then(() => this.feed(bytes.subarray(at)));
    }
    return undefined;
  }

  /** See {@link RecordReader.catchUp}. */
  catchUp(): void {
    this.#records?.catchUp();
  }

  /** Tells that the file ends here. */
  end(): void {
    if (this.#held === "records") this.#records?.end();
    else this.#captures.end();
  }

  /** See {@link RecordReader.describeRefused}. */
  describeRefused(): string | undefined {
    return this.#records?.describeRefused();
  }
}

/** What a file holds that begins with some bytes: blank lines may stand before records. */
function heldBy(begin: Uint8Array): Held {
  // Those of a pcapng file are ends of lines too.
  if (PCAPNG.every((byte, at) => at >= begin.length || begin[at] === byte)) return "packets";
  const first = begin.find((byte) => !BLANKS.includes(byte));
  return first === undefined || first === BRACE || first === BYTE_ORDER_MARK
    ? "records"
    : "packets";
}
