/** What the tracers' processes take of the CPU. */
import { Namespace } from "../../netns/namespace.ts";
import { pacedConnections, type PacedRun } from "../paced.ts";
import { compareInPairs } from "../pairs.ts";
import { cpuDuring, ProcessCpu } from "../process_cost.ts";
import type { Bench, Figure, Row } from "../row.ts";
import { dumpcap, PRINTING_SCRIPT, tcpdump, trace, type Watcher } from "../watchers.ts";

const PORT = 4437;
const RATE = 10_000;
/** So seldom that nearly each handshake wakes the tool up. */
const SELDOM = 1_000;
const ONLY = ["--port", String(PORT)];

/** The most microseconds that the tool's own process may take. */
const AIMS_US = { often: 7.5, seldom: 30, statistics: 5 };
const IDLE_PERCENT = 1;

/** CPU time of the processes; what runs inside the kernel on account of others is in `bpf-time`. */
export const cpu: Row = {
  name: "cpu",
  title: "CPU time of the tracers' processes, in user space and the kernel",
  needs: ["gcc", "bpftrace"],
  compare: compareVersions,
  async measure(bench) {
    await using namespace = await Namespace.create();
    const load = await loads(bench, namespace, { often: 5, seldom: 3 });
    const ndjson = tracing(bench);
    const peers = bench.some([PRINTING_SCRIPT, tcpdump("lo"), dumpcap("lo")]);
    const own = new Values();
    const whole = new Values();
    const rates: number[] = [];
    for (let round = 0; round < bench.either(3, 1); round++) {
      bench.say(`round ${round + 1}`);
      {
        await using busy = await BusyTrace.start(ndjson, namespace, load);
        own.add("at first", busy.firstUs);
        own.add("idle", await busy.idlePercent());
        for (const how of ["often", "seldom"] as const) {
          const { tool, v8Threads, others, rate } = await busy.handshakeUs(how);
          own.add(how, tool);
          own.add(`V8 ${how}`, v8Threads);
          own.add(`beside ${how}`, others);
          if (how === "often") rates.push(rate);
        }
      }
      const counting = await countingCost(namespace, load);
      own.add("statistics", counting.tool);
      own.add("V8 statistics", counting.v8Threads);
      own.add("packets", (await countingCost(namespace, load, ["--probes", "none"])).tool);
      for (const peer of peers) {
        if (peer.missing !== undefined) continue;
        const { often, idlePercent } = await peerCost(peer, namespace, load);
        whole.add(peer.name, often);
        whole.add(`${peer.name}, idle`, idlePercent);
      }
    }
    return [
      { name: "rate of the connections", unit: "connections/s", values: rates },
      {
        name: "`trace`'s own process, NDJSON to a file, a handshake at 10,000/s",
        unit: "µs",
        values: own.of("often"),
        aim: { atMost: AIMS_US.often },
      },
      { name: "of it V8's own threads", unit: "µs", values: own.of("V8 often") },
      {
        name: "the same in its first five seconds, in which V8 compiles",
        unit: "µs",
        values: own.of("at first"),
      },
      { name: "bpftrace beside it", unit: "µs", values: own.of("beside often") },
      {
        name: "`trace`'s own process, NDJSON to a file, a handshake at 1,000/s",
        unit: "µs",
        values: own.of("seldom"),
        aim: { atMost: AIMS_US.seldom },
      },
      { name: "bpftrace beside it at 1,000/s", unit: "µs", values: own.of("beside seldom") },
      {
        name: "`trace --stats`, its own process, a handshake at 10,000/s",
        unit: "µs",
        values: own.of("statistics"),
        aim: { atMost: AIMS_US.statistics },
      },
      { name: "of it V8's own threads, `--stats`", unit: "µs", values: own.of("V8 statistics") },
      {
        name: "`trace --probes none --stats`, a handshake at 10,000/s",
        unit: "µs",
        values: own.of("packets"),
      },
      {
        name: "`trace` with bpftrace, without traffic",
        unit: "% of a core",
        values: own.of("idle"),
        aim: { atMost: IDLE_PERCENT },
      },
      ...peers.flatMap(({ name, missing }): Figure[] => [
        {
          name: `${name}, a handshake at 10,000/s`,
          unit: "µs",
          values: whole.of(name),
          note: missing,
        },
        {
          name: `${name}, without traffic`,
          unit: "% of a core",
          values: whole.of(`${name}, idle`),
          note: missing,
        },
      ]),
    ];
  },
};

/** Values by what they are of. */
class Values {
  readonly #values = new Map<string, number[]>();

  add(what: string, value: number): void {
    this.#values.set(what, [...this.of(what), value]);
  }

  of(what: string): readonly number[] {
    return this.#values.get(what) ?? [];
  }
}

/** `trace` that writes a new file. */
function tracing(bench: Bench, root?: string): Watcher {
  const path = `${bench.folder}/cpu.ndjson`;
  const watcher = trace("`trace`", [...ONLY, "--output", path], root);
  const start = async (namespace: Namespace) => {
    const watching = await watcher.start(namespace);
    const stop = async () => {
      const outcome = await watching.stop();
      await Deno.remove(path);
      return outcome;
    };
    return { ...watching, stop };
  };
  return { ...watcher, start };
}

/** Connections of both rates, and how long nothing comes. */
interface Loads {
  often: () => Promise<PacedRun>;
  seldom: () => Promise<PacedRun>;
  idleMs: number;
  restMs: number;
}

async function loads(
  bench: Bench,
  namespace: Namespace,
  seconds: { often: number; seldom: number },
): Promise<Loads> {
  const often = bench.either(seconds.often * RATE, 1_000);
  const seldom = bench.either(seconds.seldom * SELDOM, 200);
  return {
    often: await pacedConnections(bench, namespace, PORT, RATE, often),
    seldom: await pacedConnections(bench, namespace, PORT, SELDOM, seldom),
    idleMs: bench.either(2_000, 200),
    restMs: bench.either(1_000, 100),
  };
}

/**
 * Loads of many before what is measured: they pay for the compiler, which works most in the first five
 * seconds and a third as much in the next.
 */
const LOADS_BEFORE = 3;

/** A trace that has seen handshakes before. */
class BusyTrace implements AsyncDisposable {
  /** What a handshake of the first load took, µs. */
  readonly firstUs: number;
  readonly #load: Loads;
  readonly #cpu: ProcessCpu;
  readonly #stop: () => Promise<unknown>;

  private constructor(
    load: Loads,
    cpu: ProcessCpu,
    firstUs: number,
    stop: () => Promise<unknown>,
  ) {
    this.#load = load;
    this.#cpu = cpu;
    this.firstUs = firstUs;
    this.#stop = stop;
  }

  static async start(watcher: Watcher, namespace: Namespace, load: Loads): Promise<BusyTrace> {
    const watching = await watcher.start(namespace);
    const cpu = await ProcessCpu.of(watching.pid);
    const { tool, result } = await cpu.during(load.often);
    for (let before = 1; before < LOADS_BEFORE; before++) await load.often();
    return new BusyTrace(load, cpu, tool / 1e3 / result.connections, () => watching.stop());
  }

  /** What a handshake takes of its own process and of those that it started, µs, and their rate. */
  async handshakeUs(how: "often" | "seldom"): Promise<HandshakeCost> {
    const { tool, v8Threads, others, result } = await this.#cpu.during(async () => {
      const run = await this.#load[how]();
      // What the last of them cost is spent a moment later.
      await pause(200);
      return run;
    });
    const us = 1e3 * result.connections;
    const rate = result.connections / result.seconds;
    return { tool: tool / us, v8Threads: v8Threads / us, others: others / us, rate };
  }

  /** What all of its processes take of a core while nothing comes. */
  async idlePercent(): Promise<number> {
    // What the runtime still does of the handshakes is not what an idle trace costs.
    await pause(this.#load.restMs);
    const { tool, others } = await this.#cpu.during(() => pause(this.#load.idleMs));
    return (tool + others) / (this.#load.idleMs * 1e6) * 100;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#stop();
  }
}

interface HandshakeCost {
  tool: number;
  /** Of that. */
  v8Threads: number;
  others: number;
  rate: number;
}

/** The same of a trace that only counts. @param flags More of its flags. */
async function countingCost(
  namespace: Namespace,
  load: Loads,
  flags: readonly string[] = [],
  root?: string,
): Promise<HandshakeCost> {
  const watcher = trace("", [...ONLY, "--stats", ...flags], root);
  await using busy = await BusyTrace.start(watcher, namespace, load);
  return await busy.handshakeUs("often");
}

/** What another program takes with those that it started. */
async function peerCost(watcher: Watcher, namespace: Namespace, load: Loads) {
  const watching = await watcher.start(namespace);
  const idleNs = await cpuDuring(watching.pid, () => pause(load.idleMs));
  const often = await cpuDuring(watching.pid, load.often, ({ connections }) => connections);
  await watching.stop();
  return { often: often / 1e3, idlePercent: idleNs / (load.idleMs * 1e6) * 100 };
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

async function compareVersions(bench: Bench, root: string): Promise<Figure[]> {
  await using namespace = await Namespace.create();
  const load = await loads(bench, namespace, { often: 2, seldom: 2 });
  const quantities = [
    { name: "`trace`'s own process at 10,000/s", unit: "µs" },
    { name: "bpftrace beside it", unit: "µs" },
    { name: "`trace`'s own process at 1,000/s", unit: "µs" },
    { name: "`trace --stats`, its own process at 10,000/s", unit: "µs" },
  ] as const;
  return await compareInPairs(bench, root, bench.either(20, 1), quantities, async (version) => {
    const { tool: counted } = await countingCost(namespace, load, [], version);
    await using busy = await BusyTrace.start(tracing(bench, version), namespace, load);
    const often = await busy.handshakeUs("often");
    const seldom = await busy.handshakeUs("seldom");
    return [often.tool, often.others, seldom.tool, counted];
  });
}
