// The flags that filter, in a trace: by what the kernel tells, and in the status line and the exit status.
import { assert, assertEquals } from "@std/assert";
import { compileC } from "./compile.ts";
import { Namespace, namespaceTest } from "./namespace.ts";
import { Tracer } from "./tracer.ts";

const PORT = 4436;
/** The kernel tells of connections in every namespace of the machine: only these are the test's. */
const OURS = ["--json", "--host", "127.0.0.1", "--server-port", `${PORT}-${PORT + 9}`];
const folder = await Deno.makeTempDir({ prefix: "synsnoop-filters-" });
globalThis.addEventListener("unload", () => Deno.removeSync(folder, { recursive: true }));
const connectLoad = await compileC(new URL("connect_load.c", import.meta.url), folder);

await namespaceTest("trace reports what fits all flags, by what the kernel tells", async () => {
  await using namespace = await Namespace.create();
  const flags = ["--failed", "--reason", "ECONNREFUSED", "--user", "root", "--not-comm", "curl"];
  const tracer = await Tracer.ready(namespace, [...OURS, ...flags]);
  await namespace.run(connectLoad, "127.0.0.1", String(PORT), "3");
  await namespace.refuse(PORT + 1);
  // Beyond the range.
  await namespace.refuse(PORT + 10);
  await namespace.refuse(PORT + 9);
  await tracer.wrote(2);
  const { records, summary, status } = await tracer.stop();
  assertEquals(records.map(({ server }) => server.port), [PORT + 1, PORT + 9]);
  for (const { outcome, reason, client } of records) {
    assertEquals([outcome, reason, client.process?.uid], ["refused", "ECONNREFUSED", 0]);
  }
  assert(summary!.filtered >= 4, `${summary!.filtered} kept back`);
  assertEquals(status.code, 0);
  const events = tracer.lines.map((line) => JSON.parse(line));
  const { filters, processes } = events.find(({ event }) => event === "status");
  for (const name of ["synsnoop", "bpftrace"]) {
    const { cpu_ms, resident_bytes } = processes[name];
    assert(cpu_ms > 0 && resident_bytes > 2e7, `${name}: ${cpu_ms} ms, ${resident_bytes} bytes`);
  }
  assertEquals(filters, [
    `--server-port ${PORT}-${PORT + 9}`,
    "--host 127.0.0.1",
    "--failed",
    "--reason ECONNREFUSED",
    "--not-comm curl",
    "--user root",
  ]);
});

await namespaceTest(
  "trace reports by leg, and tells by its status that nothing matched",
  async () => {
    await using namespace = await Namespace.create();
    const slow = [...OURS, "--slower-than", "30s", "--leg", "total", "--exit-status"];
    const fast = [...OURS, "--slower-than", "1ns", "--leg", "network", "--exit-status"];
    const tracers = [await Tracer.start(namespace, slow), await Tracer.start(namespace, fast)];
    await namespace.run(connectLoad, "127.0.0.1", String(PORT), "3");
    await tracers[1].wrote(3);
    const ended = [await tracers[0].stop(), await tracers[1].stop()];
    assertEquals(ended.map(({ records }) => records.length), [0, 3]);
    assertEquals(ended.map(({ status }) => status.code), [4, 0]);
  },
);
