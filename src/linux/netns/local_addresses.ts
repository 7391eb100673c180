import { addressesEqual, parseAddress } from "../../wire/address.ts";
import { localAddresses } from "./interfaces.ts";
import type { NetworkNamespace } from "./network_namespace.ts";

/** How long an address that was added or removed may go unnoticed. */
const REFRESH_MS = 5_000;

/** Addresses as four words each, by these joined. */
type Addresses = ReadonlyMap<string, Uint32Array>;

interface Known {
  addresses: Addresses;
  lookedUpMs: number;
}

/** The addresses of this host, in every network namespace that is captured. */
export class LocalAddresses {
  readonly #known = new Map<NetworkNamespace, Known>();
  /** All of them by {@linkcode keyOf}: no packet should cost a string. */
  readonly #byLastWord = new Map<number, Uint32Array[]>();

  /** Takes a namespace whose addresses are this host's, and looks them up. */
  add(namespace: NetworkNamespace): void {
    this.#know(namespace, { addresses: lookUp(namespace), lookedUpMs: performance.now() });
  }

  /** Lets go of a namespace and its addresses. */
  remove(namespace: NetworkNamespace): void {
    this.#know(namespace, undefined);
  }

  /** Makes {@link refresh} look up a namespace's addresses again: something there is new. */
  markStale(netns: number): void {
    for (const [namespace, known] of this.#known) {
      if (namespace.inode === netns) known.lookedUpMs = -Infinity;
    }
  }

  /**
   * Looks up the addresses of one namespace: that where it is longest ago, if it was long ago. So it
   * takes little time whenever it is called.
   */
  refresh(): void {
    const nowMs = performance.now();
    let oldest: NetworkNamespace | undefined;
    let oldestMs = nowMs - REFRESH_MS;
    for (const [namespace, { lookedUpMs }] of this.#known) {
      if (lookedUpMs > oldestMs) continue;
      oldest = namespace;
      oldestMs = lookedUpMs;
    }
    if (oldest) this.#know(oldest, { addresses: lookUp(oldest), lookedUpMs: nowMs });
  }

  #know(namespace: NetworkNamespace, known: Known | undefined): void {
    const before = this.#known.get(namespace)?.addresses;
    if (known) this.#known.set(namespace, known);
    else this.#known.delete(namespace);
    // Nearly always, and there may be hundreds of namespaces.
    if (before && known && areSame(before, known.addresses)) return;
    // An address may be in several namespaces.
    const all = new Map([...this.#known.values()].flatMap(({ addresses }) => [...addresses]));
    this.#byLastWord.clear();
    for (const address of all.values()) {
      const key = keyOf(address, 0);
      const alike = this.#byLastWord.get(key);
      if (alike) alike.push(address);
      else this.#byLastWord.set(key, [address]);
    }
  }

  /** Whether four words of a column, from an index on, are an address of this host. */
  has(words: Uint32Array, at: number): boolean {
    if (isLoopback(words, at)) return true;
    const alike = this.#byLastWord.get(keyOf(words, at));
    return alike !== undefined && alike.some((address) => addressesEqual(address, 0, words, at));
  }

  /** Whether they are an address in this namespace; slower. */
  hasIn(namespace: NetworkNamespace, words: Uint32Array): boolean {
    if (!this.has(words, 0)) return false;
    return this.#known.get(namespace)?.addresses.has(words.join()) ?? false;
  }

  /** The same of a namespace by its inode number; one on the loopback is in each. */
  isIn(netns: number, words: Uint32Array): boolean {
    if (isLoopback(words, 0)) return true;
    return [...this.#known.keys()].some((namespace) =>
      namespace.inode === netns && this.hasIn(namespace, words)
    );
  }
}

function lookUp(namespace: NetworkNamespace): Addresses {
  const addresses = new Map<string, Uint32Array>();
  for (const text of namespace.run(localAddresses)) {
    const address = parseAddress(text);
    if (address) addresses.set(address.join(), address);
  }
  return addresses;
}

function areSame(some: Addresses, others: Addresses): boolean {
  return some.size === others.size && [...some.keys()].every((address) => others.has(address));
}

/**
 * The last word as a signed number: of those above 2^31, which are the addresses from 128.0.0.0 on, the
 * engine would make an object for each look-up.
 */
function keyOf(words: Uint32Array, at: number): number {
  return words[at + 3] | 0;
}

/** 127.0.0.0/8 and ::1, which need not be on any interface. */
function isLoopback(words: Uint32Array, at: number): boolean {
  if (words[at] !== 0 || words[at + 1] !== 0) return false;
  return words[at + 2] === 0
    ? words[at + 3] === 1
    : words[at + 2] === 0xffff && words[at + 3] >>> 24 === 127;
}
