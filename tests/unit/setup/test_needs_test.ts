import { assertEquals } from "@std/assert";
import { TEST_NEEDS } from "../../../src/setup/test_needs.ts";
import { TRACE_NEEDS } from "../../../src/setup/trace_needs.ts";
import { checkNeeds } from "./check_needs.ts";

Deno.test("TEST_NEEDS hold what a trace needs, and each can be installed", () => {
  checkNeeds(TEST_NEEDS);
  for (const need of TRACE_NEEDS) assertEquals(TEST_NEEDS.includes(need), true);
});
