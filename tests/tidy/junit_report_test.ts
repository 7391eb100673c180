import { assertEquals } from "@std/assert";
import { parseJunitReport, skipReason } from "../junit_report.ts";

Deno.test("parseJunitReport reads passed, failed and skipped tests and steps", () => {
  const xml = `<?xml version="1.0" encoding="UTF-8"?>
<testsuites name="deno test" tests="4" failures="1" errors="0" time="0.016">
    <testsuite name="./a_test.ts" tests="4" disabled="1" errors="0" failures="1">
        <testcase name="good &amp; &lt;fine&gt; &#39;x&#39;" classname="./a_test.ts" time="0.001">
        </testcase>
        <testcase name="x — skipped: no &quot;ip&quot; here" classname="./a_test.ts" time="0.000">
            <skipped/>
        </testcase>
        <testcase name="bad" classname="./a_test.ts" time="0.001" line="5" col="6">
            <failure message="Uncaught Error: x">Error: x &lt;skipped/&gt;</failure>
        </testcase>
        <testcase name="good &gt; step" classname="./a_test.ts" time="0.000"/>
    </testsuite>
</testsuites>`;
  assertEquals(parseJunitReport(xml), [
    { name: "good & <fine> 'x'", result: "passed" },
    { name: 'x — skipped: no "ip" here', result: "skipped" },
    { name: "bad", result: "failed", failure: "Uncaught Error: x" },
    { name: "good > step", result: "passed" },
  ]);
});

Deno.test("parseJunitReport finds nothing in a report without tests", () => {
  assertEquals(parseJunitReport('<testsuites name="deno test" tests="0"></testsuites>'), []);
});

Deno.test("skipReason divides the name from the reason", () => {
  assertEquals(skipReason("ring — skipped: not root"), { test: "ring", reason: "not root" });
  assertEquals(skipReason("ring"), { test: "ring", reason: "no reason given" });
});
