/** A capability (capabilities(7)) that a trace uses. */
interface Use {
  name: string;
  /** Its number in linux/capability.h. */
  bit: bigint;
  /** What a trace does without it. */
  without: string;
}

const SYS_ADMIN: Use = {
  name: "CAP_SYS_ADMIN",
  bit: 21n,
  without: "no --netns, and kernel events as printed lines",
};
/** Of these SYS_ADMIN is a superset (bpf_capable() and perfmon_capable() in linux/capability.h). */
const UNDER_SYS_ADMIN: readonly Use[] = [
  { name: "CAP_BPF", bit: 39n, without: "the classic packet filter, and no kernel events" },
  { name: "CAP_PERFMON", bit: 38n, without: "the classic packet filter, and no kernel events" },
];
const OTHERS: readonly Use[] = [
  { name: "CAP_NET_RAW", bit: 13n, without: "no packets" },
  {
    name: "CAP_SYS_PTRACE",
    bit: 19n,
    without: "no process for servers that listened before the trace",
  },
  { name: "CAP_DAC_READ_SEARCH", bit: 2n, without: "paths of cgroups only where they last" },
];

/**
 * Finds what a process may not do of what a trace does.
 *
 * @param status The text of its /proc/PID/status.
 * @returns The names of the capabilities that it lacks; none where the text does not tell.
 */
export function lackedCapabilities(status: string): string[] {
  const hex = /^CapEff:\s*([0-9a-f]{1,16})$/m.exec(status)?.[1];
  if (hex === undefined) return [];
  const effective = BigInt(`0x${hex}`);
  const has = ({ bit }: Use) => (effective >> bit & 1n) === 1n;
  const used = has(SYS_ADMIN) ? OTHERS : [...OTHERS, ...UNDER_SYS_ADMIN, SYS_ADMIN];
  return used.filter((use) => !has(use)).map(({ name }) => name);
}

/** A capability and what a trace does without it, for a sentence. */
export function describeLack(capability: string): string {
  const use = [...OTHERS, ...UNDER_SYS_ADMIN, SYS_ADMIN].find(({ name }) => name === capability);
  return use === undefined ? capability : `${capability} (${use.without})`;
}
