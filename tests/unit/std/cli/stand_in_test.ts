// Where the stand-in does less than the published package, it says so.
import { assertThrows } from "@std/assert";
import { parseArgs } from "../../../../src/std/cli/mod.ts";

Deno.test("the stand-in's parseArgs refuses single letters that unknown does not refuse", () => {
  assertThrows(() => parseArgs(["-abc"]), TypeError, 'Cannot parse "-abc"');
});
