import { ConstantText } from "./byte_text.ts";
import type { Field } from "./fields.ts";
import type { Leaf, Level } from "./tree.ts";

/** A field as the encoder takes it, one after another. */
export interface Step {
  /** Its getter. */
  get: Field["get"];
  /** The level that it stands in. */
  level: number;
  /** What stands before its value: comma and name, where the field written before is in its level. */
  beginning: ConstantText;
  /** The same by the level of the field written before: braces too. */
  beginnings: readonly ConstantText[];
}

/** No field was written yet. */
const NOTHING: readonly string[] = [];

/**
 * Flattens the levels of the record into steps.
 *
 * @returns The steps, and the end of the line by the level of its last field. Level 0 stands for a
 * line without a field.
 */
export function buildSteps(root: Level): { steps: Step[]; ends: ConstantText[] } {
  const leaves: { leaf: Leaf; path: readonly string[]; level: number }[] = [];
  // 0 is the begin of the line.
  const levels: (readonly string[])[] = [NOTHING];
  const visit = (level: Level, path: readonly string[]) => {
    const number = levels.push(path) - 1;
    for (const member of level.members) {
      if ("members" in member) visit(member, [...path, member.name]);
      else leaves.push({ leaf: member, path, level: number });
    }
  };
  visit(root, []);
  const steps = leaves.map(({ leaf, path, level }) => {
    const beginnings = levels.map((before, number) => {
      const comma = number === 0 ? "{" : ",";
      const { closing, opening } = passage(before, path);
      return new ConstantText(`${closing}${comma}${opening}"${leaf.name}":`);
    });
    return { get: leaf.field.get, level, beginning: beginnings[level], beginnings };
  });
  const ends = levels.map((path, number) =>
    new ConstantText((number === 0 ? "{" : "}".repeat(path.length)) + "}\n")
  );
  return { steps, ends };
}

/** The braces between two levels. */
function passage(from: readonly string[], to: readonly string[]) {
  let shared = 0;
  while (shared < from.length && from[shared] === to[shared]) shared++;
  return {
    closing: "}".repeat(from.length - shared),
    opening: to.slice(shared).map((name) => `"${name}":{`).join(""),
  };
}
