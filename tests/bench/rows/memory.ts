/** Whether memory grows with what was seen. */
import { residentMb } from "../process_cost.ts";
import type { Row } from "../row.ts";
import { layCable } from "../synthetic.ts";
import { trace } from "../watchers.ts";

const RATE = 100_000;
const HANDSHAKES = 10_000_000;
const SAMPLE_MS = 1_000;
/** What comes after the first minute is a fluctuation, not growth, below this. */
const FLAT_MB = 5;

/** Ten million made-up handshakes, as fast as 100,000 a second. */
export const memoryGrowth: Row = {
  name: "memory",
  title: "Memory of `trace --probes none` over 10 million synthetic handshakes",
  needs: ["gcc"],
  async measure(bench) {
    await using cable = await layCable(bench);
    const count = bench.either(HANDSHAKES, 50_000);
    const args = ["--probes", "none", "--interface", cable.receiverEnd];
    const watching = await trace("", args).start(cable.receiver);
    const samples: number[] = [];
    const timer = setInterval(() => samples.push(residentMb(watching.pid).now), SAMPLE_MS);
    const rate = await cable.send(RATE, count, "handshakes").finally(() => clearInterval(timer));
    samples.push(residentMb(watching.pid).now);
    const { peak } = residentMb(watching.pid);
    const { handshakes = 0 } = await watching.stop();
    // The first minute of the hundred seconds that it should take, or as much of a slower run.
    const afterFirst = samples.slice(Math.floor(samples.length * 0.6));
    return [
      { name: "handshakes reported", unit: "", values: [handshakes], aim: { atLeast: count } },
      { name: "rate", unit: "handshakes/s", values: [rate] },
      {
        name: "growth after the first 60 % of the time",
        unit: "MB",
        values: [Math.max(...afterFirst) - afterFirst[0]],
        aim: { atMost: FLAT_MB },
      },
      { name: "peak of Deno", unit: "MB", values: [peak], aim: { atMost: 110 } },
    ];
  },
};
