/**
 * Reads the maps of a bpftrace process from outside with bpf(2), and what the kernel knows of its
 * programs.
 *
 * @module
 */
import { type HeldBpf, readHeldBpf } from "../../kernel/held_bpf.ts";
import { PerCpuCounters } from "../per_cpu_counters.ts";
import { bpf, checkResult, lastErrno, libc, memory, Pins, SystemCallError } from "../libc.ts";

// enum bpf_cmd, linux/bpf.h.
const BPF_MAP_GET_FD_BY_ID = 14;
const BPF_OBJ_GET_INFO_BY_FD = 15;
const BPF_MAP_LOOKUP_BATCH = 24;
const BPF_MAP_LOOKUP_AND_DELETE_BATCH = 25;

// union bpf_attr, the members of these commands (byte offsets).
const GET_FD_ID = 0;
const INFO_FD = 0;
const INFO_LENGTH = 4;
const INFO_ADDRESS = 8;
const BATCH_IN = 0;
const BATCH_OUT = 8;
const BATCH_KEYS = 16;
const BATCH_VALUES = 24;
const BATCH_COUNT = 32;
const BATCH_MAP_FD = 36;
const ATTR_BYTES = 56;

// struct bpf_map_info.
const MAP_INFO_BYTES = 88;
const MAP_INFO_KEY_SIZE = 8;
const MAP_INFO_VALUE_SIZE = 12;
const MAP_INFO_MAX_ENTRIES = 16;
const MAP_INFO_NAME = 24;
const NAME_BYTES = 16;

const ENOENT = 2;
/** Entries asked for at once. */
const BATCH_ENTRIES = 4096;

/** Entries of a map: their keys and their values, one behind the other. */
export interface MapEntries {
  keys: DataView;
  values: DataView;
  count: number;
}

/** Where they are put. */
interface Room extends Omit<MapEntries, "count"> {
  keysAddress: bigint;
  valuesAddress: bigint;
}

/** A BPF map of another process, open for reading and deleting. */
export class BpfMap implements Disposable {
  /** The name the kernel keeps: bpftrace calls `@done` `AT_done`. */
  readonly name: string;
  /** Bytes of a key and of a value. */
  readonly keySize: number;
  readonly valueSize: number;
  readonly maxEntries: number;

  readonly #fd: number;
  readonly #pins = new Pins();
  readonly #attr = memory(ATTR_BYTES);
  readonly #attrView = new DataView(this.#attr.buffer);
  readonly #cursor = memory(8);
  readonly #nextCursor = memory(8);
  /** For its entries, once they are asked for: most maps are only opened to be named. */
  #room: Room | undefined;
  readonly #cursorAddress: bigint;
  #counters: PerCpuCounters | undefined;

  private constructor(fd: number) {
    this.#fd = fd;
    const info = memory(MAP_INFO_BYTES);
    const view = new DataView(info.buffer);
    {
      using pins = new Pins();
      this.#attrView.setUint32(INFO_FD, fd, true);
      this.#attrView.setUint32(INFO_LENGTH, MAP_INFO_BYTES, true);
      this.#attrView.setBigUint64(INFO_ADDRESS, pins.address(info), true);
      checkResult(bpf(BPF_OBJ_GET_INFO_BY_FD, this.#attr), "bpf(BPF_OBJ_GET_INFO_BY_FD)");
    }
    const name = info.subarray(MAP_INFO_NAME, MAP_INFO_NAME + NAME_BYTES);
    const end = name.indexOf(0);
    this.name = new TextDecoder().decode(end < 0 ? name : name.subarray(0, end));
    this.keySize = view.getUint32(MAP_INFO_KEY_SIZE, true);
    this.valueSize = view.getUint32(MAP_INFO_VALUE_SIZE, true);
    this.maxEntries = view.getUint32(MAP_INFO_MAX_ENTRIES, true);
    this.#cursorAddress = this.#pins.address(this.#cursor);
  }

  /** Of as many entries as fit in the map and one batch more: pages that are never filled take no memory. */
  #makeRoom(): Room {
    const entries = this.maxEntries + BATCH_ENTRIES;
    const keys = memory(this.keySize * entries);
    const values = memory(this.valueSize * entries);
    this.#attr.fill(0);
    this.#attrView.setBigUint64(BATCH_OUT, this.#pins.address(this.#nextCursor), true);
    this.#attrView.setUint32(BATCH_MAP_FD, this.#fd, true);
    return {
      keys: new DataView(keys.buffer),
      values: new DataView(values.buffer),
      keysAddress: this.#pins.address(keys),
      valuesAddress: this.#pins.address(values),
    };
  }

  /**
   * Opens a map by its id. The map then outlives the process that made it.
   *
   * @throws {SystemCallError} without CAP_SYS_ADMIN, or when there is no such map.
   */
  static open(id: number): BpfMap {
    const attr = memory(ATTR_BYTES);
    new DataView(attr.buffer).setUint32(GET_FD_ID, id, true);
    return new BpfMap(checkResult(bpf(BPF_MAP_GET_FD_BY_ID, attr), "bpf(BPF_MAP_GET_FD_BY_ID)"));
  }

  /**
   * Reads every entry, and with `take` removes it from the map: no entry is handed out twice, none that is
   * there when the call begins is left out.
   *
   * @param onEntries Gets all at once, or in parts where more came meanwhile than the map has room for.
   *   The next call overwrites them.
   * @throws {SystemCallError} when the kernel lacks batch operations (before 5.6).
   */
  read(take: boolean, onEntries: (entries: MapEntries) => void): void {
    const { keys, values, keysAddress, valuesAddress } = this.#room ??= this.#makeRoom();
    const attr = this.#attrView;
    const command = take ? BPF_MAP_LOOKUP_AND_DELETE_BATCH : BPF_MAP_LOOKUP_BATCH;
    attr.setBigUint64(BATCH_IN, 0n, true);
    let count = 0;
    for (;;) {
      attr.setBigUint64(BATCH_KEYS, keysAddress + BigInt(count * this.keySize), true);
      attr.setBigUint64(BATCH_VALUES, valuesAddress + BigInt(count * this.valueSize), true);
      attr.setUint32(BATCH_COUNT, BATCH_ENTRIES, true);
      const failed = bpf(command, this.#attr) < 0;
      // ENOENT says that the end was reached; the entries before it are there all the same.
      const errno = failed ? lastErrno() : 0;
      if (failed && errno !== ENOENT) throw new SystemCallError("bpf(BPF_MAP_LOOKUP_BATCH)", errno);
      count += attr.getUint32(BATCH_COUNT, true);
      if (failed || count > this.maxEntries) {
        onEntries({ keys, values, count });
        count = 0;
      }
      if (failed) return;
      this.#cursor.set(this.#nextCursor);
      attr.setBigUint64(BATCH_IN, this.#cursorAddress, true);
    }
  }

  /**
   * Adds up the counters that each CPU keeps under the key of all zeros (bpftrace's `count()`).
   *
   * @returns 0 where nothing was counted yet.
   */
  sumOfZeroKey(): number {
    return this.#perCpu().sum();
  }

  /**
   * The same counters, by CPU.
   *
   * @returns Empty where nothing was counted yet.
   */
  countsOfZeroKey(): number[] {
    return this.#perCpu().ofZeroKey();
  }

  #perCpu(): PerCpuCounters {
    return this.#counters ??= new PerCpuCounters(this.#fd, this.keySize);
  }

  /** Closes the map. */
  [Symbol.dispose](): void {
    libc().close(this.#fd);
    this.#pins[Symbol.dispose]();
    this.#counters?.[Symbol.dispose]();
  }
}

/**
 * Looks up the BPF maps and programs of a process in /proc/PID/fdinfo (proc(5)).
 *
 * @param pid The process.
 * @returns What it holds; nothing where the process is gone.
 */
export function heldBpf(pid: number): HeldBpf {
  const descriptions: string[] = [];
  try {
    for (const { name } of Deno.readDirSync(`/proc/${pid}/fdinfo`)) {
      try {
        descriptions.push(Deno.readTextFileSync(`/proc/${pid}/fdinfo/${name}`));
      } catch {
        // Closed since the folder was listed.
      }
    }
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
  return readHeldBpf(descriptions);
}
