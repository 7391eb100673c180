/**
 * What a terminal sends → the keys that were pressed: characters, keys with a name, the mouse, and text
 * that was pasted.
 *
 * @module
 */

/** The keys that have a name here. */
export type KeyName =
  | "enter"
  | "escape"
  | "tab"
  | "back-tab"
  | "backspace"
  | "delete"
  | "up"
  | "down"
  | "left"
  | "right"
  | "home"
  | "end"
  | "page-up"
  | "page-down"
  | "ctrl-a"
  | "ctrl-c"
  | "ctrl-e"
  | "ctrl-l"
  | "ctrl-u"
  | "ctrl-w"
  | "ctrl-z";

/** Something that was pressed. Places count from 0. */
export type Key =
  | { kind: "text"; text: string }
  | { kind: "key"; name: KeyName }
  | { kind: "paste"; text: string }
  | { kind: "press"; column: number; row: number }
  | { kind: "wheel"; by: 1 | -1; column: number; row: number };

/** What arrives as one character. */
const CONTROLS: Readonly<Record<string, KeyName>> = {
  "\x01": "ctrl-a",
  "\x03": "ctrl-c",
  "\x05": "ctrl-e",
  "\b": "backspace",
  "\t": "tab",
  "\n": "enter",
  "\x0c": "ctrl-l",
  "\r": "enter",
  "\x15": "ctrl-u",
  "\x17": "ctrl-w",
  "\x1a": "ctrl-z",
  "\x7f": "backspace",
};

/** What stands behind CSI or SS3, with what a modifier puts between left out (xterm's ctlseqs). */
const SEQUENCES: Readonly<Record<string, KeyName>> = {
  "A": "up",
  "B": "down",
  "C": "right",
  "D": "left",
  "F": "end",
  "H": "home",
  "M": "enter",
  "Z": "back-tab",
  "1~": "home",
  "3~": "delete",
  "4~": "end",
  "5~": "page-up",
  "6~": "page-down",
  "7~": "home",
  "8~": "end",
};

const PASTE_BEGIN = "\x1b[200~";
const PASTE_END = "\x1b[201~";
/** Characters of a paste that are taken. */
const PASTE_MAX = 4_096;
/** Characters of a control sequence: none that means something is so long. */
const SEQUENCE_MAX = 64;

/** ECMA-48 section 5.4: parameters, intermediates and the final character. */
// deno-lint-ignore no-control-regex
const CONTROL_SEQUENCE = /^\x1b\[[0-?]*[ -\/]*[@-~]/;
// deno-lint-ignore no-control-regex
const SINGLE_SHIFT = /^\x1bO[ -~]/;
// deno-lint-ignore no-control-regex
const INCOMPLETE = /^\x1b(?:O|\[[0-?]*[ -\/]*)?$/;
/** SGR mouse (xterm's ctlseqs, 1006): button, column, row, pressed or released. */
// deno-lint-ignore no-control-regex
const MOUSE = /^\x1b\[<(\d{1,4});(\d{1,5});(\d{1,5})([Mm])$/;
const LEFT_BUTTON = 0;
const WHEEL_UP = 64;
const WHEEL_DOWN = 65;

/** Reads keys from what comes in any pieces. Memory is bounded by one paste. */
export class KeyDecoder {
  readonly #decoder = new TextDecoder();
  #pending = "";
  #pasted: string | undefined;

  /** Takes bytes. @returns The keys that are complete by now. */
  take(bytes: Uint8Array): Key[] {
    this.#pending += this.#decoder.decode(bytes, { stream: true });
    const keys: Key[] = [];
    while (this.#pending !== "" && this.#takeOne(keys));
    return keys;
  }

  /** Whether something waits for its rest: call {@link settle} where that does not come soon. */
  get isWaiting(): boolean {
    return this.#pending !== "";
  }

  /** Nothing more came: an ESC alone is the key. @returns What that makes. */
  settle(): Key[] {
    const isEscape = this.#pasted === undefined && this.#pending === "\x1b";
    this.#pending = this.#pasted === undefined ? "" : this.#pending;
    return isEscape ? [{ kind: "key", name: "escape" }] : [];
  }

  /** @returns Whether something was taken. */
  #takeOne(keys: Key[]): boolean {
    if (this.#pasted !== undefined) return this.#takePaste(keys);
    const text = this.#pending;
    if (!text.startsWith("\x1b")) {
      const [character] = text;
      this.#pending = text.slice(character.length);
      const name = CONTROLS[character];
      if (name !== undefined) keys.push({ kind: "key", name });
      else if (!/\p{C}/u.test(character)) keys.push({ kind: "text", text: character });
      return true;
    }
    const [sequence] = CONTROL_SEQUENCE.exec(text) ?? SINGLE_SHIFT.exec(text) ?? [];
    if (sequence !== undefined) {
      this.#pending = text.slice(sequence.length);
      this.#takeSequence(sequence, keys);
      return true;
    }
    if (INCOMPLETE.test(text) && text.length < SEQUENCE_MAX) return false;
    // Something else stands behind it: it is the key, or the start of what nobody sends.
    this.#pending = text.slice(1);
    keys.push({ kind: "key", name: "escape" });
    return true;
  }

  #takeSequence(sequence: string, keys: Key[]): void {
    if (sequence === PASTE_BEGIN) {
      this.#pasted = "";
      return;
    }
    const mouse = MOUSE.exec(sequence);
    if (mouse !== null) {
      const [button, column, row] = mouse.slice(1, 4).map(Number);
      const place = { column: column - 1, row: row - 1 };
      if (mouse[4] === "m") return;
      if (button === LEFT_BUTTON) keys.push({ kind: "press", ...place });
      if (button === WHEEL_UP) keys.push({ kind: "wheel", by: -1, ...place });
      if (button === WHEEL_DOWN) keys.push({ kind: "wheel", by: 1, ...place });
      return;
    }
    // `1;5C` is an arrow with Ctrl, `3;2~` Delete with Shift.
    const plain = sequence.slice(2).replace(/^1?;\d+(?=[A-Z])/, "").replace(/;\d+~$/, "~");
    const name = SEQUENCES[plain];
    if (name !== undefined) keys.push({ kind: "key", name });
  }

  #takePaste(keys: Key[]): boolean {
    const text = this.#pending;
    const end = text.indexOf(PASTE_END);
    // The end may come in two pieces.
    const known = end < 0 ? Math.max(0, text.length - PASTE_END.length + 1) : end;
    this.#pasted = (this.#pasted! + text.slice(0, known)).slice(0, PASTE_MAX);
    this.#pending = text.slice(end < 0 ? known : end + PASTE_END.length);
    if (end < 0) return false;
    keys.push({ kind: "paste", text: this.#pasted });
    this.#pasted = undefined;
    return true;
  }
}
