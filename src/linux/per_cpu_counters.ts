/**
 * Counters of 64 bits that a BPF map keeps for each CPU, read with bpf(2).
 *
 * @module
 */
import { bpf, lastErrno, memory, Pins, SystemCallError } from "./libc.ts";

// enum bpf_cmd, and union bpf_attr for it (linux/bpf.h).
const BPF_MAP_LOOKUP_ELEM = 1;
const LOOKUP_MAP_FD = 0;
const LOOKUP_KEY = 8;
const LOOKUP_VALUE = 16;
const LOOKUP_BYTES = 32;

const ENOENT = 2;
/** The most CPUs a kernel is built for (NR_CPUS). */
const CPUS_MAX = 8192;

/** The counters of one map, with memory of its own for what the kernel writes. */
export class PerCpuCounters implements Disposable {
  readonly #pins = new Pins();
  readonly #attr = memory(LOOKUP_BYTES);
  readonly #key: DataView;
  /** Two words for each possible CPU, the low one first. */
  readonly #values: Uint32Array<ArrayBuffer>;

  /**
   * Looks nothing up yet.
   *
   * @param mapFd The map's file descriptor, which stays the caller's. @param keySize Bytes of its keys.
   */
  constructor(mapFd: number, keySize: number) {
    const key = memory(keySize);
    const values = memory(possibleCpus() * 8);
    this.#key = new DataView(key.buffer);
    this.#values = new Uint32Array(values.buffer);
    const view = new DataView(this.#attr.buffer);
    view.setUint32(LOOKUP_MAP_FD, mapFd, true);
    view.setBigUint64(LOOKUP_KEY, this.#pins.address(key), true);
    view.setBigUint64(LOOKUP_VALUE, this.#pins.address(values), true);
  }

  /**
   * The counters under the key of all zeros, by CPU.
   *
   * @returns Empty where nothing was counted yet.
   * @throws {SystemCallError} when the kernel refuses the map.
   */
  ofZeroKey(): number[] {
    if (!this.#lookUp(0)) return [];
    const counts: number[] = [];
    for (let word = 0; word < this.#values.length; word += 2) counts.push(this.#countAt(word));
    return counts;
  }

  /**
   * What all CPUs counted under a key together.
   *
   * @param index The key's first word; the others are zero.
   * @returns 0 where nothing was counted yet.
   * @throws {SystemCallError} when the kernel refuses the map.
   */
  sum(index = 0): number {
    let sum = 0;
    if (!this.#lookUp(index)) return sum;
    for (let word = 0; word < this.#values.length; word += 2) sum += this.#countAt(word);
    return sum;
  }

  #countAt(word: number): number {
    return this.#values[word] + this.#values[word + 1] * 4294967296;
  }

  /** @returns Whether there is such an entry. */
  #lookUp(index: number): boolean {
    this.#key.setUint32(0, index, true);
    if (bpf(BPF_MAP_LOOKUP_ELEM, this.#attr) >= 0) return true;
    const errno = lastErrno();
    if (errno === ENOENT) return false;
    throw new SystemCallError("bpf(BPF_MAP_LOOKUP_ELEM)", errno);
  }

  /** Gives its memory back. */
  [Symbol.dispose](): void {
    this.#pins[Symbol.dispose]();
  }
}

/** The CPUs that a kernel may ever have: it writes a value for each, there or not. */
function possibleCpus(): number {
  let ranges: string;
  try {
    ranges = Deno.readTextFileSync("/sys/devices/system/cpu/possible").trim();
  } catch {
    return CPUS_MAX;
  }
  const last = Number(ranges.split(/[-,]/).pop());
  return Number.isInteger(last) && last < CPUS_MAX ? last + 1 : CPUS_MAX;
}
