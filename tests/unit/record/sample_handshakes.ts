/** Handshakes to report, each a case of its own: what the tests and the golden files are made of. */
import type { Process } from "../../../src/kernel/kernel_record.ts";
import { type Endpoint, Handshake } from "../../../src/match/handshake.ts";
import { ByteText } from "../../../src/text/byte_text.ts";
import type { RecordContext } from "../../../src/record/record_context.ts";
import type { TextFormat } from "../../../src/output/text_sink.ts";
import type { HandshakeRecord } from "../../../src/record/record.ts";
import { parseAddress } from "../../../src/wire/address.ts";

/** 2026-11-23T01:02:03Z. */
export const EPOCH_SECONDS = 1_795_395_723;

/** What is known beside the handshakes of files. */
export const FILE_CONTEXT: RecordContext = { host: "web1", interfaceName: () => undefined };

/** A name that would clear a terminal, write lines of its own and reorder what follows. */
export const HOSTILE_COMM = '\x1b[2J\n{"v":1}\u009b1m\u202e\u2028';

const CONTAINER_ID = "3f9a".repeat(16);
const CGROUP_PATHS = new Map([
  [5, `/system.slice/docker-${CONTAINER_ID}.scope`],
  [8231, "/user.slice/user-1000.slice"],
]);
const INTERFACE_NAMES = new Map([[1, "lo"], [2, "eth0"]]);
const NAMESPACES = new Map([[1, 4_026_531_840], [2, 4_026_532_300]]);
const CONTAINERS = new Map([
  [4, { id: "0".repeat(64), name: HOSTILE_COMM }],
  [5, { id: CONTAINER_ID, name: "shop" }],
]);

/** What is reported beside the handshakes. */
export const CONTEXT: RecordContext = {
  host: "web1",
  hostId: "0123456789ab4def8123456789abcdef",
  tracer: "4242-1795395723000",
  interfaceName: (place) => INTERFACE_NAMES.get(place),
  netnsOf: (place) => NAMESPACES.get(place),
  cgroupPath: (id) => CGROUP_PATHS.get(id),
  container: (cgroup) => CONTAINERS.get(cgroup),
};

type EndpointParts = Partial<Omit<Endpoint, "address">> & { address: string };
type Parts =
  & Partial<Omit<Handshake, "client" | "server" | "flags">>
  & { client: EndpointParts; server: EndpointParts; flags?: Handshake["flags"] };

/** Makes a handshake of what differs from the empty one. */
export function makeHandshake({ client, server, flags = [], ...rest }: Parts): Handshake {
  const handshake = new Handshake();
  handshake.epochSeconds = EPOCH_SECONDS;
  Object.assign(handshake, rest);
  for (
    const [endpoint, parts] of [[handshake.client, client], [handshake.server, server]] as const
  ) {
    const { address, ...others } = parts;
    endpoint.address.set(parseAddress(address)!);
    Object.assign(endpoint, others);
  }
  handshake.ipv4 = rest.ipv4 ?? !(client.address + server.address).includes(":");
  handshake.flags.push(...flags);
  return handshake;
}

/** The kernel itself connects. */
const KWORKER: Process = { pid: 61, comm: "kworker/u4:2", uid: 0, cgroup: 8231, kernel: true };
const CURL: Process = { pid: 4711, comm: "curl", uid: 1000, cgroup: 8231 };

/** The one that the record's contract shows: a client and its web server, seen by both sources. */
export const WORKED_EXAMPLE: Handshake = makeHandshake({
  timeNs: 123_456_789,
  role: "client",
  outcome: "established",
  wire: true,
  kernel: true,
  place: 2,
  netns: 4_026_531_840,
  client: {
    address: "192.168.100.191",
    port: 52_312,
    isn: 0x4ce45750,
    mss: 1460,
    window: 64_240,
    windowScale: 7,
    sackPermitted: true,
    timestamps: true,
    process: CURL,
  },
  server: {
    address: "172.67.149.132",
    port: 443,
    isn: 0xc112f693,
    mss: 1400,
    window: 65_535,
    windowScale: 13,
    sackPermitted: true,
    timestamps: false,
  },
  clientRttNs: 10_231_000,
  serverRttNs: 41_000,
  totalNs: 10_272_000,
  kernelClientRttNs: 10_240_000,
  synCount: 1,
  synAckCount: 1,
  connectNs: -52_000,
  synNs: 0,
  synAckNs: 10_231_000,
  ackNs: 10_272_000,
  establishedNs: 10_250_000,
  synAckAcknowledgesSyn: true,
  ackSequence: true,
  ackAcknowledgesSynAck: true,
  flags: ["tcp_fast_open"],
});

/** Its record, version 1: names, types, nesting and order that readers rely on. */
export const WORKED_RECORD: HandshakeRecord = {
  v: 1,
  event: "handshake",
  time: "2026-11-23T01:02:03.123456789Z",
  host: "web1",
  host_id: "0123456789ab4def8123456789abcdef",
  tracer: "4242-1795395723000",
  role: "client",
  outcome: "established",
  reason: null,
  evidence: ["wire", "kernel"],
  network: {
    type: "ipv4",
    interface: "eth0",
    netns: 4026531840,
    community_id: "1:CQrbKbilRtXBgWq8rbsuAIaK0f0=",
  },
  client: {
    address: "192.168.100.191",
    port: 52312,
    isn: 1290032976,
    mss: 1460,
    window: 64240,
    window_scale: 7,
    sack_permitted: true,
    timestamps: true,
    process: {
      pid: 4711,
      comm: "curl",
      uid: 1000,
      cgroup: 8231,
      cgroup_path: "/user.slice/user-1000.slice",
    },
  },
  server: {
    address: "172.67.149.132",
    port: 443,
    isn: 3239245459,
    mss: 1400,
    window: 65535,
    window_scale: 13,
    sack_permitted: true,
    timestamps: false,
  },
  rtt: {
    client_ns: 10231000,
    server_ns: 41000,
    total_ns: 10272000,
    ambiguous: false,
    kernel_client_ns: 10240000,
  },
  packets: { syn: 1, syn_ack: 1, rst: 0 },
  times: {
    connect_ns: -52000,
    syn_ns: 0,
    syn_ack_ns: 10231000,
    ack_ns: 10272000,
    established_ns: 10250000,
  },
  checks: {
    syn_ack_acknowledges_syn: true,
    ack_sequence: true,
    ack_acknowledges_syn_ack: true,
  },
  flags: ["tcp_fast_open"],
};

/** All cases, the worked example first. */
export const HANDSHAKES: readonly Handshake[] = [
  WORKED_EXAMPLE,
  // A server's side alone, from the kernel: IPv6, a time before the axis begins.
  makeHandshake({
    timeNs: -1,
    role: "server",
    outcome: "established",
    kernel: true,
    netns: 4_026_531_840,
    client: { address: "2001:db8::7", port: 40_000, isn: 1, windowScale: 8, timestamps: true },
    server: {
      address: "2001:db8::1",
      port: 443,
      isn: 4_294_967_295,
      windowScale: 7,
      timestamps: true,
      process: { pid: 812, comm: "nginx", uid: 33, cgroup: 2_201_170_739_213 },
    },
    kernelServerRttNs: 318_000,
    synReceivedNs: -340_000,
    establishedNs: 0,
  }),
  // A host on the way, which translates the client's address.
  makeHandshake({
    timeNs: 1_500_000_000,
    outcome: "unanswered",
    wire: true,
    place: 2,
    interfaces: [2, 1],
    translated: {
      client: { address: parseAddress("203.0.113.7")!, port: 61_000 },
      server: { address: parseAddress("198.51.100.2")!, port: 443 },
    },
    client: { address: "10.0.0.2", port: 50_000, isn: 7, mss: 1_460 },
    server: { address: "198.51.100.2", port: 443 },
    synCount: 1,
    synNs: 0,
  }),
  // Both ends here: the server's kernel refuses.
  makeHandshake({
    timeNs: 2_000_000_000,
    role: "local",
    outcome: "refused",
    reason: "ECONNREFUSED",
    wire: true,
    kernel: true,
    place: 1,
    netns: 4_026_531_840,
    client: {
      address: "127.0.0.1",
      port: 36_828,
      isn: 0x72c1bfcb,
      mss: 65_495,
      window: 65_495,
      windowScale: 10,
      sackPermitted: true,
      timestamps: true,
      process: { pid: 5888, comm: "python3", uid: 0, cgroup: 1 },
    },
    server: { address: "127.0.0.1", port: 43_391 },
    synCount: 1,
    rstCount: 1,
    connectNs: -91_000,
    synNs: 0,
  }),
  // Three SYNs and two SYN-ACKs without timestamps: no RTT can be told.
  makeHandshake({
    timeNs: 3_000_000_000,
    role: "client",
    outcome: "established",
    wire: true,
    kernel: true,
    place: 2,
    netns: 4_026_531_840,
    client: {
      address: "192.168.100.191",
      port: 52_313,
      isn: 7,
      mss: 1460,
      window: 64_240,
      sackPermitted: false,
      timestamps: false,
      process: CURL,
    },
    server: {
      address: "203.0.113.9",
      port: 22,
      isn: 9,
      mss: 1460,
      window: 29_200,
      sackPermitted: false,
      timestamps: false,
    },
    ambiguous: true,
    totalNs: 4_120_005_000,
    firstSynToSynAckNs: 3_100_000_000,
    lastSynToSynAckNs: 80_000_000,
    firstSynAckToAckNs: 1_020_005_000,
    lastSynAckToAckNs: 5_000,
    synCount: 3,
    synAckCount: 2,
    connectNs: -60_000,
    synNs: 0,
    synAckNs: 3_100_000_000,
    ackNs: 4_120_005_000,
    establishedNs: 3_100_040_000,
    synAckAcknowledgesSyn: true,
    ackSequence: true,
    ackAcknowledgesSynAck: true,
  }),
  // From a capture file that ends too early.
  makeHandshake({
    timeNs: 4_000_000_000,
    role: "observer",
    outcome: "unanswered",
    wire: true,
    client: {
      address: "2001:db8:ffff:ffff:ffff:ffff:ffff:1",
      port: 65_535,
      isn: 0,
      mss: 1440,
      window: 65_535,
      windowScale: 0,
      sackPermitted: true,
      timestamps: false,
    },
    server: { address: "2001:db8:ffff:ffff:ffff:ffff:ffff:2", port: 80 },
    synCount: 1,
    synNs: 0,
    flags: ["trace_ended"],
  }),
  // A scan: the answered SYN whose ACK never comes, ECN agreed on.
  makeHandshake({
    timeNs: 5_000_000_000,
    role: "server",
    outcome: "half_open",
    wire: true,
    place: 2,
    client: { address: "198.51.100.66", port: 61_000, isn: 3, window: 1024, timestamps: false },
    server: { address: "192.168.100.191", port: 22, isn: 5, mss: 1460, window: 64_240 },
    clientRttNs: 999,
    synCount: 1,
    synAckCount: 6,
    synNs: 0,
    synAckNs: 999,
    synAckAcknowledgesSyn: true,
    flags: ["ecn"],
  }),
  // A connect() that found no route: no port, no number, no packet.
  makeHandshake({
    timeNs: 6_000_000_000,
    role: "client",
    outcome: "unreachable",
    reason: "ENETUNREACH",
    kernel: true,
    netns: 4_026_532_999,
    client: {
      address: "0.0.0.0",
      port: 0,
      process: { pid: 99, comm: HOSTILE_COMM, uid: 65_534, cgroup: 4 },
    },
    server: { address: "198.51.100.1", port: 9 },
    connectNs: 0,
  }),
  // The client gave up and reset what came back with numbers that do not fit.
  makeHandshake({
    timeNs: 7_000_000_001,
    role: "client",
    outcome: "aborted",
    wire: true,
    kernel: true,
    place: 99,
    vlan: 7,
    tunnels: ["vxlan", "gre"],
    netns: 4_026_531_840,
    client: {
      address: "10.0.0.1",
      port: 1024,
      isn: 4_294_967_295,
      mss: 1460,
      window: 0,
      process: { pid: 1, comm: "", uid: 0, cgroup: 1 },
    },
    server: { address: "10.0.0.2", port: 1, isn: 0, mss: 536, window: 1 },
    synCount: 1,
    synAckCount: 1,
    rstCount: 1,
    synNs: 0,
    synAckNs: 12_345_678,
    clientRttNs: 12_345_678,
    synAckAcknowledgesSyn: false,
    ackSequence: false,
    ackAcknowledgesSynAck: false,
    flags: ["mptcp", "one_sided"],
  }),
  // Nobody answered; the kernel sent six SYNs more and gave up.
  makeHandshake({
    timeNs: 8_000_000_000,
    role: "client",
    outcome: "timeout",
    reason: "ETIMEDOUT",
    wire: true,
    kernel: true,
    place: 2,
    client: { address: "192.168.100.191", port: 52_400, isn: 77, process: CURL },
    server: { address: "192.0.2.1", port: 443 },
    synCount: 7,
    synNs: 0,
    connectNs: -40_000,
  }),
  // One socket that connected to itself.
  makeHandshake({
    timeNs: 86_400_000_000_000,
    role: "local",
    outcome: "established",
    wire: true,
    kernel: true,
    place: 1,
    netns: 4_026_531_840,
    client: { address: "::1", port: 5000, isn: 11, process: KWORKER },
    server: { address: "::1", port: 5000, isn: 11, process: KWORKER },
    clientRttNs: 0,
    serverRttNs: 0,
    totalNs: 0,
    synCount: 1,
    synAckCount: 1,
    synNs: 0,
    synAckNs: 0,
    ackNs: 0,
    establishedNs: 4_000,
    serverEstablishedNs: 5_000,
    synAckAcknowledgesSyn: true,
    ackSequence: true,
    ackAcknowledgesSynAck: true,
    flags: ["self_connect"],
  }),
  // A full accept queue refused every SYN: the listener's kernel alone tells.
  makeHandshake({
    timeNs: 9_000_000_000,
    role: "server",
    outcome: "dropped",
    reason: "ACCEPT_QUEUE_FULL",
    kernel: true,
    netns: 4_026_531_840,
    client: { address: "198.51.100.7", port: 41_000, isn: 13 },
    server: { address: "192.168.100.191", port: 8080 },
    dropCount: 6,
    dropReason: "ACCEPT_QUEUE_FULL",
    dropPacket: "syn",
    dropQueue: { length: 129, limit: 128 },
  }),
  // The accept queue was full for a moment: the second SYN was taken, and accepted late.
  makeHandshake({
    timeNs: 10_000_000_000,
    role: "server",
    outcome: "established",
    wire: true,
    kernel: true,
    place: 2,
    netns: 4_026_531_840,
    client: { address: "198.51.100.7", port: 41_001, isn: 17, window: 64_240, timestamps: true },
    server: {
      address: "192.168.100.191",
      port: 8080,
      isn: 19,
      window: 65_160,
      timestamps: true,
      process: {
        pid: 900,
        comm: "slow",
        uid: 33,
        cgroup: 5,
        thread: { tid: 907, comm: "acceptor" },
      },
    },
    clientRttNs: 21_000,
    serverRttNs: 9_000_000,
    totalNs: 1_032_021_000,
    kernelServerRttNs: 9_000_000,
    firstSynToSynAckNs: 1_023_021_000,
    lastSynToSynAckNs: 21_000,
    synCount: 2,
    synAckCount: 1,
    synNs: 0,
    synReceivedNs: 1_023_010_000,
    synAckNs: 1_023_021_000,
    ackNs: 1_032_021_000,
    establishedNs: 1_032_025_000,
    acceptedNs: 1_040_000_000,
    synAckAcknowledgesSyn: true,
    ackSequence: true,
    ackAcknowledgesSynAck: true,
    dropCount: 1,
    dropReason: "ACCEPT_QUEUE_FULL",
    dropPacket: "syn",
    dropQueue: { length: 6, limit: 5 },
  }),
  // The SYN queue was full, so that a SYN cookie answered: no RTT of the server's kernel.
  makeHandshake({
    timeNs: 11_000_000_000,
    role: "local",
    outcome: "established",
    wire: true,
    kernel: true,
    place: 1,
    netns: 4_026_531_840,
    client: {
      address: "127.0.0.1",
      port: 41_002,
      isn: 23,
      process: { ...CURL, thread: { tid: 4713, comm: HOSTILE_COMM } },
    },
    server: {
      address: "127.0.0.1",
      port: 8080,
      isn: 29,
      process: { pid: 900, comm: "slow", uid: 33, cgroup: 5 },
    },
    clientRttNs: 18_000,
    serverRttNs: 7_000,
    totalNs: 25_000,
    kernelClientRttNs: 22_000,
    synCount: 1,
    synAckCount: 1,
    connectNs: -31_000,
    synSentNs: -9_000,
    synNs: 0,
    synReceivedNs: 6_000,
    synAckNs: 18_000,
    ackNs: 25_000,
    establishedNs: 21_000,
    serverEstablishedNs: 29_000,
    acceptedNs: 44_000,
    synAckAcknowledgesSyn: true,
    ackSequence: true,
    ackAcknowledgesSynAck: true,
    flags: ["syn_cookie"],
  }),
  // Nobody listens: the RST and the drop have one reason.
  makeHandshake({
    timeNs: 12_000_000_000,
    role: "server",
    outcome: "refused",
    reason: "NO_SOCKET",
    wire: true,
    kernel: true,
    place: 2,
    client: { address: "198.51.100.66", port: 61_001, isn: 31, window: 1024 },
    server: { address: "192.168.100.191", port: 23 },
    synCount: 1,
    rstCount: 1,
    synNs: 0,
    dropCount: 1,
    dropReason: "NO_SOCKET",
    dropPacket: "syn",
    droppedNs: 2_100,
    resetSentNs: 2_600,
    resetReason: "NO_SOCKET",
  }),
];

/** What a format writes at once for a handshake. */
export function taken(format: TextFormat, handshake: Handshake, context = CONTEXT): string {
  const text = new ByteText();
  format.take(handshake, context, text);
  return text.toString();
}
