import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { NONE } from "../../src/linux/capture/choose_interfaces.ts";
import {
  interfaceIndex,
  listInterfaces,
  localAddresses,
} from "../../src/linux/netns/interfaces.ts";
import { clockNs, libc, SystemCallError } from "../../src/linux/libc.ts";
import { PacketRing, type PacketRingOptions } from "../../src/linux/capture/packet_ring.ts";
import { PacketType } from "../../src/wire/passage.ts";
import { lineReader } from "../line_reader.ts";
import { ethernetFrame, FrameSender, ipPacket, TCP, type VlanTag } from "./frame_sender.ts";
import { inNamespace, Namespace, namespaceTest, until } from "./namespace.ts";

interface Frame {
  flags: number;
  sequence: number;
  acknowledgment: number;
  sourcePort: number;
  destinationPort: number;
  originalLength: number;
  capturedLength: number;
  protocol: number;
  interfaceIndex: number;
  packetType: number;
  vlanId: number;
  /** As tcpdump prints it: seconds and nine digits. */
  time: string;
}

/** Drains `ring` into `frames`. */
function drain(ring: PacketRing, frames: Frame[]): number {
  return ring.drain((frame) => {
    const { view, networkOffset: network, capturedEnd: end } = frame;
    const version = view.getUint8(network) >>> 4;
    const tcp = network + (version === 4 ? (view.getUint8(network) & 0xf) * 4 : 40);
    frames.push({
      flags: view.getUint8(tcp + 13),
      sequence: view.getUint32(tcp + 4),
      acknowledgment: view.getUint32(tcp + 8),
      sourcePort: view.getUint16(tcp),
      destinationPort: view.getUint16(tcp + 2),
      originalLength: frame.originalLength,
      capturedLength: end - network,
      protocol: frame.protocol,
      interfaceIndex: frame.interfaceIndex,
      packetType: frame.packetType,
      vlanId: frame.vlanId,
      time: `${frame.seconds}.${String(frame.nanoseconds).padStart(9, "0")}`,
    });
  });
}

/** Drains until every packet the kernel has put in the ring is here; what was sent must have arrived. */
async function drainAll(ring: PacketRing, drainedBefore = 0): Promise<Frame[]> {
  const frames: Frame[] = [];
  await until("every packet counted is drained", () => {
    drain(ring, frames);
    const { packets, drops } = ring.statistics();
    return drainedBefore + frames.length >= packets - drops;
  });
  return frames;
}

function openRing(namespace: Namespace, options?: PacketRingOptions): PacketRing {
  return inNamespace(namespace.name, () => PacketRing.open(options));
}

function openSender(namespace: Namespace, name: string): FrameSender {
  return inNamespace(namespace.name, () => new FrameSender(interfaceIndex(name)!));
}

/**
 * A module that connects `connections` times, one after the other, to a listener of its own, sends `bytes`
 * over each, and prints the client ports.
 */
function connectScript(hostname: string, connections: number, bytes = 0): string {
  return `
    const listener = Deno.listen({ hostname: ${JSON.stringify(hostname)}, port: 0 });
    const chunk = new Uint8Array(Math.min(${bytes}, 1 << 20));
    const ports = [];
    for (let i = 0; i < ${connections}; i++) {
      const accepting = listener.accept();
      const client = await Deno.connect({ hostname: listener.addr.hostname, port: listener.addr.port });
      const server = await accepting;
      ports.push(client.localAddr.port);
      const received = new Response(server.readable).arrayBuffer();
      const writer = client.writable.getWriter();
      for (let sent = 0; sent < ${bytes}; sent += chunk.length) await writer.write(chunk);
      await writer.close();
      if ((await received).byteLength < ${bytes}) throw new Error("bytes lost");
    }
    console.log(JSON.stringify(ports));
    Deno.exit(0);`;
}

const count = (frames: Frame[], flags: number) =>
  frames.filter((frame) => frame.flags === flags).length;

await namespaceTest("PacketRing delivers each packet of a loopback handshake once", async () => {
  await using namespace = await Namespace.create();
  using ring = openRing(namespace, { filter: "ebpf" });
  let drained = 0;
  for (const hostname of ["127.0.0.1", "::1"]) {
    const ports: number[] = JSON.parse(await namespace.script(connectScript(hostname, 5)));
    const frames = await drainAll(ring, drained);
    drained += frames.length;
    assertEquals(frames.length, 20, JSON.stringify(frames));
    for (const port of ports) {
      const [syn, synAck, ack, fin] = frames.filter((frame) =>
        frame.sourcePort === port || frame.destinationPort === port
      );
      assertEquals([syn.flags, synAck.flags, ack.flags], [TCP.syn, TCP.synAck, TCP.ack]);
      // The FIN has the numbers of the third packet too, which the kernel might have thrown away.
      assertEquals(
        [fin.flags, fin.sequence, fin.acknowledgment],
        [TCP.fin | TCP.ack, ack.sequence, ack.acknowledgment],
      );
      assertEquals(synAck.acknowledgment, (syn.sequence + 1) >>> 0);
      assertEquals(ack.sequence, synAck.acknowledgment);
      assertEquals(ack.acknowledgment, (synAck.sequence + 1) >>> 0);
      assertEquals(syn.destinationPort, synAck.sourcePort);
      for (const frame of [syn, synAck, ack]) {
        assertEquals(frame.packetType, PacketType.HOST);
        assertEquals(frame.interfaceIndex, 1);
        assertEquals(frame.vlanId, -1);
        assertEquals(frame.protocol, hostname === "::1" ? 0x86dd : 0x0800);
        assertEquals(frame.originalLength, frame.capturedLength);
      }
    }
  }
  const counters = ring.filterCounters()!;
  assertEquals(
    [counters.syn, counters.syn_ack, counters.completing_ack, counters.unfit_ack],
    [10, 10, 20, 0],
  );
  assertEquals(counters.given_up, 0);
});

await namespaceTest("PacketRing with the eBPF filter is spared a bulk transfer", async () => {
  await using namespace = await Namespace.create();
  using ring = openRing(namespace);
  assertEquals(ring.filter, { kind: "ebpf" });
  await namespace.script(connectScript("127.0.0.1", 1, 64 << 20));
  const frames = await drainAll(ring);
  // The first data has the numbers of the third packet too.
  const withoutPush = frames.map(({ flags }) => flags & ~TCP.psh);
  assertEquals(withoutPush, [TCP.syn, TCP.synAck, TCP.ack, TCP.ack]);
  assert(ring.filterCounters()!.other_ack > 500, "the transfer went past the filter");
});

await namespaceTest("PacketRing falls back to the classic filter and says why", async () => {
  await using namespace = await Namespace.create();
  // No table can have zero entries, so the kernel refuses the eBPF filter's.
  assertThrows(
    () => openRing(namespace, { filter: "ebpf", halfOpenEntries: 0 }),
    SystemCallError,
    "bpf(BPF_MAP_CREATE, half_open): EINVAL",
  );
  using ring = openRing(namespace, { halfOpenEntries: 0 });
  assertEquals(ring.filter.kind, "classic");
  assertEquals(ring.filter.why, "Cannot call bpf(BPF_MAP_CREATE, half_open): EINVAL");
  assertEquals(ring.filterCounters(), undefined);
  await namespace.script(connectScript("127.0.0.1", 3, 1 << 20));
  await namespace.script(connectScript("::1", 3));
  const frames = await drainAll(ring);
  assertEquals([count(frames, TCP.syn), count(frames, TCP.synAck)], [6, 6]);
  for (const synAck of frames.filter(({ flags }) => flags === TCP.synAck)) {
    assert(
      frames.some(({ flags, sequence, acknowledgment, sourcePort }) =>
        flags === TCP.ack && sourcePort === synAck.destinationPort &&
        sequence === synAck.acknowledgment && acknowledgment === (synAck.sequence + 1) >>> 0
      ),
      `the third packet to port ${synAck.sourcePort}`,
    );
  }
  // Nothing but SYN, SYN-ACK, RST and empty ACKs.
  assertEquals(frames.filter(({ flags }) => (flags & (TCP.syn | TCP.rst | TCP.ack)) === 0), []);
});

await namespaceTest("PacketRing sees a handshake between namespaces from either end", async () => {
  await using client = await Namespace.create();
  await using server = await Namespace.create();
  const addresses = { here: "2001:db8::1/64", there: "2001:db8::2/64" };
  const [clientInterface] = await client.connect(server, addresses);
  using clientRing = openRing(client);
  using serverRing = openRing(server);
  const listening = server.spawn([
    ...[Deno.execPath(), "eval", "--quiet", "--no-config"],
    `const listener = Deno.listen({ hostname: "2001:db8::2", port: 4433 });
     console.log("listening");
     (await listener.accept()).close();
     Deno.exit(0);`,
  ], { stdout: "piped" });
  assertEquals((await lineReader(listening.stdout).read()).value, "listening");
  await client.script(`(await Deno.connect({ hostname: "2001:db8::2", port: 4433 })).close();`);
  assert((await listening.status).success);
  const clientFrames = await drainAll(clientRing);
  const serverFrames = await drainAll(serverRing);
  const handshake = (frames: Frame[]) =>
    frames.slice(0, 3).map(({ flags, packetType }) => [flags, packetType]);
  assertEquals(handshake(clientFrames), [
    [TCP.syn, PacketType.OUTGOING],
    [TCP.synAck, PacketType.HOST],
    [TCP.ack, PacketType.OUTGOING],
  ]);
  assertEquals(handshake(serverFrames), [
    [TCP.syn, PacketType.HOST],
    [TCP.synAck, PacketType.OUTGOING],
    [TCP.ack, PacketType.HOST],
  ]);
  assertEquals(
    clientFrames.map(({ sequence }) => sequence),
    serverFrames.map(({ sequence }) => sequence),
  );
  const index = inNamespace(client.name, () => interfaceIndex(clientInterface)!);
  assertEquals(clientFrames[0].interfaceIndex, index);
});

await namespaceTest(
  "PacketRing gives the outer VLAN and the IP header behind any tags",
  async () => {
    await using left = await Namespace.create();
    await using right = await Namespace.create();
    const [leftInterface] = await left.connect(right);
    using sender = openSender(left, leftInterface);
    const q = (tci: number): VlanTag => ({ tpid: 0x8100, tci });
    const cases: { tags: VlanTag[]; vlanId: number }[] = [
      { tags: [], vlanId: -1 },
      { tags: [q(5)], vlanId: 5 },
      { tags: [q(0x4000 | 6)], vlanId: 6 },
      { tags: [{ tpid: 0x88a8, tci: 7 }], vlanId: 7 },
      { tags: [{ tpid: 0x88a8, tci: 8 }, q(9)], vlanId: 8 },
      // An inner tag whose priority looks like an IP version.
      { tags: [{ tpid: 0x88a8, tci: 8 }, q(0x4509)], vlanId: 8 },
      { tags: [q(10), q(0x6000)], vlanId: 10 },
    ];
    for (const filter of ["ebpf", "classic"] as const) {
      using sent = openRing(left, { filter });
      using received = openRing(right, { filter });
      let sequence = 0;
      for (const { tags } of cases) {
        for (const version of [4, 6] as const) {
          sender.send(ethernetFrame(ipPacket({ version, sequence: ++sequence }), tags));
        }
      }
      const expected = cases.flatMap(({ vlanId }, index) => [
        { sequence: index * 2 + 1, vlanId, protocol: 0x0800, originalLength: 40 },
        { sequence: index * 2 + 2, vlanId, protocol: 0x86dd, originalLength: 60 },
      ]);
      for (const ring of [received, sent]) {
        const frames = await drainAll(ring);
        assertEquals(
          frames.map(({ sequence, vlanId, protocol, originalLength }) => ({
            sequence,
            vlanId,
            protocol,
            originalLength,
          })),
          expected,
          `${filter}, ${ring === sent ? "sent" : "received"}`,
        );
        assertEquals(new Set(frames.map(({ packetType }) => packetType)).size, 1);
        assertEquals(
          frames[0].packetType,
          ring === sent ? PacketType.OUTGOING : PacketType.OTHER_HOST,
        );
      }
    }
  },
);

await namespaceTest("PacketRing counts what it had no room for", async () => {
  await using left = await Namespace.create();
  await using right = await Namespace.create();
  // With addresses, for then the cable is up and nothing is lost on it.
  const addresses = { here: "192.0.2.1/24", there: "192.0.2.2/24" };
  const [leftInterface] = await left.connect(right, addresses);
  using sender = openSender(left, leftInterface);
  using ring = openRing(right, { sizeBytes: 2 * libc().getpagesize() });
  const sent = 1000;
  for (let sequence = 0; sequence < sent; sequence++) sender.sendSegment({ sequence });
  await until("every packet is counted", () => ring.statistics().packets === sent);
  const { drops, freezes } = ring.statistics();
  assert(drops > 900 && drops < sent, `${drops} drops`);
  assert(freezes > 0);
  const frames = await drainAll(ring);
  assertEquals(frames.length, sent - drops);
  assertEquals(new Set(frames.map(({ sequence }) => sequence)).size, frames.length);
  // With room again, frames arrive again.
  sender.sendSegment({ sequence: sent });
  const more: Frame[] = [];
  await until("a frame after the drops", () => drain(ring, more) > 0);
  assertEquals(more[0].sequence, sent);
  assertEquals(ring.statistics().packets, sent + 1);
});

await namespaceTest("PacketRing.bindTo captures on another interface", async () => {
  await using left = await Namespace.create();
  await using right = await Namespace.create();
  const addresses = (net: number) => ({ here: `192.0.${net}.1/24`, there: `192.0.${net}.2/24` });
  const cables = [
    await left.connect(right, addresses(2)),
    await left.connect(right, addresses(3)),
  ];
  const [first, second] = inNamespace(
    right.name,
    () => cables.map(([, name]) => interfaceIndex(name)!),
  );
  using ring = openRing(right, { interfaceIndex: NONE });
  assertEquals(ring.boundIndex, NONE);
  const send = (cable: number, sequence: number) => {
    using sender = openSender(left, cables[cable][0]);
    sender.sendSegment({ sequence });
  };
  send(0, 1);
  ring.bindTo(first);
  assertEquals(ring.boundIndex, first);
  send(0, 2);
  await until("a packet is counted", () => ring.statistics().packets === 1);
  await left.ip("link", "delete", cables[0][0]);
  assertEquals(ring.boundIndex, NONE);
  assertThrows(() => ring.bindTo(first), SystemCallError, "ENODEV");
  ring.bindTo(second);
  assertEquals(ring.boundIndex, second);
  send(1, 3);
  await until("another is counted", () => ring.statistics().packets === 2);
  // What came from the interface that is gone is still there.
  assertEquals(
    (await drainAll(ring)).map(({ sequence, interfaceIndex }) => [sequence, interfaceIndex]),
    [[2, first], [3, second]],
  );
  // From one that is there to another.
  ring.bindTo(1);
  assertEquals(ring.boundIndex, 1);
  ring.close();
  assertEquals(ring.boundIndex, NONE);
});

/** A tcpdump writing to a file of its own, ready to capture. */
class Tcpdump implements AsyncDisposable {
  readonly #namespace: Namespace;
  readonly #file: string;

  private constructor(namespace: Namespace, file: string) {
    this.#namespace = namespace;
    this.#file = file;
  }

  static async start(namespace: Namespace, interfaceName: string): Promise<Tcpdump> {
    const file = await Deno.makeTempFile({ prefix: "synsnoop-", suffix: ".pcap" });
    const process = namespace.spawn([
      ...["tcpdump", "-i", interfaceName, "-w", file, "-U", "--immediate-mode", "-Z", "root"],
      // Its ring holds 16 whole frames of the loopback interface otherwise: less than comes at once.
      ...["-s", "128", "-B", "8192"],
      ...["--time-stamp-precision=nano", "tcp[tcpflags] & tcp-syn != 0"],
    ], { stderr: "piped" });
    const messages = process.stderr.pipeThrough(new TextDecoderStream()).getReader();
    // To the end of the line: tcpdump writes it in pieces, and does not survive a closed pipe.
    for (let text = ""; !/listening on .*\n/.test(text);) {
      const { value, done } = await messages.read();
      assert(!done, text);
      text += value;
    }
    await messages.cancel();
    return new Tcpdump(namespace, file);
  }

  /** What tcpdump makes of the first `packets` packets, in the terms of {@linkcode Frame}. */
  async read(packets: number) {
    const line =
      /^(\d+\.\d+) IP \S+\.(\d+) > \S+\.(\d+): Flags \[(S\.?)\], seq (\d+),(?: ack (\d+),)?/;
    let rows: string[] = [];
    await until(`tcpdump has written ${packets} packets`, async () => {
      const text = await this.#namespace.run(
        ...["tcpdump", "-r", this.#file, "-tt", "-n", "-S", "--time-stamp-precision=nano"],
      );
      rows = text.split("\n").filter((row) => row !== "");
      return rows.length >= packets;
    });
    return rows.map((row) => {
      const [, time, source, destination, flags, sequence, acknowledgment] = row.match(line)!;
      return {
        time,
        sourcePort: Number(source),
        destinationPort: Number(destination),
        flags: flags === "S" ? TCP.syn : TCP.synAck,
        sequence: Number(sequence),
        acknowledgment: Number(acknowledgment ?? 0),
      };
    });
  }

  [Symbol.asyncDispose](): Promise<void> {
    return Deno.remove(this.#file);
  }
}

const asDumped = (frames: Frame[]) =>
  frames.filter(({ flags }) => (flags & TCP.syn) !== 0).map((
    { time, sourcePort, destinationPort, flags, sequence, acknowledgment },
  ) => ({ time, sourcePort, destinationPort, flags, sequence, acknowledgment }));

await namespaceTest(
  "PacketRing and tcpdump agree on a received frame to the nanosecond",
  async () => {
    await using left = await Namespace.create();
    await using right = await Namespace.create();
    const [leftInterface, rightInterface] = await left.connect(right);
    using sender = openSender(left, leftInterface);
    using ring = openRing(right);
    await using tcpdump = await Tcpdump.start(right, rightInterface);
    const before = clockNs("realtime");
    for (let i = 0; i < 10; i++) {
      const sequence = 0xfffffffb + i >>> 0;
      sender.sendSegment({ clientPort: 40000 + i, sequence, optionBytes: 4 * i });
      sender.sendSegment({
        fromServer: true,
        clientPort: 40000 + i,
        flags: TCP.synAck,
        sequence: 3_000_000_000 + i,
        acknowledgment: (sequence + 1) >>> 0,
      });
    }
    const frames = await drainAll(ring);
    assertEquals(frames.length, 20);
    const after = clockNs("realtime");
    for (const { time } of frames) {
      const timeNs = BigInt(time.replace(".", ""));
      assert(before < timeNs && timeNs < after, `${before} < ${timeNs} < ${after}`);
    }
    assertEquals(asDumped(frames), await tcpdump.read(20));
  },
);

await namespaceTest("PacketRing and tcpdump agree on real handshakes", async () => {
  await using namespace = await Namespace.create();
  using ring = openRing(namespace);
  await using tcpdump = await Tcpdump.start(namespace, "lo");
  await namespace.script(connectScript("127.0.0.1", 10));
  const frames = asDumped(await drainAll(ring));
  const dumped = await tcpdump.read(20);
  assertEquals(frames.length, 20);
  for (const [index, { time, ...frame }] of frames.entries()) {
    const { time: dumpedTime, ...expected } = dumped[index];
    assertEquals(frame, expected);
    // What this host's TCP sends carries its planned sending time in place of a time stamp, so each
    // capture reads the clock when it is its turn; a virtual machine may stand still in between.
    const [seconds, nanoseconds] = time.split(".").map(Number);
    const [dumpedSeconds, dumpedNanoseconds] = dumpedTime.split(".").map(Number);
    const difference = (dumpedSeconds - seconds) * 1e9 + dumpedNanoseconds - nanoseconds;
    assert(Math.abs(difference) < 1e8, `${difference} ns apart`);
  }
});

await namespaceTest("PacketRing.close gives back descriptors and detaches the view", async () => {
  await using namespace = await Namespace.create();
  const descriptors = () => [...Deno.readDirSync("/proc/self/fd")].length;
  let before = 0;
  for (let i = 0; i < 20; i++) {
    const ring = openRing(namespace, { sizeBytes: 4 * libc().getpagesize() });
    ring.close();
    ring.close();
    assertEquals(ring.drain(() => {}), 0);
    if (i === 0) before = descriptors();
  }
  assertEquals(descriptors(), before);

  const ring = openRing(namespace);
  await namespace.script(connectScript("127.0.0.1", 1));
  let kept: DataView | undefined;
  let frames = 0;
  await until("a frame", () => {
    // Closing from inside the callback ends the drain.
    return ring.drain(({ view }) => {
      frames++;
      kept = view;
      ring.close();
    }) > 0;
  });
  assertEquals(frames, 1);
  assertThrows(() => kept!.getUint8(0), TypeError, "detached");
  assert(ring.statistics().packets >= 1);
  assert(ring.filterCounters()!.syn === 1);
});

await namespaceTest("PacketRing.open refuses what cannot work and says so", async () => {
  await using namespace = await Namespace.create();
  assertThrows(
    () => openRing(namespace, { interfaceIndex: 4242 }),
    SystemCallError,
    "Cannot call bind(AF_PACKET, interface 4242): ENODEV, check the interface",
  );
  assertThrows(
    () => openRing(namespace, { sizeBytes: 1000 }),
    RangeError,
    `sizeBytes "1000" is not a multiple of ${libc().getpagesize()}`,
  );
  await assertRejects(
    () =>
      namespace.run(
        ...["setpriv", "--bounding-set=-net_raw", "--inh-caps=-net_raw"],
        ...[Deno.execPath(), "eval", "--quiet", "--no-config"],
        `import { PacketRing } from ${
          JSON.stringify(new URL("../../src/linux/capture/packet_ring.ts", import.meta.url).href)
        };
         PacketRing.open();`,
      ),
    Error,
    "Cannot call socket(AF_PACKET): EPERM, run as root, or with CAP_NET_RAW",
  );
});

await namespaceTest("PacketRing takes the filter that its capabilities allow", async () => {
  await using namespace = await Namespace.create();
  const module = new URL("../../src/linux/capture/packet_ring.ts", import.meta.url).href;
  const script = `
    import { PacketRing } from "${module}";
    console.log(JSON.stringify(PacketRing.open().filter));
    Deno.exit(0);`;
  const filterWith = async (...capabilities: string[]) => {
    const set = ["-all", ...capabilities.map((name) => `+${name}`)].join(",");
    return JSON.parse(
      await namespace.run(
        ...["setpriv", `--bounding-set=${set}`, "--inh-caps=-all"],
        ...[Deno.execPath(), "eval", "--quiet", "--no-config", script],
      ),
    );
  };
  assertEquals(await filterWith("net_raw", "bpf", "perfmon"), { kind: "ebpf" });
  assertEquals(await filterWith("net_raw", "sys_admin"), { kind: "ebpf" });
  assertEquals(await filterWith("net_raw"), {
    kind: "classic",
    why: "Cannot call bpf(BPF_MAP_CREATE, counters): EPERM, run as root, " +
      "or with CAP_BPF and CAP_PERFMON",
  });
  // Nothing of the verifier's log, which is pages long.
  assertEquals(await filterWith("net_raw", "bpf"), {
    kind: "classic",
    why: "Cannot call bpf(BPF_PROG_LOAD): EACCES, " +
      "the kernel's verifier allows it only with CAP_PERFMON beside CAP_BPF",
  });
});

await namespaceTest(
  "listInterfaces, interfaceIndex and localAddresses agree",
  async () => {
    await using left = await Namespace.create();
    await using right = await Namespace.create();
    const [name] = await left.connect(right, { here: "192.0.2.1/24", there: "192.0.2.2/24" });
    inNamespace(left.name, () => {
      const addresses = localAddresses();
      assert(addresses.has("192.0.2.1") && addresses.has("127.0.0.1") && addresses.has("::1"));
      assert(!addresses.has("192.0.2.2"));
      const interfaces = listInterfaces();
      assertEquals(interfaces[0], { index: 1, name: "lo" });
      const own = interfaces.find((entry) => entry.name === name)!;
      assertEquals(interfaceIndex(name), own.index);
      assertEquals(interfaceIndex("no-such"), undefined);
      assertEquals(interfaceIndex(`${name}-and-much-longer`), undefined);
    });
  },
);

await namespaceTest(
  "PacketRing.interfaceName is of the ring's namespace from outside",
  async () => {
    await using left = await Namespace.create();
    await using right = await Namespace.create();
    const [name] = await left.connect(right);
    using ring = openRing(left);
    const index = inNamespace(left.name, () => interfaceIndex(name)!);
    assertEquals(ring.interfaceName(1), "lo");
    assertEquals(ring.interfaceName(index), name);
    for (const none of [-1, 0, 4242, 2_147_483_647]) {
      assertEquals(ring.interfaceName(none), undefined);
    }
    ring.close();
    assertEquals(ring.interfaceName(1), undefined);
  },
);
