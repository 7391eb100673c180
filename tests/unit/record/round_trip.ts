import { assert, assertEquals } from "@std/assert";
import { encodeHandshake } from "../../../src/record/ndjson.ts";
import { decodeLine } from "../../../src/record/record_decoder.ts";

/** Holds the line of a record, its newline included, against what is written of it once it was read. */
export function roundTrip(line: string): void {
  const decoded = decodeLine(line);
  assert(decoded.kind === "handshake", `${JSON.stringify(decoded)} of ${line}`);
  assertEquals(decoded.unknown, [], line);
  assertEquals(encodeHandshake(decoded.handshake, decoded.context), line);
}
