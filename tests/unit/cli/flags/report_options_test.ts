import { assertEquals, assertThrows } from "@std/assert";
import { parseReportOptions } from "../../../../src/cli/flags/report_options.ts";
import { UsageError } from "../../../../src/cli/usage.ts";

Deno.test("parseReportOptions takes files, where the page goes, and filters as they were given", () => {
  const { files, output, force, filterTexts, interfaces, exitStatus } = parseReportOptions([
    ...["a.pcap", "-", "--output", "page.html", "--force", "--failed", "--interface", "eth0"],
    ...["--port", "80,443", "--exit-status"],
  ]);
  assertEquals([files, output, force], [["a.pcap", "-"], "page.html", true]);
  assertEquals(filterTexts, ["--port 80,443", "--failed", "--interface eth0"]);
  assertEquals([interfaces, exitStatus], [["eth0"], true]);
});

Deno.test("parseReportOptions writes to standard output where - or nothing is given", () => {
  assertEquals(parseReportOptions(["a"]).output, undefined);
  assertEquals(parseReportOptions(["a", "--output", "-"]).output, undefined);
});

const WRONG: [args: string[], reason: string][] = [
  [[], "Cannot report on nothing: give a FILE (pcap, pcapng or NDJSON), or - for standard input"],
  [["-", "-"], 'Cannot read "-" twice: standard input ends once'],
  [["a", "--output", "\ufffd"], "its name is no UTF-8"],
  [["a", "--table"], 'Unknown flag "--table"'],
];

for (const [args, reason] of WRONG) {
  Deno.test(`parseReportOptions refuses ${JSON.stringify(args)}`, () => {
    assertThrows(() => parseReportOptions(args), UsageError, reason);
  });
}
