/** What a program that connects now and then waits longer for. */
import { Namespace } from "../../netns/namespace.ts";
import { addedFigures, compare } from "../compare.ts";
import { pacedConnections } from "../paced.ts";
import type { Row } from "../row.ts";
import { PRINTING_SCRIPT, tcpdump, trace } from "../watchers.ts";

const PORT = 4436;
const RATE = 1_000;
const ONLY = ["--port", String(PORT)];

/** The time of connect() at 1,000 connections a second. */
export const connectTime: Row = {
  name: "connect-time",
  title: "Time of connect() at 1,000 a second on loopback, both ends traced",
  needs: ["gcc"],
  async measure(bench) {
    await using namespace = await Namespace.create();
    const count = bench.either(2 * RATE, 300);
    const connect = await pacedConnections(bench, namespace, PORT, RATE, count);
    const watchers = bench.some([
      trace("`trace`", ONLY),
      trace("`trace --probes none`", [...ONLY, "--probes", "none"]),
      PRINTING_SCRIPT,
      tcpdump("lo"),
    ]);
    const rounds = bench.either(3, 1);
    const [median, p99] = await compare(bench, namespace, watchers, rounds, async () => {
      const { medianUs, p99Us } = await connect();
      return [medianUs, p99Us] as const;
    });
    return [
      ...addedFigures(median, { what: "median", unit: "µs", aims: { "`trace`": 2 } }),
      ...addedFigures(p99, { what: "99th percentile", unit: "µs" }),
    ];
  },
};
