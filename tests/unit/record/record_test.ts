import { assertEquals } from "@std/assert";
import { FIELDS } from "../../../src/record/fields.ts";
import type { EndpointRecord, HandshakeRecord } from "../../../src/record/record.ts";

/** A type with every member there, at every level: the compiler then asks for all of them. */
type Complete<T> = T extends readonly unknown[] ? T
  : T extends object ? { [Key in keyof T]-?: Complete<NonNullable<T[Key]>> }
  : T;

const ENDPOINT: Complete<EndpointRecord> = {
  address: "192.0.2.1",
  port: 1,
  isn: 2,
  mss: 3,
  window: 4,
  window_scale: 5,
  sack_permitted: true,
  timestamps: true,
  process: {
    pid: 6,
    comm: "sh",
    uid: 7,
    cgroup: 8,
    cgroup_path: "/a",
    thread: { tid: 9, comm: "pool" },
    kernel: true,
  },
};

const RECORD: Complete<HandshakeRecord> = {
  v: 1,
  event: "handshake",
  time: "2026-11-23T01:02:03.123456789Z",
  host: "web1",
  role: "local",
  outcome: "established",
  reason: "ETIMEDOUT",
  evidence: ["wire"],
  network: {
    type: "ipv4",
    interface: "lo",
    interfaces: ["lo", "br0"],
    netns: 1,
    community_id: "1:",
    translated: {
      client: { address: "192.0.2.1", port: 1 },
      server: { address: "192.0.2.2", port: 2 },
    },
    vlan: 1,
    tunnels: ["vxlan"],
  },
  client: ENDPOINT,
  server: ENDPOINT,
  rtt: {
    client_ns: 1,
    server_ns: 1,
    total_ns: 1,
    ambiguous: false,
    first_syn_to_syn_ack_ns: 1,
    last_syn_to_syn_ack_ns: 1,
    first_syn_ack_to_ack_ns: 1,
    last_syn_ack_to_ack_ns: 1,
    kernel_client_ns: 1,
    kernel_server_ns: 1,
  },
  packets: { syn: 1, syn_ack: 1, rst: 1 },
  times: {
    connect_ns: 1,
    syn_sent_ns: 1,
    syn_ns: 1,
    syn_received_ns: 1,
    syn_ack_ns: 1,
    ack_ns: 1,
    established_ns: 1,
    server_established_ns: 1,
    accepted_ns: 1,
    dropped_ns: 1,
    reset_sent_ns: 1,
  },
  drop: { reason: "NO_SOCKET", packet: "syn", count: 1, queue_length: 1, queue_limit: 1 },
  reset: { reason: "NO_SOCKET" },
  checks: { syn_ack_acknowledges_syn: true, ack_sequence: true, ack_acknowledges_syn_ack: true },
  flags: ["ecn"],
};

function leaves(value: unknown, path: string): [path: string, type: string][] {
  if (Array.isArray(value)) return [[path, "strings"]];
  if (typeof value === "object" && value !== null) {
    return Object.entries(value).flatMap(([name, inner]) =>
      leaves(inner, path === "" ? name : `${path}.${name}`)
    );
  }
  return [[path, typeof value === "number" ? "integer" : typeof value]];
}

Deno.test("HandshakeRecord has the fields of the table, of the same types", () => {
  const byPath = (a: string[], b: string[]) => a[0] < b[0] ? -1 : 1;
  assertEquals(
    leaves(RECORD, "").sort(byPath),
    FIELDS.map(({ path, type }) => [path, type]).sort(byPath),
  );
});
