import { assertEquals } from "@std/assert";
import { needName } from "../../../src/setup/packages.ts";
import { TRACE_NEEDS } from "../../../src/setup/trace_needs.ts";
import { checkNeeds } from "./check_needs.ts";

Deno.test("a trace needs bpftrace and nothing else", () => {
  checkNeeds(TRACE_NEEDS);
  assertEquals(TRACE_NEEDS.map(needName), ["bpftrace"]);
});
