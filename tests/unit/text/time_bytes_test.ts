import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { formatTime, parseTime } from "../../../src/text/time.ts";
import { readNanoseconds, readSeconds } from "../../../src/text/time_bytes.ts";

const encoder = new TextEncoder();

function read(text: string) {
  const bytes = encoder.encode(`"${text}"`);
  const end = bytes.length - 1;
  const seconds = readSeconds(bytes, 1, end);
  return seconds === undefined ? undefined : { seconds, ns: readNanoseconds(bytes, end) };
}

Deno.test("readSeconds and readNanoseconds take each moment of the years up to 9999", () => {
  const [first, last] = [Date.parse("0000-01-01") / 1e3, Date.parse("9999-12-31") / 1e3];
  const moment = fc.record({
    seconds: fc.integer({ min: first, max: last }),
    ns: fc.integer({ min: 0, max: 999_999_999 }),
  });
  fc.assert(fc.property(fc.array(moment), (moments) => {
    for (const { seconds, ns } of moments) {
      assertEquals(read(formatTime(seconds, ns)), { seconds, ns });
      // Another one of that day.
      const next = (seconds - (seconds % 86_400)) + 1;
      assertEquals(read(formatTime(next, ns)), { seconds: next, ns });
    }
  }));
});

Deno.test("what readSeconds takes of any text is what parseTime takes", () => {
  let [taken, all] = [0, 0];
  fc.assert(
    fc.property(fc.nat(29), fc.constantFrom(..."0123456789:TZ.-+ x"), (at, put) => {
      for (const text of ["2026-11-23T01:02:03.123456789Z", "2024-02-29T23:59:59.000000000Z"]) {
        const changed = text.slice(0, at) + put + text.slice(at + 1);
        const moment = read(changed);
        all++;
        if (moment === undefined) continue;
        taken++;
        assertEquals(moment, parseTime(changed), changed);
      }
    }),
    { numRuns: 1_000 },
  );
  assert(taken > 0 && taken < all, `${taken} of ${all}`);
});

Deno.test("readSeconds leaves what is none, or written in another way, to parseTime", () => {
  for (
    const text of [
      "",
      "2026-11-23T01:02:03Z",
      "2026-13-23T01:02:03.123456789Z",
      "2026-11-23T24:00:00.000000000Z",
      "2026-11-23T01:60:00.000000000Z",
      "+010000-01-01T00:00:00.000000000Z",
    ]
  ) {
    assertEquals(read(text), undefined, text);
  }
});
