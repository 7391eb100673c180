import type { Field } from "./field.ts";

/** A level of the record: its fields and its deeper levels, in the order of the table. */
export interface Level {
  /** Its own part of the path; "" for the record itself. */
  name: string;
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
  const root: Level = { name: "", members: [] };
  for (const field of fields) {
    const names = field.path.split(".");
    let level = root;
    for (const name of names.slice(0, -1)) {
      let next = level.members.find((member): member is Level =>
        member.name === name && "members" in member
      );
      if (next === undefined) level.members.push(next = { name, members: [] });
      level = next;
    }
    level.members.push({ name: names[names.length - 1], field });
  }
  return root;
}
