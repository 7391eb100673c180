import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { AddressText } from "../../../src/record/address_text.ts";
import { formatAddress } from "../../../src/wire/address.ts";

Deno.test("AddressText writes any address as formatAddress does", () => {
  const group = fc.oneof(fc.constantFrom(0, 0, 1), fc.nat({ max: 0xffff }));
  const word = fc.tuple(group, group).map(([high, low]) => high * 0x10000 + low);
  const ipv6 = fc.array(word, { minLength: 4, maxLength: 4 });
  const ipv4 = word.map((last) => [0, 0, 0xffff, last]);
  const text = new AddressText();
  fc.assert(
    fc.property(fc.oneof(ipv4, ipv6), fc.integer({ min: 1, max: 2 }), (words, times) => {
      const address = new Uint32Array(words);
      for (let time = 0; time < times; time++) {
        assertEquals(text.of(address).toString(), formatAddress(address));
      }
    }),
    { numRuns: 5_000 },
  );
});

Deno.test("AddressText tells addresses apart that differ in one word", () => {
  const text = new AddressText();
  const address = new Uint32Array(4);
  assertEquals(text.of(address).toString(), "::");
  for (let word = 0; word < 4; word++) {
    address[word] = 1;
    assertEquals(text.of(address).toString(), formatAddress(address));
  }
});
