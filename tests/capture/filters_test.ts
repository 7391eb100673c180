// The flags that filter, in read and explain: of a capture and of the records made of it alike.
import { assertEquals, assertStringIncludes } from "@std/assert";
import { encodeHandshake } from "../../src/record/ndjson.ts";
import { CAPTURE } from "../golden/sample_capture.ts";
import { CONTEXT, HANDSHAKES } from "../unit/record/sample_handshakes.ts";
import { readCommand } from "./read_tool.ts";

type Command = "read" | "explain";

async function run(
  command: Command,
  args: readonly string[],
  input: string | Uint8Array,
  denied: readonly string[] = [],
) {
  const [program, subcommand, ...more] = readCommand([...args, "-"]);
  const rest = [subcommand, ...denied, ...more];
  const child = new Deno.Command(program, {
    args: rest.map((word) => word === "read" ? command : word),
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
    env: { LC_ALL: "C.UTF-8", NO_COLOR: "1" },
  }).spawn();
  const writer = child.stdin.getWriter();
  const bytes = typeof input === "string" ? new TextEncoder().encode(input) : input;
  // A command line that is refused leaves its input unread.
  await writer.write(bytes).then(() => writer.close()).catch(() => {});
  const { code, stdout, stderr } = await child.output();
  const [out, said] = [stdout, stderr].map((bytes) => new TextDecoder().decode(bytes));
  return { status: code, out, said };
}

async function recordsOf(args: readonly string[], input: string | Uint8Array): Promise<string[]> {
  const { status, out, said } = await run("read", args, input);
  assertEquals(status, 0, said);
  return out.split("\n").filter((line) => line.includes('"event":"handshake"'));
}

interface Seen {
  outcome: string;
  client: { address: string; port: number };
  server: { address: string; port: number };
  rtt: { client_ns: number | null; server_ns: number | null; total_ns: number | null };
}

/** Both legs together: whoever captured it is at neither end. */
function networkNs({ rtt: { client_ns: client, server_ns: server } }: Seen): number {
  return client === null || server === null ? 0 : client + server;
}

const QUESTIONS: { args: string; has: (record: Seen) => boolean }[] = [
  { args: "--failed", has: ({ outcome }) => outcome !== "established" },
  { args: "--not-outcome established,refused", has: ({ outcome }) => !/^[er]/.test(outcome) },
  { args: "--port 20-25", has: ({ server }) => server.port === 22 || server.port === 23 },
  { args: "--server-port 1-100", has: ({ server }) => server.port < 101 },
  { args: "--not-port 443", has: ({ server }) => server.port !== 443 },
  { args: "--not-host 203.0.113.0/24", has: ({ server }) => !server.address.startsWith("203.") },
  { args: "--slower-than 1ms", has: (record) => networkNs(record) > 1e6 },
  { args: "--slower-than 200us --leg client", has: ({ rtt }) => (rtt.client_ns ?? 0) > 200_000 },
  { args: "--slower-than 60us --leg server", has: ({ rtt }) => (rtt.server_ns ?? 0) > 60_000 },
  { args: "--slower-than 1s --leg total", has: ({ rtt }) => (rtt.total_ns ?? 0) > 1e9 },
  // Of packets nobody knows the process: it is called nothing, and so not curl.
  { args: "--not-comm curl", has: () => true },
  { args: "--user 0", has: () => false },
  { args: "--cgroup /", has: () => false },
  { args: "--container web", has: () => false },
  { args: "--not-container web", has: () => true },
  { args: "--reason ECONNREFUSED", has: () => false },
  {
    args: "--failed --server-port 1-443 --not-port 80,9 --not-host 10.0.0.0/8",
    has: ({ outcome, server }) => outcome !== "established" && [22, 23].includes(server.port),
  },
];

Deno.test("read answers the same of a capture and of its records", async () => {
  const all = await recordsOf([], CAPTURE);
  const records = all.map((line) => line + "\n").join("");
  for (const { args, has } of QUESTIONS) {
    const wanted = all.filter((line) => has(JSON.parse(line)));
    const flags = args.split(" ");
    assertEquals(await recordsOf(flags, CAPTURE), wanted, `${args} of the capture`);
    assertEquals(await recordsOf(flags, records), wanted, `${args} of the records`);
  }
});

Deno.test("read answers of records who it was and why", async () => {
  const all = HANDSHAKES.map((handshake) => encodeHandshake(handshake, CONTEXT).trimEnd());
  const cases: { args: string; has: RegExp }[] = [
    { args: "--user 1000", has: /"uid":1000,/ },
    { args: "--user root", has: /"uid":0,/ },
    { args: "--user nobody-yet,1000", has: /"uid":1000,/ },
    { args: "--cgroup /user.slice", has: /"cgroup_path":"\/user\.slice\// },
    { args: "--container shop", has: /"name":"shop"/ },
    { args: "--container 3f9a3f", has: /"name":"shop"/ },
    { args: "--not-container shop", has: /^(?!.*"name":"shop")/ },
    { args: "--reason econnrefused", has: /"reason":"ECONNREFUSED"/ },
    { args: "--reason ENETUNREACH,ECONNREFUSED", has: /"reason":"(?:ENETUNREACH|ECONNREFUSED)"/ },
    { args: "--not-comm curl", has: /^(?!.*"comm":"curl")/ },
  ];
  for (const { args, has } of cases) {
    const wanted = all.filter((line) => has.test(line));
    assertEquals(wanted.length > 0, true, args);
    assertEquals(await recordsOf(args.split(" "), all.join("\n") + "\n"), wanted, args);
  }
});

Deno.test("read says that no user has a name, and goes on", async () => {
  const { status, said } = await run("read", ["--user", "nobody-yet"], CAPTURE);
  assertEquals(status, 0);
  assertStringIncludes(said, 'no user in /etc/passwd is called "nobody-yet"');
});

Deno.test("read says that it cannot tell who has a name, and takes ids", async () => {
  const denied = ["--deny-read=/etc/passwd"];
  const { status, said } = await run("read", ["--user", "root,0"], CAPTURE, denied);
  assertEquals(status, 0);
  assertStringIncludes(said, "Cannot read /etc/passwd: ");
});

for (
  const [command, args, status] of [
    ["read", "--failed --exit-status", 0],
    ["read", "--port 1 --exit-status", 4],
    ["read", "--port 1", 0],
    ["explain", "--failed --exit-status", 0],
    ["explain", "--port 1 --exit-status", 4],
    ["explain", "--port 1", 1],
    ["read", "--failed --outcome established --exit-status", 2],
    ["explain", "--port 80 --not-port 80", 2],
  ] as const
) {
  Deno.test(`${command} ${args} ends with ${status}`, async () => {
    const { status: ended, said } = await run(command, args.split(" "), CAPTURE);
    assertEquals(ended, status, said);
  });
}

Deno.test("read that could not read all has not answered, whatever matched", async () => {
  const torn = CAPTURE.subarray(0, CAPTURE.length - 1);
  const { status } = await run("read", ["--port", "1", "--exit-status"], torn);
  assertEquals(status, 1);
});

Deno.test("explain picks by the same flags", async () => {
  const { out } = await run("explain", ["--failed", "--not-port", "80"], CAPTURE);
  assertStringIncludes(out, "203.0.113.80:23");
});
