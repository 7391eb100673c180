import { assertEquals, assertMatch } from "@std/assert";
import { NdjsonFormat, TextSink } from "../../../src/output/text_sink.ts";
import { TcpFlag } from "../../../src/wire/segment.ts";
import { type ReadAsked, readInto, sourceInto } from "./read_files.ts";
import { buildPcap, PcapngBuilder, type PcapRecord } from "../pcap/build_capture.ts";
import { KeptText } from "./stand_ins.ts";
import {
  buildEthernet,
  buildIcmp,
  buildIpv4,
  buildTcp,
  concat,
  finished,
} from "../wire/build_frame.ts";

const { SYN, ACK, RST } = TcpFlag;
const START = 1_700_000_000;

type Step = "syn" | "syn_ack" | "ack" | "refuse";

/** A frame of the handshake of one client port. */
function frame(step: Step, port = 40_000): Uint8Array {
  const fromClient = step === "syn" || step === "ack";
  const [client, server] = ["192.0.2.1", "198.51.100.2"];
  const numbers = {
    syn: { flags: SYN, sequence: 1_000 },
    syn_ack: { flags: SYN | ACK, sequence: 5_000, acknowledgment: 1_001 },
    ack: { flags: ACK, sequence: 1_001, acknowledgment: 5_001 },
    refuse: { flags: RST | ACK, sequence: 0, acknowledgment: 1_001 },
  }[step];
  return buildEthernet({
    payload: buildIpv4({
      source: fromClient ? client : server,
      destination: fromClient ? server : client,
      payload: buildTcp({
        sourcePort: fromClient ? port : 443,
        destinationPort: fromClient ? 443 : port,
        ...numbers,
      }),
    }),
  });
}

function at(microseconds: number, step: Step, port?: number): PcapRecord {
  return {
    seconds: START + Math.floor(microseconds / 1e6),
    fraction: ((microseconds % 1e6) + 1e6) % 1e6,
    data: frame(step, port),
  };
}

interface Line {
  event: string;
  time: string;
  outcome: string;
  reason: string | null;
  role: string;
  client: { port: number };
  network: { interface?: string; community_id?: string };
  rtt: { client_ns?: number; server_ns?: number };
  packets: { syn: number; syn_ack: number };
  flags: string[];
  handshakes: number;
  undecoded: Record<string, number>;
  losses: Record<string, number>;
  discarded: Record<string, number>;
  duration_ns: number;
}

/** Reads files, in pieces of some bytes, and returns what was written. */
function run(files: readonly Uint8Array[], asked: ReadAsked = {}, piece = Infinity) {
  const output = new KeptText();
  const sink = new TextSink(output, new NdjsonFormat(), "lines");
  const { source, pipeline } = readInto([sink], files, asked, piece);
  const summary = pipeline.summarize();
  const lines: Line[] = output.text.trimEnd().split("\n").map((line) => JSON.parse(line));
  return { records: lines.slice(0, -1), last: lines.at(-1)!, summary, source, text: output.text };
}

const HANDSHAKE = [at(0, "syn"), at(100, "syn_ack"), at(150, "ack")];

Deno.test("FileSource reports a handshake with its times, as observer", () => {
  const { records, last, summary } = run([buildPcap({ records: HANDSHAKE })]);
  assertEquals(records.length, 1);
  const [{ time, role, outcome, rtt }] = records;
  assertEquals([time, role, outcome], [
    "2023-11-14T22:13:20.000000000Z",
    "observer",
    "established",
  ]);
  assertEquals([rtt.client_ns, rtt.server_ns], [100_000, 50_000]);
  assertEquals([last.event, last.handshakes, last.duration_ns], ["summary", 1, 150_000]);
  assertMatch(summary, /^1 handshake: 1 established\n/);
});

Deno.test("FileSource writes the same whatever pieces the bytes come in", () => {
  const records = [];
  for (let port = 1; port < 50; port++) {
    const begin = port * 3_000_000;
    records.push(at(begin, "syn", port), at(begin + 100, port % 3 ? "syn_ack" : "refuse", port));
    if (port % 5) records.push(at(begin + 150, "ack", port));
  }
  const file = buildPcap({ records });
  const { text } = run([file]);
  assertEquals(text.split("\n").length, 51);
  for (const piece of [1, 7, 1_000]) assertEquals(run([file], {}, piece).text, text);
});

Deno.test("FileSource reports in the time of the file: what is not answered in 70 s is not", () => {
  const records = [at(0, "syn", 1), at(60e6, "syn", 2), at(90e6, "syn", 3)];
  const { records: [first, second, third] } = run([buildPcap({ records })]);
  assertEquals([first.client.port, first.outcome, first.flags], [1, "unanswered", []]);
  for (const later of [second, third]) {
    assertEquals([later.outcome, later.flags], ["unanswered", ["trace_ended"]]);
  }
});

Deno.test("FileSource goes on with a handshake in the next file", () => {
  const [syn, synAck, ack] = HANDSHAKE;
  const { records } = run([
    buildPcap({ records: [syn] }),
    buildPcap({ records: [synAck] }),
    buildPcap({ records: [ack] }),
  ]);
  assertEquals(records.map(({ outcome, rtt }) => [outcome, rtt.client_ns]), [[
    "established",
    100_000,
  ]]);
});

Deno.test("FileSource reads a file that begins before the last one", () => {
  const early = [at(-3_600e6, "syn", 7), at(-3_590e6, "syn_ack", 7), at(-3_589e6, "ack", 7)];
  const { records } = run([buildPcap({ records: HANDSHAKE }), buildPcap({ records: early })]);
  assertEquals(records.map(({ client, outcome, rtt }) => [client.port, outcome, rtt.client_ns]), [
    [40_000, "established", 100_000],
    [7, "established", 10e9],
  ]);
});

Deno.test("FileSource gives no durations across a clock that was set back", () => {
  const records = [
    at(100e6, "syn"),
    at(5e6, "syn_ack"),
    at(6e6, "ack"),
    at(7e6, "syn", 2),
    at(8e6, "syn_ack", 2),
    at(9e6, "ack", 2),
  ];
  const { records: read, source } = run([buildPcap({ records })]);
  assertEquals(
    read.map(({ client, outcome, rtt, flags }) => [client.port, outcome, rtt.client_ns, flags]),
    [
      [40_000, "established", undefined, ["clock_set"]],
      [2, "established", 1e9, []],
    ],
  );
  assertEquals(source.clockSteps, 1);
});

for (
  const { what, files, expected } of [
    { what: "in their order", files: [[at(0, "syn")], [at(5e6, "syn_ack")]], expected: 0 },
    { what: "the wrong way round", files: [[at(5e6, "syn_ack")], [at(0, "syn")]], expected: 1 },
    {
      // Whoever sorts names has capture.pcap10 before capture.pcap2.
      what: "one of which is too late",
      files: [[at(0, "syn")], [at(20e6, "ack")], [at(5e6, "syn_ack")], [at(30e6, "syn", 2)]],
      expected: 1,
    },
    {
      what: "that overlap by less than packets of one capture may be out of order",
      files: [[at(5e6, "syn")], [at(5e6 - 900_000, "syn_ack")]],
      expected: 0,
    },
    {
      what: "years apart, the later one first",
      files: [[at(0, "syn")], [at(-1e8 * 1e6, "syn", 2)]],
      expected: 1,
    },
  ]
) {
  Deno.test(`FileSource counts ${expected} early of files ${what}`, () => {
    const { source } = run(files.map((records) => buildPcap({ records })));
    assertEquals(source.earlyFiles, expected);
  });
}

const HANDSHAKE_LATER = [
  at(5e6, "syn", 9),
  at(5e6 + 10, "syn_ack", 9),
  at(5e6 + 15, "ack", 9),
];

Deno.test("FileSource gives durations of handshakes beside a step of the clock", () => {
  const day = 86_400e6;
  const whole = (microseconds: number, port: number) => [
    at(microseconds, "syn", port),
    at(microseconds + 10, "syn_ack", port),
    at(microseconds + 15, "ack", port),
  ];
  // Captures joined end to end, the later ones of earlier days.
  const records = [...whole(2 * day, 1), ...whole(day, 2), ...whole(0, 3)];
  const joined = run([buildPcap({ records })]).records;
  assertEquals(
    joined.map(({ client, outcome, rtt, flags }) => [client.port, outcome, rtt.client_ns, flags]),
    [1, 2, 3].map((port) => [port, "established", 10_000, []]),
  );
});

Deno.test("FileSource gives exact times however long a capture is", () => {
  const day = 86_400e6;
  const far = (start: number, port: number) => [
    { ...at(start, "syn", port), fraction: 1 },
    { ...at(start, "syn_ack", port), fraction: 839 },
    { ...at(start, "ack", port), fraction: 882 },
  ];
  // Months on, and years back; one SYN is unanswered until long after.
  const records = [...far(0, 1), at(5, "syn", 9), ...far(300 * day, 2), ...far(-900 * day, 3)];
  const ng = new PcapngBuilder();
  const ticks = ({ seconds = 0, fraction = 0 }: PcapRecord) =>
    BigInt(seconds) * 1_000_000n + BigInt(fraction);
  const files = [
    buildPcap({ records }),
    concat(
      ng.section(),
      ng.interface(),
      ...records.map((record) => ng.packet({ ticks: ticks(record), data: record.data })),
    ),
  ];
  for (const file of files) {
    const { records: read, last } = run([file]);
    assertEquals(
      read.filter(({ outcome }) => outcome === "established")
        .map(({ client, rtt }) => [client.port, rtt.client_ns, rtt.server_ns]),
      [1, 2, 3].map((port) => [port, 838_000, 43_000]),
    );
    assertEquals(last.handshakes, 4);
    assertEquals(read.find(({ client }) => client.port === 2)?.time.slice(19), ".000001000Z");
  }
});

Deno.test("FileSource goes on with a handshake of which one packet has a time of years ahead", () => {
  const years = 50 * 365 * 86_400e6;
  const records = [at(0, "syn"), at(years, "syn_ack"), at(20, "ack"), ...HANDSHAKE_LATER];
  const { records: read } = run([buildPcap({ records })]);
  assertEquals(read.map(({ outcome, rtt, flags }) => [outcome, rtt.client_ns, flags]), [
    ["established", undefined, ["clock_set"]],
    ["established", 10_000, []],
  ]);
});

Deno.test("FileSource gives no durations of packets without a valid time", () => {
  const records = [
    at(0, "syn", 1),
    { ...at(100, "syn_ack", 1), fraction: 1_000_000 },
    at(150, "ack", 1),
    at(20e6, "syn", 2),
    at(20e6 + 5, "syn_ack", 2),
    at(20e6 + 9, "ack", 2),
  ];
  const { records: read } = run([buildPcap({ records })]);
  assertEquals(read.map(({ client, outcome, rtt }) => [client.port, outcome, rtt.client_ns]), [
    [1, "established", undefined],
    [2, "established", 5_000],
  ]);
});

Deno.test("FileSource takes packets of several interfaces somewhat out of order", () => {
  const build = new PcapngBuilder();
  const packet = (interfaceNumber: number, microseconds: number, step: Step, port: number) =>
    build.packet({
      interfaceNumber,
      ticks: BigInt(START) * 1_000_000n + BigInt(microseconds),
      data: frame(step, port),
    });
  const file = concat(
    build.section(),
    build.interface({ name: "eth0" }),
    build.interface({ name: "eth1" }),
    packet(0, 900_000, "syn", 1),
    packet(1, 100_000, "syn", 2),
    packet(1, 100_500, "syn_ack", 2),
    packet(1, 100_700, "ack", 2),
    packet(0, 900_100, "syn_ack", 1),
    packet(0, 900_200, "ack", 1),
  );
  const { records } = run([file]);
  const seen = records.map(({ client, outcome, rtt, network }) => ({
    port: client.port,
    outcome,
    client_ns: rtt.client_ns,
    name: network.interface,
  })).toSorted((a, b) => a.port - b.port);
  assertEquals(seen, [
    { port: 1, outcome: "established", client_ns: 100_000, name: "eth0" },
    { port: 2, outcome: "established", client_ns: 500_000, name: "eth1" },
  ]);
  const onEth1 = run([file], { interfaces: ["eth1"] }).records;
  assertEquals(onEth1.map(({ client }) => client.port), [2]);
});

Deno.test("FileSource counts a packet that leaves and arrives on the loopback once", () => {
  const build = new PcapngBuilder();
  const both = (step: Step, microseconds: number) =>
    [2, 1].map((direction, index) =>
      build.packet({
        ticks: BigInt(START) * 1_000_000n + BigInt(microseconds + index),
        data: frame(step),
        options: [build.flags(direction)],
      })
    );
  const file = concat(
    build.section(),
    build.interface({ name: "lo" }),
    ...both("syn", 0),
    ...both("syn_ack", 10),
    ...both("ack", 20),
  );
  const { records: [{ packets, rtt }] } = run([file]);
  assertEquals([packets.syn, packets.syn_ack], [1, 1]);
  assertEquals([rtt.client_ns, rtt.server_ns], [10_000, 10_000]);
});

Deno.test("FileSource ends at its count and filters as a trace does", () => {
  const records = [1, 2, 3, 4].flatMap((port) => [
    at(port * 2e6, "syn", port),
    at(port * 2e6 + 10, port % 2 ? "refuse" : "syn_ack", port),
  ]);
  const file = buildPcap({ records });
  const counted = run([file, file], { count: 1 });
  assertEquals([counted.records.length, counted.source.done], [1, true]);
  const refused = run([file], { filter: { outcomes: ["refused"] } });
  assertEquals(refused.records.map(({ client }) => client.port), [1, 3]);
});

Deno.test("FileSource names why packets were not decoded", () => {
  const arp = buildEthernet({ etherType: 0x0806, payload: new Uint8Array(60) });
  const { source, summary, last } = run([
    buildPcap({ records: [{ data: arp }, { data: new Uint8Array(3) }, ...HANDSHAKE] }),
  ]);
  assertEquals(source.counters().undecoded, { not_ip: 1, truncated_ethernet: 1 });
  assertEquals(last.undecoded, source.counters().undecoded);
  assertMatch(summary, /1 not_ip, 1 truncated_ethernet/);
});

/** A record whose packet is changed before it is wrapped; its checksums are right unless told. */
function changed(
  microseconds: number,
  step: Step,
  change: (packet: Uint8Array) => readonly Uint8Array[],
): PcapRecord[] {
  return change(frame(step).subarray(14)).map((payload) => ({
    ...at(microseconds, step),
    data: buildEthernet({ payload }),
  }));
}

const right = (packet: Uint8Array) => [finished(packet)];

Deno.test("FileSource lets no packet decide that the receiving host throws away", () => {
  const cases: {
    reason: string;
    step: Step;
    change: (packet: Uint8Array) => readonly Uint8Array[];
    count?: number;
  }[] = [
    {
      reason: "bad_tcp_checksum",
      step: "ack",
      change: (packet) => [finished(packet, { tcp: 9 })],
    },
    { reason: "bad_ip_checksum", step: "ack", change: (packet) => [finished(packet, { ip: 9 })] },
    {
      reason: "bad_tcp_checksum",
      step: "refuse",
      change: (packet) => [finished(packet, { tcp: 9 })],
    },
    {
      reason: "ip_length_beyond_packet",
      step: "ack",
      change: (packet) => [finished(packet.with(2, 3))],
    },
    { reason: "lone_fragment", step: "ack", change: (packet) => [finished(packet.with(6, 0x20))] },
    {
      reason: "lone_fragment",
      step: "refuse",
      change: (packet) => [finished(packet.with(6, 0x20))],
    },
  ];
  for (const { reason, step, change } of cases) {
    const begin = [...changed(0, "syn", right), ...changed(10, "syn_ack", right)];
    const thrown = changed(20, step, change);
    const alone = run([buildPcap({ records: [...begin, ...thrown] })]);
    const outcomes = alone.records.map(({ outcome }) => outcome);
    assertEquals(outcomes, ["half_open"], `${reason} ${step}`);
    assertEquals(alone.last.discarded, { [reason]: 1 });
    assertEquals(alone.last.undecoded, {});
    assertMatch(alone.summary, new RegExp(`thrown away: 1 ${reason}`));
    // The true one behind it still counts, with its own time.
    const end = changed(30, "ack", right);
    const { records } = run([buildPcap({ records: [...begin, ...thrown, ...end] })]);
    assertEquals(records.map(({ outcome, rtt }) => [outcome, rtt.server_ns]), [
      ["established", 20_000],
    ]);
  }
});

Deno.test("FileSource believes a capture made before the adapter finished the checksums", () => {
  const unfinished = (
    packet: Uint8Array,
  ) => [finished(packet, { pseudoLength: packet.length - 20 })];
  const records = [
    ...changed(0, "syn", unfinished),
    ...changed(10, "syn_ack", right),
    ...changed(20, "ack", unfinished),
  ];
  const { records: [record], last } = run([buildPcap({ records })]);
  assertEquals([record.outcome, last.discarded], ["established", {}]);
});

Deno.test("FileSource puts the fragments of a handshake's packets together", () => {
  const cut = (packet: Uint8Array) =>
    [[0, 8], [8, 16], [16, 20]].map(([begin, end]) => {
      const [fixed] = right(packet);
      const part = concat(fixed.subarray(0, 20), fixed.subarray(20 + begin, 20 + end));
      const view = new DataView(part.buffer);
      view.setUint16(2, part.length);
      view.setUint16(6, begin / 8 | (end < 20 ? 0x2000 : 0));
      return part;
    });
  for (const linkType of [1, 101]) {
    const records = [
      ...changed(0, "syn", cut),
      ...changed(10, "syn_ack", (packet) => cut(packet).reverse()),
      ...changed(20, "ack", cut),
    ].map((record) => linkType === 1 ? record : { ...record, data: record.data!.subarray(14) });
    const { records: found, last } = run([buildPcap({ linkType, records })]);
    assertEquals(found.map(({ outcome }) => outcome), ["established"]);
    assertEquals([last.undecoded, last.discarded], [{}, {}]);
  }
});

Deno.test("FileSource takes port 0 for a port", () => {
  const { records } = run([buildPcap({
    records: HANDSHAKE.map((record, index) => ({
      ...record,
      data: frame((["syn", "syn_ack", "ack"] as const)[index], 0),
    })),
  })]);
  assertEquals(records.map(({ client, outcome }) => [client.port, outcome]), [[0, "established"]]);
  assertEquals(records[0].network.community_id?.startsWith("1:"), true);
});

Deno.test("FileSource takes ICMP errors for answers to the SYN that they quote", () => {
  const quoted = frame("syn").subarray(14);
  const icmp = (source: string, code: number, packet = quoted): PcapRecord => ({
    ...at(30, "syn"),
    data: buildEthernet({
      payload: buildIpv4({
        source,
        destination: "192.0.2.1",
        protocol: 1,
        payload: buildIcmp(3, code, packet),
      }),
    }),
  });
  const cases: [PcapRecord, string, string | null][] = [
    [icmp("203.0.113.1", 1), "unreachable", "ICMP_HOST_UNREACH"],
    [icmp("198.51.100.2", 3), "refused", "ICMP_PORT_UNREACH"],
    [icmp("203.0.113.1", 13, quoted.subarray(0, 28)), "unreachable", "ICMP_PKT_FILTERED"],
    [icmp("203.0.113.1", 1, frame("syn", 9).subarray(14)), "unanswered", null],
    [icmp("203.0.113.1", 1, buildIpv4({ protocol: 17 })), "unanswered", null],
  ];
  for (const [record, outcome, reason] of cases) {
    const { records } = run([buildPcap({ records: [at(0, "syn"), record] })]);
    assertEquals(records.map((each) => [each.outcome, each.reason]), [[outcome, reason]]);
  }
  const { source } = run([buildPcap({ records: [icmp("203.0.113.1", 3), cases[4][0]] })]);
  // The first is of no handshake; the second quotes UDP.
  assertEquals(source.counters().undecoded, { not_tcp: 1 });
});

Deno.test("FileSource writes a summary of nothing", () => {
  const { records, last } = run([]);
  assertEquals([records.length, last.handshakes, last.duration_ns], [0, 0, 0]);
});

Deno.test("FileSource reports what is settled while a file that grows rests", () => {
  const output = new KeptText();
  const { source, pipeline } = sourceInto([new TextSink(output, new NdjsonFormat(), "lines")]);
  const reader = source.beginFile();
  reader.feed(buildPcap({ records: [...HANDSHAKE, at(200, "syn", 9)] }));
  pipeline.flush();
  assertEquals(output.text, "");
  source.rest();
  assertEquals(output.text.split("\n").length - 1, 1);
  source.rest();
  assertEquals(output.text.split("\n").length - 1, 1);
});

Deno.test("FileSource lets time go by while a capture that is made now is silent", () => {
  const refused = [at(0, "syn"), at(100, "refuse"), at(200, "syn", 9)];
  const endMs = START * 1_000;
  // A refusal is doubted for a second, and packets may come 1.2 s late; nobody answers within 70.4 s.
  const cases: {
    name: string;
    bytes: Uint8Array;
    sinceMs: number;
    after: [s: number, count: number][];
  }[] = [
    {
      name: "now",
      bytes: buildPcap({ records: refused }),
      sinceMs: endMs,
      after: [[1, 0], [2.1, 0], [2.3, 1], [71, 1], [72, 2]],
    },
    {
      name: "by a clock that is some seconds off",
      bytes: buildPcap({ records: refused }),
      sinceMs: endMs + 4_500,
      after: [[2.1, 0], [2.3, 1]],
    },
    {
      name: "long ago",
      bytes: buildPcap({ records: refused }),
      sinceMs: endMs + 6_000,
      after: [[2.3, 0], [1_000, 0]],
    },
    {
      name: "in a buffer that holds packets back",
      bytes: concat(buildPcap({ records: refused }), new Uint8Array(3)),
      sinceMs: endMs,
      after: [[2.3, 0], [1_000, 0]],
    },
    { name: "of nothing", bytes: buildPcap(), sinceMs: endMs, after: [[1_000, 0]] },
  ];
  for (const { name, bytes, sinceMs, after } of cases) {
    const output = new KeptText();
    const { source } = sourceInto([new TextSink(output, new NdjsonFormat(), "lines")]);
    source.beginFile().feed(bytes);
    for (const [seconds, count] of after) {
      source.rest({ sinceMs, ns: seconds * 1e9 });
      assertEquals(output.text.split("\n").length - 1, count, `${name}, after ${seconds} s`);
    }
    // What is known stays known.
    source.rest();
    assertEquals(output.text.split("\n").length - 1, after.at(-1)![1], name);
  }
});

Deno.test("FileSource lets one absurd time cost only its own packet's handshake", () => {
  const century = 100 * 365 * 86_400e6;
  const absurd: Record<string, PcapRecord> = {
    "of data, a day ahead": { ...at(86_400e6, "ack", 7) },
    "of data, before the capture": { ...at(-86_400e6, "ack", 7) },
  };
  for (const [name, record] of Object.entries(absurd)) {
    const records = [
      at(0, "syn", 1),
      at(5, "syn_ack", 1),
      record,
      at(10, "ack", 1),
      ...HANDSHAKE_LATER,
    ];
    const { records: read, last } = run([buildPcap({ records })]);
    assertEquals(
      read.map(({ outcome, rtt, flags }) => [outcome, rtt.client_ns, rtt.server_ns, flags]),
      [["established", 5_000, 5_000, []], ["established", 10_000, 5_000, []]],
      name,
    );
    assertEquals(last.losses.untimed_packets, 1, name);
  }
  // Two of them one behind the other, at different times.
  const records = [
    at(0, "syn", 1),
    at(century / 2, "syn_ack", 1),
    at(century, "ack", 7),
    at(20, "ack", 1),
    at(30, "syn", 2),
    at(40, "syn_ack", 2),
    at(50, "ack", 2),
  ];
  const { records: read } = run([buildPcap({ records })]);
  assertEquals(read.map(({ outcome, rtt, flags }) => [outcome, rtt.client_ns, flags]), [
    ["established", undefined, ["clock_set"]],
    ["established", 10_000, []],
  ]);
});

Deno.test("FileSource is exact to the nanosecond however long a capture is", () => {
  const whole = (microseconds: number, port: number) => [
    at(microseconds, "syn", port),
    at(microseconds + 41, "syn_ack", port),
    at(microseconds + 122, "ack", port),
  ];
  const day = 86_400e6;
  const days = [0, 20, 110, 7_000, 30, 31, 6_999];
  const records = days.flatMap((count, index) => whole(count * day + 7, index + 1));
  const { records: read } = run([buildPcap({ records })]);
  assertEquals(
    read.map(({ rtt, flags }) => [rtt.client_ns, rtt.server_ns, flags]),
    days.map(() => [41_000, 81_000, []]),
  );
  const fractions = read.map(({ time }) => time.slice(-13));
  assertEquals(new Set(fractions), new Set(["20.000007000Z"]));
});
