import { assertEquals } from "@std/assert";
import { TEST_NEEDS, TEST_WISHES } from "../../../src/setup/test_needs.ts";
import { TRACE_NEEDS } from "../../../src/setup/trace_needs.ts";
import { checkNeeds } from "./check_needs.ts";

Deno.test("TEST_NEEDS hold what a trace needs, and each can be installed", () => {
  checkNeeds(TEST_NEEDS);
  for (const need of TRACE_NEEDS) assertEquals(TEST_NEEDS.includes(need), true);
});

Deno.test("TEST_WISHES are no needs, and each can be installed", () => {
  checkNeeds(TEST_WISHES);
  for (const wish of TEST_WISHES) assertEquals(TEST_NEEDS.includes(wish), false);
});
