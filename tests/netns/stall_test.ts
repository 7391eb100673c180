// What a trace loses while it does not run: nothing, for as long as its places hold; and what it makes
// of a loss.
import { assert, assertEquals, assertGreater } from "@std/assert";
import type { HandshakeRecord } from "../../src/record/record.ts";
import { pacedConnections } from "../bench/paced.ts";
import { interfaceIndex } from "../../src/linux/netns/interfaces.ts";
import { compileC } from "./compile.ts";
import { buildEthernet, buildIpv4, buildTcp, finished } from "../unit/wire/build_frame.ts";
import { FrameSender } from "./frame_sender.ts";
import { macOf } from "./lab/crafted_end.ts";
import { inNamespace, Namespace, namespaceTest } from "./namespace.ts";
import { Tracer } from "./tracer.ts";

const PORT = 4439;
const RATE = 300;
const STALL_SECONDS = 10;

await namespaceTest("trace loses nothing when it is stopped for ten seconds", async () => {
  const folder = await Deno.makeTempDir({ prefix: "synsnoop-stall-" });
  await using cleanup = new AsyncDisposableStack();
  cleanup.defer(() => Deno.remove(folder, { recursive: true }));
  const bench = {
    program: (path: string) => compileC(new URL(`../bench/${path}`, import.meta.url), folder),
  };
  const namespace = cleanup.use(await Namespace.create());
  const connect = await pacedConnections(bench, namespace, PORT, RATE, RATE * STALL_SECONDS);
  const tracer = await Tracer.ready(namespace, ["--json", "--port", String(PORT)]);
  tracer.signal("SIGSTOP");
  const { connections, seconds } = await connect();
  const wroteNothing = tracer.lines.length;
  tracer.signal("SIGCONT");
  assertGreater(seconds, STALL_SECONDS * 0.99);
  await tracer.wrote(connections);
  const { records, summary } = await tracer.stop();
  assertEquals(wroteNothing, 0);
  assertEquals(summary?.losses.ring_packets, 0);
  // The kernel tells of every namespace on the machine: so many connections elsewhere fill its map, too.
  assertEquals(summary?.losses.kernel_map_records, 0, "are there others that connect meanwhile?");
  assertEquals(records.length, connections);
  const count = (is: (record: HandshakeRecord) => boolean) => records.filter(is).length;
  assertEquals(count(({ outcome }) => outcome === "established"), connections);
  assertEquals(count(({ evidence }) => evidence.join() === "wire,kernel"), connections);
  assertEquals(count(({ packets }) => packets.syn === 1 && packets.syn_ack === 1), connections);
});

await namespaceTest(
  "trace goes by the packets where the kernel's word may have found no room",
  async () => {
    const COUNT = 50;
    /** Two records each: more than the kernel's map holds. */
    const OTHERS = 20_000;
    const folder = await Deno.makeTempDir({ prefix: "synsnoop-stall-" });
    await using cleanup = new AsyncDisposableStack();
    cleanup.defer(() => Deno.remove(folder, { recursive: true }));
    const connectLoad = await compileC(new URL("connect_load.c", import.meta.url), folder);
    const here = cleanup.use(await Namespace.create());
    const elsewhere = cleanup.use(await Namespace.create());
    const tracer = await Tracer.ready(here, ["--json", "--port", String(PORT)]);
    const connect = () => here.run(connectLoad, "127.0.0.1", String(PORT), String(COUNT));
    // From now on it knows that somebody listens there, of whom the kernel should tell.
    await connect();
    await tracer.wrote(COUNT);
    tracer.signal("SIGSTOP");
    await elsewhere.run(connectLoad, "127.0.0.1", String(PORT + 1), String(OTHERS));
    await connect();
    tracer.signal("SIGCONT");
    const { records, summary } = await tracer.stop();
    assertGreater(summary!.losses.kernel_map_records!, 0);
    assertEquals(records.length, 2 * COUNT);
    assertEquals(records.filter(({ outcome }) => outcome !== "established"), []);
    assert(records.some(({ evidence }) => evidence.join() === "wire"));
  },
);

/** More than the ring has room for, and less than that and the rows of the table together. */
const SYNS = 90_000;
const COUNTED = `table netdev seen {
  chain in {
    type filter hook ingress device veth0 priority 0;
    tcp flags syn counter
  }
}`;

await namespaceTest(
  "trace tells of every SYN, or counts it as lost, where its ring was full",
  async () => {
    await using sends = await Namespace.create();
    await using here = await Namespace.create();
    const [device] = await sends.connect(here, { here: "192.0.2.1/24", there: "203.0.113.1/24" });
    await here.run("nft", COUNTED);
    const mac = await macOf(here, "veth0");
    const tracer = await Tracer.start(here, ["--json", "--probes", "none"]);
    tracer.signal("SIGSTOP");
    {
      using sender = inNamespace(sends.name, () => new FrameSender(interfaceIndex(device)!));
      for (let number = 0; number < SYNS; number++) {
        const sourcePort = 10_000 + (number & 0x7fff);
        const segment = buildTcp({ sourcePort, sequence: number });
        const source = `192.0.2.${2 + (number >>> 15)}`;
        const packet = finished(buildIpv4({ source, payload: segment }));
        const frame = buildEthernet({ payload: packet });
        frame.set(mac);
        sender.send(Uint8Array.from(frame));
      }
    }
    const ruleset = JSON.parse(await here.run("nft", "-j", "list", "table", "netdev", "seen"));
    const counters = ruleset.nftables.flatMap((each: { rule?: { expr: object[] } }) =>
      each.rule?.expr ?? []
    ).flatMap((each: { counter?: { packets: number } }) => each.counter ?? []);
    tracer.signal("SIGCONT");
    const { records, summary } = await tracer.stop();
    const { ring_packets: dropped = 0, half_open_evicted: evicted = 0 } = summary!.losses;
    assertGreater(dropped, 0);
    const told = new Set(records.map(({ client }) => client.isn));
    assertEquals(
      [counters.length, told.size, records.length + evicted + dropped],
      [1, records.length, counters[0].packets],
    );
    assertEquals(records.filter(({ packets }) => packets.syn !== 1), []);
  },
);
