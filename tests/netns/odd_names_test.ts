// Names that are no UTF-8: of files, cgroups, interfaces, network namespaces, processes and in the
// environment. Any user may choose some of them; none may end a trace or hide what is beside it.
// Covers src/linux/cgroup_paths.ts
import { assert, assertEquals, assertMatch } from "@std/assert";
import { environmentVariable } from "../../src/linux/environment.ts";
import { interfaceIndex, listInterfaces } from "../../src/linux/netns/interfaces.ts";
import { scanNamespaces } from "../../src/linux/netns/namespace_scan.ts";
import { NetworkNamespace } from "../../src/linux/netns/network_namespace.ts";
import {
  joinNames,
  nameOf,
  nameText,
  readFolder,
  readLink,
  statusOf,
} from "../../src/linux/system_names.ts";
import { lineReader } from "../line_reader.ts";
import { inNamespace, Namespace, namespaceTest } from "./namespace.ts";
import { MAIN, Tracer } from "./tracer.ts";

const PORT = 4472;

/** Runs a shell's script, in which printf makes the odd names, and returns its output. */
async function shell(script: string, ...args: string[]): Promise<string> {
  const { success, stdout, stderr } = await new Deno.Command("sh", {
    args: ["-ec", script, "sh", ...args],
  }).output();
  if (!success) throw new Error(new TextDecoder().decode(stderr));
  return new TextDecoder().decode(stdout);
}

Deno.test("readFolder, readLink and statusOf take names that are no UTF-8", async () => {
  const folder = await Deno.makeTempDir();
  try {
    await shell(
      `cd "$1"; mkdir -p "$(printf 'a\\233')" plain; : >"$(printf '\\357\\273\\277b')"
      ln -s "$1/$(printf 'a\\233')" link; for n in $(seq 2000); do : >long-name-of-file-$n; done`,
      folder,
    );
    const entries = readFolder(nameOf(folder))!;
    const texts = entries.map(({ name }) => nameText(name));
    const files = Array.from({ length: 2_000 }, (_, index) => `long-name-of-file-${index + 1}`);
    assertEquals(texts.toSorted(), ["a\ufffd", "plain", "\ufeffb", "link", ...files].toSorted());
    const folders = entries.filter(({ isFolder }) => isFolder);
    assertEquals(folders.map(({ name }) => nameText(name)).toSorted(), ["a\ufffd", "plain"]);
    for (const { name, inode } of entries) {
      const isLink = nameText(name) === "link";
      // A link's own number is not that of where it leads.
      assertEquals(statusOf(joinNames(nameOf(folder), name))?.ino === inode, !isLink);
    }
    const odd = folders.find(({ name }) => nameText(name) !== "plain")!;
    assertEquals(readLink(`${folder}/link`), joinNames(nameOf(folder), odd.name));
    assertEquals(readFolder(joinNames(nameOf(folder), odd.name)), []);
    assertEquals([readLink(folder), readFolder(nameOf(`${folder}/link/x`))], [
      undefined,
      undefined,
    ]);
    assertEquals(statusOf(nameOf(`${folder}/nothing`)), undefined);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("environmentVariable reads what is UTF-8 of a value that is not", async () => {
  assertEquals(environmentVariable("SYNSNOOP_NOT_SET"), undefined);
  const module = new URL("../../src/linux/environment.ts", import.meta.url);
  const script = `import { environmentVariable } from "${module}";
    console.log(JSON.stringify(["ODD", "EVEN", "NONE"].map(environmentVariable)));`;
  const printed = await shell(
    `ODD=$(printf '/a:/\\376=b') EVEN=ä exec "$1" eval --quiet --no-config "$2"`,
    Deno.execPath(),
    script,
  );
  assertEquals(JSON.parse(printed), ["/a:/\ufffd=b", "ä", null]);
});

Deno.test("doctor finds its programs though a folder in PATH and the locale are no UTF-8", async () => {
  const script = `LANG=$(printf '\\376') PATH="$(printf '/\\376'):$PATH" "$1" run -A "$2" doctor`;
  const printed = await shell(`${script} || true`, Deno.execPath(), MAIN);
  assertMatch(printed, /^ok {7}bpftrace {3}bpftrace v/m);
});

await namespaceTest("CgroupPaths finds cgroups whose names are no UTF-8", async () => {
  await using namespace = await Namespace.create();
  const module = new URL("../../src/linux/cgroup_paths.ts", import.meta.url);
  const folder = `synsnoop-odd-${Deno.pid}`;
  const cannotOpen = [
    "setpriv",
    "--bounding-set=-dac_read_search",
    "--inh-caps=-dac_read_search",
  ];
  const script = `
    import { CgroupPaths } from "${module}";
    using paths = new CgroupPaths();
    console.log(JSON.stringify(Deno.args.map((ino) => paths.of(Number(ino)))));
  `;
  for (const wrap of [[], cannotOpen]) {
    const printed = await namespace.run(
      ...[
        "sh",
        "-c",
        `mount -t cgroup2 none /sys/fs/cgroup && cd /sys/fs/cgroup && mkdir ${folder} && cd ${folder}
        odd=$(printf 'a\\233X'); mkdir -p "$odd/below" other
        "$@" $(stat -c %i "$odd" "$odd/below" other)
        status=$?; rmdir "$odd/below" "$odd" other; cd ..; rmdir ${folder}; exit $status`,
      ],
      ...["sh", ...wrap, Deno.execPath(), "eval", "--quiet", "--no-config", script],
    );
    const names = ["a\ufffdX", "a\ufffdX/below", "other"];
    assertEquals(JSON.parse(printed), names.map((name) => `/${folder}/${name}`));
  }
});

/** Connects to an address as a process of a name in octal escapes, in a cgroup of such a name. */
const CLIENT = `
import ctypes, os, socket, sys
address, port, folder = sys.argv[1:]
ctypes.CDLL(None).prctl(15, b"\\xff\\x1b[2Jc")
with open(os.fsencode(folder) + b"/pod-\\x9b/cgroup.procs", "w") as file: file.write(str(os.getpid()))
socket.create_connection((address, int(port))).recv(1)
`;
const SERVER = `
import socket, sys
server = socket.create_server((sys.argv[1], int(sys.argv[2])))
print("ready", flush=True)
while True: server.accept()[0].close()
`;

await namespaceTest("trace reports who is named in bytes that are no UTF-8", async () => {
  await using here = await Namespace.create();
  const [odd, mount] = [`"$1-$(printf '\\377')"`, "mount -t cgroup2 none /sys/fs/cgroup"];
  const folder = `synsnoop-odd-trace-${Deno.pid}`;
  const group = `/sys/fs/cgroup/${folder}`;
  await shell(
    `ip netns add ${odd}; ip -n ${odd} link set lo up
    ip -n "$1" link add p0 type veth peer name "$(printf 'w\\377')" netns ${odd}
    ip -n "$1" address add 10.78.9.2/30 dev p0; ip -n "$1" link set p0 up
    ip -n ${odd} address add 10.78.9.1/30 dev "$(printf 'w\\377')"
    ip -n ${odd} link set "$(printf 'w\\377')" up`,
    here.name,
  );
  try {
    const found = [...scanNamespaces().values()].find(({ name }) =>
      name === `${here.name}-\ufffd`
    )!;
    using namespace = NetworkNamespace.open(found.path);
    assertEquals(namespace.inode, found.inode);
    const index = namespace.run(() => interfaceIndex("w\ufffd"));
    assert(index !== undefined);
    assertEquals(
      namespace.run(listInterfaces).find((each) => each.index === index)?.name,
      "w\ufffd",
    );
    assertEquals(inNamespace(here.name, () => interfaceIndex("w\ufffd")), undefined);
    const server = here.spawn(["python3", "-c", SERVER, "10.78.9.2", String(PORT)], {
      stdout: "piped",
    });
    await lineReader(server.stdout).read();
    const wrap = ["sh", "-c", `${mount} && exec "$@"`, "sh"];
    const where = ["--netns", `${here.name}-\ufffd`, "--interface", "w\ufffd"];
    const tracer = await Tracer.ready(here, ["--json", "--port", String(PORT), ...where], wrap);
    await shell(
      `exec ip netns exec ${odd} sh -ec '${mount}; mkdir -p "$0" "$0/$(printf "pod-\\233")"
      exec python3 -c "$1" 10.78.9.2 ${PORT} "$0"' "$2" "$3"`,
      here.name,
      group,
      CLIENT,
    );
    await tracer.wrote(1);
    const remove = 'rmdir "$0/$(printf "pod-\\233")" "$0"';
    await shell(`ip netns exec "$1" sh -ec '${mount}; ${remove}' "$2"`, here.name, group);
    const { records: [record], summary, status, stderr } = await tracer.stop();
    assertEquals([status.code, summary?.handshakes], [0, 1], stderr.join("\n"));
    assertEquals(record.evidence, ["wire", "kernel"]);
    assertEquals([record.network.interface, record.network.netns], ["w\ufffd", found.inode]);
    assertEquals(record.client.process?.comm, "\ufffd\x1b[2Jc");
    assertEquals(record.client.process?.cgroup_path, `/${folder}/pod-\ufffd`);
    for (const line of tracer.lines) assertMatch(line, /^[ -~\ufffd]*$/);
  } finally {
    await shell(`ip netns delete ${odd}`, here.name);
  }
});
