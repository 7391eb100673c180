import { assertEquals } from "@std/assert";
import fc from "fast-check";
import type { Handshake } from "../../../../src/match/handshake.ts";
import { RTTS, Statistics } from "../../../../src/output/statistics/statistics.ts";
import { formatAddress, formatEndpoint } from "../../../../src/wire/address.ts";
import { anyHandshake } from "../../record/arbitrary_handshake.ts";
import { makeHandshake } from "../../record/sample_handshakes.ts";

const ENDS = { client: { address: "10.0.0.1" }, server: { address: "10.0.0.2" } };
const NS_OF = { client: "clientRttNs", server: "serverRttNs", total: "totalNs" } as const;

function statisticsOf(handshakes: readonly Handshake[], namesMax?: number): Statistics {
  const statistics = new Statistics(namesMax);
  for (const handshake of handshakes) statistics.record(handshake);
  return statistics;
}

Deno.test("Statistics counts outcomes, the most frequent first", () => {
  const outcomes = ["refused", "established", "timeout", "established"] as const;
  const statistics = statisticsOf(outcomes.map((outcome) => makeHandshake({ ...ENDS, outcome })));
  assertEquals(statistics.handshakes, 4);
  assertEquals(statistics.outcomes(), [["established", 2], ["refused", 1], ["timeout", 1]]);
});

Deno.test("Statistics counts packets that came again, of the handshakes that had them", () => {
  const counts = [[0, 0], [1, 0], [3, 0], [1, 2], [2, 1], [0, 1]];
  const { syn, synAck } = statisticsOf(
    counts.map(([synCount, synAckCount]) => makeHandshake({ ...ENDS, synCount, synAckCount })),
  );
  assertEquals([syn, synAck], [{ captured: 4, repeated: 2 }, { captured: 3, repeated: 1 }]);
});

Deno.test("Statistics names servers with their port and clients without", () => {
  const handshakes = [1, 2, 3].map((port) =>
    makeHandshake({
      client: { address: "2001:db8::1", port },
      server: { address: "2001:db8::2", port: port === 3 ? 80 : 443 },
    })
  );
  const statistics = statisticsOf(handshakes);
  const counts = ({ top }: ReturnType<Statistics["servers"]>) =>
    top.map(({ name, tally }) => [name, tally.handshakes]);
  assertEquals(counts(statistics.servers(9)), [["[2001:db8::2]:443", 2], ["[2001:db8::2]:80", 1]]);
  assertEquals(counts(statistics.clients(9)), [["2001:db8::1", 3]]);
  const { top, others, names } = statistics.servers(1);
  assertEquals([top.length, others.handshakes, names], [1, 1, 2]);
});

Deno.test("Statistics counts a handshake once for each process, container, cgroup and reason", () => {
  const process = (comm: string, cgroup?: number) => ({ pid: 1, comm, uid: 0, cgroup });
  const statistics = new Statistics();
  const context = {
    cgroupPath: (id: number) => id === 9 ? undefined : `/c${id}`,
    container: (id: number) => id === 9 ? undefined : { name: `n${id % 2}` },
  };
  const { client, server } = ENDS;
  for (
    const handshake of [
      makeHandshake({ ...ENDS, reason: "A", resetReason: "B", dropReason: "A" }),
      makeHandshake({ client: { ...client, process: process("x", 1) }, server, dropReason: "C" }),
      makeHandshake({
        client: { ...client, process: process("x", 1) },
        server: { ...server, process: process("x", 1) },
        reason: "A",
      }),
      makeHandshake({
        client: { ...client, process: process("y", 9) },
        server: { ...server, process: process("z", 2) },
      }),
      makeHandshake({ client, server: { ...server, process: process("z") } }),
    ]
  ) statistics.record(handshake, context);
  const counts = ({ top }: ReturnType<Statistics["servers"]>) =>
    Object.fromEntries(top.map(({ name, tally }) => [name, tally.handshakes]));
  assertEquals(counts(statistics.processes(9)), { x: 2, z: 2, y: 1 });
  assertEquals(counts(statistics.containers(9)), { n1: 2, n0: 1 });
  assertEquals(counts(statistics.cgroups(9)), { "/c1": 2, "/c2": 1 });
  assertEquals(counts(statistics.reasons(9)), { A: 2, B: 1, C: 1 });
  // Those without one are not among the others.
  assertEquals(statistics.cgroups(1).others.handshakes, 1);
  assertEquals(statistics.handshakes, 5);
});

Deno.test("Statistics loses no handshake, whoever is named and however many there are", () => {
  const handshakes = fc.array(anyHandshake(), { maxLength: 15 });
  fc.assert(
    fc.property(
      handshakes,
      fc.integer({ min: 1, max: 9 }),
      fc.integer({ min: 2, max: 9 }),
      (handshakes, most, namesMax) => {
        const statistics = statisticsOf(handshakes, namesMax);
        const rankings = [
          {
            ranking: statistics.servers(most),
            nameOf: (it: Handshake) => formatEndpoint(it.server),
          },
          {
            ranking: statistics.clients(most),
            nameOf: (it: Handshake) => formatAddress(it.client.address),
          },
        ];
        for (const { ranking: { top, others, names }, nameOf } of rankings) {
          const tallies = [...top.map(({ tally }) => tally), others];
          const sum = (count: (tally: typeof others) => number) =>
            tallies.reduce((total, tally) => total + count(tally), 0);
          const measured = handshakes.filter(({ clientRttNs }) => clientRttNs !== undefined);
          assertEquals(sum((tally) => tally.handshakes), handshakes.length);
          assertEquals(sum((tally) => tally.clientRtt.count), measured.length);
          const different = new Set(handshakes.map(nameOf)).size;
          assertEquals(names, different <= namesMax ? different : undefined);
        }
        for (const name of RTTS) {
          const { quantiles, buckets } = statistics.rtt(name);
          const exact = handshakes.map((it) => it[NS_OF[name]])
            .filter((ns) => ns !== undefined);
          assertEquals(quantiles.count, exact.length);
          assertEquals(buckets.reduce((total, { count }) => total + count, 0), exact.length);
        }
      },
    ),
  );
});
