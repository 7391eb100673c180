/** What /proc says of a BPF map that a process holds. */
export interface HeldMap {
  id: number;
  /** Whether it is a hash, as bpftrace's maps with keys are: one for all CPUs, or one a CPU. */
  isHash: boolean;
  maxEntries: number;
}

/** What /proc says of the BPF objects that a process holds. */
export interface HeldBpf {
  /** Its maps. */
  maps: HeldMap[];
  /** Runs of its programs that the kernel skipped because one was under way on the same CPU. */
  recursionMisses: number;
}

// enum bpf_map_type, include/uapi/linux/bpf.h: BPF_MAP_TYPE_HASH and BPF_MAP_TYPE_PERCPU_HASH.
const HASH_TYPES = [1, 5];

/**
 * Reads what a process holds.
 *
 * @param descriptions Of each of its descriptors what /proc/PID/fdinfo says (proc(5)). Two may be of
 *   one program, as bpftrace 0.27 holds them: that counts once.
 */
export function readHeldBpf(descriptions: Iterable<string>): HeldBpf {
  const maps: HeldMap[] = [];
  const misses = new Map<number, number>();
  for (const text of descriptions) {
    const number = (name: string) => {
      const found = new RegExp(`^${name}:\\s*(\\d+)$`, "m").exec(text);
      return found ? Number(found[1]) : undefined;
    };
    const map = number("map_id");
    if (map !== undefined) {
      const isHash = HASH_TYPES.includes(number("map_type")!);
      maps.push({ id: map, isHash, maxEntries: number("max_entries")! });
    }
    // A link names its program, too, and not what that missed.
    const missed = number("recursion_misses");
    if (missed !== undefined) misses.set(number("prog_id")!, missed);
  }
  return { maps, recursionMisses: misses.values().reduce((sum, each) => sum + each, 0) };
}
