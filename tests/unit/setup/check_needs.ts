import { assertEquals, assertMatch, assertNotEquals } from "@std/assert";
import { MANAGERS, type Need, needName } from "../../../src/setup/packages.ts";

/** Checks that each can be looked for, is named once and has a package on each manager. */
export function checkNeeds(needs: readonly Need[]): void {
  const names = needs.map(needName);
  assertEquals(new Set(names).size, names.length);
  for (const need of needs) {
    assertNotEquals(needName(need), "");
    assertEquals(Object.keys(need.package).toSorted(), MANAGERS.toSorted());
    for (const name of Object.values(need.package)) assertMatch(name, /^[a-z0-9][a-z0-9+._-]*$/);
  }
}
