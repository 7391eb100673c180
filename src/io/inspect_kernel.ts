/**
 * Finds out what this machine offers for tracing, by trying it where a look does not prove it.
 *
 * @module
 */
import type { KernelFacts } from "../kernel/kernel_facts.ts";
import { hasTracefs } from "./bpftrace.ts";
import { bpf, lastErrno, memory, SystemCallError } from "./libc.ts";
import { PacketRing } from "./packet_ring.ts";
import { findExecutable } from "./packages.ts";
import { isRoot } from "./terminal.ts";

const BPF_MAP_GET_NEXT_ID = 12;
const ENOENT = 2;
const TRACEPOINT = "events/sock/inet_sock_set_state/format";
const TRACEFS_FOLDERS = ["/sys/kernel/tracing", "/sys/kernel/debug/tracing"];

/** Gathers the facts. Opens a capture ring for a moment and runs `bpftrace --version`. */
export async function inspectKernel(): Promise<KernelFacts> {
  const mounted = hasTracefs();
  const privateTracepoint = mounted ? undefined : await lookWithPrivateTracefs();
  const path = findExecutable("bpftrace");
  return {
    release: Deno.osRelease(),
    architecture: Deno.build.arch,
    root: isRoot(),
    btf: exists("/sys/kernel/btf/vmlinux"),
    tracefs: mounted ? "mounted" : privateTracepoint === undefined ? "absent" : "private",
    setStateTracepoint: mounted
      ? TRACEFS_FOLDERS.some((folder) => exists(`${folder}/${TRACEPOINT}`))
      : privateTracepoint,
    bpftrace: path === undefined ? undefined : { path, version: await versionOf(path) },
    capture: tryCapture(),
    foreignMaps: tryForeignMaps(),
  };
}

function tryCapture(): KernelFacts["capture"] {
  try {
    using ring = PacketRing.open();
    const { kind, why } = ring.filter;
    return { filter: kind, ...(why !== undefined && { why }) };
  } catch (error) {
    return { error: error instanceof Error ? error.message : String(error) };
  }
}

function tryForeignMaps(): true | string {
  const attr = memory(12);
  if (bpf(BPF_MAP_GET_NEXT_ID, attr) === 0) return true;
  const errno = lastErrno();
  return errno === ENOENT ? true : new SystemCallError("bpf(BPF_MAP_GET_NEXT_ID)", errno).message;
}

/** @returns Whether the tracepoint exists, undefined where tracefs could not be mounted. */
async function lookWithPrivateTracefs(): Promise<boolean | undefined> {
  const unshare = findExecutable("unshare");
  if (!isRoot() || unshare === undefined) return undefined;
  const [folder] = TRACEFS_FOLDERS;
  const script = `mount -t tracefs tracefs ${folder} || exit 2; test -e ${folder}/${TRACEPOINT}`;
  const { code } = await new Deno.Command(unshare, {
    args: ["--mount", "/bin/sh", "-c", script],
    stdin: "null",
    stdout: "null",
    stderr: "null",
  }).output();
  return code === 0 ? true : code === 1 ? false : undefined;
}

async function versionOf(path: string): Promise<string> {
  try {
    const { stdout } = await new Deno.Command(path, { args: ["--version"], stdin: "null" })
      .output();
    return new TextDecoder().decode(stdout).trim() || "of unknown version";
  } catch (error) {
    return `that cannot be run (${error instanceof Error ? error.message : String(error)})`;
  }
}

function exists(path: string): boolean {
  try {
    Deno.statSync(path);
    return true;
  } catch {
    return false;
  }
}
