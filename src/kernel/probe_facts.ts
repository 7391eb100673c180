/** Whether a tracepoint tells a reason; undefined where tracefs cannot be read. */
export type ReasonOffer = "reason" | "no reason" | "absent" | undefined;

/** What a machine offers for probes, as far as files tell; gathered by `src/io`. */
export interface ProbeFacts {
  /** What `uname -r` says. */
  release: string;
  /** The machine's architecture as Deno names it. */
  architecture: string;
  /** Whether the tool runs as root. */
  root: boolean;
  /** Names of the capabilities that it lacks of those that a trace uses. */
  lackedCapabilities: readonly string[];
  /** Whether /sys/kernel/btf/vmlinux is there: the scripts read kernel structures by it. */
  btf: boolean;
  /** Which of `FUNCTIONS` (choose_probes.ts) the kernel has, by its BTF; undefined where that cannot be read. */
  functions: readonly string[] | undefined;
  /** Whether `SOCK_ADDRESSES` (choose_probes.ts) holds, by its BTF; undefined where that cannot be read. */
  sockAddressesFit: boolean | undefined;
  /** Whether a tracefs is mounted where bpftrace looks, or a private mount of it succeeds. */
  tracefs: "mounted" | "private" | "absent";
  /** Whether sock:inet_sock_set_state exists; undefined where tracefs cannot be read. */
  setStateTracepoint: boolean | undefined;
  /** What skb:kfree_skb tells. */
  dropTracepoint: ReasonOffer;
  /** What tcp:tcp_send_reset tells. */
  resetTracepoint: ReasonOffer;
  /** Whether the kernel has kprobes: the event source of that name. */
  kprobes: boolean;
  /**
   * The kernel's function tracer, on which fentry probes rest: `off` by sysctl kernel.ftrace_enabled
   * (Linux 6.12: fentry probes and kprobes then attach and stay silent), `refused` where even root may
   * not read available_filter_functions, undefined where tracefs cannot be read.
   */
  functionTracing: "open" | "off" | "refused" | "absent" | undefined;
  /** The kernel's lockdown (kernel_lockdown(7)); undefined where securityfs cannot be read. */
  lockdown: "none" | "integrity" | "confidentiality" | undefined;
  /** Path of bpftrace and what `bpftrace --version` says; undefined where it is not installed. */
  bpftrace: { path: string; version: string } | undefined;
}
