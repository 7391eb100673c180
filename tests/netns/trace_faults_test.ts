// Covers src/cli/process/terminal.ts
import {
  assert,
  assertEquals,
  assertGreater,
  assertMatch,
  assertStringIncludes,
} from "@std/assert";
import type { HandshakeRecord } from "../../src/record/record.ts";
import { lineReader } from "../line_reader.ts";
import { compileC } from "./compile.ts";
import { Namespace, namespaceTest, until } from "./namespace.ts";
import { MAIN, Tracer } from "./tracer.ts";

const PORT = 4434;
/** The kernel tells of connections in every namespace of the machine: only these are the tests'. */
const OURS = ["--json", "--port", String(PORT)];
const folder = await Deno.makeTempDir({ prefix: "synsnoop-faults-" });
globalThis.addEventListener("unload", () => Deno.removeSync(folder, { recursive: true }));
const connectLoad = await compileC(new URL("connect_load.c", import.meta.url), folder);

async function connect(namespace: Namespace, count: number, ...rest: string[]): Promise<void> {
  await namespace.run(connectLoad, "127.0.0.1", String(PORT), String(count), ...rest);
}

async function isRunning(pid: number): Promise<boolean> {
  try {
    // A zombie has ended: it only waits for its parent to ask.
    return !/^State:\s+Z/m.test(await Deno.readTextFile(`/proc/${pid}/status`));
  } catch {
    return false;
  }
}

/** The process id of a tracer's bpftrace: its only child, once it has looked at the kernel. */
async function bpftraceOf(tracerPid: number): Promise<number> {
  const children = await Deno.readTextFile(`/proc/${tracerPid}/task/${tracerPid}/children`);
  const pid = Number(children.trim());
  assertEquals(await Deno.readTextFile(`/proc/${pid}/comm`), "bpftrace\n");
  assertStringIncludes(await Deno.readTextFile(`/proc/${pid}/cmdline`), "\0-e\0");
  return pid;
}

await namespaceTest("trace reports from packets what comes before bpftrace is ready", async () => {
  await using namespace = await Namespace.create();
  const tracer = await Tracer.start(namespace, OURS);
  await connect(namespace, 5);
  await tracer.said(/kernel events come from/);
  await connect(namespace, 5);
  await tracer.wrote(10);
  const { records } = await tracer.stop();
  assertEquals(records.length, 10);
  for (const record of records) {
    assert(record.evidence.includes("wire"));
    assertEquals(record.outcome, "established");
    assertEquals(record.role, "local");
  }
  for (const record of records.slice(5)) assertEquals(record.evidence, ["wire", "kernel"]);
});

await namespaceTest(
  "trace goes on with packets until a killed bpftrace has attached again",
  async () => {
    await using namespace = await Namespace.create();
    // Each bpftrace but the first attaches when it may.
    const may = `${folder}/may-attach`;
    const path = await fakeBpftrace(
      'case $1 in --version) exec /usr/bin/bpftrace "$@" ;; esac; ' +
        `if [ -e "$0.was" ]; then until [ -e "${may}" ]; do sleep 0.02; done; fi; ` +
        'touch "$0.was"; exec /usr/bin/bpftrace "$@"',
    );
    const tracer = await Tracer.start(namespace, OURS, { env: { PATH: path } });
    await tracer.said(/kernel events come from/);
    await connect(namespace, 5);
    Deno.kill(await bpftraceOf(tracer.pid), "SIGKILL");
    const said = await tracer.said(/bpftrace ended/);
    assertMatch(said, /by SIGKILL; going on with packets alone until it has attached again$/);
    await connect(namespace, 5);
    // Nobody sees it begin to listen.
    const server = namespace.spawn([connectLoad, "127.0.0.1", String(PORT), "5", "--serve"], {
      stdout: "piped",
    });
    await lineReader(server.stdout).read();
    await tracer.wrote(10);
    Deno.writeTextFileSync(may, "");
    await tracer.said(/kernel events come again, after /);
    await connect(namespace, 5, "--connect");
    await tracer.wrote(15);
    const { records, summary, stderr, status } = await tracer.stop();
    assertEquals(status.code, 0);
    assertEquals(records.length, 15);
    for (const { evidence } of records.slice(0, 5)) assertEquals(evidence, ["wire", "kernel"]);
    for (const { evidence } of records.slice(5, 10)) assertEquals(evidence, ["wire"]);
    for (const { evidence, server } of records.slice(10)) {
      assertEquals([evidence, server.process?.comm], [["wire", "kernel"], "connect_load"]);
    }
    const awayMs = summary!.losses.kernel_away_ms!;
    assertGreater(awayMs, 1_000);
    assert(
      stderr.includes(
        `lost: ${awayMs} ms without kernel events, while bpftrace was not attached`,
      ),
      stderr.join("\n"),
    );
    // The map outlived bpftrace, so its records are all counted; its programs' misses are not known.
    assertEquals(summary?.losses.kernel_map_records, 0);
    assertEquals("recursion_misses" in summary!.losses, false);
  },
);

await namespaceTest("trace reports soon what a bpftrace that was killed did not tell", async () => {
  await using namespace = await Namespace.create();
  const tracer = await Tracer.ready(namespace, OURS);
  const bpftrace = await bpftraceOf(tracer.pid);
  await connect(namespace, 5);
  await tracer.wrote(5);
  // It hears of the end only after the packets.
  tracer.signal("SIGSTOP");
  Deno.kill(bpftrace, "SIGKILL");
  await until("bpftrace has ended", async () => !(await isRunning(bpftrace)));
  await connect(namespace, 500);
  tracer.signal("SIGCONT");
  const endedMs = performance.now();
  await tracer.wrote(505);
  // What a half-open handshake is waited for takes half a minute.
  const elapsedMs = performance.now() - endedMs;
  assert(elapsedMs < 15_000, `${elapsedMs} ms`);
  const { records } = await tracer.stop();
  assertEquals(records.length, 505);
  // A reset may overtake the ACK.
  const others = records.filter(({ outcome }) => outcome !== "established");
  assertEquals(others.filter(({ outcome }) => outcome !== "aborted"), []);
});

await namespaceTest("trace quotes a bpftrace that cannot attach and goes on", async () => {
  await using namespace = await Namespace.create();
  const path = await fakeBpftrace("echo 'ERROR: tracepoint not found' >&2; exit 1");
  const tracer = await Tracer.start(namespace, OURS, { env: { PATH: path } });
  const said = await tracer.said(/going on with packets alone/);
  assertMatch(
    said,
    /could not attach the tracepoint alone, saying "ERROR: tracepoint not found"; /,
  );
  await tracer.said(/could not attach the tracepoint, .*; trying the tracepoint alone: no reasons/);
  await connect(namespace, 1);
  await tracer.wrote(1);
  const { records, status } = await tracer.stop();
  assertEquals(records.map(({ evidence }) => evidence), [["wire"]]);
  assertEquals(status.code, 0);
});

await namespaceTest("trace reads printed lines where the map is laid out otherwise", async () => {
  await using namespace = await Namespace.create();
  // The real bpftrace, with a program whose sentinel holds another byte.
  const path = await fakeBpftrace(
    'case $1 in --version) exec /usr/bin/bpftrace "$@" ;; esac; ' +
      'program=$(printf %s "$4" | sed s/0x0404040404040404/0x0404040404040405/); ' +
      'exec /usr/bin/bpftrace "$1" "$2" "$3" "$program" "$5" "$6"',
  );
  const tracer = await Tracer.start(namespace, [...OURS, "--probes", "tracepoint"], {
    env: { PATH: path },
  });
  await tracer.said(/sentinel is laid out in another way; starting over with printed lines/);
  await tracer.said(/kernel events come as printed lines/);
  await connect(namespace, 20, "od|d\n\x1b[1m");
  await tracer.wrote(20);
  const { records, summary } = await tracer.stop();
  assertEquals(records.length, 20);
  for (const record of records) {
    assertEquals(record.evidence, ["wire", "kernel"]);
    assertEquals(record.role, "local");
    assertEquals(record.outcome, "established");
    // A newline splits the line: what stood behind it in the name is gone, nothing else.
    assertEquals(record.client.process?.comm, "od|d");
  }
  assertEquals(summary?.losses.kernel_lines, 0);
});

for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
  await namespaceTest(`trace ends with a summary at ${signal}, and its bpftrace too`, async () => {
    await using namespace = await Namespace.create();
    const tracer = await Tracer.ready(namespace, OURS);
    const bpftrace = await bpftraceOf(tracer.pid);
    await connect(namespace, 3);
    const { records, summary, stderr, status } = await tracer.stop(signal);
    assertEquals(status.code, 0);
    assertEquals(records.length, 3);
    assertEquals(summary?.handshakes, 3);
    assertStringIncludes(stderr.join("\n"), "3 handshakes: 3 established");
    assertStringIncludes(stderr.join("\n"), "lost: nothing");
    assertEquals(await isRunning(bpftrace), false);
  });
}

await namespaceTest("trace leaves no bpftrace behind when it is killed itself", async () => {
  await using namespace = await Namespace.create();
  const tracer = await Tracer.ready(namespace, OURS);
  const bpftrace = await bpftraceOf(tracer.pid);
  await tracer.stop("SIGKILL");
  await until("bpftrace has ended", async () => !(await isRunning(bpftrace)));
});

await namespaceTest(
  "trace ends quietly when the reader of its output has seen enough",
  async () => {
    await using namespace = await Namespace.create();
    const command = `"${Deno.execPath()}" run --quiet -A "${MAIN}" trace ${
      OURS.join(" ")
    } | head -n 1`;
    const shell = namespace.spawn(["bash", "-o", "pipefail", "-c", command], {
      stdout: "piped",
      stderr: "piped",
    });
    const output = shell.output();
    let ended = false;
    output.then(() => ended = true);
    await until("the pipe has ended", async () => {
      if (!ended) await connect(namespace, 2);
      return ended;
    }, 60_000);
    const { code, stdout, stderr } = await output;
    const lines = new TextDecoder().decode(stdout).trimEnd().split("\n");
    assertEquals(lines.length, 1);
    assertEquals((JSON.parse(lines[0]) as HandshakeRecord).event, "handshake");
    assertEquals(code, 0);
    assertStringIncludes(new TextDecoder().decode(stderr), "handshakes:");
  },
);

await namespaceTest("trace writes whole records until the disk is full, and says so", async () => {
  await using namespace = await Namespace.create();
  const disk = `${folder}/disk`;
  await Deno.mkdir(disk);
  // The file system is the tracer's alone; /proc shows it to us.
  const child = namespace.spawn([
    ...["unshare", "--mount", "sh", "-c"],
    `mount -t tmpfs -o size=64k tmpfs ${disk} && exec "$@"`,
    ...["sh", Deno.execPath(), "run", "--quiet", "-A", MAIN, "trace", ...OURS],
    ...["--output", `${disk}/out.ndjson`],
  ], { stdout: "piped", stderr: "piped" });
  const output = child.output();
  const file = `/proc/${child.pid}/root${disk}/out.ndjson`;
  const size = async () => (await Deno.stat(file).catch(() => undefined))?.size ?? 0;
  await until("the disk is full", async () => {
    await connect(namespace, 20);
    return await size() > 50_000;
  }, 60_000);
  await connect(namespace, 100);
  // What is in the file is whole, full disk or not.
  const lines = (await Deno.readTextFile(file)).split("\n");
  assertEquals(lines.pop(), "");
  for (const line of lines) assertEquals(JSON.parse(line).event, "handshake");
  child.kill("SIGINT");
  const { code, stdout, stderr } = await output;
  const said = new TextDecoder().decode(stderr);
  assertMatch(said, /Cannot write ".*out.ndjson": .*No space left on device/);
  assertMatch(said, /lost: \d+ records that could not be written/);
  assertEquals(code, 1);
  assertEquals(stdout.length, 0);
});

await namespaceTest("trace escapes a hostile command name and loses none of it", async () => {
  await using namespace = await Namespace.create();
  const tracer = await Tracer.ready(namespace, OURS);
  // Newline, escape sequence, quote, backslash, a C1 control, a right-to-left override.
  await connect(namespace, 1, 'a\n\x1b[2J"\\\u009b\u202e');
  await tracer.wrote(1);
  const [line] = tracer.lines;
  const { records } = await tracer.stop();
  assertEquals(records[0].client.process?.comm, 'a\n\x1b[2J"\\\u009b\u202e');
  assertMatch(line, /^[\x20-\x7e]*$/);
});

await namespaceTest("trace ends after the count and after the duration it was given", async () => {
  await using namespace = await Namespace.create();
  const counted = await Tracer.ready(namespace, [...OURS, "--count", "3"]);
  await connect(namespace, 10);
  assertEquals((await counted.ended()).records.length, 3);
  const timed = await Tracer.ready(namespace, [...OURS, "--duration", "200ms"]);
  assertEquals((await timed.ended()).status.code, 0);
});

/** A folder with a program called bpftrace in it that runs a shell script. @returns A PATH with it. */
async function fakeBpftrace(script: string): Promise<string> {
  const bin = await Deno.makeTempDir({ dir: folder });
  await Deno.writeTextFile(`${bin}/bpftrace`, `#!/bin/sh\n${script}\n`, { mode: 0o755 });
  return `${bin}:${Deno.env.get("PATH")}`;
}
