// `deno task compare`: who is right where read and tshark differ, and that they do not on captures made
// here.
import { assertEquals, assertStringIncludes } from "@std/assert";
import { findExecutable } from "../../src/linux/host.ts";
import type { HandshakeRecord } from "../../src/record/record.ts";
import { TcpFlag } from "../../src/wire/tcp_flags.ts";
import { buildPcap, type PcapRecord } from "../unit/pcap/build_capture.ts";
import {
  buildEthernet,
  buildIpv4,
  buildIpv6,
  buildTcp,
  type ChecksumFaults,
  finished,
} from "../unit/wire/build_frame.ts";
import { WRAPPINGS } from "../unit/wire/build_wrapping.ts";
import { capturesBelow, compareFile, formatComparison, isClean } from "./compare.ts";
import { compare, type DifferenceKind, type ReadCapture, WHY } from "./differences.ts";
import { handshakesOf, type TsharkPacket } from "./tshark.ts";

const { SYN, ACK } = TcpFlag;
const CLIENT = { address: "192.0.2.1", port: 40_000 };
const SERVER = { address: "198.51.100.2", port: 443 };
const TOTAL_NS = 20_000;

/** The packets of one handshake as tshark shows them. */
function packets(changes: readonly Partial<TsharkPacket>[] = [{}, {}, {}]): TsharkPacket[] {
  const flow = [
    { source: CLIENT, target: SERVER, isSyn: true, sequence: 1000 },
    { source: SERVER, target: CLIENT, isSynAck: true, sequence: 5000, acknowledgment: 1001 },
    { source: CLIENT, target: SERVER, sequence: 1001, acknowledgment: 5001 },
  ];
  return changes.map((change, index): TsharkPacket => ({
    frame: index + 1,
    time: "0",
    isSyn: false,
    isSynAck: false,
    isReset: false,
    hasAck: index > 0,
    acknowledgment: 0,
    length: 0,
    stream: 0,
    initialRtt: index === 2 ? TOTAL_NS / 1e9 : undefined,
    hasWrongChecksum: false,
    protocols: "eth:ethertype:ip:tcp",
    ...flow[Math.min(index, 2)],
    ...change,
  }));
}

interface RecordFields {
  outcome?: string;
  flags?: string[];
  isn?: number;
  serverIsn?: number;
  total?: number;
  ambiguous?: boolean;
}

function record(fields: RecordFields = {}): HandshakeRecord {
  return {
    outcome: fields.outcome ?? "established",
    client: { ...CLIENT, isn: fields.isn ?? 1000 },
    server: { ...SERVER, isn: "serverIsn" in fields ? fields.serverIsn : 5000 },
    rtt: {
      total_ns: "total" in fields ? fields.total : TOTAL_NS,
      ambiguous: fields.ambiguous ?? false,
    },
    packets: { syn: 1, syn_ack: 1, rst: 0 },
    flags: fields.flags ?? [],
  } as unknown as HandshakeRecord;
}

interface Rule {
  name: string;
  read: Partial<ReadCapture>;
  tshark?: readonly TsharkPacket[];
  expected: [kind: DifferenceKind, why: string | undefined][];
}

const wrong = { hasWrongChecksum: true };
const discarded = { bad_tcp_checksum: 1 };

const RULES: readonly Rule[] = [
  { name: "both say the same", read: { records: [record()] }, expected: [] },
  { name: "read lacks it", read: { records: [] }, expected: [["only_tshark", undefined]] },
  {
    name: "tshark lacks it",
    read: { records: [record()] },
    tshark: [],
    expected: [["only_read", undefined]],
  },
  {
    name: "a SYN that the host throws away",
    read: { records: [], discarded },
    tshark: packets([wrong, {}, {}]),
    expected: [["only_tshark", WHY.checksum]],
  },
  {
    name: "a wrong checksum that nobody judged",
    read: { records: [] },
    tshark: packets([wrong, {}, {}]),
    expected: [["only_tshark", undefined]],
  },
  {
    name: "another server ISN",
    read: { records: [record({ serverIsn: 7 })] },
    expected: [["server_isn", undefined]],
  },
  {
    name: "no server ISN, refused before",
    read: { records: [record({ serverIsn: undefined, outcome: "refused", total: undefined })] },
    expected: [["server_isn", WHY.behindRst], ["outcome", WHY.between]],
  },
  {
    name: "half-open where a third packet is",
    read: { records: [record({ outcome: "half_open", total: undefined })] },
    expected: [["outcome", undefined]],
  },
  {
    name: "half-open where the third packet is thrown away",
    read: { records: [record({ outcome: "half_open", total: undefined })], discarded },
    tshark: packets([{}, {}, wrong]),
    expected: [["outcome", WHY.checksum]],
  },
  {
    name: "established without a third packet",
    read: { records: [record()] },
    tshark: packets([{}, {}]),
    expected: [["outcome", undefined]],
  },
  {
    name: "established by an answer that was not seen",
    read: { records: [record({ serverIsn: undefined, flags: ["one_sided"] })] },
    tshark: packets([{}]),
    expected: [["outcome", WHY.oneSided]],
  },
  {
    name: "another duration",
    read: { records: [record({ total: 1 })] },
    expected: [["total_time", undefined]],
  },
  {
    name: "the duration to the third packet, where tshark has another",
    read: { records: [record({ total: 7_000 })] },
    tshark: packets([{ time: "1.5" }, {}, { time: "1.500007" }]),
    expected: [["total_time", WHY.otherPacket]],
  },
  {
    name: "no duration, for no reason",
    read: { records: [record({ total: undefined })] },
    expected: [["total_time", undefined]],
  },
  {
    name: "no duration, of a packet without a time",
    read: { records: [record({ total: undefined })], losses: { untimed_packets: 1 } },
    expected: [["total_time", WHY.untimed]],
  },
  {
    name: "no duration, across a clock that was set",
    read: { records: [record({ total: undefined, flags: ["clock_set"] })] },
    expected: [["total_time", WHY.clock]],
  },
  {
    name: "no duration, of which packet is not known",
    read: { records: [record({ total: undefined, ambiguous: true })] },
    expected: [["total_time", WHY.ambiguous]],
  },
  {
    name: "one record of a translated SYN",
    read: { records: [record()] },
    tshark: [
      ...packets(),
      ...packets([{ source: { address: "10.0.0.1", port: 9 }, stream: 1, frame: 4 }]),
    ],
    expected: [["only_tshark", WHY.copy]],
  },
];

for (const { name, read, tshark = packets(), expected } of RULES) {
  Deno.test(`compare judges: ${name}`, () => {
    const capture = { records: [], losses: {}, discarded: {}, ...read };
    const differences = compare(capture, handshakesOf(tshark));
    assertEquals(differences.map(({ kind, why }) => [kind, why]), expected);
  });
}

Deno.test("formatComparison puts what no rule explains last, and counts the rest", () => {
  const difference = { key: "a:1>b:2/3", read: "none", tshark: "5" };
  const files = [{
    path: "one\u001b.pcap",
    alike: 2,
    differences: [
      { kind: "outcome" as const, ...difference, why: undefined },
      ...Array(7).fill({ kind: "total_time", ...difference, why: WHY.clock }),
    ],
  }];
  const lines = formatComparison(files).trimEnd().split("\n");
  assertEquals(lines[0], "1 file: 2 handshakes alike, 8 differences");
  assertEquals(lines[2], `7 total_time: ${WHY.clock}`);
  assertEquals(lines[8], "  and 2 more");
  assertEquals(lines.at(-2), "1 outcome: not explained");
  assertEquals(lines.join().includes("\u001b"), false);
  assertEquals(isClean(files), false);
});

/** A handshake, each packet changed at the end. */
function handshake(
  build: typeof buildIpv4 | typeof buildIpv6,
  ends: { client: string; server: string },
  third: ChecksumFaults = {},
): Uint8Array[] {
  const { client, server } = ends;
  const from = { source: client, destination: server };
  const back = { source: server, destination: client };
  const ports = { sourcePort: CLIENT.port, destinationPort: SERVER.port };
  const answer = { sourcePort: SERVER.port, destinationPort: CLIENT.port };
  const syn = buildTcp({ ...ports, flags: SYN, sequence: 1000 });
  const synAck = buildTcp({ ...answer, flags: SYN | ACK, sequence: 5000, acknowledgment: 1001 });
  const ack = buildTcp({ ...ports, flags: ACK, sequence: 1001, acknowledgment: 5001 });
  return [
    finished(build({ ...from, payload: syn })),
    finished(build({ ...back, payload: synAck })),
    finished(build({ ...from, payload: ack }), third),
  ];
}

const V4 = { client: CLIENT.address, server: SERVER.address };
const V6 = { client: "2001:db8::1", server: "2001:db8::2" };

function capture(frames: readonly Uint8Array[], linkType = 1): Uint8Array {
  const records = frames.map((data, index): PcapRecord => ({ fraction: index * 10, data }));
  return buildPcap({ linkType, records });
}

/**
 * What tshark does not read, or not without being told: here `read` is checked alone, by its own tests
 * of the same frames.
 */
const NOT_READ_BY_TSHARK: ReadonlySet<string> = new Set([
  "Cisco MetaData with two options",
  "MPLS, Ethernet without one",
  "MPLS as a link type",
  "GTP version 0",
  "ERSPAN III with an IP packet",
  "CAPWAP with a native frame, to any port",
  "L2TP version 3 with a cookie of 0 bytes",
  "L2TP version 3 with a cookie of 4 bytes",
  "L2TP version 3 with a cookie of 8 bytes",
  "L2TP version 3 over IP",
  "PPI",
]);
/** What carries one version of IP. */
const ONLY_IPV4 = /^LLC without SNAP/;
const ONLY_IPV6 = /^(Teredo|AYIYA)/;

if (findExecutable("tshark") === undefined) {
  const name = 'read and tshark on captures made here — skipped: no "tshark" (package tshark)';
  Deno.test({ name, ignore: true, fn() {} });
} else {
  Deno.test("read and tshark say the same of every wrapping that both read", async () => {
    const folder = await Deno.makeTempDir({ prefix: "synsnoop-compare-" });
    try {
      for (const [index, { name, linkType, wrap }] of WRAPPINGS.entries()) {
        if (NOT_READ_BY_TSHARK.has(name)) continue;
        const packets = [
          ...ONLY_IPV6.test(name) ? [] : handshake(buildIpv4, V4),
          ...ONLY_IPV4.test(name) ? [] : handshake(buildIpv6, V6),
        ];
        const path = `${folder}/${String(index).padStart(2, "0")}-${
          name.replaceAll(/\W+/g, "-")
        }.pcap`;
        await Deno.writeFile(path, capture(packets.map((packet) => wrap(packet)), linkType));
      }
      const files = [];
      for (const path of capturesBelow([folder])) files.push(await compareFile(path));
      assertEquals(isClean(files), true, formatComparison(files));
      const without = files.filter(({ alike }) => alike === 0).map(({ path }) =>
        path.slice(folder.length)
      );
      assertEquals(without, []);
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  });

  Deno.test("compare prints why read and tshark differ on a packet that is thrown away", async () => {
    const folder = await Deno.makeTempDir({ prefix: "synsnoop-compare-" });
    try {
      const frames = handshake(buildIpv4, V4, { tcp: 9 });
      const bytes = capture(frames.map((payload) => buildEthernet({ payload })));
      await Deno.writeFile(`${folder}/thrown-away.pcap`, bytes);
      const module = new URL("compare.ts", import.meta.url).pathname;
      const { code, stdout } = await new Deno.Command(Deno.execPath(), {
        args: ["run", "-A", "--quiet", module, folder],
      }).output();
      const text = new TextDecoder().decode(stdout);
      assertStringIncludes(text, `1 outcome: ${WHY.checksum}`);
      assertStringIncludes(text, "read half_open, tshark established");
      assertEquals(code, 0);
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  });
}
