// `read` as a user runs it: what it takes, what it says of what it cannot read, how it ends.
// Covers src/cli/read.ts
// Covers src/cli/reading.ts
// Covers src/files/capture_input.ts
// Covers src/files/decompress.ts
// Covers src/cli/process/progress_line.ts
import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { TextLineStream } from "@std/streams";
import { constants, gzipSync, zstdCompressSync } from "node:zlib";
import { TABLE_ROWS_HELD, TALLIES_MAX } from "../../src/output/limits.ts";
import { TcpFlag } from "../../src/wire/segment.ts";
import { buildPcap, PcapngBuilder } from "../unit/pcap/build_capture.ts";
import { buildEthernet, buildIpv4, buildTcp, concat } from "../unit/wire/build_frame.ts";
import { Folder } from "../folder.ts";
import { buildRefused } from "./refused_capture.ts";
import { readCommand, runRead, startRead } from "./read_tool.ts";

const { SYN, ACK } = TcpFlag;

/** The records of one whole handshake, from a port. */
function handshake(port: number, seconds = 1_700_000_000) {
  const ends = { source: "192.0.2.1", destination: "198.51.100.2" };
  const back = { source: ends.destination, destination: ends.source };
  const client = { sourcePort: port, destinationPort: 443 };
  const server = { sourcePort: 443, destinationPort: port };
  const packets = [
    { ...ends, tcp: { ...client, flags: SYN, sequence: 1_000 } },
    { ...back, tcp: { ...server, flags: SYN | ACK, sequence: 5_000, acknowledgment: 1_001 } },
    { ...ends, tcp: { ...client, flags: ACK, sequence: 1_001, acknowledgment: 5_001 } },
  ];
  return packets.map(({ source, destination, tcp }, index) => ({
    seconds,
    fraction: index * 100,
    data: buildEthernet({ payload: buildIpv4({ source, destination, payload: buildTcp(tcp) }) }),
  }));
}

const PORTS = [1, 2, 3, 4];
const CAPTURE = buildPcap({
  records: PORTS.flatMap((port) => handshake(port, 1_700_000_000 + port * 10)),
});
/** Where the records of the third handshake begin. */
const THIRD = buildPcap({ records: [...handshake(1), ...handshake(2)] }).length;

const middle = 200;
/** A skippable frame (RFC 8878 §3.1.2), as pzstd writes before each. */
const SKIPPABLE = new Uint8Array([0x5f, 0x2a, 0x4d, 0x18, 3, 0, 0, 0, 1, 2, 3]);
const ENCODINGS: { name: string; bytes: Uint8Array }[] = [
  { name: "plain", bytes: CAPTURE },
  { name: "gzip", bytes: gzipSync(CAPTURE) },
  {
    name: "gzip of two members",
    bytes: concat(gzipSync(CAPTURE.subarray(0, middle)), gzipSync(CAPTURE.subarray(middle))),
  },
  { name: "zstd", bytes: zstdCompressSync(CAPTURE) },
  {
    name: "zstd of several frames",
    bytes: concat(
      SKIPPABLE,
      zstdCompressSync(CAPTURE.subarray(0, middle)),
      SKIPPABLE,
      zstdCompressSync(CAPTURE.subarray(middle)),
    ),
  },
];

for (const { name, bytes } of ENCODINGS) {
  Deno.test(`read takes a file and standard input, ${name}`, async () => {
    using folder = new Folder();
    const file = folder.write("capture.pcap", bytes);
    const fromFile = await runRead([file]);
    const fromInput = await runRead(["-"], bytes);
    for (const { status, records, said } of [fromFile, fromInput]) {
      assertEquals([status, records.map(({ client }) => client.port)], [0, PORTS]);
      assertMatch(said, /^4 handshakes: 4 established\n/);
    }
    assertEquals(fromFile.records, fromInput.records);
  });
}

const FAULTS: { name: string; bytes: Uint8Array; ports: number[]; says: RegExp }[] = [
  {
    name: "cut off",
    bytes: CAPTURE.subarray(0, THIRD + 20),
    ports: [1, 2],
    says: new RegExp(
      `^synsnoop: Cannot read "[^"]+" from byte ${THIRD} on: it ends inside a packet\n`,
    ),
  },
  {
    name: "empty",
    bytes: new Uint8Array(0),
    ports: [],
    says: /^synsnoop: Cannot read "[^"]+": it is empty\n/,
  },
  {
    name: "no capture",
    bytes: new TextEncoder().encode("hello, world"),
    ports: [],
    says: /": it begins with 0x68656c6c and is neither pcap, pcapng nor NDJSON/,
  },
  {
    name: "cut off inside gzip",
    bytes: gzipSync(CAPTURE).subarray(0, -8),
    ports: PORTS,
    says: /^synsnoop: Cannot read "[^"]+": its compressed data is broken: unexpected end of file\n/,
  },
  {
    name: "gzip with another checksum",
    bytes: gzipSync(CAPTURE).with(-8, gzipSync(CAPTURE).at(-8)! ^ 1),
    ports: PORTS,
    says: /^synsnoop: Cannot read "[^"]+": its compressed data is broken: incorrect data check\n/,
  },
  {
    name: "gzip with something else behind it",
    bytes: concat(gzipSync(CAPTURE), new TextEncoder().encode("\n")),
    ports: PORTS,
    says:
      /^synsnoop: Cannot read "[^"]+": bytes that are no gzip follow its compressed data; all before/,
  },
  {
    name: "nothing in gzip, and zeros behind it",
    bytes: concat(gzipSync(new Uint8Array(0)), new Uint8Array(4)),
    ports: [],
    says: /from byte 0 of what it decompresses to on: it is empty\n/,
  },
  {
    name: "cut off inside zstd",
    bytes: concat(zstdCompressSync(CAPTURE), zstdCompressSync(CAPTURE).subarray(0, -20)),
    ports: PORTS,
    says: /its compressed data is broken: unexpected end of file/,
  },
  {
    name: "zstd with a byte changed",
    bytes: zstdCompressSync(CAPTURE).with(40, 0x55),
    ports: [],
    says: /its compressed data is broken: Zstd decompress error: Data corruption detected/,
  },
  {
    name: "zstd with something else behind it",
    bytes: concat(zstdCompressSync(CAPTURE), new Uint8Array(8)),
    ports: PORTS,
    says: /its compressed data is broken: no zstd frame begins where one ends/,
  },
];

const ZEROS = /: zeros follow: not all of it came to the disk, as when the power fails/;
const NEXT_GENERATION = new PcapngBuilder();
FAULTS.push(
  { name: "nothing but zeros", bytes: new Uint8Array(4_096), ports: [], says: ZEROS },
  {
    name: "ended by zeros",
    bytes: concat(CAPTURE.subarray(0, THIRD), new Uint8Array(4_096)),
    ports: [1, 2],
    says: new RegExp(`from byte ${THIRD} on${ZEROS.source}`),
  },
  {
    name: "pcapng and ended by zeros",
    bytes: concat(
      NEXT_GENERATION.section(),
      NEXT_GENERATION.interface(),
      ...handshake(1).map(({ data }) => NEXT_GENERATION.packet({ data })),
      new Uint8Array(4_096),
    ),
    ports: [1],
    says: ZEROS,
  },
);

for (const { name, bytes, ports, says } of FAULTS) {
  Deno.test(`read reports what comes before the fault of a file that is ${name}`, async () => {
    using folder = new Folder();
    const file = folder.write("capture.pcap", bytes);
    const { status, records, said } = await runRead([file]);
    assertEquals([status, records.map(({ client }) => client.port)], [1, ports]);
    assertMatch(said, says);
  });
}

/** Of a file of a megabyte only the last byte is wrong, that of its checksum: Deno's node:zlib tells nobody. */
function damagedLate(): Uint8Array<ArrayBuffer> {
  const { ZSTD_c_checksumFlag } = constants;
  const file = zstdCompressSync(new Uint8Array(1 << 20).fill(0x49), {
    params: { [ZSTD_c_checksumFlag]: 1 },
  });
  file[file.length - 1] ^= 1;
  return Uint8Array.from(file);
}

Deno.test("read survives an error of node:zlib that nobody can catch", async () => {
  using folder = new Folder();
  const file = folder.write("capture.pcap", damagedLate());
  const { status, said } = await runRead([file]);
  assertEquals(status, 1);
  assertMatch(said, /from byte 0 of what it decompresses to on: it begins with 0x49494949/);
});

Deno.test("read says where in decompressed data a fault is, and goes on with the next file", async () => {
  using folder = new Folder();
  const broken = folder.write("broken.pcap.gz", gzipSync(CAPTURE.subarray(0, THIRD + 20)));
  const good = folder.write("good.pcap", buildPcap({ records: handshake(9, 1_700_000_100) }));
  const { status, records, said } = await runRead([broken, "absent.pcap", good]);
  assertEquals([status, records.map(({ client }) => client.port)], [1, [1, 2, 9]]);
  assertStringIncludes(said, `from byte ${THIRD} of what it decompresses to on: it ends inside`);
  assertStringIncludes(said, 'Cannot read "absent.pcap": there is no such file');
});

Deno.test("read refuses a directory, and to follow what cannot grow", async () => {
  using folder = new Folder();
  const compressed = folder.write("capture.pcap", gzipSync(CAPTURE));
  const directory = await runRead([import.meta.dirname!]);
  assertMatch(directory.said, /Cannot read "[^"]+": it is a folder without segments/);
  const [program, ...args] = readCommand(["-"]);
  const command = new Deno.Command("sh", {
    args: ["-c", 'exec "$@" </', "sh", program, ...args],
  });
  const { code, stderr } = await command.output();
  assertEquals(
    [code, new TextDecoder().decode(stderr)],
    [1, "synsnoop: Cannot read standard input: it is a directory\n"],
  );
  const follow = await runRead(["--follow", compressed]);
  assertMatch(follow.said, /Cannot follow "[^"]+": it is compressed or no regular file/);
  assertEquals([directory.status, follow.status], [1, 1]);
});

Deno.test("read needs no more of Deno than to read files and the host's name", async () => {
  using folder = new Folder();
  const file = folder.write("capture.pcap", CAPTURE);
  const allowed = ["--no-prompt", "--allow-read", "--allow-sys=hostname"];
  const [program, ...args] = readCommand([file])
    .flatMap((word) => word === "-A" ? allowed : [word]);
  const { code, stderr } = await new Deno.Command(program, { args, stdin: "null" }).output();
  assertEquals(code, 0, new TextDecoder().decode(stderr));
});

Deno.test("read ends with a usage error without a file", async () => {
  const child = startRead([]);
  await child.stdin.close();
  const { code, stderr } = await child.output();
  assertEquals(code, 2);
  assertMatch(new TextDecoder().decode(stderr), /^synsnoop: Cannot read nothing: give a FILE/);
});

Deno.test("read ends at its count, without a fault behind it", async () => {
  using folder = new Folder();
  const file = folder.write("capture.pcap", CAPTURE.subarray(0, -5));
  const { status, records } = await runRead(["--count", "2", file]);
  assertEquals([status, records.length], [0, 2]);
});

Deno.test("read says that files are not in the order of their times, and what to do", async () => {
  const [syn, synAck, ack] = handshake(5);
  const after = [synAck, ack].map((packet) => ({ ...packet, seconds: syn.seconds + 20 }));
  // As a shell sorts what tcpdump -C wrote.
  using folder = new Folder();
  const later = folder.write("capture.pcap10", buildPcap({ records: after }));
  const earlier = folder.write("capture.pcap2", buildPcap({ records: [syn] }));
  const sorted = await runRead([later, earlier]);
  assertStringIncludes(
    sorted.said,
    "1 file begins before what was read before ends: handshakes across are told in parts; " +
      "give files in the order of their times, or make one of them by mergecap\n",
  );
  const ordered = await runRead([earlier, later]);
  assert(!ordered.said.includes("mergecap"), ordered.said);
  assertEquals(ordered.records.map(({ outcome }) => outcome), ["established"]);
});

Deno.test("read counts what the file says was dropped", async () => {
  const build = new PcapngBuilder();
  const file = concat(build.section(), build.interface({ name: "eth0" }), build.statistics(0, 12n));
  const { status, said } = await runRead(["-"], file);
  assertEquals(status, 0);
  assertMatch(said, /lost: 12 packets that the capturing host dropped/);
});

Deno.test("read of a plain file waits for its reader, and ends at a signal with what it has", async () => {
  const total = 40_000;
  const parts = [buildPcap()];
  const one = buildPcap({ records: handshake(0) }).subarray(parts[0].length);
  const recordLength = one.length / 3;
  // Behind the headers of record, Ethernet and IPv4: the client's port, of what it gets the second.
  const ports = 16 + 14 + 20;
  for (let index = 0; index < total; index++) {
    const view = new DataView(one.slice().buffer);
    for (const [packet, portAt] of [ports, ports + 2, ports].entries()) {
      view.setUint32(packet * recordLength, 1_700_000_000 + index, true);
      view.setUint16(packet * recordLength + portAt, 1_024 + index);
    }
    parts.push(new Uint8Array(view.buffer));
  }
  using folder = new Folder();
  const file = folder.write("capture.pcap", concat(...parts));
  const child = startRead(["--json", file]);
  await child.stdin.close();
  const errors = new Response(child.stderr).text();
  const lines = child.stdout.pipeThrough(new TextDecoderStream()).pipeThrough(new TextLineStream())
    .getReader();
  // The rest of its output is not read yet: it holds the reading up.
  const read = [(await lines.read()).value!];
  child.kill("SIGINT");
  for (let line = await lines.read(); !line.done; line = await lines.read()) read.push(line.value);
  const { code } = await child.status;
  const summary = JSON.parse(read.at(-1)!);
  assertEquals([code, summary.event, summary.handshakes], [0, "summary", read.length - 1]);
  assert(summary.handshakes < total, `${summary.handshakes} of ${total} were read`);
  const said = await errors;
  assertMatch(said, /lost: nothing/);
  assertMatch(
    said,
    /^synsnoop: interrupted after [\d.]+ of [\d.]+ MB of ".*capture\.pcap": what follows there is left out$/m,
  );
});

Deno.test("read --follow reports what is appended until it is interrupted", async () => {
  const half = CAPTURE.subarray(0, THIRD + 20);
  using folder = new Folder();
  const file = folder.write("capture.pcap", half);
  const child = startRead(["--follow", file]);
  await child.stdin.close();
  const errors = new Response(child.stderr).text();
  const lines = child.stdout.pipeThrough(new TextDecoderStream()).pipeThrough(new TextLineStream())
    .getReader();
  const nextPort = async () => JSON.parse((await lines.read()).value!).client?.port;
  assertEquals([await nextPort(), await nextPort()], [1, 2]);
  Deno.writeFileSync(file, CAPTURE.subarray(half.length, -3), { append: true });
  assertEquals(await nextPort(), 3);
  child.kill("SIGINT");
  // The fourth is cut off in its last packet, which may still have been on its way.
  assertEquals([await nextPort(), await nextPort()], [4, undefined]);
  assertEquals((await lines.read()).done, true);
  assertEquals((await child.status).code, 0);
  assertMatch(await errors, /^4 handshakes: 3 established, 1 half_open\n/);
});

Deno.test("read --follow says when the file becomes shorter", async () => {
  using folder = new Folder();
  const file = folder.write("capture.pcap", CAPTURE);
  const child = startRead(["--follow", file]);
  await child.stdin.close();
  const errors = new Response(child.stderr).text();
  const lines = child.stdout.pipeThrough(new TextDecoderStream()).pipeThrough(new TextLineStream())
    .getReader();
  for (const _ of PORTS) await lines.read();
  Deno.truncateSync(file, 30);
  while (!(await lines.read()).done);
  assertEquals((await child.status).code, 1);
  assertMatch(await errors, /Cannot read "[^"]+": it was cut short while it was followed/);
});

Deno.test("read ends at a signal while it waits for standard input", async () => {
  const child = startRead(["-"]);
  const writer = child.stdin.getWriter();
  const errors = new Response(child.stderr).text();
  const lines = child.stdout.pipeThrough(new TextDecoderStream()).pipeThrough(new TextLineStream())
    .getReader();
  await writer.write(CAPTURE);
  // The fourth is reported because nothing more comes.
  for (const port of PORTS) {
    assertEquals(JSON.parse((await lines.read()).value!).client.port, port);
  }
  child.kill("SIGTERM");
  while (!(await lines.read()).done);
  assertEquals((await child.status).code, 0);
  assertMatch(await errors, /^4 handshakes: 4 established\n/);
  await writer.close().catch(() => {});
});

Deno.test("read reports a lone refusal though a live capture stays silent", async () => {
  const now = () => {
    const capture = buildRefused({ count: 1, firstPort: 5, secondsApart: 0 });
    const view = new DataView(capture.buffer);
    const seconds = Math.floor(Date.now() / 1_000);
    // Behind the file's header a record's header and frame, twice.
    const second = 24 + 16 + view.getUint32(24 + 8, true);
    for (const record of [24, second]) view.setUint32(record, seconds, true);
    return capture;
  };
  using folder = new Folder();
  const file = folder.write("capture.pcap", now());
  for (const args of [["-"], ["--follow", file]]) {
    const child = startRead(args);
    const writer = child.stdin.getWriter();
    const errors = new Response(child.stderr).text();
    const lines = child.stdout.pipeThrough(new TextDecoderStream())
      .pipeThrough(new TextLineStream()).getReader();
    const capture = now();
    Deno.writeFileSync(file, capture);
    if (args[0] === "-") await writer.write(capture);
    const { outcome, client } = JSON.parse((await lines.read()).value!);
    assertEquals([outcome, client.port], ["refused", 5]);
    child.kill("SIGTERM");
    while (!(await lines.read()).done);
    assertEquals((await child.status).code, 0);
    assertMatch(await errors, /^1 handshake: 1 refused\n/);
    await writer.close().catch(() => {});
  }
});

Deno.test("read --help tells how many rows and names are held", async () => {
  const child = startRead(["--help"]);
  await child.stdin.close();
  const { code, stdout } = await child.output();
  const help = new TextDecoder().decode(stdout);
  assertEquals(code, 0);
  assertStringIncludes(help, `first ${TABLE_ROWS_HELD} rows`);
  assertStringIncludes(help, `counts ${TALLIES_MAX} names of each kind`);
});
