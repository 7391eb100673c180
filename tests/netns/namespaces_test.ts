// What happens in other network namespaces, as one trace sees it that captures there too.
// Covers src/linux/capture/capture_site.ts
// Covers src/linux/cgroup_paths.ts
// Covers src/linux/netns/netns_names.ts
// Covers src/linux/open_files.ts
// Covers src/linux/capture/wire_source.ts
import { assert, assertEquals, assertMatch, assertRejects, assertThrows } from "@std/assert";
import { TextLineStream } from "@std/streams";
import { CaptureScope } from "../../src/linux/capture/capture_scope.ts";
import { LocalAddresses } from "../../src/linux/netns/local_addresses.ts";
import { SystemCallError } from "../../src/linux/libc.ts";
import {
  isMounted,
  namespaceOfProcess,
  scanNamespaces,
} from "../../src/linux/netns/namespace_scan.ts";
import { NetnsNames } from "../../src/linux/netns/netns_names.ts";
import { NetworkNamespace } from "../../src/linux/netns/network_namespace.ts";
import { nameOf } from "../../src/linux/system_names.ts";
import type { HandshakeRecord } from "../../src/record/record.ts";
import { parseAddress } from "../../src/wire/address.ts";
import { inNamespace, Namespace, namespaceTest, until } from "./namespace.ts";
import { MAIN, Tracer } from "./tracer.ts";

/** Each test has a network of its own, for the kernel tells of every namespace of the machine. */
const PORT = 4471;

/** Accepts for ever on the addresses given. */
const SERVER = `
import selectors, socket, sys
selector = selectors.DefaultSelector()
for address in sys.argv[2:]:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    server = socket.create_server((address, int(sys.argv[1])), family=family)
    selector.register(server, selectors.EVENT_READ)
print("ready", flush=True)
while True:
    for key, _ in selector.select():
        key.fileobj.accept()[0].close()
`;

/** Connects to an address and port, from a port if one is given. */
const CLIENT = `
import socket, sys
client = socket.socket(socket.AF_INET)
client.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
if len(sys.argv) > 3:
    client.bind((sys.argv[1], int(sys.argv[3])))
client.connect((sys.argv[1], int(sys.argv[2])))
client.recv(1)
`;

/** Starts a server in a namespace and waits until it listens. @returns Its process id. */
async function serve(namespace: Namespace, ...addresses: string[]): Promise<number> {
  const command = ["python3", "-c", SERVER, String(PORT), ...addresses];
  const server = namespace.spawn(command, { stdout: "piped", stderr: "inherit" });
  const lines = server.stdout.pipeThrough(new TextDecoderStream())
    .pipeThrough(new TextLineStream());
  for await (const line of lines) {
    assertEquals(line, "ready");
    break;
  }
  return server.pid;
}

function connect(namespace: Namespace, address: string, ...port: number[]): Promise<string> {
  return namespace.run("python3", "-c", CLIENT, address, String(PORT), ...port.map(String));
}

function inodeOf({ name }: Namespace): number {
  return Deno.statSync(`/run/netns/${name}`).ino!;
}

/** What the tool says and how it ends where it does not begin. */
async function refusal(
  namespace: Namespace,
  command: readonly string[],
): Promise<{ code: number; stderr: string }> {
  const child = namespace.spawn(command, { stdout: "piped", stderr: "piped" });
  const { code, stderr } = await child.output();
  return { code, stderr: new TextDecoder().decode(stderr) };
}

const TRACE = [Deno.execPath(), "run", "--quiet", "-A", MAIN, "trace"];

function established(records: readonly HandshakeRecord[]): HandshakeRecord[] {
  return records.filter(({ outcome }) => outcome === "established");
}

await namespaceTest(
  "trace --netns by name and by process joins both ends from a third namespace",
  async () => {
    await using third = await Namespace.create();
    await using clientSide = await Namespace.create();
    await using serverSide = await Namespace.create();
    const interfaces = await clientSide.connect(serverSide, {
      here: "10.78.1.1/24",
      there: "10.78.1.2/24",
    });
    const server = await serve(serverSide, "10.78.1.2", "127.0.0.1");
    const tracer = await Tracer.ready(third, [
      ...["--json", "--netns", `${clientSide.name},${server}`],
      ...["--host", "10.78.1.0/24"],
    ]);
    for (let i = 0; i < 20; i++) await connect(clientSide, "10.78.1.2");
    await tracer.wrote(20);
    const { records, summary, status } = await tracer.stop();
    assertEquals(status.code, 0);
    assertEquals(records.length, 20);
    for (const record of records) {
      assertEquals([record.role, record.outcome], ["local", "established"]);
      assertEquals(record.evidence, ["wire", "kernel"]);
      assertEquals(record.network.interface, interfaces[0]);
      assertEquals(record.network.interfaces, interfaces);
      assertEquals(record.network.netns, inodeOf(clientSide));
      assertEquals(record.client.process?.comm, "python3");
      assertEquals(record.server.process?.pid, server);
      // Seen twice, counted once, and all times from where the SYN came first.
      assertEquals(record.packets, { syn: 1, syn_ack: 1, rst: 0 });
      const { client_ns, server_ns, total_ns } = record.rtt;
      assertEquals(client_ns! + server_ns!, total_ns);
    }
    assertEquals(summary?.losses.ring_packets, 0);
    assertEquals(summary?.losses.refused_namespaces, 0);
  },
);

await namespaceTest(
  "trace --netns all takes a namespace made later and lets go of it",
  async () => {
    await using here = await Namespace.create();
    const tracer = await Tracer.ready(here, ["--json", "--netns", "all", "--host", "10.78.2.0/24"]);
    const later = await Namespace.create();
    const words = `the network namespace "${later.name}" \\(${inodeOf(later)}\\)`;
    let there: string;
    try {
      await tracer.said(new RegExp(`capturing in ${words} too`));
      [there] = await later.connect(here, { here: "10.78.2.1/24", there: "10.78.2.2/24" });
      await serve(here, "10.78.2.2");
      await connect(later, "10.78.2.2");
      await tracer.wrote(1);
    } finally {
      await later[Symbol.asyncDispose]();
    }
    await tracer.said(new RegExp(`${words} is gone`));
    // The kernel takes the cable away with the namespace, which nothing holds any more. It takes one
    // namespace after the other away, so this waits for all that anybody on the machine has left.
    await until(
      "the cable is gone",
      async () => !(await here.ip("link", "show")).includes("veth0"),
    );
    const { records } = await tracer.stop();
    const [record] = established(records);
    assertEquals(record.evidence, ["wire", "kernel"]);
    assertEquals(record.network.interface, there);
    assertEquals(record.role, "local");
  },
);

await namespaceTest("trace --netns tells one tuple in two namespaces apart", async () => {
  await using here = await Namespace.create();
  await using first = await Namespace.create();
  await using second = await Namespace.create();
  const address = "10.78.3.1";
  const from = 4_472;
  for (const namespace of [first, second]) {
    await namespace.ip("address", "add", `${address}/32`, "dev", "lo");
    await serve(namespace, address);
  }
  // In the first namespace nothing answers for now, so its handshake is open while the second's runs.
  await first.run("nft", "add", "table", "inet", "shut");
  await first.run(
    ...["nft", "add", "chain", "inet", "shut", "in", "{ type filter hook input priority 0 ; }"],
  );
  await first.run("nft", "add", "rule", "inet", "shut", "in", "tcp", "dport", `${PORT}`, "drop");
  const tracer = await Tracer.ready(here, [
    ...["--json", "--netns", `${first.name},${second.name}`, "--host", address],
  ]);
  const slow = connect(first, address, from);
  await until(
    "the first client waits",
    async () => (await first.run("ss", "-Htan", "state", "syn-sent")).includes(`:${PORT}`),
  );
  await connect(second, address, from);
  await first.run("nft", "flush", "ruleset");
  await slow;
  await tracer.wrote(2);
  const { records } = await tracer.stop();
  const [quick, late] = established(records).toSorted((a, b) => a.packets.syn - b.packets.syn);
  for (const record of [quick, late]) {
    assertEquals([record.client.address, record.client.port], [address, from]);
    assertEquals([record.server.address, record.server.port], [address, PORT]);
    assertEquals(record.evidence, ["wire", "kernel"]);
    assertEquals(record.network.interface, "lo");
  }
  assertEquals([quick.network.netns, late.network.netns], [inodeOf(second), inodeOf(first)]);
  assertEquals(quick.packets, { syn: 1, syn_ack: 1, rst: 0 });
  assert(late.packets.syn > 1);
  assertEquals(late.packets.syn_ack, 1);
  assert(quick.client.isn !== late.client.isn);
  assert(quick.client.process!.pid !== late.client.process!.pid);
  assert(quick.server.process!.pid !== late.server.process!.pid);
});

await namespaceTest("trace --interface with --netns means the name in each namespace", async () => {
  await using here = await Namespace.create();
  await using there = await Namespace.create();
  await there.ip("link", "add", "only7", "type", "veth", "peer", "name", "other7");
  await there.ip("address", "add", "10.78.4.1/32", "dev", "lo");
  const args = ["--probes", "none", "--netns", there.name, "--json"];
  const { code, stderr } = await refusal(here, [...TRACE, ...args, "--interface", "only8"]);
  assertEquals(code, 2);
  assertMatch(
    stderr,
    /^synsnoop: Cannot use --interface "only8": there are lo, other7, only7; [^\n]+\n$/,
  );

  // The own namespace has none of that name, which is no error.
  const tracer = await Tracer.start(here, [...args, "--interface", "only7", "--duration", "1s"]);
  await serve(there, "10.78.4.1");
  await connect(there, "10.78.4.1");
  const { records, status } = await tracer.ended();
  assertEquals([records, status.code], [[], 0]);

  const onLoopback = await Tracer.start(here, [...args, "--interface", "lo"]);
  await connect(there, "10.78.4.1");
  await onLoopback.wrote(1);
  const [record] = (await onLoopback.stop()).records;
  // Packets tell the place; without the kernel's side that is where the namespace comes from.
  assertEquals(record.network, {
    type: "ipv4",
    interface: "lo",
    netns: inodeOf(there),
    community_id: record.network.community_id!,
  });
  assertEquals(record.role, "local");
});

await namespaceTest("trace --interface takes one that comes after its namespace", async () => {
  await using here = await Namespace.create();
  await using there = await Namespace.create();
  await using later = await Namespace.create();
  const make = (namespace: Namespace) =>
    namespace.ip("link", "add", "only7", "type", "veth", "peer", "name", "other7");
  await make(there);
  const tracer = await Tracer.start(here, [
    ...["--json", "--probes", "none", "--interface", "only7"],
    ...["--netns", `${there.name},${later.name}`],
  ]);
  assert(!tracer.stderr.some((line) => line.includes(later.name)));
  await make(later);
  await tracer.said(
    new RegExp(`"only7" in .* "${later.name}" \\(\\d+\\) is there now: capturing on`),
  );
  assertEquals((await tracer.stop()).summary?.losses.refused_namespaces, 0);
});

await namespaceTest(
  "trace tells namespace and cgroup of what only the kernel saw elsewhere",
  async () => {
    await using here = await Namespace.create();
    await using there = await Namespace.create();
    await there.ip("address", "add", "10.78.5.1/32", "dev", "lo");
    await serve(there, "10.78.5.1");
    const folder = `synsnoop-test-${Deno.pid}`;
    const hierarchy = "/sys/fs/cgroup";
    // `ip netns exec` mounts a /sys of its own, which has no cgroups, for the command alone.
    const mount = `mount -t cgroup2 none ${hierarchy}`;
    const wrap = ["sh", "-c", `${mount} && exec "$@"`, "sh"];
    const tracer = await Tracer.ready(here, ["--json", "--host", "10.78.5.1"], wrap);
    try {
      const enter = `${mount} && mkdir -p "${hierarchy}/${folder}/pod a" &&
        echo $$ > "${hierarchy}/${folder}/pod a/cgroup.procs" && exec "$@"`;
      const client = ["python3", "-c", CLIENT, "10.78.5.1", String(PORT)];
      await there.run("sh", "-c", enter, "sh", ...client);
      await tracer.wrote(1);
    } finally {
      const remove = `rmdir "${hierarchy}/${folder}/pod a" ${hierarchy}/${folder}`;
      await there.run("sh", "-c", `${mount} && ${remove}`);
    }
    await tracer.said(
      /^synsnoop: handshakes in another network namespace are seen by the kernel alone; --netns all captures them$/,
    );
    const { records: [record], summary } = await tracer.stop();
    assertEquals(summary?.losses.uncaptured_handshakes, 1);
    assertEquals(record.evidence, ["kernel"]);
    assertEquals(record.network.netns, inodeOf(there));
    assertEquals(record.network.interface, undefined);
    assertEquals(record.client.process?.cgroup_path, `/${folder}/pod a`);
  },
);

await namespaceTest(
  "CgroupPaths finds paths with and without the right to open by id",
  async () => {
    await using namespace = await Namespace.create();
    const module = new URL("../../src/linux/cgroup_paths.ts", import.meta.url);
    const folder = `/sys/fs/cgroup/synsnoop-paths-${Deno.pid}`;
    const script = `
    import { CgroupPaths } from "${module}";
    using paths = new CgroupPaths();
    const { ino } = Deno.statSync("${folder}/a b");
    console.log(JSON.stringify([paths.of(ino), paths.of(1), paths.of(2 ** 40)]));
    Deno.removeSync("${folder}/a b");
    // As it was when it was there.
    console.log(JSON.stringify(paths.of(ino)));
  `;
    const cannotOpen = [
      "setpriv",
      "--bounding-set=-dac_read_search",
      "--inh-caps=-dac_read_search",
    ];
    for (const wrap of [[], cannotOpen]) {
      const printed = await namespace.run(
        ...[
          "sh",
          "-c",
          `mount -t cgroup2 none /sys/fs/cgroup && mkdir -p "${folder}/a b" && "$@"
        status=$?; rmdir "${folder}"; exit $status`,
        ],
        ...["sh", ...wrap, Deno.execPath(), "eval", "--quiet", "--no-config", script],
      );
      const path = folder.replace("/sys/fs/cgroup", "") + "/a b";
      assertEquals(printed.trim().split("\n").map((line) => JSON.parse(line)), [
        [path, "/", null],
        path,
      ]);
    }
  },
);

await namespaceTest("trace captures in as many namespaces as files may be open", async () => {
  await using here = await Namespace.create();
  const wanted = await Promise.all(Array.from({ length: 12 }, () => Namespace.create()));
  try {
    const names = wanted.map(({ name }) => name).join();
    const args = ["--json", "--probes", "none", "--netns", names];
    const tracer = await Tracer.start(here, args, {}, ["prlimit", "--nofile=120:120"]);
    await serve(here, "127.0.0.1");
    await here.run("python3", "-c", CLIENT, "127.0.0.1", String(PORT));
    await tracer.wrote(1);
    const { records, summary, stderr, status } = await tracer.stop();
    assertEquals([status.code, records.map(({ outcome }) => outcome)], [0, ["established"]]);
    const refused = summary!.losses.refused_namespaces!;
    const [begins] = stderr;
    const [, captured] = /all interfaces of (\d+) network namespaces$/.exec(begins)!;
    assertEquals(Number(captured) - 1 + refused, wanted.length, begins);
    const others = Number(captured) - 1;
    assert(others > 0 && refused > 0, begins);
    const sentence = `: ${others === 1 ? "1 other is" : `${others} others are`} captured, ` +
      "as many as files may be open: raise that limit (ulimit -n)";
    assertEquals(stderr.filter((line) => line.endsWith(sentence)).length, refused);
  } finally {
    for (const namespace of wanted) await namespace[Symbol.asyncDispose]();
  }
});

Deno.test("trace, top and explain begin nothing where too few files may be open", async () => {
  for (const args of [["trace"], ["top", "--interval", "1s"], ["explain"]]) {
    const { code, stdout, stderr } = await new Deno.Command("prlimit", {
      args: ["--nofile=40:40", Deno.execPath(), "run", "--quiet", "-A", MAIN, ...args],
      stdin: "null",
    }).output();
    assertEquals([code, stdout.length], [1, 0], args[0]);
    assertMatch(
      new TextDecoder().decode(stderr),
      /^synsnoop: Cannot go on: \d+ more files? may be open, and a trace takes 24 at least: raise that limit \(ulimit -n\)\n$/,
    );
  }
});

await namespaceTest("CaptureScope takes so many and the next when one is gone", async () => {
  await using here = await Namespace.create();
  const wanted = [await Namespace.create(), await Namespace.create(), await Namespace.create()];
  const inodes = wanted.map(inodeOf);
  const names = wanted.map(({ name }) => name);
  const scope = inNamespace(here.name, () => new CaptureScope([], names, { othersMax: 2 }));
  try {
    const [own, ...others] = scope.sites.map(({ namespace }) => namespace.inode);
    assertEquals([own, others.length, scope.refusals], [inodeOf(here), 2, 1]);
    const left = inodes.findIndex((inode) => !others.includes(inode));
    assertEquals(scope.look()?.refused, [
      `Cannot capture in the network namespace "${names[left]}" (${inodes[left]}): ` +
      "2 others are captured",
    ]);
    const gone = inodes.indexOf(others[0]);
    await wanted.splice(gone, 1)[0][Symbol.asyncDispose]();
    const seen: number[] = [];
    await until("one goes and one comes", async () => {
      const changes = scope.look();
      for (const site of [changes?.gone, changes?.came]) {
        if (site) seen.push(site.namespace.inode);
      }
      await changes?.gone?.close();
      return seen.length === 2;
    });
    assertEquals([seen, scope.refusals], [[inodes[gone], inodes[left]], 0]);
  } finally {
    await Promise.all(scope.sites.map((site) => site.close()));
    for (const namespace of wanted) await namespace[Symbol.asyncDispose]();
  }
});

await namespaceTest(
  "LocalAddresses has the addresses of each namespace, as long as it is there",
  async () => {
    await using left = await Namespace.create();
    await using right = await Namespace.create();
    const addresses = new LocalAddresses();
    const [own, other] = [left, right].map(({ name }) =>
      NetworkNamespace.open(`/run/netns/${name}`)
    );
    const has = (text: string) => addresses.has(parseAddress(text)!, 0);
    const found = () => ["192.0.2.1", "192.0.2.2", "2001:db8::2"].map(has);
    for (const address of ["192.0.2.1/32", "192.0.2.2/32"]) {
      await left.ip("address", "add", address, "dev", "lo");
    }
    await right.ip("address", "add", "192.0.2.1/32", "dev", "lo");
    addresses.add(own);
    addresses.add(other);
    assertEquals(found(), [true, true, false]);
    await right.ip("address", "add", "2001:db8::2/128", "dev", "lo", "nodad");
    // Not again so soon, unless there is a reason.
    addresses.refresh();
    assertEquals(found(), [true, true, false]);
    addresses.markStale(inodeOf(right));
    addresses.refresh();
    assertEquals(found(), [true, true, true]);
    addresses.remove(own);
    assertEquals(found(), [true, false, true]);
    addresses.remove(other);
    assertEquals(found(), [false, false, false]);
    assert(has("127.0.0.1") && has("::1"));
    own[Symbol.dispose]();
    other[Symbol.dispose]();
  },
);

await namespaceTest("trace --netns refuses what it cannot enter, in one line", async () => {
  await using namespace = await Namespace.create();
  const gone = new Deno.Command("true").spawn();
  await gone.status;
  const cases: { target: string; says: RegExp }[] = [
    { target: "no-such", says: /Cannot use --netns "no-such": no network namespace has that name/ },
    { target: String(gone.pid), says: /no process that id; there are .*, or give all\n$/ },
    { target: "../../proc/1/ns/net", says: /Cannot use --netns "\.\.\/\.\./ },
  ];
  for (const { target, says } of cases) {
    const { code, stderr } = await refusal(namespace, [...TRACE, "--netns", target]);
    assertEquals(code, 2, stderr);
    assertMatch(stderr, /^synsnoop: [^\n]+\n$/);
    assertMatch(stderr, says);
  }
  const unable = ["setpriv", "--bounding-set=-sys_admin", "--inh-caps=-sys_admin"];
  const { code, stderr } = await refusal(namespace, [
    ...unable,
    ...[...TRACE, "--netns", namespace.name],
  ]);
  assertEquals(code, 3, stderr);
  assertMatch(stderr, /^synsnoop: Cannot call setns\(.*\): EPERM, run as root[^\n]*\n$/);
});

await namespaceTest("NetworkNamespace.run goes in and comes back, whatever happens", async () => {
  await using namespace = await Namespace.create();
  const path = `/run/netns/${namespace.name}`;
  const outside = NetworkNamespace.own();
  const names = () => new Set(Deno.networkInterfaces().map(({ address }) => address)).size;
  const inode = () => NetworkNamespace.own().inode;
  const before = names();
  const inside = NetworkNamespace.open(path);
  assertEquals(inside.inode, inodeOf(namespace));
  assertEquals([inside.run(inode), outside.run(inode)], [inside.inode, outside.inode]);
  assertThrows(
    () =>
      inside.run(() => {
        throw new Error("inside");
      }),
    Error,
    "inside",
  );
  assertEquals([inode(), names()], [outside.inode, before]);
  inside[Symbol.dispose]();
  inside[Symbol.dispose]();
  assertThrows(() => inside.run(inode), SystemCallError, "EBADF");
  assertThrows(() => NetworkNamespace.open("/run/netns/no-such"), SystemCallError, "ENOENT");
  // Any other file can be opened, and not entered.
  using file = NetworkNamespace.open("/proc/self/ns/mnt");
  assertThrows(() => file.run(inode), SystemCallError, "EINVAL");
  assertEquals(inode(), outside.inode);
});

await namespaceTest("NetworkNamespace ends the process that finds no way back", async () => {
  await using namespace = await Namespace.create();
  const module = new URL("../../src/linux/netns/network_namespace.ts", import.meta.url);
  const libc = new URL("../../src/linux/libc.ts", import.meta.url);
  // The way back is an open file, which the operation closes.
  const script = `
    import { NetworkNamespace } from "${module}";
    import { libc } from "${libc}";
    const own = Deno.readLinkSync("/proc/self/ns/net");
    setTimeout(() => {
      NetworkNamespace.open("/run/netns/${namespace.name}").run(() => {
        for (const { name } of [...Deno.readDirSync("/proc/self/fd")]) {
          try {
            if (Deno.readLinkSync("/proc/self/fd/" + name) === own) libc().close(Number(name));
          } catch {
            // The folder's own descriptor.
          }
        }
      });
    });
    setTimeout(() => console.log("went on"), 1);
  `;
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["eval", "--quiet", "--no-config", script],
  }).output();
  assertEquals([code, new TextDecoder().decode(stdout)], [1, ""]);
  assertMatch(
    new TextDecoder().decode(stderr),
    /Cannot return to the own network namespace: EBADF; ending/,
  );
});

await namespaceTest("NetnsNames knows what `ip netns` calls a namespace", async () => {
  await using namespace = await Namespace.create();
  const names = new NetnsNames();
  const inode = inodeOf(namespace);
  assertEquals([names.of(inode), names.of(1)], [namespace.name, undefined]);
  // One that comes later is found within a second.
  await using later = await Namespace.create();
  await until("its name is known", () => names.of(inodeOf(later)) === later.name);
  assertEquals(names.of(inode), namespace.name);
});

await namespaceTest("scanNamespaces finds namespaces by name and by process", async () => {
  const named = await Namespace.create();
  const inode = inodeOf(named);
  const server = await serve(named, "127.0.0.1");
  assertEquals(namespaceOfProcess(server), inode);
  assertEquals(scanNamespaces().get(inode), {
    inode,
    path: nameOf(`/run/netns/${named.name}`),
    name: named.name,
    pid: undefined,
  });
  // The list of mounts may lack one while others on this machine change it.
  await until("its mount is listed", () => isMounted(inode));
  const ownInode = NetworkNamespace.own().inode;
  assert(
    scanNamespaces().has(ownInode),
    `${ownInode} is not in ${JSON.stringify([...scanNamespaces().keys()])}`,
  );

  await using other = await Namespace.create();
  // Without its name it is that of its process.
  await other.run("ip", "netns", "delete", named.name);
  await assertRejects(() => named.ip("link"));
  assertEquals(scanNamespaces().get(inode)?.pid, server);
  await until("its mount is gone", () => !isMounted(inode));
  Deno.kill(server, "SIGKILL");
  await until("it is gone", () => !scanNamespaces().has(inode));
  assertEquals(namespaceOfProcess(server), undefined);
});
