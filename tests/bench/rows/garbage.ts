/** What a trace leaves to the garbage collector. */
import { Namespace } from "../../netns/namespace.ts";
import { pacedConnections, type PacedRun } from "../paced.ts";
import { compareInPairs } from "../pairs.ts";
import type { Bench, Figure, Row } from "../row.ts";
import { taskCommand } from "../task_command.ts";
import { startProgram } from "../watchers.ts";

const PORT = 4440;
const RATE = 10_000;
const ONLY = ["--port", String(PORT)];
const AIM_BYTES = 2_000;

/**
 * Bytes, by what V8 says of each collection of its young generation: the machine may be busy, but others should
 * not connect, for the script sees every namespace. The time that it takes to collect them is in the row `cpu`.
 */
export const garbage: Row = {
  name: "garbage",
  title:
    "What `trace` leaves to the garbage collector of a handshake, at 10,000 connections a second",
  needs: ["gcc", "bpftrace"],
  compare: compareVersions,
  async measure(bench) {
    await using namespace = await Namespace.create();
    const load = await loadOf(bench, namespace);
    const figures: Figure[] = [];
    for (const [name, args] of Object.entries(waysToTrace(bench))) {
      const values: number[] = [];
      for (let round = 0; round < bench.either(3, 1); round++) {
        bench.say(`${name}, round ${round + 1}`);
        values.push(await bytesOfHandshake(bench, namespace, load, args));
      }
      figures.push({ name, unit: "bytes", values, aim: { atMost: AIM_BYTES } });
    }
    return figures;
  },
};

function waysToTrace(bench: Bench): Record<string, readonly string[]> {
  return {
    "NDJSON to a file": ["--output", `${bench.folder}/garbage.ndjson`],
    "`--stats`": ["--stats"],
    "`--probes none --stats`": ["--probes", "none", "--stats"],
  };
}

function loadOf(bench: Bench, namespace: Namespace): Promise<() => Promise<PacedRun>> {
  const connections = bench.either(50_000, 10_000);
  return pacedConnections(bench, namespace, PORT, RATE, connections);
}

/** Of the second of two runs: in the first much of the code is not optimized yet, which leaves more. */
async function bytesOfHandshake(
  bench: Bench,
  namespace: Namespace,
  load: () => Promise<PacedRun>,
  args: readonly string[],
  root?: string,
): Promise<number> {
  const said = `${bench.folder}/collections.txt`;
  const command = taskCommand("trace", root)
    .map((word) => word.startsWith("--v8-flags=") ? `${word},--trace-gc` : word);
  const startedMs = performance.now();
  const watching = await startProgram(
    namespace,
    // What V8 says goes to standard output, and stays in its buffer for a while.
    ["sh", "-c", 'exec "$@" > "$0"', said, ...command, ...ONLY, ...args],
    "stderr",
    args.includes("none") ? /capturing packets/ : /kernel events come from/,
  );
  await load();
  const fromMs = performance.now() - startedMs;
  await load();
  const untilMs = performance.now() - startedMs;
  await watching.stop();
  const text = await Deno.readTextFile(said);
  await Deno.remove(said);
  return allocatedIn(text, fromMs, untilMs) / RATE;
}

/** Of `[1:0x5] 1234 ms: Scavenge 23.0 (32.1) -> 15.7 (32.4) MB, …` the time, and the megabytes in use. */
const COLLECTION = /(\d+) ms: Scavenge (?:\(.*?\) )?(\d+\.\d) \(\d+\.\d\) -> (\d+\.\d) /g;

/** Bytes a second, from the first collection to the last in a time; 0 where there were no two. */
function allocatedIn(text: string, fromMs: number, untilMs: number): number {
  const collections = [...text.matchAll(COLLECTION)]
    .map((match) => match.slice(1).map(Number))
    .map(([ms, before, after]) => ({ ms, before, after }))
    .filter(({ ms }) => ms >= fromMs && ms <= untilMs);
  const [first, ...others] = collections;
  const last = others.at(-1);
  if (last === undefined) return 0;
  const megabytes = others.reduce((sum, { before }, at) => sum + before - collections[at].after, 0);
  return megabytes * 2 ** 20 / ((last.ms - first.ms) / 1e3);
}

async function compareVersions(bench: Bench, root: string): Promise<Figure[]> {
  await using namespace = await Namespace.create();
  const load = await loadOf(bench, namespace);
  const ways = waysToTrace(bench);
  const quantities = [{ name: "NDJSON to a file", unit: "bytes" }, {
    name: "`--stats`",
    unit: "bytes",
  }] as const;
  return await compareInPairs(bench, root, bench.either(3, 1), quantities, async (version) => {
    const measure = (name: string) => bytesOfHandshake(bench, namespace, load, ways[name], version);
    return [await measure(quantities[0].name), await measure(quantities[1].name)];
  });
}
