/** Whether everything adds up while things go wrong. */
import { soak } from "../../netns/soak.ts";
import type { Row } from "../row.ts";

/** A trace of all kinds of handshakes while a cable flaps, its reader stops and bpftrace is killed. */
export const soaking: Row = {
  name: "soak",
  title: "`trace` while a cable flaps, its reader stops and bpftrace is killed",
  needs: ["gcc", "bpftrace"],
  async measure(bench) {
    const minutes = bench.either(1, 0.02, 10);
    const { made, memoryMb, growthMb, findings } = await soak(
      minutes * 60_000,
      (words) => bench.say(words),
    );
    const handshakes = Object.values(made).reduce((sum, count) => sum + count, 0);
    return [
      { name: "handshakes made", unit: "", values: [handshakes] },
      {
        name: "what does not add up",
        unit: "",
        values: [findings.length],
        aim: { atMost: 0 },
        note: findings.length === 0 ? undefined : findings.join("; "),
      },
      { name: "memory of Deno", unit: "MB", values: memoryMb },
      {
        name: "growth of the lowest, from the second to the last third",
        unit: "MB",
        values: [growthMb],
      },
    ];
  },
};
