import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { formatAddress, parseAddress } from "../../../src/wire/address.ts";
import { readAddress } from "../../../src/wire/address_bytes.ts";

const encoder = new TextEncoder();

/** Reads a text that stands between others; undefined where it is not for `readAddress`. */
function read(text: string, behind = '"'): Uint32Array | undefined {
  const bytes = encoder.encode(`:${text}${behind}`);
  const words = new Uint32Array(4).fill(0xdeadbeef);
  const isRead = readAddress(bytes, 1, 1 + encoder.encode(text).length, words);
  return isRead ? words : undefined;
}

const anyAddress = fc.oneof(
  fc.ipV4(),
  fc.ipV6(),
  fc.array(fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 0xffff_ffff })), {
    minLength: 4,
    maxLength: 4,
  }).map((words) => formatAddress(Uint32Array.from(words))),
);

Deno.test("readAddress takes each address as it is written here", () => {
  fc.assert(fc.property(anyAddress, (text) => {
    const words = parseAddress(text)!;
    assertEquals(read(formatAddress(words)), words, text);
  }));
  for (const text of ["::", "::1", "1::", "1:2:3:4:5:6:7:8", "1::8", "0.0.0.0", "2001:db8::10"]) {
    assertEquals(read(text), parseAddress(text), text);
  }
});

Deno.test("what readAddress takes of any text is what parseAddress takes", () => {
  const change = fc.record({
    at: fc.nat(),
    removed: fc.nat(3),
    put: fc.constantFrom("", ":", "::", ".", "0", "00", "256", "f", "F", "12345", "x", "\u00e9"),
  });
  let [taken, all] = [0, 0];
  fc.assert(
    fc.property(anyAddress, change, (address, { at, removed, put }) => {
      const place = at % (address.length + 1);
      const text = address.slice(0, place) + put + address.slice(place + removed);
      for (const behind of ['"', ":", ".", "1", ""]) {
        const words = read(text, behind);
        all++;
        if (words === undefined) continue;
        taken++;
        assertEquals(words, parseAddress(text), text);
      }
    }),
    { numRuns: 2_000 },
  );
  assert(taken > 0 && taken < all, `${taken} of ${all}`);
});

Deno.test("readAddress leaves other forms to parseAddress", () => {
  for (
    const text of ["", ":", ":::", "1.2.3", "1.2.3.04", "::ffff:1.2.3.4", "2001:DB8::1", "1::2::3"]
  ) {
    assertEquals(read(text), undefined, text);
  }
});
