/** What runs inside the kernel, on account of the connections themselves. */
import { Namespace } from "../../netns/namespace.ts";
import { BpfClock, bpfRuns } from "../bpf_run_time.ts";
import { pacedConnections } from "../paced.ts";
import { processTree } from "../process_cost.ts";
import type { Figure, Row } from "../row.ts";
import { trace } from "../watchers.ts";

const PORT = 4440;
/** So seldom that what a program touches has left the processor's cache since the connection before. */
const SELDOM = 1_000;
const PARTS = ["socket filter", "probes"] as const;

/** Time of the socket filter and the probes, of both ends, and the kernel's clock around them. */
export const bpfTime: Row = {
  name: "bpf-time",
  title: "Time of the BPF programs of `trace` a connection on loopback, both ends",
  needs: ["gcc", "bpftrace"],
  async measure(bench) {
    await using namespace = await Namespace.create();
    const load = await bench.program("../netns/connect_load.c");
    const connections = bench.either(20_000, 1_000);
    const seldom = bench.either(2 * SELDOM, 200);
    const connect = await pacedConnections(bench, namespace, PORT, SELDOM, seldom);
    const loads: [when: string, count: number, run: () => Promise<unknown>][] = [
      [
        "at saturation",
        connections,
        () => namespace.run(load, "127.0.0.1", String(PORT), String(connections)),
      ],
      [`at ${SELDOM.toLocaleString("en-US")}/s`, seldom, connect],
    ];
    const figures = new Map<string, Figure & { values: number[] }>();
    const add = (name: string, unit: string, value: number) => {
      const key = `${name}, ${unit}`;
      if (!figures.has(key)) figures.set(key, { name, unit, values: [] });
      figures.get(key)!.values.push(value);
    };
    using _clock = new BpfClock();
    for (let round = 0; round < bench.either(3, 1); round++) {
      const watching = await trace("", ["--port", String(PORT)]).start(namespace);
      const [deno, ...children] = await processTree(watching.pid);
      const count = () => Promise.all([bpfRuns(deno), bpfRuns(children[0])]);
      for (const [when, times, run] of loads) {
        const before = await count();
        await run();
        const after = await count();
        for (const [index, part] of PARTS.entries()) {
          const { ns, runs } = after[index];
          add(`${part}, ${when}`, "ns", (ns - before[index].ns) / times);
          add(`${part}, ${when}`, "runs", (runs - before[index].runs) / times);
        }
      }
      await watching.stop();
    }
    return [...figures.values()];
  },
};
