// The small parts of src/io against the real machine.
// Covers src/linux/listeners/proc_folder.ts
import {
  assert,
  assertEquals,
  assertExists,
  assertGreater,
  assertLess,
  assertMatch,
} from "@std/assert";
import { sampleClocks } from "../../src/linux/clocks.ts";
import { inspectKernel, inspectProbes } from "../../src/linux/probes/inspect_kernel.ts";
import {
  interfaceIndex,
  listInterfaces,
  localAddresses,
} from "../../src/linux/netns/interfaces.ts";
import { exists, mountedTracefs, readKernelFiles } from "../../src/linux/probes/kernel_files.ts";
import { clockNs } from "../../src/linux/libc.ts";
import { findExecutable, hostName, isRoot } from "../../src/linux/host.ts";
import { APPLICATION, hostId, tracerId } from "../../src/linux/host_id.ts";
import { FUNCTIONS } from "../../src/kernel/choose_probes.ts";
import { judgeFacts } from "../../src/kernel/kernel_facts.ts";
import { Folder } from "../folder.ts";
import { inNamespace, Namespace, namespaceTest, skippableTest } from "./namespace.ts";

const SAMPLES = 2_000;
/** A bracket that nothing interrupted for long. */
const QUIET_NS = 20_000;

const NO_ID128 = findExecutable("systemd-id128") === undefined
  ? 'no "systemd-id128"'
  : await hostId() === undefined
  ? "this machine has no machine-id"
  : undefined;

skippableTest(
  "hostId is what systemd makes of the machine-id for this tool",
  NO_ID128,
  async () => {
    const { stdout } = await new Deno.Command("systemd-id128", {
      args: ["machine-id", `--app-specific=${APPLICATION}`],
    }).output();
    assertEquals(await hostId(), new TextDecoder().decode(stdout).trim());
  },
);

Deno.test("hostId takes the first machine-id that is one, and knows when there is none", async () => {
  using folder = new Folder();
  const path = (name: string) => `${folder.path}/${name}`;
  Deno.writeTextFileSync(path("unset"), "uninitialized\n");
  Deno.writeTextFileSync(path("odd"), `${"0".repeat(31)}g\n`);
  Deno.writeTextFileSync(path("set"), "3d1219c7c4c5404aaa1f6d2a48adfda4\n");
  const nowhere = [path("absent"), path("unset"), path("odd"), folder.path];
  assertEquals(await hostId(nowhere), undefined);
  assertEquals(await hostId([...nowhere, path("set")]), "78d665604e9e4a9a9aee6474020e1036");
});

Deno.test("tracerId is this process and when it began", async () => {
  const [pid, startMs] = tracerId().split("-").map(Number);
  assertEquals(pid, Deno.pid);
  // Field 22 of stat: since boot, in hundredths of a second (proc_pid_stat(5)).
  const stat = await Deno.readTextFile("/proc/self/stat");
  const ticks = Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19]);
  const bootMs = Number(clockNs("realtime") - clockNs("boottime")) / 1e6;
  // Of a test it is when its file began, behind others of one process.
  assertGreater(startMs, bootMs + 10 * ticks - 2_000);
  assertLess(startMs, Date.now() + 1);
});

Deno.test("sampleClocks reads both clocks at one moment, between a reading before and one after", () => {
  let taken = 0;
  let lastBoottimeNs = 0n;
  const offsets: bigint[] = [];
  for (let count = 0; count < SAMPLES; count++) {
    const before = [clockNs("realtime"), clockNs("boottime")];
    const sample = sampleClocks();
    const after = [clockNs("realtime"), clockNs("boottime")];
    for (const [index, ns] of [sample.realtimeNs, sample.boottimeNs].entries()) {
      assert(before[index] <= ns && ns <= after[index], `${before[index]} ${ns} ${after[index]}`);
    }
    assert(sample.boottimeNs > lastBoottimeNs);
    lastBoottimeNs = sample.boottimeNs;
    if (sample.widthNs > QUIET_NS) continue;
    taken++;
    offsets.push(sample.realtimeNs - sample.boottimeNs);
  }
  // A busy machine may interrupt all the tries of one sample, not of most.
  assertGreater(taken, SAMPLES / 2);
  offsets.sort((a, b) => a < b ? -1 : a > b ? 1 : 0);
  // The bracket bounds the error of each; the wall clock may be slewed meanwhile.
  assertLess(Number(offsets.at(-1)! - offsets[0]), 100_000);
});

await namespaceTest("interfaces are those of the thread's namespace", async () => {
  await using namespace = await Namespace.create();
  await using other = await Namespace.create();
  const [veth] = await namespace.connect(other);
  await namespace.ip("address", "add", "192.0.2.7/24", "dev", veth);
  inNamespace(namespace.name, () => {
    assertEquals(interfaceIndex("lo"), 1);
    const index = interfaceIndex(veth);
    assertExists(index);
    const all = listInterfaces();
    for (const expected of [{ index: 1, name: "lo" }, { index, name: veth }]) {
      assertEquals(all.filter(({ name }) => name === expected.name), [expected]);
    }
    const addresses = localAddresses();
    for (const address of ["127.0.0.1", "::1", "192.0.2.7"]) assert(addresses.has(address));
  });
  assertEquals(localAddresses().has("192.0.2.7"), false);
});

Deno.test("interfaceIndex knows no interface that is not there", () => {
  // The longest name that can be and one longer among them.
  for (const name of ["", "nope0", "x".repeat(15), "x".repeat(16), "lo ", "LO"]) {
    assertEquals(interfaceIndex(name), undefined, JSON.stringify(name));
  }
});

Deno.test("inspectKernel finds what this machine offers", async () => {
  const facts = await inspectKernel();
  assertEquals(facts.release, (await Deno.readTextFile("/proc/sys/kernel/osrelease")).trim());
  assertEquals(facts.architecture, Deno.build.arch);
  assertEquals(facts.root, true);
  const path = findExecutable("bpftrace");
  assertEquals(facts.bpftrace?.path, path);
  if (facts.bpftrace) assertMatch(facts.bpftrace.version, /^bpftrace v\d/);
  // Tests of this tier capture: whoever may make a namespace may do so.
  assert("filter" in facts.capture);
  assert("count" in facts.otherNamespaces);
  assertEquals(facts.setStateTracepoint === undefined, facts.tracefs === "absent");
  assertEquals(judgeFacts(facts).find(({ subject }) => subject === "rights")?.verdict, "ok");
});

// Covers src/kernel/probe_facts.ts
Deno.test("inspectProbes finds the functions that the kernel's own table of symbols has", async () => {
  const { facts } = await inspectProbes();
  const symbols = await Deno.readTextFile("/proc/kallsyms");
  const present = FUNCTIONS.filter((name) => new RegExp(` [tT] ${name}$`, "m").test(symbols));
  if (facts.btf) assertEquals(facts.functions, present);
  else assertEquals(facts.functions, undefined);
});

Deno.test("inspectProbes knows the reasons of the running kernel where it tells any", async () => {
  const { facts, dropReasons, resetReasons } = await inspectProbes();
  assertEquals([...dropReasons.values()].includes("NO_SOCKET"), facts.dropTracepoint === "reason");
  assertEquals(
    [...resetReasons.values()].includes("NO_SOCKET"),
    facts.resetTracepoint === "reason",
  );
});

Deno.test("readKernelFiles reads tracefs, mounted or not, and leaves nothing mounted", async () => {
  const format = "events/sock/inet_sock_set_state/format";
  const before = mountedTracefs();
  const { tracefs, heads } = await readKernelFiles([format, "absent\x02", "events"], ["absent"]);
  assertEquals(mountedTracefs(), before);
  if (before !== undefined) assertEquals(tracefs, "mounted");
  if (tracefs === "absent") return;
  const head = heads.get(format);
  assert(typeof head === "object" && head.text.startsWith("name: inet_sock_set_state\n"));
  // A folder is there and cannot be read as a file.
  assertEquals([heads.get("absent\x02"), heads.get("events")], ["absent", "refused"]);
  assertEquals(heads.get("absent"), "absent");
});

Deno.test("exists tells of what is there, whatever it is", () => {
  assertEquals(["/proc/self", "/proc/self/status", "/nonexistent"].map(exists), [
    true,
    true,
    false,
  ]);
});

Deno.test("hostName and isRoot tell what the kernel does", async () => {
  assertEquals(hostName(), (await Deno.readTextFile("/proc/sys/kernel/hostname")).trim());
  const uid = /^Uid:\s+\d+\s+(\d+)/m.exec(await Deno.readTextFile("/proc/self/status"))?.[1];
  assertEquals(isRoot(), uid === "0");
});
