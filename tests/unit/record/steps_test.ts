import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { ByteText } from "../../../src/text/byte_text.ts";
import { BEGIN, buildSteps } from "../../../src/record/steps.ts";
import { buildTree } from "../../../src/record/tree.ts";

const PATHS = ["v", "client.port", "client.process.pid", "client.process.uid", "a.b.c", "flags"];

/** The line with 1 as the value of each of these fields. */
function lineOf(paths: readonly string[], present: ReadonlySet<string>): string {
  const { steps, ends } = buildSteps(buildTree(paths.map((path) => ({
    path,
    type: "integer",
    meaning: path,
    since: 1,
    get: () => present.has(path) ? 1 : undefined,
  }))));
  const line = new ByteText();
  let level = BEGIN;
  for (const step of steps) {
    // These getters look at no handshake.
    if (step.get(undefined as never, undefined as never) === undefined) continue;
    step.write(line, level, 1);
    level = step.level;
  }
  line.constant(ends[level]);
  return line.toString();
}

Deno.test("buildSteps opens and closes levels between the fields that are there", () => {
  const cases: { present: string[]; expected: string }[] = [
    { present: [], expected: "{}\n" },
    { present: ["v"], expected: '{"v":1}\n' },
    { present: ["client.port"], expected: '{"client":{"port":1}}\n' },
    { present: ["client.process.uid"], expected: '{"client":{"process":{"uid":1}}}\n' },
    {
      present: ["v", "client.port", "client.process.pid", "a.b.c"],
      expected: '{"v":1,"client":{"port":1,"process":{"pid":1}},"a":{"b":{"c":1}}}\n',
    },
    {
      present: ["client.process.pid", "flags"],
      expected: '{"client":{"process":{"pid":1}},"flags":1}\n',
    },
  ];
  for (const { present, expected } of cases) {
    assertEquals(lineOf(PATHS, new Set(present)), expected);
  }
});

Deno.test("buildSteps makes the JSON of any fields that are there", () => {
  fc.assert(fc.property(fc.subarray(PATHS), (present) => {
    const record: Record<string, unknown> = {};
    for (const path of present) {
      const names = path.split(".");
      const last = names.pop()!;
      let level = record;
      for (const name of names) level = (level[name] ??= {}) as Record<string, unknown>;
      level[last] = 1;
    }
    assertEquals(lineOf(PATHS, new Set(present)), JSON.stringify(record) + "\n");
  }));
});
