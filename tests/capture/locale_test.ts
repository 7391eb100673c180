// In a locale that is not UTF-8 all that people read is ASCII; in one that is, nothing is lost.
// Covers src/cli/process/terminal.ts
import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { COMMANDS, loadCommand, toolHelp } from "../../src/cli/commands.ts";
import { formatHelp } from "../../src/cli/help.ts";
import { TcpFlag } from "../../src/wire/segment.ts";
import { buildPcap } from "../unit/pcap/build_capture.ts";
import { buildEthernet, buildIpv4, buildTcp } from "../unit/wire/build_frame.ts";
import { readCommand } from "./read_tool.ts";

const { SYN, ACK } = TcpFlag;
const OTHER_LOCALES: Record<string, string>[] = [
  { LC_ALL: "C", LANG: "de_DE.UTF-8" },
  { LC_ALL: "POSIX" },
  { LC_CTYPE: "en_US.ISO-8859-1", LANG: "de_DE.UTF-8" },
  { LC_ALL: "", LC_CTYPE: "", LANG: "" },
  {},
];
const UTF8_LOCALES: Record<string, string>[] = [
  { LC_ALL: "C.UTF-8", LANG: "C" },
  { LC_ALL: "", LC_CTYPE: "en_US.utf8" },
  { LANG: "de_DE.UTF-8" },
];

/** A handshake with an RTT of microseconds, in a file whose name is not ASCII. */
const CAPTURE = buildPcap({
  records: [SYN, SYN | ACK, ACK].map((flags, index) => {
    const [back, forth] = [index === 1, index !== 1];
    const [source, destination] = forth ? ["192.0.2.1", "192.0.2.2"] : ["192.0.2.2", "192.0.2.1"];
    const [sourcePort, destinationPort] = forth ? [5, 443] : [443, 5];
    const numbers = back
      ? { sequence: 70, acknowledgment: 8 }
      : { sequence: 7 + (flags === ACK ? 1 : 0), acknowledgment: flags === ACK ? 71 : 0 };
    const payload = buildTcp({ sourcePort, destinationPort, flags, ...numbers });
    return {
      seconds: 1_700_000_000,
      fraction: 41 * index,
      data: buildEthernet({ payload: buildIpv4({ source, destination, payload }) }),
    };
  }),
});

interface Written {
  code: number;
  stdout: string;
  stderr: string;
}

/** Runs the tool with the variables of a locale alone, through a program that may give it a terminal. */
async function run(
  locale: Record<string, string>,
  args: readonly string[],
  onTerminal = false,
): Promise<Written> {
  const [deno, ...tool] = readCommand([]).slice(0, -1);
  const command = [deno, ...tool, ...args];
  const wrapped = onTerminal
    ? ["script", "-qefc", command.map((word) => `'${word}'`).join(" "), "/dev/null"]
    : command;
  const kept = ["PATH", "HOME", "DENO_DIR"].flatMap((name) => {
    const value = Deno.env.get(name);
    return value === undefined ? [] : [[name, value]];
  });
  const { code, stdout, stderr } = await new Deno.Command(wrapped[0], {
    args: wrapped.slice(1),
    clearEnv: true,
    env: { ...Object.fromEntries(kept), DENO_NO_UPDATE_CHECK: "1", TERM: "dumb", ...locale },
    stdin: "null",
  }).output();
  const decode = (bytes: Uint8Array) => new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  return { code, stdout: decode(stdout), stderr: decode(stderr) };
}

function withCapture(body: (path: string) => Promise<void>) {
  return async () => {
    const folder = await Deno.makeTempDir({ prefix: "synsnoop-locale-" });
    try {
      await Deno.writeFile(`${folder}/ä.pcap`, CAPTURE);
      await body(`${folder}/ä.pcap`);
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  };
}

for (const locale of OTHER_LOCALES) {
  Deno.test(
    `the tool writes ASCII alone with ${JSON.stringify(locale)}`,
    withCapture(async (path) => {
      const runs = await Promise.all([
        run(locale, ["read", path], true),
        run(locale, ["read", "--table", path]),
        run(locale, ["read", "--stats", path]),
        run(locale, ["explain", path]),
        run(locale, ["explain", "--header", "--format", "markdown", path]),
        run(locale, ["read", `${path}.none`]),
        run(locale, ["reäd"]),
        run(locale, ["doctor"]),
      ]);
      for (const { stdout, stderr } of runs) {
        assertMatch(stdout, /^[\r\n -~]*$/);
        assertMatch(stderr, /^[\n -~]*$/);
      }
      const [line, table, stats, explained, markdown, absent, unknown] = runs;
      assertMatch(line.stdout, / established .* 41\.0 us .* yyy /);
      assertMatch(line.stdout, /client RTT: p50 41\.0 us/);
      for (const { stdout } of [table, stats]) assertMatch(stdout, /41\.0 us/);
      assertMatch(table.stderr, /client RTT: p50 41\.0 us/);
      assertMatch(explained.stdout, / ok {2}the SYN-ACK's Ack is the SYN's Seq \+ 1/);
      assertMatch(markdown.stdout, /\| ok \|/);
      assertStringIncludes(absent.stderr, "\\u{e4}.pcap.none");
      assertStringIncludes(unknown.stderr, 'Unknown command "re\\u{e4}d": did you mean read?');
      assertEquals(runs.slice(0, 7).map(({ code }) => code), [0, 0, 0, 0, 0, 1, 2]);
    }),
  );
}

for (const locale of UTF8_LOCALES) {
  Deno.test(
    `the tool writes UTF-8 with ${JSON.stringify(locale)}`,
    withCapture(async (path) => {
      const [line, explained, absent] = await Promise.all([
        run(locale, ["read", path], true),
        run(locale, ["explain", path]),
        run(locale, ["read", `${path}.none`]),
      ]);
      assertMatch(line.stdout, / established .* 41\.0 µs .* ✓✓✓ /);
      assertMatch(line.stdout, /client RTT: p50 41\.0 µs/);
      assert(explained.stdout.includes("►"));
      assertStringIncludes(absent.stderr, "ä.pcap.none");
    }),
  );
}

Deno.test("every --help is ASCII, in any locale", async () => {
  const helps = await Promise.all(
    COMMANDS.map(async ([name]) => formatHelp((await loadCommand(name)).help)),
  );
  for (const text of [toolHelp(), ...helps]) assertMatch(text, /^[\x20-\x7e\n]+$/);
});
