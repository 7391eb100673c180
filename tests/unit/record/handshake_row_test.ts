import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { Handshake } from "../../../src/match/handshake.ts";
import { fitsRow, readRow, ROW_LENGTH, writeRow } from "../../../src/record/handshake_row.ts";
import { encodeHandshake } from "../../../src/record/ndjson.ts";
import { anyHandshake } from "./arbitrary_handshake.ts";
import { CONTEXT, HANDSHAKES } from "./sample_handshakes.ts";

/** Any handshake without what no row holds. */
const fitting = anyHandshake().map((handshake) => {
  const { client, server } = handshake;
  client.process =
    server.process =
    handshake.translated =
    handshake.reason =
      undefined;
  handshake.dropCount = handshake.dropReason = handshake.dropPacket = undefined;
  handshake.dropQueue = handshake.resetReason = undefined;
  return handshake;
});

Deno.test("readRow gives back all that a record tells of a handshake", () => {
  const rows = new Float64Array(3 * ROW_LENGTH);
  // Used again for each: nothing of the one before may stay.
  const read = new Handshake();
  fc.assert(fc.property(fitting, fc.nat({ max: 2 }), (handshake, row) => {
    assert(fitsRow(handshake));
    rows.fill(-7);
    const at = row * ROW_LENGTH;
    writeRow(handshake, rows, at);
    assertEquals(rows.findIndex((value) => !Object.is(value, -7)), at);
    assert(rows.subarray(at + ROW_LENGTH).every((value) => value === -7));
    readRow(rows, at, read);
    assertEquals(encodeHandshake(read, CONTEXT), encodeHandshake(handshake, CONTEXT));
  }));
});

Deno.test("fitsRow takes no handshake of which a record tells what a row has no place for", () => {
  const rows = new Float64Array(ROW_LENGTH);
  const read = new Handshake();
  let refused = 0;
  fc.assert(fc.property(fc.oneof(anyHandshake(), fc.constantFrom(...HANDSHAKES)), (handshake) => {
    writeRow(handshake, rows, 0);
    readRow(rows, 0, read);
    const isSame = encodeHandshake(read, CONTEXT) === encodeHandshake(handshake, CONTEXT);
    if (!isSame) {
      refused++;
      assert(!fitsRow(handshake));
    }
  }));
  assert(refused > 0);
});
