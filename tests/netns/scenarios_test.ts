import { assert, assertEquals } from "@std/assert";
import { CASES_BEGIN, CASES_END, caseTables } from "./lab/case_table.ts";
import { type Performance, play } from "./lab/lab.ts";
import { check, type Scenario } from "./lab/scenario.ts";
import { SCENARIOS } from "./lab/scenarios.ts";
import { namespaceTest } from "./namespace.ts";

Deno.test("the page of the lab has every case", async () => {
  const page = await Deno.readTextFile(new URL("README.md", import.meta.url));
  const [, cases] = page.split(CASES_BEGIN);
  assertEquals(
    cases?.split(CASES_END)[0].trim(),
    caseTables().trim(),
    `${CASES_BEGIN} is not followed by what "deno run -A tests/netns/compare_tools.ts --cases" prints`,
  );
});

/** Scenarios of a topology that are played again at most. */
const AGAIN_MAX = 3;
/** Of who answers by hand, half of what counts as quick. */
const STALLED_MS = 250;

/** Checks a scenario, once more where it was not played as it should be. @returns Whether that was so. */
async function isPlayedAgain(scenario: Scenario, performance: Performance): Promise<boolean> {
  try {
    check(scenario, performance);
    return false;
  } catch (error) {
    const why = whyInVain(performance);
    if (why === undefined) throw error;
    console.log(`Played again, because ${why}: ${scenario.name}`);
    check(scenario, await play(scenario.topology, [scenario]));
    return true;
  }
}

/** Why something else than a fault of the tool may have been in the way of a scenario. */
function whyInVain({ results, stalledMs }: Performance): string | undefined {
  if (stalledMs > STALLED_MS) {
    return `who made the traffic did not get on for ${Math.round(stalledMs)} ms`;
  }
  // Where an interrupt comes at the wrong moment, of anything on the machine, the kernel tells nothing of
  // what happened in it.
  const skipped = [...results.values()].reduce(
    (sum, { summary }) => sum + (summary?.losses.recursion_misses ?? 0),
    0,
  );
  return skipped > 0 ? `${skipped} runs of probes were skipped` : undefined;
}

for (const topology of new Set(SCENARIOS.map((scenario) => scenario.topology))) {
  const scenarios = SCENARIOS.filter((scenario) => scenario.topology === topology);
  await namespaceTest(`trace in the lab: ${topology.name}`, async (context) => {
    const performance = await play(topology, scenarios);
    let again = 0;
    for (const scenario of scenarios) {
      await context.step(scenario.name, async () => {
        if (await isPlayedAgain(scenario, performance)) again++;
        assert(again <= AGAIN_MAX, "so many were played again");
      });
    }
    for (const [view, { summary, status }] of performance.results) {
      await context.step(`nothing is lost at: ${view}`, () => {
        assertEquals(status.code, 0);
        assert(summary, "the trace wrote no summary");
        for (const [place, count] of Object.entries(summary.losses)) {
          // A probe is skipped where an interrupt comes at the wrong moment, of anything on the machine;
          // whether it was one of these handshakes the records above have shown.
          if (/^(late|unexpected|undecoded|discarded|uncaptured|recursion_misses)/.test(place)) {
            continue;
          }
          assertEquals(count, 0, place);
        }
      });
    }
  });
}
