/** How fast capture files are read. */
import { measureReadSpeed } from "../read_speed.ts";
import type { Figure, Row } from "../row.ts";

/** How many times as many packets a second as another program. */
const AIMS: Readonly<Record<string, number>> = { tcpdump: 1.5, tcptrace: 15, tshark: 200 };
const MEMORY_MB = 64;

/** `read` against a filter for SYNs in tcpdump and tshark, and against tcptrace. */
export const readSpeed: Row = {
  name: "read-speed",
  title: "`read` of a capture of 300 MB, packets a second as a multiple of other programs'",
  needs: ["tcpdump"],
  async measure(bench) {
    const results = await measureReadSpeed(
      bench.folder,
      bench.either(5, 1),
      bench.either(300_000_000, 3_000_000),
    );
    return results.flatMap(({ traffic, packets, programs }): Figure[] => {
      const ours = programs.find(({ name }) => name === "synsnoop read")!;
      return [
        {
          name: `${traffic}: \`read\``,
          unit: "M packets/s",
          values: ours.seconds.map((seconds) => packets / seconds / 1e6),
        },
        ...Object.entries(AIMS).map(([name, atLeast]): Figure => {
          const other = programs.find((program) => program.name === name);
          return {
            name: `${traffic}: \`read\` / ${name}`,
            unit: "ratio",
            values: (other?.againstTcpdump ?? []).map((against, round) =>
              against / ours.againstTcpdump[round]
            ),
            aim: { atLeast },
            note: other === undefined ? `${name} is not installed` : undefined,
          };
        }),
        {
          name: `${traffic}: peak of memory`,
          unit: "MB",
          values: [ours.megabytes],
          aim: { atMost: MEMORY_MB },
        },
      ];
    });
  },
};
