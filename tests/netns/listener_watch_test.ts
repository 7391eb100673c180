// Who listens on the running kernel, by netlink and /proc.
import { assert, assertEquals, assertGreater, assertGreaterOrEqual, assertLess } from "@std/assert";
import { TextLineStream } from "@std/streams";
import type { KernelEnd, KernelListener } from "../../src/kernel/kernel_record.ts";
import { TcpState } from "../../src/kernel/tcp_state.ts";
import { clockNs } from "../../src/linux/libc.ts";
import { parseListening } from "../../src/linux/listeners/find_listeners.ts";
import { ListenerHolders } from "../../src/linux/listeners/listener_holders.ts";
import { ListenerWatch } from "../../src/linux/listeners/listener_watch.ts";
import { LocalAddresses } from "../../src/linux/netns/local_addresses.ts";
import { Places } from "../../src/linux/capture/places.ts";
import { readProcessState } from "../../src/linux/process_state.ts";
import { parseAddress } from "../../src/wire/address.ts";
import { Namespace, namespaceTest, until } from "./namespace.ts";

/** A watch that has looked once. */
async function watching(): Promise<ListenerWatch> {
  const watch = new ListenerWatch({
    nowNs: () => Number(clockNs("boottime")),
    places: new Places(),
    addresses: new LocalAddresses(),
    onFailure: (error) => {
      throw error;
    },
  });
  await watch.begin();
  return watch;
}

/** Who listens at an address, as pid and comm; undefined where nobody is found, or several are. */
function whoIs(
  watch: ListenerWatch,
  netns: number,
  on: string,
  localPort: number,
): string | undefined {
  watch.tick();
  const arrival = { netns, local: parseAddress(on)!, localPort };
  const process = watch.find({ ...arrival, endNs: Number(clockNs("boottime")) });
  return process && `${process.pid} ${process.comm}`;
}

async function netnsOf(pid: number): Promise<number> {
  return Number(/\d+/.exec(await Deno.readLink(`/proc/${pid}/ns/net`))?.[0]);
}

async function commOf(pid: number): Promise<string> {
  return (await Deno.readTextFile(`/proc/${pid}/comm`)).trimEnd();
}

for (const hostname of ["127.0.0.1", "0.0.0.0", "::1", "::"]) {
  Deno.test(`ListenerWatch finds a listener of this process on ${hostname}`, async () => {
    const netns = await netnsOf(Deno.pid);
    const comm = await commOf(Deno.pid);
    const listener = Deno.listen({ hostname, port: 0 });
    const { port } = listener.addr;
    // A connection has the port too and does not listen.
    const there = hostname === "0.0.0.0" ? "127.0.0.1" : hostname === "::" ? "::1" : hostname;
    const client = await Deno.connect({ hostname: there, port });
    const server = await listener.accept();
    const before = await watching();
    assertEquals(whoIs(before, netns, there, port), `${Deno.pid} ${comm}`);
    listener.close();
    // Looked at again, nobody holds it any more.
    await until("it is not named", () => whoIs(before, netns, there, port) === undefined);
    const after = await watching();
    assertEquals(whoIs(after, netns, there, port), undefined);
    await Promise.all([before.close(), after.close()]);
    client.close();
    server.close();
  });
}

/** Starts a program in a namespace and reads the numbers on its first line. */
async function started(
  namespace: Namespace,
  script: string,
): Promise<{ pid: number; told: number[] }> {
  const command = ["python3", "-c", `import ctypes, os, signal, socket, time\n${script}`];
  const child = namespace.spawn(command, { stdout: "piped", stderr: "inherit" });
  const lines = child.stdout.pipeThrough(new TextDecoderStream()).pipeThrough(new TextLineStream());
  // The whole line: whoever writes it in two parts would find its reader gone.
  for await (const line of lines) {
    return { pid: child.pid, told: line.split(" ").map(Number) };
  }
  throw new Error("Cannot go on: the program said nothing");
}

await namespaceTest("ListenerWatch finds listeners in another namespace", async () => {
  await using namespace = await Namespace.create();
  const { pid } = await started(
    namespace,
    `
one = socket.create_server(("127.0.0.1", 4436))
other = socket.create_server(("::1", 4436), family=socket.AF_INET6)
print(0, flush=True)
signal.pause()
`,
  );
  const netns = await netnsOf(pid);
  const who = `${pid} ${await commOf(pid)}`;
  assert(netns !== await netnsOf(Deno.pid));
  const watch = await watching();
  assertEquals(whoIs(watch, netns, "127.0.0.1", 4436), who);
  assertEquals(whoIs(watch, netns, "::1", 4436), who);
  assertEquals(whoIs(watch, netns, "127.0.0.2", 4436), undefined);
  assertEquals(whoIs(watch, await netnsOf(Deno.pid), "127.0.0.1", 4436), undefined);
  await watch.close();
});

await namespaceTest("ListenerWatch names of a server that forks the first process", async () => {
  await using namespace = await Namespace.create();
  // The child's name has all that could lead astray who reads /proc/PID/stat.
  const { pid } = await started(
    namespace,
    `
server = socket.create_server(("127.0.0.1", 4437))
if os.fork() == 0:
    # PR_SET_PDEATHSIG: ended with its parent, which the namespace's end kills.
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)
    open("/proc/self/comm", "w").write(") S 1 (a b")
    print(0, flush=True)
signal.pause()
`,
  );
  const watch = await watching();
  const netns = await netnsOf(pid);
  assertEquals(whoIs(watch, netns, "127.0.0.1", 4437), `${pid} ${await commOf(pid)}`);
  await watch.close();
});

await namespaceTest("ListenerWatch follows a socket from process to process", async () => {
  await using namespace = await Namespace.create();
  // The first process closes the socket when it is told to; its child holds it on.
  const { pid, told: [child] } = await started(
    namespace,
    `
server = socket.create_server(("127.0.0.1", 4435))
read, write = os.pipe()
child = os.fork()
if child == 0:
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)
    open("/proc/self/comm", "w").write("heir")
    os.write(write, b"x")
    signal.pause()
os.read(read, 1)
signal.signal(signal.SIGUSR1, lambda *_: server.close())
print(child, flush=True)
while True:
    signal.pause()
`,
  );
  const watch = await watching();
  const netns = await netnsOf(pid);
  assertEquals(whoIs(watch, netns, "127.0.0.1", 4435), `${pid} ${await commOf(pid)}`);
  Deno.kill(pid, "SIGUSR1");
  await until("it is the child's", () => {
    const who = whoIs(watch, netns, "127.0.0.1", 4435);
    assert(who?.startsWith(`${pid} `) || who === `${child} heir`, who);
    return who === `${child} heir`;
  });
  Deno.kill(child, "SIGKILL");
  await until("it is nobody's", () => whoIs(watch, netns, "127.0.0.1", 4435) === undefined);
  await watch.close();
});

const WORDS_PORT = 4_434;

/** What can happen to a listener that is gone soon, in the eyes of a watch. */
type Step = "begins" | "takes a connection" | "ends" | "its process is gone";

/** All orders of some steps. */
function orders(steps: readonly Step[]): Step[][] {
  if (steps.length === 0) return [[]];
  return steps.flatMap((first) =>
    orders(steps.filter((step) => step !== first)).map((rest) => [first, ...rest])
  );
}

/** Those in which what happens may be told: of an end not before it. */
const ORDERS = orders(["begins", "takes a connection", "ends", "its process is gone"])
  .filter((order) => order.indexOf("ends") > order.indexOf("its process is gone"));

/** A socket has just begun to listen on 127.0.0.1. */
function listenerWord(
  inode: number,
  netns: number,
  localPort: number,
  who: { pid: number; comm: string },
): KernelListener {
  return {
    kind: "listener",
    oldState: TcpState.Close,
    newState: TcpState.Listen,
    endNs: Number(clockNs("boottime")),
    local: parseAddress("127.0.0.1")!,
    localPort,
    ...who,
    thread: undefined,
    isKernel: false,
    uid: 0,
    netns,
    cgroup: 0,
    inode,
    device: 0,
  };
}

/** Has the watch search once more: for a listener of which it is told the wrong process. */
async function searchOnce(watch: ListenerWatch): Promise<void> {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const netns = await netnsOf(Deno.pid);
  const { port } = listener.addr;
  const listening = parseListening(await Deno.readTextFile("/proc/self/net/tcp"), netns);
  const { inode } = listening.find((each) => each.port === port)!;
  watch.take(listenerWord(inode, netns, port, { pid: 1, comm: "other" }), true);
  await until("it is found", () => whoIs(watch, netns, "127.0.0.1", port) !== undefined);
  listener.close();
}

/** Less than the second for which words are waited for. */
const SURELY_AWAITED_MS = 900;

for (const isLivedIn of [true, false]) {
  const where = isLivedIn ? "where others live" : "in a namespace of its own";
  await namespaceTest(`ListenerWatch names who is gone, told in any order, ${where}`, async () => {
    assertEquals(ORDERS.length, 12);
    for (const order of ORDERS) {
      const what = order.join(", ");
      await using namespace = await Namespace.create();
      if (isLivedIn) await started(namespace, "print(0, flush=True)\nsignal.pause()");
      const watch = await watching();
      const { pid, told: [inode] } = await started(
        namespace,
        `
server = socket.create_server(("127.0.0.1", ${WORDS_PORT}))
print(os.fstat(server.fileno()).st_ino, flush=True)
signal.pause()
`,
      );
      const comm = await commOf(pid);
      const begun = listenerWord(inode, await netnsOf(pid), WORDS_PORT, { pid, comm });
      const server = { ...begun, kind: "server", endNs: begun.endNs + 1, listener: undefined };
      const arrival = { ...server, cgroup: undefined } as unknown as KernelEnd;
      let askedMs: number | undefined;
      let endNs = NaN;
      for (const step of order) {
        if (step === "begins") watch.take(begun, true);
        else if (step === "ends") watch.take({ ...begun, endNs }, false);
        else if (step === "takes a connection") {
          askedMs = performance.now();
          watch.tick();
          watch.use(arrival);
        } else {
          Deno.kill(pid, "SIGKILL");
          await until("it is gone", () => (readProcessState(pid)?.letter ?? "Z") === "Z");
          endNs = Number(clockNs("boottime"));
        }
        await searchOnce(watch);
        const found = watch.find(arrival);
        if (found) assertEquals([found.pid, found.comm], [pid, comm], what);
        else if (askedMs) {
          // Before the clock is read: between the two this process may have to wait.
          const isSought = watch.isSought(arrival);
          if (performance.now() - askedMs < SURELY_AWAITED_MS) {
            assert(isSought, `${what}: given up after "${step}"`);
          }
        }
      }
      const found = watch.find(arrival);
      assertEquals([found?.pid, found?.comm], [pid, comm], what);
      assert(!watch.isSought(arrival), what);
      await watch.close();
    }
  });
}

Deno.test("ListenerWatch waits a second for the words of a listener of which it knows nothing", async () => {
  const watch = await watching();
  const netns = await netnsOf(Deno.pid);
  const nobody = listenerWord(2 ** 40, netns, 1, { pid: 2 ** 30, comm: "gone" });
  const isSought = (localPort: number) => {
    const { local, endNs } = nobody;
    return watch.isSought({ netns, local, localPort, endNs: endNs + 1 });
  };
  const beganMs = performance.now();
  assert(isSought(2), "of whose start no word came");
  watch.take(nobody, true);
  assert(isSought(1), "whose process is gone");
  watch.take({ ...nobody, inode: 2 ** 41, localPort: 3, isKernel: true }, true);
  // Nobody ever holds what the kernel itself listens with.
  await until("the kernel's own is not waited for", () => !isSought(3));
  await until("it waits no longer", () => !isSought(1) && !isSought(2));
  assertGreaterOrEqual(performance.now() - beganMs, 1_000);
  // Nor for the next connections.
  assertEquals([1, 2, 3].filter(isSought), []);
  await watch.close();
});

Deno.test("ListenerHolders forgets nobody whose socket is closed while it searches", async () => {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr;
  const listening = parseListening(await Deno.readTextFile("/proc/self/net/tcp"), 0);
  const { inode } = listening.find((each) => each.port === port)!;
  let isToClose = false;
  const holders = new ListenerHolders(
    () => {
      // Asked of each descriptor of a socket that is found.
      const wanted = new Map([[inode, undefined]]);
      wanted.has = (each) => {
        if (each === inode && isToClose) listener.close();
        if (each === inode) isToClose = false;
        return each === inode;
      };
      return wanted;
    },
    (error) => {
      throw error;
    },
    () => performance.now(),
  );
  await holders.search();
  assertEquals(holders.of(inode)?.pid, Deno.pid);
  isToClose = true;
  await holders.search();
  assert(!isToClose);
  assertEquals([holders.of(inode), holders.last(inode)?.pid], [undefined, Deno.pid]);
  assert(holders.knows(inode, Deno.pid));
  await holders.close();
});

/** Holds some thousand descriptors that are no listener's in each of four processes, beside one. */
const HOLDERS = `
import resource
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
def serve():
    global server
    server = socket.create_server(("127.0.0.1", 4438))
child(serve)
print(0, flush=True)
signal.pause()
`;

await namespaceTest("ListenerWatch never holds up the event loop", async () => {
  await using namespace = await Namespace.create();
  const { pid } = await started(namespace, HOLDERS);
  const netns = await netnsOf(pid);
  const usedMs = () => Number(clockNs("thread")) / 1e6;
  let longestMs = 0;
  let turns = 0;
  const beginMs = usedMs();
  let lastMs = beginMs;
  const timer = setInterval(() => {
    // What the machine gives to others meanwhile is none of its time.
    const nowMs = usedMs();
    longestMs = Math.max(longestMs, nowMs - lastMs);
    lastMs = nowMs;
    turns++;
  });
  const watch = await watching();
  clearInterval(timer);
  const wholeMs = usedMs() - beginMs;
  assert(whoIs(watch, netns, "127.0.0.1", 4438) !== undefined);
  await watch.close();
  // 80,000 descriptors take 300 ms and more, on a busy machine far more, and so does each part of it.
  assertGreater(turns, 10);
  assertGreater(turns, wholeMs / 10);
  assertLess(longestMs, wholeMs / 5);
});
