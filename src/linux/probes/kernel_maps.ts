import {
  isSentinelKey,
  type KernelDecoding,
  type KernelRecord,
  KEY_BYTES,
  readEndTime,
  readKernelRecord,
  sentinelFits,
  VALUE_BYTES,
} from "../../kernel/kernel_record.ts";
import type { HeldMap } from "../../kernel/held_bpf.ts";
import { orderByTime } from "../../kernel/order_by_time.ts";
import { messageOf } from "../../text/message.ts";
import { BpfMap } from "./bpf_map.ts";

/** bpftrace names `@done` so, and `@written`. */
const RECORDS_MAP = "AT_done";
const COUNTER_MAP = "AT_written";

/** The maps of one bpftrace that hold its records, and how many there were. They outlive it. */
export class KernelMaps implements Disposable {
  readonly #records: BpfMap;
  readonly #counter: BpfMap;
  readonly #decoding: KernelDecoding;
  /** Records that the program says it wrote, and those drained. */
  #written = 0;
  #drained = 0;
  #lost = 0;

  private constructor(records: BpfMap, counter: BpfMap, decoding: KernelDecoding) {
    this.#records = records;
    this.#counter = counter;
    this.#decoding = decoding;
  }

  /**
   * Opens a bpftrace's maps and proves that their entries are laid out as this program reads them.
   *
   * @param pid The process. @param held The maps that it holds.
   * @returns Them, or why they cannot be read.
   */
  static open(
    pid: number,
    held: readonly HeldMap[],
    decoding: KernelDecoding,
  ): KernelMaps | string {
    using opened = new DisposableStack();
    try {
      const maps = held.map(({ id }) => opened.use(BpfMap.open(id)));
      const records = maps.find(({ name }) => name === RECORDS_MAP);
      const counter = maps.find(({ name }) => name === COUNTER_MAP);
      if (!records || !counter) return "it holds no map of that name";
      if (records.keySize !== KEY_BYTES || records.valueSize !== VALUE_BYTES) {
        return `its entries have ${records.keySize} and ${records.valueSize} bytes, ` +
          `not ${KEY_BYTES} and ${VALUE_BYTES}`;
      }
      // Looked for without taking: records that are there already are for the first drain.
      const comm = readCommOf(pid);
      let fits = false;
      records.read(false, ({ keys, values, count }) => {
        for (let at = 0; at < count; at++) {
          if (isSentinelKey(keys, at * KEY_BYTES)) {
            fits = sentinelFits(values, at * VALUE_BYTES, comm);
          }
        }
      });
      if (!fits) return "its sentinel is laid out in another way";
      const others = maps.filter((map) => map !== records && map !== counter);
      opened.move();
      for (const map of others) map[Symbol.dispose]();
      return new KernelMaps(records, counter, decoding);
    } catch (error) {
      return messageOf(error);
    }
  }

  /** Takes every record that is there now. */
  drain(onRecord: (record: KernelRecord) => void): void {
    const written = this.#counter.sumOfZeroKey();
    // Walking an empty map takes 60 µs, looking at the counter 5.
    if (written === this.#written) return;
    this.#written = written;
    this.#take(onRecord);
    this.#lost = Math.max(this.#lost, written - this.#drained);
  }

  /** How many records there was no room for, at least: as many as the last drains lacked. */
  get lost(): number {
    return this.#lost;
  }

  /** Takes every record that is left. @returns How many of all there was no room for. */
  finish(onRecord: (record: KernelRecord) => void): number {
    // What is written between the two drains is in the second, what comes after it in neither.
    this.#take(onRecord);
    const written = this.#counter.sumOfZeroKey();
    this.#take(onRecord);
    return Math.max(0, written - this.#drained);
  }

  #take(onRecord: (record: KernelRecord) => void): void {
    const { placeBoottime } = this.#decoding;
    this.#records.read(true, ({ keys, values, count }) => {
      const timesNs = new Float64Array(count);
      for (let at = 0; at < count; at++) {
        timesNs[at] = readEndTime(keys, at * KEY_BYTES, placeBoottime);
      }
      // A hash map has no order; a listener must be known before what it accepted. Each is read when it
      // is its turn, so that those of one time stand beside each other in memory.
      for (const at of orderByTime(timesNs)) {
        if (isSentinelKey(keys, at * KEY_BYTES)) continue;
        this.#drained++;
        const record = readKernelRecord(
          keys,
          at * KEY_BYTES,
          values,
          at * VALUE_BYTES,
          this.#decoding,
        );
        if (record) onRecord(record);
      }
    });
  }

  /** Closes them. */
  [Symbol.dispose](): void {
    this.#records[Symbol.dispose]();
    this.#counter[Symbol.dispose]();
  }
}

/**
 * Opens the counter of the records that a bpftrace wrote.
 *
 * @param held The maps that it holds.
 * @returns Undefined where it has none that can be read.
 */
export function openCounter(held: readonly HeldMap[]): BpfMap | undefined {
  try {
    for (const { id } of held) {
      const map = BpfMap.open(id);
      if (map.name === COUNTER_MAP && map.valueSize === 8) return map;
      map[Symbol.dispose]();
    }
  } catch {
    // Then nobody knows how many there are.
  }
  return undefined;
}

/** The name of a process's first thread (proc(5), comm): what its own probes see as comm. */
function readCommOf(pid: number): string {
  const bytes = Deno.readFileSync(`/proc/${pid}/comm`);
  return new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes.subarray(0, -1));
}
