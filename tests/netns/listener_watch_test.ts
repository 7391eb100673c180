// Who listens on the running kernel, by netlink and /proc.
import { assert, assertEquals, assertGreater, assertLess } from "@std/assert";
import { TextLineStream } from "@std/streams";
import { clockNs } from "../../src/linux/libc.ts";
import { ListenerWatch } from "../../src/linux/listeners/listener_watch.ts";
import { LocalAddresses } from "../../src/linux/netns/local_addresses.ts";
import { Places } from "../../src/linux/capture/places.ts";
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
  let lastMs = usedMs();
  const timer = setInterval(() => {
    // What the machine gives to others meanwhile is none of its time.
    const nowMs = usedMs();
    longestMs = Math.max(longestMs, nowMs - lastMs);
    lastMs = nowMs;
    turns++;
  });
  const watch = await watching();
  clearInterval(timer);
  assert(whoIs(watch, netns, "127.0.0.1", 4438) !== undefined);
  await watch.close();
  // 80,000 descriptors take 300 ms and more.
  assertGreater(turns, 10);
  assertLess(longestMs, 10);
});
