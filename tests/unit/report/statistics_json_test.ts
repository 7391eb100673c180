import { assertEquals } from "@std/assert";
import { encodeStatistics } from "../../../src/report/statistics_json.ts";
import { Statistics } from "../../../src/report/statistics.ts";
import { Summary } from "../../../src/report/summary.ts";
import { CONTEXT, EPOCH_SECONDS, HANDSHAKES } from "./sample_handshakes.ts";

const LOSSES = { ring_packets: 3, unexpected_packets: 0 };

function encode(handshakes = HANDSHAKES, top = 10) {
  const statistics = new Statistics();
  const summary = new Summary();
  for (const handshake of handshakes) {
    statistics.record(handshake);
    summary.record(handshake);
  }
  const span = { epochSeconds: EPOCH_SECONDS, startNs: 500, endNs: 1_500 };
  const end = { summary, context: CONTEXT, span, losses: LOSSES };
  const line = encodeStatistics(statistics, end, top);
  assertEquals(line.indexOf("\n"), line.length - 1);
  return JSON.parse(line);
}

Deno.test("encodeStatistics holds what the summary holds", () => {
  const { v, event, time, host, duration_ns, handshakes, outcomes, evidence, losses } = encode();
  assertEquals([v, event, time, host, duration_ns, handshakes, losses], [
    1,
    "statistics",
    "2026-11-23T01:02:03.000001500Z",
    "web1",
    1_000,
    14,
    LOSSES,
  ]);
  assertEquals([outcomes.established, evidence.kernel_only], [6, 3]);
});

Deno.test("encodeStatistics holds quantiles, buckets, repetitions and who was most frequent", () => {
  const { rtt, repeated, servers, clients } = encode(HANDSHAKES, 1);
  assertEquals(Object.keys(rtt), ["client", "server", "total"]);
  assertEquals([rtt.client.count, rtt.client.max_ns], [6, 12_345_678]);
  assertEquals(
    rtt.client.buckets.reduce((sum: number, { count }: { count: number }) => sum + count, 0),
    6,
  );
  assertEquals(repeated, {
    syn: { captured: 11, repeated: 3 },
    syn_ack: { captured: 7, repeated: 2 },
  });
  assertEquals([servers.different, clients.different], [13, 9]);
  assertEquals(servers.top.map(({ server }: { server: string }) => server), [
    "192.168.100.191:8080",
  ]);
  const [{ client, handshakes, missed_max }] = clients.top;
  assertEquals([client, handshakes, missed_max], ["192.168.100.191", 3, 0]);
  assertEquals([servers.others.handshakes, clients.others.handshakes], [12, 11]);
});

Deno.test("encodeStatistics leaves out what nobody measured", () => {
  const { rtt, servers } = encode([]);
  assertEquals(rtt.total, { count: 0, buckets: [] });
  assertEquals(servers, {
    different: 0,
    top: [],
    others: {
      handshakes: 0,
      established: 0,
      captured: 0,
      repeated: 0,
      client_rtt: { count: 0 },
    },
  });
});
