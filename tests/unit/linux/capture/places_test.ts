import { assertEquals } from "@std/assert";
import { type InterfaceNames, Places } from "../../../../src/linux/capture/places.ts";

/** The interfaces of a namespace; tells how often it was asked. */
class Names implements InterfaceNames {
  asked = 0;
  readonly #names: readonly (string | undefined)[];

  constructor(...names: (string | undefined)[]) {
    this.#names = names;
  }

  interfaceName(index: number): string | undefined {
    this.asked++;
    return this.#names[index];
  }
}

Deno.test("Places tells one index in two namespaces apart and asks each name once", () => {
  const fresh: number[] = [];
  const places = new Places((netns) => fresh.push(netns));
  const first = new Names(undefined, "lo", "eth0");
  const second = new Names(undefined, "lo", "veth1");
  const numbers = [
    places.of(700, 1, first),
    places.of(700, 2, first),
    places.of(800, 2, second),
    places.of(700, 2, first),
    places.of(800, 2, second),
  ];
  assertEquals(numbers, [1, 2, 3, 2, 3]);
  assertEquals([first.asked, second.asked], [2, 1]);
  assertEquals(fresh, [700, 700, 800]);
  assertEquals([1, 2, 3, 4].map((place) => places.indexOf(place)), [1, 2, 2, undefined]);
  assertEquals([0, 1, 2, 3, 4].map((place) => places.nameOf(place)), [
    undefined,
    "lo",
    "eth0",
    "veth1",
    undefined,
  ]);
  assertEquals([0, 1, 2, 3, 4].map((place) => places.netnsOf(place)), [
    undefined,
    700,
    700,
    800,
    undefined,
  ]);
});

Deno.test("Places keeps the place of an interface that has no name any more", () => {
  const places = new Places();
  const place = places.of(700, 5, new Names());
  assertEquals([places.nameOf(place), places.netnsOf(place)], [undefined, 700]);
  // A kernel without namespaces has none to tell.
  assertEquals(places.netnsOf(places.of(0, 5, new Names())), undefined);
});

Deno.test("Places numbers anew what a later namespace of the same inode number has", () => {
  const places = new Places();
  const before = places.of(700, 2, new Names(undefined, undefined, "eth0"));
  places.forget(700);
  const after = places.of(700, 2, new Names(undefined, undefined, "eth7"));
  assertEquals([before, after], [1, 2]);
  // Handshakes under way are still reported with the old one.
  assertEquals([places.nameOf(before), places.nameOf(after)], ["eth0", "eth7"]);
});

Deno.test("Places forgets the oldest of more than 4096 and gives no number twice", () => {
  const places = new Places();
  const names: InterfaceNames = { interfaceName: (index) => `if${index}` };
  for (let index = 1; index <= 4_097; index++) places.of(700, index, names);
  assertEquals([places.nameOf(1), places.nameOf(2), places.nameOf(4_097)], [
    undefined,
    "if2",
    "if4097",
  ]);
  assertEquals(places.of(700, 2, names), 2);
  assertEquals(places.of(700, 1, names), 4_098);
});

Deno.test("Places forgets the oldest though its namespace was numbered anew", () => {
  const places = new Places();
  const names: InterfaceNames = { interfaceName: (index) => `if${index}` };
  places.of(700, 1, names);
  places.forget(700);
  const again = places.of(700, 1, names);
  for (let index = 2; index <= 4_096; index++) places.of(700, index, names);
  assertEquals(places.nameOf(1), undefined);
  assertEquals(places.of(700, 1, names), again);
});

Deno.test("Places gives an interface that is renamed another place, and keeps the old one's name", () => {
  const places = new Places();
  const other = places.of(700, 3, new Names(undefined, undefined, undefined, "eth1"));
  const before = places.of(700, 2, new Names(undefined, undefined, "eth0"));
  places.renamed(700, 2);
  places.renamed(700, 9);
  const after = places.of(700, 2, new Names(undefined, undefined, "lan0"));
  assertEquals([before, after, other].map((place) => places.nameOf(place)), [
    "eth0",
    "lan0",
    "eth1",
  ]);
  assertEquals(places.of(700, 3, new Names()), other);
});
