import { assertEquals } from "@std/assert";
import { formatHandshake, formatHeading } from "../../../src/output/line.ts";
import { LineFormat } from "../../../src/output/line_format.ts";
import { HANDSHAKES, taken } from "../record/sample_handshakes.ts";

Deno.test("LineFormat writes each line when it comes, headed once", () => {
  const format = new LineFormat();
  const [first, second] = HANDSHAKES;
  assertEquals(taken(format, first), formatHeading() + formatHandshake(first));
  assertEquals(taken(format, second), formatHandshake(second));
  assertEquals(format.end(), "");
});
