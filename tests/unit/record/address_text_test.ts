import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { addressText } from "../../../src/record/address_text.ts";
import { formatAddress } from "../../../src/wire/address.ts";

Deno.test("addressText writes any address as formatAddress does", () => {
  const group = fc.oneof(fc.constantFrom(0, 0, 1), fc.nat({ max: 0xffff }));
  const word = fc.tuple(group, group).map(([high, low]) => high * 0x10000 + low);
  const ipv6 = fc.array(word, { minLength: 4, maxLength: 4 });
  const ipv4 = word.map((last) => [0, 0, 0xffff, last]);
  fc.assert(
    fc.property(fc.oneof(ipv4, ipv6), (words) => {
      const address = new Uint32Array(words);
      assertEquals(addressText(address).toString(), formatAddress(address));
    }),
    { numRuns: 5_000 },
  );
});
