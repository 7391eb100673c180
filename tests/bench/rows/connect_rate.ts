/** How many connections a second are left where each waits for the tracer. */
import { Namespace } from "../../netns/namespace.ts";
import { addedFigures, compare, missingFigure, shareFigures } from "../compare.ts";
import { compareInPairs } from "../pairs.ts";
import type { Bench, Figure, Row } from "../row.ts";
import {
  dumpcap,
  EMPTY_PROBE,
  PRINTING_SCRIPT,
  SCRIPT_ALONE,
  tcpdump,
  trace,
} from "../watchers.ts";

const PORT = 4435;
const ONLY = ["--port", String(PORT)];

/** Connect, accept and reset as fast as one program can. */
export const connectRate: Row = {
  name: "connect-rate",
  title: "Connections a second on loopback, as fast as one program can",
  needs: ["gcc"],
  compare: compareVersions,
  async measure(bench) {
    const connections = bench.either(20_000, 1_000);
    const load = await bench.program("../netns/connect_load.c");
    await using namespace = await Namespace.create();
    const ours = [
      trace("`trace`", ONLY),
      trace("`trace --probes none`", [...ONLY, "--probes", "none"]),
    ];
    const others = [SCRIPT_ALONE, EMPTY_PROBE, PRINTING_SCRIPT, tcpdump("lo"), dumpcap("lo")];
    const watchers = bench.either([...ours, ...others], ours);
    const rounds = bench.either(3, 1);
    const [rate, cpu] = await compare(bench, namespace, watchers, rounds, async () => {
      const text = await namespace.run(load, "127.0.0.1", String(PORT), String(connections));
      const [, elapsedNs, cpuNs] = text.trim().split(" ").map(Number);
      return [connections / (elapsedNs / 1e9), cpuNs / 1e3 / connections] as const;
    });
    const [whole, wire] = rate.compared;
    return [
      ...shareFigures(rate, {
        unit: "connections/s",
        aims: { "`trace`": 0.9, [SCRIPT_ALONE.name]: 0.95 },
      }),
      ...addedFigures(cpu, { what: "the program's own CPU time a connection", unit: "µs" }),
      missingFigure(whole, connections, ({ both }) => both),
      missingFigure(wire, connections, ({ handshakes }) => handshakes),
    ];
  },
};

async function compareVersions(bench: Bench, root: string): Promise<Figure[]> {
  const connections = bench.either(20_000, 1_000);
  const load = await bench.program("../netns/connect_load.c");
  await using namespace = await Namespace.create();
  const quantities = [{ name: "`trace`", unit: "connections/s", isRate: true }] as const;
  return await compareInPairs(bench, root, bench.either(20, 1), quantities, async (version) => {
    const watching = await trace("", ONLY, version).start(namespace);
    const run = () => namespace.run(load, "127.0.0.1", String(PORT), String(connections));
    // The first ones are the compiler's.
    await run();
    const [, elapsedNs] = (await run()).trim().split(" ").map(Number);
    await watching.stop();
    return [connections / (elapsedNs / 1e9)];
  });
}
