/** What it takes to keep handshakes, and to read them again. */
import process from "node:process";
import { seal } from "../../../src/store/seal.ts";
import { Namespace } from "../../netns/namespace.ts";
import { commandCost } from "../command_cost.ts";
import { makeSegments, sumOfSizes } from "../made_store.ts";
import { pacedConnections, type PacedRun } from "../paced.ts";
import { compareInPairs } from "../pairs.ts";
import { ProcessCpu } from "../process_cost.ts";
import type { Bench, Figure, Row } from "../row.ts";
import { taskCommand } from "../task_command.ts";
import { trace } from "../watchers.ts";

const PORT = 4442;
const RATE = 10_000;
const ONLY = ["--port", String(PORT)];
/** A line to a segment may take no more than one to a file, but for chance. */
const RATIO_MAX = 1.03;

/** `trace --store` beside `trace --output`, then a million records sealed and read. */
export const store: Row = {
  name: "store",
  title: "`trace --store`, and what an hour takes that is over",
  needs: ["gcc", "bpftrace"],
  compare: compareVersions,
  async measure(bench) {
    return [...await writingFigures(bench), ...await keepingFigures(bench)];
  },
};

/** CPU time that a trace's own process takes for a handshake, µs. */
async function handshakeUs(
  namespace: Namespace,
  connect: () => Promise<PacedRun>,
  args: readonly string[],
  root?: string,
): Promise<number> {
  const watching = await trace("", [...ONLY, ...args], root).start(namespace);
  // The first ones are the compiler's.
  await connect();
  const { tool, result } = await (await ProcessCpu.of(watching.pid)).during(connect);
  await watching.stop();
  return tool / 1e3 / result.connections;
}

async function writingFigures(bench: Bench): Promise<Figure[]> {
  await using namespace = await Namespace.create();
  const count = bench.either(3 * RATE, 1_000);
  const connect = await pacedConnections(bench, namespace, PORT, RATE, count);
  const stored: number[] = [];
  const ratios: number[] = [];
  for (let pair = 0; pair < bench.either(10, 1); pair++) {
    bench.say(`pair ${pair + 1}`);
    const paths = ["store", "ndjson"].map((name) => `${bench.folder}/written.${name}`);
    const ways = [["--store", paths[0]], ["--output", paths[1]]];
    const took: number[] = [];
    for (const which of pair % 2 === 0 ? [0, 1] : [1, 0]) {
      took[which] = await handshakeUs(namespace, connect, ways[which]);
    }
    for (const path of paths) await Deno.remove(path, { recursive: true });
    stored.push(took[0]);
    ratios.push(took[0] / took[1]);
  }
  return [
    {
      name: "`trace --store`, its own process, a handshake at 10,000/s",
      unit: "µs",
      values: stored,
    },
    {
      name: "`trace --store` / `trace --output`, CPU time",
      unit: "ratio",
      values: ratios,
      aim: { atMost: RATIO_MAX },
    },
  ];
}

async function keepingFigures(bench: Bench): Promise<Figure[]> {
  const folder = `${bench.folder}/kept`;
  const { paths, records, bytes } = makeSegments(folder, bench.either(1_000_000, 5_000));
  const before = process.cpuUsage();
  for (const path of paths) await seal(path, "bench");
  const { user, system } = process.cpuUsage(before);
  const sealed = sumOfSizes(paths.map((path) => `${path}.zst`));
  const reading = [];
  for (let round = 0; round < bench.either(3, 1); round++) {
    reading.push(await commandCost([...taskCommand("read"), folder, "--stats"]));
  }
  await Deno.remove(folder, { recursive: true });
  const million = 1e6 / records;
  return [
    { name: "a million records as they are written", unit: "MB", values: [bytes / 1e6 * million] },
    { name: "the same, sealed", unit: "MB", values: [sealed / 1e6 * million] },
    { name: "CPU time to seal them", unit: "s", values: [(user + system) / 1e6 * million] },
    {
      name: "time of `read --stats` of them, sealed",
      unit: "s",
      values: reading.map(({ seconds }) => seconds * million),
    },
    {
      name: "its peak of memory",
      unit: "MB",
      values: reading.map(({ peakMb }) => peakMb),
    },
  ];
}

async function compareVersions(bench: Bench, root: string): Promise<Figure[]> {
  await using namespace = await Namespace.create();
  const count = bench.either(3 * RATE, 1_000);
  const connect = await pacedConnections(bench, namespace, PORT, RATE, count);
  const folder = `${bench.folder}/kept`;
  const { paths } = makeSegments(folder, bench.either(100_000, 5_000));
  for (const path of paths) await seal(path, "bench");
  const quantities = [
    { name: "`trace --store`, its own process at 10,000/s", unit: "µs" },
    { name: "`read --stats` of 100,000 records, sealed: CPU", unit: "s" },
  ] as const;
  return await compareInPairs(bench, root, bench.either(20, 1), quantities, async (version) => {
    const written = `${bench.folder}/written`;
    const us = await handshakeUs(namespace, connect, ["--store", written], version);
    await Deno.remove(written, { recursive: true });
    const command = [...taskCommand("read", version), folder, "--stats"];
    return [us, (await commandCost(command)).cpuSeconds];
  });
}
