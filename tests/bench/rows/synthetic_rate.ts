/** How many handshakes a second the wire's side can take in, match and write. */
import type { Row } from "../row.ts";
import { layCable } from "../synthetic.ts";
import { lostIn } from "../outcome.ts";
import { trace } from "../watchers.ts";

const RATES = [50, 75, 100, 125, 150, 175, 200, 225, 250, 275, 300, 350, 400].map((k) => k * 1e3);

/** Handshakes of the first second, in which the compiler is at work. */
const WARM_UP = 20_000;

/** SYN, SYN-ACK and ACK of made-up connections; each rate is tried until one is too much. */
export const syntheticRate: Row = {
  name: "synthetic-rate",
  title: "Synthetic handshakes a second over a cable, `trace --probes none`",
  needs: ["gcc"],
  async measure(bench) {
    await using cable = await layCable(bench);
    const watcher = trace("", ["--probes", "none", "--interface", cable.receiverEnd]);
    const kept: number[] = [];
    let firstLoss = "";
    for (let round = 0; round < bench.either(3, 1); round++) {
      let best = 0;
      for (const rate of bench.either(RATES, RATES.slice(0, 1))) {
        const count = rate * bench.either(3, 0.2);
        const watching = await watcher.start(cable.receiver);
        await cable.send(WARM_UP, WARM_UP, "handshakes");
        const reached = await cable.send(rate, count, "handshakes");
        const outcome = await watching.stop();
        const lost = lostIn(outcome) + WARM_UP + count - (outcome.established ?? 0);
        bench.say(`${rate}/s asked, ${reached.toFixed(0)}/s sent, ${lost} lost`);
        if (lost > 0) {
          firstLoss = [...outcome.losses.keys()].join(", ") || "handshakes not reported";
          break;
        }
        best = Math.max(best, reached);
        // The sender cannot do more.
        if (reached < rate * 0.95) break;
      }
      kept.push(best);
    }
    return [{
      name: "highest rate with nothing lost",
      unit: "handshakes/s",
      values: kept,
      aim: { atLeast: 250_000 },
      note: firstLoss === "" ? undefined : `the next step lost ${firstLoss}`,
    }];
  },
};
