import { assert, assertEquals } from "@std/assert";
import { describePlan, judgeFacts, type KernelFacts } from "../../../src/kernel/kernel_facts.ts";

/** A machine that offers everything. */
const COMPLETE: KernelFacts = {
  release: "6.1.0-44-amd64",
  architecture: "x86_64",
  root: true,
  btf: true,
  tracefs: "mounted",
  setStateTracepoint: true,
  bpftrace: { path: "/usr/bin/bpftrace", version: "bpftrace v0.17.0" },
  capture: { filter: "ebpf" },
  foreignMaps: true,
};

const ALL = "a trace uses packets and the kernel's tracepoint";
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
    "tracepoint",
    "bpf maps",
  ]);
  for (const { verdict, advice, state } of findings) {
    assertEquals([verdict, advice], ["ok", undefined], state);
  }
  assertEquals(describePlan(findings), ALL);
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
      lack: { foreignMaps: "Cannot call bpf: EPERM" },
      subject: "bpf maps",
      verdict: "worse",
      advised: false,
      plan: ALL,
    },
  ];
  for (const { lack, subject, verdict, advised, plan } of cases) {
    const findings = judgeFacts({ ...COMPLETE, ...lack });
    const finding = findings.find((each) => each.subject === subject);
    assertEquals(finding?.verdict, verdict, JSON.stringify(lack));
    assertEquals(finding?.advice !== undefined, advised, JSON.stringify(lack));
    assertEquals(describePlan(findings), plan, JSON.stringify(lack));
    const others = findings.filter((each) => each.subject !== subject);
    assert(others.every((each) => each.verdict === "ok"), JSON.stringify(lack));
  }
});

Deno.test("judgeFacts repeats why a filter or the maps are not there", () => {
  const states = judgeFacts({
    ...COMPLETE,
    capture: { filter: "classic", why: "the reason of the filter" },
    foreignMaps: "the reason of the maps",
  }).map(({ state }) => state).join("\n");
  assert(states.includes("the reason of the filter"));
  assert(states.includes("the reason of the maps"));
});

Deno.test("judgeFacts advises root where a capture fails without it", () => {
  const capture = { error: "Cannot open a packet socket: EPERM" };
  const advice = (root: boolean) =>
    judgeFacts({ ...COMPLETE, root, capture }).find(({ subject }) => subject === "packets")?.advice;
  assertEquals([advice(false), advice(true)], ["run as root", undefined]);
});

Deno.test("judgeFacts advises on each lack of a machine that offers nothing", () => {
  const findings = judgeFacts({
    ...COMPLETE,
    root: false,
    btf: false,
    tracefs: "absent",
    setStateTracepoint: undefined,
    bpftrace: undefined,
    capture: { error: "Cannot call socket(AF_PACKET): EPERM" },
    foreignMaps: "Cannot call bpf(BPF_MAP_GET_NEXT_ID): EPERM",
  });
  assertEquals(
    findings.filter(({ verdict }) => verdict !== "missing").map(({ subject }) => subject),
    ["bpf maps"],
  );
  assertEquals(
    findings.filter(({ advice }) => advice === undefined).map(({ subject }) => subject),
    ["tracepoint", "bpf maps"],
  );
  // Without packets nothing else counts.
  assertEquals(describePlan(findings), NOTHING);
});
