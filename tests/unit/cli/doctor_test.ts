// What it finds out on a real machine is tested in tests/netns; here nothing is looked at.
import { assert, assertEquals, assertMatch, assertRejects } from "@std/assert";
import { doctor, encodeDiagnosis, formatDiagnosis } from "../../../src/cli/doctor.ts";
import { UsageError } from "../../../src/cli/usage.ts";
import { judgeFacts, type KernelFacts } from "../../../src/kernel/kernel_facts.ts";
import { DEBIAN_13 as COMPLETE } from "../kernel/recorded_facts.ts";

Deno.test("doctor --help names its flags and exit statuses and looks at nothing", async () => {
  const { text, status } = await doctor(["--help"]);
  assertEquals(status, 0);
  assertMatch(text, /^ {2}--json {2}\S/m);
  assertMatch(text, /^ {2}--help {2}\S/m);
  for (const status of [0, 1, 2, 4]) assertMatch(text, new RegExp(`^ {4}${status} {2}\\w`, "m"));
});

const BAD: { args: string[]; message: string }[] = [
  { args: ["x"], message: 'Cannot use "x": doctor takes flags only, see synsnoop doctor --help' },
  {
    args: ["--help", "x"],
    message: 'Cannot use "x": doctor takes flags only, see synsnoop doctor --help',
  },
  { args: ["--json=1"], message: 'Cannot use "--json" with "1": it takes no value, give it alone' },
  { args: ["--port", "1"], message: 'Unknown flag "--port": the flags here are --json, --help' },
];

for (const { args, message } of BAD) {
  Deno.test(`doctor refuses ${JSON.stringify(args)}`, async () => {
    assertEquals((await assertRejects(() => doctor(args), UsageError)).message, message);
  });
}

const NO_PACKETS = { ...COMPLETE, capture: { error: "Cannot call socket(AF_PACKET): EPERM" } };
const RESULTS: { facts: KernelFacts; result: string; says: RegExp }[] = [
  { facts: COMPLETE, result: "works", says: /^Result: a trace works, with all /m },
  {
    facts: { ...COMPLETE, bpftrace: undefined },
    result: "works_with_less",
    says: /^Result: a trace works with less: /m,
  },
  { facts: NO_PACKETS, result: "does_not_work", says: /^Result: a trace does not work: /m },
];

for (const { facts, result, says } of RESULTS) {
  Deno.test(`a diagnosis says ${result} as text and as JSON`, () => {
    assertMatch(formatDiagnosis(facts), says);
    const line = encodeDiagnosis(facts);
    assertEquals(line.indexOf("\n"), line.length - 1);
    const encoded = JSON.parse(line);
    assertEquals([encoded.v, encoded.event, encoded.result], [1, "doctor", result]);
    assertEquals(encoded.findings.length, judgeFacts(facts).length);
  });
}

Deno.test("a diagnosis breaks no word on a terminal, and says the same there", () => {
  const facts = { ...NO_PACKETS, release: "6.1", bpftrace: undefined };
  const [wide, narrow] = [Infinity, 60].map((columns) => formatDiagnosis(facts, columns));
  const advice = judgeFacts(facts).flatMap(({ advice = [] }) => advice);
  for (const line of narrow.split("\n")) {
    assert(line.length <= 60 || advice.includes(line.trim()), line);
  }
  const [words, same] = [wide, narrow].map((text) => text.split(/\s+/).join(" "));
  assertEquals(same, words);
});
