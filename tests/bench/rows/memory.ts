/** How much memory a trace has, and whether that grows with what was seen. */
import { Namespace } from "../../netns/namespace.ts";
import { Growth } from "../growth.ts";
import { lossFigures } from "../outcome.ts";
import { pacedConnections, type PacedRun } from "../paced.ts";
import { compareInPairs } from "../pairs.ts";
import { processTree, residentMb } from "../process_cost.ts";
import type { Bench, Figure, Row } from "../row.ts";
import { layCable } from "../synthetic.ts";
import { startProgram, trace } from "../watchers.ts";

/** What a machine of two cores takes in without a loss. */
const RATE = 50_000;
/** Two and a half minutes and more; a run that is not long does a tenth of it and more. */
const HANDSHAKES = 10_000_000;
/** What comes after the first half is a fluctuation, not growth, below this. */
const FLAT_MB = 5;

const PORT = 4441;
const REAL_RATE = 10_000;
/** After it is ready, a start is over. */
const STARTED_MS = 3_000;
/** The most that the tool's own process may have. */
const LOADED_MB = 115;
const IDLE_MB = 80;

/** Real connections with the kernel's side, then made-up handshakes at a higher rate, each with a record. */
export const memory: Row = {
  name: "memory",
  title: "Memory of `trace`: at 10,000 connections/s, and over 50,000 synthetic handshakes/s",
  needs: ["gcc", "bpftrace"],
  compare: compareVersions,
  async measure(bench) {
    return [...await residentFigures(bench), ...await growthFigures(bench)];
  },
};

/** Memory of a trace, MB: before any traffic, the most of it under load, and bpftrace's then. */
async function residentOf(namespace: Namespace, connect: () => Promise<PacedRun>, root?: string) {
  const watching = await trace("", ["--port", String(PORT)], root).start(namespace);
  await new Promise((resolve) => setTimeout(resolve, STARTED_MS));
  const idle = residentMb(watching.pid).now;
  const { peak } = await Growth.during(watching.pid, connect);
  const [, ...others] = await processTree(watching.pid);
  const beside = others.reduce((sum, pid) => sum + residentMb(pid).now, 0);
  await watching.stop();
  return { idle, peak, beside };
}

async function connections(bench: Bench, namespace: Namespace) {
  return await pacedConnections(
    bench,
    namespace,
    PORT,
    REAL_RATE,
    bench.either(10 * REAL_RATE, 1_000),
  );
}

async function residentFigures(bench: Bench): Promise<Figure[]> {
  await using namespace = await Namespace.create();
  const connect = await connections(bench, namespace);
  const runs = [];
  for (let round = 0; round < bench.either(5, 1); round++) {
    runs.push(await residentOf(namespace, connect));
  }
  return [
    { name: "the runtime alone", unit: "MB", values: [await runtimeMb(namespace)] },
    {
      name: "`trace` without traffic, without bpftrace",
      unit: "MB",
      values: runs.map(({ idle }) => idle),
      aim: { atMost: IDLE_MB },
    },
    {
      name: "`trace` at 10,000/s, its peak, without bpftrace",
      unit: "MB",
      values: runs.map(({ peak }) => peak),
      aim: { atMost: LOADED_MB },
    },
    { name: "bpftrace beside it", unit: "MB", values: runs.map(({ beside }) => beside) },
  ];
}

async function growthFigures(bench: Bench): Promise<Figure[]> {
  await using cable = await layCable(bench);
  const count = bench.either(HANDSHAKES * 0.3, 50_000, HANDSHAKES);
  const args = ["--probes", "none", "--interface", cable.receiverEnd];
  const watching = await trace("", args).start(cable.receiver);
  const growth = await Growth.during(
    watching.pid,
    () => cable.send(RATE, count, "handshakes"),
  );
  const outcome = await watching.stop();
  const at = (share: number) => ({
    name: `\`--probes none\` after ${(count * share).toLocaleString("en-US")} synthetic handshakes`,
    unit: "MB",
    values: [growth.at(share)],
  });
  return [
    { name: "rate of the synthetic ones", unit: "handshakes/s", values: [growth.result.perSecond] },
    {
      name: `of ${count.toLocaleString("en-US")} not reported`,
      unit: "",
      values: [count - (outcome.established ?? 0)],
      aim: { atMost: 0 },
    },
    ...lossFigures(outcome),
    ...[0, 0.1, 0.5, 1].map(at),
    {
      name: "growth in the second half",
      unit: "MB",
      values: [growth.after(0.5)],
      aim: { atMost: FLAT_MB },
    },
    { name: "peak of Deno", unit: "MB", values: [growth.peak], aim: { atMost: LOADED_MB } },
  ];
}

/** What a program of this runtime takes that does nothing. */
async function runtimeMb(namespace: Namespace): Promise<number> {
  const idle = "data:text/javascript,setInterval(()=>{},1e6);console.log('ready')";
  const command = [Deno.execPath(), "run", "--quiet", idle];
  const running = await startProgram(namespace, command, "stdout", /ready/);
  const { peak } = residentMb(running.pid);
  await running.stop();
  return peak;
}

async function compareVersions(bench: Bench, root: string): Promise<Figure[]> {
  await using namespace = await Namespace.create();
  const connect = await connections(bench, namespace);
  const quantities = [
    { name: "`trace` without traffic", unit: "MB" },
    { name: "`trace` at 10,000/s, its peak", unit: "MB" },
  ] as const;
  return await compareInPairs(bench, root, bench.either(10, 1), quantities, async (version) => {
    const { idle, peak } = await residentOf(namespace, connect, version);
    return [idle, peak];
  });
}
