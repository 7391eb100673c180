// The small parts of src/io against the real machine.
// Covers src/io/proc_folder.ts
import {
  assert,
  assertEquals,
  assertExists,
  assertGreater,
  assertLess,
  assertMatch,
} from "@std/assert";
import { TextLineStream } from "@std/streams";
import { sampleClocks } from "../../src/io/clocks.ts";
import { findListeners } from "../../src/io/find_listeners.ts";
import { inspectKernel, inspectProbes } from "../../src/io/inspect_kernel.ts";
import { interfaceIndex, listInterfaces, localAddresses } from "../../src/io/interfaces.ts";
import { exists, mountedTracefs, readKernelFiles } from "../../src/io/kernel_files.ts";
import { clockNs } from "../../src/io/libc.ts";
import { findExecutable } from "../../src/io/packages.ts";
import { hostName, isRoot } from "../../src/io/terminal.ts";
import { FUNCTIONS } from "../../src/kernel/choose_probes.ts";
import { judgeFacts } from "../../src/kernel/kernel_facts.ts";
import { formatAddress } from "../../src/wire/address.ts";
import { inNamespace, Namespace, namespaceTest } from "./namespace.ts";

const SAMPLES = 2_000;
/** A bracket that nothing interrupted for long. */
const QUIET_NS = 20_000;

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

interface Found {
  netns: number;
  address: string;
  port: number;
  pid: number;
  comm: string;
}

/** Listeners on one port, by address. */
async function listenersOn(port: number): Promise<Found[]> {
  const found = (await findListeners()).filter((listener) => listener.port === port);
  for (const { openedNs, closedNs } of found) {
    assertEquals([openedNs, closedNs], [-Infinity, Infinity]);
  }
  return found.map(({ netns, address, port, pid, comm }) => ({
    netns,
    address: formatAddress(address),
    port,
    pid,
    comm,
  })).toSorted((a, b) => a.address < b.address ? -1 : 1);
}

async function netnsOf(pid: number): Promise<number> {
  return Number(/\d+/.exec(await Deno.readLink(`/proc/${pid}/ns/net`))?.[0]);
}

async function commOf(pid: number): Promise<string> {
  return (await Deno.readTextFile(`/proc/${pid}/comm`)).trimEnd();
}

for (const hostname of ["127.0.0.1", "0.0.0.0", "::1", "::"]) {
  Deno.test(`findListeners finds a listener of this process on ${hostname}`, async () => {
    const netns = await netnsOf(Deno.pid);
    const comm = await commOf(Deno.pid);
    const listener = Deno.listen({ hostname, port: 0 });
    const { port } = listener.addr;
    // A connection has the port too and does not listen.
    const there = hostname === "0.0.0.0" ? "127.0.0.1" : hostname === "::" ? "::1" : hostname;
    const client = await Deno.connect({ hostname: there, port });
    const server = await listener.accept();
    const mine = async () => (await listenersOn(port)).filter((found) => found.netns === netns);
    assertEquals(await mine(), [{ netns, address: hostname, port, pid: Deno.pid, comm }]);
    listener.close();
    assertEquals(await mine(), []);
    client.close();
    server.close();
  });
}

/** Starts a program in a namespace and waits for its first line. */
async function started(namespace: Namespace, command: string[]): Promise<number> {
  const child = namespace.spawn(command, { stdout: "piped", stderr: "inherit" });
  const lines = child.stdout.pipeThrough(new TextDecoderStream()).pipeThrough(new TextLineStream());
  // The whole line: whoever writes it in two parts would find its reader gone.
  for await (const line of lines) {
    assertEquals(line, "ready");
    break;
  }
  return child.pid;
}

await namespaceTest("findListeners finds listeners in another namespace", async () => {
  await using namespace = await Namespace.create();
  const pid = await started(namespace, [
    ...[Deno.execPath(), "eval", "--quiet", "--no-config"],
    `for (const hostname of ["127.0.0.1", "::1"]) Deno.listen({ hostname, port: 4436 });
    setInterval(() => {}, 1_000_000);
    console.log("ready");`,
  ]);
  const netns = await netnsOf(pid);
  const comm = await commOf(pid);
  assert(netns !== await netnsOf(Deno.pid));
  assertEquals((await listenersOn(4436)).filter((found) => found.netns === netns), [
    { netns, address: "127.0.0.1", port: 4436, pid, comm },
    { netns, address: "::1", port: 4436, pid, comm },
  ]);
});

await namespaceTest(
  "findListeners takes the oldest of the processes that share a socket",
  async () => {
    await using namespace = await Namespace.create();
    // The child's name has all that could lead astray who reads /proc/PID/stat.
    const parent = await started(namespace, [
      ...["python3", "-c"],
      `
import ctypes, os, signal, socket, time
server = socket.create_server(("127.0.0.1", 4437))
# The start time of a process is kept in hundredths of a second.
time.sleep(0.05)
if os.fork() == 0:
    # PR_SET_PDEATHSIG: ended with its parent, which the namespace's end kills.
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)
    open("/proc/self/comm", "w").write(") S 1 (a b")
    print("ready", flush=True)
signal.pause()
`,
    ]);
    const netns = await netnsOf(parent);
    const comm = await commOf(parent);
    assertEquals((await listenersOn(4437)).filter((found) => found.netns === netns), [
      { netns, address: "127.0.0.1", port: 4437, pid: parent, comm },
    ]);
  },
);

/** Holds some thousand descriptors that are no listener's in each of four processes, beside one. */
const HOLDERS = `
import ctypes, os, resource, signal, socket, time
# Younger than all that holds nothing but these, so that it is found last.
limit = min(resource.getrlimit(resource.RLIMIT_NOFILE)[1], 20000)
resource.setrlimit(resource.RLIMIT_NOFILE, (limit, limit))
def child(body):
    read, write = os.pipe()
    if os.fork() == 0:
        ctypes.CDLL(None).prctl(1, signal.SIGKILL)
        body()
        os.close(write)
        signal.pause()
    os.close(write)
    os.read(read, 1)
    os.close(read)
def hold():
    one = socket.socket()
    for _ in range(limit - 16):
        os.dup(one.fileno())
for _ in range(4):
    child(hold)
time.sleep(0.05)
def serve():
    global server
    server = socket.create_server(("127.0.0.1", 4438))
child(serve)
print("ready", flush=True)
signal.pause()
`;

await namespaceTest("findListeners never holds up the event loop", async () => {
  await using namespace = await Namespace.create();
  const parent = await started(namespace, ["python3", "-c", HOLDERS]);
  const netns = await netnsOf(parent);
  const usedMs = () => Number(clockNs("thread")) / 1e6;
  let longestMs = 0;
  let turns = 0;
  let lastMs = usedMs();
  const timer = setInterval(() => {
    // What the machine gives to others meanwhile is none of its time.
    const nowMs = usedMs();
    longestMs = Math.max(longestMs, nowMs - lastMs);
    lastMs = nowMs;
    turns++;
  });
  const found = (await listenersOn(4438)).filter((listener) => listener.netns === netns);
  clearInterval(timer);
  assertEquals(found.map(({ address }) => address), ["127.0.0.1"]);
  // 80,000 descriptors take 300 ms and more.
  assertGreater(turns, 10);
  assertLess(longestMs, 10);
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
