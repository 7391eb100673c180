import { countOf } from "../text/count.ts";
import { closeDescriptor } from "../files/descriptor.ts";
import { FileOutput } from "../files/file_output.ts";
import { openForWriting } from "../files/open_file.ts";
import type { LineOutput, Lines } from "../files/stream_output.ts";
import { messageOf } from "../text/message.ts";
import type { Keeping } from "./kept_segments.ts";
import { formatSegmentName, hourOf, parseSegmentName } from "./segment_name.ts";
import { StoreKeeper } from "./store_keeper.ts";

/** Where segments are written, and by whom. */
export interface SegmentOutputOptions {
  /** The folder, which is made where it is not there. */
  folder: string;
  /** This host: its id, or its name where it has none. */
  host: string;
  /** This run of the tool. */
  tracer: string;
  keeping: Keeping;
  /** Says in one sentence what happens to the store. */
  onChange(sentence: string): void;
  /** Now, milliseconds of Unix time. */
  nowMs?(): number;
}

/** Records tell who talks to whom: they are for the owner and the group. */
const FOLDER_MODE = 0o750;
/** How long a segment that could not be begun is not tried again. */
const RETRY_MS = 1_000;

/** Lines to the segments of a store: to one file in each hour. */
export class SegmentOutput implements LineOutput {
  readonly #options: SegmentOutputOptions;
  readonly #nowMs: () => number;
  readonly #keeper: StoreKeeper;
  #hour = "";
  #file: FileOutput | undefined;
  /** Records that earlier segments, or none, could not take. */
  #lostBefore = 0;
  #failedMs = -Infinity;
  #saidFault = false;

  /** @throws {Error} The folder cannot be made or written; its message is the reason alone. */
  constructor(options: SegmentOutputOptions) {
    this.#options = options;
    this.#nowMs = options.nowMs ?? Date.now;
    makeFolder(options.folder);
    this.#hour = hourOf(this.#nowMs());
    this.#file = this.#open();
    const name = parseSegmentName(this.#name())!;
    this.#keeper = new StoreKeeper({ ...options, host: name.host });
  }

  /** See {@link LineOutput.lost}. */
  get lost(): number {
    return this.#lostBefore + (this.#file?.lost ?? 0);
  }

  /** Takes some whole lines; see {@link LineOutput.write}. */
  write(lines: Lines, records: number): void {
    const hour = hourOf(this.#nowMs());
    // An hour that was over stays so, whatever becomes of the clock: it may be sealed.
    if (hour > this.#hour || this.#file === undefined) this.#begin(hour);
    if (this.#file) this.#file.write(lines, records);
    else this.#lostBefore += records;
  }

  #begin(hour: string): void {
    if (performance.now() - this.#failedMs < RETRY_MS) return;
    this.#close();
    if (hour > this.#hour) this.#hour = hour;
    const { onChange } = this.#options;
    try {
      this.#file = this.#open();
    } catch (error) {
      this.#failedMs = performance.now();
      if (!this.#saidFault) {
        onChange(
          `Cannot begin "${this.#path()}": ${messageOf(error)}; records are lost until it works`,
        );
      }
      this.#saidFault = true;
      return;
    }
    if (this.#saidFault) {
      onChange(
        `Writing "${this.#path()}" now; ${
          countOf(this.#lostBefore, "record was", "records were")
        } lost`,
      );
    }
    this.#saidFault = false;
  }

  #open(): FileOutput {
    const opened = openForWriting(this.#path());
    if (opened.kind === "file") {
      const hour = this.#hour;
      // Of an hour that is over it was compressed, or removed for its age: what comes next stands in another.
      const isNow = () => hourOf(this.#nowMs()) <= hour;
      return new FileOutput(opened, undefined, this.#options.onChange, isNow);
    }
    if (opened.fd !== undefined) closeDescriptor(opened.fd);
    throw new Error("it is no regular file");
  }

  #name(): string {
    return formatSegmentName({ ...this.#options, hour: this.#hour });
  }

  #path(): string {
    return `${this.#options.folder}/${this.#name()}`;
  }

  #close(): void {
    if (this.#file === undefined) return;
    this.#lostBefore += this.#file.lost;
    this.#file[Symbol.dispose]();
    this.#file = undefined;
  }

  /** Goes on in the file that has the path now, or in a new one. */
  reopen(): void {
    this.#file?.reopen();
  }

  /** Sees to it that what comes last stands in the folder. */
  hasten(): void {
    this.reopen();
  }

  /** Nothing waits here: every write is done when it returns. */
  async flush(): Promise<void> {}

  /** Closes the segment, and ends what looks after the others. */
  async close(): Promise<void> {
    this.#close();
    await this.#keeper.close();
  }
}

function makeFolder(folder: string): void {
  try {
    Deno.mkdirSync(folder, { mode: FOLDER_MODE });
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) {
      throw new Error("the folder that it would be in is not there");
    }
    if (!(error instanceof Deno.errors.AlreadyExists)) throw error;
    if (!Deno.statSync(folder).isDirectory) throw new Error("it is no folder");
  }
}
