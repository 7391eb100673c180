import type { Link } from "../netns/link_messages.ts";

/** No interface. */
export const NONE = -1;

/**
 * Finds which interface each of the names asked for means now: the one that has the name, and where
 * none has it, the one that had it last and is called otherwise now.
 *
 * @param names What was asked for. @param links What is there, by index. @param before The indices
 *   that this found the last time, in the same order; {@link NONE} for none.
 * @returns An index for each name, {@link NONE} where none is there. Several names may mean one.
 */
export function chooseInterfaces(
  names: readonly string[],
  links: ReadonlyMap<number, Link>,
  before: readonly number[],
): number[] {
  const byName = new Map<string, number>();
  for (const { index, otherNames } of links.values()) {
    for (const name of otherNames) byName.set(name, index);
  }
  for (const { index, name } of links.values()) byName.set(name, index);
  return names.map((name, at) => {
    const last = before[at] ?? NONE;
    return byName.get(name) ?? (links.has(last) ? last : NONE);
  });
}
