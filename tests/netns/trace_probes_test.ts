// Which probes a trace uses on the running kernel, and what it says where they cannot be had.
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { inspectProbes } from "../../src/linux/probes/inspect_kernel.ts";
import { exists } from "../../src/linux/probes/kernel_files.ts";
import { chooseProbes, MECHANISM_WORDS } from "../../src/kernel/choose_probes.ts";
import { compileC } from "./compile.ts";
import { Namespace, namespaceTest, until } from "./namespace.ts";
import { Tracer } from "./tracer.ts";

const PORT = 4439;
/** The kernel tells of connections in every namespace of the machine: only these are the tests'. */
const OURS = ["--json", "--port", String(PORT)];
const folder = await Deno.makeTempDir({ prefix: "synsnoop-probes-" });
globalThis.addEventListener("unload", () => Deno.removeSync(folder, { recursive: true }));
const connectLoad = await compileC(new URL("connect_load.c", import.meta.url), folder);

/** Where a line of standard error is, the first that holds the words. */
function lineWith(stderr: string[], words: string): number {
  const at = stderr.findIndex((line) => line.includes(words));
  assert(at >= 0, `no line with "${words}" among ${JSON.stringify(stderr)}`);
  return at;
}

/** A PATH with a bpftrace that tells the version of the real one and otherwise runs a shell script. */
async function withBpftrace(script: string): Promise<Deno.CommandOptions> {
  const bin = await Deno.makeTempDir({ dir: folder });
  const { facts } = await inspectProbes();
  const version = 'case $1 in --version) exec "$real" "$@" ;; esac';
  const text = `#!/bin/sh\nreal='${facts.bpftrace!.path}'\n${version}\n${script}\n`;
  await Deno.writeTextFile(`${bin}/bpftrace`, text, { mode: 0o755 });
  return { env: { PATH: `${bin}:${Deno.env.get("PATH")}` } };
}

await namespaceTest(
  "trace uses the first probes that work here and says which",
  async () => {
    await using namespace = await Namespace.create();
    const choice = chooseProbes((await inspectProbes()).facts, "auto");
    const tracer = await Tracer.ready(namespace, OURS);
    await namespace.run(connectLoad, "127.0.0.1", String(PORT), "3");
    await tracer.wrote(3);
    const { records, stderr } = await tracer.stop();
    const capturing = lineWith(stderr, "capturing packets");
    const ready = lineWith(stderr, "kernel events come from ");
    assert(capturing < ready);
    const used = choice.mechanisms.find((each) => stderr[ready].endsWith(MECHANISM_WORDS[each]));
    assert(used, stderr[ready]);
    for (const { outcome, evidence, client, times } of records) {
      assertEquals([outcome, evidence], ["established", ["wire", "kernel"]]);
      assertEquals(client.process?.comm, "connect_load");
      // What function probes alone see is there with them and absent without.
      assertEquals(times?.syn_received_ns !== undefined, used !== "tracepoint");
    }
  },
);

for (const [asked, words] of [["fentry", "fentry probes"], ["kprobe", "kprobes"]]) {
  await namespaceTest(`trace --probes ${asked} tries nothing else`, async () => {
    await using namespace = await Namespace.create();
    const options = await withBpftrace("echo 'stdin:9:1-8: ERROR: the words' >&2; exit 1");
    const tracer = await Tracer.start(namespace, [...OURS, "--probes", asked], options);
    await tracer.said(/going on with packets alone/);
    await namespace.run(connectLoad, "127.0.0.1", String(PORT), "3");
    await tracer.wrote(3);
    const { records, stderr, status } = await tracer.stop();
    lineWith(
      stderr,
      `synsnoop: bpftrace could not attach ${words}, saying "ERROR: the words"; ` +
        "going on with packets alone",
    );
    assert(!stderr.some((line) => line.includes("trying")), stderr.join("\n"));
    assertEquals(records.map(({ evidence }) => evidence), [["wire"], ["wire"], ["wire"]]);
    assertEquals(status.code, 0);
  });
}

await namespaceTest(
  "trace does without what a fragment needs when it cannot be attached",
  async () => {
    await using namespace = await Namespace.create();
    const options = await withBpftrace(
      'case $4 in *skb:kfree_skb*) echo "ERROR: no such tracepoint" >&2; exit 1 ;; esac; ' +
        'exec "$real" "$@"',
    );
    const tracer = await Tracer.start(namespace, [...OURS, "--probes", "tracepoint"], options);
    assertStringIncludes(
      await tracer.said(/trying/),
      'bpftrace could not attach the tracepoint, saying "ERROR: no such tracepoint"; ' +
        "trying the tracepoint alone: no reasons of drops",
    );
    await tracer.said(/kernel events come from the tracepoint alone/);
    await namespace.run(connectLoad, "127.0.0.1", String(PORT), "3");
    await tracer.wrote(3);
    const { records } = await tracer.stop();
    for (const { evidence } of records) assertEquals(evidence, ["wire", "kernel"]);
  },
);

await namespaceTest("trace ends at once while it still looks at the kernel", async () => {
  await using namespace = await Namespace.create();
  const bin = await Deno.makeTempDir({ dir: folder });
  // Hangs whatever it is asked.
  const hang = `#!/bin/sh\necho $$ >"$0.pid"\nexec sleep 1000\n`;
  await Deno.writeTextFile(`${bin}/bpftrace`, hang, { mode: 0o755 });
  const env = { PATH: `${bin}:${Deno.env.get("PATH")}` };
  const tracer = await Tracer.start(namespace, OURS, { env });
  await until("it is asked", () => exists(`${bin}/bpftrace.pid`));
  await namespace.run(connectLoad, "127.0.0.1", String(PORT), "3");
  const { records, summary, status } = await tracer.stop();
  assertEquals([records.length, summary?.handshakes, status.code], [3, 3, 0]);
  const pid = (await Deno.readTextFile(`${bin}/bpftrace.pid`)).trim();
  await until("what hung has ended", () => !exists(`/proc/${pid}`));
});
