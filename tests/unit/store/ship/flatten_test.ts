import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { FIELDS } from "../../../../src/record/fields.ts";
import { encodeHandshake } from "../../../../src/record/ndjson.ts";
import { flattenLine } from "../../../../src/store/ship/flatten.ts";
import { columnName } from "../../../../src/store/query/columns.ts";
import { anyHandshake } from "../../record/arbitrary_handshake.ts";
import { CONTEXT, HANDSHAKES } from "../../record/sample_handshakes.ts";

const LINE = encodeHandshake(HANDSHAKES[0], CONTEXT).trimEnd();

/** The row of a line, as JSON. */
function rowOf(line: string): Record<string, unknown> {
  const flat = flattenLine(line);
  assert(flat.kind === "row", JSON.stringify(flat));
  assertEquals(flat.json.indexOf("\n"), flat.json.length - 1);
  return JSON.parse(flat.json);
}

/** The line with another value at a path. */
function lineWith(path: string, value: unknown): string {
  const line = JSON.parse(LINE);
  const names = path.split(".");
  let level = line;
  for (const name of names.slice(0, -1)) level = level[name] ??= {};
  level[names[names.length - 1]] = value;
  return JSON.stringify(line);
}

/** What a row has to have for a field of a record, by a way of its own. */
function expected(path: string, value: unknown): unknown {
  if (value === null) return undefined;
  if (path === "time") {
    const [seconds, ns] = (value as string).slice(0, -1).split(".");
    return Number(`${Date.parse(`${seconds}Z`) / 1000}${ns}`);
  }
  if (typeof value === "string") return value.toWellFormed();
  if (Array.isArray(value)) return value.map((each) => each.toWellFormed());
  return typeof value === "boolean" ? Number(value) : value;
}

Deno.test("flattenLine has each field of any record in its column, and nothing else", () => {
  fc.assert(fc.property(anyHandshake(), (handshake) => {
    const line = encodeHandshake(handshake, CONTEXT);
    const record = JSON.parse(line);
    // Int64 has none of these moments.
    if (record.time < "1970" || record.time > "2262" || record.time.length > 30) return;
    const row = rowOf(line);
    for (const { path } of FIELDS) {
      let value = record;
      for (const name of path.split(".")) value = value?.[name];
      assertEquals(row[columnName(path)], expected(path, value), path);
    }
    const names = FIELDS.map(({ path }) => columnName(path));
    assertEquals(Object.keys(row).filter((name) => !names.includes(name)), []);
  }));
});

Deno.test("flattenLine keeps numbers that JavaScript has not", () => {
  const flat = flattenLine(
    LINE.replace('"cgroup":8231', '"cgroup":18446744073709551615'),
  );
  assert(
    flat.kind === "row" && flat.json.includes('"client_process_cgroup":18446744073709551615,'),
  );
});

Deno.test("flattenLine gives times as nanoseconds of Unix time", () => {
  const cases = [
    ["2026-11-23T01:02:03.000000001Z", "1795395723000000001"],
    ["1970-01-01T00:00:00.000000007Z", "7"],
    ["1970-01-01T00:00:01.000000007Z", "1000000007"],
    ["2262-04-11T23:47:15.999999999Z", "9223372035999999999"],
  ];
  for (const [time, ns] of cases) {
    const flat = flattenLine(lineWith("time", time));
    assert(flat.kind === "row" && flat.json.includes(`"time":${ns},`), time);
  }
});

Deno.test("flattenLine refuses what its column cannot hold, and names the field", () => {
  const cases: readonly (readonly [path: string, value: unknown, reason: string])[] = [
    ["time", "2026-11-23T01:02:03Z", "time is no time"],
    ["time", "1969-12-31T23:59:59.000000000Z", "time is no time"],
    ["time", "2262-04-11T23:47:16.000000000Z", "time is no time"],
    ["host", 1, "host is no text"],
    ["host", undefined, "host is missing"],
    ["client", undefined, "client.address is missing"],
    ["client", "x", "client is no object"],
    ["client.port", 65_536, "client.port is no uint16"],
    ["client.port", null, "client.port is no uint16"],
    ["client.isn", -1, "client.isn is no uint32"],
    ["client.isn", 1.5, "client.isn is no uint32"],
    ["client.timestamps", 1, "client.timestamps is no boolean"],
    ["rtt.client_ns", "1", "rtt.client_ns is no int64"],
    ["flags", "syn_cookie", "flags is no texts"],
    ["flags", [1], "flags is no texts"],
    ["v", "1", "it has no version (v)"],
    ["event", 1, "it has no event"],
  ];
  for (const [path, value, reason] of cases) {
    assertEquals(flattenLine(lineWith(path, value)), { kind: "refused", reason }, path);
  }
  for (const line of ["", "{", LINE.slice(0, -1), LINE + LINE]) {
    assertEquals(flattenLine(line), { kind: "refused", reason: "it is no JSON" });
  }
  for (const line of ["[]", "null", "1"]) {
    assertEquals(flattenLine(line), { kind: "refused", reason: "it is no object" });
  }
});

Deno.test("flattenLine takes what a later version adds, and leaves it out", () => {
  const flat = flattenLine(lineWith("client.shoe_size", 42).replace('"v":1', '"v":2'));
  assert(flat.kind === "row");
  assertEquals([flat.version, flat.json.includes("shoe")], [2, false]);
});

Deno.test("flattenLine gives half a surrogate pair to nobody", () => {
  const line = LINE.replace('"comm":"curl"', String.raw`"comm":"\ud800x"`);
  assertEquals(rowOf(line).client_process_comm, "\ufffdx");
});

Deno.test("flattenLine keeps what a status line tells, its levels as JSON", () => {
  const status = {
    ...{ v: 1, event: "status", time: "2026-11-23T01:02:03.000000001Z", host: "web1" },
    ...{ tracer: "1-1", since: "2026-11-23T01:02:02.000000000Z", filters: ["--port 443"] },
    ...{ sources: { wire: [{ netns: 1, up: true }] }, handshakes: 15, written: 13, losses: {} },
  };
  const flat = flattenLine(JSON.stringify(status));
  assert(flat.kind === "row");
  assertEquals([flat.table, flat.written, flat.seconds], ["status", 13, 1_795_395_723]);
  const row = JSON.parse(flat.json);
  assertEquals(row.sources, '{"wire":[{"netns":1,"up":true}]}');
  assertEquals([row.filters, row.written, row.losses], [["--port 443"], 13, "{}"]);
});

Deno.test("flattenLine tells lines of other kinds apart", () => {
  assertEquals(flattenLine('{"v":1,"event":"pair"}'), { kind: "other", event: "pair" });
});

Deno.test("flattenLine throws nothing, whatever it is given", () => {
  fc.assert(fc.property(fc.json(), (line) => void flattenLine(line)));
  fc.assert(fc.property(
    fc.constantFrom(...FIELDS.map(({ path }) => path)),
    fc.jsonValue(),
    (path, value) => void flattenLine(lineWith(path, value)),
  ));
});
