/**
 * Where the packets of handshakes are written: a pcapng file that grows by whole blocks.
 *
 * @module
 */
import { AppendedFile } from "./appended_file.ts";
import type { OpenedFile } from "./open_file.ts";

/** Takes the blocks of a capture file. */
export interface PacketOutput {
  /**
   * Takes some whole blocks, all or none of them. Never waits; nothing of them is kept.
   *
   * @param packets How many packets they hold.
   * @returns Whether they were taken. After it failed interfaces described before may be missing.
   */
  append(blocks: Uint8Array<ArrayBuffer>, packets: number): boolean;
  /** Packets that could not be written. */
  readonly lost: number;
  /** Whether what is appended from {@link renew} on must begin with a section of its own. */
  readonly isStale: boolean;
  /** Begins the new file, if it can. @returns Whether it did. */
  renew(): boolean;
  /** Settles when everything taken was written or given up. */
  flush(): Promise<void>;
  /** Tells that the end is near: see {@link LineOutput.hasten}. */
  hasten(): void;
  /** Has the system put on the disk what was appended. @returns Whether all of it is there. */
  sync(): boolean;
}

/** The first bytes of a pcapng file (draft-ietf-opsawg-pcapng §4.1), the same in both byte orders. */
const SECTION_MAGIC = 0x0a0d0d0a;
/** Type and length before a block, the length again behind it (§3.1). */
const BLOCK_HEAD_LENGTH = 8;
const TRAILER_LENGTH = 4;

/** A pcapng file to which a new section is appended where it exists. */
export class PacketFile implements PacketOutput, Disposable {
  isStale = false;
  readonly #file: AppendedFile;

  /**
   * Takes over an opened file.
   *
   * @param onChange Says in one sentence what happens to the file, and when writing fails and works
   * again.
   * @throws {Error} It holds something else than whole pcapng blocks, behind which nothing could be
   * read.
   */
  constructor(opened: OpenedFile, onChange: (sentence: string) => void) {
    this.#file = new AppendedFile(opened, {
      unit: "packet",
      whole: () => ({ length: 0, count: 0 }),
      needsBegin: true,
      endsTorn: assertAppendable,
      onChange,
      onStale: () => this.isStale = true,
    });
  }

  /** See {@link PacketOutput.append}. */
  append(blocks: Uint8Array<ArrayBuffer>, packets: number): boolean {
    return this.#file.append(blocks, packets);
  }

  /** See {@link PacketOutput.lost}. */
  get lost(): number {
    return this.#file.lost;
  }

  /** Has what comes next written to the file that has the path then. */
  reopen(): void {
    this.#file.reopen();
  }

  /** See {@link PacketOutput.renew}. */
  renew(): boolean {
    this.isStale = false;
    return this.#file.renew();
  }

  /** Nothing waits here: every write is done when it returns. */
  async flush(): Promise<void> {}

  /** Sees to it that what comes last stands under the path. */
  hasten(): void {
    this.#file.reopen();
  }

  /** See {@link PacketOutput.sync}. */
  sync(): boolean {
    return this.#file.sync();
  }

  /** Closes the file. */
  [Symbol.dispose](): void {
    this.#file[Symbol.dispose]();
  }
}

/** A section can follow where a file begins and ends with a whole block. */
function assertAppendable(path: string): false {
  using file = Deno.openSync(path);
  const { size } = file.statSync();
  if (size === 0) return false;
  const read = (at: number) => {
    const bytes = new Uint8Array(BLOCK_HEAD_LENGTH);
    file.seekSync(at, Deno.SeekMode.Start);
    const count = file.readSync(bytes);
    return { view: new DataView(bytes.buffer), count };
  };
  const begin = read(0);
  if (begin.count !== BLOCK_HEAD_LENGTH || begin.view.getUint32(0) !== SECTION_MAGIC) {
    throw new Error("it exists and is no pcapng file");
  }
  const { view } = read(size - TRAILER_LENGTH);
  const isWhole = [true, false].some((littleEndian) => {
    const length = view.getUint32(0, littleEndian);
    if (length < BLOCK_HEAD_LENGTH + TRAILER_LENGTH || length > size) return false;
    return read(size - length).view.getUint32(4, littleEndian) === length;
  });
  if (!isWhole) throw new Error("it ends inside a block, so nothing can be appended");
  return false;
}
