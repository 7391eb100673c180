import { assertEquals, assertMatch } from "@std/assert";
import { StatisticsFormat } from "../../../../src/output/statistics/format.ts";
import { stateOf } from "../../pipeline/stand_ins.ts";
import { CONTEXT, EPOCH_SECONDS, HANDSHAKES, taken } from "../../record/sample_handshakes.ts";

const CASES: { options: { json: boolean; ascii: boolean }; begins: RegExp }[] = [
  { options: { json: false, ascii: false }, begins: /^\d+ handshakes in 1.00 µs/ },
  { options: { json: false, ascii: true }, begins: /^\d+ handshakes in 1.00 us/ },
  { options: { json: true, ascii: false }, begins: /^\{"v":1,"event":"statistics"/ },
];

for (const { options, begins } of CASES) {
  Deno.test(`StatisticsFormat with ${JSON.stringify(options)} writes all at the end`, () => {
    const format = new StatisticsFormat({ top: 2, ...options });
    for (const handshake of HANDSHAKES) assertEquals(taken(format, handshake), "");
    const span = { epochSeconds: EPOCH_SECONDS, startNs: 0, endNs: 1_000 };
    const text = format.end(stateOf(CONTEXT, { span }));
    assertMatch(text, begins);
    assertEquals(text.at(-1), "\n");
  });
}
