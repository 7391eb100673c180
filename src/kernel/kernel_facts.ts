/** What a machine offers for tracing, as far as it could be found out; gathered by `src/io`. */
export interface KernelFacts {
  /** What `uname -r` says. */
  release: string;
  /** The machine's architecture as Deno names it. */
  architecture: string;
  /** Whether the tool runs as root. */
  root: boolean;
  /** Whether /sys/kernel/btf/vmlinux is there: the scripts read kernel structures by it. */
  btf: boolean;
  /** Whether a tracefs is mounted where bpftrace looks, or a private mount of it succeeds. */
  tracefs: "mounted" | "private" | "absent";
  /** Whether sock:inet_sock_set_state exists; undefined where tracefs cannot be read. */
  setStateTracepoint: boolean | undefined;
  /** Path of bpftrace and what `bpftrace --version` says; undefined where it is not installed. */
  bpftrace: { path: string; version: string } | undefined;
  /** Which packet filter a capture gets; a sentence where it gets none. */
  capture: { filter: "ebpf" | "classic"; why?: string } | { error: string };
  /** Whether BPF maps of other processes can be opened; a sentence where not. */
  foreignMaps: true | string;
}

/** One finding of `doctor`. */
export interface Finding {
  /** `ok`; `worse`: tracing goes on with less; `missing`: that source gives nothing. */
  verdict: "ok" | "worse" | "missing";
  /** What it is about, in a word or two. */
  subject: string;
  /** What is there. */
  state: string;
  /** What to do, where something can be done. */
  advice?: string;
}

/** Judges the facts: one finding for each thing a trace needs, the most basic first. */
export function judgeFacts(facts: KernelFacts): Finding[] {
  const { bpftrace, capture, setStateTracepoint } = facts;
  const asRoot = facts.root ? {} : { advice: "run as root" };
  const captured: Finding = "error" in capture
    ? { verdict: "missing", subject: "packets", state: capture.error, ...asRoot }
    : capture.filter === "ebpf"
    ? { verdict: "ok", subject: "packets", state: "eBPF filter: four packets a handshake" }
    : {
      verdict: "worse",
      subject: "packets",
      state: `classic filter, which passes every empty ACK too: ${capture.why}`,
    };
  return [
    {
      verdict: facts.root ? "ok" : "missing",
      subject: "rights",
      state: facts.root ? "root" : "not root",
      ...asRoot,
    },
    captured,
    bpftrace
      ? { verdict: "ok", subject: "bpftrace", state: `${bpftrace.version} at ${bpftrace.path}` }
      : {
        verdict: "missing",
        subject: "bpftrace",
        state: "not installed",
        advice: "run deno task setup as root, or install the package bpftrace",
      },
    facts.btf ? { verdict: "ok", subject: "BTF", state: "the kernel describes its structures" } : {
      verdict: "missing",
      subject: "BTF",
      state: "no /sys/kernel/btf/vmlinux",
      advice: "use a kernel built with CONFIG_DEBUG_INFO_BTF",
    },
    {
      verdict: facts.tracefs === "absent" ? "missing" : "ok",
      subject: "tracefs",
      state: {
        mounted: "mounted",
        private: "not mounted; bpftrace gets a private mount",
        absent: "not mounted and cannot be",
      }[facts.tracefs],
      ...(facts.tracefs === "absent"
        ? { advice: "run mount -t tracefs tracefs /sys/kernel/tracing as root" }
        : {}),
    },
    {
      verdict: setStateTracepoint ? "ok" : "missing",
      subject: "tracepoint",
      state: "sock:inet_sock_set_state " +
        (setStateTracepoint === undefined ? "unknown" : setStateTracepoint ? "exists" : "absent"),
    },
    facts.foreignMaps === true
      ? { verdict: "ok", subject: "bpf maps", state: "read from bpftrace by bpf(2)" }
      : {
        verdict: "worse",
        subject: "bpf maps",
        state: `printed lines instead, which cost more: ${facts.foreignMaps}`,
      },
  ];
}

/** What a trace on this machine will use, in one sentence. */
export function describePlan(findings: readonly Finding[]): string {
  const lacks = (subjects: string[]) =>
    findings.some(({ verdict, subject }) => verdict === "missing" && subjects.includes(subject));
  if (lacks(["packets"])) return "a trace cannot start: it captures packets first of all";
  return lacks(["rights", "bpftrace", "BTF", "tracefs", "tracepoint"])
    ? "a trace uses packets alone: no processes, no kernel times"
    : "a trace uses packets and the kernel's tracepoint";
}
