import { assert, assertEquals, assertMatch } from "@std/assert";
import fc from "fast-check";
import type { PacketOutput } from "../../../src/files/packet_output.ts";
import { type LineOutput, type Lines, toBytes } from "../../../src/files/stream_output.ts";
import { Handshake } from "../../../src/match/handshake.ts";
import type { KeptPacket } from "../../../src/pcap/kept_packets.ts";
import { PacketSink } from "../../../src/output/packets.ts";
import { NdjsonFormat, TextSink } from "../../../src/output/text_sink.ts";
import { HANDSHAKE_FILTER } from "../../../src/pcap/pcapng_option.ts";
import { NO_ROW, type PacketKeeper, type Source } from "../../../src/pipeline/sink.ts";
import { TcpFlag } from "../../../src/wire/segment.ts";
import { arbitraryTrace } from "../match/arbitrary_traffic.ts";
import { end, EPOCH_SECONDS, type Event, type Packet, Play } from "../match/traffic.ts";
import { sourceInto } from "../pipeline/read_files.ts";
import { sourceOf, stateOf } from "../pipeline/stand_ins.ts";
import { buildPcap, PcapngBuilder } from "../pcap/build_capture.ts";
import { readCapture } from "../pcap/read_capture.ts";
import {
  buildEthernet,
  buildIpv4,
  buildIpv6,
  buildTcp,
  concat,
  tcpOption,
  u16,
  u32,
} from "../wire/build_frame.ts";

/**
 * Random captures; by hand more, and each time others: `-- --runs=10000`. Which packets a straggler
 * meets depends on the time of others in rare cases, so what is tested at every change stays the same.
 */
const RUNS = Number(/^--runs=(\d+)$/.exec(Deno.args[0] ?? "")?.[1] ?? 0);
const PARAMETERS = RUNS > 0 ? { numRuns: RUNS } : { numRuns: 200, seed: 1 };

/** Keeps what is written; `room` bytes at the most. */
class KeptOutput implements PacketOutput, LineOutput {
  lost = 0;
  text = "";
  bytes: Uint8Array = new Uint8Array(0);
  syncs = 0;
  isStale = false;
  /** What was written before each renewal. */
  readonly finished: Uint8Array[] = [];

  constructor(public room = Infinity, private readonly syncing = true) {}

  write(lines: Lines): void {
    this.text += new TextDecoder().decode(toBytes(lines));
  }

  append(blocks: Uint8Array, packets: number): boolean {
    if (blocks.length > this.room) {
      this.lost += packets;
      return false;
    }
    this.bytes = concat(this.bytes, blocks);
    return true;
  }

  renew(): boolean {
    this.isStale = false;
    this.finished.push(this.bytes);
    this.bytes = new Uint8Array(0);
    return true;
  }

  hasten(): void {}

  sync(): boolean {
    this.syncs++;
    return this.syncing;
  }

  flush(): Promise<void> {
    return Promise.resolve();
  }
}

function frameOf({ from, to, ...packet }: Packet): Uint8Array {
  const { timestamps } = packet;
  const options = concat(
    packet.mss === undefined ? new Uint8Array(0) : tcpOption(2, u16(packet.mss)),
    packet.windowScale === undefined ? new Uint8Array(0) : tcpOption(3, [packet.windowScale]),
    packet.sackPermitted ? tcpOption(4) : new Uint8Array(0),
    timestamps ? tcpOption(8, u32(...timestamps)) : new Uint8Array(0),
  );
  const payload = buildTcp({
    sourcePort: from.port,
    destinationPort: to.port,
    ...packet,
    acknowledgment: packet.acknowledgment ?? 0,
    options,
    payload: new Uint8Array(packet.payloadLength ?? 0),
  });
  const ends = { source: from.address, destination: to.address, payload };
  return buildEthernet({
    payload: from.address[2] === 0xffff ? buildIpv4(ends) : buildIpv6(ends),
  });
}

type PacketEvent = Extract<Event, { packet: Packet }>;

/** Shorter than an attempt is remembered that was reported. */
const ATTEMPT_NS = 59e9;
/** Shorter than an attempt that ended waits in \`read\` for packets out of order. */
const ENDED_NS = 1e9;
/**
 * Packets in the order of their times, of one attempt a client: of several between the same ends a
 * wrong SYN-ACK counts for the newest, which may stand in front of the others in the file. None comes
 * so late that its attempt may be reported or forgotten already: when exactly depends on the packets
 * of others. Nor does a SYN come after a RST, which may begin another attempt with the same number.
 */
function oneAttemptEach(events: readonly Event[]): PacketEvent[] {
  const endedNs = new Map<string, number>();
  const reset = new Set<string>();
  const attempts = new Map<string, { isn: number; synData: number; beganNs: number }>();
  return events.filter((event) => "packet" in event).toSorted((a, b) => a.timeNs - b.timeNs)
    .filter(({ packet, timeNs }) => {
      const { from, to, flags, sequence, acknowledgment = 0, payloadLength = 0 } = packet;
      const isSyn = (flags & TcpFlag.SYN) !== 0;
      const isSynAck = isSyn && (flags & TcpFlag.ACK) !== 0;
      const [client, server] = isSynAck ? [to, from] : [from, to];
      const ends = [client, server].map(({ address, port }) => `${address} ${port}`);
      const key = ends.join();
      const both = ends.toSorted().join();
      if ((flags & TcpFlag.RST) !== 0) ends.forEach((each) => reset.add(each));
      if (isSyn && !isSynAck && ends.some((each) => reset.has(each))) return false;
      if (timeNs - (endedNs.get(both) ?? Infinity) > ENDED_NS) return false;
      const isLast = !isSyn || isSynAck && attempts.has(ends.toReversed().join());
      if (isLast && !endedNs.has(both)) endedNs.set(both, timeNs);
      const isn = isSynAck ? (acknowledgment - 1) >>> 0 : sequence;
      const attempt = attempts.get(key);
      if (!attempt) {
        attempts.set(key, { isn, synData: isSynAck ? 0 : payloadLength, beganNs: timeNs });
        return true;
      }
      const distance = (isn - attempt.isn) >>> 0;
      const isOther = isSyn && distance > (isSynAck ? attempt.synData : 0);
      return !isOther && timeNs - attempt.beganNs < ATTEMPT_NS;
    });
}

/** A capture of packets on interfaces 1 and 2, through the filter of a trace or not. */
function captureOf(events: readonly PacketEvent[], isFiltered = false): Uint8Array {
  const build = new PcapngBuilder();
  const filter = isFiltered ? HANDSHAKE_FILTER : undefined;
  return concat(
    build.section(),
    build.interface({ name: "eth0", resolution: 9, filter }),
    build.interface({ name: "eth1", resolution: 9, filter }),
    ...events.map(({ packet, timeNs, place }) =>
      build.packet({
        interfaceNumber: place - 1,
        ticks: BigInt(EPOCH_SECONDS) * 1_000_000_000n + BigInt(timeNs),
        data: frameOf(packet),
      })
    ),
  );
}

/** What `read` says of a capture, and what `read --write` makes of it. */
function read(capture: Uint8Array) {
  const output = new KeptOutput();
  const sinks = [new PacketSink(output), new TextSink(output, new NdjsonFormat(), "lines")];
  const { source, end } = sourceInto(sinks);
  const reader = source.beginFile();
  reader.feed(capture);
  reader.end();
  end();
  assertEquals(reader.fault, undefined);
  const lines = output.text.trimEnd().split("\n");
  return {
    records: lines.slice(0, -1).toSorted(),
    summary: JSON.parse(lines.at(-1)!),
    clockSteps: source.clockSteps,
    written: output.bytes,
  };
}

Deno.test("PacketSink makes a file that gives the same records as the capture", () => {
  fc.assert(
    fc.property(arbitraryTrace, ({ events, seesServerData }) => {
      const capture = captureOf(oneAttemptEach(events), !seesServerData);
      const first = read(capture);
      const second = read(first.written);
      assertEquals(second.records, first.records);
      // Written by handshake, out of the order of time, which is no fault of the file.
      assertEquals(second.summary.losses.disordered_packets, 0);
      assertEquals(second.clockSteps, 0);
      assertEquals([first.summary, second.summary].map(({ losses }) => losses.written_packets), [
        0,
        0,
      ]);
    }),
    PARAMETERS,
  );
});

{
  const play = new Play(end("192.0.2.1", 50_000), end("198.51.100.2", 443), 1_000, 5_000);
  const ahead = { acknowledgment: 5_052 };
  const cases: { name: string; isFiltered: boolean; events: Event[]; ackNs: number }[] = [
    {
      name: "an ACK ahead of what the server sent, of a capture that shows all that",
      isFiltered: false,
      events: [play.syn(0), play.ack(1, ahead), play.synAck(2), play.ack(3)],
      ackNs: 3,
    },
    {
      name: "an ACK ahead of what the server sent, of a trace's filter",
      isFiltered: true,
      events: [play.syn(0), play.ack(1, ahead), play.synAck(2), play.ack(3)],
      ackNs: 1,
    },
    {
      name: "an ACK beyond the client's window that the server's next Seq explains",
      isFiltered: true,
      events: [
        play.syn(0, { window: 0 }),
        play.synAck(1),
        play.ack(2, ahead),
        play.fromServer(3, { sequence: 8_001 }),
      ],
      ackNs: 2,
    },
  ];
  for (const { name, isFiltered, events, ackNs } of cases) {
    Deno.test(`PacketSink keeps the judgement of ${name}`, () => {
      const first = read(captureOf(events.filter((event) => "packet" in event), isFiltered));
      const second = read(first.written);
      assertEquals(second.records, first.records);
      assertEquals(first.records.map((line) => JSON.parse(line).times.ack_ns), [ackNs]);
    });
  }
}

for (const stepNs of [0, 1]) {
  Deno.test(`PacketSink keeps apart what both ends began, ${stepNs} ns between packets`, () => {
    const [one, other] = [end("192.0.2.1", 50_000), end("198.51.100.2", 443)];
    const play = new Play(one, other, 1_000, 5_000);
    const back = new Play(other, one, 5_000, 1_000);
    // The RST ends what the other end began; the first attempt goes on, and neither joins the other.
    const events = [
      play.syn(0),
      back.syn(stepNs),
      back.clientReset(2 * stepNs, { acknowledgment: 1_000 }),
      play.synAck(3 * stepNs),
      back.synAck(4 * stepNs),
    ].filter((event) => "packet" in event);
    const first = read(captureOf(events));
    const outcomes = first.records.map((line) => JSON.parse(line).outcome).toSorted();
    assertEquals(outcomes, ["aborted", "half_open"]);
    assertEquals(read(first.written).records, first.records);
  });
}

Deno.test("PacketSink' file sorted by time is read as any other", () => {
  // What reordercap makes of it: the packets of the two mixed again, the comments still there.
  const [one, other] = [end("192.0.2.1", 50_000), end("198.51.100.2", 443)];
  const [play, again] = [new Play(one, other, 1_000, 5_000), new Play(one, other, 9_000, 5_000)];
  const build = new PcapngBuilder();
  const packet = (event: Event, comment?: string) =>
    build.packet({
      ticks: BigInt(EPOCH_SECONDS) * 1_000_000_000n + BigInt((event as PacketEvent).timeNs),
      data: frameOf((event as PacketEvent).packet),
      options: comment === undefined ? [] : [build.comment(`synsnoop: ${comment} a → b`)],
    });
  const capture = concat(
    build.section(),
    build.interface({ resolution: 9 }),
    packet(play.syn(0), "established"),
    packet(again.syn(1), "half_open"),
    packet(play.synAck(2)),
    packet(again.synAck(3)),
    packet(play.ack(4)),
  );
  const outcomes = read(capture).records.map((line) => JSON.parse(line).outcome);
  assertEquals(outcomes.toSorted(), ["established", "half_open"]);
});

Deno.test("PacketSink lets no duration come of times that the capture did not have", () => {
  const [client, server] = [end("192.0.2.1", 1), end("198.51.100.2", 443)];
  const packets = [1, 2, 3].flatMap((port) => {
    const play = new Play({ ...client, port }, server, 1_000, 5_000);
    return [play.syn(0), play.synAck(0), play.ack(0)].filter((event) => "packet" in event)
      .map(({ packet }) => packet);
  });
  // The fraction of the second handshake's SYN-ACK is no fraction; the others are far enough away.
  const capture = buildPcap({
    records: packets.map((packet, index) => ({
      seconds: EPOCH_SECONDS + 10 * Math.floor(index / 3),
      fraction: index === 4 ? 1_000_000 : index,
      data: frameOf(packet),
    })),
  });
  const first = read(capture);
  const second = read(first.written);
  assertEquals(second.records, first.records);
  const rtts = first.records.map((line) => JSON.parse(line).rtt.client_ns);
  assertEquals(rtts, [1_000, undefined, 1_000]);
});

const CONTEXT = { host: "web1", interfaceName: () => "eth0" };
const STATE = stateOf(CONTEXT, {
  span: { epochSeconds: EPOCH_SECONDS, startNs: 0, endNs: 9 },
});
const SOURCE: Source = { ...sourceOf(CONTEXT), epochSeconds: EPOCH_SECONDS };

/** A sink for packets of a source. @param keptMax Packets kept at most. */
function sinkTo(output: PacketOutput, keptMax?: number) {
  const sink = new PacketSink(output, keptMax);
  const keeper = sink.keepPackets(16);
  sink.begin(SOURCE);
  return { sink, keeper };
}

function packetAt(timeNs: number): KeptPacket {
  const view = new DataView(new ArrayBuffer(60));
  return {
    view,
    start: 0,
    end: 60,
    originalLength: 60,
    linkType: 101,
    timeNs,
    place: 1,
    direction: 1,
  };
}

/** Keeps packets of one row and writes them as those of a handshake. */
function writeRow(
  { sink, keeper }: { sink: PacketSink; keeper: PacketKeeper },
  row: number,
  timesNs: readonly number[],
): void {
  keeper.begin(row);
  for (const timeNs of timesNs) keeper.keep(row, packetAt(timeNs));
  sink.take(new Handshake(), row);
}

Deno.test("PacketSink says at the first packet of each handshake which one it is", () => {
  const output = new KeptOutput();
  const packets = sinkTo(output);
  writeRow(packets, 7, [2, 3]);
  writeRow(packets, 8, []);
  writeRow(packets, 7, [4]);
  // One that no packets were kept of.
  packets.sink.take(new Handshake(), NO_ROW);
  packets.sink.end({ ...STATE, losses: { ring_packets: 5 } });
  assertEquals(packets.sink.losses, { kept_handshakes: 0, written_packets: 0 });
  const { packets: read, dropped, fault } = readCapture(output.bytes);
  const comment = "synsnoop: unanswered [::]:0 → [::]:0";
  assertEquals(read.map(({ comments }) => comments), [[comment], [], [comment]]);
  assertEquals([dropped, fault, output.syncs, packets.sink.failed], [5, undefined, 1, false]);
});

Deno.test("PacketSink counts handshakes whose first packets were overwritten", () => {
  const output = new KeptOutput();
  const packets = sinkTo(output, 3);
  writeRow(packets, 0, [1, 2, 3]);
  writeRow(packets, 0, [4, 5, 6, 7]);
  packets.sink.end(STATE);
  assertEquals(packets.sink.losses.kept_handshakes, 1);
  const { packets: read } = readCapture(output.bytes);
  assertEquals(read.length, 6);
  assertMatch(read[3].comments[0], /^synsnoop: /);
});

Deno.test("PacketSink counts what cannot be written, and goes on in a section of its own", () => {
  const output = new KeptOutput();
  const packets = sinkTo(output);
  writeRow(packets, 0, [1]);
  packets.sink.flush();
  output.room = 0;
  writeRow(packets, 0, [2, 3]);
  packets.sink.flush();
  packets.sink.flush();
  assertEquals(packets.sink.failed, true);
  output.room = Infinity;
  writeRow(packets, 0, [4]);
  packets.sink.end(STATE);
  assertEquals(packets.sink.losses, {
    kept_handshakes: 0,
    written_packets: 2,
  });
  const { packets: read, fault } = readCapture(output.bytes);
  const begin = BigInt(EPOCH_SECONDS) * 1_000_000_000n;
  assertEquals([read.map(({ unixNs }) => unixNs! - begin), fault], [[1n, 4n], undefined]);
});

for (const isFlushed of [true, false]) {
  const when = isFlushed ? "when it is flushed" : "with what it takes next";
  Deno.test(`PacketSink begins a new file with a section of its own, ${when}`, () => {
    const output = new KeptOutput();
    const packets = sinkTo(output);
    writeRow(packets, 0, [1]);
    packets.sink.flush();
    writeRow(packets, 0, [2]);
    // What was gathered belongs to the old file, whose interfaces it names.
    output.isStale = true;
    if (isFlushed) packets.sink.flush();
    writeRow(packets, 0, [3]);
    packets.sink.end(STATE);
    const begin = BigInt(EPOCH_SECONDS) * 1_000_000_000n;
    const files = [...output.finished, output.bytes].map((bytes) => readCapture(bytes));
    assertEquals(
      files.map(({ packets: read, fault }) => [read.map(({ unixNs }) => unixNs! - begin), fault]),
      [[[1n, 2n], undefined], [[3n], undefined]],
    );
  });
}

Deno.test("PacketSink does not claim a number where the disk took less than it said", () => {
  const output = new KeptOutput(Infinity, false);
  const packets = sinkTo(output);
  writeRow(packets, 0, [1]);
  packets.sink.end(STATE);
  assertEquals([packets.sink.losses.written_packets, packets.sink.failed], [undefined, true]);
});

Deno.test("PacketSink writes as it goes what a long flush gathers", () => {
  const output = new KeptOutput();
  const packets = sinkTo(output);
  for (let round = 0; round < 4_000; round++) writeRow(packets, 0, [1, 2, 3]);
  const written = output.bytes.length;
  assert(written > 1 << 20);
  packets.sink.flush();
  assert(output.bytes.length > written);
  assertEquals(readCapture(output.bytes).packets.length, 12_000);
});
