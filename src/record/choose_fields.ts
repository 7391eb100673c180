import type { Field } from "./field.ts";
import { FIELDS } from "./fields.ts";

/** Every name that {@link chooseFields} knows: fields, and the levels that they stand in. */
export function fieldNames(): string[] {
  const names = FIELDS.flatMap(({ path }) => {
    const parts = path.split(".");
    return parts.map((_, at) => parts.slice(0, at + 1).join("."));
  });
  return [...new Set(names)];
}

/**
 * The fields of some names, in the order of the names: a field by its path (`client.address`), or all of
 * a level by its own (`rtt`), in the order of the table. A field that was named before stands once.
 *
 * @returns The fields, or the first name that is none.
 */
export function chooseFields(names: readonly string[]): Field[] | string {
  const chosen = new Set<Field>();
  for (const name of names) {
    const fields = FIELDS.filter(({ path }) => path === name || path.startsWith(`${name}.`));
    if (fields.length === 0) return name;
    for (const field of fields) chosen.add(field);
  }
  return [...chosen];
}

/** The paths of the fields of some names, and of those without which nothing can be told of them. */
export function neededFields(names: readonly string[]): ReadonlySet<string> {
  const needed = new Set<string>();
  for (const { path, needs = [] } of FIELDS) {
    const isNamed = names.some((name) => path === name || path.startsWith(`${name}.`));
    for (const each of isNamed ? [path, ...needs] : []) needed.add(each);
  }
  return needed;
}
