import { type Btf, btfKind } from "./btf.ts";

/** include/uapi/linux/btf.h */
const BTF_KIND_FUNC = 12;

/**
 * Finds functions in a kernel's description of itself. Looks for each name's place instead of walking
 * all types, which takes four times as long: what else should look like a function's entry would have
 * to hold that very place by chance.
 *
 * @param names The functions looked for.
 * @returns Those that are there, in the order given.
 */
export function functionsInBtf(btf: Btf, names: readonly string[]): string[] {
  const places = btf.lookFor(names);
  return names.filter((name) => {
    const place = places.get(name);
    return place !== undefined && hasFunction(btf.types, place);
  });
}

/** Whether one of the types is a function whose name is at this place: `name_off`, then `info`. */
function hasFunction(words: Uint32Array, place: number): boolean {
  for (let at = words.indexOf(place); at >= 0; at = words.indexOf(place, at + 1)) {
    if (btfKind(words[at + 1]) === BTF_KIND_FUNC) return true;
  }
  return false;
}
