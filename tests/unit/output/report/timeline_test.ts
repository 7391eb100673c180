import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { ROLES } from "../../../../src/match/handshake.ts";
import { ROLE_LEGS, Timeline, type TimeSpan } from "../../../../src/output/report/timeline.ts";
import { makeHandshake } from "../../record/sample_handshakes.ts";

const ENDS = { client: { address: "10.0.0.1" }, server: { address: "10.0.0.2" } };

const at = (epochSeconds: number, timeNs = 0) => makeHandshake({ ...ENDS, epochSeconds, timeNs });

function spanOf(handshakes: readonly ReturnType<typeof at>[], kind = 0): TimeSpan | undefined {
  const timeline = new Timeline();
  for (const handshake of handshakes) timeline.take(handshake, kind);
  return timeline.span();
}

const countsOf = (span: TimeSpan | undefined) =>
  span?.buckets.map((bucket) => bucket?.kinds[0] ?? 0) ?? [];

Deno.test("Timeline of nothing has no span", () => {
  assertEquals(spanOf([]), undefined);
});

Deno.test("Timeline counts what lies in a millisecond together, and leaves gaps where nothing was", () => {
  const span = spanOf([at(10, 1_000_000), at(10, 1_999_999), at(10, 4_000_000)]);
  assertEquals([span?.startMs, span?.widthMs, countsOf(span)], [10_001, 1, [2, 0, 0, 1]]);
});

Deno.test("Timeline takes handshakes in any order, also before the first", () => {
  const span = spanOf([at(10, 4_000_000), at(10, 1_000_000), at(9, 999_000_000)]);
  assertEquals([span?.startMs, countsOf(span)], [9_999, [1, 0, 1, 0, 0, 1]]);
});

Deno.test("Timeline keeps every handshake in the piece of time that it lies in, whatever the time", () => {
  const times = fc.array(fc.integer({ min: -2e9, max: 5e9 }), { minLength: 1, maxLength: 40 });
  fc.assert(fc.property(times, (seconds) => {
    const span = spanOf(seconds.map((each) => at(each)))!;
    assert(span.buckets.length <= 240);
    const expected = span.buckets.map((_, bucket) => {
      const from = span.startMs + bucket * span.widthMs;
      return seconds.filter((each) => each * 1e3 >= from && each * 1e3 < from + span.widthMs)
        .length;
    });
    assertEquals(countsOf(span), expected);
    assertEquals(expected.reduce((sum, count) => sum + count), seconds.length);
  }));
});

Deno.test("Timeline has an hour in pieces of half a minute, a day in pieces of ten", () => {
  assertEquals(spanOf([at(7_200), at(10_799)])?.widthMs, 30_000);
  assertEquals(spanOf([at(0), at(86_399)])?.widthMs, 600_000);
});

Deno.test("Timeline keeps the durations of each leg and role apart, joined where time is", () => {
  const timeline = new Timeline();
  for (const [second, role] of [...ROLES, ...ROLES].entries()) {
    const legs = { clientRttNs: 100 + second, serverRttNs: 200 + second };
    timeline.take(makeHandshake({ ...ENDS, epochSeconds: 1e6 * second, role, ...legs }), 0);
  }
  const { buckets } = timeline.span()!;
  const maxima = ROLE_LEGS.map((_, leg) =>
    Math.max(...buckets.map((bucket) => bucket?.legs[leg]?.max ?? 0))
  );
  assertEquals(maxima, [104, 204, 105, 205, 106, 206, 107, 207]);
  const measured = buckets.flatMap((bucket) => bucket?.legs.map((leg) => leg?.count ?? 0) ?? []);
  assertEquals(measured.reduce((sum, count) => sum + count), 16);
});
