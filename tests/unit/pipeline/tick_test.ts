import { assertEquals } from "@std/assert";
import { nextTickMs } from "../../../src/pipeline/tick.ts";

Deno.test("nextTickMs waits longer while nothing comes and while much comes, but not too much", () => {
  const cases = [
    { what: "nothing comes", fetched: 0, elapsedMs: 60, concluded: 0, expected: 60 },
    { what: "a handshake waits to be told", fetched: 0, elapsedMs: 20, concluded: 1, expected: 20 },
    { what: "a lone handshake", fetched: 8, elapsedMs: 60, concluded: 0, expected: 20 },
    {
      what: "a browser opens ten connections",
      fetched: 80,
      elapsedMs: 20,
      concluded: 9,
      expected: 20,
    },
    { what: "1,000 handshakes a second", fetched: 120, elapsedMs: 20, concluded: 9, expected: 100 },
    { what: "still so many", fetched: 600, elapsedMs: 100, concluded: 9, expected: 100 },
    {
      what: "10,000 handshakes a second",
      fetched: 4_500,
      elapsedMs: 75,
      concluded: 9,
      expected: 4_500 / 60,
    },
    { what: "a flood", fetched: 6_000, elapsedMs: 20, concluded: 9, expected: 20 },
    {
      what: "a flood that takes long",
      fetched: 50_000,
      elapsedMs: 400,
      concluded: 9,
      expected: 20 * 6_000 / 50_000,
    },
    { what: "the clock did not move", fetched: 8, elapsedMs: 0, concluded: 0, expected: 20 },
    { what: "nor did anything come", fetched: 0, elapsedMs: 0, concluded: 1, expected: 20 },
  ];
  for (const { what, fetched, elapsedMs, concluded, expected } of cases) {
    assertEquals(nextTickMs(fetched, elapsedMs * 1e6, concluded), expected, what);
  }
});
