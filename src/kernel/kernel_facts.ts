import { describeLack } from "./capabilities.ts";
import {
  chooseProbes,
  type Mechanism,
  MECHANISM_LACKS,
  MECHANISM_WORDS,
  MECHANISMS,
  type ProbeChoice,
  whyNotFragment,
  whyNotMechanism,
} from "./choose_probes.ts";
import type { ProbeFacts } from "./probe_facts.ts";
import { isRelease } from "./release.ts";

/** What a machine offers for tracing, as far as it could be found out. */
export interface KernelFacts extends ProbeFacts {
  /** Which packet filter a capture gets; a sentence where it gets none. */
  capture: { filter: "ebpf" | "classic"; why?: string } | { error: string };
  /** Whether BPF maps of other processes can be opened; a sentence where not. */
  foreignMaps: { open: true } | { error: string };
  /** How many network namespaces there are beside the own one; a sentence where they cannot be entered. */
  otherNamespaces: { count: number } | { error: string };
}

/** One finding of `doctor`. */
export interface Finding {
  /**
   * `ok`; `older`: only a newer kernel gives it; `worse`: tracing goes on with less; `missing`: that
   * source gives nothing.
   */
  verdict: "ok" | "older" | "worse" | "missing";
  /** What it is about, in a word or two. */
  subject: string;
  /** What is there. */
  state: string;
  /** What to do, where something can be done. */
  advice?: string;
}

/**
 * Whether a kernel counts the runs of a tracepoint's or kprobe's program that it skipped because
 * another such program was running on the same CPU (trace_call_bpf, from 6.7).
 *
 * @param release What `uname -r` says.
 */
export function countsSkippedRuns(release: string): boolean {
  return isRelease(release, 6, 7);
}

/** Judges the facts: one finding for each thing a trace needs, the most basic first. */
export function judgeFacts(facts: KernelFacts): Finding[] {
  return [
    ...judgeBasics(facts),
    ...judgeProbes(facts),
    judgeMaps(facts),
    judgeNamespaces(facts),
  ];
}

/** Measured, with 0.17.0 to 0.27.1: `bpf/README.md`, "Memory". */
const BPFTRACE_MEMORY = "100 to 160 MB";

function judgeBasics(facts: KernelFacts): Finding[] {
  const { bpftrace, capture } = facts;
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
    judgeRights(facts),
    captured,
    bpftrace
      ? {
        verdict: "ok",
        subject: "bpftrace",
        state:
          `${bpftrace.version} at ${bpftrace.path}; beside a trace it takes ${BPFTRACE_MEMORY}`,
      }
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
    facts.lockdown === "confidentiality"
      ? {
        verdict: "missing",
        subject: "lockdown",
        state: "confidentiality: no program may read the kernel's memory",
        advice: "boot with lockdown=integrity or without it",
      }
      : { verdict: "ok", subject: "lockdown", state: facts.lockdown ?? "not known" },
  ];
}

function judgeRights({ root, lackedCapabilities: lacked }: KernelFacts): Finding {
  const subject = "rights";
  if (root && lacked.length === 0) return { verdict: "ok", subject, state: "root" };
  const without = lacked.length > 0 ? ` without ${lacked.map(describeLack).join(", ")}` : "";
  return root
    ? {
      verdict: "worse",
      subject,
      state: `root${without}`,
      advice: "give it the capabilities that it lacks",
    }
    : { verdict: "missing", subject, state: `not root${without}`, advice: "run as root" };
}

function judgeProbes(facts: ProbeFacts): Finding[] {
  const { setStateTracepoint } = facts;
  return [
    {
      verdict: setStateTracepoint ? "ok" : "missing",
      subject: "tracepoint",
      state: "sock:inet_sock_set_state " +
        (setStateTracepoint === undefined ? "unknown" : setStateTracepoint ? "exists" : "absent"),
    },
    judgeMechanism(facts, "fentry"),
    judgeMechanism(facts, "kprobe"),
    judgeFragment(facts, "drop", "skb:kfree_skb tells why the kernel drops a SYN"),
    judgeFragment(facts, "reset", "tcp:tcp_send_reset tells why the kernel answers with a RST"),
  ];
}

function judgeMechanism(facts: ProbeFacts, mechanism: "fentry" | "kprobe"): Finding {
  const subject = mechanism === "fentry" ? "fentry" : "kprobes";
  const reason = whyNotMechanism(facts, mechanism);
  if (reason === undefined) {
    return { verdict: "ok", subject, state: "nothing known against them" };
  }
  const other = mechanism === "fentry" ? "kprobe" : "fentry";
  if (whyNotMechanism(facts, other) === undefined) {
    // Either of them tells all.
    return { verdict: "ok", subject, state: `not used: ${reason}` };
  }
  const advice = adviceFor(facts, mechanism);
  return {
    verdict: "worse",
    subject,
    state: reason,
    ...(advice === undefined ? {} : { advice }),
  };
}

function adviceFor(facts: ProbeFacts, mechanism: Mechanism): string | undefined {
  if (facts.functionTracing === "off") return "run sysctl kernel.ftrace_enabled=1 as root";
  if (mechanism === "kprobe" && !facts.kprobes) return "use a kernel built with CONFIG_KPROBES";
  return undefined;
}

function judgeFragment(facts: ProbeFacts, fragment: "drop" | "reset", told: string): Finding {
  const subject = `${fragment}s`;
  const reason = whyNotFragment(facts, fragment);
  return reason === undefined
    ? { verdict: "ok", subject, state: told }
    : { verdict: facts.tracefs === "absent" ? "missing" : "older", subject, state: reason };
}

function judgeMaps({ foreignMaps }: KernelFacts): Finding {
  return "open" in foreignMaps
    ? { verdict: "ok", subject: "bpf maps", state: "read from bpftrace by bpf(2)" }
    : {
      verdict: "worse",
      subject: "bpf maps",
      state: `printed lines instead, which cost more: ${foreignMaps.error}`,
    };
}

function judgeNamespaces({ otherNamespaces }: KernelFacts): Finding {
  const subject = "netns";
  if ("error" in otherNamespaces) {
    return {
      verdict: "worse",
      subject,
      state: `packets of other network namespaces cannot be captured: ${otherNamespaces.error}`,
    };
  }
  const { count } = otherNamespaces;
  const state = count === 0
    ? "there is no other network namespace"
    : `--netns can capture in ${count} other network ${
      count === 1 ? "namespace" : "namespaces"
    } too`;
  return { verdict: "ok", subject, state };
}

/** Whether a trace works on a machine with all that its kernel can tell, with less, or not at all. */
export type Outlook = "works" | "works_with_less" | "does_not_work";

/** Draws the conclusion from the facts. Without packets nothing works, without anything else less does. */
export function judgeOutlook(facts: KernelFacts): Outlook {
  if ("error" in facts.capture) return "does_not_work";
  const isWhole = judgeFacts(facts).every(({ verdict }) => verdict === "ok" || verdict === "older");
  return isWhole ? "works" : "works_with_less";
}

/** What a trace on this machine will use, in one sentence. */
export function describePlan(facts: KernelFacts): string {
  if ("error" in facts.capture) return "a trace cannot start: it captures packets first of all";
  const choice = chooseProbes(facts, "auto");
  if (choice.impossible !== undefined) {
    return "a trace uses packets alone: no processes, no kernel times";
  }
  return `a trace uses packets and kernel events through ${describeOrder(choice)}`;
}

function describeOrder({ mechanisms, fragments }: ProbeChoice): string {
  const order = mechanisms.map((mechanism) => MECHANISM_WORDS[mechanism]).join(", else ");
  const reasons = fragments.map((fragment) => `${fragment}s`).join(" and ");
  const lacks = mechanisms[0] === MECHANISMS.at(-1) ? `: ${MECHANISM_LACKS.tracepoint}` : "";
  return `${order}${reasons === "" ? "" : `, with the reasons of ${reasons}`}${lacks}`;
}
