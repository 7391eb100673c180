import { assertEquals, assertNotEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import { Cursor, formatCursor, parseCursor, tracerKey } from "../../../../src/store/ship/cursor.ts";

const NAME = "2026-11-23T01.web1.4711-1763859723123.ndjson";
const OTHER = "2026-11-23T02.web1.4711-1763859723123.ndjson";
const TO = "http://127.0.0.1:8123 synsnoop";

Deno.test("a cursor that is written is read as it was", () => {
  fc.assert(fc.property(
    fc.array(fc.tuple(fc.integer({ min: 0, max: 99 }), fc.maxSafeNat(), fc.boolean())),
    fc.tuple(fc.maxSafeNat(), fc.maxSafeNat(), fc.boolean()),
    fc.option(fc.maxSafeNat(), { nil: undefined }),
    (segments, [read, lost, isWhole], sinceMs) => {
      const cursor = new Cursor(
        new Map(segments.map(([pid, bytes, isDone]) => [
          `2026-11-23T01.web1.${pid}-1.ndjson`,
          { bytes, isDone },
        ])),
        new Map([["web1.1-1", { read, lost, isWhole }]]),
        sinceMs,
      );
      assertEquals(parseCursor(formatCursor(cursor, TO)), { cursor, destination: TO });
    },
  ));
});

Deno.test("parseCursor refuses what is none, and says why", () => {
  const good = JSON.parse(
    formatCursor(new Cursor(new Map([[NAME, { bytes: 1, isDone: false }]])), TO),
  );
  const cases: readonly (readonly [value: unknown, reason: string])[] = [
    [[], "it is no cursor"],
    [{ ...good, format: 0 }, "it is no cursor"],
    [{ ...good, format: 2 }, "it is of format 2, which a later synsnoop wrote"],
    [{ ...good, destination: 1 }, "it is no cursor"],
    [{ ...good, segments: [] }, "it is no cursor"],
    [{ ...good, since_ms: "now" }, "it is no cursor"],
    [{ ...good, segments: { "../x": { bytes: 1, done: true } } }, "an entry of it cannot be read"],
    [
      { ...good, segments: { [`${NAME}.zst`]: { bytes: 1, done: true } } },
      "an entry of it cannot be read",
    ],
    [{ ...good, segments: { [NAME]: { bytes: -1, done: true } } }, "an entry of it cannot be read"],
    [
      { ...good, segments: { [NAME]: { bytes: 1.5, done: true } } },
      "an entry of it cannot be read",
    ],
    [{ ...good, segments: { [NAME]: null } }, "an entry of it cannot be read"],
    [{ ...good, tracers: { a: { read: 1, lost: 0 } } }, "an entry of it cannot be read"],
  ];
  for (const [value, reason] of cases) {
    assertThrows(() => parseCursor(JSON.stringify(value)), Error, reason);
  }
  assertThrows(() => parseCursor('{"format":1,"dest'), Error, "it is no JSON");
});

Deno.test("parseCursor throws nothing else, whatever it is given", () => {
  fc.assert(fc.property(fc.json(), (text) => {
    try {
      parseCursor(text);
    } catch (error) {
      assertNotEquals((error as Error).message, "");
      assertEquals((error as Error).constructor, Error);
    }
  }));
});

Deno.test("a copy of a cursor goes its own way", () => {
  const cursor = new Cursor(new Map([[NAME, { bytes: 1, isDone: false }]]));
  const copy = cursor.clone();
  copy.of(NAME).bytes = 2;
  copy.segments.set(OTHER, { bytes: 3, isDone: true });
  assertEquals([cursor.of(NAME).bytes, cursor.of(OTHER)], [1, { bytes: 0, isDone: false }]);
});

Deno.test("a cursor forgets segments that are gone, and tracers that have none", () => {
  const ledger = { read: 1, lost: 0, isWhole: true };
  const gone = "2026-11-23T01.db1.1-1.ndjson";
  const cursor = new Cursor(
    new Map([NAME, gone].map((name) => [name, { bytes: 1, isDone: true }])),
    new Map([NAME, gone].map((name) => [tracerKey(name), ledger])),
  );
  // Another hour of the same tracer: it is known how much it wrote before.
  cursor.forget(new Set([OTHER]));
  assertEquals([...cursor.segments.keys()], []);
  assertEquals([...cursor.ledgers.keys()], ["web1.4711-1763859723123"]);
});
