import { assertEquals } from "@std/assert";
import { viewOf } from "../../../../src/output/report/handshake_view.ts";
import { storyOf, WORKED_EXAMPLE } from "../../explain/build_conversation.ts";
import { WORKED_EXAMPLE as HANDSHAKE } from "../../record/sample_handshakes.ts";

Deno.test("viewOf has the ladder, the three checks and the round trips of a story", () => {
  const view = viewOf(() => storyOf(WORKED_EXAMPLE), HANDSHAKE, { host: "web\x1b1" });
  const { title, ladder, relations, roundTrips } = view.draw();
  assertEquals([view.teller, title], [
    "web\\u{1b}1, the client",
    "TCP handshake: established",
  ]);
  assertEquals(ladder.rows.length, 3);
  assertEquals(relations.map(({ sum, verdict }) => [sum, verdict]), [
    ["0x4ce45750 + 1 = 0x4ce45751", true],
    ["0x4ce45750 + 1 = 0x4ce45751", true],
    ["0xc112f693 + 1 = 0xc112f694", true],
  ]);
  assertEquals(roundTrips.map(({ name, duration }) => `${name} ${duration}`), [
    "client RTT 10.231000 ms",
    "server RTT 0.041000 ms",
    "total 10.272000 ms",
  ]);
});
