import { parseAddress } from "../wire/address.ts";
import { localAddresses } from "./interfaces.ts";
import type { NetworkNamespace } from "./network_namespace.ts";

/** How long an address that was added or removed may go unnoticed. */
const REFRESH_MS = 5_000;

interface Known {
  addresses: ReadonlySet<string>;
  lookedUpMs: number;
}

/** The addresses of this host, in every network namespace that is captured. */
export class LocalAddresses {
  readonly #known = new Map<NetworkNamespace, Known>();
  /** In how many namespaces each address is. */
  readonly #counts = new Map<string, number>();

  /** Takes a namespace whose addresses are this host's, and looks them up. */
  add(namespace: NetworkNamespace): void {
    this.#replace(namespace, lookUp(namespace), performance.now());
  }

  /** Lets go of a namespace and its addresses. */
  remove(namespace: NetworkNamespace): void {
    this.#replace(namespace, new Set(), 0);
    this.#known.delete(namespace);
  }

  /** Makes {@link refresh} look up a namespace's addresses again: something there is new. */
  suspect(netns: number): void {
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
    if (oldest !== undefined) this.#replace(oldest, lookUp(oldest), nowMs);
  }

  #replace(namespace: NetworkNamespace, addresses: ReadonlySet<string>, lookedUpMs: number): void {
    for (const address of this.#known.get(namespace)?.addresses ?? []) {
      const others = this.#counts.get(address)! - 1;
      if (others === 0) this.#counts.delete(address);
      else this.#counts.set(address, others);
    }
    for (const address of addresses) {
      this.#counts.set(address, (this.#counts.get(address) ?? 0) + 1);
    }
    this.#known.set(namespace, { addresses, lookedUpMs });
  }

  /** Whether four words of a column, from an index on, are an address of this host. */
  has(words: Uint32Array, at: number): boolean {
    return isLoopback(words, at) || this.#counts.has(words.subarray(at, at + 4).join());
  }
}

function lookUp(namespace: NetworkNamespace): Set<string> {
  const texts = namespace.run(localAddresses);
  return new Set([...texts].flatMap((text) => parseAddress(text)?.join() ?? []));
}

/** 127.0.0.0/8 and ::1, which need not be on any interface. */
function isLoopback(words: Uint32Array, at: number): boolean {
  if (words[at] !== 0 || words[at + 1] !== 0) return false;
  return words[at + 2] === 0
    ? words[at + 3] === 1
    : words[at + 2] === 0xffff && words[at + 3] >>> 24 === 127;
}
