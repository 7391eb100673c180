import { assert, assertEquals, assertGreater } from "@std/assert";
import { BpfMap, heldBpf } from "../../src/io/bpf_map.ts";
import { Bpftrace } from "../../src/io/bpftrace.ts";
import { sampleClocks } from "../../src/io/clocks.ts";
import { KernelSource, type KernelSourceState } from "../../src/io/kernel_source.ts";
import { findExecutable } from "../../src/io/packages.ts";
import type { KernelRecord } from "../../src/kernel/kernel_record.ts";
import { ClockAxis } from "../../src/match/clock.ts";
import { compileC } from "./compile.ts";
import { Namespace, namespaceTest, until } from "./namespace.ts";

const PORT = 4436;
const READY_MS = 60_000;
const SCRIPT = new URL("../../bpf/handshake.tracepoint.bt", import.meta.url).pathname;
const folder = await Deno.makeTempDir({ prefix: "synsnoop-kernel-" });
globalThis.addEventListener("unload", () => Deno.removeSync(folder, { recursive: true }));
const connectLoad = await compileC(new URL("connect_load.c", import.meta.url), folder);
const executable = findExecutable("bpftrace")!;

/** A source whose records and states are kept. */
class Watched {
  readonly states: KernelSourceState[] = [];
  readonly sentences: string[] = [];
  /** Records of the tests' port: the kernel tells of every namespace. */
  readonly records: KernelRecord[] = [];
  readonly axis = new ClockAxis(0);
  readonly source: KernelSource;

  constructor(options: { script?: string; executable?: string; mapEntries?: number } = {}) {
    const { realtimeNs, boottimeNs } = sampleClocks();
    this.axis.sample(realtimeNs, boottimeNs);
    this.source = new KernelSource({
      executable,
      script: SCRIPT,
      placeBoottime: (high, low) => this.axis.fromBoottime(high, low),
      onRecord: (record) => {
        if (record.localPort === PORT || record.remotePort === PORT) this.records.push(record);
      },
      onChange: (state, sentence) => {
        this.states.push(state);
        this.sentences.push(sentence);
      },
      ...options,
    });
  }

  async is(state: KernelSourceState): Promise<void> {
    await until(`the source is "${state}"`, () => this.states.includes(state), READY_MS);
  }

  sides(): Record<string, number> {
    const counts: Record<string, number> = {};
    for (const { side } of this.records) counts[side] = (counts[side] ?? 0) + 1;
    return counts;
  }
}

await namespaceTest("KernelSource drains a record a side of each handshake, in order", async () => {
  await using namespace = await Namespace.create();
  const watched = new Watched();
  await watched.is("map");
  const beganNs = Number(sampleClocks().realtimeNs);
  await namespace.run(connectLoad, "127.0.0.1", String(PORT), "200");
  watched.source.drain();
  const endedNs = Number(sampleClocks().realtimeNs);
  // A listener that begins and ends, and both sides of each handshake.
  assertEquals(watched.sides(), { client: 200, server: 200, listener: 2 });
  for (const [index, record] of watched.records.entries()) {
    assert(record.endNs >= beganNs && record.endNs <= endedNs);
    if (index > 0) assert(record.endNs >= watched.records[index - 1].endNs);
  }
  const clients = new Map(
    watched.records.filter(({ side }) => side === "client").map((record) => [record.iss, record]),
  );
  for (const server of watched.records.filter(({ side }) => side === "server")) {
    const client = clients.get(server.irs!)!;
    assertEquals(client.irs, server.iss);
    assertEquals(client.localPort, server.remotePort);
    assertEquals(client.comm, "connect_load");
    assert(client.connectNs! < client.endNs);
    assert(client.endNs < server.endNs);
  }
  assertEquals(await watched.source.stop(), { missedProbes: 0, mapRecords: 0, lines: 0 });
});

await namespaceTest("KernelSource counts exactly what a full map turned away", async () => {
  await using namespace = await Namespace.create();
  const watched = new Watched({ mapEntries: 64 });
  await watched.is("map");
  // Nobody drains: two records for each of 500 handshakes and two of the listener, in 64 places.
  await namespace.run(connectLoad, "127.0.0.1", String(PORT), "500");
  const { mapRecords } = await watched.source.stop();
  assertGreater(watched.records.length, 0);
  assertGreater(mapRecords!, 0);
  // Other programs of the machine may have connected meanwhile: their records count too.
  assert(watched.records.length + mapRecords! >= 1_002);
  assert(watched.records.length <= 64);
});

await namespaceTest("KernelSource says why it cannot run what is not there", async () => {
  const watched = new Watched({ executable: `${folder}/absent` });
  // What wraps bpftrace starts and does not find it.
  await watched.is("off");
  assert(watched.sentences[0].includes("absent"), watched.sentences[0]);
  await watched.source.stop();
});

await namespaceTest(
  "BpfMap reads, sums and takes the entries of another process's map",
  async () => {
    const script = `${folder}/map.bt`;
    await Deno.writeTextFile(
      script,
      "BEGIN { @a[(uint64)1] = (uint64)10; @a[(uint64)2] = (uint64)20; " +
        '@n[(uint64)0] = count(); @n[(uint64)0] = count(); printf("ready\\n"); }',
    );
    const lines: string[] = [];
    const bpftrace = new Bpftrace({
      executable,
      script,
      mode: 1,
      mapEntries: 16,
      onLine: (line) => lines.push(line),
    });
    await until("it is ready", () => lines.includes("ready"), READY_MS);
    const { mapIds, recursionMisses } = heldBpf(bpftrace.pid);
    assertEquals(recursionMisses, 0);
    const maps = mapIds.map((id) => BpfMap.open(id));
    const [entries, counter] = ["AT_a", "AT_n"].map((name) =>
      maps.find((map) => map.name === name)!
    );
    assertEquals([entries.keySize, entries.valueSize, entries.maxEntries], [8, 8, 16]);
    const read = (take: boolean) => {
      const found = new Map<bigint, bigint>();
      const count = entries.forEach(take, (keys, keyAt, values, valueAt) => {
        found.set(keys.getBigUint64(keyAt, true), values.getBigUint64(valueAt, true));
      });
      assertEquals(count, found.size);
      return found;
    };
    assertEquals(read(false), new Map([[1n, 10n], [2n, 20n]]));
    assertEquals(counter.sumOfZeroKey(), 2);
    bpftrace.kill("SIGKILL");
    await bpftrace.ended;
    // The map outlives the process that made it.
    assertEquals(read(true), new Map([[1n, 10n], [2n, 20n]]));
    assertEquals(read(true), new Map());
    for (const map of maps) map[Symbol.dispose]();
    assertEquals(heldBpf(bpftrace.pid), { mapIds: [], recursionMisses: 0 });
  },
);

await namespaceTest("Bpftrace ends by itself when it is stopped", async () => {
  const bpftrace = new Bpftrace({
    executable,
    script: SCRIPT,
    mode: 2,
    mapEntries: 16,
    onLine: (line) => lines.push(line),
  });
  const lines: string[] = [];
  await until("it is ready", () => lines.some((line) => line.startsWith("ready|")), READY_MS);
  await bpftrace.stop();
  assert(lines.some((line) => line.startsWith("end|")));
  assertEquals((await bpftrace.ended).words, []);
});
