import { assertEquals } from "@std/assert";
import {
  formatChecks,
  formatEvidence,
  formatFacts,
  formatIsn,
  formatNetworkRtt,
  joinParts,
} from "../../../src/output/cells.ts";
import { makeHandshake } from "../record/sample_handshakes.ts";

const ENDS = { client: { address: "10.0.0.1" }, server: { address: "10.0.0.2" } };

Deno.test("formatNetworkRtt tells what is unknown from what Karn's rule withholds", () => {
  assertEquals(formatNetworkRtt(makeHandshake(ENDS)), "-");
  const ambiguous = { ambiguous: true, firstSynToSynAckNs: 1_000_000_000 };
  assertEquals(formatNetworkRtt(makeHandshake({ ...ENDS, ...ambiguous })), "ambiguous");
});

Deno.test("formatIsn writes eight hexadecimal digits", () => {
  assertEquals([formatIsn(0), formatIsn(0x4ce45750), formatIsn(undefined)], [
    "0x00000000",
    "0x4ce45750",
    "-",
  ]);
});

Deno.test("formatChecks writes each relation in its place", () => {
  const checks = { synAckAcknowledgesSyn: true, ackSequence: false };
  assertEquals(formatChecks(makeHandshake({ ...ENDS, ...checks }), false), "✓✗-");
  assertEquals(formatChecks(makeHandshake({ ...ENDS, ...checks }), true), "yn-");
});

Deno.test("facts and evidence are words only where there is something to say", () => {
  const plain = makeHandshake({ ...ENDS, wire: true, kernel: true, synCount: 1 });
  assertEquals([joinParts(formatFacts(plain)), formatEvidence(plain)], ["", ""]);
  const odd = makeHandshake({ ...ENDS, wire: true, synCount: 2, synAckCount: 3 });
  assertEquals([joinParts(formatFacts(odd)), formatEvidence(odd)], [
    "2 SYNs, 3 SYN-ACKs",
    "wire only",
  ]);
  assertEquals(formatEvidence(makeHandshake({ ...ENDS, kernel: true })), "kernel only");
});
