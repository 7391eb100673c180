import { type ByteText, ConstantText } from "../text/byte_text.ts";
import type { Field, FieldValue } from "./field.ts";
import { writeJsonValue } from "./json_value.ts";
import type { Leaf, Level } from "./tree.ts";

/** Level before the first field of a line. */
export const BEGIN = 0;

/** A field as the encoder takes it, one after another. */
export class Step {
  /** Its getter. */
  readonly get: Field["get"];
  /** The level that it stands in, by its number. */
  readonly level: number;
  /** Whether it is another in nearly every record. */
  readonly varies: boolean;
  /** Whether its value is a number wherever it is known. */
  readonly isInteger: boolean;
  readonly #name: string;
  readonly #levels: readonly (readonly string[])[];
  /** Made when they are needed: most fields come only after few levels. */
  readonly #beginnings: (ConstantText | undefined)[];

  /**
   * Makes a step.
   *
   * @param field The field. @param name The last part of its path. @param level Its level.
   * @param levels The names that lead to each level.
   */
  constructor(field: Field, name: string, level: number, levels: readonly (readonly string[])[]) {
    this.get = field.get;
    this.isInteger = field.type === "integer" && !field.nullable;
    this.varies = field.varies === true;
    this.level = level;
    this.#name = name;
    this.#levels = levels;
    this.#beginnings = levels.map(() => undefined);
  }

  /**
   * Appends the field: braces, a comma, its name and its value.
   *
   * @param before Level of the field written before it, or {@link BEGIN}.
   */
  write(line: ByteText, before: number, value: FieldValue): void {
    line.constant(this.#beginnings[before] ??= this.#makeBeginning(before));
    writeJsonValue(line, value);
  }

  /** The same of an integer. */
  writeInteger(line: ByteText, before: number, value: number): void {
    line.constant(this.#beginnings[before] ??= this.#makeBeginning(before));
    line.integer(value);
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
