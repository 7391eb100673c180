/**
 * How long `read` takes in this version and in another, each as its user runs it: by the clock, for which
 * the user waits, and of the processors, which a second thread does not relieve. Whole processes are
 * measured, with their start.
 *
 * @module
 */
import { commandCost } from "./command_cost.ts";
import { usualCommand } from "./installed_command.ts";
import { compareInPairs } from "./pairs.ts";
import { TRAFFIC, writeCapture } from "./read_speed.ts";
import type { Bench, Figure } from "./row.ts";

/** Longer than the header of a capture: so much holds one connection. */
const SHORTEST_BYTES = 25;

/** Pairs of runs on every kind of traffic, and on one connection alone: of that the start is nearly all. */
export async function compareRead(bench: Bench, root: string): Promise<Figure[]> {
  const path = `${bench.folder}/compared.pcap`;
  const kinds = [
    {
      name: "one connection",
      traffic: TRAFFIC[2],
      length: SHORTEST_BYTES,
      pairs: bench.either(60, 2),
    },
    ...TRAFFIC.filter(({ times }) => times === undefined).map((traffic) => ({
      name: traffic.name,
      traffic,
      length: bench.either(300_000_000, 3_000_000),
      pairs: bench.either(30, 2),
    })),
  ];
  const figures: Figure[] = [];
  for (const { name, traffic, length, pairs } of kinds) {
    bench.say(name);
    writeCapture(path, traffic, length);
    const quantities = [
      { name: `${name}: time`, unit: "ms" },
      { name: `${name}: CPU`, unit: "ms", hasNoAim: true },
    ] as const;
    const compared = await compareInPairs(bench, root, pairs, quantities, async (version) => {
      const command = await usualCommand(bench, "read", version);
      const { seconds, cpuSeconds } = await commandCost([...command, path]);
      return [seconds * 1e3, cpuSeconds * 1e3];
    });
    figures.push(...compared);
    await Deno.remove(path);
  }
  return figures;
}
