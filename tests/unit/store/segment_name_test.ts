import { assertEquals } from "@std/assert";
import fc from "fast-check";
import {
  endOfHourMs,
  formatSegmentName,
  hourMs,
  hourOf,
  parseSegmentName,
  plainOfMade,
  toldOf,
  twinOf,
} from "../../../src/store/segment_name.ts";

const NAME = { hour: "2026-11-23T01", host: "5f1c7c3aa9d0", tracer: "4711-1763859723123" };
const PLAIN = "2026-11-23T01.5f1c7c3aa9d0.4711-1763859723123.ndjson";

Deno.test("a segment's name tells the hour, the host and the tracer", () => {
  assertEquals(formatSegmentName(NAME), PLAIN);
  assertEquals(parseSegmentName(PLAIN), { ...NAME, plain: PLAIN, isSealed: false });
  assertEquals(parseSegmentName(`${PLAIN}.zst`), { ...NAME, plain: PLAIN, isSealed: true });
});

Deno.test("what is made for a segment has its name, and tells it", () => {
  const name = "2026-11-23T01.5f1c7c3aa9d0.4711-1763859723123";
  assertEquals(twinOf(PLAIN), `${name}.parquet`);
  assertEquals(toldOf(`${name}.parquet`), `${name}.told`);
  for (const end of ["parquet", "told"]) assertEquals(plainOfMade(`${name}.${end}`), PLAIN);
  for (const other of [PLAIN, `${PLAIN}.zst`, "parquet", "told", ""]) {
    assertEquals(plainOfMade(other), undefined);
  }
});

Deno.test("a host's name can stand in a segment's name, whatever it is", () => {
  fc.assert(fc.property(fc.string({ minLength: 1 }), (host) => {
    const name = formatSegmentName({ ...NAME, host });
    const { hour, tracer } = parseSegmentName(name)!;
    assertEquals({ hour, tracer, host: NAME.host }, NAME);
    assertEquals(name.includes("/"), false);
  }));
});

for (
  const other of [
    "",
    "handshakes.ndjson",
    "2026-11-23.host.1-1.ndjson",
    "2026-13-23T01.host.1-1.ndjson",
    "2026-11-23T25.host.1-1.ndjson",
    "2026-11-23T01.host.ndjson",
    "2026-11-23T01.host.1-1.ndjson.gz",
    "2026-11-23T01.host.1-1.parquet",
    ".sealing.1-1.2026-11-23T01.host.1-1.ndjson",
    "x2026-11-23T01.host.1-1.ndjson",
  ]
) {
  Deno.test(`"${other}" names no segment`, () => assertEquals(parseSegmentName(other), undefined));
}

Deno.test("an hour begins at its name and ends 3,600 s later", () => {
  const ms = Date.parse("2026-11-23T01:59:59.999Z");
  assertEquals(hourOf(ms), "2026-11-23T01");
  assertEquals(hourOf(ms + 1), "2026-11-23T02");
  assertEquals(hourMs(hourOf(ms)), Date.parse("2026-11-23T01:00:00Z"));
  assertEquals(endOfHourMs(hourOf(ms)), ms + 1);
});
