import { assert, assertEquals } from "@std/assert";
import { LinePiece, makePieceMemory } from "../../../src/pipeline/line_piece.ts";

const encoder = new TextEncoder();

Deno.test("LinePiece is claimed once, and only where it is the one that was looked at", () => {
  const memory = makePieceMemory();
  const [one, other] = [new LinePiece(memory), new LinePiece(memory)];
  assert(!other.claim());
  one.offer(encoder.encode("abc"), 7);
  assertEquals([other.state, other.number, other.bytes.length], ["offered", 7, 3]);
  assert(!other.claim(6));
  assert(other.claim(7) && !one.claim());
  other.finish({ numbers: 1, units: 2, areFirst: true });
  assertEquals([one.state, one.written], ["decoded", { numbers: 1, units: 2, areFirst: true }]);
  one.hold();
  assertEquals(other.state, "held");
});

Deno.test("LinePiece says why it failed, whatever that is", () => {
  const piece = new LinePiece(makePieceMemory());
  for (const reason of ["it was to \u{1f980}", "", "x".repeat(100_000)]) {
    piece.offer(encoder.encode("abc"), 0);
    assert(piece.claim());
    piece.fail(reason);
    assertEquals([piece.state, piece.failure], ["failed", reason.slice(0, 200)]);
    piece.hold();
  }
});

Deno.test("LinePiece waits for what is decoded no longer than until it is", () => {
  const piece = new LinePiece(makePieceMemory());
  piece.offer(encoder.encode("abc"), 3);
  assert(piece.claim(3));
  piece.wait(0);
  assertEquals(piece.state, "claimed");
  piece.finish({ numbers: 0, units: 0, areFirst: false });
  piece.wait(Infinity);
  assertEquals(piece.state, "decoded");
});
