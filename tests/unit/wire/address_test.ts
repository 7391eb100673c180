import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { isIP } from "node:net";
import {
  addressesEqual,
  formatAddress,
  formatEndpoint,
  isIpv4Mapped,
  parseAddress,
} from "../../../src/wire/address.ts";

const word = fc.nat({ max: 0xffffffff });
const anyAddress = fc.array(word, { minLength: 4, maxLength: 4 });
/** Random words have no runs of zeros, which are what the text form is about. */
const sparseAddress = fc.array(fc.constantFrom(0, 0, 1, 0xffff, 0x10000, 0xffff0000, 0xabcd0001), {
  minLength: 4,
  maxLength: 4,
});

Deno.test("formatAddress writes canonical text", () => {
  const cases: { input: number[]; expected: string }[] = [
    { input: [0, 0, 0xffff, 0xc0a864bf], expected: "192.168.100.191" },
    { input: [0, 0, 0xffff, 0], expected: "0.0.0.0" },
    { input: [0, 0, 0xffff, 0xffffffff], expected: "255.255.255.255" },
    { input: [0, 0, 0, 0], expected: "::" },
    { input: [0, 0, 0, 1], expected: "::1" },
    { input: [0, 0, 0, 0x01020304], expected: "::102:304" },
    { input: [0x20010db8, 0, 0, 1], expected: "2001:db8::1" },
    { input: [0xfe800000, 0, 0, 0], expected: "fe80::" },
    // RFC 5952 §4.2.2: one zero group is not shortened.
    { input: [0x20010db8, 0x00000001, 0x00010001, 0x00010001], expected: "2001:db8:0:1:1:1:1:1" },
    // RFC 5952 §4.2.3: the longest run, the first of equal ones.
    { input: [0x20010000, 0x00000001, 0, 0x00000001], expected: "2001:0:0:1::1" },
    { input: [0x20010db8, 0, 0x00010000, 0x00000001], expected: "2001:db8::1:0:0:1" },
    // RFC 5952 §4.3 lower case, §4.1 no leading zeros.
    { input: [0x2001_0DB8, 0xAB00_00CD, 0x0EF0_0001, 1], expected: "2001:db8:ab00:cd:ef0:1:0:1" },
    // Not the mapped prefix: 0:0:0:0:0:fffe.
    { input: [0, 0, 0xfffe, 0x01020304], expected: "::fffe:102:304" },
    { input: [0, 1, 0xffff, 0x01020304], expected: "::1:0:ffff:102:304" },
    { input: [1, 0, 0xffff, 0x01020304], expected: "0:1::ffff:102:304" },
  ];
  for (const { input, expected } of cases) {
    assertEquals(formatAddress(new Uint32Array(input)), expected);
  }
});

Deno.test("formatEndpoint puts an IPv6 address into brackets", () => {
  const of = (text: string) => formatEndpoint({ address: parseAddress(text)!, port: 80 });
  assertEquals([of("192.0.2.1"), of("2001:db8::1")], ["192.0.2.1:80", "[2001:db8::1]:80"]);
});

Deno.test("formatAddress reads at an index", () => {
  const words = new Uint32Array([9, 9, 0, 0, 0xffff, 0x0a000001, 9]);
  assertEquals(formatAddress(words, 2), "10.0.0.1");
});

Deno.test("formatAddress writes the URL standard's form of every IPv6 address", () => {
  fc.assert(fc.property(fc.oneof(anyAddress, sparseAddress), (input) => {
    const words = new Uint32Array(input);
    fc.pre(!isIpv4Mapped(words));
    const host = new URL(`http://[${uncompressed(words)}]/`).hostname;
    assertEquals(`[${formatAddress(words)}]`, host);
  }));
});

Deno.test("parseAddress reads back what formatAddress writes", () => {
  const mapped = word.map((last) => [0, 0, 0xffff, last]);
  fc.assert(fc.property(fc.oneof(anyAddress, sparseAddress, mapped), (input) => {
    const words = new Uint32Array(input);
    assertEquals(parseAddress(formatAddress(words)), words);
    assertEquals(parseAddress(uncompressed(words).toUpperCase()), words);
  }));
});

Deno.test("parseAddress reads every form of RFC 4291", () => {
  const cases: { input: string; expected: number[] }[] = [
    { input: "10.0.0.1", expected: [0, 0, 0xffff, 0x0a000001] },
    { input: "::ffff:10.0.0.1", expected: [0, 0, 0xffff, 0x0a000001] },
    { input: "::FFFF:0a00:1", expected: [0, 0, 0xffff, 0x0a000001] },
    { input: "0:0:0:0:0:ffff:10.0.0.1", expected: [0, 0, 0xffff, 0x0a000001] },
    { input: "64:ff9b::192.0.2.33", expected: [0x0064ff9b, 0, 0, 0xc0000221] },
    { input: "::", expected: [0, 0, 0, 0] },
    { input: "::1", expected: [0, 0, 0, 1] },
    { input: "1::", expected: [0x00010000, 0, 0, 0] },
    { input: "1:2:3:4:5:6:7::", expected: [0x00010002, 0x00030004, 0x00050006, 0x00070000] },
    { input: "::2:3:4:5:6:7:8", expected: [0x00000002, 0x00030004, 0x00050006, 0x00070008] },
    { input: "2001:0db8::0001", expected: [0x20010db8, 0, 0, 1] },
  ];
  for (const { input, expected } of cases) {
    assertEquals(parseAddress(input), new Uint32Array(expected), input);
  }
});

Deno.test("parseAddress refuses everything else", () => {
  const cases = [
    "",
    " ",
    "localhost",
    "1.2.3",
    "1.2.3.4.5",
    "1.2.3.256",
    "1.2.3.04",
    "1.2.3.-4",
    "1.2.3.4 ",
    "1.2.3.4\n",
    "0x1.2.3.4",
    "1.2.3.4/24",
    ":",
    ":::",
    "::::",
    "1::2::3",
    ":1",
    "1:",
    "1:2:3:4:5:6:7",
    "1:2:3:4:5:6:7:8:9",
    "1:2:3:4:5:6:7:8::",
    "1:2:3:4::5:6:7:8",
    "12345::",
    "g::",
    "[::1]",
    "::1%lo",
    "::1/128",
    "1.2.3.4::",
    "::1.2.3.4:5",
    "::1.2.3",
    "::1.2.3.256",
    "1:2:3:4:5:6:7:1.2.3.4",
    "::ffff:1.2.3.4\n",
  ];
  for (const input of cases) assertEquals(parseAddress(input), undefined, JSON.stringify(input));
});

Deno.test("parseAddress takes what node:net isIP takes", () => {
  const part = fc.constantFrom(":", "::", "0", "1", "ffff", "12345", "1.2.3.4", "256.1.1.1", "g");
  const text = fc.oneof(
    fc.array(part, { maxLength: 18 }).map((parts) => parts.join("")),
    fc.array(fc.constantFrom("0", "ab", "1.2.3.4", ""), { maxLength: 9 })
      .map((groups) => groups.join(":")),
    fc.array(fc.constantFrom("0", "00", "7", "255", "256", ""), { minLength: 3, maxLength: 5 })
      .map((bytes) => bytes.join(".")),
    fc.string({ maxLength: 20 }),
    fc.ipV4(),
    fc.ipV6(),
  );
  fc.assert(
    fc.property(text, (input) => {
      // Four words have no room for a zone, which isIP takes.
      fc.pre(!input.includes("%"));
      assertEquals(parseAddress(input) !== undefined, isIP(input) !== 0);
    }),
    { numRuns: 3000 },
  );
});

Deno.test("isIpv4Mapped knows the mapped prefix at an index", () => {
  const words = new Uint32Array([0, 0, 0xffff, 0, 0, 0xffff, 1]);
  const expected = [true, false, false, true];
  assertEquals(expected.map((_, at) => isIpv4Mapped(words, at)), expected);
  assert(!isIpv4Mapped(new Uint32Array(4)));
});

Deno.test("addressesEqual compares all four words", () => {
  const a = new Uint32Array([7, 1, 2, 3, 4]);
  assert(addressesEqual(a, 1, new Uint32Array([1, 2, 3, 4]), 0));
  assert(addressesEqual(a, 0, a, 0));
  for (let index = 0; index < 4; index++) {
    const b = new Uint32Array([1, 2, 3, 4]);
    b[index] = 9;
    assert(!addressesEqual(a, 1, b, 0), `word ${index}`);
  }
});

function uncompressed(words: Uint32Array): string {
  return [...words].map((value) =>
    `${(value >>> 16).toString(16)}:${(value & 0xffff).toString(16)}`
  ).join(":");
}
