/**
 * How fast `read` is in this version as a multiple of another, by the time of the processors.
 *
 * The two run in turn, first the one and then the other, so that a machine whose speed drifts, or that
 * has other work, still gives a ratio. Whole processes are measured, with their start.
 *
 * @module
 */
import { childrenCpuSeconds } from "./children_cpu.ts";
import { TRAFFIC, writeCapture } from "./read_speed.ts";
import type { Bench, Figure } from "./row.ts";
import { HERE, taskCommand } from "./task_command.ts";

/** Less of the speed than this is a loss that no new truth excuses. */
const RATIO_MIN = 0.97;

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
    writeCapture(path, traffic, length);
    const { ratios, hereMs } = await measurePairs(path, root, pairs);
    await Deno.remove(path);
    const aim = { atLeast: RATIO_MIN };
    figures.push(
      { name: `${name}: speed / that of the other`, unit: "ratio", values: ratios, aim },
      { name: `${name}: CPU`, unit: "ms", values: hereMs },
    );
  }
  return figures;
}

async function measurePairs(path: string, root: string, pairs: number) {
  const here = [...taskCommand("read", HERE), path];
  const other = [...taskCommand("read", root), path];
  const ratios: number[] = [];
  const hereMs: number[] = [];
  for (let pair = -1; pair < pairs; pair++) {
    const isHereFirst = pair % 2 === 0;
    const [first, second] = [
      await cpuMs(isHereFirst ? here : other),
      await cpuMs(isHereFirst ? other : here),
    ];
    // The first pair compiles, for those after it.
    if (pair < 0) continue;
    ratios.push(isHereFirst ? second / first : first / second);
    hereMs.push(isHereFirst ? first : second);
  }
  return { ratios, hereMs };
}

/** The time of the processors that a command takes; it must do well. */
async function cpuMs([program, ...args]: readonly string[]): Promise<number> {
  const begin = childrenCpuSeconds();
  const { success, stderr } = await new Deno.Command(program, {
    args,
    stdin: "null",
    stdout: "null",
  }).output();
  if (!success) throw new Error(`${program}: ${new TextDecoder().decode(stderr)}`);
  return (childrenCpuSeconds() - begin) * 1e3;
}
