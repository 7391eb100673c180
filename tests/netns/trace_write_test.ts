// What `trace --write` writes, against tcpdump beside it, tshark, and `read`.
import { assert, assertEquals, assertLess, assertMatch } from "@std/assert";
import { interfaceIndex } from "../../src/linux/netns/interfaces.ts";
import type { HandshakeRecord } from "../../src/record/record.ts";
import { runRead } from "../capture/read_tool.ts";
import { finished } from "../unit/wire/build_frame.ts";
import { lineReader } from "../line_reader.ts";
import { compileC } from "./compile.ts";
import { Folder } from "../folder.ts";
import { ethernetFrame, FrameSender, ipPacket, type Segment, TCP } from "./frame_sender.ts";
import { inNamespace, Namespace, namespaceTest } from "./namespace.ts";
import { Oracle, readHandshakes } from "./oracle.ts";
import { Tracer } from "./tracer.ts";

const PORT = "4434";
const folder = new Folder();
globalThis.addEventListener("unload", () => folder[Symbol.dispose]());
const connectLoad = await compileC(new URL("connect_load.c", import.meta.url), folder.path);
/** Two programs that stamp one packet one after the other differ by what lies between them. */
const TAP_MEDIAN_NS = 2_000;

/** What packets alone tell of a handshake. */
function wirePart(record: HandshakeRecord) {
  const { time, outcome, network, client, server, rtt, packets, times, checks } = record;
  return {
    ...{ time, outcome, packets, checks },
    network: { ...network, netns: undefined },
    client: { ...client, process: undefined },
    server: { ...server, process: undefined },
    rtt: { ...rtt, kernel_client_ns: undefined, kernel_server_ns: undefined },
    times: [times?.syn_ns, times?.syn_ack_ns, times?.ack_ns],
  };
}

async function tshark(file: string, ...fields: string[]): Promise<string[][]> {
  const args = ["-nr", file, "-T", "fields", ...fields.flatMap((field) => ["-e", field])];
  const { stdout } = await new Deno.Command("tshark", { args, stdin: "null", stderr: "null" })
    .output();
  return new TextDecoder().decode(stdout).trimEnd().split("\n").map((line) => line.split("\t"));
}

await namespaceTest(
  "trace --write writes the packets that tcpdump saw, and read reports",
  async () => {
    await using clientSide = await Namespace.create();
    await using serverSide = await Namespace.create();
    const addresses = { here: "10.78.0.1/24", there: "10.78.0.2/24" };
    const [interfaceName] = await clientSide.connect(serverSide, addresses);
    const file = `${folder.path}/handshakes.pcapng`;
    const flags = ["--json", "--host", "10.78.0.0/24", "--port", `${PORT},80`, "--write", file];
    const tracer = await Tracer.ready(clientSide, flags);
    await using oracle = await Oracle.start(clientSide, interfaceName);
    const server = serverSide.spawn([connectLoad, "10.78.0.2", PORT, "100", "--serve"], {
      stdout: "piped",
    });
    await lineReader(server.stdout).read();
    await clientSide.run(connectLoad, "10.78.0.2", PORT, "100", "--connect");
    await clientSide.run(
      "python3",
      "-c",
      "import socket; socket.socket().connect_ex(('10.78.0.2', 80))",
    );
    await tracer.wrote(101);
    const seen = await oracle.handshakes(100);
    const { records, summary, status } = await tracer.stop();
    assertEquals([status.code, records.length], [0, 101]);
    assertEquals([summary!.losses.kept_handshakes, summary!.losses.written_packets], [0, 0]);

    const written = await readHandshakes(file);
    assertEquals(new Set(written.keys()), new Set(seen.keys()));
    const errorsNs: number[] = [];
    for (const [key, handshake] of written) {
      const other = seen.get(key)!;
      assertEquals(handshake.serverIsn, other.serverIsn);
      for (const packet of ["synNs", "synAckNs", "ackNs"] as const) {
        assertEquals(handshake[packet] === undefined, other[packet] === undefined, packet);
        if (handshake[packet] === undefined) continue;
        errorsNs.push(Math.abs(Number(handshake[packet] - other[packet]!)));
      }
    }
    assertLess(errorsNs.toSorted((a, b) => a - b)[errorsNs.length >> 1], TAP_MEDIAN_NS);

    const packets = await tshark(
      file,
      ...["frame.interface_name", "frame.packet_flags_direction", "ip.src", "frame.comment"],
    );
    assertEquals(packets.length, 302);
    for (const [name, direction, source] of packets) {
      const isOutbound = source === "10.78.0.1";
      assertEquals([name, Number(direction)], [interfaceName, isOutbound ? 2 : 1]);
    }
    const comments = packets.map(([, , , comment]) => comment).filter((comment) => comment);
    assertEquals(comments.length, 101);
    for (const comment of comments.slice(0, 100)) {
      assertMatch(
        comment,
        /^synsnoop: established 10\.78\.0\.1:\d+ → 10\.78\.0\.2:4434, client connect_load \(\d+\), server connect_load \(\d+\), client RTT \S+ .?s, server RTT \S+ .?s$/,
      );
    }
    assertMatch(comments[100], /^synsnoop: refused .*, ECONNREFUSED, client python3 \(\d+\)$/);

    const read = await runRead([file]);
    assertEquals(read.status, 0);
    assertEquals(read.records.map(wirePart), records.map(wirePart));
    assert(!/set aside|set back/.test(read.said), read.said);
  },
);

await namespaceTest("trace --write ends with a status that tells of a full disk", async () => {
  await using namespace = await Namespace.create();
  const flags = ["--json", "--probes", "none", "--port", PORT, "--write", "/dev/full"];
  const tracer = await Tracer.start(namespace, flags);
  await namespace.run(connectLoad, "127.0.0.1", PORT, "10");
  await tracer.wrote(10);
  const { records, summary, status, stderr } = await tracer.stop();
  assertEquals([status.code, records.length], [1, 10]);
  assertEquals(summary!.losses.written_packets, 30);
  assertEquals(stderr.filter((line) => line.includes('Cannot write "/dev/full"')).length, 1);
});

await namespaceTest(
  "trace --write tells interfaces of one name in two namespaces apart, and so does read",
  async () => {
    await using clientSide = await Namespace.create();
    await using serverSide = await Namespace.create();
    const [name] = await clientSide.connect(serverSide, {
      here: "10.78.1.1/24",
      there: "10.78.1.2/24",
    });
    const file = `${folder.path}/two_namespaces.pcapng`;
    const flags = ["--json", "--host", "10.78.1.0/24", "--port", PORT, "--write", file];
    const tracer = await Tracer.start(clientSide, [
      ...flags,
      ...["--netns", serverSide.name, "--probes", "none"],
    ]);
    const server = serverSide.spawn([connectLoad, "10.78.1.2", PORT, "1", "--serve"], {
      stdout: "piped",
    });
    await lineReader(server.stdout).read();
    await clientSide.run(connectLoad, "10.78.1.2", PORT, "1", "--connect");
    await tracer.wrote(1);
    const { records } = await tracer.stop();
    assertEquals(records.map(({ network }) => network.interfaces), [[name, name]]);
    const [record] = (await runRead([file])).records;
    assertEquals([record.packets, record.rtt], [records[0].packets, records[0].rtt]);
    const [first, second] = record.network.interfaces!;
    assertEquals(first, name);
    assertMatch(second, new RegExp(`^${name}@\\d+$`));
  },
);

await namespaceTest(
  "trace --write writes the VLAN tags that the kernel took off, and read reports them",
  async () => {
    await using outside = await Namespace.create();
    await using host = await Namespace.create();
    const [outsideEnd] = await outside.connect(host, {
      here: "10.78.3.1/24",
      there: "10.78.3.2/24",
    });
    const file = `${folder.path}/vlan.pcapng`;
    const tracer = await Tracer.start(host, [
      ...["--json", "--probes", "none", "--host", "192.0.2.0/24,2001:db8::/32", "--write", file],
    ]);
    const q7 = { tpid: 0x8100, tci: 7 };
    const cases = [
      { version: 4, tags: [q7], optionBytes: 40 },
      { version: 6, tags: [{ tpid: 0x88a8, tci: 0x6008 }, q7], optionBytes: 0 },
      { version: 4, tags: [], optionBytes: 0 },
    ] as const;
    {
      using sender = inNamespace(
        outside.name,
        () => new FrameSender(interfaceIndex(outsideEnd)!),
      );
      for (const [index, { tags, ...rest }] of cases.entries()) {
        const clientPort = 40_000 + index;
        const send = (segment: Segment) =>
          sender.send(ethernetFrame(finished(ipPacket({ clientPort, ...rest, ...segment })), tags));
        send({ sequence: 1_000 });
        send({ fromServer: true, flags: TCP.synAck, sequence: 5_000, acknowledgment: 1_001 });
        send({ flags: TCP.ack, sequence: 1_001, acknowledgment: 5_001 });
      }
    }
    await tracer.wrote(3);
    const { records } = await tracer.stop();
    assertEquals(records.map(({ network }) => network.vlan), [7, 8, undefined]);
    const packets = await tshark(file, "vlan.id", "frame.len", "tcp.flags.syn", "tcp.hdr_len");
    // A cooked header of 16 bytes and a tag before IPv4 with 20, IPv6 with 40.
    assertEquals(packets, [
      ...[["7", "100", "1", "60"], ["7", "100", "1", "60"], ["7", "100", "0", "60"]],
      ...[["8", "80", "1", "20"], ["8", "80", "1", "20"], ["8", "80", "0", "20"]],
      ...[["", "40", "1", "20"], ["", "40", "1", "20"], ["", "40", "0", "20"]],
    ]);
    assertEquals((await runRead([file])).records.map(wirePart), records.map(wirePart));
  },
);

/** Connects to itself as a process of the name given. */
const NAMED = `
import ctypes, socket, sys
ctypes.CDLL(None).prctl(15, sys.argv[1].encode())
server = socket.create_server(("127.0.0.1", int(sys.argv[2])))
socket.create_connection(("127.0.0.1", int(sys.argv[2])))
server.accept()
`;

await namespaceTest("read takes no name of a process in a written file for a mark", async () => {
  await using namespace = await Namespace.create();
  const file = `${folder.path}/named.pcapng`;
  const flags = ["--json", "--port", PORT, "--write", file];
  const tracer = await Tracer.ready(namespace, flags);
  const names = ["a, clock_set, b", "x, clock_set", "synsnoop: a → b"];
  for (const [index, name] of names.entries()) {
    await namespace.run("python3", "-c", NAMED, name, PORT);
    await tracer.wrote(index + 1);
  }
  const { records } = await tracer.stop();
  assertEquals(records.map(({ client }) => client.process?.comm), [
    ...names.slice(0, 2),
    names[2].slice(0, 13),
  ]);
  const { records: read } = await runRead([file]);
  assertEquals(read.map(wirePart), records.map(wirePart));
  for (const { flags, rtt } of read) {
    assertEquals(flags, []);
    assert(rtt?.total_ns! > 0);
  }
});
