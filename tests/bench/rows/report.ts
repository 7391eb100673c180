/** What a page takes to make. */
import { commandCost } from "../command_cost.ts";
import { makeSegments } from "../made_store.ts";
import { compareInPairs } from "../pairs.ts";
import type { Bench, Figure, Row } from "../row.ts";
import { taskCommand } from "../task_command.ts";

/** What the page of a million records may take: a browser opens it at once, any machine makes it. */
const PAGE_MB = 1;
const MEMORY_MB = 200;

/** A page of the records of two hosts, a million, or five in a long run. */
export const report: Row = {
  name: "report",
  title: "`report` of records of two hosts",
  needs: [],
  compare: compareVersions,
  async measure(bench) {
    const { paths, records, bytes } = makeSegments(
      `${bench.folder}/report`,
      bench.either(1_000_000, 5_000, 5_000_000),
    );
    const page = `${bench.folder}/page.html`;
    const runs = [];
    for (let round = 0; round < bench.either(3, 1); round++) {
      runs.push(await commandCost(reportCommand(page, paths)));
    }
    const pageMb = Deno.statSync(page).size / 1e6;
    for (const path of [...paths, page]) await Deno.remove(path);
    const million = `${(records / 1e6).toPrecision(2)} M records`;
    const perMillion = (seconds: number) => seconds / records * 1e6;
    return [
      { name: `${million} of NDJSON`, unit: "MB", values: [bytes / 1e6] },
      {
        name: "time for a million",
        unit: "s",
        values: runs.map(({ seconds }) => perMillion(seconds)),
      },
      {
        name: "CPU time for a million",
        unit: "s",
        values: runs.map(({ cpuSeconds }) => perMillion(cpuSeconds)),
      },
      {
        name: `${million}: peak of memory`,
        unit: "MB",
        values: runs.map(({ peakMb }) => peakMb),
        aim: { atMost: MEMORY_MB },
      },
      { name: `${million}: the page`, unit: "MB", values: [pageMb], aim: { atMost: PAGE_MB } },
    ];
  },
};

function reportCommand(page: string, paths: readonly string[], root?: string): readonly string[] {
  return [...taskCommand("report", root), "--force", "--output", page, ...paths];
}

async function compareVersions(bench: Bench, root: string): Promise<Figure[]> {
  const { paths } = makeSegments(`${bench.folder}/report`, bench.either(100_000, 5_000));
  const page = `${bench.folder}/page.html`;
  const quantities = [
    { name: "CPU", unit: "s" },
    { name: "peak of memory", unit: "MB" },
  ] as const;
  return await compareInPairs(bench, root, bench.either(20, 1), quantities, async (version) => {
    const { cpuSeconds, peakMb } = await commandCost(reportCommand(page, paths, version));
    return [cpuSeconds, peakMb];
  });
}
