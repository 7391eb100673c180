import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { HANDSHAKE_FLAGS, OUTCOMES } from "../../../src/match/handshake.ts";
import { explainFlag, explainOutcome, explainReason } from "../../../src/explain/words.ts";
import { makeHandshake } from "../record/sample_handshakes.ts";

const ENDS = {
  client: { address: "192.0.2.1", port: 1 },
  server: { address: "192.0.2.2", port: 2 },
};

Deno.test("explainOutcome has words of its own for each outcome", () => {
  const texts = OUTCOMES.map((outcome) => explainOutcome(makeHandshake({ ...ENDS, outcome })));
  assertEquals(new Set(texts).size, OUTCOMES.length);
  for (const text of texts) assert(text.length > 40, text);
});

Deno.test("explainOutcome says what makes a handshake established", () => {
  const parts = { ...ENDS, outcome: "established" } as const;
  const all = makeHandshake({ ...parts, wire: true, kernel: true, ackAcknowledgesSynAck: true });
  assertStringIncludes(explainOutcome(all), "All three packets fit together");
  const kernelAlone = makeHandshake({ ...parts, kernel: true });
  assertStringIncludes(explainOutcome(kernelAlone), "The kernel says ESTABLISHED");
  const partly = makeHandshake({ ...parts, wire: true, kernel: true });
  assertStringIncludes(explainOutcome(partly), "Not every packet was seen");
});

Deno.test("explainFlag has words of its own for each flag", () => {
  const texts = HANDSHAKE_FLAGS.map(explainFlag);
  assertEquals(new Set(texts).size, HANDSHAKE_FLAGS.length);
  for (const text of texts) assert(text.length > 40, text);
});

Deno.test("explainReason explains what it knows and escapes what it does not", () => {
  assertEquals(explainReason("NO_SOCKET"), "NO_SOCKET (nobody listens on that port)");
  assertEquals(explainReason("OTHER"), "OTHER");
  assertEquals(explainReason("\x1b[2J"), "\\u{1b}[2J");
});
