// Every bpftrace that the scripts are for, on the running kernel: the installed one, and those of Debian
// 13 and of what becomes the next Debian, which are fetched. What they give must be the same.
import { assert, assertEquals, assertGreater, assertGreaterOrEqual } from "@std/assert";
import { findExecutable } from "../../src/linux/host.ts";
import { inspectProbes } from "../../src/linux/probes/inspect_kernel.ts";
import { readProbePrograms } from "../../src/linux/probes/probe_programs.ts";
import { chooseProbes, MECHANISMS } from "../../src/kernel/choose_probes.ts";
import type { HandshakeRecord } from "../../src/record/record.ts";
import { messageOf } from "../../src/text/message.ts";
import { debianBpftrace } from "../vm/debian_bpftrace.ts";
import { debianRelease } from "../vm/debian_archive.ts";
import { compileC } from "./compile.ts";
import { Namespace, reasonAgainstNamespaces, skippableTest, until } from "./namespace.ts";
import { Tracer } from "./tracer.ts";

const [PORT, CLOSED_PORT] = [4446, 4447];
const OURS = ["--json", "--probes", "tracepoint", "--port", `${PORT},${CLOSED_PORT}`];
/** Connections with IPv4, with IPv6, and to a port where nobody listens. */
const [OVER_IPV4, OVER_IPV6, REFUSED] = [20, 10, 5];
const ALL = OVER_IPV4 + OVER_IPV6 + REFUSED;

const folder = await Deno.makeTempDir({ prefix: "synsnoop-versions-" });
globalThis.addEventListener("unload", () => Deno.removeSync(folder, { recursive: true }));
const connectLoad = await compileC(new URL("connect_load.c", import.meta.url), folder);

/** A bpftrace, or why there is none. */
interface Candidate {
  readonly name: string;
  readonly command: readonly string[];
  readonly missing: string | undefined;
}

const candidates = [installed(), await fetched("trixie"), await fetched("sid")];

function installed(): Candidate {
  const path = findExecutable("bpftrace");
  const missing = path === undefined ? "bpftrace is not installed" : undefined;
  return { name: "the installed bpftrace", command: [path ?? ""], missing };
}

async function fetched(suite: string): Promise<Candidate> {
  const name = `bpftrace of Debian ${suite}`;
  if (Deno.build.arch !== "x86_64" || await debianRelease() === undefined) {
    return { name, command: [], missing: "what is fetched is for Debian on x86_64" };
  }
  try {
    return { name, command: (await debianBpftrace(suite)).command, missing: undefined };
  } catch (error) {
    const [missing] = messageOf(error).split("\n");
    return { name, command: [], missing };
  }
}

/** Runs shell commands before a bpftrace, whose arguments they may change. */
async function environment({ command }: Candidate, script = ""): Promise<Deno.CommandOptions> {
  const bin = await Deno.makeTempDir({ dir: folder });
  const text = `#!/bin/sh\ncase $1 in --version) ;; *)\n${script}\n;; esac\n` +
    `exec ${command.join(" ")} "$@"\n`;
  await Deno.writeTextFile(`${bin}/bpftrace`, text, { mode: 0o755 });
  return { env: { PATH: `${bin}:${Deno.env.get("PATH")}` } };
}

/** Has a reader find the sentinel in another layout, and so read lines. */
const OTHER_SENTINEL =
  'program=$(printf %s "$4" | sed s/0x0404040404040404/0x0404040404040405/); ' +
  'set -- "$1" "$2" "$3" "$program" "$5" "$6"';

/**
 * Has each socket that a listener makes be found under the address of one that connected before, and
 * of whose end a skipped probe did not hear: what it left is still there.
 */
const LEFT_OVER = `program="$4
tracepoint:sock:inet_sock_set_state /args->oldstate == 10 && args->newstate == 3/ {
  @connecting[(uint64)args->skaddr] = ((uint64)nsecs, (uint64)nsecs, comm);
}"; set -- "$1" "$2" "$3" "$program" "$5" "$6"`;

/** What `deno task script` does. */
async function printScript(...args: string[]): Promise<{ stdout: string; code: number }> {
  const script = new URL("../../bpf/print_script.ts", import.meta.url).pathname;
  const { stdout, code } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "--quiet", "-A", script, ...args],
    stdin: "null",
    stderr: "null",
  }).output();
  return { stdout: new TextDecoder().decode(stdout), code };
}

Deno.test("the task script prints what a trace runs, of each kind", async () => {
  const { facts } = await inspectProbes();
  for (const kind of MECHANISMS) {
    const { stdout, code } = await printScript(kind);
    const [{ text }] = await readProbePrograms([kind], chooseProbes(facts, kind).fragments);
    assertEquals([stdout.slice(stdout.indexOf("\n") + 1), code], [text, 0]);
    assert(stdout.startsWith(`/* The ${kind} script, from bpf/handshake.bt`));
  }
  for (const args of [[], ["none"], ["fentry", "kprobe"]]) {
    assertEquals(await printScript(...args), { stdout: "", code: 2 });
  }
});

async function connect(namespace: Namespace): Promise<void> {
  await namespace.run(connectLoad, "127.0.0.1", String(PORT), String(OVER_IPV4));
  await namespace.run(connectLoad, "::1", String(PORT), String(OVER_IPV6));
  await namespace.script(`
    for (let each = 0; each < ${REFUSED}; each++) {
      await Deno.connect({ hostname: "127.0.0.1", port: ${CLOSED_PORT} }).catch(() => {});
    }
  `);
}

/** A record without what another tracer measures by itself: of times only which there are. */
function comparable(record: HandshakeRecord) {
  const { rtt, times } = record;
  const { ambiguous } = rtt;
  const names = [Object.keys(rtt), Object.keys(times ?? {})].map((keys) => keys.toSorted());
  return { ...record, time: "", tracer: "", rtt: { ambiguous }, times: names };
}

async function versionTest(
  { name, missing }: Candidate,
  does: string,
  body: () => Promise<void>,
): Promise<void> {
  skippableTest(`${name} ${does}`, missing ?? await reasonAgainstNamespaces(), body);
}

for (
  const { form, script, ready } of [
    { form: "from its map", script: "", ready: /kernel events come from/ },
    { form: "as lines", script: OTHER_SENTINEL, ready: /kernel events come as printed lines/ },
  ]
) {
  for (const candidate of candidates.slice(1)) {
    await versionTest(candidate, `gives the installed one's records ${form}`, async () => {
      await using namespace = await Namespace.create();
      const tracers: Tracer[] = [];
      for (const each of [candidates[0], candidate]) {
        tracers.push(await Tracer.start(namespace, OURS, await environment(each, script)));
      }
      for (const tracer of tracers) await tracer.said(ready);
      await connect(namespace);
      const found = [];
      for (const tracer of tracers) {
        await tracer.wrote(ALL);
        const { records, summary, stderr } = await tracer.stop();
        assert(!stderr.some((line) => /bpftrace says|bpftrace's maps have/.test(line)));
        const told = `${JSON.stringify(summary!.losses)}\n${stderr.join("\n")}`;
        assertEquals(summary!.by_evidence, { both: ALL, wire_only: 0, kernel_only: 0 }, told);
        for (const place of ["recursion_misses", "kernel_map_records", "kernel_lines"]) {
          assertEquals(summary!.losses[place] ?? 0, 0, place);
        }
        records.sort((a, b) => a.client.port - b.client.port);
        found.push(records.map(comparable));
      }
      assertEquals(found[1], found[0]);
    });
  }
}

/** Waits until a process has one child alone, and returns its pid. */
async function onlyChild(pid: number): Promise<number> {
  let children: string[] = [];
  await until("one bpftrace runs", () => {
    const text = Deno.readTextFileSync(`/proc/${pid}/task/${pid}/children`);
    children = text.trim().split(/\s+/);
    return children.length === 1 && children[0] !== "";
  });
  return Number(children[0]);
}

for (const candidate of candidates) {
  await versionTest(candidate, "prints readable lines when the script runs alone", async () => {
    await using namespace = await Namespace.create();
    const { stdout: text, code } = await printScript("tracepoint");
    assertEquals(code, 0);
    const { env } = await environment(candidate);
    // Its own tracefs, where the machine has none mounted.
    const mount = 'mount -t tracefs tracefs /sys/kernel/tracing; exec "$@"';
    const bpftrace = namespace.spawn(
      ["unshare", "-m", "sh", "-c", mount, "sh", "bpftrace", "-B", "line", "--no-warnings", "-e"]
        .concat(text),
      { env, stdout: "piped", stderr: "null" },
    );
    let said = "";
    const reading = (async () => {
      const decoder = new TextDecoder();
      for await (const bytes of bpftrace.stdout) said += decoder.decode(bytes, { stream: true });
    })();
    await until("it has attached", () => said.includes("TIME "));
    await connect(namespace);
    const count = (pattern: RegExp) => said.match(pattern)?.length ?? 0;
    const ipv4 = "\\[::ffff:127\\.0\\.0\\.1\\]";
    const expected: [RegExp, number][] = [
      [new RegExp(`client  ESTABLISHED ${ipv4}:\\d+ ${ipv4}:${PORT} [1-9]`, "g"), OVER_IPV4],
      [new RegExp(`server  ESTABLISHED ${ipv4}:${PORT} ${ipv4}:\\d+ [1-9]`, "g"), OVER_IPV4],
      [new RegExp(`client  ESTABLISHED \\[::1\\]:\\d+ \\[::1\\]:${PORT} [1-9]`, "g"), OVER_IPV6],
      [new RegExp(`client  CLOSE .*:${CLOSED_PORT} \\d+ 0 0 0 111 0 \\d+ deno$`, "gm"), REFUSED],
    ];
    await until("all lines came", () => expected.every(([line, times]) => count(line) >= times));
    for (const [line, times] of expected) assertEquals(count(line), times, String(line));
    bpftrace.kill("SIGINT");
    await reading;
  });

  await versionTest(candidate, "loses no line without its being counted", async () => {
    await using namespace = await Namespace.create();
    const options = await environment(
      candidate,
      `export BPFTRACE_PERF_RB_PAGES=1; ${OTHER_SENTINEL}`,
    );
    const tracer = await Tracer.start(namespace, OURS, options);
    await tracer.said(/kernel events come as printed lines/);
    // While it does not read, what is printed has a page of room. The one before it may still end.
    const bpftrace = await onlyChild(tracer.pid);
    Deno.kill(bpftrace, "SIGSTOP");
    await namespace.run(connectLoad, "127.0.0.1", String(PORT), "300");
    Deno.kill(bpftrace, "SIGCONT");
    const { records, summary } = await tracer.stop();
    const { wire_only } = summary!.by_evidence;
    assertGreater(wire_only, 0);
    // The word of the kernel that is lacking was lost, and decides nothing.
    assertEquals(records.filter(({ outcome }) => outcome !== "established"), []);
    assertGreaterOrEqual(summary!.losses.kernel_lines!, wire_only);
  });

  await versionTest(candidate, "takes no server for a client by what another left", async () => {
    await using namespace = await Namespace.create();
    const tracer = await Tracer.start(namespace, OURS, await environment(candidate, LEFT_OVER));
    await tracer.said(/kernel events come from/);
    await connect(namespace);
    await tracer.wrote(ALL);
    const { records, summary } = await tracer.stop();
    assertEquals(summary!.by_evidence, { both: ALL, wire_only: 0, kernel_only: 0 });
    for (const { outcome, client, server } of records) {
      const refused = outcome === "refused";
      assertEquals(server.port, refused ? CLOSED_PORT : PORT);
      // Of a listener that has ended nobody knows who it was.
      assertEquals(client.process?.comm, refused ? "deno" : "connect_load");
    }
  });

  await versionTest(candidate, "has maps as large as asked, or it is said", async () => {
    await using namespace = await Namespace.create();
    const unset = "unset BPFTRACE_MAP_KEYS_MAX BPFTRACE_MAX_MAP_KEYS";
    const tracer = await Tracer.start(namespace, OURS, await environment(candidate, unset));
    await tracer.said(/kernel events come from/);
    await tracer.said(/bpftrace's maps have 4096 entries, not 32768 as asked: /);
    await tracer.stop();
  });
}
