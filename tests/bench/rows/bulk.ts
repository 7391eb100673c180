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
      await delivered(namespace, transfer),
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

/** What the filter lets through of a whole transfer, its two connections and their ends. */
async function delivered(
  namespace: Namespace,
  transfer: () => Promise<unknown>,
): Promise<Figure> {
  using ring = inNamespace(namespace.name, () => PacketRing.open({}));
  await transfer();
  const { packets } = ring.statistics();
  const handshakes = ring.filterCounters()?.syn;
  return {
    name: "packets delivered to user space a handshake",
    unit: "packets",
    values: handshakes === undefined ? [] : [packets / handshakes],
    aim: { atMost: 4 },
    note: handshakes === undefined ? `not counted: ${ring.filter.why}` : undefined,
  };
}
