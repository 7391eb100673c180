// `explain` of a capture file as a user runs it: what it writes where, and how it ends.
// Covers src/cli/explain.ts
import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { EXPLAIN_FLAGS } from "../../src/cli/flags/explain_options.ts";
import { findExecutable } from "../../src/linux/host.ts";
import { skippableTest } from "../netns/namespace.ts";
import {
  buildConversation,
  CONVERSATIONS,
  WORKED_EXAMPLE,
} from "../unit/explain/build_conversation.ts";

const MAIN = new URL("../../src/main.ts", import.meta.url).pathname;
const GOLDEN = new URL("../golden/", import.meta.url).pathname;
const UTF8 = { LC_ALL: "C.UTF-8" };
const CAPTURE = buildConversation(WORKED_EXAMPLE);

interface Ended {
  status: number;
  stdout: string;
  said: string;
}

async function explain(
  args: readonly string[],
  input: Uint8Array = new Uint8Array(0),
  env: Record<string, string> = UTF8,
): Promise<Ended> {
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--quiet", MAIN, "explain", ...args],
    env,
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const writer = child.stdin.getWriter();
  // Whoever reads no standard input may be gone before it is written.
  const fed = writer.write(input).then(() => writer.close()).catch(() => {});
  const { code, stdout, stderr } = await child.output();
  await fed;
  const text = new TextDecoder("utf-8", { fatal: true });
  return { status: code, stdout: text.decode(stdout), said: text.decode(stderr) };
}

function golden(name: string): string {
  return Deno.readTextFileSync(GOLDEN + name);
}

const WRITTEN: { args: string[]; env?: Record<string, string>; file: string }[] = [
  { args: [], file: "explain.txt" },
  { args: ["--header"], file: "explain.header.txt" },
  { args: ["--ascii"], file: "explain.ascii.txt" },
  { args: [], env: { LC_ALL: "C" }, file: "explain.ascii.txt" },
  { args: ["--format", "markdown"], file: "explain.md" },
  { args: ["--format", "svg"], env: { LC_ALL: "C" }, file: "explain.svg" },
];

for (const { args, env, file } of WRITTEN) {
  const locale = env?.LC_ALL ?? "UTF-8";
  Deno.test(`explain ${args.join(" ")} writes ${file} into a pipe, locale ${locale}`, async () => {
    const ended = await explain(["-", ...args], CAPTURE, env);
    assertEquals(ended, { status: 0, stdout: golden(file), said: "" });
  });
}

Deno.test("explain takes a file, and of it the handshake that matches", async () => {
  const path = Deno.makeTempFileSync({ prefix: "synsnoop-explain-" });
  try {
    Deno.writeFileSync(path, buildConversation(CONVERSATIONS.refused));
    const { status, stdout } = await explain([path, "--outcome", "refused", "--port", "443"]);
    assertEquals([status, stdout], [0, golden("explain.refused.txt")]);
  } finally {
    Deno.removeSync(path);
  }
});

const MISSES: { args: string[]; input: Uint8Array; says: string }[] = [
  {
    args: ["--port", "9"],
    input: CAPTURE,
    says: "Cannot explain a handshake: 1 handshake came (1 established), it does not match; " +
      "3 packets were read",
  },
  {
    args: ["--index", "2"],
    input: CAPTURE,
    says: "1 handshake came (1 established), there is no number 2",
  },
  {
    args: ["--interface", "lo"],
    input: CAPTURE,
    says: "no handshake came; 3 packets were read",
  },
  {
    args: [],
    input: new Uint8Array(0),
    says: "Cannot read standard input: it is empty",
  },
];

for (const { args, input, says } of MISSES) {
  Deno.test(`explain ends with 1 and says: ${says}`, async () => {
    const { status, stdout, said } = await explain(["-", ...args], input);
    assertEquals([status, stdout], [1, ""]);
    assertStringIncludes(said, says);
  });
}

Deno.test("explain explains what comes before a fault of the file, and says so", async () => {
  const { status, stdout, said } = await explain(["-"], CAPTURE.subarray(0, -9));
  assertEquals(status, 1);
  assertMatch(stdout, /^TCP handshake: half_open\n/);
  assertMatch(said, /^synsnoop: Cannot read standard input from byte \d+ on: .+\n$/);
});

Deno.test("explain says what is wrong with a file that is not there", async () => {
  const { status, stdout, said } = await explain(["/nonexistent/x.pcap"]);
  assertEquals([status, stdout], [1, ""]);
  assertStringIncludes(said, 'Cannot read "/nonexistent/x.pcap"');
});

const NO_SCRIPT = findExecutable("script") ? undefined : 'no "script" (package bsdutils)';

for (
  const { noColor, isColored } of [{ noColor: "", isColored: true }, {
    noColor: "1",
    isColored: false,
  }]
) {
  skippableTest(
    `explain on a terminal, NO_COLOR "${noColor}": ${isColored ? "in colours" : "plain"}`,
    NO_SCRIPT,
    async () => {
      const path = Deno.makeTempFileSync({ prefix: "synsnoop-explain-" });
      try {
        Deno.writeFileSync(path, CAPTURE);
        const command = `"${Deno.execPath()}" run -A --quiet "${MAIN}" explain "${path}"`;
        const { code, stdout } = await new Deno.Command("script", {
          args: ["--quiet", "--return", "--command", command, "/dev/null"],
          env: { ...UTF8, TERM: "xterm", NO_COLOR: noColor },
          stdin: "null",
        }).output();
        const text = new TextDecoder().decode(stdout).replaceAll("\r\n", "\n");
        assertEquals(code, 0, text);
        assertEquals(text.includes("\x1b[1mTCP handshake: established\x1b[0m"), isColored);
        if (!isColored) assertStringIncludes(text, golden("explain.txt"));
      } finally {
        Deno.removeSync(path);
      }
    },
  );
}

Deno.test("explain refuses wrong usage with 2", async () => {
  const { status, stdout, said } = await explain(["a", "b"]);
  assertEquals([status, stdout], [2, ""]);
  assertMatch(said, /^synsnoop: Cannot explain "b" too: .+\n$/);
});

Deno.test("explain --help tells every flag and exit status", async () => {
  const { status, stdout, said } = await explain(["--help"]);
  assertEquals([status, said], [0, ""]);
  for (const { name } of EXPLAIN_FLAGS) assertMatch(stdout, new RegExp(`^  --${name}\\b`, "m"));
  for (const code of [0, 1, 2, 3, 130]) assertMatch(stdout, new RegExp(`^ *${code} {2}\\w`, "m"));
});
