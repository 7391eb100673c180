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

Deno.test("Step writes a value as before however often it came", () => {
  const paths = ["v", "client.comm", "client.sack", "server.isn"] as const;
  const of = (...values: readonly (string | number | boolean | null)[]) =>
    fc.option(fc.constantFrom(...values), { nil: undefined });
  const handshake = fc.record({
    "v": of(1, 2 ** 30, 4_294_967_295, -1),
    "client.comm": of("nginx", "ngin\u00e9", null, '"'),
    "client.sack": of(true, false),
    "server.isn": of(0, 65_535),
  });
  // Runs of one, longer than what makes a text of name and value.
  const runs = fc.array(fc.tuple(handshake, fc.integer({ min: 1, max: 20 })), { maxLength: 8 });
  fc.assert(fc.property(runs, (runs) => {
    let at: Record<string, string | number | boolean | null | undefined> = {};
    const { steps, ends } = buildSteps(buildTree(paths.map((path) => ({
      path,
      type: "integer",
      meaning: path,
      since: 1,
      get: () => at[path],
    }))));
    const line = new ByteText();
    for (const [values, times] of runs) {
      at = values;
      const client: Record<string, unknown> = {};
      const record: Record<string, unknown> = { v: at.v };
      if (at["client.comm"] !== undefined) client.comm = at["client.comm"];
      if (at["client.sack"] !== undefined) client.sack = at["client.sack"];
      if (Object.keys(client).length > 0) record.client = client;
      if (at["server.isn"] !== undefined) record.server = { isn: at["server.isn"] };
      for (let time = 0; time < times; time++) {
        line.length = 0;
        let level = BEGIN;
        for (const step of steps) {
          const value = step.get(undefined as never, undefined as never);
          if (value === undefined) continue;
          step.write(line, level, value);
          level = step.level;
        }
        line.constant(ends[level]);
        assertEquals(line.toString(), JSON.stringify(record) + "\n");
      }
    }
  }));
});

Deno.test("Step asks objects anew, which may have been filled anew", () => {
  const address = new ByteText();
  const flags: string[] = [];
  const { steps: [step] } = buildSteps(buildTree([
    { path: "v", type: "string", meaning: "v", since: 1, get: () => undefined },
  ]));
  const line = new ByteText();
  for (let time = 0; time < 20; time++) {
    address.length = 0;
    address.integer(time);
    flags[0] = `flag${time}`;
    for (const [value, json] of [[address, `"${time}"`], [flags, `["flag${time}"]`]] as const) {
      line.length = 0;
      step.write(line, BEGIN, value);
      assertEquals(line.toString(), `{"v":${json}`);
    }
  }
});
