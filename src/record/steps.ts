import { ByteText, ConstantText } from "../text/byte_text.ts";
import type { Field, FieldValue } from "./field.ts";
import { writeJsonValue } from "./json_value.ts";
import type { Leaf, Level } from "./tree.ts";

/** Level before the first field of a line. */
export const BEGIN = 0;

/** A value that comes so often in a row is written as one text with its name from then on. */
const OFTEN = 8;
/** Greater numbers are times and sequence numbers, of which none comes twice. */
const REPEATED_MAX = 2 ** 30 - 1;
/** Where the text of a repeated value is made. */
const whole = new ByteText(256);

/** A field as the encoder takes it, one after another. */
export class Step {
  /** Its getter. */
  readonly get: Field["get"];
  /** The level that it stands in, by its number. */
  readonly level: number;
  readonly #name: string;
  readonly #levels: readonly (readonly string[])[];
  /** Made when they are needed: most fields come only after few levels. */
  readonly #beginnings: (ConstantText | undefined)[];
  // The value written last, the level before it, how often both were the same again, and their text.
  #last: FieldValue | undefined;
  #lastBefore: number = BEGIN;
  #repeats = 0;
  #lastText: ConstantText | undefined;

  /**
   * Makes a step.
   *
   * @param field The field. @param name The last part of its path. @param level Its level.
   * @param levels The names that lead to each level.
   */
  constructor(field: Field, name: string, level: number, levels: readonly (readonly string[])[]) {
    this.get = field.get;
    this.level = level;
    this.#name = name;
    this.#levels = levels;
    this.#beginnings = levels.map(() => undefined);
  }

  /**
   * Appends the field: braces, a comma, its name and its value. Of most fields the value is that of the
   * record before: host, role, options, processes.
   *
   * @param before Level of the field written before it, or {@link BEGIN}.
   */
  write(line: ByteText, before: number, value: FieldValue): void {
    if (value === this.#last && before === this.#lastBefore) {
      if (this.#lastText !== undefined) {
        line.constant(this.#lastText);
        return;
      }
      if (++this.#repeats === OFTEN) this.#lastText = this.#makeText(before, value);
    } else if (isLasting(value)) {
      this.#last = value;
      this.#lastBefore = before;
      this.#repeats = 0;
      this.#lastText = undefined;
    }
    line.constant(this.#beginning(before));
    writeJsonValue(line, value);
  }

  #makeText(before: number, value: FieldValue): ConstantText {
    whole.length = 0;
    whole.constant(this.#beginning(before));
    writeJsonValue(whole, value);
    return new ConstantText(whole.toString());
  }

  /** What stands before its value. */
  #beginning(before: number): ConstantText {
    return this.#beginnings[before] ??= this.#makeBeginning(before);
  }

  #makeBeginning(before: number): ConstantText {
    const from = this.#levels[before];
    const to = this.#levels[this.level];
    let shared = 0;
    while (shared < from.length && from[shared] === to[shared]) shared++;
    const closing = "}".repeat(from.length - shared);
    const opening = to.slice(shared).map((name) => `"${name}":{`).join("");
    return new ConstantText(`${closing}${before === BEGIN ? "{" : ","}${opening}"${this.#name}":`);
  }
}

/** Whether a value is the same for ever: the next may fill the same object. */
function isLasting(value: FieldValue): boolean {
  if (typeof value === "number") return value <= REPEATED_MAX;
  return typeof value !== "object" || value === null;
}

/**
 * Flattens the levels of the record into steps.
 *
 * @returns The steps, and what ends a line by the level of its last field.
 */
export function buildSteps(root: Level): { steps: Step[]; ends: ConstantText[] } {
  const levels: string[][] = [];
  levels[BEGIN] = [];
  const leaves: { leaf: Leaf; level: number }[] = [];
  const visit = (level: Level, path: string[]) => {
    const number = levels.push(path) - 1;
    for (const member of level.members) {
      if ("members" in member) visit(member, [...path, member.name]);
      else leaves.push({ leaf: member, level: number });
    }
  };
  visit(root, []);
  const steps = leaves.map(({ leaf, level }) => new Step(leaf.field, leaf.name, level, levels));
  const ends = levels.map((path, number) =>
    new ConstantText((number === BEGIN ? "{" : "}".repeat(path.length)) + "}\n")
  );
  return { steps, ends };
}
