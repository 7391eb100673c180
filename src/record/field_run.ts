import { type ByteText, ConstantText } from "../text/byte_text.ts";
import type { FieldValue } from "./field.ts";
import { BEGIN, type Step } from "./steps.ts";

/** Values that come so often in a row are written as one text from then on. */
const OFTEN = 8;
/** Equals nothing, not even itself. */
const NEVER = NaN;

/**
 * Fields that stand next to each other, of which most records have the values of the record before:
 * host, role, options, processes. Once they came some times in a row, all of them are one text to copy.
 */
export class FieldRun {
  /** Their values in the record at hand, to be put here before {@link write}. */
  readonly values: (FieldValue | undefined)[];
  /** The values before; {@link NEVER} in the place of one that may change by itself. */
  readonly last: (FieldValue | undefined)[];
  /** The level before those. */
  before = BEGIN;
  /** What they were written as; undefined as long as they did not come often enough in a row. */
  text: ConstantText | undefined;
  /** The level behind that. */
  behind = BEGIN;
  readonly #steps: readonly Step[];
  #repeats = 0;

  /** @param steps One or more. */
  constructor(steps: readonly Step[]) {
    this.#steps = steps;
    this.values = steps.map(() => undefined);
    this.last = steps.map(() => NEVER);
  }

  /**
   * Appends those fields whose values are known.
   *
   * @param before Level of the field written before them, or {@link BEGIN}.
   * @returns That of the last one; of none: what it was before.
   */
  write(line: ByteText, before: number): number {
    const from = line.length;
    let level = before;
    for (let at = 0; at < this.values.length; at++) {
      const value = this.values[at];
      if (value === undefined) continue;
      const step = this.#steps[at];
      step.write(line, level, value);
      level = step.level;
    }
    if (!this.#isAgain(before)) {
      this.#keep(before);
    } else if (++this.#repeats === OFTEN) {
      this.text = new ConstantText(line.textFrom(from));
      this.behind = level;
    }
    return level;
  }

  #isAgain(before: number): boolean {
    if (before !== this.before) return false;
    for (let at = 0; at < this.values.length; at++) {
      if (this.values[at] !== this.last[at]) return false;
    }
    return true;
  }

  #keep(before: number): void {
    for (let at = 0; at < this.values.length; at++) {
      const value = this.values[at];
      this.last[at] = isLasting(value) ? value : NEVER;
    }
    this.before = before;
    this.#repeats = 0;
    this.text = undefined;
  }
}

/** Whether a value is the same for ever: the next may fill the same object. */
function isLasting(value: FieldValue | undefined): boolean {
  return typeof value !== "object" || value === null || Object.isFrozen(value);
}
