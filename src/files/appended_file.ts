import { countOf } from "../text/count.ts";
import { messageOf } from "../text/message.ts";
import { closeDescriptor } from "./descriptor.ts";
import { type OpenedFile, openForWriting } from "./open_file.ts";
import { fileAt, isOneFile } from "./same_file.ts";

/** What is written to a file, and who hears of its troubles. */
export interface AppendedFileOptions {
  /** What is counted: records, packets. */
  unit: "record" | "packet";
  /** Of some bytes, the whole units at their start. */
  whole(bytes: Uint8Array): { length: number; count: number };
  /** Says in one sentence what has happened to the file. */
  onChange(sentence: string): void;
  /** What is written before the next unit where a torn one could not be cut off. */
  endOfTorn?: Uint8Array<ArrayBuffer>;
  /** Whether nothing can be read of a file that lacks its start. */
  needsBegin: boolean;
  /**
   * Looks at a file before it is written to, by a path that leads to no other.
   *
   * @returns Whether it ends inside a unit.
   * @throws {Error} Nothing can be appended to it.
   */
  endsTorn(path: string): boolean;
  /** Called when the path leads to another file than the one written, or it was emptied. */
  onStale(): void;
}

/** How often the path is looked at, and how soon again where nothing is there: it may be on its way. */
const LOOK_INTERVAL_MS = 500;
const SECOND_LOOK_MS = 100;

/**
 * A regular file that grows at its end by whole units, whatever others do to it: what a full disk
 * tore is cut off; when it was renamed, removed, replaced or emptied, {@link renew} begins it anew.
 */
export class AppendedFile implements Disposable {
  /** Units that are in no file. */
  lost = 0;
  /** Bytes in the file, as far as is known without a look at it. */
  size: number;
  /** Units that were written to this file here. */
  count = 0;
  readonly #path: string;
  readonly #options: AppendedFileOptions;
  #target: string;
  #file: Deno.FsFile;
  /** Leads to the file, by /proc, also when it has no name any more. */
  #fd: number;
  #status: Deno.FileInfo;
  /** Units written since the file was last seen under its path. */
  #sinceLook = 0;
  /** The file's size then. */
  #lookSize: number;
  #wasEmptied = false;
  #failing = false;
  #cannotRenew = false;
  /** It has no name any more and no other could be begun: nothing is worth writing. */
  #isNowhere = false;
  /** A torn unit could not be cut off. */
  #isTorn = false;
  readonly #timer: ReturnType<typeof setInterval>;
  #secondLook: ReturnType<typeof setTimeout> | undefined;

  /** Takes over a file and its descriptor. @throws {Error} Nothing can be appended to it. */
  constructor(opened: OpenedFile, options: AppendedFileOptions) {
    this.#path = opened.path;
    this.#options = options;
    this.#target = opened.target;
    const { fd, file, isTorn } = this.#takeOver(opened);
    this.#fd = fd;
    this.#file = file;
    this.#isTorn = isTorn;
    this.#status = this.#file.statSync();
    this.size = this.#lookSize = this.#status.size;
    this.#timer = setInterval(() => this.look(), LOOK_INTERVAL_MS);
    // A look at the file is no reason to go on.
    Deno.unrefTimer(this.#timer);
  }

  /** Where the file is, without symbolic links. */
  get target(): string {
    return this.#target;
  }

  /** What the system tells of the file. */
  status(): Deno.FileInfo {
    return this.#file.statSync();
  }

  /** Whether the path leads to this file. */
  get isThere(): boolean {
    const there = fileAt(this.#path);
    return there !== undefined && isOneFile(there, this.#status);
  }

  /**
   * Appends some whole units; where not all can be written, those that were stay.
   *
   * @returns Whether all were written.
   */
  append(bytes: Uint8Array<ArrayBuffer>, count: number): boolean {
    if (this.#isNowhere) {
      this.lost += count;
      return false;
    }
    let written = 0;
    try {
      if (this.#isTorn) this.#endTorn();
      while (written < bytes.length) written += this.#file.writeSync(bytes.subarray(written));
      this.size += written;
      this.count += count;
      this.#sinceLook += count;
    } catch (error) {
      const whole = this.#options.whole(bytes.subarray(0, written));
      this.#cutBack(written - whole.length);
      this.size += whole.length;
      this.count += Math.min(count, whole.count);
      this.#sinceLook += Math.min(count, whole.count);
      this.lost += Math.max(0, count - whole.count);
      this.#fail(error);
      return false;
    }
    if (this.#failing) {
      this.#failing = false;
      this.#say(`Writing "${this.#path}" again; ${this.#words(this.lost, "was", "were")} lost`);
    }
    return true;
  }

  /** Has the system put on the disk what was appended. @returns Whether all of it is there. */
  sync(): boolean {
    try {
      this.#file.syncSync();
      return true;
    } catch (error) {
      this.#fail(error);
      return false;
    }
  }

  /** Empties the file. @throws {Error} A `Deno.errors` class. */
  empty(): void {
    this.#file.truncateSync(0);
    this.size = this.#lookSize = 0;
    this.count = this.#sinceLook = 0;
  }

  /** Looks whether the path still leads to the file, and the file is as long as it was written. */
  look(isSecond = false): void {
    clearTimeout(this.#secondLook);
    const there = fileAt(this.#path);
    if (there && isOneFile(there, this.#status)) {
      const wasEmptied = there.size < this.size;
      this.size = there.size;
      if (wasEmptied && this.#options.needsBegin) {
        this.#wasEmptied = true;
        this.#options.onStale();
      } else {
        this.#sinceLook = 0;
        this.#lookSize = there.size;
      }
      return;
    }
    if (there || isSecond) {
      this.#options.onStale();
      return;
    }
    this.#secondLook = setTimeout(() => this.look(true), SECOND_LOOK_MS);
    Deno.unrefTimer(this.#secondLook);
  }

  /** What the next look finds counts at once, as a signal after log rotation asks. */
  reopen(): void {
    this.look(true);
  }

  /**
   * Goes on in the file that the path leads to now, or in a new one. Says what became of the old one,
   * or why it cannot.
   *
   * @returns Whether what comes next stands in a file of its own.
   */
  renew(): boolean {
    if (this.isThere) return this.#wasEmptied && this.#beginEmptied();
    this.#wasEmptied = false;
    const hasFollower = fileAt(this.#path) !== undefined;
    let next: Next;
    try {
      next = this.#openNext();
    } catch (error) {
      this.#isNowhere = this.#loseRemoved();
      if (!this.#cannotRenew) {
        this.#cannotRenew = true;
        const goesOn = this.#isNowhere
          ? `${this.#options.unit}s are lost`
          : "the old file grows on";
        this.#say(
          `Cannot begin "${this.#path}" anew: ${messageOf(error)}; ${goesOn} until it works`,
        );
      }
      return false;
    }
    const wasRemoved = this.#file.statSync().nlink === 0;
    const recent = this.#sinceLook;
    // Who made another file may have copied this one before, as log rotation that compresses does:
    // what is in the copy must not come twice.
    const isOnlyHere = wasRemoved && recent > 0 && !hasFollower && !this.#options.needsBegin;
    const rest = isOnlyHere ? this.#readRest() : undefined;
    const goneWords = `; up to ${this.#words(recent, "is", "are")} gone with it`;
    const isLost = wasRemoved && recent > 0 && rest === undefined;
    if (isLost) this.lost += recent;
    this.#say(
      `"${this.#path}" was ${wasRemoved ? "removed" : "renamed or replaced"}: it is begun anew` +
        (isLost ? goneWords : ""),
    );
    this.#switchTo(next);
    if (rest) this.append(rest, recent);
    return true;
  }

  /** What was written to a removed file since it was last seen: it is in no other. */
  #readRest(): Uint8Array<ArrayBuffer> | undefined {
    try {
      using file = Deno.openSync(`/proc/self/fd/${this.#fd}`);
      const { size } = file.statSync();
      const from = this.#lookSize > size ? 0 : this.#lookSize;
      const rest = new Uint8Array(size - from);
      file.seekSync(from, Deno.SeekMode.Start);
      for (let at = 0; at < rest.length;) {
        const count = file.readSync(rest.subarray(at));
        if (count === null) return undefined;
        at += count;
      }
      return rest;
    } catch {
      return undefined;
    }
  }

  /** Goes on in the file that the path leads to now, or in a new one. @throws {Error} It cannot. */
  beginNext(): void {
    if (!this.isThere) this.#switchTo(this.#openNext());
  }

  #openNext(): Next {
    const opened = openForWriting(this.#path, this.status());
    if (opened.kind !== "file") {
      if (opened.fd !== undefined) closeDescriptor(opened.fd);
      throw new Error("it is no regular file any more");
    }
    return { target: opened.target, ...this.#takeOver(opened) };
  }

  #switchTo({ fd, file, isTorn, target }: Next): void {
    this.#file.close();
    closeDescriptor(this.#fd);
    this.#fd = fd;
    this.#file = file;
    this.#isTorn = isTorn;
    this.#target = target;
    this.#status = file.statSync();
    this.size = this.#lookSize = this.#status.size;
    this.count = this.#sinceLook = 0;
    this.#isNowhere = this.#cannotRenew = false;
  }

  /** The same file as Deno has it. */
  #takeOver({ fd }: OpenedFile): Omit<Next, "target"> {
    try {
      const path = `/proc/self/fd/${fd}`;
      const isTorn = this.#options.endsTorn(path);
      return { fd: fd!, file: Deno.openSync(path, { write: true, append: true }), isTorn };
    } catch (error) {
      closeDescriptor(fd!);
      throw error;
    }
  }

  /** What came behind the start that others took away cannot be read. */
  #beginEmptied(): boolean {
    this.#wasEmptied = false;
    const lost = this.#sinceLook;
    try {
      this.empty();
    } catch (error) {
      this.#fail(error);
      return false;
    }
    this.lost += lost;
    const gone = lost > 0 ? `; up to ${this.#words(lost, "is", "are")} gone` : "";
    this.#say(`"${this.#path}" was made shorter by others: it is begun anew${gone}`);
    return true;
  }

  #words(count: number, is: string, are: string): string {
    const { unit } = this.#options;
    return countOf(count, `${unit} ${is}`, `${unit}s ${are}`);
  }

  /** @returns Whether the file has no name any more: what came since it was last seen is lost. */
  #loseRemoved(): boolean {
    const isRemoved = this.#file.statSync().nlink === 0;
    if (isRemoved) this.lost += this.#sinceLook;
    this.#sinceLook = 0;
    return isRemoved;
  }

  #fail(error: unknown): void {
    if (this.#failing) return;
    this.#failing = true;
    this.#say(
      `Cannot write "${this.#path}": ${messageOf(error)}; ${lostWords(this.#options.unit)}`,
    );
  }

  /** Takes torn bytes off the end, wherever that is: others may have shortened the file. */
  #cutBack(torn: number): void {
    if (torn === 0) return;
    try {
      this.#file.truncateSync(this.#file.statSync().size - torn);
    } catch {
      this.#isTorn = true;
      this.size += torn;
    }
  }

  #endTorn(): void {
    const { endOfTorn } = this.#options;
    if (endOfTorn) this.size += this.#file.writeSync(endOfTorn);
    this.#isTorn = false;
  }

  #say(sentence: string): void {
    this.#options.onChange(sentence);
  }

  /** Closes the file. */
  [Symbol.dispose](): void {
    clearInterval(this.#timer);
    clearTimeout(this.#secondLook);
    this.#file.close();
    closeDescriptor(this.#fd);
  }
}

interface Next {
  fd: number;
  file: Deno.FsFile;
  isTorn: boolean;
  target: string;
}

/** What becomes of what cannot be written. */
export function lostWords(unit: "record" | "packet"): string {
  return unit === "record" ? "records are lost until there is room again" : "packets are lost";
}
