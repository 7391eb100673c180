/**
 * A second thread that makes the lines of NDJSON: half of the work of reading short connections.
 *
 * @module
 */
import type { Handshake } from "../match/handshake.ts";
import type { Field } from "../record/field.ts";
import type { RecordContext } from "../record/record_context.ts";
import {
  BatchEncoder,
  BatchWriter,
  type LineBatch,
  LINES_LENGTH,
  makeBatch,
} from "./line_batch.ts";

/** What the thread is told first. */
export interface LineSettings {
  /** Name of the host, as records carry it. */
  host: string;
  /** Paths of the fields that a line holds; undefined: every field. */
  fields: readonly string[] | undefined;
}

/** What it is asked: the lines of a batch, with the names of places that are new to it. */
export interface LineRequest {
  batch: LineBatch;
  names: readonly (readonly [place: number, name: string])[];
}

/**
 * What it says: once that it has begun, then of each batch in turn how many bytes of lines are there, or
 * the lines themselves where there was no room for them; or, as the last, why it has ended.
 */
export type LineAnswer = "begun" | number | Uint8Array | { failed: string };

/** What a `Worker` is to this module. */
export interface Thread {
  onmessage: ((event: MessageEvent<LineAnswer>) => void) | null;
  onerror: ((event: ErrorEvent) => void) | null;
  postMessage(message: LineSettings | LineRequest): void;
  terminate(): void;
}

/** Who gets the lines, and whom to tell that the thread has ended by itself. */
export interface LineThreadOptions {
  context: RecordContext;
  /** What a line holds; undefined: everything. */
  fields: readonly Field[] | undefined;
  /** Takes lines in the order of the handshakes. @param lines Valid only now. */
  onLines(lines: Uint8Array<ArrayBuffer>, records: number): void;
  /** Nothing more can be taken; the lines of all that was are made. @param reason In a few words. */
  onEnd(reason: string): void;
}

/**
 * Batches that there are at most: what it says is heard every 10 ms, in which this thread fills some
 * fifteen. Where all are in use it makes lines itself.
 */
const BATCHES_MAX = 32;

/** Lines that were made on this thread. */
interface MadeLines {
  made: Uint8Array<ArrayBuffer>;
  count: number;
}

/** Hands handshakes to a thread and gets their lines, in their order. Where it ends, it makes them itself. */
export class LineThread {
  readonly #thread: Thread;
  readonly #options: LineThreadOptions;
  readonly #encoder: BatchEncoder;
  readonly #writer: BatchWriter;
  #batches = 1;
  readonly #free: LineBatch[] = [];
  /** In their order: what was handed over, without an answer yet, and what was made here behind that. */
  readonly #pending: (LineBatch | MadeLines)[] = [];
  /** No output takes shared memory. */
  readonly #copy = new Uint8Array(LINES_LENGTH);
  readonly #told = new Set<number>();
  #names: [place: number, name: string][] = [];
  /** Who waits for lines, and for how many more of those pending. */
  #waiting: { left: number; resolve: () => void }[] = [];

  private constructor(thread: Thread, options: LineThreadOptions) {
    this.#thread = thread;
    this.#options = options;
    this.#encoder = new BatchEncoder(options.context, options.fields);
    this.#writer = new BatchWriter(makeBatch(), options.fields);
    thread.onmessage = ({ data }) => this.#hear(data);
    thread.onerror = (event) => {
      event.preventDefault();
      this.#endEarly(event.message);
    };
  }

  /**
   * Waits until a thread has begun, which takes some 30 ms.
   *
   * @param thread It, just made.
   * @throws {Error} It ended instead.
   */
  static async open(thread: Thread, options: LineThreadOptions): Promise<LineThread> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    thread.onmessage = ({ data }) => isFailure(data) ? reject(new Error(data.failed)) : resolve();
    thread.onerror = (event) => {
      event.preventDefault();
      reject(new Error(event.message));
    };
    const fields = options.fields?.map(({ path }) => path);
    thread.postMessage({ host: options.context.host, fields });
    await promise;
    return new LineThread(thread, options);
  }

  /**
   * Takes a handshake; nothing of the object is kept.
   *
   * @param asLine Whether its line is to be made now: the context holds for it alone.
   */
  take(handshake: Handshake, asLine: boolean): void {
    if (!asLine) {
      this.#tell(handshake.place);
      for (const place of handshake.interfaces) this.#tell(place);
    }
    this.#writer.take(handshake, this.#options.context, asLine);
    if (this.#writer.isFull) this.flush();
  }

  #tell(place: number): void {
    if (this.#told.has(place)) return;
    this.#told.add(place);
    const name = this.#options.context.interfaceName(place);
    if (name !== undefined) this.#names.push([place, name]);
  }

  /** Hands over what was taken since the last time. */
  flush(): void {
    if (this.#writer.isEmpty) return;
    const next = this.#free.pop() ?? this.#makeBatch();
    if (next === undefined) return this.#makeLines();
    const batch = this.#writer.exchange(next);
    this.#pending.push(batch);
    this.#thread.postMessage({ batch, names: this.#names });
    if (this.#names.length > 0) this.#names = [];
  }

  #makeBatch(): LineBatch | undefined {
    return this.#batches++ < BATCHES_MAX ? makeBatch() : undefined;
  }

  /** Does the thread's work for the batch at hand. */
  #makeLines(): void {
    const batch = this.#writer.exchange();
    const { count } = batch;
    this.#pending.push({ made: this.#encoder.encode(batch).slice(), count });
    batch.count = 0;
  }

  #hear(answer: LineAnswer): void {
    if (isFailure(answer)) return this.#endEarly(answer.failed);
    const batch = this.#shift() as LineBatch;
    if (typeof answer === "number") {
      this.#copy.set(batch.lines.subarray(0, answer));
      this.#options.onLines(this.#copy.subarray(0, answer), batch.count);
    } else this.#options.onLines(answer as Uint8Array<ArrayBuffer>, batch.count);
    batch.count = 0;
    this.#free.push(batch);
    for (
      let next = this.#pending[0];
      next !== undefined && "made" in next;
      next = this.#pending[0]
    ) {
      this.#options.onLines(next.made, next.count);
      this.#shift();
    }
  }

  /** Takes the first that was pending, whose lines are there. */
  #shift(): LineBatch | MadeLines | undefined {
    for (const waiting of this.#waiting) if (--waiting.left === 0) waiting.resolve();
    this.#waiting = this.#waiting.filter(({ left }) => left > 0);
    return this.#pending.shift();
  }

  /** Settles when the lines of all that was handed over until now have come; what comes then is not waited for. */
  async settle(): Promise<void> {
    const left = this.#pending.length;
    if (left === 0) return;
    await new Promise<void>((resolve) => this.#waiting.push({ left, resolve }));
  }

  #endEarly(reason: string): void {
    const { onLines, onEnd } = this.#options;
    this.flush();
    this.end();
    for (const part of this.#pending.splice(0)) {
      onLines("made" in part ? part.made : this.#encoder.encode(part), part.count);
    }
    onEnd(reason);
    for (const { resolve } of this.#waiting.splice(0)) resolve();
  }

  /** Ends the thread. */
  end(): void {
    this.#thread.onmessage = this.#thread.onerror = null;
    this.#thread.terminate();
  }
}

function isFailure(answer: LineAnswer): answer is { failed: string } {
  return typeof answer === "object" && "failed" in answer;
}
