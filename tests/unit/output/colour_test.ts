import { assertEquals } from "@std/assert";
import { OUTCOMES } from "../../../src/match/handshake.ts";
import { BOLD, outcomeColour, paint } from "../../../src/output/colour.ts";

Deno.test("paint colours where colours are wanted", () => {
  assertEquals(paint("TIME", BOLD, true), "\x1b[1mTIME\x1b[22m");
  assertEquals(paint("TIME", BOLD, false), "TIME");
});

Deno.test("every outcome has a colour, and the default comes back behind each", () => {
  for (const outcome of OUTCOMES) {
    const [begin, end] = outcomeColour(outcome);
    assertEquals(["\x1b[31m", "\x1b[32m", "\x1b[33m"].includes(begin), true);
    assertEquals(end, "\x1b[39m");
  }
});
