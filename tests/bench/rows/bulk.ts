/** What established traffic pays for a filter that only wants handshakes. */
import { PacketRing } from "../../../src/linux/capture/packet_ring.ts";
import { inNamespace, Namespace, until } from "../../netns/namespace.ts";
import { compare, shareFigures } from "../compare.ts";
import type { Figure, Row } from "../row.ts";
import { startProgram, tcpdump, trace } from "../watchers.ts";

const PORT = 5211;

/** iperf3 on loopback, as it likes and with a packet for every 512 bytes. */
export const bulk: Row = {
  name: "bulk",
  title: "Bulk transfer on loopback (iperf3, one stream)",
  needs: ["iperf3"],
  async measure(bench) {
    await using namespace = await Namespace.create();
    await startProgram(
      namespace,
      ["iperf3", "--server", "--forceflush", "--port", String(PORT)],
      "stdout",
      /listening/,
    );
    const transfer = (...args: string[]) => transferred(namespace, args);
    // One transfer differs from the next by a tenth.
    const rounds = bench.either(5, 1);
    const watchers = bench.some([
      trace("`trace`", ["--port", String(PORT)]),
      tcpdump("lo"),
    ]);
    const [large, small] = await compare(bench, namespace, watchers, rounds, async () =>
      [
        await transfer(),
        await transfer("--no-delay", "--length", "512"),
      ] as const);
    const telling = { unit: "Gbit/s", aims: { "`trace`": 0.98 } };
    return [
      ...shareFigures(large, { what: "large writes", ...telling }),
      ...shareFigures(small, { what: "writes of 512 bytes", ...telling }),
      await delivered(namespace, rounds),
    ];
  },
};

/** One transfer, with some arguments of iperf3's. @returns Gbit/s received. */
async function transferred(namespace: Namespace, args: readonly string[]): Promise<number> {
  const command = ["iperf3", "--json", "--client", "127.0.0.1", "--port", String(PORT)];
  let rate: number | undefined;
  await until("iperf3's server is free", async () => {
    const child = namespace.spawn([...command, "--time", "1", ...args], { stdout: "piped" });
    const { end, error } = JSON.parse(new TextDecoder().decode((await child.output()).stdout));
    // For a moment after a transfer it says that it is at another.
    if (error !== undefined && !error.includes("busy")) throw new Error(`iperf3: ${error}`);
    rate = error === undefined ? end.sum_received.bits_per_second / 1e9 : undefined;
    return rate !== undefined;
  });
  return rate!;
}

/**
 * What the filter lets through of whole transfers, each of two connections: the three packets of a handshake,
 * and the client's first data, which carries the third one's numbers. iperf3's server ends some of its
 * connections by a RST, and turns clients away by one: those are no handshake's.
 */
async function delivered(namespace: Namespace, rounds: number): Promise<Figure> {
  const values: number[] = [];
  let note: string | undefined;
  for (let round = 0; round < rounds && note === undefined; round++) {
    using ring = inNamespace(namespace.name, () => PacketRing.open({}));
    await transferred(namespace, []);
    const counters = ring.filterCounters();
    if (counters === undefined) note = `not counted: ${ring.filter.why}`;
    else values.push((ring.statistics().packets - counters.rst) / counters.syn);
  }
  return {
    name: "packets delivered to user space a handshake, RSTs at the ends left out",
    unit: "packets",
    values,
    aim: { atMost: 4 },
    note,
  };
}
