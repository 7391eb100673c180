/**
 * What `synsnoop doctor --json` found on real machines; the path of bpftrace is the usual one.
 *
 * @module
 */
import type { KernelFacts } from "../../../src/kernel/kernel_facts.ts";

const ALL_FUNCTIONS = [
  "tcp_connect",
  "tcp_conn_request",
  "tcp_make_synack",
  "inet_csk_accept",
  "inet_csk_listen_start",
  "tcp_set_state",
];

/** Debian 12: everything works but the reasons of resets, which the kernel does not know yet. */
export const DEBIAN_12: KernelFacts = {
  release: "6.1.0-50-amd64",
  architecture: "x86_64",
  root: true,
  btf: true,
  functions: ALL_FUNCTIONS,
  sockAddressesFit: true,
  tracefs: "mounted",
  setStateTracepoint: true,
  dropTracepoint: "reason",
  resetTracepoint: "no reason",
  kprobes: true,
  functionTracing: "open",
  lockdown: "none",
  bpftrace: { path: "/usr/bin/bpftrace", version: "bpftrace v0.17.0" },
  lackedCapabilities: [],
  capture: { filter: "ebpf" },
  foreignMaps: { open: true },
  otherNamespaces: { count: 2 },
};

/** Debian 13: everything works. */
export const DEBIAN_13: KernelFacts = {
  release: "6.12.107+deb13-amd64",
  architecture: "x86_64",
  root: true,
  btf: true,
  functions: ALL_FUNCTIONS,
  sockAddressesFit: true,
  tracefs: "mounted",
  setStateTracepoint: true,
  dropTracepoint: "reason",
  resetTracepoint: "reason",
  kprobes: true,
  functionTracing: "open",
  lockdown: "none",
  bpftrace: { path: "/usr/bin/bpftrace", version: "bpftrace v0.23.2" },
  lackedCapabilities: [],
  capture: { filter: "ebpf" },
  foreignMaps: { open: true },
  otherNamespaces: { count: 2 },
};

/** A virtual machine's own kernel, locked down: only tracepoints work. */
export const LOCKED_DOWN: KernelFacts = {
  release: "6.18.44-fc-v657",
  architecture: "x86_64",
  root: true,
  btf: true,
  functions: ALL_FUNCTIONS,
  sockAddressesFit: true,
  tracefs: "private",
  setStateTracepoint: true,
  dropTracepoint: "reason",
  resetTracepoint: "reason",
  kprobes: false,
  functionTracing: "refused",
  lockdown: "integrity",
  bpftrace: { path: "/usr/bin/bpftrace", version: "bpftrace v0.17.0" },
  lackedCapabilities: [],
  capture: { filter: "ebpf" },
  foreignMaps: { open: true },
  otherNamespaces: { count: 2 },
};
