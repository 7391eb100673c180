import { assertEquals } from "@std/assert";
import { NAME_NUMBERS, TimedNames } from "../../../../src/output/report/timed_names.ts";
import { allNamesOf } from "../../../../src/output/statistics/groupings.ts";
import { CONTEXT, makeHandshake, WORKED_EXAMPLE } from "../../record/sample_handshakes.ts";

Deno.test("TimedNames numbers the names of a handshake, each once", () => {
  const names = new TimedNames();
  const numbers = names.numbersOf(allNamesOf(WORKED_EXAMPLE, CONTEXT));
  assertEquals(numbers.length, 4);
  assertEquals(names.numbersOf(allNamesOf(WORKED_EXAMPLE, CONTEXT)), numbers);
  assertEquals(names.numberOf("process", "curl"), numbers[2]);
  assertEquals(names.numberOf("process", "wget"), undefined);
});

Deno.test("TimedNames is bounded: names that come too late have no number", () => {
  const names = new TimedNames();
  const of = (port: number) =>
    makeHandshake({ client: { address: "10.0.0.1" }, server: { address: "10.0.0.2", port } });
  for (let port = 1; port <= 1_000; port++) {
    const numbers = names.numbersOf(allNamesOf(of(port), CONTEXT));
    assertEquals(numbers.length, port <= 256 ? 2 : 1);
    assertEquals(numbers.every((number) => number < NAME_NUMBERS), true);
  }
  assertEquals(names.numberOf("server", "10.0.0.2:257"), undefined);
});
