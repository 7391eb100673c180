/** What runs inside the kernel, on account of the connections themselves. */
import { Namespace } from "../../netns/namespace.ts";
import { BpfClock, bpfRuns } from "../bpf_run_time.ts";
import { processTree } from "../process_cost.ts";
import type { Row } from "../row.ts";
import { trace } from "../watchers.ts";

const PORT = 4440;

/** Time of the socket filter and the probes, of both ends, and the kernel's clock around them. */
export const bpfTime: Row = {
  name: "bpf-time",
  title: "Time of the BPF programs of `trace` a connection on loopback, both ends",
  needs: ["gcc", "bpftrace"],
  async measure(bench) {
    await using namespace = await Namespace.create();
    const load = await bench.program("../netns/connect_load.c");
    const connections = bench.either(20_000, 1_000);
    const nanoseconds: Record<string, number[]> = { filter: [], probes: [] };
    const runs: Record<string, number[]> = { filter: [], probes: [] };
    using _clock = new BpfClock();
    for (let round = 0; round < bench.either(3, 1); round++) {
      const watching = await trace("", ["--port", String(PORT)]).start(namespace);
      const [deno, ...children] = await processTree(watching.pid);
      const count = async () => ({
        filter: await bpfRuns(deno),
        probes: await bpfRuns(children[0]),
      });
      const before = await count();
      await namespace.run(load, "127.0.0.1", String(PORT), String(connections));
      const after = await count();
      await watching.stop();
      for (const part of ["filter", "probes"] as const) {
        nanoseconds[part].push((after[part].ns - before[part].ns) / connections);
        runs[part].push((after[part].runs - before[part].runs) / connections);
      }
    }
    return [
      { name: "socket filter", unit: "ns", values: nanoseconds.filter },
      { name: "socket filter", unit: "runs", values: runs.filter },
      { name: "probes", unit: "ns", values: nanoseconds.probes },
      { name: "probes", unit: "runs", values: runs.probes },
    ];
  },
};
