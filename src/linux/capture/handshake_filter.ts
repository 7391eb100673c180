/**
 * Loads bpf/handshake_filter.c, compiled into bpf/handshake_filter.json, with bpf(2) and reads its
 * counters.
 *
 * @module
 */
import compiled from "../../../bpf/handshake_filter.json" with { type: "json" };
import { verifierCause } from "../../kernel/verifier_cause.ts";
import {
  bpf,
  checkResult,
  cString,
  lastErrno,
  libc,
  memory,
  Pins,
  SystemCallError,
} from "../libc.ts";
import { PerCpuCounters } from "../per_cpu_counters.ts";

/** One map of a compiled filter (`struct map_definition` in bpf/handshake_filter.c). */
export interface MapDefinition {
  /** The variable's name in C. */
  name: string;
  /** `enum bpf_map_type`. */
  type: number;
  /** Bytes of a key. */
  keySize: number;
  /** Bytes of a value. */
  valueSize: number;
  /** The most entries the map holds. */
  maxEntries: number;
}

/** The content of bpf/handshake_filter.json, written by bpf/build_filter.ts. */
export interface CompiledFilter {
  /** Name and version of the compiler, for example `clang 14.0.6`. */
  compiler: string;
  /** The licence the program declares to the kernel. */
  license: string;
  /** The maps to create before loading. */
  maps: MapDefinition[];
  /** Which instruction (by index) loads the address of which map (by name). */
  relocations: [instruction: number, map: string][];
  /** Which instruction (by index) loads which number of 64 bits (by name) that the loader chooses. */
  constants: [instruction: number, constant: string][];
  /** The program, 8 bytes an instruction (`struct bpf_insn`), in base64. */
  instructions: string;
}

/** What the filter counts, in the order of `enum counter` in bpf/handshake_filter.c. */
const COUNTERS = [
  "syn",
  "syn_ack",
  "completing_ack",
  "unfit_ack",
  "other_ack",
  "rst",
  "given_up",
  "icmp",
  "fragment",
] as const satisfies readonly (keyof FilterCounters)[];

const COUNTER_KEY_BYTES = 4;

/** Packets by what the filter took them for, and what became of its table of half-open flows. */
export interface FilterCounters {
  /** SYNs, passed. */
  syn: number;
  /** SYN-ACKs, passed. */
  syn_ack: number;
  /** Segments passed with exactly the numbers of a handshake's third packet. */
  completing_ack: number;
  /** Segments passed that answer a half-open flow with other numbers. */
  unfit_ack: number;
  /** Segments with the ACK flag of no half-open flow: not passed. */
  other_ack: number;
  /** RSTs, passed. */
  rst: number;
  /** Half-open flows that newer ones took the place of: a later ACK of theirs is not passed. */
  given_up: number;
  /** ICMP errors about TCP segments, passed. */
  icmp: number;
  /** Fragments that may hold a part of a TCP header, passed. */
  fragment: number;
}

// enum bpf_cmd, enum bpf_prog_type, and the pseudo source register of a map address (linux/bpf.h).
const BPF_MAP_CREATE = 0;
const BPF_PROG_LOAD = 5;
const BPF_PROG_TYPE_SOCKET_FILTER = 1;
const BPF_PSEUDO_MAP_FD = 1;

// union bpf_attr for BPF_MAP_CREATE: offsets of the members set.
const MAP_CREATE_SIZE = 72;
const MAP_TYPE = 0;
const MAP_KEY_SIZE = 4;
const MAP_VALUE_SIZE = 8;
const MAP_MAX_ENTRIES = 12;
const MAP_NAME = 28;

// union bpf_attr for BPF_PROG_LOAD.
const PROG_LOAD_SIZE = 120;
const PROG_TYPE = 0;
const PROG_INSN_CNT = 4;
const PROG_INSNS = 8;
const PROG_LICENSE = 16;
const PROG_LOG_LEVEL = 24;
const PROG_LOG_SIZE = 28;
const PROG_LOG_BUF = 32;
const PROG_NAME = 48;

/** BPF_OBJ_NAME_LEN without the terminating zero. */
const OBJECT_NAME_LENGTH = 15;
const INSTRUCTION_BYTES = 8;
/** `struct bpf_insn`: `dst_reg` and `src_reg` share byte 1, `imm` is the last word. */
const INSN_REGISTERS = 1;
const INSN_IMM = 4;

const VERIFIER_LOG_BYTES = 1 << 20;

const RLIMIT_MEMLOCK = 8;

/** Half-open flows of a set (`WAYS` in bpf/handshake_filter.c). */
const WAYS = 8;

/** The eBPF handshake filter, loaded. Holds file descriptors: dispose of it. */
export class HandshakeFilter implements Disposable {
  /** The program's file descriptor, for SO_ATTACH_BPF. */
  readonly programFd: number;
  readonly #maps: Map<string, number>;
  readonly #counters: PerCpuCounters;
  #last: FilterCounters | undefined;
  #open = true;

  private constructor(programFd: number, maps: Map<string, number>) {
    this.programFd = programFd;
    this.#maps = maps;
    this.#counters = new PerCpuCounters(maps.get("counters")!, COUNTER_KEY_BYTES);
  }

  /**
   * Creates the maps and loads the program, in about 10 ms.
   *
   * @param halfOpenEntries the most half-open flows remembered, in sets of eight; 29 bytes of kernel
   * memory each.
   * @throws {SystemCallError} when the kernel refuses a map or the program; why the verifier does is in
   * the message.
   */
  static load(halfOpenEntries: number): HandshakeFilter {
    const filter = compiled as unknown as CompiledFilter;
    const maps = new Map<string, number>();
    const sets = Math.ceil(halfOpenEntries / WAYS);
    const constants = new Map<string, bigint>();
    for (const [, name] of filter.constants) constants.set(name, secret());
    constants.set("half_open_sets", BigInt(sets));
    try {
      raiseLockedMemoryLimit();
      for (const definition of filter.maps) {
        maps.set(
          definition.name,
          createMap(
            definition.name === "half_open" ? { ...definition, maxEntries: sets } : definition,
          ),
        );
      }
      return new HandshakeFilter(loadProgram(filter, maps, constants), maps);
    } catch (error) {
      for (const fd of maps.values()) libc().close(fd);
      throw error;
    }
  }

  /**
   * The counters since loading; after {@linkcode close} those at closing.
   *
   * @throws {SystemCallError} when the kernel refuses the map.
   */
  counters(): FilterCounters {
    if (!this.#open && this.#last !== undefined) return this.#last;
    const counts = COUNTERS.map((name, index) => [name, this.#counters.sum(index)]);
    return this.#last = Object.fromEntries(counts);
  }

  /** One of the {@linkcode counters}, for a twelfth of what they take. */
  counter(name: keyof FilterCounters): number {
    if (!this.#open && this.#last !== undefined) return this.#last[name];
    return this.#counters.sum(COUNTERS.indexOf(name));
  }

  /** Closes the descriptors; a socket the program is attached to keeps using it. Idempotent. */
  close(): void {
    if (!this.#open) return;
    try {
      this.counters();
    } finally {
      this.#open = false;
      libc().close(this.programFd);
      for (const fd of this.#maps.values()) libc().close(fd);
      this.#counters[Symbol.dispose]();
    }
  }

  /** Calls {@linkcode close}. */
  [Symbol.dispose](): void {
    this.close();
  }
}

/**
 * Before Linux 5.11 maps count as locked memory, whose usual limit is too low even for root. Where
 * raising it fails, creating the map says so.
 */
function raiseLockedMemoryLimit(): void {
  const unlimited = memory(16).fill(0xff);
  libc().setrlimit(RLIMIT_MEMLOCK, unlimited);
}

function createMap(definition: MapDefinition): number {
  const attr = memory(MAP_CREATE_SIZE);
  const view = new DataView(attr.buffer);
  view.setUint32(MAP_TYPE, definition.type, true);
  view.setUint32(MAP_KEY_SIZE, definition.keySize, true);
  view.setUint32(MAP_VALUE_SIZE, definition.valueSize, true);
  view.setUint32(MAP_MAX_ENTRIES, definition.maxEntries, true);
  attr.set(cString(definition.name.slice(0, OBJECT_NAME_LENGTH)), MAP_NAME);
  return checkResult(bpf(BPF_MAP_CREATE, attr), `bpf(BPF_MAP_CREATE, ${definition.name})`);
}

/** A key of the hash by which the program finds a flow: who knew it could choose flows that meet. */
function secret(): bigint {
  return crypto.getRandomValues(new BigUint64Array(1))[0];
}

function loadProgram(
  filter: CompiledFilter,
  maps: ReadonlyMap<string, number>,
  constants: ReadonlyMap<string, bigint>,
): number {
  const text = Uint8Array.fromBase64(filter.instructions);
  const instructions = memory(text.length);
  instructions.set(text);
  const instructionView = new DataView(instructions.buffer);
  for (const [index, name] of filter.relocations) {
    const at = index * INSTRUCTION_BYTES;
    instructions[at + INSN_REGISTERS] |= BPF_PSEUDO_MAP_FD << 4;
    instructionView.setInt32(at + INSN_IMM, maps.get(name)!, true);
  }
  for (const [index, name] of filter.constants) {
    // 64 bits take two instructions, the lower half first.
    const at = index * INSTRUCTION_BYTES + INSN_IMM;
    instructionView.setUint32(at, Number(constants.get(name)! & 0xffffffffn), true);
    instructionView.setUint32(at + INSTRUCTION_BYTES, Number(constants.get(name)! >> 32n), true);
  }

  using pins = new Pins();
  const attr = memory(PROG_LOAD_SIZE);
  const view = new DataView(attr.buffer);
  view.setUint32(PROG_TYPE, BPF_PROG_TYPE_SOCKET_FILTER, true);
  view.setUint32(PROG_INSN_CNT, instructions.length / INSTRUCTION_BYTES, true);
  view.setBigUint64(PROG_INSNS, pins.address(instructions), true);
  view.setBigUint64(PROG_LICENSE, pins.address(cString(filter.license)), true);
  attr.set(cString("synsnoop"), PROG_NAME);
  const fd = bpf(BPF_PROG_LOAD, attr);
  if (fd >= 0) return fd;

  // Once more for the log, which is written only on demand.
  const errno = lastErrno();
  const log = memory(VERIFIER_LOG_BYTES);
  view.setUint32(PROG_LOG_LEVEL, 1, true);
  view.setUint32(PROG_LOG_SIZE, log.length, true);
  view.setBigUint64(PROG_LOG_BUF, pins.address(log), true);
  const second = bpf(BPF_PROG_LOAD, attr);
  if (second >= 0) return second;
  const logged = new TextDecoder().decode(log.subarray(0, log.indexOf(0)));
  throw new SystemCallError("bpf(BPF_PROG_LOAD)", errno, verifierCause(logged));
}
