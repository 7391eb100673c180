// What `read` writes when it is asked for a table or for statistics, on a pipe, on a terminal and
// where it cannot write.
// Covers src/cli/process/terminal.ts
import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { TextLineStream } from "@std/streams";
import { findExecutable } from "../../src/linux/host.ts";
import { TcpFlag } from "../../src/wire/segment.ts";
import { buildPcap } from "../unit/pcap/build_capture.ts";
import { buildEthernet, buildIpv4, buildTcp } from "../unit/wire/build_frame.ts";
import { readCommand, startRead } from "./read_tool.ts";

const { SYN, ACK, RST } = TcpFlag;

/** Handshakes ten seconds apart, one a port, to 443 established and to 81 refused. */
function capture(ports: readonly { client: number; server: 443 | 81 }[]): Uint8Array {
  const records = ports.flatMap(({ client, server }, at) => {
    const ends = { source: "192.0.2.1", destination: "198.51.100.2" };
    const back = { source: ends.destination, destination: ends.source };
    const there = { sourcePort: client, destinationPort: server };
    const here = { sourcePort: server, destinationPort: client };
    const packets = [
      { ...ends, tcp: { ...there, flags: SYN, sequence: 1_000 } },
      ...server === 81
        ? [{ ...back, tcp: { ...here, flags: RST | ACK, sequence: 0, acknowledgment: 1_001 } }]
        : [
          { ...back, tcp: { ...here, flags: SYN | ACK, sequence: 5_000, acknowledgment: 1_001 } },
          { ...ends, tcp: { ...there, flags: ACK, sequence: 1_001, acknowledgment: 5_001 } },
        ],
    ];
    return packets.map(({ source, destination, tcp }, index) => ({
      seconds: 1_700_000_000 + at * 10,
      fraction: index * 100,
      data: buildEthernet({ payload: buildIpv4({ source, destination, payload: buildTcp(tcp) }) }),
    }));
  });
  return buildPcap({ records });
}

const CAPTURE = capture([
  { client: 5, server: 443 },
  { client: 50_000, server: 81 },
  { client: 700, server: 443 },
  { client: 8, server: 443 },
]);

interface Run {
  status: number;
  text: string;
  said: string;
}

/** Runs a command with some bytes on its standard input. */
async function run(
  command: string,
  args: string[],
  input: Uint8Array,
  env: Record<string, string> = {},
): Promise<Run> {
  const child = new Deno.Command(command, {
    args,
    env: { LC_ALL: "C.UTF-8", TERM: "xterm", NO_COLOR: "", ...env },
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const writer = child.stdin.getWriter();
  // Whoever refuses its command line reads nothing.
  const fed = writer.write(input).then(() => writer.close()).catch(() => {});
  const { code, stdout, stderr } = await child.output();
  await fed;
  const decoder = new TextDecoder();
  return { status: code, text: decoder.decode(stdout), said: decoder.decode(stderr) };
}

/** Runs `read` on the capture. */
async function read(args: string[], env?: Record<string, string>): Promise<Run> {
  const [command, ...rest] = readCommand([...args, "-"]);
  return await run(command, rest, CAPTURE, env);
}

/** A command as a word of the shell's language for each of its own. */
function quoted(command: readonly string[]): string {
  return command.map((word) => `'${word.replaceAll("'", `'\\''`)}'`).join(" ");
}

Deno.test("read --table writes aligned rows into a pipe, the summary apart", async () => {
  const { status, text, said } = await read(["--table"]);
  assertEquals(status, 0);
  const lines = text.split("\n");
  assertEquals(lines.map((line) => line.slice(28, 39).trim()), [
    "OUTCOME",
    "established",
    "refused",
    "established",
    "established",
    "",
  ]);
  const serverAt = lines[0].indexOf("SERVER");
  for (const line of lines.slice(1, -1)) {
    assertMatch(line.slice(serverAt - 2, serverAt + 16), /^ {2}198\.51\.100\.2:\d/);
  }
  assertMatch(said, /^4 handshakes: 3 established, 1 refused\n/);
});

Deno.test("read --table takes filters and a count", async () => {
  const { status, text, said } = await read(["--table", "--port", "443", "--count", "2"]);
  assertEquals([status, text.split("\n").length], [0, 4]);
  assertMatch(said, /^2 handshakes: 2 established \(1 more kept back by filters\)\n/);
});

Deno.test("read --stats writes tables and histograms, the summary apart", async () => {
  const { status, text, said } = await read(["--stats", "--top", "1"]);
  assertEquals(status, 0);
  assertMatch(text, /^4 handshakes in 30.0 s, from 2023-11-14 22:13:20.000000 to /);
  assertMatch(text, /^198\.51\.100\.2:443 +3 +100\.0 % /m);
  assertMatch(text, /^\(1 other\) +1 +0\.0 % /m);
  assertMatch(text, /^100 µs +150 µs +3 +100\.0 % +█{40}$/m);
  assertMatch(said, /^4 handshakes: 3 established, 1 refused\n/);
});

Deno.test("read --stats writes ASCII where the locale has no more", async () => {
  for (const { args, locale } of [{ args: [], locale: "C" }, { args: ["--ascii"], locale: "" }]) {
    const { text } = await read(
      ["--stats", ...args],
      locale ? { LC_ALL: locale } : {},
    );
    assertMatch(text, /^100 us +150 us +3 +100\.0 % +#{40}$/m);
  }
});

Deno.test("read --stats --json writes one object with the same numbers", async () => {
  const { status, text, said } = await read(["--stats", "--json", "--port", "443"]);
  assertEquals([status, text.split("\n").length], [0, 2]);
  const { v, event, handshakes, filtered, rtt, servers } = JSON.parse(text);
  assertEquals([v, event, handshakes, filtered], [1, "statistics", 3, 1]);
  assertEquals([rtt.client.count, rtt.client.max_ns], [3, 100_000]);
  assertEquals(servers.top.map(({ server }: { server: string }) => server), ["198.51.100.2:443"]);
  assertMatch(said, /^3 handshakes: 3 established/);
});

Deno.test("read ends with a usage error where two formats are asked for", async () => {
  const { status, text, said } = await read(["--table", "--stats"]);
  assertEquals([status, text], [2, ""]);
  assertEquals(said, "synsnoop: Cannot use --table with --stats: give one of them\n");
});

for (const format of ["--table", "--stats"]) {
  Deno.test(`read ${format} ends with status 1 where it cannot be written`, async () => {
    const command = `${quoted(readCommand([format, "-"]))} > /dev/full`;
    const { status, said } = await run("/bin/sh", ["-c", command], CAPTURE);
    assertEquals(status, 1);
    assertStringIncludes(said, "Cannot write to standard output");
    assertStringIncludes(said, "lost: 4 records that could not be written");
  });
}

Deno.test("read --follow --table writes each row when its handshake is settled", async () => {
  const path = await Deno.makeTempFile({ prefix: "synsnoop-table-" });
  try {
    await Deno.writeFile(path, CAPTURE);
    const child = startRead(["--follow", "--table", path]);
    await child.stdin.close();
    const errors = new Response(child.stderr).text();
    const lines = child.stdout.pipeThrough(new TextDecoderStream())
      .pipeThrough(new TextLineStream()).getReader();
    for (const word of ["OUTCOME", ":5 ", ":50000 ", ":700 ", ":8 "]) {
      assertStringIncludes((await lines.read()).value!, word);
    }
    child.kill("SIGINT");
    assert((await lines.read()).done);
    assertEquals((await child.status).code, 0);
    assertMatch(await errors, /^4 handshakes: /);
  } finally {
    await Deno.remove(path);
  }
});

const script = findExecutable("script");
const skipped = script === undefined ? ' — skipped: no "script" (package bsdutils)' : "";

Deno.test({
  name: `read --table is coloured on a terminal unless NO_COLOR is set${skipped}`,
  ignore: script === undefined,
  async fn() {
    const path = await Deno.makeTempFile({ prefix: "synsnoop-table-" });
    try {
      await Deno.writeFile(path, CAPTURE);
      const command = quoted(readCommand(["--table", path]));
      const cases: { env: Record<string, string>; colour: boolean }[] = [
        { env: {}, colour: true },
        { env: { NO_COLOR: "1" }, colour: false },
        { env: { TERM: "dumb" }, colour: false },
      ];
      for (const { env, colour } of cases) {
        // A terminal of its own for the command, with nothing typed there, and what it shows.
        const args = ["-qefc", command, "/dev/null"];
        const { status, text } = await run(script!, args, new Uint8Array(0), env);
        assertEquals(status, 0);
        assertStringIncludes(text, "198.51.100.2:443");
        assertEquals(text.includes("\x1b[32mestablished\x1b[39m"), colour);
        assertEquals(text.includes("\x1b[1mTIME"), colour);
      }
    } finally {
      await Deno.remove(path);
    }
  },
});
