import { assert, assertEquals } from "@std/assert";
import { CASES_BEGIN, CASES_END, caseTables } from "./lab/case_table.ts";
import { play } from "./lab/lab.ts";
import { check } from "./lab/scenario.ts";
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

for (const topology of new Set(SCENARIOS.map((scenario) => scenario.topology))) {
  const scenarios = SCENARIOS.filter((scenario) => scenario.topology === topology);
  await namespaceTest(`trace in the lab: ${topology.name}`, async (context) => {
    const performance = await play(topology, scenarios);
    for (const scenario of scenarios) {
      await context.step(scenario.name, () => check(scenario, performance));
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
