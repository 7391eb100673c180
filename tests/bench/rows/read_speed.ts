/** How fast capture files are read. */
import { compareRead } from "../compare_read.ts";
import { usualCommand } from "../installed_command.ts";
import { type Cost, measureReadSpeed } from "../read_speed.ts";
import type { Figure, Row } from "../row.ts";

/** How many times as many packets a second as other programs. */
const AIMS: Readonly<Record<string, number>> = { tcpdump: 1, tcptrace: 15, tshark: 200 };
/** Where each ninth packet is another handshake's, which becomes 790 bytes of NDJSON: of tcpdump. */
const SHORT_AIM = 0.25;
const MEMORY_MB = 64;
/** Memory that comes while most of the file is read is a fluctuation, not growth, below this. */
const FLAT_MB = 5;

/** `read` against a filter for SYNs in tcpdump and tshark, and against tcptrace. */
export const readSpeed: Row = {
  name: "read-speed",
  title:
    "`read` of captures of 300 MB and of 1 GB, packets a second as a multiple of other programs'",
  needs: ["tcpdump"],
  compare: compareRead,
  async measure(bench) {
    const results = await measureReadSpeed({
      command: await usualCommand(bench, "read"),
      folder: bench.folder,
      fileLength: bench.either(300_000_000, 3_000_000),
      rounds: bench.either(3, 1),
    });
    return results.flatMap(({ traffic, packets, costs }): Figure[] => {
      const ours = costs.get("synsnoop read")!;
      const isShort = traffic === "short connections";
      const times = (of: (cost: Cost) => number, others: readonly Cost[] = []): number[] =>
        others.map((other, round) => of(other) / of(ours[round]));
      const grown = ours.filter(({ atTenth }) => atTenth > 0)
        .map(({ atTenth, atEnd }) => atEnd - atTenth);
      return [
        {
          name: `${traffic}: \`read\``,
          unit: "M packets/s",
          values: ours.map(({ seconds }) => packets / seconds / 1e6),
        },
        ...Object.entries(AIMS).map(([name, atLeast]): Figure => ({
          name: `${traffic}: \`read\` / ${name}`,
          unit: "ratio",
          values: times(({ seconds }) => seconds, costs.get(name)),
          aim: { atLeast: isShort && name === "tcpdump" ? SHORT_AIM : atLeast },
          note: costs.has(name) ? undefined : `${name} is not installed`,
        })).filter(({ values, note }) => values.length > 0 || note !== undefined),
        {
          name: `${traffic}: peak of memory`,
          unit: "MB",
          values: ours.map(({ peak }) => peak),
          aim: { atMost: MEMORY_MB },
        },
        {
          name: `${traffic}: peak of memory of the runtime alone`,
          unit: "MB",
          values: costs.get("the runtime alone")!.map(({ peak }) => peak),
        },
        {
          name: `${traffic}: growth of memory after a tenth of the file`,
          unit: "MB",
          values: grown,
          aim: { atMost: FLAT_MB },
          note: grown.length > 0 ? undefined : "the file was read too fast to look",
        },
      ];
    });
  },
};
