// The tool's own NDJSON as the input of read and explain: as a file, compressed, from a pipe, followed.
import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { TextLineStream } from "@std/streams";
import { gzipSync, zstdCompressSync } from "node:zlib";
import { encodeHandshake } from "../../src/record/ndjson.ts";
import { buildPcap } from "../unit/pcap/build_capture.ts";
import {
  CONTEXT,
  HANDSHAKES,
  HOSTILE_COMM,
  WORKED_EXAMPLE,
} from "../unit/record/sample_handshakes.ts";
import { Folder } from "../folder.ts";
import { readCommand, runRead, startRead } from "./read_tool.ts";

const LINES = HANDSHAKES.map((handshake) => encodeHandshake(handshake, CONTEXT));
const RECORDS = LINES.join("");
const SUMMARY = '{"v":1,"event":"summary","handshakes":15}\n';
const [RECORD] = LINES;

interface Run {
  status: number;
  out: string;
  said: string;
}

function bytesOf(text: string): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(text);
}

async function run(command: string, args: readonly string[], input = ""): Promise<Run> {
  const [program, ...rest] = readCommand(args).map((word) => word === "read" ? command : word);
  const child = new Deno.Command(program, {
    args: rest,
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
    env: { LC_ALL: "C.UTF-8", NO_COLOR: "1" },
  }).spawn();
  const writer = child.stdin.getWriter();
  await writer.write(bytesOf(input)).then(() => writer.close()).catch(() => {});
  const { code, stdout, stderr } = await child.output();
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  return { status: code, out: text(stdout), said: text(stderr) };
}

/** The records of what was written, its summary apart. */
function recordsOf({ out }: Run): string {
  return out.split("\n").filter((line) => line.includes('"event":"handshake"'))
    .map((line) => line + "\n").join("");
}

for (
  const [name, pack] of [
    ["plain", bytesOf],
    ["gzip", (text: string) => gzipSync(text)],
    ["zstd", (text: string) => zstdCompressSync(text)],
  ] as const
) {
  Deno.test(`read takes records, ${name}, and writes the same`, async () => {
    using folder = new Folder();
    const file = folder.write("records", pack(RECORDS + SUMMARY));
    const fromFile = await run("read", [file]);
    assertEquals([fromFile.status, recordsOf(fromFile)], [0, RECORDS]);
    const { status, records, summary } = await runRead(["-"], pack(RECORDS + SUMMARY));
    assertEquals([status, records.length, summary.handshakes], [0, LINES.length, LINES.length]);
    assertEquals(summary.losses, { unread_lines: 0, output_records: 0 });
  });
}

Deno.test("read takes what it wrote, however often", async () => {
  const once = await run("read", ["-"], RECORDS);
  const twice = await run("read", ["-"], once.out);
  assertEquals(recordsOf(twice), RECORDS);
  // Of the summaries only the time that it is about is the same.
  assertEquals(twice.out, once.out);
});

Deno.test("read takes several files, captures and records", async () => {
  using folder = new Folder();
  const files = [
    folder.write("a.ndjson", RECORD),
    folder.write("b.pcap", buildPcap({ records: [] })),
    folder.write("c.ndjson.zst", zstdCompressSync(LINES[1])),
  ];
  const result = await run("read", files);
  assertEquals([result.status, recordsOf(result)], [0, LINES[0] + LINES[1]]);
});

Deno.test("read filters records by what they tell", async () => {
  const cases: { args: string[]; has: (record: string) => boolean }[] = [
    { args: ["--port", "8080"], has: (line) => line.includes('"port":8080') },
    { args: ["--outcome", "refused"], has: (line) => line.includes('"outcome":"refused"') },
    { args: ["--comm", "curl"], has: (line) => line.includes('"comm":"curl"') },
    { args: ["--pid", "900"], has: (line) => line.includes('"pid":900,') },
    { args: ["--role", "observer"], has: (line) => line.includes('"role":"observer"') },
    { args: ["--interface", "lo"], has: (line) => /"interfaces?":(\[[^\]]*)?"lo"/.test(line) },
    { args: ["--traced-on", "web1"], has: () => true },
    { args: ["--traced-on", "db1"], has: () => false },
    {
      args: ["--since", "2026-11-23T01:02:13Z"],
      has: (line) => line >= '{"v":1,"event":"handshake","time":"2026-11-23T01:02:13',
    },
    {
      args: ["--until", "2026-11-23T01:02:03.123456789Z"],
      has: (line) => line.includes("T01:02:02."),
    },
    { args: ["--since", "18250d"], has: () => true },
  ];
  for (const { args, has } of cases) {
    const result = await run("read", [...args, "-"], RECORDS);
    assertEquals(recordsOf(result), LINES.filter(has).join(""), args.join(" "));
    assertEquals(result.status, 0);
  }
});

Deno.test("read --table and --stats count a handshake once that two hosts recorded", async () => {
  using folder = new Folder();
  const at = (host: string, timeNs: number) =>
    encodeHandshake(
      Object.assign(Object.create(WORKED_EXAMPLE), { timeNs }),
      { ...CONTEXT, host, hostId: undefined },
    );
  const files = [
    folder.write("client.ndjson", at("web1", 0)),
    folder.write("server.ndjson", at("db1", 119e9) + LINES[1]),
  ];
  const table = await run("read", ["--table", ...files]);
  assertEquals(table.out.trimEnd().split("\n").length, 1 + 2);
  assertStringIncludes(table.said, "set aside: 1 record of a handshake that another host's record");
  const stats = JSON.parse((await run("read", ["--stats", "--json", ...files])).out);
  assertEquals([stats.handshakes, stats.losses.repeated_records], [2, 1]);
  // As records they are two.
  assertEquals(recordsOf(await run("read", files)).split("\n").length - 1, 3);
});

Deno.test("read tells what the trace lost whose records it reads", async () => {
  const of = (lost: number) =>
    `{"v":1,"event":"status","tracer":"1-2","losses":{"ring_packets":${lost}}}\n`;
  const result = await run("read", ["-"], of(1) + RECORDS + of(12));
  assertEquals(result.status, 0);
  assertStringIncludes(result.said, "lost: 12 packets dropped because the capture ring was full");
  // And so does who reads what was written of it.
  const again = await run("read", ["-"], result.out);
  assertEquals(again.out, result.out);
});

Deno.test("read --follow reports the records that are appended, whole lines only", async () => {
  using folder = new Folder();
  const file = folder.write("growing.ndjson", RECORD + LINES[1].slice(0, 100));
  const child = startRead(["--follow", file]);
  child.stdin.close();
  const lines = child.stdout.pipeThrough(new TextDecoderStream())
    .pipeThrough(new TextLineStream()).getReader();
  assertEquals((await lines.read()).value + "\n", RECORD);
  Deno.writeTextFileSync(file, LINES[1].slice(100) + LINES[2], { append: true });
  assertEquals((await lines.read()).value + "\n", LINES[1]);
  assertEquals((await lines.read()).value + "\n", LINES[2]);
  child.kill("SIGINT");
  assertMatch((await lines.read()).value!, /"event":"summary"/);
  await lines.cancel();
  const { code } = await child.status;
  await child.stderr.cancel();
  assertEquals(code, 0);
});

Deno.test("read counts lines that are no records, says which, and ends with 1", async () => {
  using folder = new Folder();
  const hostile = `{"${HOSTILE_COMM.replace(/[\n"]/g, "")}`;
  const file = folder.write(
    "odd\n\x1b[2J.ndjson",
    [RECORD, "{}\n", hostile + "\n", `{"v":1,"event":"\x1b[2J"}\n`, "{".repeat(2 ** 21), "\n"]
      .join("") + LINES[1],
  );
  const result = await run("read", [file]);
  assertEquals([result.status, recordsOf(result)], [1, LINES[0] + LINES[1]]);
  assertStringIncludes(
    result.said,
    "4 of its lines are no records (2 no JSON, 1 no record, 1 too long); line 2: it has no version",
  );
  assertStringIncludes(result.said, "lost: 4 lines of NDJSON that are no records");
  assert(!/[^\n\P{C}]/u.test(result.said + result.out), JSON.stringify(result.said));
});

Deno.test("read says once what it does not know of records of a later version", async () => {
  const newer = RECORD.replace('"v":1', '"v":2,"co\x1blour":1'.replace("\x1b", "\\u001b"));
  const result = await run("read", ["-"], newer + newer);
  assertEquals([result.status, recordsOf(result)], [0, RECORD + RECORD]);
  assertEquals(result.said.split("is unknown to this version").length, 2, result.said);
  assertStringIncludes(
    result.said,
    'records of version 2 were read; "co\\u{1b}lour" in them is unknown',
  );
  const two = await run("read", ["-"], newer.replace('"v":2', '"v":2,"size":1'));
  assertStringIncludes(
    two.said,
    '"size", "co\\u{1b}lour" in them are unknown to this version, and were skipped',
  );
});

Deno.test("read --write refuses records, which have no packets", async () => {
  using folder = new Folder();
  const file = folder.write("a.ndjson", RECORD);
  const result = await run("read", ["--write", `${folder.path}/out.pcapng`, file]);
  assertEquals(result.status, 1);
  assertStringIncludes(result.said, "it holds records, which have no packets for --write");
  assertEquals(recordsOf(result), "");
});

Deno.test("explain tells of a record what it says, and what it lacks", async () => {
  const result = await run("explain", ["--comm", "nginx", "-"], RECORDS);
  assertEquals(result.status, 0);
  assertStringIncludes(result.out, "[2001:db8::1]:443, nginx (process 812, user 33)");
  const example = await run("explain", ["-"], RECORDS);
  assertStringIncludes(example.out, "[SYN, ACK] Seq=0xc112f693 (0)");
  assertStringIncludes(example.out, "All of this is what a record told");
  const second = await run("explain", ["--index", "99", "-"], RECORDS);
  assertEquals(second.status, 1);
  assertStringIncludes(second.said, `${LINES.length} handshakes came`);
  assertStringIncludes(second.said, `${LINES.length} records were read`);
});
