import { assert, assertEquals } from "@std/assert";
import { nameTrace, ToldLosses } from "../../../src/pipeline/told_losses.ts";

const ONE = { host_id: "a", tracer: "1-2" };

function sumOf(...lines: [file: number, event: string, members: Record<string, unknown>][]) {
  const told = new ToldLosses();
  for (const [file, event, members] of lines) told.take(file, event, members);
  return told.sum();
}

Deno.test("ToldLosses takes the last word of each trace, in whatever files it stands", () => {
  assertEquals(
    sumOf(
      [0, "status", { ...ONE, losses: { ring_packets: 1, late_accepts: 2 } }],
      [1, "status", { ...ONE, losses: { ring_packets: 3, late_accepts: 2 } }],
      [1, "status", { ...ONE, host_id: "b", losses: { ring_packets: 10 } }],
      [1, "summary", { ...ONE, losses: { ring_packets: 4, late_accepts: 2 } }],
    ),
    { ring_packets: 14, late_accepts: 2 },
  );
});

Deno.test("ToldLosses adds up what files say that name no trace", () => {
  assertEquals(
    sumOf(
      [0, "summary", { losses: { capture_packets: 1 } }],
      [1, "statistics", { losses: { capture_packets: 2 } }],
    ),
    { capture_packets: 3 },
  );
});

Deno.test("ToldLosses takes nothing that is no count of a place", () => {
  const odd = {
    ring_packets: -1,
    kernel_lines: "5",
    output_records: 0.5,
    other: 7,
    late_accepts: 1,
  };
  assertEquals(sumOf([0, "summary", { losses: odd }]), { late_accepts: 1 });
  for (const losses of [null, undefined, 7, "x", [1]]) {
    assertEquals(sumOf([0, "summary", { losses }]), {});
  }
  assertEquals(sumOf([0, "handshake", { losses: { ring_packets: 1 } }]), {});
  assertEquals(
    sumOf([0, "summary", JSON.parse('{"losses":{"__proto__":{"ring_packets":1}}}')]),
    {},
  );
});

Deno.test("ToldLosses keeps no more of what a trace is called than tells it apart", () => {
  const long = "x".repeat(1 << 20);
  assertEquals(nameTrace("a", "1-2"), "a 1-2");
  assertEquals(nameTrace("a", undefined), "a");
  for (const name of [nameTrace(long, "1-2"), nameTrace("a", long), nameTrace(long, undefined)]) {
    assert(name.length < 500, `${name.length}`);
  }
  assertEquals(
    sumOf(
      [0, "status", { host_id: "a", tracer: long, losses: { ring_packets: 1 } }],
      [0, "status", { host_id: "b", tracer: long, losses: { ring_packets: 2 } }],
    ),
    { ring_packets: 3 },
  );
});
