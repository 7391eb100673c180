// Whose a handshake is: real processes that listen and connect in ways that make it hard to say.
import { assert, assertEquals, assertMatch } from "@std/assert";
import { TextLineStream } from "@std/streams";
import { findExecutable } from "../../src/linux/host.ts";
import type { HandshakeRecord } from "../../src/record/record.ts";
import { messageOf } from "../../src/text/message.ts";
import { lineReader } from "../line_reader.ts";
import {
  Namespace,
  namespaceTest,
  reasonAgainstNamespaces,
  skippableTest,
  until,
} from "./namespace.ts";
import { Tracer } from "./tracer.ts";

const SERVERS = new URL("who_servers.py", import.meta.url).pathname;
const URING_LISTENER = new URL("uring_listener.py", import.meta.url).pathname;
const ADDRESS = "10.78.0.1";
/** An address of nobody: who is sent an answer there does not send one back. */
const NOBODY = "10.78.0.99";
const FIRST_PORT = 24_001;
/** Cases, in the order of their ports. */
const CASES = [
  "daemon",
  "handed_over",
  "handed_over_and_kept",
  "heirs",
  "forks",
  "reuse_port",
  "bound_to_devices",
  "deferred",
  "full",
  "half_open",
  "activated",
  "one_closed",
  "by_thread",
] as const;
type Case = typeof CASES[number];
/** Those where a client can connect as usual. */
const PLAIN = CASES.filter((name) => !["deferred", "full", "half_open"].includes(name));
/** Connections until a process must have been found: each may come before it was looked for. */
const ROUNDS_MAX = 20;

type ProcessRecord = NonNullable<HandshakeRecord["client"]["process"]>;
type Named = Pick<ProcessRecord, "pid" | "comm" | "thread">;

function portOf(name: Case): number {
  return FIRST_PORT + CASES.indexOf(name);
}

/** What a record says of a process that a test can know before. */
function named(process: ProcessRecord | undefined): Named | undefined {
  if (process === undefined) return undefined;
  const { pid, comm, thread } = process;
  return thread ? { pid, comm, thread } : { pid, comm };
}

/** Servers in a namespace, and a client on a cable from another. */
interface Place extends AsyncDisposable {
  server: Namespace;
  client: Namespace;
  device: string;
}

async function makePlace(): Promise<Place> {
  const server = await Namespace.create();
  const client = await Namespace.create();
  const addresses = { here: `${ADDRESS}/24`, there: "10.78.0.2/24" };
  const [device] = await server.connect(client, addresses);
  return {
    server,
    client,
    device,
    async [Symbol.asyncDispose]() {
      await client[Symbol.asyncDispose]();
      await server[Symbol.asyncDispose]();
    },
  };
}

async function startServers(
  { server, device }: Place,
): Promise<{ child: Deno.ChildProcess; expected: Record<Case, Named | null> }> {
  const child = server.spawn(["python3", SERVERS, ADDRESS, device], {
    stdin: "piped",
    stdout: "piped",
    stderr: "inherit",
  });
  const lines = child.stdout.pipeThrough(new TextDecoderStream()).pipeThrough(new TextLineStream());
  for await (const line of lines) return { child, expected: JSON.parse(line) };
  throw new Error("Cannot go on: the servers said nothing");
}

function python(namespace: Namespace, script: string): Promise<string> {
  const imports = "import ctypes, os, socket, struct, sys, threading, time";
  return namespace.run("python3", "-c", `${imports}\n${script}`);
}

/** The records so far of connections to a port. */
function recordsAt(tracer: Tracer, port: number): HandshakeRecord[] {
  return tracer.lines.map((line) => JSON.parse(line))
    .filter((record) => record.event === "handshake" && record.server.port === port);
}

/** Waits for a record. */
async function recordOf(
  tracer: Tracer,
  isWanted: (record: HandshakeRecord) => boolean,
): Promise<HandshakeRecord> {
  let found: HandshakeRecord | undefined;
  await until("the record is written", () => {
    const records = tracer.lines.map((line) => JSON.parse(line));
    found = records.find((record) => record.event === "handshake" && isWanted(record));
    return found !== undefined;
  });
  return found!;
}

/** Connects once to each port, until each has named its process. */
async function connectUntilNamed(
  { client }: Place,
  tracer: Tracer,
  expected: Record<Case, Named | null>,
): Promise<void> {
  let missing: Case[] = [...PLAIN];
  for (let round = 0; round < ROUNDS_MAX && missing.length > 0; round++) {
    const ports = missing.map(portOf);
    const before = tracer.lines.length;
    await python(
      client,
      `for port in ${JSON.stringify(ports)}:
    socket.create_connection(("${ADDRESS}", port)).close()`,
    );
    await tracer.wrote(before + ports.length);
    missing = missing.filter((name) => {
      const found = recordsAt(tracer, portOf(name)).map(({ server }) => named(server.process));
      const right = expected[name] ?? undefined;
      for (const each of found) {
        if (each !== undefined) assertEquals(each, right, name);
      }
      // Where nobody may be named, some connections more would show it.
      return right === undefined ? found.length < 5 : found.every((each) => each === undefined);
    });
  }
  assertEquals(missing, [], "not named");
}

/** A SYN from an address of nobody. */
function halfOpen({ client }: Place): Promise<string> {
  return python(
    client,
    `
source, destination = socket.inet_aton("${NOBODY}"), socket.inet_aton("${ADDRESS}")
def tcp(checksum):
    return struct.pack("!HHIIBBHHH", 40000, ${
      portOf("half_open")
    }, 7, 0, 0x50, 2, 1000, checksum, 0)
words = source + destination + struct.pack("!BBH", 0, 6, 20) + tcp(0)
total = sum(struct.unpack("!%dH" % (len(words) // 2), words))
while total >> 16: total = (total & 0xffff) + (total >> 16)
ip = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 40, 1, 0, 64, 6, 0, source, destination)
raw = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW)
raw.sendto(ip + tcp(total ^ 0xffff), ("${ADDRESS}", 0))`,
  );
}

for (const order of ["before", "after"] as const) {
  await namespaceTest(
    `trace names who listens, or nobody, where they began ${order} it`,
    async () => {
      await using place = await makePlace();
      const { server, client, device } = place;
      await server.ip("neigh", "add", NOBODY, "lladdr", "02:00:00:00:00:99", "dev", device);
      const options = ["--json", "--port", CASES.map(portOf).join()];
      let servers = order === "before" ? await startServers(place) : undefined;
      const tracer = await Tracer.ready(server, options);
      servers ??= await startServers(place);
      const { child, expected } = servers;
      // Which thread called listen() before it was seen, nobody tells any more.
      if (order === "before") delete expected.by_thread!.thread;
      await connectUntilNamed(place, tracer, expected);
      // Of two that are bound to interfaces the one takes what is for the loopback's own address, the other
      // what is for the cable's, even where that comes over the loopback.
      const boundPort = portOf("bound_to_devices");
      for (const [address, comm] of [["127.0.0.1", "on-loopback"], [ADDRESS, "on-cable"]]) {
        await python(server, `socket.create_connection(("${address}", ${boundPort})).close()`);
        const { server: end } = await recordOf(
          tracer,
          ({ server, client }) => server.port === boundPort && client.address === address,
        );
        assertEquals(end.process?.comm, comm);
      }
      // The client of a listener that waits for data sends none: its record does not wait for that.
      const waiting = client.spawn(
        [
          ...["python3", "-c"],
          `import socket, sys
one = socket.create_connection(("${ADDRESS}", ${portOf("deferred")}))
sys.stdin.read()`,
        ],
        { stdin: "piped" },
      );
      const deferred = await recordOf(tracer, ({ server }) => server.port === portOf("deferred"));
      assertEquals(named(deferred.server.process), expected.deferred!);
      await waiting.stdin.close();
      await waiting.status;
      // One connection may wait; the SYNs of the others are dropped.
      await python(
        client,
        `
waiting = [socket.socket() for _ in range(4)]
for one in waiting:
    one.setblocking(False)
    one.connect_ex(("${ADDRESS}", ${portOf("full")}))
    time.sleep(0.05)`,
      );
      await halfOpen(place);
      await recordOf(tracer, ({ server }) => server.port === portOf("full"));
      const { records } = await tracer.stop();
      const full = records.filter(({ server }) => server.port === portOf("full"));
      assertEquals(full.length, 4);
      assert(full.some(({ outcome }) => outcome !== "established"), "no queue was full");
      for (const { server } of full) assertEquals(named(server.process), expected.full!);
      const open = records.filter(({ server }) => server.port === portOf("half_open"));
      assertEquals(open.map(({ outcome, server }) => [outcome, named(server.process)]), [
        ["half_open", expected.half_open!],
      ]);
      await child.stdin.close();
      await child.status;
    },
  );
}

await namespaceTest(
  "trace names a client's process and thread, also where they are gone",
  async () => {
    await using namespace = await Namespace.create();
    const port = FIRST_PORT;
    const tracer = await Tracer.ready(namespace, ["--json", "--port", String(port)]);
    const told = await python(
      namespace,
      `
def name(text): open("/proc/thread-self/comm", "w").write(text)
server = socket.create_server(("127.0.0.1", ${port}))
def connect(): socket.create_connection(("127.0.0.1", ${port})).close()
def once(body):
    pid = os.fork()
    if pid == 0:
        body()
        os._exit(0)
    os.waitpid(pid, 0)
    return pid
tids = os.pipe()
def threaded():
    name("who-client")
    def run():
        name("who-thread")
        os.write(tids[1], b"%d" % threading.get_native_id())
        connect()
    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
def plain():
    name("plain")
    connect()
print(once(threaded), os.read(tids[0], 9).decode(), once(plain))`,
    );
    const [threaded, tid, plain] = told.split(" ").map(Number);
    await tracer.wrote(2);
    const { records } = await tracer.stop();
    // Each is written once it is known who listened.
    records.sort((a, b) => a.time < b.time ? -1 : 1);
    assertEquals(records.map(({ client }) => named(client.process)), [
      { pid: threaded, comm: "who-client", thread: { tid, comm: "who-thread" } },
      { pid: plain, comm: "plain" },
    ]);
  },
);

/** Why the running kernel cannot make more than one path of a connection; undefined where it can. */
async function reasonAgainstPaths(): Promise<string | undefined> {
  const reason = await reasonAgainstNamespaces();
  if (reason !== undefined) return reason;
  await using namespace = await Namespace.create();
  try {
    await namespace.ip("mptcp", "limits", "set", "subflows", "2");
    return undefined;
  } catch (error) {
    return messageOf(error).trim().split("\n").at(-1);
  }
}

skippableTest(
  "trace names no worker of the kernel that adds a path to a connection (MPTCP)",
  await reasonAgainstPaths(),
  async () => {
    await using place = await makePlace();
    const { server, client } = place;
    const port = FIRST_PORT;
    await client.ip("address", "add", "10.78.0.3/24", "dev", "veth0");
    for (const end of [server, client]) await end.ip("mptcp", "limits", "set", "subflows", "2");
    await client.ip("mptcp", "endpoint", "add", "10.78.0.3", "dev", "veth0", "subflow");
    const tracer = await Tracer.ready(server, ["--json", "--port", String(port)]);
    const serving = server.spawn(
      [
        ...["python3", "-c"],
        `import socket
server = socket.socket(socket.AF_INET, socket.SOCK_STREAM, 262)
server.bind(("${ADDRESS}", ${port}))
server.listen()
print("ready", flush=True)
one = server.accept()[0]
while one.recv(9): one.send(b"x")`,
      ],
      { stdout: "piped" },
    );
    // The whole line: whoever writes it in two parts would find its reader gone.
    const lines = serving.stdout.pipeThrough(new TextDecoderStream())
      .pipeThrough(new TextLineStream());
    for await (const _ of lines) break;
    const connecting = client.spawn(
      [
        ...["python3", "-c"],
        `import socket, sys
one = socket.socket(socket.AF_INET, socket.SOCK_STREAM, 262)
one.connect(("${ADDRESS}", ${port}))
one.send(b"x"); one.recv(9)
one.send(b"x"); one.recv(9)
sys.stdin.read()`,
      ],
      { stdin: "piped" },
    );
    await tracer.wrote(2);
    await connecting.stdin.close();
    await connecting.status;
    const { records } = await tracer.stop();
    // Each is written once it is known who listened, which of the second may be so first.
    records.sort((a, b) => a.time < b.time ? -1 : 1);
    const who = records.map(({ client }) => [client.address, client.process !== undefined]);
    assertEquals(who, [["10.78.0.2", true], ["10.78.0.3", false]]);
    for (const { server } of records) assert(server.process !== undefined);
  },
);

const noNft = findExecutable("nft") === undefined ? "no nft" : undefined;
skippableTest(
  "trace names no other listener where a packet filter gives connections to a proxy (TPROXY)",
  noNft ?? await reasonAgainstNamespaces(),
  async () => {
    await using place = await makePlace();
    const { server, client } = place;
    const [port, proxyPort] = [FIRST_PORT, FIRST_PORT + 1];
    await client.ip("route", "add", "10.99.0.0/16", "via", ADDRESS);
    await server.ip("rule", "add", "fwmark", "1", "lookup", "100");
    await server.ip("route", "add", "local", "0.0.0.0/0", "dev", "lo", "table", "100");
    await server.run(
      ...[
        "nft",
        "add table ip m; add chain ip m p { type filter hook prerouting priority -150; };",
      ],
      `add rule ip m p ip daddr 10.99.0.0/16 tcp dport ${port} ` +
        `tproxy to :${proxyPort} meta mark set 1 accept`,
    );
    const listening = server.spawn(
      [
        ...["python3", "-c"],
        `import os, signal, socket
def listen(comm, port, transparent):
    if os.fork() == 0:
        signal.alarm(100)
        open("/proc/self/comm", "w").write(comm)
        sock = socket.socket()
        if transparent: sock.setsockopt(socket.SOL_IP, 19, 1)
        sock.bind(("0.0.0.0", port))
        sock.listen()
        print(comm, flush=True)
        while True: sock.accept()[0].close()
listen("proxy", ${proxyPort}, True)
listen("web", ${port}, False)
os.wait()`,
      ],
      { stdout: "piped" },
    );
    const lines = lineReader(listening.stdout);
    await lines.read();
    await lines.read();
    const tracer = await Tracer.ready(server, ["--json", "--port", `${port},${proxyPort}`]);
    for (const [at, toPort] of [["10.99.1.1", port], [ADDRESS, proxyPort]] as const) {
      await python(client, `socket.create_connection(("${at}", ${toPort})).close()`);
    }
    await tracer.wrote(2);
    const { records } = await tracer.stop();
    const comms = records.map(({ server }) => server.process?.comm);
    // Function probes see which socket took it; else nobody is named.
    assert(comms[0] === undefined || comms[0] === "proxy", comms[0]);
    assertEquals(comms[1], "proxy");
  },
);

const URING_PORT = 24_440;

/** Why nothing can listen by io_uring here; undefined where it can. */
async function reasonAgainstUring(how: string): Promise<string | undefined> {
  const { stdout } = await new Deno.Command("python3", {
    args: [URING_LISTENER, "0", how],
    stdin: "null",
  }).output();
  const said = new TextDecoder().decode(stdout).trim();
  return said === "ready" ? undefined : `io_uring does not listen here: ${said}`;
}

for (const how of ["inline", "worker"]) {
  skippableTest(
    `trace names who listens by io_uring, ${how}`,
    await reasonAgainstNamespaces() ?? await reasonAgainstUring(how),
    async () => {
      await using namespace = await Namespace.create();
      const tracer = await Tracer.ready(namespace, ["--json", "--port", String(URING_PORT)]);
      const child = namespace.spawn(["python3", URING_LISTENER, String(URING_PORT), how], {
        stdin: "piped",
        stdout: "piped",
      });
      const said = lineReader(child.stdout);
      await said.read();
      let last: HandshakeRecord | undefined;
      for (let round = 1; round <= ROUNDS_MAX && !last?.server.process; round++) {
        await python(
          namespace,
          `socket.create_connection(("127.0.0.1", ${URING_PORT})).close()`,
        );
        await until("a record", () => recordsAt(tracer, URING_PORT).length === round);
        last = recordsAt(tracer, URING_PORT).at(-1);
      }
      const { pid, comm, thread } = last!.server.process!;
      assertEquals([pid, comm], [child.pid, "python3"]);
      // A thread that the kernel made for the process called listen() there.
      if (how === "worker") assertMatch(thread?.comm ?? "", /^iou-wrk-/);
      else assertEquals(thread, undefined);
      await child.stdin.close();
      await said.cancel();
      await child.status;
      await tracer.stop();
    },
  );
}
