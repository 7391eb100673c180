import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import {
  BATCH_ROWS,
  BatchEncoder,
  BatchWriter,
  makeBatch,
} from "../../../src/output/line_batch.ts";
import { chooseFields } from "../../../src/record/choose_fields.ts";
import { fitsRow } from "../../../src/record/handshake_row.ts";
import { RecordEncoder } from "../../../src/record/ndjson.ts";
import { ByteText } from "../../../src/text/byte_text.ts";
import { anyHandshake } from "../record/arbitrary_handshake.ts";
import { CONTEXT, HANDSHAKES } from "../record/sample_handshakes.ts";

const decoder = new TextDecoder();

Deno.test("BatchEncoder makes the lines that the handshakes have by themselves, in their order", () => {
  const each = fc.tuple(fc.oneof(fc.constantFrom(...HANDSHAKES), anyHandshake()), fc.boolean());
  const fields = fc.constantFrom(undefined, ["client"], ["v", "rtt.client_ns"]);
  fc.assert(fc.property(fc.array(each), fields, (handshakes, names) => {
    const chosen = names && chooseFields(names);
    assert(typeof chosen !== "string");
    const writer = new BatchWriter(makeBatch(), chosen);
    const encoder = new RecordEncoder(chosen);
    const expected = new ByteText();
    for (const [handshake, asLine] of handshakes) {
      writer.take(handshake, CONTEXT, asLine);
      encoder.write(expected, handshake, CONTEXT);
    }
    const batch = writer.exchange(makeBatch());
    assertEquals(batch.count, handshakes.length);
    const lines = new BatchEncoder(CONTEXT, chosen).encode(batch);
    assertEquals(decoder.decode(lines), expected.toString());
    assert(writer.isEmpty);
  }));
});

Deno.test("BatchWriter is full with its rows, or when its lines are long", () => {
  const writer = new BatchWriter(makeBatch());
  const plain = HANDSHAKES.find(fitsRow)!;
  for (let row = 0; row < BATCH_ROWS; row++) {
    assert(!writer.isFull);
    writer.take(plain, CONTEXT, false);
  }
  assert(writer.isFull);
  writer.exchange(makeBatch());
  assert(!writer.isFull);
  const long = { ...CONTEXT, host: "x".repeat(256 * 1024) };
  writer.take(plain, long, true);
  assert(writer.isFull);
  assertEquals(writer.exchange(makeBatch()).count, 1);
});
