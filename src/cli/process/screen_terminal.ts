/**
 * The terminal of this process as a whole screen: taken, and given back as it was.
 *
 * @module
 */
import {
  closeDescriptor,
  DescriptorError,
  openDescriptor,
  openForReading,
  readNow,
  terminalSize,
  waitForInput,
  waitForRoom,
  writeNow,
  writeWaiting,
} from "../../files/descriptor.ts";
import { memory } from "../../linux/libc.ts";
import { environmentVariable } from "../../linux/environment.ts";
import { messageOf } from "../../text/message.ts";

/** The terminal that controls a process, whatever its standard streams are (tty(4)). */
const TERMINAL = "/dev/tty";
/** What a terminal has that tells no size. */
const USUAL_SIZE = { columns: 80, rows: 24 };
/** How long one system call waits for room, after which is looked whether it was left. */
const ROOM_MS = 200;
/** How long a terminal that takes nothing is waited for when it is given back. */
const LEAVE_MS = 500;
const KEYS_LENGTH = 4_096;

/**
 * The other screen, no cursor, no wrapping at the last column, the mouse with its places in decimal,
 * what is pasted marked (DEC private modes of xterm's ctlseqs).
 */
const ENTER = "\x1b[?1049h\x1b[?25l\x1b[?7l\x1b[?1000h\x1b[?1006h\x1b[?2004h\x1b[m\x1b[2J";
/** CAN ends a sequence of which a part was written. */
const LEAVE = "\x18\x1b[?2026l\x1b[?2004l\x1b[?1006l\x1b[?1000l\x1b[m\x1b[?7h\x1b[?25h\x1b[?1049l";

const encoder = new TextEncoder();

/** There is no terminal that could show a screen: the message is the reason alone. */
export class NoTerminalError extends Error {
  override name = "NoTerminalError";
}

/** What is called when a terminal tells something. */
export interface TerminalEvents {
  /** Keys were pressed. */
  onKeys(bytes: Uint8Array): void;
  /** It has another size, or shows something else: all is to be drawn again. */
  onChange(): void;
  /** It is gone, or cannot be written to any more. */
  onGone(): void;
}

/** The terminal as a screen. Nothing waits for it but its end. */
export class ScreenTerminal implements Disposable {
  readonly #tty: Deno.FsFile;
  /** Where keys come from, and what is shown goes to. */
  readonly #keys: number;
  readonly #fd: number;
  readonly #events: TerminalEvents;
  #isEntered = false;
  /** Whether it was given back for a while: nothing is written then. */
  #isAway = false;
  #isClosed = false;
  /** What is still to be written. */
  #rest: Uint8Array<ArrayBuffer> | undefined;
  readonly #onResize = () => this.#events.onChange();
  readonly #onContinue = () => this.#isEntered && this.enter();

  private constructor(tty: Deno.FsFile, events: TerminalEvents) {
    this.#tty = tty;
    this.#keys = openForReading(TERMINAL);
    this.#fd = openDescriptor(TERMINAL, 0);
    this.#events = events;
  }

  /**
   * Opens the terminal of this process, and leaves it as it is; see {@link enter}.
   *
   * @throws {NoTerminalError} There is none, or it can move no cursor.
   */
  static open(events: TerminalEvents): ScreenTerminal {
    if (environmentVariable("TERM") === "dumb") {
      throw new NoTerminalError("TERM is dumb: it can move no cursor");
    }
    let tty: Deno.FsFile | undefined;
    try {
      tty = Deno.openSync(TERMINAL, { read: true, write: true });
      return new ScreenTerminal(tty, events);
    } catch (error) {
      tty?.close();
      if (error instanceof Deno.errors.NotCapable) throw error;
      const reason = messageOf(error).replace(/: open .*$/, "");
      throw new NoTerminalError(`${TERMINAL}: ${reason}`);
    }
  }

  /** Takes the terminal: other screen, keys as they are pressed. Once more: as if nothing was there. */
  enter(): void {
    if (this.#isClosed) return;
    const isFirst = !this.#isEntered;
    this.#isEntered = true;
    this.#isAway = false;
    this.#tty.setRaw(true);
    this.#rest = undefined;
    this.write(ENTER);
    if (isFirst) {
      Deno.addSignalListener("SIGWINCH", this.#onResize);
      Deno.addSignalListener("SIGCONT", this.#onContinue);
      this.#readKeys();
    }
    this.#events.onChange();
  }

  /** Gives the terminal back for a while, or for ever: as it was before {@link enter}. */
  leave(): void {
    if (!this.#isEntered || this.#isClosed || this.#isAway) return;
    this.#isAway = true;
    this.#rest = undefined;
    try {
      writeWaiting(this.#fd, encoder.encode(LEAVE), LEAVE_MS);
    } catch (error) {
      // It is gone, and needs nothing.
      if (!(error instanceof DescriptorError)) throw error;
    }
    try {
      this.#tty.setRaw(false);
    } catch {
      // Likewise.
    }
  }

  /** Its size now. */
  size(): { columns: number; rows: number } {
    const { columns, rows } = terminalSize(this.#fd);
    return {
      columns: columns || USUAL_SIZE.columns,
      rows: rows || USUAL_SIZE.rows,
    };
  }

  /** Whether nothing can be written now: what was before is on its way, or it was given back. */
  get isBusy(): boolean {
    return this.#rest !== undefined || this.#isAway;
  }

  /** Writes a text; never waits. Not while {@link isBusy}. */
  write(text: string): void {
    const bytes = encoder.encode(text);
    try {
      const written = writeNow(this.#fd, bytes);
      if (written < bytes.length) this.#writeRest(bytes.subarray(written));
    } catch (error) {
      if (!(error instanceof DescriptorError)) throw error;
      this.#events.onGone();
    }
  }

  async #writeRest(bytes: Uint8Array<ArrayBuffer>): Promise<void> {
    let rest = this.#rest = bytes;
    while (rest.length > 0) {
      await waitForRoom(this.#fd, ROOM_MS);
      if (this.#rest !== rest) return;
      try {
        rest = this.#rest = rest.subarray(writeNow(this.#fd, rest));
      } catch (error) {
        if (!(error instanceof DescriptorError)) throw error;
        this.#events.onGone();
        return;
      }
    }
    this.#rest = undefined;
  }

  /** Reads what is there while the terminal is taken: what is typed later is for others. */
  async #readKeys(): Promise<void> {
    const bytes = memory(KEYS_LENGTH);
    while (!this.#isClosed) {
      const isThere = await waitForInput(this.#keys, ROOM_MS);
      if (this.#isClosed) return;
      if (this.#isAway) await new Promise((resolve) => setTimeout(resolve, ROOM_MS));
      if (!isThere || this.#isAway) continue;
      try {
        const count = readNow(this.#keys, bytes);
        if (count === 0) return this.#events.onGone();
        if (count !== undefined) this.#events.onKeys(bytes.subarray(0, count));
      } catch (error) {
        if (!(error instanceof DescriptorError)) throw error;
        return this.#events.onGone();
      }
    }
  }

  /** Gives the terminal back for ever. */
  [Symbol.dispose](): void {
    if (this.#isClosed) return;
    this.leave();
    this.#isClosed = true;
    if (!this.#isEntered) {
      this.#tty.close();
      closeDescriptor(this.#keys);
      closeDescriptor(this.#fd);
      return;
    }
    Deno.removeSignalListener("SIGWINCH", this.#onResize);
    Deno.removeSignalListener("SIGCONT", this.#onContinue);
  }
}
