/**
 * Every scenario of the lab.
 *
 * @module
 */
import { established } from "./established.ts";
import { floods } from "./floods.ts";
import { givesUp } from "./gives_up.ts";
import { losses } from "./losses.ts";
import { middleboxes } from "./middleboxes.ts";
import { oneSided } from "./one_sided.ts";
import { options } from "./options.ts";
import { refusedAndUnreachable } from "./refused_and_unreachable.ts";
import { translation } from "./translation.ts";
import { reordering } from "./reordering.ts";
import { reuse } from "./reuse.ts";
import type { Scenario } from "./scenario.ts";

/** Scenarios that have to do with each other. */
export interface ScenarioGroup {
  /** A heading. */
  title: string;
  scenarios: readonly Scenario[];
}

/** All groups, in the order of the page. */
export const SCENARIO_GROUPS: readonly ScenarioGroup[] = [
  { title: "Established", scenarios: established },
  { title: "Refused and unreachable", scenarios: refusedAndUnreachable },
  { title: "The client gives up", scenarios: givesUp },
  { title: "Floods and full queues", scenarios: floods },
  { title: "Lost packets", scenarios: losses },
  { title: "Packets out of order or more than once", scenarios: reordering },
  { title: "Ports used again", scenarios: reuse },
  { title: "What a SYN can carry", scenarios: options },
  { title: "On the way", scenarios: middleboxes },
  { title: "Address translation", scenarios: translation },
  { title: "Seen in part", scenarios: oneSided },
];

/** Every scenario. */
export const SCENARIOS: readonly Scenario[] = SCENARIO_GROUPS.flatMap(({ scenarios }) => scenarios);
