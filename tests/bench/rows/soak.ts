/** Whether everything adds up while things go wrong. */
import { soak } from "../../netns/soak.ts";
import type { Row } from "../row.ts";

/** Traces of all kinds of handshakes while interfaces, readers, files and bpftrace fail them. */
export const soaking: Row = {
  name: "soak",
  title: "two `trace` while interfaces, their reader, their files and bpftrace fail them",
  needs: ["gcc", "bpftrace"],
  async measure(bench) {
    const minutes = bench.either(1, 0.02, 10);
    const { traces, leftOut, findings } = await soak(
      minutes * 60_000,
      (words) => bench.say(words),
    );
    const handshakes = Object.values(traces[0].made).reduce((sum, count) => sum + count, 0);
    return [
      {
        name: "handshakes made",
        unit: "",
        values: [handshakes],
        note: leftOut.length === 0
          ? undefined
          : `without ${leftOut.map(({ fault }) => fault).join("; ")}`,
      },
      {
        name: "what does not add up",
        unit: "",
        values: [findings.length],
        aim: { atMost: 0 },
        note: findings.length === 0 ? undefined : findings.join("; "),
      },
      ...traces.flatMap(({ name, memoryMb, growthMb }) => [
        { name: `memory of Deno, ${name}`, unit: "MB", values: memoryMb },
        {
          name: `growth of the lowest, from the second to the last third, ${name}`,
          unit: "MB",
          values: [growthMb],
        },
      ]),
    ];
  },
};
