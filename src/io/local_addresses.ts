import { parseAddress } from "../wire/address.ts";
import { localAddresses } from "./interfaces.ts";

/** How long an address that was added or removed may go unnoticed. */
const REFRESH_MS = 5_000;

/** The addresses of this host, looked up again now and then. */
export class LocalAddresses {
  #known = new Set<string>();
  #lookedUpMs = -Infinity;

  /** Looks them up, if that was long ago. @param nowMs Any clock that only goes on. */
  refresh(nowMs: number): void {
    if (nowMs - this.#lookedUpMs < REFRESH_MS) return;
    this.#lookedUpMs = nowMs;
    this.#known = new Set(
      [...localAddresses()].flatMap((text) => parseAddress(text)?.join() ?? []),
    );
  }

  /** Whether four words of a column, from an index on, are an address of this host. */
  has(words: Uint32Array, at: number): boolean {
    return isLoopback(words, at) || this.#known.has(words.subarray(at, at + 4).join());
  }
}

/** 127.0.0.0/8 and ::1, which need not be on any interface. */
function isLoopback(words: Uint32Array, at: number): boolean {
  if (words[at] !== 0 || words[at + 1] !== 0) return false;
  return words[at + 2] === 0
    ? words[at + 3] === 1
    : words[at + 2] === 0xffff && words[at + 3] >>> 24 === 127;
}
