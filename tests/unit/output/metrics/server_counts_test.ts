import { assertEquals, assertLessOrEqual } from "@std/assert";
import { REASONS_MAX, ServerCounts } from "../../../../src/output/metrics/server_counts.ts";
import { type Differences, handshakeWith, NOW_MS } from "./sample_metrics.ts";

const LABELS = { server_address: "10.0.0.2", server_port: "443" };

function counted(...all: Differences[]): ServerCounts {
  const counts = new ServerCounts(LABELS, NOW_MS, [1e6]);
  for (const differences of all) counts.record(handshakeWith(differences), NOW_MS);
  return counts;
}

function outcomesOf(counts: ServerCounts) {
  return counts.outcomes().map(({ labels: { role, outcome, reason }, value }) =>
    `${role} ${outcome} ${reason} ${value}`
  );
}

Deno.test("ServerCounts counts by role, outcome and reason", () => {
  const refused = { outcome: "refused", reason: "ECONNREFUSED" } as const;
  assertEquals(outcomesOf(counted({}, refused, {}, refused, { role: "server" })), [
    "client established  2",
    "server established  1",
    "client refused ECONNREFUSED 2",
  ]);
});

Deno.test("ServerCounts counts what is no symbol, and what comes beyond sixteen, as other", () => {
  const reasons = Array.from({ length: 40 }, (_, at) => `E${at}`);
  const wrong = ['"', "a\nb", "x".repeat(100), "lower"];
  const counts = counted(...[...wrong, ...reasons].map((reason) => ({ reason })));
  assertLessOrEqual(counts.outcomes().length, REASONS_MAX.one + 1);
  const other = counts.outcomes().find(({ labels }) => labels.reason === "other");
  assertEquals(other?.value, 40 + wrong.length - (REASONS_MAX.one - 1));
});

Deno.test("ServerCounts counts packets that came again, by role", () => {
  const [client, server] = counted(
    { synCount: 3, synAckCount: 1 },
    { synCount: 1, synAckCount: 2 },
    { role: "server", synAckCount: 5 },
  ).roles();
  assertEquals([client.syn.value, client.synAck.value], [2, 1]);
  assertEquals([server.syn.value, server.synAck.value], [0, 4]);
});

Deno.test("ServerCounts takes the leg of the network, by role", () => {
  const legs = { clientRttNs: 500, serverRttNs: 3 };
  const roles = counted(legs, { ...legs, role: "server" }, { ...legs, role: "local" }).roles();
  assertEquals(
    roles.map(({ networkRtt: { labels, buckets } }) => [labels.role, buckets.sumNs]),
    [["client", 500], ["server", 3], ["local", 503]],
  );
});

Deno.test("ServerCounts counts what a full accept queue cost, whatever became of it", () => {
  const dropReason = "ACCEPT_QUEUE_FULL";
  const counts = counted({ dropReason }, { dropReason, outcome: "dropped" }, {
    dropReason: "NETFILTER_DROP",
  });
  assertEquals(counts.acceptQueueDrops.value, 2);
});

Deno.test("ServerCounts adds others", () => {
  const one = counted({ clientRttNs: 5, synCount: 2 }, { outcome: "timeout" });
  const others = counted({ clientRttNs: 7, synCount: 3, dropReason: "ACCEPT_QUEUE_FULL" }, {
    role: "server",
  });
  one.add(others);
  assertEquals(outcomesOf(one), [
    "client established  2",
    "client timeout  1",
    "server established  1",
  ]);
  const [{ networkRtt, syn }] = one.roles();
  assertEquals([networkRtt.buckets.count, networkRtt.buckets.sumNs, syn.value], [2, 12, 3]);
  assertEquals(one.acceptQueueDrops.value, 1);
});
