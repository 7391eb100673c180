import { assertEquals, assertStringIncludes } from "@std/assert";
import fc from "fast-check";
import {
  chooseProbes,
  type Fragment,
  type Mechanism,
  MECHANISMS,
  type ProbeChoice,
} from "../../../src/kernel/choose_probes.ts";
import type { ProbeFacts } from "../../../src/kernel/probe_facts.ts";
import { DEBIAN_12, DEBIAN_13, LOCKED_DOWN } from "./recorded_facts.ts";

interface Case {
  name: string;
  facts: Partial<ProbeFacts>;
  /** What is tried, in this order. */
  mechanisms: Mechanism[];
  /** What is joined; both unless said. */
  fragments?: Fragment[];
  /** Words of each reason, in the order of what is rejected. */
  rejected?: [Mechanism, string][];
  missing?: [string, string][];
  impossible?: string;
  doubts?: string[];
}

const TRACEPOINT_ALONE: Mechanism[] = ["tracepoint"];

const AUTO: Case[] = [
  {
    name: "Debian 12",
    facts: DEBIAN_12,
    mechanisms: ["fentry", "kprobe", "tracepoint"],
    fragments: ["drop"],
    missing: [["reset", "tcp:tcp_send_reset gives no reason (Linux 6.10 and later do)"]],
  },
  { name: "Debian 13", facts: DEBIAN_13, mechanisms: ["fentry", "kprobe", "tracepoint"] },
  {
    name: "a kernel of 6.18, locked down",
    facts: LOCKED_DOWN,
    mechanisms: TRACEPOINT_ALONE,
    rejected: [
      ["fentry", "refuses to list its traceable functions"],
      ["kprobe", "built without them (CONFIG_KPROBES)"],
    ],
  },
  {
    name: "no kprobes",
    facts: { kprobes: false },
    mechanisms: ["fentry", "tracepoint"],
    rejected: [["kprobe", "CONFIG_KPROBES"]],
  },
  {
    name: "no function tracing",
    facts: { functionTracing: "absent" },
    mechanisms: ["kprobe", "tracepoint"],
    rejected: [["fentry", "CONFIG_DYNAMIC_FTRACE"]],
  },
  {
    name: "function tracing off",
    facts: { functionTracing: "off" },
    mechanisms: TRACEPOINT_ALONE,
    rejected: [["fentry", "kernel.ftrace_enabled"], ["kprobe", "kernel.ftrace_enabled"]],
  },
  {
    name: "a function that is not there",
    facts: { functions: ["tcp_connect", "tcp_conn_request", "inet_csk_accept"] },
    mechanisms: TRACEPOINT_ALONE,
    rejected: [
      ["fentry", "no function tcp_make_synack"],
      ["kprobe", "no function tcp_make_synack"],
    ],
  },
  {
    name: "addresses of a socket that stand elsewhere",
    facts: { sockAddressesFit: false },
    mechanisms: TRACEPOINT_ALONE,
    rejected: [
      ["fentry", "a socket's addresses elsewhere"],
      ["kprobe", "a socket's addresses elsewhere"],
    ],
  },
  {
    name: "a description in which nobody could look where they stand",
    facts: { sockAddressesFit: undefined },
    mechanisms: ["fentry", "kprobe", "tracepoint"],
  },
  {
    name: "an arm64 kernel that fentry probes cannot be attached to",
    facts: { architecture: "aarch64", release: "6.1.0-50-arm64" },
    mechanisms: ["kprobe", "tracepoint"],
    rejected: [["fentry", "before 6.4"]],
  },
  {
    name: "an arm64 kernel that they can be attached to",
    facts: { architecture: "aarch64", release: "6.12.117+deb13-arm64" },
    mechanisms: ["fentry", "kprobe", "tracepoint"],
  },
  {
    name: "functions that nobody could look up",
    facts: { functions: undefined },
    mechanisms: ["fentry", "kprobe", "tracepoint"],
  },
  {
    name: "lockdown for integrity",
    facts: { lockdown: "integrity" },
    mechanisms: ["fentry", "kprobe", "tracepoint"],
  },
  {
    name: "a lockdown that is not known",
    facts: { lockdown: undefined },
    mechanisms: ["fentry", "kprobe", "tracepoint"],
  },
  {
    name: "lockdown for confidentiality",
    facts: { lockdown: "confidentiality" },
    mechanisms: [],
    impossible: "locked down (confidentiality)",
  },
  {
    name: "an older bpftrace",
    facts: { bpftrace: { path: "/usr/bin/bpftrace", version: "bpftrace v0.14.0" } },
    mechanisms: TRACEPOINT_ALONE,
    rejected: [
      ["fentry", "bpftrace 0.14 is older than 0.17"],
      ["kprobe", "bpftrace 0.14 is older than 0.17"],
    ],
    doubts: ["bpftrace 0.14 is older than 0.17"],
  },
  {
    name: "a newer bpftrace that was built from source",
    facts: { bpftrace: { path: "/usr/bin/bpftrace", version: "bpftrace v1.0.0-12-gabcdef0" } },
    mechanisms: ["fentry", "kprobe", "tracepoint"],
  },
  {
    name: "a bpftrace that does not tell its version",
    facts: { bpftrace: { path: "/usr/bin/bpftrace", version: "of unknown version" } },
    mechanisms: ["fentry", "kprobe", "tracepoint"],
    doubts: ["the version of bpftrace is not known"],
  },
  {
    name: "a kernel of 5.15",
    facts: { dropTracepoint: "no reason", resetTracepoint: "no reason" },
    mechanisms: ["fentry", "kprobe", "tracepoint"],
    fragments: [],
    missing: [
      ["drop", "skb:kfree_skb gives no reason (Linux 5.17 and later do)"],
      ["reset", "tcp:tcp_send_reset"],
    ],
  },
  {
    name: "tracepoints that are not there",
    facts: { dropTracepoint: "absent", resetTracepoint: "absent" },
    mechanisms: ["fentry", "kprobe", "tracepoint"],
    fragments: [],
    missing: [["drop", "no tracepoint skb:kfree_skb"], [
      "reset",
      "no tracepoint tcp:tcp_send_reset",
    ]],
  },
  { name: "not root", facts: { root: false }, mechanisms: [], impossible: "only root" },
  {
    name: "root without the capabilities for tracing",
    facts: { lackedCapabilities: ["CAP_SYS_PTRACE", "CAP_PERFMON", "CAP_SYS_ADMIN"] },
    mechanisms: [],
    impossible: "they take CAP_PERFMON, or CAP_SYS_ADMIN",
  },
  {
    name: "root without capabilities that tracing does not take",
    facts: { lackedCapabilities: ["CAP_NET_RAW", "CAP_SYS_PTRACE", "CAP_SYS_ADMIN"] },
    mechanisms: ["fentry", "kprobe", "tracepoint"],
  },
  {
    name: "no bpftrace",
    facts: { bpftrace: undefined },
    mechanisms: [],
    impossible: "bpftrace is not installed",
  },
  {
    name: "no BTF",
    facts: { btf: false, functions: undefined },
    mechanisms: [],
    impossible: "/sys/kernel/btf/vmlinux",
  },
  {
    name: "no tracefs",
    facts: {
      tracefs: "absent",
      setStateTracepoint: undefined,
      dropTracepoint: undefined,
      resetTracepoint: undefined,
      functionTracing: undefined,
    },
    mechanisms: [],
    fragments: [],
    missing: [["drop", "tracefs cannot be read"], ["reset", "tracefs cannot be read"]],
    impossible: "tracefs is not mounted",
  },
  {
    name: "no tracepoint to complete records",
    facts: { setStateTracepoint: false },
    mechanisms: [],
    impossible: "sock:inet_sock_set_state",
  },
];

/** Compares by words: what is expected is part of what is there. */
function assertReasons(
  actual: readonly (readonly [string, string])[],
  expected: readonly (readonly [string, string])[] = [],
): void {
  assertEquals(actual.map(([subject]) => subject), expected.map(([subject]) => subject));
  for (const [index, [, words]] of expected.entries()) {
    assertStringIncludes(actual[index][1], words);
  }
}

function assertChoice(choice: ProbeChoice, expected: Case): void {
  assertEquals(choice.mechanisms, expected.mechanisms);
  assertEquals(choice.fragments, expected.fragments ?? ["drop", "reset"]);
  assertReasons(
    choice.rejected.map(({ mechanism, reason }) => [mechanism, reason]),
    expected.rejected,
  );
  assertReasons(
    choice.missing.map(({ fragment, reason }) => [fragment, reason]),
    expected.missing,
  );
  assertEquals(choice.impossible === undefined, expected.impossible === undefined);
  assertStringIncludes(choice.impossible ?? "", expected.impossible ?? "");
  assertEquals(choice.doubts, expected.doubts ?? []);
}

for (const each of AUTO) {
  Deno.test(`chooseProbes chooses for ${each.name}`, () => {
    assertChoice(chooseProbes({ ...DEBIAN_13, ...each.facts }, "auto"), each);
  });
}

Deno.test("chooseProbes tries what is asked for and nothing else, whatever speaks against it", () => {
  const cases: { facts: ProbeFacts; asked: Mechanism; doubt: string | undefined }[] = [
    { facts: DEBIAN_13, asked: "fentry", doubt: undefined },
    { facts: DEBIAN_13, asked: "kprobe", doubt: undefined },
    { facts: DEBIAN_13, asked: "tracepoint", doubt: undefined },
    { facts: LOCKED_DOWN, asked: "fentry", doubt: "refuses to list" },
    { facts: LOCKED_DOWN, asked: "kprobe", doubt: "CONFIG_KPROBES" },
    { facts: LOCKED_DOWN, asked: "tracepoint", doubt: undefined },
    {
      facts: { ...DEBIAN_13, bpftrace: { path: "/usr/bin/bpftrace", version: "bpftrace v0.9.4" } },
      asked: "kprobe",
      doubt: "bpftrace 0.9 is older than 0.17",
    },
  ];
  for (const { facts, asked, doubt } of cases) {
    const { mechanisms, rejected, doubts, fragments } = chooseProbes(facts, asked);
    assertEquals([mechanisms, rejected], [[asked], []]);
    assertEquals(fragments, ["drop", "reset"]);
    assertEquals(doubts.length, doubt === undefined ? 0 : 1);
    assertStringIncludes(doubts[0] ?? "", doubt ?? "");
  }
  assertEquals(chooseProbes({ ...DEBIAN_13, btf: false }, "kprobe").mechanisms, []);
});

/** Facts of any machine. */
const anyFacts: fc.Arbitrary<ProbeFacts> = fc.record({
  release: fc.constant("6.1"),
  architecture: fc.constant("x86_64"),
  root: fc.boolean(),
  lackedCapabilities: fc.subarray(["CAP_NET_RAW", "CAP_BPF", "CAP_SYS_ADMIN"]),
  btf: fc.boolean(),
  sockAddressesFit: fc.option(fc.boolean(), { nil: undefined }),
  functions: fc.option(fc.subarray([...DEBIAN_13.functions!]), { nil: undefined }),
  tracefs: fc.constantFrom("mounted", "private", "absent"),
  setStateTracepoint: fc.constantFrom(true, false, undefined),
  dropTracepoint: fc.constantFrom("reason", "no reason", "absent", undefined),
  resetTracepoint: fc.constantFrom("reason", "no reason", "absent", undefined),
  kprobes: fc.boolean(),
  functionTracing: fc.constantFrom("open", "off", "refused", "absent", undefined),
  lockdown: fc.constantFrom("none", "integrity", "confidentiality", undefined),
  bpftrace: fc.option(
    fc.record({ path: fc.string(), version: fc.oneof(fc.string(), fc.constant("v0.17.0")) }),
    { nil: undefined },
  ),
});

Deno.test("chooseProbes gives every mechanism a place or a reason, and every sentence is one", () => {
  fc.assert(fc.property(anyFacts, (facts) => {
    const choice = chooseProbes(facts, "auto");
    const placed = [...choice.mechanisms, ...choice.rejected.map(({ mechanism }) => mechanism)];
    if (choice.impossible === undefined) {
      assertEquals(placed.toSorted(), MECHANISMS.toSorted());
      assertEquals(choice.mechanisms.at(-1), "tracepoint");
      // The order is that of what they tell.
      assertEquals(
        choice.mechanisms,
        MECHANISMS.filter((each) => placed.includes(each)).filter(
          (each) => choice.mechanisms.includes(each),
        ),
      );
    } else {
      assertEquals(placed, []);
    }
    const joined = [...choice.fragments, ...choice.missing.map(({ fragment }) => fragment)];
    assertEquals(joined.toSorted(), ["drop", "reset"]);
  }));
});
