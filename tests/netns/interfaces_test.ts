// What a trace makes of interfaces that come, change and go.
// Covers src/linux/netns/link_watch.ts
// Covers src/linux/capture/capture_site.ts
import { assert, assertEquals, assertGreater, assertMatch } from "@std/assert";
import type { Link, LinkMessage } from "../../src/linux/netns/link_messages.ts";
import { LinkWatch } from "../../src/linux/netns/link_watch.ts";
import type { HandshakeRecord } from "../../src/record/record.ts";
import { inNamespace, Namespace, namespaceTest, until } from "./namespace.ts";
import { MAIN, Tracer, type TraceResult } from "./tracer.ts";

const PORT = 4440;
const TRACE = ["--json", "--probes", "none", "--port", String(PORT)];

/** A namespace, and another at the other ends of its cables, where nobody listens. */
class Bench implements AsyncDisposable {
  readonly here: Namespace;
  readonly there: Namespace;

  private constructor(here: Namespace, there: Namespace) {
    this.here = here;
    this.there = there;
  }

  static async create(): Promise<Bench> {
    return new Bench(await Namespace.create(), await Namespace.create());
  }

  /** Lays the cable of a number: 10.80.NUMBER.1 here, .2 there, where it is called farNUMBER. */
  async lay(name: string, number: number, index?: number): Promise<void> {
    const far = `far${number}`;
    await this.here.ip(
      ...["link", "add", name, ...(index === undefined ? [] : ["index", `${index}`])],
      ...["type", "veth", "peer", "name", far, "netns", this.there.name],
    );
    await this.there.ip("address", "add", `10.80.${number}.2/24`, "dev", far);
    await this.there.ip("link", "set", far, "up");
    await this.here.ip("address", "add", `10.80.${number}.1/24`, "dev", name);
    await this.raise(name);
  }

  /** Sets an interface up and waits for its carrier. */
  async raise(name: string): Promise<void> {
    await this.here.ip("link", "set", name, "up");
    await until(
      `${name} is up`,
      async () => (await this.here.ip("link", "show", name)).includes("state UP"),
    );
  }

  /** Makes connections through the cable of a number, all refused. */
  async connect(number: number, count: number): Promise<void> {
    const script = `
import socket
for _ in range(${count}):
    client = socket.socket()
    try:
        client.connect(("10.80.${number}.2", ${PORT}))
    except ConnectionRefusedError:
        pass
    client.close()
`;
    await this.here.run("python3", "-c", script);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.here[Symbol.asyncDispose]();
    await this.there[Symbol.asyncDispose]();
  }
}

function names(records: readonly HandshakeRecord[]): (string | undefined)[] {
  return records.map(({ network }) => network.interface);
}

/** What was said of interfaces and namespaces, without how long something took. */
function changes({ stderr }: TraceResult): string[] {
  return stderr.filter((line) => line.startsWith("synsnoop: ") && line.includes('"'))
    .map((line) =>
      line.replace("synsnoop: ", "").replace(/after [\d.]+ \S+?(?=[:;]|$)/, "after …")
    );
}

await namespaceTest("trace captures again on an interface that was made again", async () => {
  await using bench = await Bench.create();
  const { here } = bench;
  await bench.lay("va", 1);
  const tracer = await Tracer.start(here, [...TRACE, "--interface", "va"]);
  await bench.connect(1, 3);
  await tracer.wrote(3);
  await here.ip("link", "delete", "va");
  await tracer.said(/"va" is gone/);
  await bench.lay("va", 1);
  await tracer.said(/"va" is back/);
  await bench.connect(1, 5);
  await tracer.wrote(8);
  const result = await tracer.stop();
  assertEquals(changes(result), [
    '"va" is gone: nothing is captured until it is back',
    '"va" is back after …: capturing on it again',
  ]);
  assertEquals(names(result.records), Array(8).fill("va"));
  assertEquals(result.records.filter(({ outcome }) => outcome !== "refused"), []);
  assertEquals(result.summary?.losses.interface_gaps, 1);
  const said = result.stderr.join("\n");
  assert(!said.includes("lost: nothing"), said);
  assertMatch(said, /^lost: 1 gap in the capture on an interface/m);
});

await namespaceTest(
  "trace captures on an interface that has the index of one that is gone",
  async () => {
    await using bench = await Bench.create();
    const { here } = bench;
    await bench.lay("va", 1, 77);
    const tracer = await Tracer.start(here, [...TRACE, "--interface", "va"]);
    await bench.connect(1, 1);
    await tracer.wrote(1);
    // In one go, so that the trace may see no moment without it.
    await here.run(
      "sh",
      "-c",
      `ip link delete va; ip link add va index 77 type veth peer name far1 netns ${bench.there.name}
       ip address add 10.80.1.1/24 dev va; ip link set va up`,
    );
    await bench.there.ip("address", "add", "10.80.1.2/24", "dev", "far1");
    await bench.there.ip("link", "set", "far1", "up");
    await bench.raise("va");
    await tracer.said(/"va" (?:is back|is another|was down)/);
    await bench.connect(1, 2);
    await tracer.wrote(3);
    const { records, summary } = await tracer.stop();
    assertEquals(names(records), ["va", "va", "va"]);
    assertEquals(summary?.losses.interface_gaps, 1);
  },
);

await namespaceTest("trace goes on with an interface under its new name", async () => {
  await using bench = await Bench.create();
  await bench.lay("va", 1);
  await bench.lay("other", 2);
  const named = await Tracer.start(bench.here, [...TRACE, "--interface", "va"]);
  const all = await Tracer.start(bench.here, TRACE);
  await bench.connect(1, 2);
  await Promise.all([named.wrote(2), all.wrote(2)]);
  await bench.here.ip("link", "set", "va", "name", "lan0");
  await named.said(/"va" is called "lan0" now/);
  await bench.connect(1, 2);
  await Promise.all([named.wrote(4), all.wrote(4)]);
  for (const tracer of [named, all]) {
    const result = await tracer.stop();
    assertEquals(names(result.records), ["va", "va", "lan0", "lan0"]);
    assertEquals(
      changes(result),
      tracer === all ? [] : ['"va" is called "lan0" now: capturing on it as before'],
    );
    assertEquals(result.summary?.losses.interface_gaps, tracer === all ? undefined : 0);
    assert(result.stderr.some((line) => line.startsWith("lost: nothing")));
  }
});

await namespaceTest("trace follows two names that are swapped", async () => {
  await using bench = await Bench.create();
  const { here } = bench;
  await bench.lay("va", 1);
  await bench.lay("vb", 2);
  const both = await Tracer.start(here, [...TRACE, "--interface", "va,vb"]);
  const one = await Tracer.start(here, [...TRACE, "--interface", "va"]);
  const connect = async () => {
    await bench.connect(1, 1);
    await bench.connect(2, 1);
  };
  await connect();
  await Promise.all([both.wrote(2), one.wrote(1)]);
  await here.ip("link", "set", "va", "name", "vx");
  await here.ip("link", "set", "vb", "name", "va");
  await here.ip("link", "set", "vx", "name", "vb");
  await one.said(/"va" is another interface now/);
  await both.said(/"vb" is another interface now/);
  await connect();
  await Promise.all([both.wrote(4), one.wrote(2)]);
  const addressesAndNames = ({ records }: TraceResult) =>
    records.map(({ server, network }) => [server.address, network.interface]);
  const ofBoth = await both.stop();
  assertEquals(addressesAndNames(ofBoth), [
    ["10.80.1.2", "va"],
    ["10.80.2.2", "vb"],
    ["10.80.1.2", "vb"],
    ["10.80.2.2", "va"],
  ]);
  assertEquals(addressesAndNames(await one.stop()), [["10.80.1.2", "va"], ["10.80.2.2", "va"]]);
  assertEquals(changes(ofBoth).at(-1), '"vb" is another interface now: capturing on that one');
});

await namespaceTest("trace says once that an interface is down, and that it is up", async () => {
  await using bench = await Bench.create();
  const { here } = bench;
  await bench.lay("va", 1);
  const tracer = await Tracer.start(here, [...TRACE, "--interface", "va"]);
  await here.ip("link", "set", "va", "down");
  await tracer.said(/"va" is down/);
  await bench.raise("va");
  await tracer.said(/"va" is up again/);
  await bench.connect(1, 2);
  await tracer.wrote(2);
  const result = await tracer.stop();
  assertEquals(changes(result), [
    '"va" is down: nothing is captured until it is up',
    '"va" is up again after …',
  ]);
  assertEquals(names(result.records), ["va", "va"]);
  assertEquals(result.summary?.losses.interface_gaps, 1);
});

await namespaceTest("trace --interface-wait begins when the interface comes", async () => {
  await using bench = await Bench.create();
  const { here } = bench;
  const tracer = await Tracer.start(here, [...TRACE, "--interface", "lo,va", "--interface-wait"]);
  await bench.lay("va", 1);
  await tracer.said(/"va" is there now/);
  await bench.connect(1, 3);
  await tracer.wrote(3);
  const result = await tracer.stop();
  assertEquals(changes(result), [
    'waiting for the interface "va"',
    '"va" is there now: capturing on it',
  ]);
  assertEquals(names(result.records), ["va", "va", "va"]);
  assertEquals(result.summary?.losses.interface_gaps, 0);

  // In vain is a gap; without the flag it is an error.
  const inVain = await Tracer.start(here, [...TRACE, "--interface", "no", "--interface-wait"]);
  assertEquals((await inVain.stop()).summary?.losses.interface_gaps, 1);
  const refused = await here.spawn(
    [Deno.execPath(), "run", "--quiet", "-A", MAIN, "trace", "--interface", "no"],
    { stdout: "null", stderr: "piped" },
  ).output();
  assertEquals(refused.code, 2);
  assertMatch(
    new TextDecoder().decode(refused.stderr),
    /^synsnoop: Cannot use --interface "no": there are lo, va; with --interface-wait [^\n]+\n$/,
  );
});

await namespaceTest("trace captures again in another namespace", async () => {
  await using bench = await Bench.create();
  await using own = await Namespace.create();
  const { here } = bench;
  await bench.lay("va", 1);
  await bench.lay("vb", 2);
  const tracer = await Tracer.start(own, [
    ...TRACE,
    ...["--netns", here.name, "--interface", "va", "--interface", "vb"],
  ]);
  await here.ip("link", "delete", "va");
  await tracer.said(new RegExp(`"va" in the network namespace "${here.name}" .* is gone`));
  await bench.lay("va", 1);
  await tracer.said(/"va" in .* is back after/);
  await bench.connect(1, 2);
  await bench.connect(2, 1);
  await tracer.wrote(3);
  await here.ip("link", "set", "vb", "name", "vc");
  await tracer.said(/"vb" in the network namespace .* is called "vc" now/);
  await bench.connect(2, 1);
  await tracer.wrote(4);
  const { records, summary } = await tracer.stop();
  assertEquals(names(records), ["va", "va", "vb", "vc"]);
  assertEquals(summary?.losses.interface_gaps, 1);
});

await namespaceTest("trace stays within its bounds while an interface flaps", async () => {
  const FLAPS = 1_000;
  const SLOW_FLAPS = 18;
  await using bench = await Bench.create();
  const { here } = bench;
  await bench.lay("va", 1);
  const tracer = await Tracer.start(here, [...TRACE, "--interface", "va"]);
  const beganMs = performance.now();
  // Its output is opened when something is to be written.
  await bench.connect(1, 1);
  await tracer.wrote(1);
  const descriptors = () => [...Deno.readDirSync(`/proc/${tracer.pid}/fd`)].length;
  const before = descriptors();
  const script = `
for i in $(seq ${FLAPS / 10}); do
  echo "link delete va"; echo "link add va type veth peer name fa"
  for j in 1 2 3 4 5 6 7 8 9; do echo "link set va up"; echo "link set va down"; done
done | ip -batch -
# Slowly enough that each time is seen: at least two looks, which are 60 ms apart.
for i in $(seq ${SLOW_FLAPS}); do
  ip link delete va; sleep 0.13; ip link add va up type veth peer name fa; sleep 0.13
done
ip link delete va`;
  await here.run("sh", "-c", script);
  await bench.lay("va", 1);
  // Nothing is said of it any more; so that it captures is seen by what it captures.
  await until("it captures", async () => {
    await bench.connect(1, 1);
    return tracer.lines.length > 1;
  });
  assertEquals(descriptors(), before);
  const result = await tracer.stop();
  // A slow machine takes several minutes.
  const minutesMax = 1 + Math.ceil((performance.now() - beganMs) / 60_000);
  const said = changes(result);
  assert(said.length >= 30 && said.length <= 30 * minutesMax, `${said.length} changes`);
  const untold = result.stderr.filter((line) => /were not told$/.test(line));
  assert(untold.length >= 1 && untold.length <= minutesMax, untold.join("\n"));
  assertGreater(Number(/\d+/.exec(untold[0])![0]), 0);
  assertGreater(result.summary!.losses.interface_gaps!, SLOW_FLAPS - 1);
  assertEquals(new Set(names(result.records)), new Set(["va"]));
});

/** A namespace's interfaces as the kernel lists them. */
async function listed(namespace: Namespace): Promise<[number, string, boolean][]> {
  const all: { ifindex: number; ifname: string; flags: string[] }[] = JSON.parse(
    await namespace.ip("-json", "link", "show"),
  );
  return all.map(({ ifindex, ifname, flags }) => [ifindex, ifname, flags.includes("UP")]);
}

function seen(links: ReadonlyMap<number, Link>): [number, string, boolean][] {
  return [...links.values()].toSorted((a, b) => a.index - b.index)
    .map(({ index, name, isUp }) => [index, name, isUp]);
}

await namespaceTest(
  "LinkWatch tells what changes, in its order, and no bridge's ports",
  async () => {
    await using namespace = await Namespace.create();
    using watch = inNamespace(namespace.name, () => new LinkWatch((operation) => operation()));
    assertEquals(seen(watch.links), [[1, "lo", true]]);
    const told: string[] = [];
    const look = () =>
      watch.look(({ link: { name, isUp }, isGone }: LinkMessage, before) => {
        told.push(
          `${before?.name ?? "none"} ${isGone ? "gone" : `${name} ${isUp ? "up" : "down"}`}`,
        );
      });
    assertEquals([look(), told], [false, []]);
    await namespace.ip("link", "add", "d0", "type", "veth", "peer", "name", "p0");
    await namespace.ip("link", "add", "br0", "type", "bridge");
    await namespace.ip("link", "set", "d0", "master", "br0");
    await namespace.ip("link", "set", "d0", "nomaster");
    await namespace.ip("link", "set", "d0", "up");
    await namespace.ip("link", "property", "add", "dev", "d0", "altname", "other");
    await namespace.ip("link", "set", "d0", "name", "d1");
    assert(look());
    assertEquals(seen(watch.links), await listed(namespace));
    assertEquals([...watch.links.values()].find(({ name }) => name === "d1")?.otherNames, [
      "other",
    ]);
    await namespace.ip("link", "delete", "d1");
    look();
    const ofD = told.filter((line) => /\bd[01]\b/.test(line));
    assertEquals(ofD.filter((line, at) => line !== ofD[at - 1]), [
      "none d0 down",
      "d0 d0 down",
      "d0 d0 up",
      "d0 d1 up",
      "d1 d1 down",
      "d1 gone",
    ]);
    assertEquals(look(), false);
  },
);

await namespaceTest("LinkWatch lists again what the kernel could not keep", async () => {
  await using namespace = await Namespace.create();
  using watch = inNamespace(namespace.name, () => new LinkWatch((operation) => operation()));
  const inside = (operation: () => unknown) => inNamespace(namespace.name, operation);
  await namespace.ip("link", "add", "d0", "type", "veth", "peer", "name", "p0");
  watch.look(() => {});
  await namespace.run(
    "sh",
    "-c",
    `{ echo "link delete d0"; for i in $(seq 100); do echo "link add e$i type veth peer name f$i"; done
      for i in $(seq 99); do echo "link delete e$i"; done; } | ip -batch -`,
  );
  const gone: string[] = [];
  await until("the list is there", () => {
    inside(() => watch.look(({ link, isGone }) => isGone && gone.push(link.name)));
    return watch.links.size === 3;
  });
  assertEquals(seen(watch.links), await listed(namespace));
  assertEquals(new Set(seen(watch.links).map(([, name]) => name)), new Set(["lo", "e100", "f100"]));
  assert(gone.includes("d0"));
});
