import { assertEquals, assertMatch } from "@std/assert";
import { StatisticsFormat } from "../../../../src/output/statistics/format.ts";
import { stateOf } from "../../pipeline/stand_ins.ts";
import { CONTEXT, EPOCH_SECONDS, HANDSHAKES, taken } from "../../record/sample_handshakes.ts";

const CASES: { options: { json: boolean; ascii: boolean }; begins: RegExp }[] = [
  { options: { json: false, ascii: false }, begins: /^\d+ handshakes in 1.00 µs/ },
  { options: { json: false, ascii: true }, begins: /^\d+ handshakes in 1.00 us/ },
  { options: { json: true, ascii: false }, begins: /^\{"v":1,"event":"statistics"/ },
];

for (const { options, begins } of CASES) {
  Deno.test(`StatisticsFormat with ${JSON.stringify(options)} writes all at the end`, () => {
    const format = new StatisticsFormat({ top: 2, ...options });
    for (const handshake of HANDSHAKES) assertEquals(taken(format, handshake), "");
    const span = { epochSeconds: EPOCH_SECONDS, startNs: 0, endNs: 1_000 };
    const text = format.end(stateOf(CONTEXT, { span }));
    assertMatch(text, begins);
    assertEquals(text.at(-1), "\n");
  });
}

/** What is written of two intervals with handshakes, and at the end. */
function inIntervals(json: boolean): string[] {
  const format = new StatisticsFormat({ top: 2, json, ascii: false, intervalMs: 1_000 });
  const at = (endNs: number) =>
    stateOf(CONTEXT, { span: { epochSeconds: EPOCH_SECONDS, startNs: 0, endNs } });
  const [first, ...others] = HANDSHAKES;
  taken(format, first);
  const reports = [format.report(at(1e9))];
  for (const handshake of others) taken(format, handshake);
  reports.push(format.report(at(3e9)));
  return [...reports, format.end(at(3e9))];
}

Deno.test("StatisticsFormat writes an object an interval, which together are the whole", () => {
  const [first, second, end] = inIntervals(true);
  const lines = [first, second].map((line) => JSON.parse(line));
  assertEquals(lines.map(({ duration_ns }) => duration_ns), [1e9, 2e9]);
  assertEquals(lines.map(({ handshakes }) => handshakes), [1, HANDSHAKES.length - 1]);
  assertEquals(end, "");
});

Deno.test("StatisticsFormat writes a line an interval for a person, and the whole at the end", () => {
  const [first, second, end] = inIntervals(false);
  assertMatch(first, /^ +CLIENT RTT .*\nTIME .*\n.* 1 +1\.0 .*\n$/);
  assertEquals(second.split("\n").length, 2);
  assertMatch(end, new RegExp(`^\n${HANDSHAKES.length} handshakes in 3\\.00 s`));
});

Deno.test("StatisticsFormat asks for the paths of cgroups, in intervals and at the end", () => {
  const path = "/user.slice/user-1000.slice";
  const [first] = inIntervals(true);
  assertEquals(JSON.parse(first).cgroups.top.map(({ cgroup }: { cgroup: string }) => cgroup), [
    path,
  ]);
  assertMatch(inIntervals(false)[2], new RegExp(`\nCGROUP .*\n${path} `));
});
