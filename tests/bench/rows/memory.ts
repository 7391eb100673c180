/** Whether memory grows with what was seen. */
import type { Namespace } from "../../netns/namespace.ts";
import { Growth } from "../growth.ts";
import { lossNote } from "../outcome.ts";
import { residentMb } from "../process_cost.ts";
import type { Row } from "../row.ts";
import { layCable } from "../synthetic.ts";
import { startProgram, trace } from "../watchers.ts";

/** What a machine of two cores takes in without a loss. */
const RATE = 50_000;
/** Two and a half minutes and more; a run that is not long does a tenth of it and more. */
const HANDSHAKES = 10_000_000;
/** What comes after the first half is a fluctuation, not growth, below this. */
const FLAT_MB = 5;

/** Made-up handshakes at a steady rate, each with a record. */
export const memoryGrowth: Row = {
  name: "memory",
  title: "Memory of `trace --probes none` over 50,000 synthetic handshakes a second",
  needs: ["gcc"],
  async measure(bench) {
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
      name: `after ${(count * share).toLocaleString("en-US")} handshakes`,
      unit: "MB",
      values: [growth.at(share)],
    });
    return [
      { name: "the runtime alone", unit: "MB", values: [await runtimeMb(cable.receiver)] },
      { name: "rate", unit: "handshakes/s", values: [growth.result.perSecond] },
      {
        name: `of ${count.toLocaleString("en-US")} not reported`,
        unit: "",
        values: [count - (outcome.established ?? 0)],
        aim: { atMost: 0 },
        note: lossNote(outcome),
      },
      ...[0, 0.1, 0.5, 1].map(at),
      {
        name: "growth in the second half",
        unit: "MB",
        values: [growth.after(0.5)],
        aim: { atMost: FLAT_MB },
      },
      { name: "peak of Deno", unit: "MB", values: [growth.peak], aim: { atMost: 110 } },
    ];
  },
};

/** What a program of this runtime takes that does nothing. */
async function runtimeMb(namespace: Namespace): Promise<number> {
  const idle = "data:text/javascript,setInterval(()=>{},1e6);console.log('ready')";
  const command = [Deno.execPath(), "run", "--quiet", idle];
  const running = await startProgram(namespace, command, "stdout", /ready/);
  const { peak } = residentMb(running.pid);
  await running.stop();
  return peak;
}
