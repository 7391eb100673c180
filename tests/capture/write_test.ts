// `read --write` and `--output` as a user runs them, and what other programs say of the file.
// Covers src/cli/open_outputs.ts
import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { isSameFile } from "../../src/files/same_file.ts";
import { TcpFlag } from "../../src/wire/segment.ts";
import { buildPcap } from "../unit/pcap/build_capture.ts";
import { readCapture } from "../unit/pcap/read_capture.ts";
import {
  buildEthernet,
  buildIcmp,
  buildIpv4,
  buildTcp,
  concat,
  finished,
} from "../unit/wire/build_frame.ts";
import { WRAPPINGS } from "../unit/wire/build_wrapping.ts";
import { findExecutable } from "../../src/linux/host.ts";
import { skippableTest } from "../netns/namespace.ts";
import { Folder } from "../folder.ts";
import { runRead } from "./read_tool.ts";

const { SYN, ACK, RST } = TcpFlag;
const SECONDS = 1_700_000_000;

function frame(fromClient: boolean, port: number, tcp: object, payload?: Uint8Array): Uint8Array {
  const [client, server] = ["192.0.2.1", "198.51.100.2"];
  return buildEthernet({
    payload: buildIpv4({
      source: fromClient ? client : server,
      destination: fromClient ? server : client,
      payload: buildTcp({
        sourcePort: fromClient ? port : 443,
        destinationPort: fromClient ? 443 : port,
        payload,
        ...tcp,
      }),
    }),
  });
}

/** A capture: a SYN that nobody answers until its end, one that is refused, one established, data. */
const CAPTURE = buildPcap({
  records: [
    { second: 0, data: frame(true, 1, { flags: SYN, sequence: 1_000 }) },
    { second: 1, data: frame(true, 2, { flags: SYN, sequence: 1_000 }) },
    {
      second: 1,
      data: frame(false, 2, { flags: RST | ACK, sequence: 0, acknowledgment: 1_001 }),
    },
    { second: 5, data: frame(true, 3, { flags: SYN, sequence: 1_000 }) },
    {
      second: 5,
      data: frame(false, 3, { flags: SYN | ACK, sequence: 5_000, acknowledgment: 1_001 }),
    },
    {
      second: 6,
      data: frame(true, 3, { flags: ACK, sequence: 1_001, acknowledgment: 5_001 }),
    },
    {
      second: 6,
      data: frame(
        true,
        3,
        { flags: ACK, sequence: 1_001, acknowledgment: 5_001 },
        new Uint8Array(9),
      ),
    },
    { second: 90, data: frame(true, 4, { flags: SYN, sequence: 1_000 }) },
  ].map(({ second, data }, index) => ({ seconds: SECONDS + second, fraction: index, data })),
});

/** The other programs; all are in Debian's package wireshark-common but tshark, which needs it. */
const MISSING = ["tshark", "capinfos", "reordercap"].find((name) => !findExecutable(name));
const NO_WIRESHARK = MISSING && `no "${MISSING}"`;

async function output(command: string, ...args: string[]): Promise<string> {
  const { success, stdout, stderr } = await new Deno.Command(command, { args, stdin: "null" })
    .output();
  if (!success) throw new Error(`Cannot run ${command}: ${new TextDecoder().decode(stderr)}`);
  return new TextDecoder().decode(stdout);
}

Deno.test("read --write extracts the handshakes reported, which give the same records", async () => {
  using folder = new Folder();
  const capture = folder.write("capture.pcap", CAPTURE);
  const extract = `${folder.path}/extract.pcapng`;
  const whole = await runRead(["--write", extract, capture]);
  assertEquals([whole.status, whole.records.length], [0, 4]);
  const again = await runRead([extract]);
  assertEquals([again.status, again.records], [0, whole.records]);
  assertMatch(again.said, /lost: nothing/);

  const refused = `${folder.path}/refused.pcapng`;
  const some = await runRead(["--write", refused, "--outcome", "refused", extract]);
  assertEquals(some.records.map(({ client }) => client.port), [2]);
  const { packets } = readCapture(Deno.readFileSync(refused));
  assertEquals(packets.map(({ comments }) => comments), [
    ["synsnoop: refused 192.0.2.1:2 → 198.51.100.2:443"],
    [],
  ]);
});

skippableTest(
  "read --write makes a file that tshark, capinfos and reordercap read",
  NO_WIRESHARK,
  async () => {
    using folder = new Folder();
    const capture = folder.write("capture.pcap", CAPTURE);
    const extract = `${folder.path}/extract.pcapng`;
    const { records } = await runRead(["--write", extract, capture]);
    const fields = ["tcp.srcport", "tcp.flags", "tcp.seq_raw", "frame.comment"]
      .flatMap((field) => ["-e", field]);
    const listed = await output("tshark", "-nr", extract, "-T", "fields", ...fields);
    const comments = listed.trimEnd().split("\n").map((line) => line.split("\t"))
      .filter(([, , , comment]) => comment);
    assertEquals(comments.map(([port, flags]) => [port, flags]), [
      ["2", "0x0002"],
      ["3", "0x0002"],
      ["1", "0x0002"],
      ["4", "0x0002"],
    ]);
    assertEquals(
      comments[1][3],
      "synsnoop: established 192.0.2.1:3 → 198.51.100.2:443, " +
        "client RTT 1.00 µs, server RTT 1.00 s",
    );
    const infos = await output("capinfos", "-M", extract);
    assertMatch(infos, /Number of packets:\s+7\n/);
    assertMatch(infos, /File encapsulation:\s+ether\n/);
    assertMatch(infos, /Capture application:\s+synsnoop/);
    assertMatch(infos, /Strict time order:\s+False/);

    const sorted = `${folder.path}/sorted.pcapng`;
    await output("reordercap", extract, sorted);
    assertMatch(await output("capinfos", "-M", sorted), /Strict time order:\s+True/);
    const again = await runRead([sorted]);
    const byPort = (all: typeof records) => all.toSorted((a, b) => a.client.port - b.client.port);
    assertEquals(byPort(again.records), byPort(records));
  },
);

Deno.test("read --write appends a section to a pcapng file, and to nothing else", async () => {
  using folder = new Folder();
  const capture = folder.write("capture.pcap", CAPTURE);
  const extract = `${folder.path}/extract.pcapng`;
  for (let round = 0; round < 2; round++) await runRead(["--write", extract, capture]);
  const { packets, fault } = readCapture(Deno.readFileSync(extract));
  assertEquals([packets.length, fault], [14, undefined]);

  const cases = [
    { file: capture, says: "which is in use already; give another file" },
    {
      file: folder.write("notes.txt", new TextEncoder().encode("important words")),
      says: "it exists and is no pcapng file; give another file",
    },
    {
      file: folder.write("torn.pcapng", Deno.readFileSync(extract).subarray(0, -7)),
      says: "it ends inside a block, so nothing can be appended; give another file",
    },
    { file: folder.path, says: "it is a folder" },
  ];
  for (const { file, says } of cases) {
    const before = file === folder.path ? undefined : Deno.readFileSync(file);
    const { status, said } = await runRead(["--write", file, capture]);
    assertEquals(status, 2);
    assertStringIncludes(said, `Cannot use --write "${file}": `);
    assertStringIncludes(said, says);
    if (before) assertEquals(Deno.readFileSync(file), before);
  }
});

Deno.test("read --write says what a full disk does not take, and counts it", async () => {
  using folder = new Folder();
  const capture = folder.write("capture.pcap", CAPTURE);
  const { status, records, said, summary } = await runRead(["--write", "/dev/full", capture]);
  assertEquals([status, records.length], [1, 4]);
  assertEquals(summary.losses.written_packets, 7);
  assertMatch(
    said,
    /^synsnoop: Cannot write "\/dev\/full": No space left on device .*; packets are lost\n/,
  );
  assertMatch(said, /\nlost: 7 packets that --write could not write\n/);
});

Deno.test("read --output takes no file that is read", async () => {
  using folder = new Folder();
  const capture = folder.write("capture.pcap", CAPTURE);
  const { status, said } = await runRead(["--output", capture, capture]);
  assertEquals(status, 2);
  assertStringIncludes(
    said,
    `Cannot use --output "${capture}": it is "${capture}", which is in use`,
  );
});

Deno.test("isSameFile sees through links, and takes no device for a file", () => {
  using folder = new Folder();
  const path = folder.write("a", new Uint8Array(1));
  const other = folder.write("b", new Uint8Array(1));
  Deno.symlinkSync(path, `${folder.path}/link`);
  Deno.linkSync(path, `${folder.path}/hard`);
  assertEquals(
    ["a", "link", "hard", "b", "none"].map((name) => isSameFile(path, `${folder.path}/${name}`)),
    [true, true, true, false, false],
  );
  assertEquals([isSameFile(other, path), isSameFile("/dev/null", "/dev/null")], [false, false]);
});

/** The frames of a handshake of a port, with right checksums. */
function wholeHandshake(port: number): Uint8Array[] {
  return [
    frame(true, port, { flags: SYN, sequence: 1_000 }),
    frame(false, port, { flags: SYN | ACK, sequence: 5_000, acknowledgment: 1_001 }),
    frame(true, port, { flags: ACK, sequence: 1_001, acknowledgment: 5_001 }),
  ].map((bytes) => finished(bytes.subarray(14)));
}

/** Cuts a packet in two. */
function fragments(packet: Uint8Array): Uint8Array[] {
  return [[20, 28], [28, packet.length]].map(([begin, end]) => {
    const part = concat(packet.subarray(0, 20), packet.subarray(begin, end));
    const view = new DataView(part.buffer);
    view.setUint16(2, part.length);
    view.setUint16(6, (begin - 20) / 8 | (end < packet.length ? 0x2000 : 0));
    return part;
  });
}

const [SYN_PACKET] = wholeHandshake(6);
const ICMP_PACKET = buildIpv4({
  source: "203.0.113.1",
  destination: "192.0.2.1",
  protocol: 1,
  payload: buildIcmp(3, 1, SYN_PACKET),
});
const ETHERNET = (packet: Uint8Array) => buildEthernet({ payload: packet });
const byLink = Map.groupBy(WRAPPINGS, ({ linkType }) => linkType ?? 1);
const READ_BACK: { name: string; linkType?: number; frames: [second: number, Uint8Array][] }[] = [
  {
    name: "a clock that was set back by ten minutes",
    frames: [600, 600.05, 600.1, 0, 0.05, 0.1].map((second, index) => [
      second,
      ETHERNET(wholeHandshake(1 + Math.floor(index / 3))[index % 3]),
    ]),
  },
  {
    name: "a handshake across that",
    frames: [600, 0.05, 0.1, 1, 1.1, 1.2].map((second, index) => [
      second,
      ETHERNET(wholeHandshake(1 + Math.floor(index / 3))[index % 3]),
    ]),
  },
  {
    name: "fragments",
    frames: wholeHandshake(5).flatMap(fragments).map((packet, index) => [index, ETHERNET(packet)]),
  },
  { name: "an ICMP error", frames: [[0, ETHERNET(SYN_PACKET)], [1, ETHERNET(ICMP_PACKET)]] },
  ...[...byLink].map(([linkType, wrappings]) => ({
    name: `link type ${linkType}, all that its packets are wrapped in`,
    linkType,
    frames: wrappings.flatMap(({ wrap }, index) =>
      wholeHandshake(100 + index).map((packet, turn): [number, Uint8Array] => [
        index + turn / 10,
        wrap(packet),
      ])
    ),
  })),
];

for (const { name, linkType = 1, frames } of READ_BACK) {
  Deno.test(`read of what --write wrote gives the same records: ${name}`, async () => {
    using folder = new Folder();
    const records = frames.map(([second, data]) => ({
      seconds: SECONDS + Math.floor(second),
      fraction: Math.round(second % 1 * 1e6),
      data,
    }));
    const path = folder.write("whole.pcap", buildPcap({ linkType, records }));
    const written = `${folder.path}/written.pcapng`;
    const first = await runRead(["--write", written, path]);
    const second = await runRead([written]);
    // The second file ends with its last handshake, whatever came after that in the first.
    const said = (run: typeof first) =>
      run.records.map((record) => ({
        ...record,
        flags: record.flags.filter((flag) => flag !== "trace_ended"),
      }));
    assertEquals(first.records.length > 0, true);
    assertEquals(said(second), said(first));
  });
}
