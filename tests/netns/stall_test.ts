// What a trace loses while it does not run: nothing, for as long as its places hold; and what it makes
// of a loss.
import { assert, assertEquals, assertGreater } from "@std/assert";
import type { HandshakeRecord } from "../../src/record/record.ts";
import { pacedConnections } from "../bench/paced.ts";
import { compileC } from "./compile.ts";
import { Namespace, namespaceTest } from "./namespace.ts";
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
