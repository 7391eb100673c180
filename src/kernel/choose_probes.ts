import type { ProbeFacts } from "./probe_facts.ts";
import { isRelease } from "./release.ts";

/** The ways to hook the kernel, the one that tells most for the least first. */
export const MECHANISMS = ["fentry", "kprobe", "tracepoint"] as const;

/** A way to hook the kernel: what `probeScript` makes of `bpf/handshake.bt`. */
export type Mechanism = typeof MECHANISMS[number];

/** What can be joined to any of them: the `X` of `bpf/X.bt`. */
export type Fragment = "drop" | "reset";

/** How sentences call the mechanisms. */
export const MECHANISM_WORDS: Readonly<Record<Mechanism, string>> = {
  fentry: "fentry probes",
  kprobe: "kprobes",
  tracepoint: "the tracepoint",
};

/** What a mechanism does not tell that the one before it does; "" where it tells the same. */
export const MECHANISM_LACKS: Readonly<Record<Mechanism, string>> = {
  fentry: "",
  kprobe: "",
  tracepoint: "no times of a SYN's departure and arrival, no accept(), no SYN cookies, " +
    "no refusals by the listener",
};

/** The functions that the scripts with function probes hook. */
export const FUNCTIONS: readonly string[] = [
  "tcp_connect",
  "tcp_conn_request",
  "tcp_make_synack",
  "inet_csk_accept",
  "inet_csk_listen_start",
  "tcp_set_state",
];

/** Where struct sock_common has its addresses, as `struct sock_addresses` of `bpf/handshake.bt` says. */
export const SOCK_ADDRESSES = { skc_v6_daddr: 56, skc_v6_rcv_saddr: 72 } as const;

/** What to run, and why not the rest. */
export interface ProbeChoice {
  /** What to try, in this order; nothing where no kernel events can be had. */
  mechanisms: readonly Mechanism[];
  /** Why there can be no kernel events at all, where that is so. */
  impossible: string | undefined;
  /** What is not tried, and why. */
  rejected: readonly { mechanism: Mechanism; reason: string }[];
  /** What speaks against what is tried all the same. */
  doubts: readonly string[];
  /** What is joined to each mechanism's script. */
  fragments: readonly Fragment[];
  /** What cannot be joined, and why. */
  missing: readonly { fragment: Fragment; reason: string }[];
}

/** The oldest bpftrace that the scripts with function probes run on: major, minor. */
const OLDEST_BPFTRACE = [0, 17] as const;

/**
 * Chooses from what is known of a machine. Only the attempt to attach proves anything: what is not
 * known to fail is tried.
 *
 * @param facts What the machine offers.
 * @param asked `auto`, or the one mechanism that is wanted: that is then tried, and nothing else, even
 *   where the facts speak against it.
 */
export function chooseProbes(facts: ProbeFacts, asked: Mechanism | "auto"): ProbeChoice {
  const missing: { fragment: Fragment; reason: string }[] = [];
  const fragments = (["drop", "reset"] as const).filter((fragment) => {
    const reason = whyNotFragment(facts, fragment);
    if (reason !== undefined) missing.push({ fragment, reason });
    return reason === undefined;
  });
  const impossible = whyImpossible(facts);
  const rejected: { mechanism: Mechanism; reason: string }[] = [];
  const doubts: string[] = [];
  if (impossible !== undefined) {
    return { mechanisms: [], impossible, rejected, doubts, fragments, missing };
  }
  const version = parseVersion(facts.bpftrace!.version);
  if (version === undefined) doubts.push("the version of bpftrace is not known");
  else if (isOlder(version)) doubts.push(oldWords(version));
  const mechanisms = MECHANISMS.filter((mechanism) => {
    if (asked !== "auto" && asked !== mechanism) return false;
    const reason = whyNotMechanism(facts, mechanism);
    if (reason === undefined) return true;
    if (asked === "auto") rejected.push({ mechanism, reason });
    else if (!doubts.includes(reason)) doubts.push(reason);
    return asked !== "auto";
  });
  return { mechanisms, impossible, rejected, doubts, fragments, missing };
}

/** Why no script at all can run, undefined where one can. */
function whyImpossible(facts: ProbeFacts): string | undefined {
  if (!facts.root) return "only root may have them";
  const lacked = ["CAP_BPF", "CAP_PERFMON"].filter((name) =>
    facts.lackedCapabilities.includes(name)
  );
  if (lacked.length > 0) return `they take ${lacked.join(" and ")}, or CAP_SYS_ADMIN`;
  if (!facts.bpftrace) return "bpftrace is not installed";
  if (facts.lockdown === "confidentiality") {
    return "the kernel is locked down (confidentiality): no program may read its memory";
  }
  if (!facts.btf) return "the kernel does not describe its structures (no /sys/kernel/btf/vmlinux)";
  if (facts.tracefs === "absent") {
    return "tracefs is not mounted and cannot be: mounting takes CAP_SYS_ADMIN";
  }
  if (!facts.setStateTracepoint) {
    return "the kernel has no tracepoint sock:inet_sock_set_state (4.16 and later do)";
  }
  return undefined;
}

/**
 * Why a mechanism is not worth the try, undefined where it is. Looks only at what it needs beyond
 * what every script needs.
 */
export function whyNotMechanism(facts: ProbeFacts, mechanism: Mechanism): string | undefined {
  if (mechanism === "tracepoint") return undefined;
  const { functions } = facts;
  const absent = functions && FUNCTIONS.find((name) => !functions.includes(name));
  if (absent !== undefined) return `the kernel has no function ${absent}`;
  if (facts.sockAddressesFit === false) {
    return "the kernel has a socket's addresses elsewhere than the script reads them";
  }
  if (mechanism === "kprobe" && !facts.kprobes) {
    return "the kernel is built without them (CONFIG_KPROBES)";
  }
  // Without it a kprobe is put by a breakpoint; an fentry probe has no other place.
  if (mechanism === "fentry" && facts.functionTracing === "absent") {
    return "the kernel is built without function tracing (CONFIG_DYNAMIC_FTRACE)";
  }
  if (mechanism === "fentry" && facts.functionTracing === "refused") {
    return "the kernel refuses to list its traceable functions, which bpftrace reads for them";
  }
  if (
    mechanism === "fentry" && facts.architecture === "aarch64" && !isRelease(facts.release, 6, 4)
  ) {
    return "on arm64 the kernel has no place for them before 6.4";
  }
  if (facts.functionTracing === "off") {
    return "function tracing is off (sysctl kernel.ftrace_enabled): they would attach, silently";
  }
  const version = facts.bpftrace && parseVersion(facts.bpftrace.version);
  return version && isOlder(version) ? oldWords(version) : undefined;
}

/** Why a fragment cannot be joined, and so what is not told; undefined where it can be. */
export function whyNotFragment(facts: ProbeFacts, fragment: Fragment): string | undefined {
  const offer = fragment === "drop" ? facts.dropTracepoint : facts.resetTracepoint;
  if (offer === "reason") return undefined;
  const [tracepoint, lost, since] = fragment === "drop"
    ? ["skb:kfree_skb", "why the kernel drops a SYN", "5.17"]
    : ["tcp:tcp_send_reset", "why the kernel answers with a RST", "6.10"];
  if (offer === undefined) return `not told ${lost}: tracefs cannot be read`;
  return offer === "absent"
    ? `not told ${lost}: the kernel has no tracepoint ${tracepoint}`
    : `not told ${lost}: ${tracepoint} gives no reason (Linux ${since} and later do)`;
}

/** @returns Major and minor, undefined where the text has none. */
function parseVersion(text: string): readonly [number, number] | undefined {
  const version = /\bv?(\d{1,4})\.(\d{1,4})/.exec(text);
  return version ? [Number(version[1]), Number(version[2])] : undefined;
}

function isOlder([major, minor]: readonly [number, number]): boolean {
  const [oldestMajor, oldestMinor] = OLDEST_BPFTRACE;
  return major < oldestMajor || major === oldestMajor && minor < oldestMinor;
}

function oldWords(version: readonly [number, number]): string {
  return `bpftrace ${version.join(".")} is older than ${OLDEST_BPFTRACE.join(".")}`;
}
