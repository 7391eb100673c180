import { assertEquals } from "@std/assert";
import { TcpFlag } from "../../../src/wire/tcp_flags.ts";
import { end, type Event, Play, run, type Snapshot } from "./traffic.ts";

const P = new Play(end("192.0.2.1", 50000), end("198.51.100.2", 443), 1000, 5000);
const V6 = new Play(end("2001:db8::1", 50000), end("2001:db8::2", 443), 1000, 5000);
const ROUTER = end("203.0.113.9", 0).address;
const V6_ROUTER = end("2001:db8::ff", 0).address;

Deno.test("Matcher takes an ICMP error that quotes the SYN for its answer", () => {
  const cases: [name: string, events: Event[], expected: Partial<Snapshot>][] = [
    ["a router's host unreachable", [P.syn(0), P.icmp(3e6, { reporter: ROUTER })], {
      outcome: "unreachable",
      reason: "ICMP_HOST_UNREACH",
      icmpNs: 3e6,
    }],
    ["the server's port unreachable", [P.syn(0), P.icmp(3e6, { code: 3 })], {
      outcome: "refused",
      reason: "ICMP_PORT_UNREACH",
    }],
    ["a router's port unreachable", [P.syn(0), P.icmp(3e6, { code: 3, reporter: ROUTER })], {
      outcome: "unreachable",
      reason: "ICMP_PORT_UNREACH",
    }],
    ["over IPv6", [
      V6.syn(0),
      V6.icmp(3e6, { isIpv6: true, type: 1, code: 0, reporter: V6_ROUTER }),
    ], { outcome: "unreachable", reason: "ICMPV6_NOROUTE" }],
    ["8 bytes are quoted", [P.syn(0), P.icmp(3e6, {}, { flags: 0 })], { outcome: "unreachable" }],
    ["the first of several", [
      P.syn(0),
      P.icmp(3e6, { code: 13, reporter: ROUTER }),
      P.syn(1e9),
      P.icmp(1.003e9),
    ], { outcome: "unreachable", reason: "ICMP_PKT_FILTERED", icmpNs: 3e6, synCount: 2 }],
    ["the client goes on", [
      P.syn(0),
      P.icmp(3e6),
      P.syn(1e9),
      P.synAck(1.1e9),
      P.ack(1.2e9),
    ], { outcome: "established", reason: undefined, icmpNs: 3e6 }],
    ["the server answers after all", [P.syn(0), P.icmp(3e6), P.synAck(1.1e9)], {
      outcome: "half_open",
      reason: undefined,
    }],
    ["the kernel's errno is the reason", [
      P.syn(0),
      P.icmp(3e6),
      P.clientKernel(4e6, { newState: 7, error: 113 }),
    ], { outcome: "unreachable", reason: "EHOSTUNREACH" }],
    ["a packet too long", [P.syn(0), P.icmp(3e6, { code: 4 })], { outcome: "unanswered" }],
    ["another Seq", [P.syn(0), P.icmp(3e6, {}, { sequence: P.x + 1 })], { outcome: "unanswered" }],
    ["a SYN-ACK is quoted", [
      P.syn(0),
      P.icmp(3e6, {}, { flags: TcpFlag.SYN | TcpFlag.ACK }),
    ], { outcome: "unanswered" }],
  ];
  for (const [name, events, expected] of cases) {
    const { records } = run(events);
    assertEquals(records.length, 1, name);
    assertEquals({ ...records[0], ...expected }, records[0], name);
  }
});

Deno.test("Matcher keeps who sent the ICMP error, and begins nothing with one", () => {
  const [record] = run([P.syn(0), P.icmp(3e6, { reporter: ROUTER })]).records;
  assertEquals(record.icmp, { symbol: "ICMP_HOST_UNREACH", reporter: ROUTER });
  assertEquals(run([P.icmp(3e6)]).records, []);
});

Deno.test("Matcher waits on after an ICMP error: the client may send its SYN again", () => {
  const waiting = run([P.syn(0), P.icmp(3e6), { completeNs: 60e9 }], { unansweredNs: 60e9 });
  assertEquals(waiting.pendingBeforeFlush, 1);
  const over = run([P.syn(0), P.icmp(3e6), { completeNs: 60.003e9 }], { unansweredNs: 60e9 });
  assertEquals([over.pendingBeforeFlush, over.records[0].outcome], [0, "unreachable"]);
});
