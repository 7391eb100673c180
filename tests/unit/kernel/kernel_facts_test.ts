import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import {
  countsSkippedRuns,
  describePlan,
  judgeFacts,
  judgeOutlook,
  type KernelFacts,
  type Outlook,
} from "../../../src/kernel/kernel_facts.ts";
import { DEBIAN_12, DEBIAN_13, LOCKED_DOWN } from "./recorded_facts.ts";

/** A machine that offers everything. */
const COMPLETE = DEBIAN_13;

const ALL = "a trace uses packets and kernel events through fentry probes, else kprobes, " +
  "else the tracepoint, with the reasons of drops and resets";
const PACKETS_ALONE = "a trace uses packets alone: no processes, no kernel times";
const NOTHING = "a trace cannot start: it captures packets first of all";

Deno.test("judgeFacts finds nothing wrong with a machine that offers everything", () => {
  const findings = judgeFacts(COMPLETE);
  assertEquals(findings.map(({ subject }) => subject), [
    "rights",
    "packets",
    "bpftrace",
    "BTF",
    "tracefs",
    "lockdown",
    "tracepoint",
    "fentry",
    "kprobes",
    "drops",
    "resets",
    "bpf maps",
    "netns",
  ]);
  for (const { verdict, advice, state } of findings) {
    assertEquals([verdict, advice], ["ok", undefined], state);
  }
  assertEquals(describePlan(COMPLETE), ALL);
});

Deno.test("judgeFacts and describePlan tell what each lack costs", () => {
  const cases: {
    lack: Partial<KernelFacts>;
    subject: string;
    verdict: string;
    advised: boolean;
    plan: string;
  }[] = [
    {
      lack: { root: false },
      subject: "rights",
      verdict: "missing",
      advised: true,
      plan: PACKETS_ALONE,
    },
    {
      lack: { lackedCapabilities: ["CAP_NET_RAW (no packets)"] },
      subject: "rights",
      verdict: "worse",
      advised: true,
      plan: ALL,
    },
    {
      lack: { capture: { error: "Cannot open a packet socket: EPERM" } },
      subject: "packets",
      verdict: "missing",
      advised: false,
      plan: NOTHING,
    },
    {
      lack: { capture: { filter: "classic", why: "EPERM" } },
      subject: "packets",
      verdict: "worse",
      advised: false,
      plan: ALL,
    },
    {
      lack: { bpftrace: undefined },
      subject: "bpftrace",
      verdict: "missing",
      advised: true,
      plan: PACKETS_ALONE,
    },
    {
      lack: { btf: false },
      subject: "BTF",
      verdict: "missing",
      advised: true,
      plan: PACKETS_ALONE,
    },
    { lack: { tracefs: "private" }, subject: "tracefs", verdict: "ok", advised: false, plan: ALL },
    {
      lack: { tracefs: "absent" },
      subject: "tracefs",
      verdict: "missing",
      advised: true,
      plan: PACKETS_ALONE,
    },
    {
      lack: { setStateTracepoint: false },
      subject: "tracepoint",
      verdict: "missing",
      advised: false,
      plan: PACKETS_ALONE,
    },
    {
      lack: { setStateTracepoint: undefined },
      subject: "tracepoint",
      verdict: "missing",
      advised: false,
      plan: PACKETS_ALONE,
    },
    {
      lack: { lockdown: "confidentiality" },
      subject: "lockdown",
      verdict: "missing",
      advised: true,
      plan: PACKETS_ALONE,
    },
    {
      lack: { lockdown: "integrity" },
      subject: "lockdown",
      verdict: "ok",
      advised: false,
      plan: ALL,
    },
    {
      lack: { lockdown: undefined },
      subject: "lockdown",
      verdict: "ok",
      advised: false,
      plan: ALL,
    },
    {
      lack: { kprobes: false },
      subject: "kprobes",
      // Fentry probes tell the same.
      verdict: "ok",
      advised: false,
      plan: ALL.replace(", else kprobes", ""),
    },
    {
      lack: { functionTracing: "absent" },
      subject: "fentry",
      verdict: "ok",
      advised: false,
      plan: ALL.replace("fentry probes, else ", ""),
    },
    {
      lack: { dropTracepoint: "no reason" },
      subject: "drops",
      verdict: "older",
      advised: false,
      plan: ALL.replace("drops and ", ""),
    },
    {
      lack: { resetTracepoint: "absent" },
      subject: "resets",
      verdict: "older",
      advised: false,
      plan: ALL.replace(" and resets", ""),
    },
    {
      lack: { foreignMaps: { error: "Cannot call bpf: EPERM" } },
      subject: "bpf maps",
      verdict: "worse",
      advised: false,
      plan: ALL,
    },
    {
      lack: { otherNamespaces: { error: "Cannot call setns: EPERM" } },
      subject: "netns",
      verdict: "worse",
      advised: false,
      plan: ALL,
    },
    {
      lack: { otherNamespaces: { count: 0 } },
      subject: "netns",
      verdict: "ok",
      advised: false,
      plan: ALL,
    },
  ];
  for (const { lack, subject, verdict, advised, plan } of cases) {
    const findings = judgeFacts({ ...COMPLETE, ...lack });
    const finding = findings.find((each) => each.subject === subject);
    assertEquals(finding?.verdict, verdict, JSON.stringify(lack));
    assertEquals(finding?.advice !== undefined, advised, JSON.stringify(lack));
    assertEquals(describePlan({ ...COMPLETE, ...lack }), plan, JSON.stringify(lack));
    const others = findings.filter((each) => each.subject !== subject);
    assert(others.every((each) => each.verdict === "ok"), JSON.stringify(lack));
  }
});

Deno.test("judgeFacts repeats why a filter or the maps are not there", () => {
  const states = judgeFacts({
    ...COMPLETE,
    capture: { filter: "classic", why: "the reason of the filter" },
    foreignMaps: { error: "the reason of the maps" },
    otherNamespaces: { error: "the reason of the namespaces" },
  }).map(({ state }) => state).join("\n");
  assert(states.includes("the reason of the filter"));
  assert(states.includes("the reason of the maps"));
  assert(states.includes("the reason of the namespaces"));
});

Deno.test("judgeFacts names the capabilities that are lacking", () => {
  const state = (root: boolean, ...lackedCapabilities: string[]) =>
    judgeFacts({ ...COMPLETE, root, lackedCapabilities })[0].state;
  assertEquals(state(true), "root");
  assertEquals(
    state(true, "CAP_NET_RAW", "CAP_SYS_ADMIN"),
    "root without CAP_NET_RAW (no packets), " +
      "CAP_SYS_ADMIN (no --netns, and kernel events as printed lines)",
  );
  assertEquals(state(false, "CAP_NET_RAW"), "not root without CAP_NET_RAW (no packets)");
});

Deno.test("judgeFacts advises root where a capture fails without it", () => {
  const capture = { error: "Cannot open a packet socket: EPERM" };
  const advice = (root: boolean) =>
    judgeFacts({ ...COMPLETE, root, capture }).find(({ subject }) => subject === "packets")?.advice;
  assertEquals([advice(false), advice(true)], ["run as root", undefined]);
});

Deno.test("judgeFacts advises on each lack of a machine that offers nothing", () => {
  const facts: KernelFacts = {
    ...COMPLETE,
    root: false,
    btf: false,
    functions: undefined,
    tracefs: "absent",
    setStateTracepoint: undefined,
    dropTracepoint: undefined,
    resetTracepoint: undefined,
    kprobes: false,
    functionTracing: "absent",
    lockdown: undefined,
    bpftrace: undefined,
    capture: { error: "Cannot call socket(AF_PACKET): EPERM" },
    foreignMaps: { error: "Cannot call bpf(BPF_MAP_GET_NEXT_ID): EPERM" },
    otherNamespaces: { error: "Cannot call setns(own network namespace): EPERM" },
  };
  const findings = judgeFacts(facts);
  const subjects = (verdict: string) =>
    findings.filter((each) => each.verdict === verdict).map(({ subject }) => subject);
  assertEquals(subjects("ok"), ["lockdown"]);
  assertEquals(subjects("older"), []);
  assertEquals(subjects("worse"), ["fentry", "kprobes", "bpf maps", "netns"]);
  assertEquals(
    findings.filter(({ verdict, advice }) => verdict === "missing" && advice === undefined)
      .map(({ subject }) => subject),
    ["tracepoint", "drops", "resets"],
  );
  // Without packets nothing else counts.
  assertEquals(describePlan(facts), NOTHING);
});

Deno.test("judgeFacts tells why no function can be probed, and what to do about it", () => {
  const cases: { facts: Partial<KernelFacts>; fentry: string; kprobes: string; advice: string }[] =
    [
      {
        facts: { functionTracing: "off" },
        fentry: "silently",
        kprobes: "silently",
        advice: "sysctl kernel.ftrace_enabled=1",
      },
      {
        facts: { functionTracing: "refused", kprobes: false },
        fentry: "refuses to list",
        kprobes: "CONFIG_KPROBES",
        advice: "built with CONFIG_KPROBES",
      },
      { facts: { functions: [] }, fentry: "tcp_connect", kprobes: "tcp_connect", advice: "" },
    ];
  for (const { facts, fentry, kprobes, advice } of cases) {
    const findings = judgeFacts({ ...COMPLETE, ...facts });
    const find = (subject: string) => findings.find((each) => each.subject === subject)!;
    assertEquals([find("fentry").verdict, find("kprobes").verdict], ["worse", "worse"]);
    assertStringIncludes(find("fentry").state, fentry);
    assertStringIncludes(find("kprobes").state, kprobes);
    assertStringIncludes(find("kprobes").advice ?? "", advice);
  }
});

Deno.test("judgeFacts and describePlan judge the kernels that were looked at", () => {
  const cases: { facts: KernelFacts; notOk: [string, string][]; plan: string }[] = [
    {
      facts: DEBIAN_12,
      notOk: [["resets", "older"]],
      plan: "a trace uses packets and kernel events through fentry probes, else kprobes, " +
        "else the tracepoint, with the reasons of drops",
    },
    { facts: DEBIAN_13, notOk: [], plan: ALL },
    {
      facts: LOCKED_DOWN,
      notOk: [["fentry", "worse"], ["kprobes", "worse"]],
      plan: "a trace uses packets and kernel events through the tracepoint, with the reasons of " +
        "drops and resets: no times of a SYN's departure and arrival, no accept(), no SYN cookies, " +
        "no refusals by the listener",
    },
  ];
  for (const { facts, notOk, plan } of cases) {
    const findings = judgeFacts(facts).filter(({ verdict }) => verdict !== "ok");
    assertEquals(findings.map(({ subject, verdict }) => [subject, verdict]), notOk);
    assertEquals(describePlan(facts), plan);
  }
});

Deno.test("countsSkippedRuns knows which kernels do, whatever their release is called", () => {
  const counting = ["6.7.0", "6.12.9+deb13-amd64", "7.0-rc1", "10.1.2"];
  const silent = ["6.6.99", "6.1.0-50-amd64", "5.15.0-1-generic", "unknown", ""];
  assertEquals(counting.map(countsSkippedRuns), counting.map(() => true));
  assertEquals(silent.map(countsSkippedRuns), silent.map(() => false));
});

Deno.test("judgeOutlook tells what works from what works with less and what does not work", () => {
  const cases: { lack: Partial<KernelFacts>; outlook: Outlook }[] = [
    { lack: {}, outlook: "works" },
    // What only a newer kernel gives is no lack of this machine.
    { lack: { dropTracepoint: "no reason", resetTracepoint: "absent" }, outlook: "works" },
    { lack: { otherNamespaces: { count: 0 } }, outlook: "works" },
    { lack: { bpftrace: undefined }, outlook: "works_with_less" },
    { lack: { root: false }, outlook: "works_with_less" },
    { lack: { capture: { filter: "classic", why: "no eBPF" } }, outlook: "works_with_less" },
    { lack: { foreignMaps: { error: "EPERM" } }, outlook: "works_with_less" },
    { lack: { capture: { error: "EPERM" } }, outlook: "does_not_work" },
    { lack: { capture: { error: "EPERM" }, bpftrace: undefined }, outlook: "does_not_work" },
  ];
  for (const { lack, outlook } of cases) {
    assertEquals(judgeOutlook({ ...COMPLETE, ...lack }), outlook, JSON.stringify(lack));
  }
});
