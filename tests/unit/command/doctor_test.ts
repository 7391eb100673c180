// What it finds out on a real machine is tested in tests/netns; here nothing is looked at.
import { assertEquals, assertMatch, assertRejects } from "@std/assert";
import { doctor } from "../../../src/command/doctor.ts";
import { UsageError } from "../../../src/command/usage.ts";

Deno.test("doctor --help names its flags and exit statuses and looks at nothing", async () => {
  const { text, status } = await doctor(["--help"]);
  assertEquals(status, 0);
  assertMatch(text, /^ {2}--json {2}\S/m);
  assertMatch(text, /^ {2}--help {2}\S/m);
  assertMatch(text, /^Exit status: 0 .*, 1 .*, 2 /m);
});

const BAD: { args: string[]; message: string }[] = [
  { args: ["x"], message: 'Cannot use "x": doctor takes flags only' },
  { args: ["--help", "x"], message: 'Cannot use "x": doctor takes flags only' },
  { args: ["--json=1"], message: 'Cannot use "--json" with "1": it takes no value' },
  { args: ["--port", "1"], message: 'Unknown flag "--port": the flags here are --json, --help' },
];

for (const { args, message } of BAD) {
  Deno.test(`doctor refuses ${JSON.stringify(args)}`, async () => {
    assertEquals((await assertRejects(() => doctor(args), UsageError)).message, message);
  });
}
