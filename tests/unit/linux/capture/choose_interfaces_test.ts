import { assertEquals } from "@std/assert";
import { chooseInterfaces, NONE } from "../../../../src/linux/capture/choose_interfaces.ts";
import type { Link } from "../../../../src/linux/netns/link_messages.ts";

function links(...all: [index: number, name: string, ...otherNames: string[]][]) {
  return new Map(all.map(([index, name, ...otherNames]): [number, Link] => [
    index,
    { index, name, otherNames, isUp: true },
  ]));
}

Deno.test("chooseInterfaces follows names, and interfaces whose name nobody has any more", () => {
  const cases: {
    what: string;
    names?: string[];
    now: ReadonlyMap<number, Link>;
    before?: number[];
    expected: number[];
  }[] = [
    { what: "at first", now: links([1, "lo"], [2, "a"]), before: [], expected: [2] },
    { what: "not there", now: links([1, "lo"]), before: [], expected: [NONE] },
    { what: "by another name", now: links([2, "b", "a"]), before: [], expected: [2] },
    { what: "gone", now: links([1, "lo"]), expected: [NONE] },
    { what: "made again", now: links([3, "a"]), expected: [3] },
    { what: "made again with its index", now: links([2, "a"]), expected: [2] },
    { what: "renamed", now: links([2, "b"]), expected: [2] },
    { what: "renamed, and another has the name", now: links([2, "b"], [3, "a"]), expected: [3] },
    {
      what: "a name goes before another name",
      now: links([2, "b", "a"], [3, "a"]),
      expected: [3],
    },
    {
      what: "two swapped",
      names: ["a", "b"],
      now: links([2, "b"], [3, "a"]),
      before: [2, 3],
      expected: [3, 2],
    },
    {
      what: "on the way of a swap",
      names: ["a", "b"],
      now: links([2, "tmp"], [3, "a"]),
      before: [2, 3],
      expected: [3, 3],
    },
    {
      what: "one by two names",
      names: ["a", "lan"],
      now: links([2, "a", "lan"]),
      before: [],
      expected: [2, 2],
    },
  ];
  for (const { what, names = ["a"], now, before = [2], expected } of cases) {
    assertEquals(chooseInterfaces(names, now, before), expected, what);
  }
});
