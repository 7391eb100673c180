import { isIpv4Mapped } from "../wire/address.ts";
import { CryptoPan, type Prefix } from "./crypto_pan.ts";

/** Addresses remembered of each kind; beyond that the oldest are forgotten and made anew. */
const CACHED_ADDRESSES = 65_536;

/** What an IPv4 address means by its first bits, and still has to. */
const KEPT_IPV4: readonly Prefix[] = [
  { words: [0x00000000], bits: 32 }, // unspecified
  { words: [0x7f000000], bits: 8 }, // loopback
  { words: [0xa9fe0000], bits: 16 }, // link-local (RFC 3927)
  { words: [0xe0000000], bits: 4 }, // multicast
];

/** The same of IPv6 (RFC 4291 section 2.4). */
const KEPT_IPV6: readonly Prefix[] = [
  { words: [0, 0, 0, 0], bits: 128 }, // unspecified
  { words: [0, 0, 0, 1], bits: 128 }, // loopback
  { words: [0, 0, 0xffff, 0], bits: 96 }, // IPv4-mapped
  { words: [0xfe800000, 0, 0, 0], bits: 64 }, // link-local
  { words: [0xff000000, 0, 0, 0], bits: 8 }, // multicast
];

const IPV4_MAPPED = 0xffff;

/**
 * Anonymizes addresses by {@link CryptoPan}, but for what their first bits mean: loopback, link-local,
 * multicast, unspecified and IPv4-mapped addresses stay such, and no other becomes one. Networks stay
 * networks, all of them.
 */
export class AddressAnonymizer {
  readonly #cryptoPan: CryptoPan;
  readonly #ipv4 = new Map<number, Uint32Array>();
  readonly #ipv6 = new Map<string, Uint32Array>();

  /** @param key See {@link CryptoPan}. */
  constructor(key: Uint8Array) {
    this.#cryptoPan = new CryptoPan(key);
  }

  /**
   * What becomes of an address.
   *
   * @param words Four words, IPv4 as IPv4-mapped. @returns Four words too; not to be changed.
   */
  of(words: Uint32Array): Uint32Array {
    if (isIpv4Mapped(words)) {
      return remember(this.#ipv4, words[3], () => {
        const [word] = this.#cryptoPan.anonymize([words[3]], KEPT_IPV4);
        return Uint32Array.of(0, 0, IPV4_MAPPED, word);
      });
    }
    return remember(
      this.#ipv6,
      words.join(),
      () => Uint32Array.from(this.#cryptoPan.anonymize([...words], KEPT_IPV6)),
    );
  }
}

function remember<Key>(
  known: Map<Key, Uint32Array>,
  key: Key,
  make: () => Uint32Array,
): Uint32Array {
  let value = known.get(key);
  if (value === undefined) {
    value = make();
    if (known.size >= CACHED_ADDRESSES) known.delete(known.keys().next().value!);
    known.set(key, value);
  }
  return value;
}
