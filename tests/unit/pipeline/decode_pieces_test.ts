import { assert, assertEquals, assertThrows } from "@std/assert";
import {
  claimFirst,
  decodeOffered,
  OVER,
  PieceDecoder,
  rehearse,
  toWanted,
} from "../../../src/pipeline/decode_pieces.ts";
import { LinePiece, makePieceMemory, PIECE_LENGTH } from "../../../src/pipeline/line_piece.ts";
import { neededFields } from "../../../src/record/choose_fields.ts";
import { encodeHandshake } from "../../../src/record/ndjson.ts";
import { RowReader } from "../../../src/record/recorded_row.ts";
import { CONTEXT, HANDSHAKES } from "../record/sample_handshakes.ts";

const encoder = new TextEncoder();
const LINES = HANDSHAKES.map((handshake) => encodeHandshake(handshake, CONTEXT));

function offered(text: string, number = 0): LinePiece {
  const piece = new LinePiece(makePieceMemory());
  piece.offer(encoder.encode(text), number);
  return piece;
}

Deno.test("PieceDecoder makes rows of whole lines that are written as this tool does", () => {
  const text = LINES[0].slice(200) + LINES[1] + '{"v":1,"event":"status"}\n\nno record\n' +
    LINES[2] +
    JSON.stringify({ ...JSON.parse(LINES[3]), more: 1 }) + "\n" + LINES[4] + LINES[5].slice(0, -1);
  const piece = offered(text);
  assert(piece.claim());
  new PieceDecoder({}).decode(piece);
  const reader = new RowReader();
  reader.begin(piece.memory, piece.written);
  for (const [line, isThere] of [[1, true], [2, true], [4, true], [5, false]] as const) {
    const at = text.indexOf(LINES[line].trimEnd());
    const record = reader.read(at);
    assertEquals(record !== undefined, isThere, `${line}`);
    if (!record) continue;
    assertEquals(encodeHandshake(record.handshake, record.context), LINES[line]);
    assertEquals(reader.end, at + LINES[line].length - 1);
  }
});

Deno.test("PieceDecoder ends where there is no room for more texts", () => {
  const lines = Array.from(
    { length: 100 },
    (_, at) => LINES[0].replace('"web1"', `"${String(at).padEnd(1_000, "w")}"`),
  );
  const piece = offered(lines.join(""));
  assert(piece.claim());
  new PieceDecoder({}).decode(piece);
  const reader = new RowReader();
  reader.begin(piece.memory, piece.written);
  let [rows, start] = [0, 0];
  for (const line of lines) {
    const record = reader.read(start);
    if (record === undefined) break;
    assertEquals(encodeHandshake(record.handshake, record.context), line);
    rows++;
    start += line.length;
  }
  assert(rows > 20 && rows < 40, `${rows}`);
  assertEquals(piece.state, "decoded");
});

Deno.test("toWanted asks the filter that was told", () => {
  const { fields, filter } = toWanted({
    fields: ["time", "outcome"],
    filter: { parts: { outcomes: ["refused"] }, reads: ["outcome"] },
  });
  assertEquals([fields, filter?.reads], [new Set(["time", "outcome"]), new Set(["outcome"])]);
  const passed = HANDSHAKES.filter((handshake) => filter!.passes(handshake, CONTEXT));
  assertEquals(passed, HANDSHAKES.filter(({ outcome }) => outcome === "refused"));
  assert(passed.length > 0);
  assertEquals(toWanted({ fields: undefined, filter: undefined }), {
    fields: undefined,
    filter: undefined,
  });
});

Deno.test("claimFirst claims what was offered first", () => {
  const pieces = [5, 3, 4].map((number) => offered(LINES[0], number));
  const order = pieces.map(() => claimFirst(pieces)?.number);
  assertEquals([order, claimFirst(pieces)], [[3, 4, 5], undefined]);
});

Deno.test("decodeOffered does nothing once it is over, and tells of what it cannot decode", () => {
  const pieces = [offered(LINES[0])];
  const bell = new Int32Array(new SharedArrayBuffer(4));
  Atomics.store(bell, 0, OVER);
  decodeOffered(pieces, bell, new PieceDecoder({}));
  assertEquals(pieces[0].state, "offered");
  Atomics.store(bell, 0, 0);
  const failing = new PieceDecoder({
    filter: {
      reads: neededFields(["outcome"]),
      passes: () => {
        throw new Error("it was to fail");
      },
    },
  });
  assertThrows(() => decodeOffered(pieces, bell, failing), Error, "it was to fail");
  assertEquals([pieces[0].state, pieces[0].failure], ["failed", "it was to fail"]);
});

Deno.test("rehearse decodes what it is given, be that longer than a piece or nothing", () => {
  let asked = 0;
  const wanted = {
    filter: {
      reads: neededFields(["outcome"]),
      passes: () => {
        asked++;
        return true;
      },
    },
  };
  rehearse(wanted, encoder.encode(LINES[0]));
  assertEquals(asked, 8);
  rehearse(wanted, new Uint8Array(0));
  assertEquals(asked, 8);
  rehearse(wanted, encoder.encode(LINES[0].repeat(PIECE_LENGTH / 500)));
  assert(asked > 1_000);
});
