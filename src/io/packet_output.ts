/**
 * Where the packets of handshakes are written: a pcapng file that grows by whole blocks.
 *
 * @module
 */

/** Takes the blocks of a capture file. */
export interface PacketOutput {
  /**
   * Appends some whole blocks, all or none of them.
   *
   * @returns Whether they were written. After it failed interfaces described before may be missing.
   */
  append(blocks: Uint8Array<ArrayBuffer>): boolean;
  /** Whether what is appended from {@link renew} on stands in a new file, with a section of its own. */
  readonly isStale: boolean;
  /** Begins the new file, if it can. */
  renew(): void;
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
  readonly #path: string;
  readonly #onChange: (sentence: string) => void;
  #file: Deno.FsFile;
  #isFile: boolean;
  isStale = false;
  #failing = false;

  /**
   * Opens the file.
   *
   * @param path The file. @param onChange Says in one sentence when writing fails and works again.
   * @throws {Error} A `Deno.errors` class when it cannot be opened; when it holds something else than
   * whole pcapng blocks, behind which nothing could be read.
   */
  constructor(path: string, onChange: (sentence: string) => void) {
    this.#path = path;
    this.#onChange = onChange;
    assertAppendable(path);
    this.#file = Deno.openSync(path, { write: true, append: true, create: true });
    this.#isFile = this.#file.statSync().isFile;
  }

  /** Has what comes next written to the file that has the path then. */
  reopen(): void {
    this.isStale = true;
  }

  /** See {@link PacketOutput.renew}. */
  renew(): void {
    this.isStale = false;
    try {
      assertAppendable(this.#path);
      const next = Deno.openSync(this.#path, { write: true, append: true, create: true });
      this.#file.close();
      this.#file = next;
      this.#isFile = next.statSync().isFile;
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      this.#onChange(`Cannot open "${this.#path}" again: ${reason}; going on in the old file`);
    }
  }

  /** See {@link PacketOutput.append}. */
  append(blocks: Uint8Array<ArrayBuffer>): boolean {
    let written = 0;
    try {
      while (written < blocks.length) written += this.#file.writeSync(blocks.subarray(written));
    } catch (error) {
      this.#cutBack(written);
      this.#fail(error);
      return false;
    }
    if (this.#failing) {
      this.#failing = false;
      this.#onChange(`Writing "${this.#path}" again`);
    }
    return true;
  }

  /** See {@link PacketOutput.sync}. */
  sync(): boolean {
    // Pipes and devices have nothing to wait for.
    if (!this.#isFile) return true;
    try {
      this.#file.syncSync();
      return true;
    } catch (error) {
      this.#fail(error);
      return false;
    }
  }

  #fail(error: unknown): void {
    if (this.#failing) return;
    this.#failing = true;
    const reason = error instanceof Error ? error.message : String(error);
    this.#onChange(`Cannot write "${this.#path}": ${reason}; packets are lost`);
  }

  /** Takes torn bytes off the end. */
  #cutBack(torn: number): void {
    if (torn === 0) return;
    try {
      this.#file.truncateSync(this.#file.statSync().size - torn);
    } catch {
      // Devices and pipes cannot be cut; what is torn there was torn by them.
    }
  }

  /** Closes the file. */
  [Symbol.dispose](): void {
    this.#file.close();
  }
}

/** A section can follow where a file begins and ends with a whole block. */
function assertAppendable(path: string): void {
  const status = statOf(path);
  if (!status?.isFile || status.size === 0) return;
  using file = Deno.openSync(path);
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
  const { view } = read(status.size - TRAILER_LENGTH);
  const isWhole = [true, false].some((littleEndian) => {
    const length = view.getUint32(0, littleEndian);
    if (length < BLOCK_HEAD_LENGTH + TRAILER_LENGTH || length > status.size) return false;
    return read(status.size - length).view.getUint32(4, littleEndian) === length;
  });
  if (!isWhole) throw new Error("it ends inside a block, so nothing can be appended");
}

function statOf(path: string): Deno.FileInfo | undefined {
  try {
    return Deno.statSync(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}

/** Whether two paths lead to one regular file. */
export function isSameFile(path: string, other: string): boolean {
  const [here, there] = [statOf(path), statOf(other)];
  return here?.isFile === true && there !== undefined && here.dev === there.dev &&
    here.ino === there.ino;
}
