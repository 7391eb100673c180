// Covers src/linux/per_cpu_counters.ts
import { assert, assertEquals } from "@std/assert";
import compiled from "../../bpf/handshake_filter.json" with { type: "json" };
import { buildFilter, installedCompiler } from "../../bpf/build_filter.ts";
import type { FilterCounters } from "../../src/linux/capture/handshake_filter.ts";
import { interfaceIndex } from "../../src/linux/netns/interfaces.ts";
import { PacketRing, type PacketRingOptions } from "../../src/linux/capture/packet_ring.ts";
import {
  ethernetFrame,
  EXTENSION,
  FrameSender,
  icmpPacket,
  ipPacket,
  type Segment,
  TCP,
} from "./frame_sender.ts";
import { compileC } from "./compile.ts";
import {
  inNamespace,
  Namespace,
  namespaceTest,
  reasonAgainstNamespaces,
  skippableTest,
  until,
} from "./namespace.ts";

const MARKER_PORT = 9;
const CLIENT_ISN = 1000;
const SERVER_ISN = 5000;

const syn: Segment = { flags: TCP.syn, sequence: CLIENT_ISN };
const synAck: Segment = {
  fromServer: true,
  flags: TCP.synAck,
  sequence: SERVER_ISN,
  acknowledgment: CLIENT_ISN + 1,
};
const ack: Segment = {
  flags: TCP.ack,
  sequence: CLIENT_ISN + 1,
  acknowledgment: SERVER_ISN + 1,
};

/** Two namespaces with cables between them, a ring at the far ends and a sender for each near end. */
class Bench implements AsyncDisposable {
  readonly #ring: PacketRing;
  readonly #senders: FrameSender[];
  readonly #resources: AsyncDisposableStack;

  private constructor(ring: PacketRing, senders: FrameSender[], resources: AsyncDisposableStack) {
    this.#ring = ring;
    this.#senders = senders;
    this.#resources = resources;
  }

  static async create(options: PacketRingOptions = {}, cables = 1): Promise<Bench> {
    await using stack = new AsyncDisposableStack();
    const near = stack.use(await Namespace.create());
    const far = stack.use(await Namespace.create());
    const ends: string[] = [];
    for (let i = 0; i < cables; i++) ends.push((await near.connect(far))[0]);
    const ring = stack.use(
      inNamespace(far.name, () => PacketRing.open({ filter: "ebpf", ...options })),
    );
    const senders = inNamespace(
      near.name,
      () => ends.map((name) => stack.use(new FrameSender(interfaceIndex(name)!))),
    );
    return new Bench(ring, senders, stack.move());
  }

  /** Sends `segments` in order and returns for each whether the filter passed it. */
  async passed(segments: readonly Segment[], cable = 0): Promise<boolean[]> {
    const sender = this.#senders[cable];
    // The filter does not look at the window: it carries the segment's number.
    segments.forEach((segment, index) => sender.sendSegment({ ...segment, window: index }));
    sender.sendSegment({ clientPort: MARKER_PORT });
    const result = segments.map(() => false);
    let marked = false;
    await until("the marker behind the segments arrives", () => {
      this.#ring.drain(({ view, networkOffset: network, capturedEnd: end }) => {
        // The TCP header ends the packet's headers, and nothing sent here has options or payload.
        const tcp = end - 20;
        assert(tcp >= network);
        if (view.getUint16(tcp) === MARKER_PORT) marked = true;
        else result[view.getUint16(tcp + 14)] = true;
      });
      return marked;
    });
    return result;
  }

  /** Sends whole packets, and waits until what passed of them has come. @returns How many passed. */
  async passedPackets(packets: readonly Uint8Array[]): Promise<number> {
    const [sender] = this.#senders;
    for (const packet of packets) sender.send(ethernetFrame(packet));
    sender.sendSegment({ clientPort: MARKER_PORT });
    let passed = 0;
    let marked = false;
    await until("the marker behind the packets arrives", () => {
      this.#ring.drain(({ view, capturedEnd: end }) => {
        if (view.getUint16(end - 20) === MARKER_PORT) marked = true;
        else passed++;
      });
      return marked;
    });
    return passed;
  }

  counters(): FilterCounters {
    return this.#ring.filterCounters()!;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#resources[Symbol.asyncDispose]();
  }
}

const bothVersions = (segments: Segment[]) =>
  ([4, 6] as const).map((version) => segments.map((segment) => ({ ...segment, version })));

await namespaceTest("handshake_filter passes the third packet and hardly a later ACK", async () => {
  await using bench = await Bench.create();
  const later = { ...ack, sequence: CLIENT_ISN + 500, acknowledgment: SERVER_ISN + 9000 };
  const fromServer = {
    fromServer: true,
    flags: TCP.ack,
    sequence: SERVER_ISN + 1,
    acknowledgment: CLIENT_ISN + 1,
  };
  for (const segments of bothVersions([ack, syn, synAck, fromServer, ack, ack, later])) {
    assertEquals(await bench.passed(segments), [false, true, true, false, true, true, false]);
  }
  const { syn_ack, completing_ack, other_ack, given_up } = bench.counters();
  assertEquals([syn_ack, completing_ack, other_ack, given_up], [2, 4, 6, 0]);
});

await namespaceTest("handshake_filter passes what answers a repeated SYN-ACK", async () => {
  await using bench = await Bench.create();
  for (const segments of bothVersions([syn, synAck, synAck, ack, synAck, ack, ack])) {
    assertEquals(await bench.passed(segments), [true, true, true, true, true, true, true]);
  }
  assertEquals(bench.counters().given_up, 0);
});

await namespaceTest("handshake_filter is not closed by a segment that does not fit", async () => {
  await using bench = await Bench.create();
  const stale = { ...ack, acknowledgment: SERVER_ISN };
  const stray = { ...ack, sequence: 77 };
  const reset = { flags: TCP.rst, sequence: 1 };
  for (const segments of bothVersions([synAck, stale, reset, stray, stray, stray, ack, ack])) {
    assertEquals(
      await bench.passed(segments),
      [true, false, true, true, true, true, true, true],
    );
  }
  // Four pass at most, so that a flow whose numbers never fit does not pass its bulk traffic.
  for (const segments of bothVersions([synAck, stray, stray, stray, stray, stray, stray])) {
    assertEquals(await bench.passed(segments), [true, true, true, true, true, false, false]);
  }
  const { rst, unfit_ack, completing_ack } = bench.counters();
  assertEquals([rst, unfit_ack, completing_ack], [2, 14, 4]);
});

await namespaceTest(
  "handshake_filter takes data for the third packet, and counts modulo 2^32",
  async () => {
    await using bench = await Bench.create();
    const later = { ...ack, sequence: CLIENT_ISN + 500 };
    const cases: Segment[][] = [
      // The third ACK was lost; the first data segment completes.
      [synAck, { ...ack, flags: TCP.ack | TCP.psh }, later],
      [synAck, { ...ack, flags: TCP.ack | TCP.fin }, later],
      // TCP Fast Open: the SYN-ACK acknowledges data, and the third packet's Seq is behind it.
      [
        { ...synAck, acknowledgment: CLIENT_ISN + 101 },
        { ...ack, sequence: CLIENT_ISN + 101 },
        ack,
      ],
      [
        { ...synAck, sequence: 0xffffffff, acknowledgment: 0 },
        { ...ack, sequence: 0, acknowledgment: 0 },
        ack,
      ],
      [
        { ...synAck, sequence: 0x7fffffff, acknowledgment: 0x80000000 },
        { ...ack, sequence: 0x80000000, acknowledgment: 0x80000000 },
        ack,
      ],
    ];
    for (const segments of cases.flatMap(bothVersions)) {
      assertEquals(await bench.passed(segments), [true, true, false], JSON.stringify(segments));
    }
    assertEquals(bench.counters().unfit_ack, 0);
  },
);

await namespaceTest(
  "handshake_filter unrolls headers and drops fragments behind the TCP header",
  async () => {
    await using bench = await Bench.create();
    const { hopByHop, routing, fragment, destination } = EXTENSION;
    const cases: { input: Segment; expected: boolean }[] = [
      { input: { ipv4OptionBytes: 40 }, expected: true },
      { input: { fragmentOffset: 0x2000 }, expected: true },
      { input: { fragmentOffset: 0x4000 }, expected: true },
      { input: { fragmentOffset: 1 }, expected: true },
      { input: { fragmentOffset: 15 }, expected: true },
      { input: { fragmentOffset: 16 }, expected: false },
      { input: { fragmentOffset: 1, protocol: 17 }, expected: false },
      { input: { protocol: 17 }, expected: false },
      { input: { version: 6, extensions: [{ type: hopByHop }] }, expected: true },
      { input: { version: 6, extensions: [{ type: fragment }] }, expected: true },
      {
        input: { version: 6, extensions: [{ type: fragment, fragmentOffset: 1 }] },
        expected: true,
      },
      {
        input: { version: 6, extensions: [{ type: fragment, fragmentOffset: 16 }] },
        expected: false,
      },
      {
        input: {
          version: 6,
          extensions: [
            { type: hopByHop, bytes: 16 },
            { type: destination, bytes: 8 },
            { type: routing, bytes: 24 },
            { type: fragment },
            { type: destination, bytes: 256 },
          ],
        },
        expected: true,
      },
      { input: { version: 6, extensions: [{ type: 51 }] }, expected: false },
      { input: { version: 6, protocol: 17 }, expected: false },
      { input: { flags: 0 }, expected: false },
      { input: { flags: TCP.fin }, expected: false },
      { input: { flags: TCP.rst | TCP.ack }, expected: true },
    ];
    const actual = await bench.passed(cases.map(({ input }) => input));
    for (const [index, { input, expected }] of cases.entries()) {
      assertEquals(actual[index], expected, JSON.stringify(input));
    }
  },
);

await namespaceTest("handshake_filter forgets no flow for guesses", async () => {
  await using bench = await Bench.create();
  const guesses = (count: number, make: (guess: number) => Segment) =>
    Array.from({ length: count }, (_, index) => make(Math.imul(index + 1, 0x9e3779b1) >>> 0));
  const acks = guesses(200, (guess) => ({
    ...ack,
    sequence: guess,
    acknowledgment: Math.imul(guess, 7) >>> 0,
  }));
  const resets = guesses(200, (guess) => ({ flags: TCP.rst, sequence: guess }));
  const synAcks = guesses(200, (guess) => ({
    ...synAck,
    sequence: guess,
    acknowledgment: Math.imul(guess, 5) >>> 0,
  }));
  for (const guessed of [acks, resets, synAcks]) {
    for (const segments of bothVersions([synAck, ...guessed, ack])) {
      assertEquals((await bench.passed(segments)).at(-1), true);
    }
  }
  // A forged SYN-ACK before the real one, and guessed ACKs after both.
  for (const segments of bothVersions([synAcks[0], synAck, ...acks, ack])) {
    assertEquals((await bench.passed(segments)).at(-1), true);
  }
});

await namespaceTest("handshake_filter passes the ACK behind one that is thrown away", async () => {
  await using bench = await Bench.create();
  const data = { ...ack, payloadBytes: 0, flags: TCP.ack | TCP.psh };
  for (const segments of bothVersions([synAck, ack, ack, data, data, data])) {
    assertEquals(await bench.passed(segments), [true, true, true, true, false, false]);
  }
  // A server that speaks first: its client acknowledges more and more, and sends nothing.
  const more = Array.from(
    { length: 12 },
    (_, index) => ({ ...ack, acknowledgment: SERVER_ISN + 1 + (index + 1) * 1_448 }),
  );
  for (const segments of bothVersions([synAck, ...more])) {
    const passed = await bench.passed(segments);
    assertEquals(passed.filter((each) => each).length, 9);
  }
  for (const segments of bothVersions([synAck, ack, ...more])) {
    const passed = await bench.passed(segments);
    assertEquals(passed.filter((each) => each).length, 4);
  }
});

await namespaceTest("handshake_filter passes ICMP errors about TCP alone", async () => {
  await using bench = await Bench.create();
  const quote = (version: 4 | 6, protocol = 6) => ipPacket({ version, protocol });
  const cases: { packet: Uint8Array; expected: boolean }[] = [
    { packet: icmpPacket(4, 3, 1, quote(4)), expected: true },
    { packet: icmpPacket(4, 11, 0, quote(4)), expected: true },
    { packet: icmpPacket(4, 3, 1, quote(4).subarray(0, 28)), expected: true },
    { packet: icmpPacket(6, 1, 0, quote(6)), expected: true },
    { packet: icmpPacket(6, 3, 0, quote(6).subarray(0, 48)), expected: true },
    { packet: icmpPacket(4, 3, 3, quote(4, 17)), expected: false },
    { packet: icmpPacket(6, 1, 4, quote(6, 17)), expected: false },
    { packet: icmpPacket(4, 8, 0, quote(4)), expected: false },
    { packet: icmpPacket(6, 128, 0, quote(6)), expected: false },
  ];
  for (const { packet, expected } of cases) {
    const before = bench.counters().icmp;
    assertEquals(await bench.passedPackets([packet]), expected ? 1 : 0);
    assertEquals(bench.counters().icmp - before, expected ? 1 : 0);
  }
});

await namespaceTest("handshake_filter keeps interfaces and ports apart", async () => {
  await using bench = await Bench.create({}, 2);
  assertEquals(await bench.passed([synAck], 0), [true]);
  assertEquals(await bench.passed([ack], 1), [false]);
  assertEquals(await bench.passed([{ ...ack, clientPort: 40001 }, ack], 0), [false, true]);
});

await namespaceTest("handshake_filter counts each half-open flow that it gives up", async () => {
  const halfOpenEntries = 128;
  await using bench = await Bench.create({ halfOpenEntries });
  const flows = Array.from({ length: 1000 }, (_, index) => 20000 + index);
  const opened = await bench.passed(flows.map((clientPort) => ({ ...synAck, clientPort })));
  assert(opened.every((passed) => passed));
  assertEquals(bench.counters().given_up, flows.length - halfOpenEntries);
  const completed = await bench.passed(flows.map((clientPort) => ({ ...ack, clientPort })));
  assertEquals(completed.filter((passed) => passed).length, halfOpenEntries);
  // The oldest are gone.
  assert(completed.slice(0, 100).every((passed) => !passed));
});

await namespaceTest(
  "handshake_filter gives up the oldest, a repeated SYN-ACK is young",
  async () => {
    // One set.
    await using bench = await Bench.create({ halfOpenEntries: 8 });
    const flow = (client: number, segment: Segment) => ({ ...segment, client });
    const opened = [10, 11, 12, 13, 14, 15, 16, 17].map((client) => flow(client, synAck));
    // The first is repeated, the third is completed and ended, three more come.
    const ended = [ack, { ...ack, flags: TCP.ack | TCP.fin }].map((segment) => flow(12, segment));
    const more = [18, 19, 20].map((client) => flow(client, synAck));
    await bench.passed([...opened, flow(10, synAck), ...ended, ...more]);
    // 18 took the place of 12, which needed it no more; 19 and 20 those of 11 and 13.
    assertEquals(bench.counters().given_up, 2);
    const all = Array.from({ length: 11 }, (_, index) => 10 + index);
    const passed = await bench.passed(all.map((client) => flow(client, ack)));
    assertEquals(all.filter((_, index) => !passed[index]), [11, 12, 13]);
  },
);

await namespaceTest(
  "handshake_filter keeps a flow for 100 ms at 1,000 connections and 70,000 SYNs a second",
  async () => {
    await using bench = await Bench.create();
    // The order alone counts, so it need not be that fast.
    const [connections, underWay, synsBetween] = [2_000, 100, 70];
    let flooding = 0;
    let passed = 0;
    for (let step = 0; step < connections + underWay; step += underWay) {
      const segments: Segment[] = [];
      const acks: number[] = [];
      for (let connection = step; connection < step + underWay; connection++) {
        // Other clients than the flood's.
        const client = connection % 50 + 20;
        segments.push({ ...synAck, client, clientPort: 1_000 + connection });
        for (let count = 0; count < synsBetween; count++, flooding++) {
          segments.push({
            ...synAck,
            client: 100 + flooding % 100,
            clientPort: 1_000 + Math.floor(flooding / 100),
          });
        }
        const late = connection - underWay;
        if (late < 0) continue;
        acks.push(segments.length);
        segments.push({ ...ack, client: late % 50 + 20, clientPort: 1_000 + late });
      }
      const results = await bench.passed(segments);
      passed += acks.filter((index) => results[index]).length;
    }
    assertEquals(passed, connections);
  },
);

/** The processors that this process may use, as `taskset` wants them. */
function allowedCpus(): string[] {
  const list = /^Cpus_allowed_list:\t(.*)$/m.exec(Deno.readTextFileSync("/proc/self/status"))![1];
  return list.split(",").flatMap((range) => {
    const [first, last = first] = range.split("-").map(Number);
    return Array.from({ length: last - first + 1 }, (_, index) => String(first + index));
  });
}

/** Packets that found no room in a processor's queue so far, of all namespaces. */
function packetsDropped(): number {
  const lines = Deno.readTextFileSync("/proc/net/softnet_stat").trim().split("\n");
  return lines.reduce((sum, line) => sum + parseInt(line.split(" ")[1], 16), 0);
}

const cpus = allowedCpus();
const obstacle = cpus.length < 2 ? "there is one processor" : await reasonAgainstNamespaces();
skippableTest(
  "handshake_filter loses no flow uncounted between two processors",
  obstacle,
  async () => {
    await using stack = new AsyncDisposableStack();
    const folder = await Deno.makeTempDir({ prefix: "synsnoop-filter-" });
    stack.defer(() => Deno.remove(folder, { recursive: true }));
    const load = await compileC(new URL("../bench/packet_load.c", import.meta.url), folder);
    const near = stack.use(await Namespace.create());
    const far = stack.use(await Namespace.create());
    const ends = [(await near.connect(far))[0], (await near.connect(far))[0]];
    // One set, which everything goes to.
    const ring = stack.use(
      inNamespace(far.name, () => PacketRing.open({ filter: "ebpf", halfOpenEntries: 8 })),
    );
    const count = 200_000;
    const before = packetsDropped();
    await Promise.all(
      ends.map((end, index) =>
        near.run("taskset", "--cpu-list", cpus[index], load, end, "0", String(count), "handshakes")
      ),
    );
    const { syn_ack, completing_ack, unfit_ack, given_up } = ring.filterCounters()!;
    assertEquals(ring.filterGivenUp, given_up);
    // A busy kernel drops packets before they come to any filter.
    const dropped = packetsDropped() - before;
    assert(syn_ack >= 2 * count - dropped, `${syn_ack} SYN-ACKs, ${dropped} packets dropped`);
    // An ACK that met the other processor passes and takes nothing along: given up, its flow counts too.
    const told = `${completing_ack} completed, ${given_up} given up, ${unfit_ack} passed in doubt`;
    assert(completing_ack + unfit_ack + given_up >= syn_ack - dropped, told);
    assert(completing_ack + given_up <= syn_ack, told);
  },
);

const compiler = await installedCompiler();
const major = (name: string | undefined) => name?.split(".")[0];
skippableTest(
  "build_filter makes bpf/handshake_filter.json out of bpf/handshake_filter.c",
  compiler === undefined
    ? "clang is not installed"
    : major(compiler) !== major(compiled.compiler)
    ? `the file was made by ${compiled.compiler}, installed is ${compiler}`
    : undefined,
  async () => {
    // Another patch release may differ in name only.
    const built = { ...JSON.parse(await buildFilter()), compiler: compiled.compiler };
    assertEquals(built, compiled);
  },
);
