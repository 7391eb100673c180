/**
 * Crypto-PAn (Xu, Fan, Ammar and Moon, "Prefix-preserving IP address anonymization", 2002): two
 * addresses that begin with the same k bits, and no more, do so afterwards too. Without the key nobody
 * can tell an address from what became of it, nor what becomes of one.
 *
 * @module
 */
import { type Cipheriv, createCipheriv } from "node:crypto";

/** Bytes of a key: sixteen for AES-128, and sixteen of which the padding is made. */
export const KEY_BYTES = 32;

const BLOCK_BYTES = 16;
const BLOCK_WORDS = 4;

/** Addresses that begin with the same bits. */
export interface Prefix {
  /** The bits, in words of 32 from the first on; those beyond `bits` do not matter. */
  words: readonly number[];
  /** How many. */
  bits: number;
}

/** Anonymizes addresses of any whole number of words, each length for itself. */
export class CryptoPan {
  readonly #cipher: Cipheriv;
  readonly #pad: readonly number[];

  /** @param key {@link KEY_BYTES} bytes. */
  constructor(key: Uint8Array) {
    if (key.length !== KEY_BYTES) throw new RangeError(`A key has ${KEY_BYTES} bytes`);
    this.#cipher = createCipheriv("aes-128-ecb", key.subarray(0, BLOCK_BYTES), null);
    this.#cipher.setAutoPadding(false);
    const pad = viewOf(this.#cipher.update(key.subarray(BLOCK_BYTES)));
    this.#pad = Array.from({ length: BLOCK_WORDS }, (_, word) => pad.getUint32(word * 4));
  }

  /**
   * Anonymizes an address: each bit is flipped, or not, by what AES makes of the bits before it.
   *
   * @param address Its words, the first first: one of IPv4, four of IPv6.
   * @param kept Prefixes that stay, so that what begins with one still does, and nothing else does: then
   *   no bit of them is flipped. None: plain Crypto-PAn.
   */
  anonymize(address: readonly number[], kept: readonly Prefix[] = []): number[] {
    const bits = address.length * 32;
    const input = new DataView(new ArrayBuffer(bits * BLOCK_BYTES));
    for (let at = 0; at < bits; at++) {
      for (let word = 0; word < BLOCK_WORDS; word++) {
        const pad = this.#pad[word];
        const known = address[word] ?? pad;
        const mask = firstBits(at - word * 32);
        input.setUint32(at * BLOCK_BYTES + word * 4, known & mask | pad & ~mask);
      }
    }
    const output = this.#cipher.update(new Uint8Array(input.buffer));
    const fixed = fixedBits(address, kept);
    const result = [...address];
    for (let at = 0; at < bits; at++) {
      if (output[at * BLOCK_BYTES] < 0x80 || fixed[at]) continue;
      result[at >>> 5] = (result[at >>> 5] ^ 1 << (31 - at % 32)) >>> 0;
    }
    return result;
  }
}

function viewOf({ buffer, byteOffset, byteLength }: Uint8Array): DataView {
  return new DataView(buffer, byteOffset, byteLength);
}

/** A word whose first bits are set: none for less than one, all for more than 31. */
function firstBits(count: number): number {
  return count <= 0 ? 0 : count >= 32 ? -1 : -1 << (32 - count);
}

/**
 * Which bits stay: those on the way to a prefix that is kept, as far as the address goes along with it. An
 * address and its prefix part at a bit that stays, so that they part there afterwards, too.
 */
function fixedBits(address: readonly number[], kept: readonly Prefix[]): boolean[] {
  const fixed = new Array<boolean>(address.length * 32).fill(false);
  for (const { words, bits } of kept) {
    const until = Math.min(bits, commonBits(address, words) + 1);
    fixed.fill(true, 0, until);
  }
  return fixed;
}

/** How many bits two addresses have in common before the first that differs. */
export function commonBits(one: readonly number[], other: readonly number[]): number {
  for (let word = 0; word < one.length; word++) {
    const different = (one[word] ^ other[word]) >>> 0;
    if (different !== 0) return word * 32 + Math.clz32(different);
  }
  return one.length * 32;
}
