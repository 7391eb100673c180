import { assertEquals } from "@std/assert";
import { LineFormat, NdjsonFormat, type TraceEnd } from "../../../src/output/handshake_format.ts";
import { formatHandshake, formatHeading } from "../../../src/output/line.ts";
import { encodeHandshake } from "../../../src/record/ndjson.ts";
import { Summary } from "../../../src/output/summary.ts";
import { CONTEXT, EPOCH_SECONDS, HANDSHAKES, taken } from "../record/sample_handshakes.ts";

const END: TraceEnd = {
  summary: new Summary(),
  context: CONTEXT,
  span: { epochSeconds: EPOCH_SECONDS, startNs: 5, endNs: 1_000 },
  losses: { ring_packets: 3 },
};

Deno.test("NdjsonFormat writes each record when it comes, the summary at the end", () => {
  const format = new NdjsonFormat();
  for (const handshake of HANDSHAKES) {
    assertEquals(taken(format, handshake), encodeHandshake(handshake, CONTEXT));
  }
  assertEquals(
    format.end(END),
    END.summary.encode(CONTEXT.host, EPOCH_SECONDS, 5, 1_000, END.losses),
  );
});

Deno.test("LineFormat writes each line when it comes, headed once", () => {
  const format = new LineFormat();
  const [first, second] = HANDSHAKES;
  assertEquals(taken(format, first), formatHeading() + formatHandshake(first));
  assertEquals(taken(format, second), formatHandshake(second));
  assertEquals(format.end(), "");
});
