import { assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import { commonBits, CryptoPan, type Prefix } from "../../../src/anonymize/crypto_pan.ts";
import { formatAddress, parseAddress } from "../../../src/wire/address.ts";

/** Of the sample that its authors published with Crypto-PAn. */
export const PUBLISHED_KEY = Uint8Array.of(
  ...[21, 34, 23, 141, 51, 164, 207, 128, 19, 10, 91, 22, 73, 144, 125, 16],
  ...[216, 152, 143, 131, 121, 121, 101, 39, 98, 87, 76, 45, 42, 132, 34, 2],
);

/** Addresses of the published trace (sample_trace_raw.dat), and what becomes of them. */
const PUBLISHED = [
  ["128.11.68.132", "135.242.180.132"],
  ["129.118.74.4", "134.136.186.123"],
  ["130.132.252.244", "133.68.164.234"],
  ["141.223.7.43", "141.167.8.160"],
  ["141.233.145.108", "141.129.237.235"],
  ["152.163.225.39", "151.140.114.167"],
  ["165.247.96.84", "162.9.99.234"],
  ["192.102.249.13", "252.138.62.131"],
  ["192.215.32.125", "252.43.47.189"],
  ["198.51.77.238", "249.18.186.254"],
  ["204.202.136.230", "243.178.4.198"],
  ["205.188.147.153", "242.96.16.101"],
  ["207.155.9.214", "241.220.250.22"],
  ["208.147.89.59", "227.237.98.191"],
  ["209.85.249.6", "226.170.70.6"],
  ["212.206.130.201", "228.69.242.193"],
  ["216.254.18.172", "235.7.16.162"],
  ["24.0.250.221", "100.15.198.226"],
  ["24.94.26.44", "100.88.228.35"],
  ["38.15.67.68", "64.3.66.187"],
  ["4.3.88.225", "124.60.155.63"],
  ["63.195.241.44", "95.179.238.44"],
  ["64.14.118.196", "0.255.183.58"],
  ["10.185.25.118", "117.161.29.118"],
] as const;

/** What other programs make of IPv6 by the same key: those of Yawning Angel, and whoever follows them. */
const OF_OTHERS = [
  ["::1", "78ff:f001:9fc0:20df:8380:b1f1:704:ed"],
  ["::2", "78ff:f001:9fc0:20df:8380:b1f1:704:ef"],
  ["::ffff", "78ff:f001:9fc0:20df:8380:b1f1:704:f838"],
  ["2001:db8::1", "4401:2bc:603f:d91d:27f:ff8e:e6f1:dc1e"],
  ["2001:db8::2", "4401:2bc:603f:d91d:27f:ff8e:e6f1:dc1c"],
] as const;

Deno.test("CryptoPan makes of IPv4 addresses what its authors published", () => {
  const cryptoPan = new CryptoPan(PUBLISHED_KEY);
  for (const [address, expected] of PUBLISHED) {
    const [word] = cryptoPan.anonymize([parseAddress(address)![3]]);
    assertEquals(formatAddress(Uint32Array.of(0, 0, 0xffff, word)), expected, address);
  }
});

Deno.test("CryptoPan makes of IPv6 addresses what other programs do", () => {
  const cryptoPan = new CryptoPan(PUBLISHED_KEY);
  for (const [address, expected] of OF_OTHERS) {
    const words = cryptoPan.anonymize([...parseAddress(address)!]);
    assertEquals(formatAddress(Uint32Array.from(words)), expected, address);
  }
});

const u32 = fc.nat({ max: 0xffffffff });
const key = fc.uint8Array({ minLength: 32, maxLength: 32 });

/** Two addresses of so many words that have some bits in common. */
function pair(words: number): fc.Arbitrary<[number[], number[]]> {
  const address = fc.array(u32, { minLength: words, maxLength: words });
  return fc.tuple(address, address, fc.nat({ max: words * 32 })).map(([one, other, shared]) => [
    one,
    other.map((word, at) => {
      const bits = Math.max(0, Math.min(32, shared - at * 32));
      const mask = bits === 0 ? 0 : -1 << (32 - bits);
      return (one[at] & mask | word & ~mask) >>> 0;
    }),
  ]);
}

for (const words of [1, 4]) {
  const prefix: fc.Arbitrary<Prefix> = fc.record({
    words: fc.array(u32, { minLength: words, maxLength: words }),
    bits: fc.integer({ min: 1, max: words * 32 }),
  });

  Deno.test(`CryptoPan keeps how much two addresses of ${words * 32} bits have in common, and no more`, () => {
    fc.assert(fc.property(key, pair(words), fc.array(prefix), (key, [one, other], kept) => {
      const cryptoPan = new CryptoPan(key);
      const [first, second] = [one, other].map((each) => cryptoPan.anonymize(each, kept));
      assertEquals(commonBits(first, second), commonBits(one, other));
      for (const { words, bits } of kept) {
        const isIn = (address: readonly number[]) => commonBits(address, words) >= bits;
        assertEquals([first, second].map(isIn), [one, other].map(isIn));
      }
    }));
  });

  Deno.test(`CryptoPan flips bits of ${words * 32} by its key, each half of the time`, () => {
    const address = Array<number>(words).fill(0x5a5a5a5a);
    const flips = new Array<number>(words * 32).fill(0);
    const keys = 400;
    for (let at = 0; at < keys; at++) {
      const cryptoPan = new CryptoPan(
        Uint8Array.from({ length: 32 }, (_, byte) => at * (byte + 7)),
      );
      cryptoPan.anonymize(address).forEach((word, index) => {
        for (let bit = 0; bit < 32; bit++) {
          flips[index * 32 + bit] += (word ^ address[index]) >>> (31 - bit) & 1;
        }
      });
    }
    // Six standard deviations of a fair coin.
    for (const count of flips) assertEquals(Math.abs(count - keys / 2) < 3 * Math.sqrt(keys), true);
  });
}

Deno.test("CryptoPan takes keys of 32 bytes", () => {
  for (const length of [0, 16, 31, 33]) {
    assertThrows(() => new CryptoPan(new Uint8Array(length)), RangeError, "32 bytes");
  }
});

Deno.test("commonBits counts up to the first that differs", () => {
  const cases: [one: number[], other: number[], bits: number][] = [
    [[0], [0x80000000], 0],
    [[0xffffffff], [0xfffffffe], 31],
    [[5], [5], 32],
    [[1, 0, 0, 0], [1, 0, 0x00010000, 0], 79],
    [[1, 2, 3, 4], [1, 2, 3, 4], 128],
  ];
  for (const [one, other, bits] of cases) assertEquals(commonBits(one, other), bits);
});
