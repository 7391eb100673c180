/** How many handshakes a second the wire's side can take in, match and write. */
import { lostIn } from "../outcome.ts";
import type { Bench, Figure, Row } from "../row.ts";
import { type Cable, layCable } from "../synthetic.ts";
import { dumpcap, tcpdump, trace, type Watcher } from "../watchers.ts";

const RATES = [25, 50, 75, 100, 125, 150, 175, 200, 225, 250, 275, 300, 350, 400, 500]
  .map((k) => k * 1e3);

/** Handshakes of the first second, in which the compiler is at work. */
const WARM_UP = 20_000;

/** SYN, SYN-ACK and ACK of made-up connections, and what others take in of the same packets. */
export const syntheticRate: Row = {
  name: "synthetic-rate",
  title: "Synthetic handshakes a second over a cable, with nothing lost",
  needs: ["gcc"],
  async measure(bench) {
    await using cable = await layCable(bench);
    const alone: number[] = [];
    for (let round = 0; round < bench.either(3, 1); round++) {
      alone.push((await cable.send(0, bench.either(500_000, 10_000), "handshakes")).perSecond);
    }
    const args = ["--probes", "none", "--interface", cable.receiverEnd];
    const watchers = bench.some([
      trace("`trace --probes none`", args),
      tcpdump(cable.receiverEnd),
      dumpcap(cable.receiverEnd),
    ]);
    const figures: Figure[] = [
      { name: "sent, nobody watching", unit: "handshakes/s", values: alone },
    ];
    for (const [index, watcher] of watchers.entries()) {
      const ours = index === 0;
      const figure = await highestKept(bench, cable, watcher, bench.either(ours ? 3 : 2, 1));
      figures.push({ ...figure, ...(ours && { aim: { atLeast: 250_000 } }) });
    }
    return figures;
  },
};

/** The highest of the rates of which a watcher loses nothing, found by halving. */
async function highestKept(
  bench: Bench,
  cable: Cable,
  watcher: Watcher,
  rounds: number,
): Promise<Figure> {
  const kept: number[] = [];
  let firstLoss: string | undefined;
  for (let round = 0; watcher.missing === undefined && round < rounds; round++) {
    const rates = bench.some(RATES);
    let best = 0;
    let [low, high] = [0, rates.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      const { perSecond, loss } = await tryRate(bench, cable, watcher, rates[middle]);
      firstLoss ??= loss;
      if (loss === undefined) {
        best = Math.max(best, perSecond);
        // The sender cannot do more, so there is nothing to look for.
        if (perSecond < rates[middle] * 0.95) break;
        low = middle + 1;
      } else high = middle;
    }
    kept.push(best);
  }
  const note = firstLoss === undefined ? undefined : `beyond it ${firstLoss}`;
  return { name: watcher.name, unit: "handshakes/s", values: kept, note: watcher.missing ?? note };
}

/** Watches a rate for a while. */
async function tryRate(
  bench: Bench,
  cable: Cable,
  watcher: Watcher,
  rate: number,
): Promise<{ perSecond: number; loss: string | undefined }> {
  const watching = await watcher.start(cable.receiver);
  if (watcher.warmsUp) await cable.send(WARM_UP, WARM_UP, "handshakes");
  const { count, perSecond } = await cable.send(rate, bench.either(2, 0.2) * rate, "handshakes");
  const outcome = await watching.stop();
  const made = count + (watcher.warmsUp ? WARM_UP : 0);
  // Those that were not made here do not say how many handshakes there were.
  const unreported = made - (outcome.established ?? made);
  const lost = lostIn(outcome) > 0 || unreported > 0;
  const what = [...outcome.losses.keys()].join(", ") || `${unreported} handshakes not reported`;
  bench.say(
    `${watcher.name}: ${rate}/s asked, ${perSecond.toFixed(0)}/s sent, ${lost ? what : "kept"}`,
  );
  return { perSecond, loss: lost ? what : undefined };
}
