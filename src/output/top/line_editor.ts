import { widthOf } from "../../text/width.ts";
import type { Key } from "./keys.ts";
import type { ScreenSpan } from "./screen_line.ts";

/** Characters of a line at most. */
const LENGTH_MAX = 1_000;

/** One line of text that is typed. */
export class LineEditor {
  #characters: string[];
  #at: number;

  /** @param text What stands there before anything is typed. */
  constructor(text = "") {
    this.#characters = [...text];
    this.#at = this.#characters.length;
  }

  /** What was typed. */
  get text(): string {
    return this.#characters.join("");
  }

  /** Takes a key. @returns Whether it was one for editing. */
  take(key: Key): boolean {
    if (key.kind === "text") return this.#insert(key.text);
    // A line that is pasted may end in a newline, which must not do anything by itself.
    if (key.kind === "paste") return this.#insert(key.text.replace(/\p{C}+/gu, " ").trim());
    if (key.kind !== "key") return false;
    switch (key.name) {
      case "backspace":
        if (this.#at > 0) this.#characters.splice(--this.#at, 1);
        return true;
      case "delete":
        this.#characters.splice(this.#at, 1);
        return true;
      case "left":
        this.#at = Math.max(0, this.#at - 1);
        return true;
      case "right":
        this.#at = Math.min(this.#characters.length, this.#at + 1);
        return true;
      case "home":
      case "ctrl-a":
        this.#at = 0;
        return true;
      case "end":
      case "ctrl-e":
        this.#at = this.#characters.length;
        return true;
      case "ctrl-u":
        this.#characters.splice(0, this.#at);
        this.#at = 0;
        return true;
      case "ctrl-w": {
        const before = this.#characters.slice(0, this.#at).join("");
        const kept = [...before.replace(/\S*\s*$/, "")].length;
        this.#characters.splice(kept, this.#at - kept);
        this.#at = kept;
        return true;
      }
      default:
        return false;
    }
  }

  #insert(text: string): true {
    const room = Math.max(0, LENGTH_MAX - this.#characters.length);
    const characters = [...text].slice(0, room);
    this.#characters.splice(this.#at, 0, ...characters);
    this.#at += characters.length;
    return true;
  }

  /** Draws the part around the cursor that fits. @param width Places, 2 or more. */
  draw(width: number): ScreenSpan[] {
    const before = this.#characters.slice(0, this.#at);
    const after = this.#characters.slice(this.#at + 1);
    const under = this.#characters[this.#at] ?? " ";
    // What stands before the cursor matters most.
    while (before.length > 0 && widthOf(before.join("")) + widthOf(under) > width) before.shift();
    return [{ text: before.join("") }, { text: under, style: "inverse" }, { text: after.join("") }];
  }
}
