import { assertEquals } from "@std/assert";
import { Kinds } from "../../../../src/output/report/kinds.ts";
import { namesOf } from "../../../../src/output/statistics/groupings.ts";
import { makeHandshake } from "../../record/sample_handshakes.ts";

const ENDS = { client: { address: "10.0.0.1" }, server: { address: "10.0.0.2" } };

Deno.test("Kinds tells handshakes apart by outcome and by all reasons that are known", () => {
  const kinds = new Kinds();
  const numbers = [
    makeHandshake({ ...ENDS, outcome: "refused", reason: "ECONNREFUSED" }),
    makeHandshake({ ...ENDS, outcome: "established" }),
    makeHandshake({
      ...ENDS,
      outcome: "refused",
      reason: "ECONNREFUSED",
      resetReason: "NO_SOCKET",
    }),
    makeHandshake({ ...ENDS, outcome: "refused", reason: "NO_SOCKET", dropReason: "NO_SOCKET" }),
    makeHandshake({ ...ENDS, outcome: "refused", reason: "ECONNREFUSED" }),
  ].map((handshake) => kinds.take(handshake, namesOf("reason", handshake, {})));
  assertEquals(numbers, [0, 1, 2, 3, 0]);
  assertEquals(kinds.list.map(({ reasons, handshakes }) => [...reasons, handshakes]), [
    ["ECONNREFUSED", 2],
    [1],
    ["ECONNREFUSED", "NO_SOCKET", 1],
    ["NO_SOCKET", 1],
  ]);
});

Deno.test("Kinds counts reasons that are too many together, by outcome", () => {
  const kinds = new Kinds();
  for (let reason = 0; reason < 1_000; reason++) {
    const outcome = reason % 2 === 0 ? "dropped" : "refused";
    kinds.take({ outcome }, [`R${reason}`]);
  }
  assertEquals(kinds.list.length, 34);
  assertEquals(
    kinds.list.filter(({ isRest }) => isRest).map((
      { outcome, handshakes },
    ) => [outcome, handshakes]),
    [["dropped", 484], ["refused", 484]],
  );
});
