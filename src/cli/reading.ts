/**
 * Reads files and stores into a pipeline, for every command that takes some.
 *
 * @module
 */
import { countOf } from "../text/count.ts";
import { messageOf } from "../text/message.ts";
import type { HeldInput } from "../files/held_input.ts";
import { CaptureInput } from "../files/capture_input.ts";
import { InputError } from "../files/input_error.ts";
import { fileAt } from "../files/same_file.ts";
import type { DecodingOptions, DecodingThread } from "../pipeline/decoding_thread.ts";
import type { Held, InputReader, InputSource } from "../pipeline/input_source.ts";
import type { Pipeline } from "../pipeline/pipeline.ts";
import type { HourRange } from "../store/store_folder.ts";
import { STANDARD_INPUT } from "./flags/read_options.ts";
import type { ProgressLine } from "./process/progress_line.ts";
import { sayNote } from "./process/terminal.ts";

/** How long reading goes on before signals are heard, the output is waited for and progress is shown. */
export const TURN_MS = 10;
const PROGRESS_INTERVAL_MS = 250;
/** How long a pipe may be silent before what has ended is reported, and how often that is looked at. */
const PATIENCE_MS = 200;

/** Says which times of the packets are out of order, a line each; "" where none are. */
export function describeTimes({ clockSteps, earlyFiles }: InputSource): string {
  const steps = clockSteps === 1 ? "once" : `${clockSteps} times`;
  const files = countOf(earlyFiles, "file begins", "files begin");
  return (clockSteps === 0
    ? ""
    : `the capturing host's clock was set back ${steps}: handshakes across that give no durations\n`) +
    (earlyFiles === 0
      ? ""
      : `${files} before what was read before ends: handshakes across are told in parts; ` +
        "give files in the order of their times, or make one of them by mergecap\n");
}

/** Says once what later versions of this tool put into the records. */
export function sayUnknown(source: InputSource): void {
  const { names, version } = source.unknown();
  if (names.size === 0 && version === undefined) return;
  const newer = version === undefined ? "" : `records of version ${version} were read; `;
  const list = [...names].map((name) => `"${name}"`).join(", ");
  const was = names.size > 1
    ? "are unknown to this version, and were"
    : "is unknown to this version, and was";
  sayNote(`${newer}${list === "" ? "nothing" : list} in them ${was} skipped`);
}

/** Says what an interruption left unread, if anything. */
export function sayInterruption(reading: Reading): void {
  const interrupted = reading.describeInterruption();
  if (interrupted !== undefined) sayNote(`${interrupted}: what follows there is left out`);
}

/** Begins a thread that decodes records; undefined where there is no second processor, or it cannot begin. */
export async function openDecoding(options: DecodingOptions): Promise<DecodingThread | undefined> {
  if (navigator.hardwareConcurrency < 2) return undefined;
  const sayEnd = (reason: string) =>
    sayNote(`the second thread has ended (${reason}); the first does its work`);
  try {
    const { DecodingThread }: typeof import("../pipeline/decoding_thread.ts") = await import(
      import.meta.resolve("../pipeline/decoding_thread.ts")
    );
    const path = import.meta.resolve("../pipeline/decoding_worker.ts");
    return await DecodingThread.open(new Worker(path, { type: "module" }), options, sayEnd);
  } catch (error) {
    // Such as of who may read the records alone, and load nothing.
    sayEnd(messageOf(error).split("\n")[0]);
  }
}

/** Whether more is waited for at the end of a file: of the one that was opened, or that has the name. */
type Follow = boolean | "by name";

/** The reading of files into a source, which can be interrupted. */
export class Reading {
  readonly #source: InputSource;
  readonly #pipeline: Pipeline;
  readonly #progress: ProgressLine;
  readonly #hours: HourRange;
  /** Settles when what was handed on is written. */
  #written: Promise<unknown> = Promise.resolve();
  #interrupted = false;
  /** Where an interruption left something unread first. */
  #unread: string | undefined;
  /** Ends the waiting for what may never come. */
  #interrupt = () => {};
  /** What became of a file that is followed by its name. */
  #change: "cut" | "replaced" | undefined;

  /**
   * Reads nothing yet; what the pipeline holds is written as it goes on, `ended` interrupts it, and
   * `progress` shows how far it is. Of a store only these hours are read.
   */
  constructor(
    source: InputSource,
    pipeline: Pipeline,
    ended: Promise<void>,
    progress: ProgressLine,
    hours: HourRange = {},
  ) {
    this.#source = source;
    this.#pipeline = pipeline;
    this.#progress = progress;
    this.#hours = hours;
    ended.then(() => {
      this.#interrupted = true;
      // A reader that takes nothing is no reason to wait for ever.
      pipeline.hasten();
      this.#interrupt();
    });
  }

  /** Whether nothing more is to be read. */
  get isOver(): boolean {
    return this.#interrupted || this.#source.done;
  }

  /**
   * Says where an interruption left something unread, as the begin of a sentence; undefined where it did
   * not. Nobody knows what a pipe would still have brought.
   */
  describeInterruption(): string | undefined {
    return this.#unread && `interrupted ${this.#unread}`;
  }

  /**
   * Reads a file, or the segments of a store. Once it was interrupted it reads nothing.
   *
   * @param follow Whether more is waited for behind what is there.
   * @returns One sentence for the user where it could not be read to its end.
   */
  async read(path: string, follow: boolean): Promise<string | undefined> {
    if (!fileAt(path)?.isDirectory) return await this.#readFile(path, follow);
    if (follow) return await this.#followStore(path);
    const { storeSegments }: typeof import("../store/store_folder.ts") = await import(
      import.meta.resolve("../store/store_folder.ts")
    );
    const faults: string[] = [];
    try {
      for (const segment of storeSegments(path, this.#hours)) {
        if (this.#source.done) break;
        const fault = await this.#readFile(segment.path, false, "records");
        if (fault !== undefined) faults.push(fault);
      }
    } catch (error) {
      if (!(error instanceof InputError)) throw error;
      return `Cannot read "${path}": ${error.message}`;
    }
    const more = faults.length > 1 ? `, and ${faults.length - 1} more of that folder` : "";
    return faults.length > 0 ? faults[0] + more : undefined;
  }

  /**
   * Reads a file and goes on with the records that are added to it, and with what has its name later: as
   * `tail -F`. A capture is read to its end, where what is under way ends too; so is what cannot grow.
   *
   * @param onChange Takes one sentence where the file became shorter, or another one has its name.
   * @returns As {@link read}.
   */
  async readOn(file: string, onChange: (sentence: string) => void): Promise<string | undefined> {
    if (fileAt(file)?.isDirectory) return await this.#followStore(file);
    for (;;) {
      this.#change = undefined;
      const fault = await this.#readFile(file, "by name");
      if (this.#change === undefined || this.isOver) return fault;
      if (fault !== undefined) onChange(fault);
      onChange(
        this.#change === "cut"
          ? `"${file}" was cut short; it is read from its start`
          : `"${file}" is another file by now, which is read`,
      );
    }
  }

  async #followStore(folder: string): Promise<string | undefined> {
    const { followStore }: typeof import("./follow_store.ts") = await import(
      import.meta.resolve("./follow_store.ts")
    );
    return await followStore({
      folder,
      hours: this.#hours,
      source: this.#source,
      isOver: () => this.isOver,
      handOn: () => this.#handOn(),
      settle: () => this.#unlessEnded(this.#pipeline.settle()),
      idle: (coming) => this.#idle(coming),
    });
  }

  /** Reads what is held of a file, or of standard input, from its start. @returns As {@link read}. */
  async readHeld(file: string, held: HeldInput): Promise<string | undefined> {
    return await this.#readFile(file, false, undefined, () => CaptureInput.reopen(held));
  }

  async #readFile(
    file: string,
    follow: Follow,
    held?: Held,
    open = () => CaptureInput.open(file === STANDARD_INPUT ? undefined : file),
  ): Promise<string | undefined> {
    const name = file === STANDARD_INPUT ? "standard input" : `"${file}"`;
    try {
      using input = this.#interrupted ? undefined : await this.#unlessEnded(open());
      if (input === undefined) {
        // Nobody knows whether a pipe would have brought anything.
        if (fileAt(file)?.isFile) this.#unread ??= `before ${name}`;
        return undefined;
      }
      if (follow === true && !input.canGrow) {
        return `Cannot follow ${name}: it is compressed or no regular file; read it without --follow`;
      }
      return await this.#readInput(input, name, follow && input.canGrow && follow, file, held);
    } catch (error) {
      if (!(error instanceof InputError)) throw error;
      return `Cannot read ${name}: ${error.message}`;
    } finally {
      this.#progress.clear();
    }
  }

  async #readInput(
    input: CaptureInput,
    name: string,
    follow: Follow,
    file: string,
    held: Held | undefined,
  ): Promise<string | undefined> {
    const reader = this.#source.beginFile(held, input.isRegular && !follow);
    const showProgress = this.#progressOf(input, reader);
    let turnMs = performance.now();
    while (!this.isOver && reader.fault === undefined) {
      const nowMs = performance.now();
      const isTurn = nowMs - turnMs >= TURN_MS;
      if (isTurn) {
        turnMs = nowMs;
        await this.#handOn();
        if (!follow) await showProgress(nowMs);
      }
      const reading = input.read(reader.room(), isTurn);
      const count = typeof reading === "number"
        ? reading
        : await (input.isRegular ? reading : this.#idle(reading));
      if (count === undefined) break;
      if (count > 0) {
        const loading = reader.take(count);
        if (loading !== undefined) await loading;
        continue;
      }
      const isFollowed = follow === true || follow === "by name" && reader.held !== "packets";
      if (isFollowed && await this.#awaitMore(input, follow, file)) continue;
      reader.end();
      break;
    }
    reader.catchUp();
    if (!follow) this.#noteUnread(input, name);
    await this.#handOn();
    return describeFault(reader, input, name);
  }

  /** What shows how far a file is read, as often as it is worth looking at. */
  #progressOf(input: CaptureInput, reader: InputReader): (nowMs: number) => Promise<void> {
    const itemsBefore = this.#source.items;
    const beginMs = performance.now();
    let shownMs = beginMs;
    return async (nowMs) => {
      if (nowMs - shownMs < PROGRESS_INTERVAL_MS) return;
      shownMs = nowMs;
      // What is written later would stand behind it on its line.
      await this.#written;
      const { formatProgress }: typeof import("./read_progress.ts") = await import(
        import.meta.resolve("./read_progress.ts")
      );
      this.#progress.show(formatProgress({
        bytes: input.bytesRead,
        totalBytes: input.totalBytes,
        items: this.#source.items - itemsBefore,
        held: reader.held ?? "packets",
        elapsedMs: nowMs - beginMs,
      }));
    };
  }

  /**
   * Waits behind the last byte of a file that is followed.
   *
   * @returns Whether reading goes on with it: not where it was cut short, or another one has its name.
   */
  async #awaitMore(input: CaptureInput, follow: Follow, file: string): Promise<boolean> {
    this.#source.rest();
    await this.#unlessEnded(this.#pipeline.settle());
    if (follow === true) {
      await this.#idle(input.grown());
      return true;
    }
    const change = await this.#idle(input.changed(file));
    if (change === undefined || change === "grown") return true;
    this.#change = change;
    return false;
  }

  #noteUnread({ bytesRead, totalBytes = 0 }: CaptureInput, name: string): void {
    if (!this.#interrupted || this.#source.done || bytesRead >= totalBytes) return;
    const [read, total] = [bytesRead, totalBytes].map((bytes) => (bytes / 1e6).toFixed(1));
    this.#unread = `after ${read} of ${total} MB of ${name}`;
  }

  /** Waits for what comes next, undefined where it was interrupted; what has ended is reported. */
  async #idle<T>(coming: Promise<T>): Promise<T | undefined> {
    this.#pipeline.flush();
    const sinceMs = Date.now();
    let silentMs = 0;
    let lookedMs = performance.now();
    const timer = setInterval(() => {
      const nowMs = performance.now();
      // What was stopped meanwhile, or busy, could not read what came.
      silentMs += Math.min(nowMs - lookedMs, 2 * PATIENCE_MS);
      lookedMs = nowMs;
      this.#source.rest({ sinceMs, ns: silentMs * 1e6 });
    }, PATIENCE_MS);
    try {
      return await this.#unlessEnded(coming);
    } finally {
      clearInterval(timer);
    }
  }

  /**
   * Waits for something, undefined where it was interrupted. A race with the promise of the end would
   * leave something behind in it each time.
   */
  #unlessEnded<T>(coming: Promise<T>): Promise<T | undefined> {
    return new Promise((resolve, reject) => {
      this.#interrupt = () => resolve(undefined);
      if (this.#interrupted) this.#interrupt();
      coming.then(resolve, reject);
    });
  }

  /** Hands on what was reported. It is written while reading goes on, which waits for it the next time. */
  async #handOn(): Promise<void> {
    this.#pipeline.flush();
    await this.#unlessEnded(this.#written);
    this.#written = this.#pipeline.settle();
  }
}

/** Why a file could not be read to its end, in one sentence; undefined where it could. */
function describeFault(reader: InputReader, input: CaptureInput, name: string): string | undefined {
  const refused = reader.describeRefused();
  if (refused !== undefined) return `Cannot read all of ${name}: ${refused}`;
  const { fault } = reader;
  if (fault === undefined) return undefined;
  const inside = input.isCompressed ? " of what it decompresses to" : "";
  // What is nothing from its start on is no matter of bytes.
  const where = fault.byteOffset === 0 && inside === ""
    ? ""
    : ` from byte ${fault.byteOffset}${inside} on`;
  return `Cannot read ${name}${where}: ${fault.reason}`;
}
