import type { Field } from "./field.ts";

/** A level of the record: its fields and its deeper levels, in the order of the table. */
export interface Level {
  /** Its own part of the path; "" for the record itself. */
  name: string;
  /** All of its path. */
  path: string;
  /** What stands in it. */
  members: (Level | Leaf)[];
}

/** A field at its place. */
export interface Leaf {
  /** The last part of its path. */
  name: string;
  /** The field. */
  field: Field;
}

/** Orders a table of fields with dotted paths into the levels of the record. */
export function buildTree(fields: readonly Field[]): Level {
  const root: Level = { name: "", path: "", members: [] };
  for (const field of fields) {
    const names = field.path.split(".");
    let level = root;
    for (const [at, name] of names.slice(0, -1).entries()) {
      let next = level.members.find((member): member is Level =>
        member.name === name && "members" in member
      );
      if (next === undefined) {
        const path = names.slice(0, at + 1).join(".");
        level.members.push(next = { name, path, members: [] });
      }
      level = next;
    }
    level.members.push({ name: names[names.length - 1], field });
  }
  return root;
}

/**
 * Whether a member is there wherever a level is.
 *
 * @param path The level's path, which the member stands in.
 */
export function isAlways(member: Level | Leaf, path: string): boolean {
  if ("members" in member) return member.members.some((inner) => isAlways(inner, path));
  const { always } = member.field;
  if (always === undefined) return false;
  return always === true || always === path || path.startsWith(always + ".");
}
