import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { Handshake } from "../../../src/match/handshake.ts";
import { scanRecord } from "../../../src/record/line_scanner.ts";
import { encodeHandshake } from "../../../src/record/ndjson.ts";
import { RecordedContext } from "../../../src/record/record_context.ts";
import { decodeAnyLine, LineDecoder } from "../../../src/record/record_decoder.ts";
import type { Target } from "../../../src/record/record_members.ts";
import { anyHandshake, anyText } from "./arbitrary_handshake.ts";
import { CONTEXT, HANDSHAKES } from "./sample_handshakes.ts";

const RUNS = Number(
  Deno.args.find((arg) => arg.startsWith("--runs="))?.slice("--runs=".length) ?? 500,
);

const encoder = new TextEncoder();

function scan(text: string): number | undefined {
  const bytes = encoder.encode(text);
  const target: Target = {
    handshake: new Handshake(),
    context: new RecordedContext(),
    unknown: [],
  };
  return scanRecord(bytes, 0, bytes.length, target);
}

function lineOf(handshake: Handshake): string {
  return encodeHandshake(handshake, CONTEXT).trimEnd();
}

const decoder = new LineDecoder();

/**
 * Holds what is decoded of a line in some bytes, after others, against what JSON.parse makes of the line.
 */
function hold(line: string): void {
  const [before, bytes] = [encoder.encode("before\n"), encoder.encode(line)];
  const end = before.length + bytes.length;
  const all = new Uint8Array([...before, ...bytes, ...encoder.encode('\n{"v":1}')]);
  const decoded = decoder.decode(all, before.length, end);
  assertEquals(decoded, decodeAnyLine(line.toWellFormed()), line);
}

Deno.test("scanRecord takes every record as this tool writes it", () => {
  for (const handshake of HANDSHAKES) assertEquals(scan(lineOf(handshake)), 1, lineOf(handshake));
  fc.assert(
    fc.property(anyHandshake(), (handshake) => {
      const line = lineOf(handshake);
      assertEquals(scan(line), 1, line);
      hold(line);
    }),
    { numRuns: RUNS },
  );
});

Deno.test("a record whose characters are changed anywhere is what JSON says that it is", () => {
  const change = fc.record({
    at: fc.nat(),
    removed: fc.nat(3),
    put: fc.oneof(
      fc.constantFrom(
        ...['"', "\\", "{", "}", "[", "]", ",", ":", " ", "0", "-", "1e3", "1.5", "null", "true"],
        ...["\u0000", "\t", "\\u0041", '\\"', "\ud800", '"v":2,', '"pid":1,', "999999999999999999"],
        "",
      ),
      anyText(),
    ),
  });
  let [taken, all] = [0, 0];
  fc.assert(
    fc.property(
      anyHandshake(),
      fc.array(change, { minLength: 1, maxLength: 3 }),
      (handshake, changes) => {
        let line = lineOf(handshake);
        for (const { at, removed, put } of changes) {
          const place = at % (line.length + 1);
          line = line.slice(0, place) + put + line.slice(place + removed);
        }
        // A newline ends a line.
        line = line.replaceAll("\n", " ");
        all++;
        if (scan(line) !== undefined) taken++;
        hold(line);
      },
    ),
    { numRuns: RUNS },
  );
  assert(taken > 0 && taken < all, `${taken} of ${all}`);
});

Deno.test("scanRecord leaves what is right in another way to JSON", () => {
  const line = lineOf(HANDSHAKES[0]);
  const { v, ...rest } = JSON.parse(line);
  for (
    const other of [
      JSON.stringify({ ...rest, v }),
      JSON.stringify({ v, ...rest, later: 1 }),
      line.replace(",", ", "),
      ` ${line}`,
      `${line}\r`,
      line.replace('"v":1', '"v":1.0'),
      line.replace('"v":1', '"v":0'),
      line.replace('"event":"handshake"', '"event":"summary"'),
      line.slice(0, -1),
      "",
    ]
  ) {
    assertEquals(scan(other), undefined, other);
    hold(other);
  }
});
