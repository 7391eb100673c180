// `deno task same`: what it finds between the records of two versions, and that it finds nothing else.
import { assertEquals } from "@std/assert";
import { formatChanges, isAdded, type Line, recordChanges } from "./record_changes.ts";

function record(changes: Line = {}): Line {
  return {
    event: "handshake",
    time: "2026-11-23T01:02:03.000000001Z",
    outcome: "established",
    client: { address: "192.0.2.1", port: 40_000, isn: 7 },
    server: { address: "192.0.2.2", port: 443 },
    rtt: { client_ns: 10 },
    flags: [],
    ...changes,
  };
}

const KEY = "192.0.2.1 port 40000 to 192.0.2.2 port 443, isn 7";

Deno.test("recordChanges() names each field that changed, is new or is gone", () => {
  const before = [record({ rtt: { client_ns: 10, server_ns: 5 } })];
  const now = [record({ rtt: { client_ns: 11 }, flags: ["one_sided"], tracer: "1-2" })];
  assertEquals(recordChanges(before, now), [
    { key: KEY, field: "rtt.client_ns", before: 10, now: 11 },
    { key: KEY, field: "rtt.server_ns", before: 5, now: undefined },
    { key: KEY, field: "flags", before: [], now: ["one_sided"] },
    { key: KEY, field: "tracer", before: undefined, now: "1-2" },
  ]);
});

Deno.test("recordChanges() pairs records of one handshake by their times, whatever their order", () => {
  const later = record({ time: "2026-11-23T01:02:04.000000001Z", outcome: "refused" });
  assertEquals(recordChanges([later, record()], [record(), later]), []);
  assertEquals(recordChanges([record(), later], [record()]), [
    { key: KEY, field: "record", before: "refused", now: undefined },
  ]);
});

Deno.test("recordChanges() compares what a summary says was lost", () => {
  const summary = (lost: number) => ({ event: "summary", losses: { capture_packets: lost } });
  assertEquals(recordChanges([summary(0)], [summary(2)]), [
    { key: "summary", field: "losses.capture_packets", before: 0, now: 2 },
  ]);
});

Deno.test("recordChanges() lets times that two runs took be a little apart, and no more", () => {
  const near = { isNear: (field: string) => field.startsWith("times."), ns: 1000 };
  const at = (ns: number) => [record({ times: { established_ns: ns } })];
  assertEquals(recordChanges(at(5000), at(5900), { near }), []);
  assertEquals(recordChanges(at(5000), at(6001), { near }).length, 1);
  // Absent is not near anything.
  assertEquals(recordChanges(at(5000), [record({ times: {} })], { near }).length, 1);
  const traced = (tracer: string) => [record({ tracer })];
  assertEquals(recordChanges(traced("1-2"), traced("3-4"), { ignored: ["tracer"] }), []);
});

Deno.test("formatChanges() writes examples of each kind, isAdded() knows what is expected", () => {
  const changes = [
    { key: KEY, field: "host_id", before: undefined, now: "a" },
    { key: KEY, field: "rtt.client_ns", before: 10, now: undefined },
  ];
  assertEquals(formatChanges(changes), [
    "host_id is new in 1 record",
    `  ${KEY}: absent, now "a"`,
    "rtt.client_ns is gone in 1 record",
    `  ${KEY}: 10, now absent`,
  ]);
  assertEquals(changes.map((change) => isAdded(change, ["host_id"])), [true, false]);
  assertEquals(isAdded({ ...changes[1], before: 10, now: 11 }, ["rtt"]), false);
});
