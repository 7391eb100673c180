import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { encodeHandshake } from "../../../../src/record/ndjson.ts";
import { decodeAnyLine } from "../../../../src/record/record_decoder.ts";
import { lineForm } from "../../../../src/store/query/line_form.ts";
import { anyHandshake, anyText } from "../../record/arbitrary_handshake.ts";
import { CONTEXT, HANDSHAKES } from "../../record/sample_handshakes.ts";

const RUNS = Number(
  Deno.args.find((arg) => arg.startsWith("--runs="))?.slice("--runs=".length) ?? 500,
);
const FORM = lineForm();
const encoder = new TextEncoder();

/** What the bytes of a text are as Latin-1. */
function latin1(text: string): string {
  return Array.from(encoder.encode(text), (byte) => String.fromCharCode(byte)).join("");
}

/** Whether a text is one line of the form, and nothing behind it. */
function isOfForm(text: string): boolean {
  const bytes = latin1(text);
  FORM.lastIndex = 0;
  return FORM.test(bytes) && FORM.lastIndex === bytes.length;
}

const LINES = HANDSHAKES.map((handshake) => encodeHandshake(handshake, CONTEXT));

Deno.test("lines that this version writes are of its form", () => {
  for (const line of LINES) assert(isOfForm(line), line);
});

Deno.test("of several lines each is found behind the one before", () => {
  const text = latin1(LINES.join(""));
  FORM.lastIndex = 0;
  for (const line of LINES) {
    const begin = FORM.lastIndex;
    assert(FORM.test(text));
    assertEquals(text.slice(begin, FORM.lastIndex), latin1(line));
  }
  assertEquals(FORM.lastIndex, text.length);
});

/** Some line that tells of a container. */
const FULL = LINES.find((line) => line.includes('"name":"shop"'))!;
const EDGES: readonly [what: string, from: string | RegExp, to: string, isOfForm: boolean][] = [
  ["a leap day", /"time":"[^"]*"/, '"time":"2028-02-29T01:02:03.000000000Z"', false],
  ["the 30th of a month", /"time":"[^"]*"/, '"time":"2028-04-30T23:59:59.999999999Z"', true],
  ["the 31st of another", /"time":"[^"]*"/, '"time":"2028-04-31T23:59:59.999999999Z"', false],
  ["the greatest port", /"port":[0-9]+/, '"port":65535', true],
  ["a port beyond", /"port":[0-9]+/, '"port":65536', false],
  ["port 0", /"port":[0-9]+/, '"port":0', true],
  ["a port with a zero before it", /"port":[0-9]+/, '"port":080', false],
  ["the greatest number", /"isn":[0-9]+/, '"isn":4294967295', true],
  ["a number beyond", /"isn":[0-9]+/, '"isn":4294967296', false],
  ["a number of eleven digits", /"isn":[0-9]+/, '"isn":11111111111', false],
  ["a fraction", /"isn":[0-9]+/, '"isn":1.5', false],
  ["a number in quotes", /"isn":[0-9]+/, '"isn":"1"', false],
  ["a version of later", '"v":1', '"v":2', false],
  ["no reason", /"reason":[^,]*,/, "", true],
  ["a reason that is null", /"reason":[^,]*,/, '"reason":null,', true],
  ["no outcome", /"outcome":[^,]*,/, "", false],
  ["an escaped quote", /"host":"[^"]*"/, '"host":"\\""', true],
  ["an escape at the end", /"host":"[^"]*"/, '"host":"\\\\"', true],
  ["half a pair", /"host":"[^"]*"/, '"host":"\\ud83d"', false],
  ["a comma too many", /[}]\n/, ",}\n", false],
  ["a blank", '"v":1', '"v": 1', false],
];

Deno.test("what is at the edge of the form", async (t) => {
  for (const [what, from, to, expected] of EDGES) {
    await t.step(what, () => {
      const line = FULL.replace(from, to);
      assertEquals(isOfForm(line), expected, line);
    });
  }
});

Deno.test("a level's first member has no comma before it, whichever that is", () => {
  const container = (inside: string) =>
    FULL.replace(/"container":[{][^}]*[}]/, `"container":{${inside}}`);
  for (const inside of ["", '"id":"1"', '"name":"1"', '"id":"1","name":"1"']) {
    assert(isOfForm(container(inside)), inside);
  }
  for (const inside of [',"name":"1"', '"id":"1",', '"id":"1""name":"1"', '"name":"1","id":"1"']) {
    assert(!isOfForm(container(inside)), inside);
  }
});

Deno.test("addresses are of the form as this version writes them", async (t) => {
  const withAddress = (address: string) =>
    FULL.replace(/"address":"[^"]*"/g, `"address":"${address}"`);
  for (const address of ["192.0.2.1", "::", "::1", "2001:db8::", "1:2:3:4:5:6:7:8", "1:0:3::"]) {
    await t.step(address, () => assert(isOfForm(withAddress(address))));
  }
  const others = [
    "192.0.2.256",
    "192.0.2",
    "1:2:3:4:5:6:7",
    "1::2::3",
    "0db8::1",
    "1:0:0:4:5:6:7:8",
  ];
  for (const address of [...others, "1:2:3:4:5:6:7::", "DB8::1", "", "0:0:3:4:5:6:7:8"]) {
    await t.step(address || "none", () => assert(!isOfForm(withAddress(address))));
  }
});

Deno.test("a line of the form is a record to the reader, whatever was changed in it", () => {
  const change = fc.record({
    at: fc.nat(),
    removed: fc.nat(3),
    put: fc.oneof(
      fc.constantFrom(
        "0",
        "1",
        "9",
        "-",
        '"',
        "\\",
        "{",
        "}",
        "[",
        "]",
        ",",
        ":",
        "null",
        "true",
        "",
      ),
      anyText(),
    ),
  });
  const anyLine = fc.oneof(
    fc.constantFrom(...LINES),
    anyHandshake().map((handshake) => encodeHandshake(handshake, CONTEXT)),
  );
  let [taken, all] = [0, 0];
  fc.assert(
    fc.property(anyLine, fc.array(change, { maxLength: 2 }), (whole, changes) => {
      let line = whole.trimEnd();
      for (const { at, removed, put } of changes) {
        const place = at % (line.length + 1);
        line = line.slice(0, place) + put + line.slice(place + removed);
      }
      all++;
      if (!isOfForm(`${line}\n`)) return;
      taken++;
      assertEquals(decodeAnyLine(line).kind, "handshake", line);
    }),
    { numRuns: RUNS },
  );
  assert(taken > all / 10 && taken < all, `${taken} of ${all}`);
});
