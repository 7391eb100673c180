import { scanNamedNamespaces } from "./namespace_scan.ts";

/** How soon the names are read again, where a namespace has none that is known. */
const AGAIN_MS = 1_000;

/** Names of network namespaces by `ip netns`, for those that are met. */
export class NetnsNames {
  #names: ReadonlyMap<number, string | undefined> = new Map();
  #readMs = -Infinity;

  /** The name of a namespace, by its inode number; undefined where it has none. Untrusted text. */
  of(netns: number): string | undefined {
    // The clock last: each record asks, and it takes longer than all the rest.
    if (!this.#names.has(netns) && performance.now() - this.#readMs >= AGAIN_MS) {
      this.#readMs = performance.now();
      this.#names = new Map(
        [...scanNamedNamespaces()].map(([inode, { name }]) => [inode, name]),
      );
    }
    return this.#names.get(netns);
  }
}
