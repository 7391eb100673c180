// `synsnoop metrics` as a process with the permissions of its task, asked as Prometheus and others do.
// Covers src/cli/metrics.ts
// Covers src/cli/metrics_outputs.ts
// Covers src/http/open_listener.ts
// Covers src/http/handed_listener.ts
import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { findExecutable } from "../../src/linux/host.ts";
import { Folder } from "../folder.ts";
import { skippableTest, until } from "../netns/namespace.ts";
import { ask, connectTo, MetricsRun, recordsOf, sumOf } from "./metrics_tool.ts";
import { taskCommand } from "./speaking_run.ts";

const ANY_PORT = "127.0.0.1:0";
const TOTAL = "synsnoop_handshakes_total";

/** Records in a file. */
function recordsIn(folder: { path: string }, text: string): string {
  const path = `${folder.path}/handshakes.ndjson`;
  Deno.writeTextFileSync(path, text);
  return path;
}

const SOME = recordsOf(
  [
    ...Array.from({ length: 40 }, () => ({ clientRttNs: 2e6, serverRttNs: 4e4, totalNs: 3e6 })),
    ...Array.from({ length: 20 }, () => ({ port: 81, outcome: "refused", reason: "ECONNREFUSED" })),
    { port: 82, outcome: "timeout", synCount: 4 },
  ] as Parameters<typeof recordsOf>[0],
);

Deno.test("metrics gives what is in records, and ends by a signal", async () => {
  using folder = new Folder();
  await using run = MetricsRun.start(["--listen", ANY_PORT, recordsIn(folder, SOME)]);
  const address = await run.address();
  await run.says(/all is read/);
  const { status, headers, body } = await ask(address);
  assertEquals(status, 200);
  assertMatch(headers, /^Content-Type: text\/plain; version=0\.0\.4; charset=utf-8\r$/m);
  assertEquals(sumOf(body, TOTAL), 61);
  assertEquals(sumOf(body, TOTAL, 'outcome="established"', 'server_port="443"'), 40);
  assertEquals(sumOf(body, TOTAL, 'outcome="refused"', 'reason="ECONNREFUSED"'), 20);
  assertEquals(sumOf(body, "synsnoop_retransmissions_total", 'packet="syn"'), 3);
  assertEquals(sumOf(body, "synsnoop_network_rtt_seconds_bucket", 'le="0.0025"'), 40);
  assertEquals(sumOf(body, "synsnoop_host_time_seconds_count", 'role="client"'), 40);
  assertEquals(sumOf(body, "synsnoop_lost_total", 'place="unread_lines"'), 0);
  // Nothing more comes.
  assertEquals(sumOf(body, "synsnoop_source_up", 'source="input"'), 0);
  assertEquals((await ask(address, "/healthz")).status, 503);
  assertEquals((await ask(address, "/")).status, 404);
  assertEquals((await ask(address, "/metrics", { host: "rebind.example" })).status, 421);
  assertEquals((await ask(address, "/healthz", { host: address })).status, 503);
  const openMetrics = await ask(address, "/metrics", {
    accept: "application/openmetrics-text; version=1.0.0",
  });
  assertMatch(
    openMetrics.headers,
    /^Content-Type: application\/openmetrics-text; version=1\.0\.0/m,
  );
  assertMatch(openMetrics.body, /# \{community_id="1:[^"]+"\} 0\.002 /);
  assert(openMetrics.body.endsWith("# EOF\n"));
  assertEquals(await run.stop(), 0);
  await run.says(/^61 handshakes: 40 established, 20 refused, 1 timeout$/);
});

Deno.test("metrics --follow counts what is written behind, and is well meanwhile", async () => {
  using folder = new Folder();
  const path = recordsIn(folder, recordsOf([{}]));
  await using run = MetricsRun.start(["--listen", ANY_PORT, "--follow", path]);
  const address = await run.address();
  Deno.writeTextFileSync(path, recordsOf([{}, {}, { outcome: "aborted" }]), { append: true });
  await until("four handshakes", async () => sumOf((await ask(address)).body, TOTAL) === 4);
  assertEquals(await ask(address, "/healthz").then(({ status, body }) => [status, body]), [
    200,
    "input up\n",
  ]);
  assertEquals(await run.stop("SIGINT"), 0);
});

/** Whether this host has ::1. */
function hasIpv6(): boolean {
  try {
    Deno.listen({ hostname: "::1", port: 0 }).close();
    return true;
  } catch {
    return false;
  }
}

skippableTest(
  "metrics listens at an IPv6 address",
  hasIpv6() ? undefined : "this host has no ::1",
  async () => {
    using folder = new Folder();
    await using run = MetricsRun.start(["--listen", "[::1]:0", recordsIn(folder, SOME)]);
    const address = await run.address();
    assertStringIncludes(address, "[::1]:");
    await run.says(/all is read/);
    assertEquals(sumOf((await ask(address)).body, TOTAL), 61);
  },
);

Deno.test("metrics filters, reads standard input and counts lines that are no records", async () => {
  await using run = MetricsRun.start(
    ["--listen", ANY_PORT, "--failed", "--metrics-servers", "1", "--buckets", "1ms", "-"],
    { stdin: "piped" },
  );
  const writer = run.child.stdin.getWriter();
  await writer.write(new TextEncoder().encode(`${SOME}no record\n`));
  await writer.close();
  await run.says(/Cannot read all of standard input: 1 of its lines/);
  await run.says(/all is read/);
  const { body } = await ask(await run.address());
  assertEquals(sumOf(body, TOTAL), 21);
  assertEquals(sumOf(body, "synsnoop_filtered_handshakes_total"), 40);
  assertEquals(sumOf(body, "synsnoop_lost_total", 'place="unread_lines"'), 1);
  assertEquals(sumOf(body, "synsnoop_server_labels_max"), 1);
  assertEquals(await run.stop(), 1);
});

Deno.test("metrics says why it cannot listen", async () => {
  using folder = new Folder();
  const path = recordsIn(folder, SOME);
  using taken = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const address = `127.0.0.1:${taken.addr.port}`;
  for (
    const [listen, sentence] of [
      [address, `Cannot listen at ${address}: the address is in use; give another --listen`],
      [
        "192.0.2.77:9464",
        "Cannot listen at 192.0.2.77:9464: this host does not have the address; give another " +
        "--listen",
      ],
    ]
  ) {
    await using run = MetricsRun.start(["--listen", listen, "--metrics-public", path]);
    assertEquals(await run.ended(), 1);
    assertEquals(run.said, [`synsnoop: ${sentence}`]);
  }
});

Deno.test("metrics refuses to have nothing to read, and nobody to give it to", async () => {
  for (
    const [args, sentence] of [
      [
        ["x"],
        "Cannot give metrics to nobody: give --listen ADDRESS, --metrics-file FILE or --otlp",
      ],
      [["--listen", ANY_PORT], "Cannot read nothing: give a FILE (NDJSON, pcap or pcapng)"],
      [["--listen", "0.0.0.0:1", "x"], 'Cannot use --listen "0.0.0.0:1": other hosts reach'],
    ] as const
  ) {
    await using run = MetricsRun.start(args);
    assertEquals(await run.ended(), 2);
    assertStringIncludes(run.said.join("\n"), sentence);
  }
});

Deno.test("metrics listens at a Unix socket, also where one was left behind", async () => {
  using folder = new Folder();
  const path = recordsIn(folder, SOME);
  const socket = `unix:${folder.path}/metrics.sock`;
  for (const signal of ["SIGKILL", "SIGTERM"] as const) {
    await using run = MetricsRun.start(["--listen", socket, path]);
    assertEquals(await run.address(), socket);
    await run.says(/all is read/);
    assertEquals(sumOf((await ask(socket)).body, TOTAL), 61);
    await using second = MetricsRun.start(["--listen", socket, path]);
    assertEquals(await second.ended(), 1);
    assertStringIncludes(second.said.join(), "the address is in use");
    await run.stop(signal);
    const isLeft = [...Deno.readDirSync(folder.path)].some(({ name }) => name === "metrics.sock");
    assertEquals(isLeft, signal === "SIGKILL");
  }
});

/** Does what systemd does: opens a socket, and becomes a program that has it as descriptor 3. */
const SYSTEMD = `
import os, socket, sys
listener = socket.socket()
listener.bind(("127.0.0.1", 0))
listener.listen(16)
print("port", listener.getsockname()[1], file=sys.stderr, flush=True)
os.dup2(listener.fileno(), 3)
os.set_inheritable(3, True)
os.environ.update(LISTEN_FDS="1", LISTEN_PID=str(os.getpid()))
os.execv(sys.argv[1], sys.argv[1:])
`;
const python = findExecutable("python3");

skippableTest(
  "metrics takes over the socket of systemd",
  python === undefined ? 'no "python3"' : undefined,
  async () => {
    using folder = new Folder();
    const args = ["--listen", "systemd", recordsIn(folder, SOME)];
    // Through FFI, which takes more than the task gives.
    const [deno, ...rest] = taskCommand("metrics", args).map((word) =>
      word.startsWith("--allow") ? "--allow-all" : word
    ).filter((word, at, all) => all.indexOf(word) === at);
    await using run = new MetricsRun([python!, "-c", SYSTEMD, deno, ...rest]);
    const [, port] = await run.says(/^port (\d+)$/);
    await run.says(/metrics are at the socket of systemd\/metrics/);
    await run.says(/all is read/);
    const address = `127.0.0.1:${port}`;
    assertEquals((await ask(address, "/metrics", { host: "rebind.example" })).status, 421);
    using silent = await connectTo(address);
    for (let nth = 0; nth < 3; nth++) {
      assertEquals(sumOf((await ask(address)).body, TOTAL), 61);
    }
    await silent.write(new TextEncoder().encode("GET /healthz HTTP/1.1\r\n\r\n"));
    assertMatch(await new Response(silent.readable).text(), /^HTTP\/1\.1 503 /);
    assertEquals(await run.stop(), 0);
  },
);

Deno.test("metrics says that systemd handed it nothing", async () => {
  using folder = new Folder();
  await using run = MetricsRun.start(["--listen", "systemd", recordsIn(folder, SOME)]);
  assertEquals(await run.ended(), 1);
  assertStringIncludes(run.said.join(), "Cannot listen at systemd: systemd handed no socket over");
});

Deno.test("metrics answers though two hundred ask without end or never read", async () => {
  using folder = new Folder();
  await using run = MetricsRun.start(["--listen", ANY_PORT, recordsIn(folder, SOME)]);
  const address = await run.address();
  await run.says(/all is read/);
  const before = sumOf((await ask(address)).body, "process_resident_memory_bytes");
  const stuck: Deno.Conn[] = [];
  for (let nth = 0; nth < 200; nth++) {
    const connection = await connectTo(address);
    stuck.push(connection);
    const text = nth % 2 === 0 ? "GET /met" : "GET /nothing HTTP/1.1\r\n\r\n";
    await connection.write(new TextEncoder().encode(text));
  }
  const { status, body } = await ask(address);
  assertEquals([status, sumOf(body, TOTAL)], [200, 61]);
  const grown = sumOf(body, "process_resident_memory_bytes") - before;
  assert(grown < 20e6, `${grown} bytes more`);
  for (const connection of stuck) connection.close();
});

Deno.test("metrics makes its text once a second, and sends away who asks too often", async () => {
  using folder = new Folder();
  await using run = MetricsRun.start(["--listen", ANY_PORT, recordsIn(folder, SOME)]);
  const address = await run.address();
  await run.says(/all is read/);
  const beginMs = performance.now();
  const answers: Awaited<ReturnType<typeof ask>>[] = [];
  // Four at a time, as fast as they are answered.
  await Promise.all(Array.from({ length: 4 }, async () => {
    while (answers.length < 400) answers.push(await ask(address));
  }));
  const seconds = (performance.now() - beginMs) / 1_000;
  const given = answers.filter(({ status }) => status === 200);
  assert(
    given.length >= 20 && given.length <= 20 * seconds + 21,
    `${given.length} in ${seconds} s`,
  );
  assert(new Set(given.map(({ body }) => body)).size <= seconds + 2);
  const refused = answers.find(({ status }) => status !== 200)!;
  assertEquals(refused.status, 503);
  assertMatch(refused.headers, /^Retry-After: 1\r?$/m);
});
