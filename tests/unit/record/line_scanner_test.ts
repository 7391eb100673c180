import { assert, assertEquals, assertNotEquals } from "@std/assert";
import fc from "fast-check";
import { Handshake } from "../../../src/match/handshake.ts";
import { neededFields } from "../../../src/record/choose_fields.ts";
import { FIELDS } from "../../../src/record/fields.ts";
import { LineScanner } from "../../../src/record/line_scanner.ts";
import { encodeHandshake } from "../../../src/record/ndjson.ts";
import { RecordedContext } from "../../../src/record/record_context.ts";
import {
  decodeAnyLine,
  type DecodedLine,
  LineDecoder,
} from "../../../src/record/record_decoder.ts";
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
  const scanner = new LineScanner();
  const version = scanner.scan(bytes, 0, target);
  return scanner.end === bytes.length ? version : undefined;
}

function lineOf(handshake: Handshake): string {
  return encodeHandshake(handshake, CONTEXT).trimEnd();
}

const decoder = new LineDecoder();
/** Of which nothing is wanted, and of which some is but no record passes. */
const narrowDecoders = [
  new LineDecoder({ fields: new Set() }),
  ...["time", "outcome", "server.port", "flags"].map((field) =>
    new LineDecoder({ filter: { reads: new Set([field]), passes: () => false } })
  ),
];

/**
 * Holds what is decoded of a line in some bytes, after others, against what JSON.parse makes of the line.
 */
function hold(line: string): void {
  const [before, bytes] = [encoder.encode("before\n"), encoder.encode(line)];
  const end = before.length + bytes.length;
  const all = new Uint8Array([...before, ...bytes, ...encoder.encode('\n{"v":1}')]);
  const decoded = decoder.decode(all, before.length, end);
  assertEquals(decoded, decodeAnyLine(line.toWellFormed()), line);
  const judged = judgementOf(decoded);
  const from = decoder.decodeFrom(all, before.length);
  if (from !== undefined) {
    assertEquals([from, decoder.end], [decodeAnyLine(line.toWellFormed()), end], line);
  }
  for (const narrow of narrowDecoders) {
    assertEquals(judgementOf(narrow.decode(all, before.length, end)), judged, line);
  }
}

/** What is said of a line, without what stands in it. */
function judgementOf(line: DecodedLine): unknown {
  if (line.kind !== "handshake") return line;
  const { kind, unknown, version } = line;
  return { kind, unknown: [...unknown], version };
}

Deno.test("LineScanner takes every record as this tool writes it", () => {
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

Deno.test("LineScanner leaves what is right in another way to JSON", () => {
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

Deno.test("of each field alone a record says what all of it says", () => {
  const byField = FIELDS.map((field) =>
    [field, new LineDecoder({ fields: neededFields([field.path]) })] as const
  );
  fc.assert(
    fc.property(fc.oneof(fc.constantFrom(...HANDSHAKES), anyHandshake()), (handshake) => {
      const bytes = encoder.encode(lineOf(handshake));
      const whole = decoder.decode(bytes, 0, bytes.length);
      assert(whole.kind === "handshake");
      for (const [{ path, get }, narrow] of byField) {
        const part = narrow.decode(bytes, 0, bytes.length);
        assert(part.kind === "handshake");
        const value = get(part.handshake, part.context);
        assertEquals(`${value}`, `${get(whole.handshake, whole.context)}`, path);
      }
    }),
    { numRuns: RUNS },
  );
});

Deno.test("LineDecoder takes back what is wanted and no more", () => {
  const bytes = encoder.encode(lineOf(HANDSHAKES[0]));
  const whole = decoder.decode(bytes, 0, bytes.length);
  const narrow = new LineDecoder({ fields: neededFields(["client"]) });
  const part = narrow.decode(bytes, 0, bytes.length);
  assert(whole.kind === "handshake" && part.kind === "handshake");
  assertEquals(part.handshake.client, whole.handshake.client);
  assertNotEquals(part.handshake.server, whole.handshake.server);
  assertEquals(part.handshake.clientRttNs, undefined);
});

Deno.test("LineDecoder asks a filter when what that reads is decoded, and takes back nothing behind it", () => {
  const bytes = encoder.encode(lineOf(HANDSHAKES[0]));
  const asked: unknown[] = [];
  const narrow = new LineDecoder({
    filter: {
      reads: new Set(["outcome"]),
      passes: ({ outcome, client }) => {
        asked.push(outcome, client.port);
        return false;
      },
    },
  });
  const read = narrow.decode(bytes, 0, bytes.length);
  assert(read.kind === "handshake" && narrow.isHeldBack);
  assertEquals(asked, [HANDSHAKES[0].outcome, 0]);
  assertEquals(read.handshake.client.port, 0);
  // What the last member says is asked for behind it.
  const last = new LineDecoder({ filter: { reads: new Set(["flags"]), passes: () => false } });
  assertEquals(last.decode(bytes, 0, bytes.length).kind, "handshake");
  assert(last.isHeldBack);
});
