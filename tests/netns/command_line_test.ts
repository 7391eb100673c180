// The tool as a user runs it: what it says, where, and the status it ends with.
import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { TRACE_FLAGS } from "../../src/cli/flags/trace_options.ts";
import { findExecutable } from "../../src/linux/host.ts";
import { type Finding, judgeFacts } from "../../src/kernel/kernel_facts.ts";
import { jsonSchema, markdownTable } from "../../src/record/schema.ts";
import { Namespace, namespaceTest, skippableTest } from "./namespace.ts";
import { MAIN, Tracer } from "./tracer.ts";

const TOOL = [Deno.execPath(), "run", "--quiet", "-A", MAIN];

interface Ended {
  code: number;
  stdout: string;
  stderr: string;
}

async function run(command: readonly string[]): Promise<Ended> {
  const { code, stdout, stderr } = await new Deno.Command(command[0], {
    args: command.slice(1),
    stdin: "null",
  }).output();
  const text = new TextDecoder("utf-8", { fatal: true });
  return { code, stdout: text.decode(stdout), stderr: text.decode(stderr) };
}

async function synsnoop(...args: string[]): Promise<Ended> {
  return await run([...TOOL, ...args]);
}

function assertOneLine(text: string): void {
  assertMatch(text, /^synsnoop: [^\n]+\n$/);
}

const BAD: { args: string[]; says: string[] }[] = [
  { args: ["nope"], says: ['"nope"', "give trace, read, ", "schema", " or help"] },
  { args: ["trcae"], says: ['"trcae"', "did you mean trace?"] },
  { args: ["--json"], says: ['"--json"', "a command stands before flags"] },
  { args: ["a\n\x1b[2J"], says: ['"a\\u{a}\\u{1b}[2J"'] },
  { args: ["trace", "--nope"], says: ['"--nope"', "--help lists"] },
  { args: ["trace", "--port", "70000"], says: ['--port "70000"', "from 1 to 65535"] },
  { args: ["trace", "--duration", "abc"], says: ['--duration "abc"', "such as 10s"] },
  { args: ["trace", "--count", "0"], says: ['--count "0"', "give a whole number of at least 1"] },
  { args: ["trace", "--interface", "nope0"], says: ['--interface "nope0"', "there are", "lo"] },
  {
    args: ["trace", "--output", "/nonexistent/x"],
    says: ['--output "/nonexistent/x"', "its folder is not there", "give another file"],
  },
  {
    args: ["trace", "--output", "/"],
    says: ['--output "/"', "it is a folder", "give another file"],
  },
  {
    args: ["trace", "--output", "/dev/null", "--rotate-size", "1M"],
    says: ['--output "/dev/null"', "only a regular file can be rotated"],
  },
  { args: ["trace", "--rotate-size", "1M"], says: ["--rotate-size", "give --output FILE too"] },
  { args: ["trace", "eth0"], says: ['"eth0"', "did you mean --interface eth0?"] },
  { args: ["trace", "--outcome", "nope"], says: ['--outcome "nope"', "established", "refused"] },
  { args: ["trace", "--host", "1.2.3"], says: ['--host "1.2.3"', "such as 192.0.2.0/24"] },
  { args: ["trace", "--outcome", "refuse"], says: ['--outcome "refuse"', "did you mean refused?"] },
  { args: ["doctor", "--jsn"], says: ['"--jsn"', "did you mean --json?"] },
  { args: ["read", "--prot=80", "x"], says: ['"--prot=80"', "did you mean --port?"] },
  { args: ["schema", "--format", "xml"], says: ['--format "xml"', "json, markdown"] },
];

for (const { args, says } of BAD) {
  Deno.test(`synsnoop refuses ${JSON.stringify(args.join(" "))} in one line`, async () => {
    const { code, stdout, stderr } = await synsnoop(...args);
    assertEquals([code, stdout], [2, ""], stderr);
    assertOneLine(stderr);
    for (const words of says) assertStringIncludes(stderr, words);
  });
}

Deno.test("synsnoop without a command shows its help as an error", async () => {
  const { code, stdout, stderr } = await synsnoop();
  assertEquals([code, stdout], [2, ""]);
  for (const command of ["trace", "doctor", "schema"]) {
    assertStringIncludes(stderr, `synsnoop ${command} `);
  }
});

Deno.test("synsnoop help is the same in each form, on standard output", async () => {
  const { stderr: help } = await synsnoop();
  for (const form of ["help", "--help", "-h"]) {
    assertEquals(await synsnoop(form), { code: 0, stdout: help, stderr: "" });
  }
});

// Covers src/cli/version.ts
Deno.test("synsnoop --version tells the version, for every command", async () => {
  const { version } = JSON.parse(
    await Deno.readTextFile(new URL("../../deno.json", import.meta.url)),
  );
  for (const command of [[], ["trace"], ["read"], ["explain", "--port", "80"], ["doctor"]]) {
    const expected = { code: 0, stdout: `synsnoop ${version}\n`, stderr: "" };
    assertEquals(await synsnoop(...command, "--version"), expected);
  }
});

Deno.test("synsnoop trace --help tells every flag and exit status", async () => {
  const { code, stdout, stderr } = await synsnoop("trace", "--help");
  assertEquals([code, stderr], [0, ""]);
  for (const { name } of TRACE_FLAGS) assertMatch(stdout, new RegExp(`^  --${name}\\b`, "m"));
  for (const status of [0, 1, 2, 3, 130]) {
    assertMatch(stdout, new RegExp(`^ *${status} {2}\\w`, "m"));
  }
  assert(stdout.endsWith("\n"));
});

Deno.test("synsnoop COMMAND --help fits 80 columns and has two examples at least", async () => {
  for (const command of ["trace", "read", "explain", "doctor", "schema"]) {
    const { code, stdout } = await synsnoop(command, "--help");
    assertEquals(code, 0);
    for (const line of stdout.split("\n")) assert(line.length <= 80, line);
    const examples = stdout.slice(stdout.indexOf("\nExamples\n"), stdout.indexOf("\nExit status"));
    assert(examples.split(`synsnoop ${command}`).length > 2, `${command}: ${examples}`);
  }
});

Deno.test("synsnoop schema prints what a record holds, in either format", async () => {
  const json = await synsnoop("schema");
  assertEquals([json.code, json.stderr], [0, ""]);
  assertEquals(JSON.parse(json.stdout), jsonSchema());
  const markdown = await synsnoop("schema", "--format", "markdown");
  assertEquals(markdown, { code: 0, stdout: markdownTable(), stderr: "" });
  const help = await synsnoop("schema", "--help");
  assertEquals([help.code, help.stderr], [0, ""]);
  assertStringIncludes(help.stdout, "--format");
});

Deno.test("synsnoop doctor tells the same as lines and as JSON", async () => {
  const json = await synsnoop("doctor", "--json");
  assertEquals(json.stderr, "");
  const { v, event, facts, findings, plan, result } = JSON.parse(json.stdout);
  assertEquals([v, event], [1, "doctor"]);
  // JSON knows no undefined: what is unknown is left out.
  assertEquals(JSON.parse(JSON.stringify(judgeFacts(facts))), findings);
  const healthy = findings.every(({ verdict }: Finding) => ["ok", "older"].includes(verdict));
  const captures = "filter" in facts.capture;
  const outlook = captures ? healthy ? "works" : "works_with_less" : "does_not_work";
  const statuses = { works: 0, works_with_less: 4, does_not_work: 1 };
  assertEquals([result, json.code], [outlook, statuses[outlook]]);

  const text = await synsnoop("doctor");
  assertEquals([text.code, text.stderr], [json.code, ""]);
  assertStringIncludes(text.stdout, `Linux ${facts.release}`);
  for (const { verdict, subject } of findings) {
    assertMatch(text.stdout, new RegExp(`^${verdict} +${subject} +\\S`, "m"));
  }
  assertMatch(text.stdout, new RegExp(`\nResult: a trace ${outlook.replaceAll("_", " ")}[,:] `));
  assert(text.stdout.endsWith(`\nPlan: ${plan}\n`));

  const help = await synsnoop("doctor", "--help");
  assertEquals([help.code, help.stderr], [0, ""]);
  assertStringIncludes(help.stdout, "--json");
});

const NO_SETPRIV = findExecutable("setpriv") ? undefined : 'no "setpriv" (package util-linux)';
const WITHOUT_RAW_SOCKETS = [
  "setpriv",
  "--bounding-set=-net_raw,-net_admin",
  "--inh-caps=-net_raw,-net_admin",
];

skippableTest(
  "synsnoop trace says in its last line that it may not capture",
  NO_SETPRIV,
  async () => {
    const { code, stdout, stderr } = await run([...WITHOUT_RAW_SOCKETS, ...TOOL, "trace"]);
    assertEquals([code, stdout], [3, ""], stderr);
    const lines = stderr.trimEnd().split("\n");
    assertMatch(lines.pop()!, /^synsnoop: Cannot .*EPERM.*run as root/);
    // What it set out to do, and nothing else.
    assert(lines.length <= 1, stderr);
  },
);

skippableTest("synsnoop doctor says that a trace cannot start", NO_SETPRIV, async () => {
  const { code, stdout, stderr } = await run([...WITHOUT_RAW_SOCKETS, ...TOOL, "doctor"]);
  assertEquals([code, stderr], [1, ""]);
  assertMatch(stdout, /^missing +packets +.*EPERM/m);
  assertMatch(stdout, /^Result: a trace does not work: /m);
  assertMatch(stdout, /^Plan: a trace cannot start/m);
});

skippableTest("synsnoop doctor says that a trace works with less", NO_SETPRIV, async () => {
  // Without the right to load programs packets still come, through the classic filter.
  const without = "-bpf,-sys_admin,-perfmon";
  const { code, stdout, stderr } = await run([
    ...["setpriv", `--bounding-set=${without}`, `--inh-caps=${without}`],
    ...[...TOOL, "doctor"],
  ]);
  assertEquals([code, stderr], [4, ""]);
  assertMatch(stdout, /^worse +packets +classic filter/m);
  assertMatch(stdout, /^Result: a trace works with less: /m);
});

/** Connects to a listener of its own inside a namespace. */
const CONNECT = `
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 4435 });
  const [client, server] = await Promise.all([
    Deno.connect({ hostname: "127.0.0.1", port: 4435 }),
    listener.accept(),
  ]);
  client.close();
  server.close();
  listener.close();
`;
/** Packets alone: bpftrace tells of every namespace of the machine, and takes a second. */
const ONE = ["--probes", "none", "--count", "1"];

await namespaceTest("synsnoop trace takes an interface named twice as one", async () => {
  await using namespace = await Namespace.create();
  const tracer = await Tracer.start(namespace, [...ONE, "--interface", "lo,lo"]);
  await namespace.script(CONNECT);
  const { records } = await tracer.ended();
  assertEquals(records.map(({ packets }) => packets), [{ syn: 1, syn_ack: 1, rst: 0 }]);
});

await namespaceTest("synsnoop trace --output - writes to standard output", async () => {
  await using namespace = await Namespace.create();
  const tracer = await Tracer.start(namespace, [...ONE, "--output", "-"]);
  await namespace.script(CONNECT);
  const { records, summary, status } = await tracer.ended();
  assertEquals([records.length, summary?.handshakes, status.code], [1, 1, 0]);
});

await namespaceTest("synsnoop trace --stats writes statistics when it ends", async () => {
  await using namespace = await Namespace.create();
  const tracer = await Tracer.start(namespace, [...ONE, "--stats", "--json"]);
  await namespace.script(CONNECT);
  const { status } = await tracer.ended();
  const [statistics, ...rest] = tracer.lines.map((line) => JSON.parse(line));
  assertEquals([rest, status.code], [[], 0]);
  const { event, handshakes, servers, losses } = statistics;
  assertEquals([event, handshakes, servers.top.length], ["statistics", 1, 1]);
  assertEquals([servers.top[0].handshakes, losses.ring_packets], [1, 0]);
});

await namespaceTest("synsnoop trace fails where standard output cannot be written", async () => {
  await using namespace = await Namespace.create();
  const shell = ["sh", "-c", '"$@" >/dev/full', "sh", ...TOOL, "trace", "--probes", "none"];
  const child = namespace.spawn(shell, { stdout: "null", stderr: "piped" });
  const lines = child.stderr.pipeThrough(new TextDecoderStream());
  let said = "";
  for await (const text of lines) {
    said += text;
    if (/capturing packets.*\n$/.test(said)) await namespace.script(CONNECT);
  }
  assertEquals((await child.status).code, 1, said);
  assertMatch(said, /^synsnoop: Cannot write to standard output: No space left on device.*$/m);
  assertMatch(said, /^.*lost: 1 record that could not be written$/m);
});
