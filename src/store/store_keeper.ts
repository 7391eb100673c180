import { messageOf } from "../text/message.ts";
import { chooseRemoved, type Keeping } from "./kept_segments.ts";
import { removeIfThere, UNFINISHED } from "./seal.ts";
import type { SealAnswer, SealRequest } from "./seal_worker.ts";
import { endOfHourMs, parseSegmentName, plainOfMade, SEALED } from "./segment_name.ts";
import { listSegments, type Segment } from "./store_folder.ts";

/** What a keeper looks after, and who hears of it. */
export interface StoreKeeperOptions {
  folder: string;
  /** This host, as its segments name it; those of others are not touched. */
  host: string;
  /** This run of the tool. */
  tracer: string;
  keeping: Keeping;
  /** Says in one sentence what happens to the store. */
  onChange(sentence: string): void;
  /** Now, milliseconds of Unix time. */
  nowMs?(): number;
}

/** How often it looks, and how long after an hour's end nobody writes to its segments any more. */
const LOOK_MS = 60_000;
/** A file that is being compressed grows; one that did not for so long was left by a crash. */
const FORSAKEN_MS = 10 * 60_000;

/**
 * Seals the hours of a store that are over, those of tracers that have ended included, and removes what
 * is older, or takes more room, than is to be kept. Works beside the trace, once a minute.
 */
export class StoreKeeper {
  readonly #options: StoreKeeperOptions;
  readonly #nowMs: () => number;
  readonly #timer: ReturnType<typeof setInterval>;
  #tending: Promise<void> | undefined;
  #isClosed = false;
  /** Ends the sealing that is under way. */
  #stopSealing = () => {};
  /** What could not be done was said, and was not done since. */
  #saidFault = false;
  #saidRoom = false;

  /** Begins at once. */
  constructor(options: StoreKeeperOptions) {
    this.#options = options;
    this.#nowMs = options.nowMs ?? Date.now;
    this.#timer = setInterval(() => this.tend(), LOOK_MS);
    Deno.unrefTimer(this.#timer);
    this.tend();
  }

  /** Does what is to be done now. @returns Settles when it is done, and never fails. */
  tend(): Promise<void> {
    return this.#tending ??= this.#tend()
      .then(() => this.#saidFault = false, (error) => this.#sayFault(messageOf(error)))
      .then(() => this.#tending = undefined);
  }

  async #tend(): Promise<void> {
    this.#removeForsaken();
    // What is removed need not be compressed before.
    this.#removeOld();
    for (const segment of this.#own()) {
      const isOver = this.#nowMs() >= endOfHourMs(segment.hour) + LOOK_MS;
      if (this.#isClosed || segment.isSealed || !isOver) continue;
      const reason = await this.#sealBeside(segment.path);
      // Another trace of this host may have sealed it meanwhile.
      if (reason !== undefined && !this.#isClosed && statIfThere(segment.path) !== undefined) {
        throw new Error(`"${segment.path}" cannot be compressed: ${reason}`);
      }
      this.#removeOld();
    }
  }

  #own(): Segment[] {
    return listSegments(this.#options.folder).filter(({ host }) => host === this.#options.host);
  }

  #removeOld(): void {
    const { keeping, folder, onChange } = this.#options;
    const sized = this.#own().map((segment) => ({ ...segment, bytes: bytesOf(segment) }));
    const removed = chooseRemoved(sized, keeping, this.#nowMs());
    // What was made for it first: alone that would be nobody's.
    for (const segment of removed) filesOf(segment).toReversed().forEach(removeIfThere);
    const rest = sized.reduce((sum, { bytes }) => sum + bytes, 0) -
      removed.reduce((sum, { bytes }) => sum + bytes, 0);
    const isTooMuch = rest > (keeping.bytes ?? Infinity);
    if (isTooMuch && !this.#saidRoom) {
      onChange(
        `"${folder}" takes more than --keep-size: nothing in it is older than the hour being written`,
      );
    }
    this.#saidRoom = isTooMuch;
  }

  /**
   * Removes what those left who were killed: what they had begun to compress, a segment that is compressed
   * already, and what DuckDB made of a segment that was removed meanwhile.
   */
  #removeForsaken(): void {
    const { folder, host } = this.#options;
    const names = new Set([...Deno.readDirSync(folder)].map(({ name }) => name));
    for (const name of names) {
      const path = `${folder}/${name}`;
      if (name.startsWith(UNFINISHED)) {
        const changed = statIfThere(path)?.mtime?.getTime() ?? Infinity;
        if (this.#nowMs() - changed > FORSAKEN_MS) removeIfThere(path);
        continue;
      }
      const plain = plainOfMade(name) ?? name;
      const isOwn = parseSegmentName(plain)?.host === host;
      const isMade = plain !== name;
      const isSealed = names.has(plain + SEALED);
      if (isOwn && (isMade ? !isSealed && !names.has(plain) : isSealed)) removeIfThere(path);
    }
  }

  /** @returns Why it could not be sealed; undefined where it is. */
  async #sealBeside(path: string): Promise<string | undefined> {
    const worker = new Worker(import.meta.resolve("./seal_worker.ts"), { type: "module" });
    const { promise, resolve } = Promise.withResolvers<string | undefined>();
    this.#stopSealing = () => resolve("the trace has ended");
    worker.onmessage = ({ data }: MessageEvent<SealAnswer>) => resolve(data.reason);
    worker.onerror = (event) => {
      event.preventDefault();
      resolve(event.message);
    };
    const request: SealRequest = { path, sealer: this.#options.tracer };
    worker.postMessage(request);
    try {
      return await promise;
    } finally {
      worker.terminate();
    }
  }

  #sayFault(reason: string): void {
    const { folder, onChange } = this.#options;
    if (!this.#saidFault) onChange(`Cannot look after "${folder}": ${reason}; it is tried again`);
    this.#saidFault = true;
  }

  /** Ends. What was not sealed is by the next trace. */
  async close(): Promise<void> {
    this.#isClosed = true;
    clearInterval(this.#timer);
    this.#stopSealing();
    await this.#tending;
    const { folder, tracer } = this.#options;
    for (const { name } of listIfThere(folder)) {
      if (name.startsWith(`${UNFINISHED}${tracer}.`)) removeIfThere(`${folder}/${name}`);
    }
  }
}

function filesOf({ path, madePaths }: Segment): string[] {
  return [path, ...madePaths];
}

function bytesOf(segment: Segment): number {
  return filesOf(segment).reduce((sum, path) => sum + (statIfThere(path)?.size ?? 0), 0);
}

function statIfThere(path: string): Deno.FileInfo | undefined {
  try {
    return Deno.lstatSync(path);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}

function listIfThere(folder: string): Deno.DirEntry[] {
  try {
    return [...Deno.readDirSync(folder)];
  } catch {
    return [];
  }
}
