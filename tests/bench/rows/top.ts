/** What a screen costs beside the trace that it shows. */
import { PseudoTerminal } from "../../capture/pseudo_terminal.ts";
import { Namespace, until } from "../../netns/namespace.ts";
import { Growth } from "../growth.ts";
import { pacedConnections, type PacedRun } from "../paced.ts";
import { compareInPairs } from "../pairs.ts";
import { cpuDuring, processTree } from "../process_cost.ts";
import { type Bench, type Figure, median, type Row } from "../row.ts";
import { HERE, taskCommand } from "../task_command.ts";
import { trace, type Watching } from "../watchers.ts";

const PORT = 4_438;
const RATE = 10_000;
const ONLY = ["--port", String(PORT)];
/** Attaching takes seconds, where a machine does much else a minute. */
const READY_MS = 120_000;
/** What comes after the first half is a fluctuation, not growth, below this. */
const FLAT_MB = 5;

/** A screen of 120 × 40 at 10,000 handshakes a second, which is read as a terminal does. */
export const topScreen: Row = {
  name: "top",
  title: "`top` on a terminal of 120 × 40 over 10,000 handshakes a second",
  needs: ["gcc", "setsid"],
  compare: compareVersions,
  async measure(bench) {
    await using namespace = await Namespace.create();
    const count = bench.either(5 * RATE, 1_000);
    const connect = await pacedConnections(bench, namespace, PORT, RATE, count);
    // All is matched, and nothing written.
    const silent = trace("`trace` that writes nothing", [...ONLY, "--outcome", "timeout"]);
    const watchers = [silent, {
      ...silent,
      name: "`top`",
      start: (namespace: Namespace) => startTop(namespace),
    }];
    const handshakeUs = watchers.map((): number[] => []);
    for (let round = 0; round < bench.either(3, 1); round++) {
      bench.say(`round ${round + 1}`);
      for (const [index, watcher] of watchers.entries()) {
        handshakeUs[index].push(await microsecondsOf(await watcher.start(namespace), connect));
      }
    }
    const [alone, shown] = handshakeUs.map(median);
    return [
      ...watchers.map(({ name }, index) => ({
        name: `${name}, a handshake`,
        unit: "µs",
        values: handshakeUs[index],
      })),
      {
        name: "above the trace at 10,000/s",
        unit: "% of a core",
        values: [(shown - alone) * RATE / 1e6 * 100],
        aim: { atMost: 5 },
      },
      ...await growthOf(namespace, bench),
    ];
  },
};

/** CPU time of a handshake, µs, of the tool and bpftrace. */
async function microsecondsOf(watching: Watching, connect: () => Promise<PacedRun>) {
  // The first ones pay for the compiler.
  await connect();
  const ns = await cpuDuring(watching.pid, connect, ({ connections }) => connections);
  await watching.stop();
  return ns / 1e3;
}

async function compareVersions(bench: Bench, root: string): Promise<Figure[]> {
  await using namespace = await Namespace.create();
  const count = bench.either(3 * RATE, 1_000);
  const connect = await pacedConnections(bench, namespace, PORT, RATE, count);
  const quantities = [{
    name: "`top` with bpftrace, a handshake at 10,000/s",
    unit: "µs",
  }] as const;
  return await compareInPairs(bench, root, bench.either(20, 1), quantities, async (version) => [
    await microsecondsOf(await startTop(namespace, version), connect),
  ]);
}

/** Its memory over a minute, or ten. */
async function growthOf(namespace: Namespace, bench: Bench) {
  const seconds = bench.either(60, 1, 600);
  const connect = await pacedConnections(bench, namespace, PORT, RATE, seconds * RATE);
  const watching = await startTop(namespace);
  const tool = await toolOf(watching.pid);
  const growth = await Growth.during<PacedRun>(tool, connect);
  await watching.stop();
  const during = seconds < 60 ? `${seconds} s` : `${seconds / 60} min`;
  return [
    { name: `peak of Deno in ${during}`, unit: "MB", values: [growth.peak] },
    {
      name: "growth in the second half",
      unit: "MB",
      values: [growth.after(0.5)],
      aim: { atMost: FLAT_MB },
    },
  ];
}

/** The process of the tool below those that started it. */
async function toolOf(pid: number): Promise<number> {
  for (const each of await processTree(pid)) {
    if (await Deno.readLink(`/proc/${each}/exe`) === Deno.execPath()) return each;
  }
  throw new Error("Cannot go on: top does not run");
}

async function startTop(namespace: Namespace, root = HERE): Promise<Watching> {
  const terminal = new PseudoTerminal(120, 40);
  const child = terminal.spawn(
    ["ip", "netns", "exec", namespace.name, ...taskCommand("top", root), ...ONLY],
    { stderr: "null" },
  );
  let shown = "";
  let isReady = false;
  const timer = setInterval(() => {
    const text = terminal.read();
    if (!isReady) shown += text;
  }, 20);
  await until("a screen", () => /kernel events come from/.test(shown), READY_MS);
  isReady = true;
  return {
    pid: child.pid,
    stop: async () => {
      terminal.type("q");
      await child.status;
      clearInterval(timer);
      terminal[Symbol.dispose]();
      return { losses: new Map() };
    },
  };
}
