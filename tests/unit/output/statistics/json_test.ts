import { assertEquals } from "@std/assert";
import { encodeStatistics } from "../../../../src/output/statistics/json.ts";
import { Statistics } from "../../../../src/output/statistics/statistics.ts";
import { Summary } from "../../../../src/pipeline/summary.ts";
import { CONTEXT, EPOCH_SECONDS, makeHandshake } from "../../record/sample_handshakes.ts";

const HANDSHAKES = [
  { client: "10.0.0.1", server: "10.1.0.1", clientRttNs: 150_000, synCount: 1, synAckCount: 1 },
  { client: "10.0.0.1", server: "10.1.0.2", clientRttNs: 900_000, synCount: 3, synAckCount: 2 },
  { client: "2001:db8::1", server: "10.1.0.2", synCount: 1 },
].map(({ client, server, ...rest }) =>
  makeHandshake({
    client: { address: client, port: 40_000 },
    server: { address: server, port: 443 },
    outcome: rest.clientRttNs === undefined ? "unanswered" : "established",
    wire: true,
    ...rest,
  })
);
const UNDECODED = { not_ip: 2, truncated_tcp: 1 };
const LOSSES = { ring_packets: 3, unexpected_packets: 0 };

function encode(handshakes = HANDSHAKES, top = 10) {
  const statistics = new Statistics();
  const summary = new Summary();
  for (const handshake of handshakes) {
    statistics.record(handshake, CONTEXT);
    summary.record(handshake);
  }
  const span = { epochSeconds: EPOCH_SECONDS, startNs: 500, endNs: 1_500 };
  const end = { summary, context: CONTEXT, span, losses: LOSSES, undecoded: UNDECODED };
  const line = encodeStatistics(statistics, end, top);
  assertEquals(line.indexOf("\n"), line.length - 1);
  return JSON.parse(line);
}

Deno.test("encodeStatistics holds what the summary holds", () => {
  const { v, event, time, host, duration_ns, handshakes, losses, ...counts } = encode();
  assertEquals([v, event, time, host, duration_ns, handshakes, losses], [
    1,
    "statistics",
    "2026-11-23T01:02:03.000001500Z",
    "web1",
    1_000,
    3,
    LOSSES,
  ]);
  const { outcomes, by_evidence, undecoded } = counts;
  assertEquals([outcomes, by_evidence.wire_only], [{ established: 2, unanswered: 1 }, 3]);
  assertEquals(undecoded, UNDECODED);
});

Deno.test("encodeStatistics holds quantiles, buckets, repetitions and who was most frequent", () => {
  const { rtt, repeated, servers, clients } = encode(HANDSHAKES, 1);
  assertEquals(Object.keys(rtt), ["client", "server", "total"]);
  assertEquals([rtt.client.count, rtt.client.max_ns], [2, 900_000]);
  assertEquals([rtt.client.buckets[0], rtt.client.buckets.at(-1)], [
    { from_ns: 150_000, to_ns: 200_000, count: 1 },
    { from_ns: 700_000, to_ns: 1_000_000, count: 1 },
  ]);
  assertEquals(repeated, {
    syn: { captured: 3, repeated: 1 },
    syn_ack: { captured: 2, repeated: 1 },
  });
  assertEquals([servers.different, clients.different], [2, 2]);
  assertEquals(servers.top.map(({ server }: { server: string }) => server), ["10.1.0.2:443"]);
  const [{ client, handshakes, missed_max }, ...rest] = clients.top;
  assertEquals([client, handshakes, missed_max, rest], ["10.0.0.1", 2, 0, []]);
  assertEquals([servers.others.handshakes, clients.others.handshakes], [1, 1]);
});

Deno.test("encodeStatistics tells how each failed", () => {
  const outcomes = ["timeout", "refused", "established", "refused"] as const;
  const [ends] = HANDSHAKES;
  const { servers } = encode(outcomes.map((outcome) => ({ ...ends, outcome })));
  const [{ handshakes, established, failures }] = servers.top;
  assertEquals([handshakes, established, failures], [4, 1, { refused: 2, timeout: 1 }]);
  assertEquals(servers.others.failures, {});
});

Deno.test("encodeStatistics names processes, cgroups and reasons as they are", () => {
  const comm = 'a"\u001b[31m';
  const { processes, cgroups, reasons } = encode([
    makeHandshake({
      client: { address: "10.0.0.1", process: { pid: 1, comm, uid: 0, cgroup: 8231 } },
      server: { address: "10.0.0.2" },
      outcome: "refused",
      reason: "ECONNREFUSED",
    }),
  ]);
  assertEquals([processes.top[0].process, cgroups.top[0].cgroup, reasons.top[0].reason], [
    comm,
    "/user.slice/user-1000.slice",
    "ECONNREFUSED",
  ]);
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
      failures: {},
      captured: 0,
      repeated: 0,
      client_rtt: { count: 0 },
    },
  });
});
