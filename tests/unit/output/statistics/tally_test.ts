import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { Tally } from "../../../../src/output/statistics/tally.ts";
import type { Handshake, Role } from "../../../../src/match/handshake.ts";
import { anyHandshake } from "../../record/arbitrary_handshake.ts";
import { makeHandshake } from "../../record/sample_handshakes.ts";

const ENDS = { client: { address: "10.0.0.1" }, server: { address: "10.0.0.2" } };

function tallyOf(handshakes: readonly Handshake[]): Tally {
  const tally = new Tally();
  for (const handshake of handshakes) tally.record(handshake);
  return tally;
}

function countsOf(tally: Tally) {
  const { handshakes, established, failures, captured, repeated, clientRtt, networkRtt } = tally;
  return {
    handshakes,
    established,
    failures: [...failures].sort(),
    captured,
    repeated,
    measured: clientRtt.count,
    networkMeasured: networkRtt.count,
  };
}

Deno.test("Tally counts handshakes, those established and those whose client RTT is known", () => {
  const { handshakes, established, measured } = countsOf(tallyOf([
    makeHandshake({ ...ENDS, outcome: "established", clientRttNs: 0 }),
    makeHandshake({ ...ENDS, outcome: "established" }),
    makeHandshake({ ...ENDS, outcome: "half_open", clientRttNs: 5 }),
    makeHandshake({ ...ENDS, outcome: "refused", serverRttNs: 5 }),
  ]));
  assertEquals([handshakes, established, measured], [4, 2, 2]);
});

Deno.test("Tally takes for the round trip through the network the leg that this host's role says", () => {
  const legs = { clientRttNs: 10, serverRttNs: 40 };
  const rttAs = (role: Role) => tallyOf([makeHandshake({ ...ENDS, ...legs, role })]).networkRtt.max;
  assertEquals((["client", "server", "observer"] as const).map(rttAs), [10, 40, 50]);
});

Deno.test("Tally counts what failed by how it ended", () => {
  const outcomes = ["refused", "established", "dropped", "refused"] as const;
  const { failures } = tallyOf(outcomes.map((outcome) => makeHandshake({ ...ENDS, outcome })));
  assertEquals([...failures], [["refused", 2], ["dropped", 1]]);
});

const REPETITIONS: { synCount: number; synAckCount: number; expected: number[] }[] = [
  { synCount: 0, synAckCount: 0, expected: [0, 0] },
  { synCount: 1, synAckCount: 0, expected: [1, 0] },
  { synCount: 0, synAckCount: 1, expected: [1, 0] },
  { synCount: 2, synAckCount: 1, expected: [1, 1] },
  { synCount: 1, synAckCount: 3, expected: [1, 1] },
  { synCount: 2, synAckCount: 2, expected: [1, 1] },
];

for (const { synCount, synAckCount, expected } of REPETITIONS) {
  Deno.test(`Tally of ${synCount} SYNs and ${synAckCount} SYN-ACKs`, () => {
    const { captured, repeated } = tallyOf([makeHandshake({ ...ENDS, synCount, synAckCount })]);
    assertEquals([captured, repeated], expected);
  });
}

Deno.test("Tally takes all that another one has counted", () => {
  const handshakes = fc.array(anyHandshake(), { maxLength: 12 });
  fc.assert(fc.property(handshakes, handshakes, (one, other) => {
    const sum = tallyOf(one);
    sum.add(tallyOf(other));
    assertEquals(countsOf(sum), countsOf(tallyOf([...one, ...other])));
  }));
});
