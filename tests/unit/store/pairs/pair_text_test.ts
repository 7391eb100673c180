import { assertEquals } from "@std/assert";
import { PAIR_COLUMNS } from "../../../../src/store/pairs/found_pairs.ts";
import { clockLines, pairLine } from "../../../../src/store/pairs/pair_text.ts";

/** Moves the cursor, by one character, on a terminal that knows C1 controls. */
const HOSTILE = "web\u009b2J";
const ESCAPED = String.raw`"web\u009b2J"`;

Deno.test("a pair and a clock are written as nothing that a terminal acts on", () => {
  const row = PAIR_COLUMNS.map((name) =>
    name.endsWith("_t") ? "1764550923123456789" : name.endsWith("_host") ? HOSTILE : "x"
  );
  const window = { atNs: 60e9, offsetNs: 1, uncertaintyNs: 2, driftPpb: 0, stepped: false };
  const change = { atNs: 60e9, isToOther: true, byNs: 5e6 };
  const clocks = {
    one: HOSTILE,
    other: "db",
    windows: [{ ...window, packets: 3 }],
    changes: [change],
  } as unknown as Parameters<typeof clockLines>[0];
  const lines = [pairLine(row), ...clockLines(clocks).trimEnd().split("\n")];
  assertEquals(lines.map((line) => line.split(ESCAPED).length - 1), [2, 1, 1]);
  assertEquals(lines.filter((line) => line.includes("\u009b")), []);
});
