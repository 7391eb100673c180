import { assert, assertEquals } from "@std/assert";
import {
  BOUNDS_MAX,
  EXTRA_LABELS,
  SERVERS_MAX,
  SERVERS_USUAL,
  USUAL_BOUNDS,
} from "../../../../src/output/metrics/choices.ts";
import { LABELS } from "../../../../src/output/metrics/names.ts";

Deno.test("the usual bounds ascend from 10 µs to 10 s, three or four a power of ten", () => {
  assertEquals([USUAL_BOUNDS[0], USUAL_BOUNDS.at(-1)], [10_000, 10_000_000_000]);
  assert(USUAL_BOUNDS.every((ns, at) => at === 0 || ns > USUAL_BOUNDS[at - 1]));
  assert(USUAL_BOUNDS.length <= BOUNDS_MAX && SERVERS_USUAL <= SERVERS_MAX);
});

Deno.test("every extra label has a name in both systems", () => {
  assert(EXTRA_LABELS.every((label) => label in LABELS));
});
