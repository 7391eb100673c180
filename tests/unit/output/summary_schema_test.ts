import { assertEquals } from "@std/assert";
import { summarySchema } from "../../../src/output/summary_schema.ts";
import { LOSS_PLACES } from "../../../src/pipeline/losses.ts";
import { Summary } from "../../../src/pipeline/summary.ts";
import { CONTEXT, EPOCH_SECONDS, FILE_CONTEXT, HANDSHAKES } from "../record/sample_handshakes.ts";
import { schemaErrors } from "../record/schema_checker.ts";

const SCHEMA = summarySchema();

/** The line of a summary of some handshakes, of this host or of a file. */
function lineOf(handshakes: typeof HANDSHAKES, context = CONTEXT) {
  const summary = new Summary();
  for (const handshake of handshakes) summary.record(handshake);
  summary.recordFiltered(2);
  const losses = Object.fromEntries(LOSS_PLACES.map(({ name }) => [name, 1]));
  const undecoded = { not_ip: 1, bad_tcp_checksum: 2 };
  return JSON.parse(summary.encode(context, EPOCH_SECONDS, 0, 1, losses, undecoded));
}

Deno.test("summarySchema fits any summary", () => {
  for (const handshakes of [[], HANDSHAKES, ...HANDSHAKES.map((each) => [each])]) {
    assertEquals(schemaErrors(SCHEMA, lineOf(handshakes)), []);
    assertEquals(schemaErrors(SCHEMA, lineOf(handshakes, FILE_CONTEXT)), []);
  }
});

Deno.test("summarySchema refuses what is no summary", () => {
  const line = lineOf(HANDSHAKES);
  assertEquals(schemaErrors(SCHEMA, { ...line, event: "status" }), ["$.event is none of summary"]);
  assertEquals(schemaErrors(SCHEMA, { ...line, filtered: "2" }).length, 1);
  delete line.by_evidence;
  assertEquals(schemaErrors(SCHEMA, line), ["$.by_evidence is missing"]);
});
