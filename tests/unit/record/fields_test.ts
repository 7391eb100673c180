import { assert, assertEquals, assertMatch } from "@std/assert";
import { Handshake } from "../../../src/match/handshake.ts";
import { FIELDS, LEVELS, RECORD_VERSION } from "../../../src/record/fields.ts";
import { CONTEXT, FILE_CONTEXT, makeHandshake } from "./sample_handshakes.ts";

Deno.test("FIELDS names each path once and no path inside another", () => {
  const paths = FIELDS.map(({ path }) => path);
  assertEquals(new Set(paths).size, paths.length);
  for (const path of paths) {
    assertMatch(path, /^[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)*$/);
    assertEquals(paths.filter((other) => other.startsWith(path + ".")), [], path);
  }
});

Deno.test("FIELDS puts units last and only where one is", () => {
  for (const { path, type, unit } of FIELDS) {
    assertEquals(path.endsWith("_ns"), unit?.startsWith("ns") ?? false, path);
    // The worked units are written out in one way only.
    assert(!/(?:_ms|_us|_sec|_seconds|Ns|_bytes)$/.test(path), path);
    if (unit?.startsWith("ns") || unit === "bytes") assertEquals(type, "integer", path);
  }
});

Deno.test("FIELDS counts every duration and moment in nanoseconds", () => {
  for (const { path, type, unit } of FIELDS) {
    if (path.startsWith("times.")) assertEquals(unit, "ns after time", path);
    if (path.startsWith("rtt.") && type === "integer") assertEquals(unit, "ns", path);
  }
});

Deno.test("FIELDS documents each field, fit for a cell of a table", () => {
  for (const { path, meaning, unit, since } of FIELDS) {
    assertMatch(meaning, /^\S.{2,}\S$/, path);
    assertEquals(/[|\n<]/.test(meaning + unit), false, path);
    assertEquals(meaning.endsWith("."), false, path);
    assert(Number.isInteger(since) && since >= 1 && since <= RECORD_VERSION, path);
  }
});

Deno.test("LEVELS has a meaning for each level of the table", () => {
  const levels = FIELDS.flatMap(({ path }) => {
    const names = path.split(".").slice(0, -1);
    return names.map((_, at) => names.slice(0, at + 1).join("."));
  });
  assertEquals(Object.keys(LEVELS).sort(), [...new Set(levels)].sort());
  for (const meaning of Object.values(LEVELS)) assertMatch(meaning, /^[A-Z].*[^.]$/);
});

Deno.test("FIELDS gives each integer, and nothing else, a range", () => {
  for (const { path, type, range } of FIELDS) {
    assertEquals(range !== undefined, type === "integer", path);
    if (range) assert(range[0] < range[1], path);
  }
});

Deno.test("FIELDS has the same fields at both ends", () => {
  const of = (end: string) =>
    FIELDS.filter(({ path }) => path.startsWith(end)).map((
      { path, type, unit, range, always },
    ) => ({
      path: path.slice(end.length),
      type,
      unit,
      range,
      always: String(always).replace(end, ""),
    }));
  assertEquals(of("client."), of("server."));
  assertEquals(of("client.").length > 0, true);
});

Deno.test("FIELDS gives of an empty handshake what every record has and nothing else", () => {
  const empty = new Handshake();
  for (const { path, always, nullable, get } of FIELDS) {
    const value = get(empty, FILE_CONTEXT);
    assertEquals(value !== undefined, always === true, path);
    if (value === null) assertEquals(nullable, true, path);
  }
});

Deno.test("FIELDS tells who saw it", () => {
  const evidence = FIELDS.find(({ path }) => path === "evidence")!;
  const ends = { client: { address: "10.0.0.1" }, server: { address: "10.0.0.2" } };
  const of = (wire: boolean, kernel: boolean) =>
    evidence.get(makeHandshake({ ...ends, wire, kernel }), CONTEXT);
  assertEquals(of(true, true), ["wire", "kernel"]);
  assertEquals(of(true, false), ["wire"]);
  assertEquals(of(false, true), ["kernel"]);
});
