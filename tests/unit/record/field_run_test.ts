import { assertEquals } from "@std/assert";
import fc from "fast-check";
import type { Handshake } from "../../../src/match/handshake.ts";
import { ByteText } from "../../../src/text/byte_text.ts";
import type { Field, FieldValue } from "../../../src/record/field.ts";
import { FieldRun } from "../../../src/record/field_run.ts";
import { RecordEncoder } from "../../../src/record/ndjson.ts";
import { BEGIN, buildSteps } from "../../../src/record/steps.ts";
import { buildTree } from "../../../src/record/tree.ts";

type Values = Record<string, FieldValue | undefined>;

/** Fields that give what stands under their path in the values of the moment. */
function fieldsOf(current: () => Values, paths: Record<string, Partial<Field>>): Field[] {
  return Object.entries(paths).map(([path, more]) => ({
    path,
    type: "string",
    meaning: path,
    since: 1,
    get: () => current()[path],
    ...more,
  }));
}

// These getters look at no handshake.
const NO_HANDSHAKE = undefined as unknown as Handshake;
const NO_CONTEXT = undefined as never;

Deno.test("RecordEncoder writes what stays and what varies, however often it came", () => {
  let at: Values = {};
  const encoder = new RecordEncoder(fieldsOf(() => at, {
    "v": {},
    "host": {},
    "time": { varies: true },
    "client.port": { type: "integer", varies: true },
    "client.comm": {},
    "client.sack": {},
    "server.isn": {},
    "flags": {},
  }));
  const of = (...values: readonly FieldValue[]) =>
    fc.option(fc.constantFrom(...values), { nil: undefined });
  const handshake = fc.record({
    "v": of(1, 2 ** 30, 4_294_967_295, -1),
    "host": of("web1", "web2"),
    "time": of("now", "then"),
    "client.port": of(0, 65_535),
    "client.comm": of("nginx", "ngin\u00e9", null, '"'),
    "client.sack": of(true, false),
    "server.isn": of(0, 65_535),
    "flags": of(["ecn"], Object.freeze(["ecn", "mptcp"])),
  });
  // As often as it takes to make a text of a run, and more often.
  const rows = fc.array(fc.tuple(handshake, fc.integer({ min: 1, max: 20 })), { maxLength: 8 });
  const line = new ByteText();
  fc.assert(fc.property(rows, (rows) => {
    for (const [values, times] of rows) {
      at = values;
      const record: Record<string, unknown> = {};
      for (const [path, value] of Object.entries<unknown>(values)) {
        const [level, name] = path.split(".");
        if (value === undefined) continue;
        if (name === undefined) record[level] = value;
        else (record[level] ??= {} as Record<string, unknown>)[name as never] = value as never;
      }
      for (let time = 0; time < times; time++) {
        line.length = 0;
        encoder.write(line, NO_HANDSHAKE, NO_CONTEXT);
        assertEquals(line.toString(), JSON.stringify(record) + "\n");
      }
    }
  }));
});

Deno.test("RecordEncoder asks objects anew, which may have been filled anew", () => {
  const address = new ByteText();
  const flags: string[] = [];
  const encoder = new RecordEncoder(fieldsOf(() => ({ address, flags }), {
    "address": {},
    "flags": { type: "strings" },
  }));
  const line = new ByteText();
  for (let time = 0; time < 20; time++) {
    address.length = 0;
    address.integer(time);
    flags[0] = `flag${time}`;
    line.length = 0;
    encoder.write(line, NO_HANDSHAKE, NO_CONTEXT);
    assertEquals(line.toString(), `{"address":"${time}","flags":["flag${time}"]}\n`);
  }
});

Deno.test("FieldRun makes one text of values that came nine times in a row, and none of others", () => {
  const { steps } = buildSteps(buildTree(fieldsOf(() => ({}), { "host": {}, "role": {} })));
  const run = new FieldRun(steps);
  const line = new ByteText();
  const write = (host: string, role: string | undefined) => {
    run.values[0] = host;
    run.values[1] = role;
    line.length = 0;
    run.write(line, BEGIN);
    return line.toString();
  };
  for (let time = 0; time < 9; time++) {
    assertEquals(run.text, undefined);
    assertEquals(write("web1", "client"), '{"host":"web1","role":"client"');
  }
  line.length = 0;
  line.constant(run.text!);
  assertEquals(line.toString(), '{"host":"web1","role":"client"');
  assertEquals(write("web1", undefined), '{"host":"web1"');
  assertEquals(run.text, undefined);
});
