import { assertEquals, assertStrictEquals } from "@std/assert";
import type { Handshake } from "../../../src/match/handshake.ts";
import { Matcher } from "../../../src/match/matcher.ts";
import { TcpFlag } from "../../../src/wire/tcp_flags.ts";
import { ALL_FIT, check, merged, MS, P } from "./matcher_cases.ts";
import { end, EPOCH_SECONDS, Play, run } from "./traffic.ts";

Deno.test("Matcher reproduces the worked example, every field", () => {
  const { records, counters } = run([
    P.syn(1_000_052_000, {
      mss: 1460,
      window: 64240,
      windowScale: 7,
      sackPermitted: true,
      timestamps: [77, 0],
    }, 2),
    P.synAck(1_010_283_000, { mss: 1400, window: 65535, windowScale: 13, sackPermitted: true }, 2),
    P.clientKernel(1_010_302_000, { connectNs: 1_000_000_000, rttMinUs: 10240 }),
    P.ack(1_010_324_000, { window: 502 }, 2),
  ], { isLocalAddress: (words, at) => words[at + 3] === P.client.address[3] });
  assertEquals(records, [{
    epochSeconds: EPOCH_SECONDS,
    timeNs: 1_000_052_000,
    role: "client",
    outcome: "established",
    reason: undefined,
    wire: true,
    kernel: true,
    ipv4: true,
    place: 2,
    interfaces: [2],
    translated: undefined,
    vlan: undefined,
    tunnels: [],
    netns: 4026531840,
    client: {
      address: "192.168.100.191",
      port: 52312,
      isn: 1290032976,
      mss: 1460,
      window: 64240,
      windowScale: 7,
      sackPermitted: true,
      timestamps: true,
      process: { pid: 4711, comm: "curl", uid: 1000, cgroup: 8231 },
    },
    server: {
      address: "172.67.149.132",
      port: 443,
      isn: 3239245459,
      mss: 1400,
      window: 65535,
      windowScale: 13,
      sackPermitted: true,
      timestamps: false,
      process: undefined,
    },
    clientRttNs: 10_231_000,
    serverRttNs: 41_000,
    totalNs: 10_272_000,
    ambiguous: false,
    firstSynToSynAckNs: undefined,
    lastSynToSynAckNs: undefined,
    firstSynAckToAckNs: undefined,
    lastSynAckToAckNs: undefined,
    kernelClientRttNs: 10_240_000,
    kernelServerRttNs: undefined,
    synCount: 1,
    synAckCount: 1,
    rstCount: 0,
    connectNs: -52_000,
    synSentNs: undefined,
    synNs: 0,
    synReceivedNs: undefined,
    synAckNs: 10_231_000,
    ackNs: 10_272_000,
    establishedNs: 10_250_000,
    serverEstablishedNs: undefined,
    acceptedNs: undefined,
    icmpNs: undefined,
    droppedNs: undefined,
    resetSentNs: undefined,
    icmp: undefined,
    dropCount: undefined,
    dropReason: undefined,
    dropPacket: undefined,
    dropQueue: undefined,
    resetReason: undefined,
    ...ALL_FIT,
    flags: [],
  }]);
  assertEquals(counters, {
    evicted: 0,
    crowded: 0,
    contradicted: 0,
    lateKernelRecords: 0,
    lateAccepts: 0,
    unexpected: 0,
  });
});

Deno.test("Matcher keeps IPv6 apart from IPv4", () => {
  const play = new Play(end("2001:db8::1", 1), end("2001:db8::2", 65535), 1, 2);
  const twin = new Play(end("2001:db8::1", 1), end("2001:db9::2", 65535), 1, 2);
  const expected = { outcome: "established", ipv4: false, totalNs: 11 * MS, ...ALL_FIT } as const;
  const { records } = run([
    play.syn(0),
    twin.syn(0),
    play.synAck(10 * MS),
    twin.synAck(10 * MS),
    play.ack(11 * MS),
    twin.ack(11 * MS),
  ]);
  assertEquals(records.map(({ server }) => server.address), ["2001:db8::2", "2001:db9::2"]);
  for (const record of records) assertEquals(record, merged(record, expected));
});

Deno.test("Matcher tells ECN whatever is seen first", () => {
  const syn = P.syn(0, { flags: TcpFlag.SYN | TcpFlag.ECE | TcpFlag.CWR });
  const synAck = P.synAck(5, { flags: TcpFlag.SYN | TcpFlag.ACK | TcpFlag.ECE });
  for (const events of [[syn, synAck, P.ack(9)], [synAck, syn, P.ack(9)]]) {
    check([{ name: "ecn", events, expected: [{ flags: ["ecn"] }] }]);
  }
});

Deno.test("Matcher hands out one object, filled anew", () => {
  const seen: Handshake[] = [];
  const matcher = new Matcher(EPOCH_SECONDS, (handshake) => seen.push(handshake));
  matcher.kernelRecord(P.clientKernel(1).record);
  matcher.kernelRecord(P.again(1, 2).clientKernel(1).record);
  matcher.flush();
  assertEquals(seen.length, 2);
  assertStrictEquals(seen[0], seen[1]);
});
