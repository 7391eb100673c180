// Which container a process is in, and what it is called, by the files of its runtime.
// Covers src/linux/containers.ts
import { assert, assertEquals } from "@std/assert";
import { TextLineStream } from "@std/streams";
import { Containers, type RuntimeFolders } from "../../src/linux/containers.ts";
import { Namespace, reasonAgainstNamespaces, skippableTest } from "./namespace.ts";
import { Tracer } from "./tracer.ts";

const ID = "3f9a".repeat(16);

/** Files of runtimes, made up, and what reads them with a clock of its own. */
class Runtimes implements AsyncDisposable {
  readonly paths = new Map<number, string>();
  readonly folders: RuntimeFolders;
  readonly containers: Containers;
  readonly #root: string;
  nowMs = 0;

  constructor(root = Deno.makeTempDirSync({ prefix: "synsnoop-containers-" })) {
    this.#root = root;
    this.folders = {
      dockerSettings: `${root}/daemon.json`,
      docker: `${root}/docker`,
      storage: [`${root}/overlay-containers`, `${root}/vfs-containers`],
      podLogs: `${root}/log`,
      nerdctl: `${root}/nerdctl`,
      users: `${root}/passwd`,
    };
    this.containers = new Containers((id) => this.paths.get(id), this.folders, () => this.nowMs);
  }

  async write(path: string, content: unknown): Promise<void> {
    const file = `${this.#root}/${path}`;
    await Deno.mkdir(file.slice(0, file.lastIndexOf("/")), { recursive: true });
    await Deno.writeTextFile(file, typeof content === "string" ? content : JSON.stringify(content));
  }

  /** What is known of a cgroup once it was looked up. */
  async of(cgroup: number, path?: string) {
    if (path !== undefined) this.paths.set(cgroup, path);
    this.containers.of(cgroup);
    await this.containers.settle();
    return this.containers.of(cgroup);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.containers.settle();
    await Deno.remove(this.#root, { recursive: true });
  }
}

const idOf = (digit: string) => digit.repeat(64);

Deno.test("Containers reads the names that each runtime keeps", async () => {
  await using runtimes = new Runtimes();
  await runtimes.write(`docker/containers/${idOf("a")}/config.v2.json`, { Name: "/web", ID: "x" });
  await runtimes.write("overlay-containers/containers.json", [
    null,
    { id: idOf("0"), names: "none" },
    { id: idOf("b"), names: ["db", "other"], layer: "x" },
  ]);
  await runtimes.write("overlay-containers/volatile-containers.json", [
    { id: idOf("c"), names: ["once"] },
  ]);
  const uid = "9f5d4c3b-1f2c-11e9-b015-1ebee232acfa";
  await runtimes.write("vfs-containers/containers.json", [
    { id: idOf("d"), names: [`k8s_nginx_web-7d_shop_${uid}_0`] },
  ]);
  await runtimes.write(`log/web-7d_shop_nginx-${idOf("e")}.log`, "");
  const cases: [path: string, name: string | undefined][] = [
    [`/system.slice/docker-${idOf("a")}.scope`, "web"],
    [`/machine.slice/libpod-${idOf("b")}.scope/container`, "db"],
    [`/machine.slice/libpod-${idOf("c")}.scope`, "once"],
    [`/kubepods/pod1/crio-${idOf("d")}`, "shop/web-7d/nginx"],
    [`/kubepods/pod1/${idOf("e")}`, "shop/web-7d/nginx"],
    [`/docker/${idOf("0")}`, undefined],
    // What a user says is no reason to call it by the name of another's.
    [`/user.slice/user-1000.slice/docker-${idOf("a")}.scope`, undefined],
  ];
  for (const [cgroup, [path, name]] of cases.entries()) {
    const id = /[0-9a-f]{64}/.exec(path)![0];
    assertEquals(await runtimes.of(cgroup, path), name === undefined ? { id } : { id, name }, path);
    assertEquals(runtimes.containers.isSought(cgroup), false);
  }
  assertEquals(await runtimes.of(10, "/lxc.payload.blue"), { name: "blue" });
  assertEquals(await runtimes.of(11, "/system.slice/ssh.service"), undefined);
});

Deno.test("Containers reads nerdctl's names, and what users keep below their homes", async () => {
  await using runtimes = new Runtimes();
  const home = runtimes.folders.docker.replace("/docker", "/home");
  await runtimes.write(
    "passwd",
    `root:x:0:0:root:/root:/bin/sh\nann:x:1000:1000::${home}/ann:/bin/sh\nbob:x:1001:1001::relative:\n`,
  );
  await runtimes.write("nerdctl/1935db59/names/default/web", idOf("a"));
  await runtimes.write("nerdctl/1935db59/names/k8s.io/db", `${idOf("b")}\n`);
  const storage = "home/ann/.local/share/containers/storage/overlay-containers/containers.json";
  await runtimes.write(storage, [{ id: idOf("c"), names: ["her own"] }]);
  await runtimes.write("home/ann/.local/share/nerdctl/1935db59/names/default/hers", idOf("d"));
  const user = "/user.slice/user-1000.slice/user@1000.service/user.slice";
  const cases: [path: string, name: string | undefined][] = [
    [`/system.slice/nerdctl-${idOf("a")}.scope`, "web"],
    [`/default/${idOf("b")}`, "db"],
    [`${user}/libpod-${idOf("c")}.scope/container`, "her own"],
    [`${user}/nerdctl-${idOf("d")}.scope`, "hers"],
    // A user's word is asked for nobody else's container, and nobody else's word for a user's.
    [`/machine.slice/libpod-${idOf("c")}.scope/container`, undefined],
    [`${user}/nerdctl-${idOf("a")}.scope`, undefined],
    [user.replaceAll("1000", "1001") + `/libpod-${idOf("c")}.scope`, undefined],
    [user.replaceAll("1000", "1002") + `/libpod-${idOf("c")}.scope`, undefined],
    [`/user.slice/libpod-${idOf("c")}.scope`, undefined],
  ];
  for (const [cgroup, [path, name]] of cases.entries()) {
    const id = /[0-9a-f]{64}/.exec(path)![0];
    assertEquals(await runtimes.of(cgroup, path), name === undefined ? { id } : { id, name }, path);
  }
});

Deno.test("Containers never waits: a name is told of once it was read", async () => {
  await using runtimes = new Runtimes();
  const { containers } = runtimes;
  await runtimes.write(`docker/containers/${ID}/config.v2.json`, { Name: "/web" });
  // Its folder is not known yet, then it is.
  assertEquals([containers.of(1), containers.isSought(1)], [undefined, false]);
  runtimes.paths.set(1, `/docker/${ID}`);
  assertEquals([containers.of(1), containers.isSought(1)], [{ id: ID }, true]);
  await containers.settle();
  assertEquals([containers.of(1), containers.isSought(1)], [{ id: ID, name: "web" }, false]);
  // It stays when the container is gone, and is the new one where it was renamed.
  await runtimes.write(`docker/containers/${ID}/config.v2.json`, { Name: "/shop" });
  assertEquals(await runtimes.of(1), { id: ID, name: "web" });
  runtimes.nowMs = 60_000;
  assertEquals(await runtimes.of(1), { id: ID, name: "shop" });
  await Deno.remove(runtimes.folders.docker, { recursive: true });
  runtimes.nowMs = 120_000;
  assertEquals(await runtimes.of(1), { id: ID, name: "shop" });
});

Deno.test("Containers finds a name that comes late, holding up nothing for it twice", async () => {
  await using runtimes = new Runtimes();
  assertEquals(await runtimes.of(1, `/kubepods/pod1/${ID}`), { id: ID });
  await runtimes.write(`log/web_shop_nginx-${ID}.log`, "");
  assertEquals(await runtimes.of(1), { id: ID });
  runtimes.nowMs = 1_000;
  runtimes.containers.of(1);
  assertEquals(runtimes.containers.isSought(1), false);
  assertEquals(await runtimes.of(1), { id: ID, name: "shop/web/nginx" });
});

Deno.test("Containers follows lists that are written anew, and data-root", async () => {
  await using runtimes = new Runtimes();
  await runtimes.write("daemon.json", { "data-root": runtimes.folders.docker + "/elsewhere" });
  await runtimes.write(`docker/elsewhere/containers/${ID}/config.v2.json`, { Name: "/moved" });
  assertEquals(await runtimes.of(1, `/docker/${ID}`), { id: ID, name: "moved" });
  const list = "overlay-containers/containers.json";
  await runtimes.write(list, [{ id: idOf("1"), names: ["one"] }]);
  assertEquals(await runtimes.of(2, `/libpod_parent/libpod-${idOf("1")}`), {
    id: idOf("1"),
    name: "one",
  });
  await runtimes.write(list, [{ id: idOf("2"), names: ["the second"] }]);
  runtimes.nowMs = 1_000;
  assertEquals(await runtimes.of(3, `/libpod_parent/libpod-${idOf("2")}`), {
    id: idOf("2"),
    name: "the second",
  });
});

Deno.test("Containers takes whatever stands in the files of runtimes", async () => {
  await using runtimes = new Runtimes();
  const config = (id: string) => `docker/containers/${id}/config.v2.json`;
  const contents = [
    "",
    "{",
    "null",
    "[]",
    '"web"',
    "7",
    { Name: 7 },
    { Name: "" },
    { Name: "/" },
    { Name: "x".repeat(1_000) },
    `{"Name":"/web","x":"${"x".repeat(3 << 20)}"}`,
  ];
  for (const [digit, content] of contents.entries()) {
    const id = idOf(digit.toString(16));
    await runtimes.write(config(id), content);
    assertEquals(await runtimes.of(digit, `/docker/${id}`), { id }, String(content).slice(0, 80));
  }
  await runtimes.write(config(idOf("c")), { Name: "/\x1b[2J\n" });
  assertEquals((await runtimes.of(99, `/docker/${idOf("c")}`))?.name, "\x1b[2J\n");
  // A folder, and a FIFO that nobody writes to: neither is waited for.
  await Deno.mkdir(`${runtimes.folders.docker}/containers/${idOf("d")}/config.v2.json`, {
    recursive: true,
  });
  await Deno.mkdir(`${runtimes.folders.docker}/containers/${idOf("e")}`);
  const fifo = `${runtimes.folders.docker}/containers/${idOf("e")}/config.v2.json`;
  assert((await new Deno.Command("mkfifo", { args: [fifo] }).output()).success);
  for (const digit of "de") {
    const id = idOf(digit);
    assertEquals(await runtimes.of(Number.parseInt(digit, 36), `/docker/${id}`), { id });
  }
});

Deno.test("Containers remembers so many cgroups and looks so many up at a time", async () => {
  await using runtimes = new Runtimes();
  const ids = Array.from({ length: 5_000 }, (_, at) => at.toString(16).padStart(64, "0"));
  for (const [cgroup, id] of ids.entries()) runtimes.paths.set(cgroup, `/docker/${id}`);
  for (const [cgroup, id] of ids.entries()) assertEquals(runtimes.containers.of(cgroup), { id });
  const sought = ids.filter((_, cgroup) => runtimes.containers.isSought(cgroup)).length;
  assertEquals(sought <= 256, true, `${sought} are sought`);
  runtimes.containers.close();
  await runtimes.containers.settle();
  assertEquals(ids.some((_, cgroup) => runtimes.containers.isSought(cgroup)), false);
});

const PORT = 4474;
const SERVER = `
import socket, sys
server = socket.create_server((sys.argv[1], int(sys.argv[2])))
print("ready", flush=True)
while True: server.accept()[0].close()
`;
const CLIENT = `
import socket, sys
socket.create_connection((sys.argv[1], int(sys.argv[2]))).recv(1)
`;

/** Why no cgroup can be made here; undefined when one can. */
async function reasonAgainstCgroups(): Promise<string | undefined> {
  const there = "/sys/fs/cgroup";
  const folder = `${there}/synsnoop-try-${Deno.pid}`;
  const trying = `mount -t cgroup2 none ${there} && mkdir ${folder} && rmdir ${folder}`;
  const { success, stderr } = await new Deno.Command("unshare", {
    args: ["--mount", "sh", "-c", trying],
  }).output();
  if (success) return undefined;
  return `no cgroup v2 can be made: ${new TextDecoder().decode(stderr).trim().split("\n")[0]}`;
}

const skipReason = await reasonAgainstNamespaces() ?? await reasonAgainstCgroups();

skippableTest(
  "trace names the containers of both ends, and reports by them",
  skipReason,
  async () => {
    await using namespace = await Namespace.create();
    await using runtimes = new Runtimes();
    await runtimes.write(`docker/containers/${ID}/config.v2.json`, { Name: "/web" });
    const root = runtimes.folders.docker.replace(/\/docker$/, "");
    const folder = `synsnoop-containers-${Deno.pid}`;
    const hierarchy = "/sys/fs/cgroup";
    const scope = `${folder}/docker-${ID}.scope`;
    const payload = `${folder}/lxc.payload.blue`;
    // `ip netns exec` has mounts of its own for the command alone.
    const mount = `mount -t cgroup2 none ${hierarchy}`;
    const inGroup = (group: string, command: readonly string[]) => [
      ...["sh", "-c", `${mount} && mkdir -p "$0" && echo $$ >"$0/cgroup.procs" && exec "$@"`],
      ...[`${hierarchy}/${group}`, ...command],
    ];
    const asClient = (group: string) =>
      namespace.run(...inGroup(group, ["python3", "-c", CLIENT, "127.0.0.1", String(PORT)]));
    try {
      const server = namespace.spawn(
        inGroup(scope, ["python3", "-c", SERVER, "127.0.0.1", String(PORT)]),
        { stdout: "piped", stderr: "inherit" },
      );
      const lines = server.stdout.pipeThrough(new TextDecoderStream())
        .pipeThrough(new TextLineStream());
      for await (const line of lines) {
        assertEquals(line, "ready");
        break;
      }
      const wrap = ["sh", "-c", `${mount} && mount --bind "$0" /var/lib && exec "$@"`, root];
      const ours = ["--json", "--host", "127.0.0.1", "--server-port", String(PORT)];
      const all = await Tracer.ready(namespace, ours, wrap);
      const some = await Tracer.ready(namespace, [...ours, "--container", "web"], wrap);
      const none = await Tracer.ready(namespace, [...ours, "--not-container", "blue,3f9a"], wrap);
      await asClient(payload);
      await all.wrote(1);
      await some.wrote(1);
      const told = await all.stop();
      const [record] = told.records;
      assertEquals(record.client.process?.container, { name: "blue" }, told.stderr.join("\n"));
      assertEquals(record.server.process?.container, { id: ID, name: "web" });
      assertEquals(record.server.process?.cgroup_path, `/${scope}`);
      const told2 = await some.stop();
      // The first handshake already is found by the name.
      assertEquals(told2.records.map((each) => each.server.process?.container?.name), ["web"]);
      assertEquals((await none.stop()).records, []);
      server.kill("SIGKILL");
      await server.status;
    } finally {
      const remove = `rmdir "$0/${scope}" "$0/${payload}" "$0/${folder}" 2>/dev/null || true`;
      await namespace.run("sh", "-c", `${mount} && ${remove}`, hierarchy);
    }
  },
);
