import { assert, assertEquals } from "@std/assert";
import { established } from "./lab/established.ts";
import { floods } from "./lab/floods.ts";
import { givesUp } from "./lab/gives_up.ts";
import { losses } from "./lab/losses.ts";
import { middleboxes } from "./lab/middleboxes.ts";
import { oneSided } from "./lab/one_sided.ts";
import { options } from "./lab/options.ts";
import { refusedAndUnreachable } from "./lab/refused_and_unreachable.ts";
import { reordering } from "./lab/reordering.ts";
import { reuse } from "./lab/reuse.ts";
import { play } from "./lab/lab.ts";
import { check, type Scenario } from "./lab/scenario.ts";
import { namespaceTest } from "./namespace.ts";

const SCENARIOS: readonly Scenario[] = [
  ...established,
  ...refusedAndUnreachable,
  ...givesUp,
  ...floods,
  ...losses,
  ...reordering,
  ...reuse,
  ...options,
  ...middleboxes,
  ...oneSided,
];

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
          if (!/^(late|unexpected|undecoded)/.test(place)) assertEquals(count, 0, place);
        }
      });
    }
  });
}
