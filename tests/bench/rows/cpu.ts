/** What the tracers' processes take of the CPU. */
import { Namespace } from "../../netns/namespace.ts";
import { pacedConnections } from "../paced.ts";
import { cpuDuring } from "../process_cost.ts";
import type { Figure, Row } from "../row.ts";
import { dumpcap, PRINTING_SCRIPT, tcpdump, trace, type Watcher } from "../watchers.ts";

const PORT = 4437;
const RATE = 10_000;
const ONLY = ["--port", String(PORT)];

/** CPU time of the processes; what runs inside the kernel on account of others is in `bpf-time`. */
export const cpu: Row = {
  name: "cpu",
  title: "CPU time of the tracer's processes, bpftrace's included",
  needs: ["gcc"],
  async measure(bench) {
    await using namespace = await Namespace.create();
    const connect = await pacedConnections(
      bench,
      namespace,
      PORT,
      RATE,
      // As many come before: the first ones pay for the compiler.
      bench.either(5 * RATE, 1_000),
    );
    const idleMs = bench.either(2_000, 200);
    const watchers = bench.some([
      trace("`trace`", ONLY),
      PRINTING_SCRIPT,
      tcpdump("lo"),
      dumpcap("lo"),
    ]);
    const handshakeUs = watchers.map((): number[] => []);
    const idlePercent = watchers.map((): number[] => []);
    const rates: number[] = [];
    for (let round = 0; round < bench.either(3, 1); round++) {
      bench.say(`round ${round + 1}`);
      for (const [index, watcher] of watchers.entries()) {
        if (watcher.missing !== undefined) continue;
        const watching = await watcher.start(namespace);
        if (watcher.warmsUp) {
          await connect();
          // What the runtime still does of it is not what an idle trace costs.
          await pause(bench.either(1_000, 100));
        }
        const idleNs = await cpuDuring(
          watching.pid,
          () => pause(idleMs),
        );
        idlePercent[index].push(idleNs / (idleMs * 1e6) * 100);
        const busyNs = await cpuDuring(watching.pid, async () => {
          const { connections, seconds } = await connect();
          rates.push(connections / seconds);
          // What the last of them cost is spent a moment later.
          await pause(200);
          return connections;
        }, (connections) => connections);
        handshakeUs[index].push(busyNs / 1e3);
        await watching.stop();
      }
    }
    return [
      { name: "rate of the connections", unit: "connections/s", values: rates },
      ...figures(watchers, handshakeUs, "a handshake at 10,000/s", "µs", 3),
      ...figures(watchers, idlePercent, "without traffic", "% of a core", 1),
    ];
  },
};

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

function figures(
  watchers: readonly Watcher[],
  values: readonly number[][],
  when: string,
  unit: string,
  ours: number,
): Figure[] {
  return watchers.map(({ name, missing }, index) => ({
    name: `${name}, ${when}`,
    unit,
    values: values[index],
    ...(index === 0 && { aim: { atMost: ours } }),
    note: missing,
  }));
}
