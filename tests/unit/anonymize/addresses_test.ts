import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { AddressAnonymizer } from "../../../src/anonymize/addresses.ts";
import { commonBits } from "../../../src/anonymize/crypto_pan.ts";
import { formatAddress, isIpv4Mapped, parseAddress } from "../../../src/wire/address.ts";

const KEY = Uint8Array.from({ length: 32 }, (_, at) => 7 * at + 3);

/** The classes of addresses, each by what begins it. */
const CLASSES: readonly [name: string, is: (address: string) => boolean, examples: string[]][] = [
  ["unspecified IPv4", (text) => text === "0.0.0.0", ["0.0.0.0"]],
  ["unspecified IPv6", (text) => text === "::", ["::"]],
  ["loopback IPv4", (text) => text.startsWith("127."), ["127.0.0.1", "127.0.0.53", "127.255.0.9"]],
  ["loopback IPv6", (text) => text === "::1", ["::1"]],
  ["link-local IPv4", (text) => text.startsWith("169.254."), ["169.254.0.1", "169.254.169.254"]],
  [
    "link-local IPv6",
    (text) => parseAddress(text)!.slice(0, 2).join() === "4269801472,0",
    ["fe80::1", "fe80::5054:ff:fe12:3456"],
  ],
  [
    "multicast IPv4",
    (text) => /^2(?:2[4-9]|3\d)\./.test(text),
    ["224.0.0.1", "239.255.255.250", "232.1.2.3"],
  ],
  ["multicast IPv6", (text) => /^ff[0-9a-f]{2}:/.test(text), ["ff02::1", "ff05::1:3", "ff00::"]],
];
const ORDINARY = [
  ...["10.0.0.1", "192.168.1.1", "1.1.1.1", "8.8.8.8", "126.255.255.255", "128.0.0.1"],
  ...["169.253.1.1", "169.255.1.1", "223.255.255.255", "240.0.0.1", "0.0.0.1", "255.255.255.255"],
  ...["2001:db8::1", "fc00::1", "::2", "fe80:0:0:1::1", "fe81::1", "feff::1", "64:ff9b::808:808"],
  ...["::fffe:102:304", "::1:ffff:102:304"],
];

function anonymize(anonymizer: AddressAnonymizer, text: string): string {
  return formatAddress(anonymizer.of(parseAddress(text)!));
}

Deno.test("AddressAnonymizer keeps what an address means by its first bits, whatever the key", () => {
  const texts = [...CLASSES.flatMap(([, , examples]) => examples), ...ORDINARY];
  for (let byte = 0; byte < 64; byte++) {
    const anonymizer = new AddressAnonymizer(new Uint8Array(32).fill(byte));
    for (const text of texts) {
      const result = anonymize(anonymizer, text);
      for (const [name, is] of CLASSES) {
        assertEquals(is(result), is(text), `${text} to ${result}: ${name}`);
      }
      assertEquals(result.includes(":"), text.includes(":"), `${text} to ${result}`);
    }
  }
});

const u32 = fc.nat({ max: 0xffffffff });
const ipv4 = u32.map((word) => Uint32Array.of(0, 0, 0xffff, word));
const ipv6 = fc.array(u32, { minLength: 4, maxLength: 4 }).map((words) => Uint32Array.from(words));
const special = fc.constantFrom(...CLASSES.flatMap(([, , texts]) => texts), ...ORDINARY)
  .map((text) => parseAddress(text)!);

Deno.test("AddressAnonymizer keeps networks, and two addresses apart, of all that there are", () => {
  const anonymizer = new AddressAnonymizer(KEY);
  const address = fc.oneof(ipv4, ipv6, special);
  fc.assert(
    fc.property(address, address, fc.nat({ max: 128 }), (one, other, shared) => {
      // The second begins as the first does.
      const near = other.map((word, at) => {
        const bits = Math.max(0, Math.min(32, shared - at * 32));
        const mask = bits === 0 ? 0 : -1 << (32 - bits);
        return one[at] & mask | word & ~mask;
      });
      for (const second of [other, near]) {
        const [before, after] = [[one, second], [anonymizer.of(one), anonymizer.of(second)]];
        assertEquals(after.map(isIpv4Mapped), before.map(isIpv4Mapped));
        if (isIpv4Mapped(one) !== isIpv4Mapped(second)) continue;
        assertEquals(
          commonBits([...after[0]], [...after[1]]),
          commonBits([...before[0]], [...before[1]]),
        );
      }
    }),
    { numRuns: 500 },
  );
});

Deno.test("AddressAnonymizer gives the same again by the same key, and other things by another", () => {
  const texts = ["10.1.2.3", "2001:db8::1", "127.0.0.1", "fe80::5054:ff:fe12:3456"];
  const [one, same, other] = [KEY, KEY, KEY.map((byte) => byte ^ 1)]
    .map((key) => new AddressAnonymizer(key));
  for (const text of texts) {
    assertEquals(anonymize(one, text), anonymize(same, text));
    assertEquals(anonymize(one, text), anonymize(one, text));
    assert(anonymize(one, text) !== anonymize(other, text), text);
    assert(anonymize(one, text) !== text, text);
  }
});

Deno.test("AddressAnonymizer remembers so many, and makes the others anew", () => {
  const anonymizer = new AddressAnonymizer(KEY);
  const first = Uint32Array.of(0, 0, 0xffff, 0x0a000001);
  const before = anonymizer.of(first);
  assert(anonymizer.of(first) === before);
  for (let word = 0; word < 65_536; word++) {
    anonymizer.of(Uint32Array.of(0, 0, 0xffff, 0x0b000000 + word));
  }
  const after = anonymizer.of(first);
  assert(after !== before);
  assertEquals(after, before);
});
