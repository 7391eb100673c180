/**
 * Finds out what this machine offers for tracing: by its files for the probes, which a trace asks
 * before it starts bpftrace, and by trying it for the rest.
 *
 * @module
 */
import { readBtf } from "../../kernel/btf.ts";
import { functionsInBtf } from "../../kernel/btf_functions.ts";
import { membersInBtf } from "../../kernel/btf_members.ts";
import { lackedCapabilities } from "../../kernel/capabilities.ts";
import { FUNCTIONS, SOCK_ADDRESSES } from "../../kernel/choose_probes.ts";
import type { KernelFacts } from "../../kernel/kernel_facts.ts";
import type { ProbeFacts, ReasonOffer } from "../../kernel/probe_facts.ts";
import { parseReasonNames, type ReasonNames } from "../../kernel/reason_names.ts";
import { OPTION_NAMES, type OptionPlaces, optionPlaces } from "../../kernel/option_places.ts";
import { messageOf } from "../../text/message.ts";
import { exists, type FileHead, readKernelFiles } from "./kernel_files.ts";
import { bpf, lastErrno, memory, release, SystemCallError } from "../libc.ts";
import { scanNamespaces } from "../netns/namespace_scan.ts";
import { BTF } from "./narrowed_btf.ts";
import { NetworkNamespace } from "../netns/network_namespace.ts";
import { PacketRing } from "../capture/packet_ring.ts";
import { findExecutable, isRoot } from "../host.ts";

/** What the probes can rest on. */
export interface ProbeInspection {
  facts: ProbeFacts;
  /** What the running kernel calls its reasons to drop a packet. */
  dropReasons: ReasonNames;
  /** What the running kernel calls its reasons to send a RST. */
  resetReasons: ReasonNames;
  /** Where the running kernel keeps what a handshake negotiated; undefined where it does not say. */
  optionPlaces: OptionPlaces | undefined;
}

const BPF_MAP_GET_NEXT_ID = 12;
const ENOENT = 2;
/** The event source through which perf_event_open(2) makes kprobes. */
const KPROBES = "/sys/bus/event_source/devices/kprobe/type";
const STATUS = "/proc/self/status";
const FTRACE_ENABLED = "/proc/sys/kernel/ftrace_enabled";
const SET_STATE = "events/sock/inet_sock_set_state/format";
const DROP = "events/skb/kfree_skb/format";
const RESET = "events/tcp/tcp_send_reset/format";
const FUNCTION_LIST = "available_filter_functions";
const LOCKDOWN = "lockdown";
/** The member `reason` of an event, in its format. */
const REASON_FIELD = /\bfield:[^;]*\breason;/;
/** bpftrace says its version in 35 ms; emulated on a busy machine in seven seconds. */
const VERSION_MS = 30_000;
const UNKNOWN_VERSION = "of unknown version";

/**
 * Gathers what a choice of probes needs. Runs `bpftrace --version`, captures nothing.
 *
 * @param signal Ends what was started for it.
 */
export async function inspectProbes(signal?: AbortSignal): Promise<ProbeInspection> {
  const path = findExecutable("bpftrace");
  const [{ optionPlaces, ...description }, files, version] = await Promise.all([
    readDescription(),
    readKernelFiles([SET_STATE, DROP, RESET, FUNCTION_LIST], [LOCKDOWN]),
    path === undefined ? undefined : versionOf(path, signal),
  ]);
  const { tracefs, heads } = files;
  const readable = tracefs !== "absent";
  const facts: ProbeFacts = {
    release: Deno.osRelease(),
    architecture: Deno.build.arch,
    root: isRoot(),
    lackedCapabilities: lackedCapabilities(await Deno.readTextFile(STATUS).catch(() => "")),
    btf: exists(BTF),
    ...description,
    tracefs,
    setStateTracepoint: readable ? heads.get(SET_STATE) !== "absent" : undefined,
    dropTracepoint: readable ? offerOf(heads.get(DROP)) : undefined,
    resetTracepoint: readable ? offerOf(heads.get(RESET)) : undefined,
    kprobes: exists(KPROBES),
    functionTracing: readable ? await judgeFunctionTracing(heads.get(FUNCTION_LIST)) : undefined,
    lockdown: readLockdown(files.securityfs, heads.get(LOCKDOWN)),
    bpftrace: path === undefined ? undefined : { path, version: version! },
  };
  return {
    facts,
    dropReasons: parseReasonNames(textOf(heads.get(DROP))),
    resetReasons: parseReasonNames(textOf(heads.get(RESET))),
    optionPlaces,
  };
}

/** Gathers everything. Opens a capture ring for a moment beside what {@link inspectProbes} does. */
export async function inspectKernel(): Promise<KernelFacts> {
  const { facts } = await inspectProbes();
  return {
    ...facts,
    capture: tryCapture(),
    foreignMaps: tryForeignMaps(),
    otherNamespaces: tryNamespaces(),
  };
}

/** What the kernel's description of itself says. */
async function readDescription(): Promise<
  Pick<ProbeFacts, "functions" | "sockAddressesFit"> & Pick<ProbeInspection, "optionPlaces">
> {
  // Absent, which is a fact of its own, or not for this user.
  const bytes = await Deno.readFile(BTF).catch(() => new Uint8Array(0));
  const btf = readBtf(bytes);
  if (btf === undefined) {
    return { functions: undefined, sockAddressesFit: undefined, optionPlaces: undefined };
  }
  const expected = Object.entries(SOCK_ADDRESSES);
  btf.lookFor(["sock_common", ...Object.keys(SOCK_ADDRESSES), ...FUNCTIONS, ...OPTION_NAMES]);
  const places = membersInBtf(btf, "sock_common", expected.map(([name]) => name));
  const description = {
    functions: functionsInBtf(btf, FUNCTIONS),
    sockAddressesFit: places.every((place, index) => place === expected[index][1]),
    optionPlaces: optionPlaces(btf),
  };
  release(bytes);
  return description;
}

function textOf(head: FileHead | undefined): string {
  return typeof head === "object" ? head.text : "";
}

function offerOf(head: FileHead | undefined): ReasonOffer {
  if (head === undefined || head === "absent") return "absent";
  return REASON_FIELD.test(textOf(head)) ? "reason" : "no reason";
}

async function judgeFunctionTracing(
  list: FileHead | undefined,
): Promise<ProbeFacts["functionTracing"]> {
  if (list === undefined || list === "absent") return "absent";
  if (list === "refused") return "refused";
  const enabled = await Deno.readTextFile(FTRACE_ENABLED).catch(() => "");
  return enabled.trim() === "0" ? "off" : "open";
}

/** The file lists the states with the present one in brackets; a kernel that knows none has no file. */
function readLockdown(securityfs: boolean, head: FileHead | undefined): ProbeFacts["lockdown"] {
  if (!securityfs || head === "refused") return undefined;
  if (head === undefined || head === "absent") return "none";
  const state = /\[(none|integrity|confidentiality)\]/.exec(head.text)?.[1];
  return state as ProbeFacts["lockdown"];
}

function tryCapture(): KernelFacts["capture"] {
  try {
    using ring = PacketRing.open();
    const { kind, why } = ring.filter;
    return { filter: kind, ...(why !== undefined && { why }) };
  } catch (error) {
    return { error: messageOf(error) };
  }
}

function tryForeignMaps(): KernelFacts["foreignMaps"] {
  const attr = memory(12);
  if (bpf(BPF_MAP_GET_NEXT_ID, attr) === 0) return { open: true };
  const errno = lastErrno();
  if (errno === ENOENT) return { open: true };
  return { error: new SystemCallError("bpf(BPF_MAP_GET_NEXT_ID)", errno).message };
}

function tryNamespaces(): KernelFacts["otherNamespaces"] {
  try {
    NetworkNamespace.assertPermitted();
    const inodes = new Set(scanNamespaces().keys());
    inodes.delete(NetworkNamespace.own().inode);
    return { count: inodes.size };
  } catch (error) {
    return { error: messageOf(error) };
  }
}

async function versionOf(path: string, signal: AbortSignal | undefined): Promise<string> {
  let child: Deno.ChildProcess;
  try {
    child = new Deno.Command(path, {
      args: ["--version"],
      stdin: "null",
      stdout: "piped",
      stderr: "null",
      signal,
    }).spawn();
  } catch (error) {
    return `that cannot be run (${messageOf(error)})`;
  }
  const { promise: late, resolve } = Promise.withResolvers<undefined>();
  const timer = setTimeout(() => {
    child.kill("SIGKILL");
    // Not its end: what it started may hold on to its output.
    resolve(undefined);
  }, VERSION_MS);
  const output = await Promise.race([child.output(), late]);
  clearTimeout(timer);
  if (output === undefined) return UNKNOWN_VERSION;
  return new TextDecoder().decode(output.stdout).trim() || UNKNOWN_VERSION;
}
