import { assertEquals, assertThrows } from "@std/assert";
import { parseFlags } from "../../../../src/cli/flags/flags.ts";
import { PAGE_FLAGS, parsePage } from "../../../../src/cli/flags/page_options.ts";
import { UsageError } from "../../../../src/cli/usage.ts";

const parse = (...args: string[]) => parsePage(parseFlags(args, PAGE_FLAGS));

Deno.test("parsePage tells where the page goes, and whether it may replace one", () => {
  assertEquals(parse(), { report: undefined, force: false });
  assertEquals(parse("--report", "page.html", "--force"), { report: "page.html", force: true });
});

Deno.test("parsePage refuses standard output, --force alone and a name that is no UTF-8", () => {
  assertThrows(() => parse("--report", "-"), UsageError, "standard output is for handshakes");
  assertThrows(() => parse("--force"), UsageError, "Cannot use --force without --report");
  assertThrows(() => parse("--report", "\ufffd"), UsageError, "its name is no UTF-8");
});
