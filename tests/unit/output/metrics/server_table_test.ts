import { assert, assertEquals, assertLessOrEqual } from "@std/assert";
import fc from "fast-check";
import type { ExtraLabel } from "../../../../src/output/metrics/choices.ts";
import { OUTCOMES, ROLES } from "../../../../src/match/handshake.ts";
import {
  IDLE,
  IDLE_MS,
  OTHER,
  QUALIFYING,
  ServerTable,
} from "../../../../src/output/metrics/server_table.ts";
import { CONTEXT } from "../../record/sample_handshakes.ts";
import { type Differences, handshakeWith } from "./sample_metrics.ts";

/** A table with a clock of its own, read by server. */
class Table {
  nowMs = 0;
  readonly table: ServerTable;

  constructor(serversMax: number, extraLabels: readonly ExtraLabel[] = []) {
    this.table = new ServerTable({ serversMax, extraLabels, bounds: [1e6] }, 0);
  }

  take(differences: Differences, times = 1): void {
    for (let time = 0; time < times; time++) {
      const handshake = handshakeWith(differences);
      this.table.of(handshake, CONTEXT, this.nowMs).record(handshake, this.nowMs);
    }
  }

  /** Handshakes by server; those without are left out. */
  counts(): Record<string, number> {
    return Object.fromEntries(
      this.table.all().map((server) => {
        const { server_address, server_port } = server.labels;
        const sum = server.outcomes().reduce((all, { value }) => all + value, 0);
        return [server_port === "" ? server_address! : `${server_address}:${server_port}`, sum];
      }).filter(([, sum]) => sum !== 0),
    );
  }
}

Deno.test("ServerTable gives half of the labels to whoever answers first", () => {
  const table = new Table(4);
  for (const port of [1, 2, 3]) table.take({ port });
  assertEquals(table.counts(), { "10.0.0.2:1": 1, "10.0.0.2:2": 1, [OTHER]: 1 });
});

Deno.test("ServerTable gives a label to who fails or comes late with its tenth handshake", () => {
  const table = new Table(4);
  table.take({ port: 9, outcome: "refused" }, QUALIFYING - 1);
  assertEquals(table.counts(), { [OTHER]: QUALIFYING - 1 });
  table.take({ port: 9, outcome: "refused" }, 3);
  // What came before it qualified stays where it was counted.
  assertEquals(table.counts(), { "10.0.0.2:9": 3, [OTHER]: QUALIFYING - 1 });
});

Deno.test("ServerTable does not add up what came hours apart", () => {
  const table = new Table(4);
  for (let time = 0; time < 3 * QUALIFYING; time++) {
    table.take({ outcome: "timeout" });
    table.nowMs += IDLE_MS;
  }
  assertEquals(table.counts(), { [OTHER]: 3 * QUALIFYING });
});

Deno.test("ServerTable keeps a label until it was idle for ten minutes", () => {
  const table = new Table(2);
  table.take({ port: 1 });
  table.take({ port: 2 }, QUALIFYING);
  table.nowMs = IDLE_MS - 1;
  table.take({ port: 2 });
  table.take({ port: 3 }, QUALIFYING);
  assertEquals(table.counts(), {
    "10.0.0.2:1": 1,
    "10.0.0.2:2": 2,
    [OTHER]: 2 * QUALIFYING - 1,
  });
  table.nowMs = IDLE_MS;
  table.take({ port: 3 });
  assertEquals(table.counts(), {
    "10.0.0.2:2": 2,
    "10.0.0.2:3": 1,
    [IDLE]: 1,
    [OTHER]: 2 * QUALIFYING - 1,
  });
  // That one comes again like any newcomer.
  table.take({ port: 1 });
  assertEquals(table.counts()[OTHER], 2 * QUALIFYING);
});

Deno.test("ServerTable folds the destinations of a scan", () => {
  const table = new Table(200);
  table.take({ port: 443 }, 5);
  for (let port = 1_000; port < 6_000; port++) {
    table.take({ port, outcome: port % 3 === 0 ? "refused" : "unanswered" }, 2);
  }
  assertEquals(table.counts(), { "10.0.0.2:443": 5, [OTHER]: 10_000 });
});

Deno.test("ServerTable tells IPv6 servers, and servers by process and cgroup, apart", () => {
  const table = new Table(200, ["process", "cgroup"]);
  table.take({ server: "2001:db8::1" });
  table.take({ server: "2001:db8::2" });
  const handshake = handshakeWith({ server: "2001:db8::2" });
  handshake.client.process = { pid: 1, comm: 'a\x1b"b', uid: 0, cgroup: 8231 };
  const counts = table.table.of(handshake, CONTEXT, 0);
  assertEquals(counts.labels, {
    server_address: "2001:db8::2",
    server_port: "443",
    process: 'a\\u{1b}"b',
    cgroup: "/user.slice/user-1000.slice",
  });
  assertEquals(table.table.size, 3);
});

/** Some handshakes of one server, after some time. */
const ARBITRARY_STEP = fc.record({
  port: fc.integer({ min: 1, max: 12 }),
  role: fc.constantFrom(...ROLES),
  outcome: fc.constantFrom(...OUTCOMES),
  reason: fc.constantFrom(undefined, "ECONNREFUSED", "no symbol\n"),
  times: fc.integer({ min: 1, max: 12 }),
  waitMs: fc.constantFrom(0, 1_000, IDLE_MS / 2, IDLE_MS),
});

/** What a reader of the labels sees: sums by role and outcome. */
function sums({ table }: Table): Map<string, number> {
  const byKind = new Map<string, number>();
  for (const { labels: { role, outcome }, value } of table.all().flatMap((it) => it.outcomes())) {
    byKind.set(`${role} ${outcome}`, (byKind.get(`${role} ${outcome}`) ?? 0) + value);
  }
  return byKind;
}

Deno.test("ServerTable: the sum over labels is all that came, and a label keeps its counter", () => {
  fc.assert(fc.property(fc.array(ARBITRARY_STEP, { maxLength: 60 }), (steps) => {
    const table = new Table(3);
    const all = new Map<string, number>();
    const lastMs = new Map<string, number>();
    let before: Record<string, number> = {};
    for (const { times, waitMs, ...differences } of steps) {
      table.nowMs += waitMs;
      table.take(differences, times);
      const { role, outcome, port } = differences;
      all.set(`${role} ${outcome}`, (all.get(`${role} ${outcome}`) ?? 0) + times);
      assertEquals(sums(table), all);
      assertLessOrEqual(table.table.size, 3);
      const now = table.counts();
      for (const [server, count] of Object.entries(before)) {
        if (now[server] !== undefined) assertLessOrEqual(count, now[server]);
        else assert(table.nowMs - (lastMs.get(server) ?? 0) >= IDLE_MS, `${server} went too early`);
      }
      const own = `10.0.0.2:${port}`;
      if (before[own] !== undefined) assertEquals(now[own], before[own] + times);
      lastMs.set(own, table.nowMs);
      before = now;
    }
  }));
});

Deno.test("ServerTable holds no more for a million servers than for a few", () => {
  const table = new Table(200);
  const handshake = handshakeWith();
  for (let at = 0; at < 1_000_000; at++) {
    handshake.server.address[3] = 0x0b00_0000 + at;
    table.table.of(handshake, CONTEXT, at).record(handshake, at);
  }
  assertEquals(table.table.size, 100);
  const sum = Object.values(table.counts()).reduce((all, count) => all + count, 0);
  assertEquals(sum, 1_000_000);
  assertEquals(table.table.all().length, 102);
});
