import { assertEquals } from "@std/assert";
import { toRecord } from "../../../src/record/ndjson.ts";
import type { HandshakeRecord } from "../../../src/record/record.ts";
import { CONTEXT, WORKED_EXAMPLE, WORKED_RECORD } from "./sample_handshakes.ts";

// The compiler holds the sample against the type, this test against what is encoded.
Deno.test("HandshakeRecord is the type of a record", () => {
  const record: HandshakeRecord = toRecord(WORKED_EXAMPLE, CONTEXT);
  assertEquals(record, WORKED_RECORD);
});
