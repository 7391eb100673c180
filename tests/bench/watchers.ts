/**
 * What can watch the connections of a namespace: this tool, its script alone, and its peers.
 *
 * @module
 */
import { TextLineStream } from "@std/streams";
import { inspectProbes } from "../../src/linux/probes/inspect_kernel.ts";
import { findExecutable } from "../../src/linux/host.ts";
import { readProbePrograms } from "../../src/linux/probes/probe_programs.ts";
import { chooseProbes, type Mechanism } from "../../src/kernel/choose_probes.ts";
import type { Namespace } from "../netns/namespace.ts";
import { type Outcome, parseOutcome } from "./outcome.ts";
import { HERE, taskCommand } from "./task_command.ts";

/** Attaching takes seconds, where a machine does much else a minute. */
const READY_MS = 120_000;
const STOP_MS = 30_000;

/** A way to watch. */
export interface Watcher {
  name: string;
  /** Why it cannot be had here. */
  missing?: string;
  /** It is measured from its second run on: in the first its compiler is at work. */
  warmsUp?: boolean;
  /** Starts it and waits until it is ready. */
  start(namespace: Namespace): Promise<Watching>;
}

/** A tracer at work. */
export interface Watching {
  pid: number;
  /** Ends it. */
  stop(): Promise<Outcome>;
}

/** A program that watches: waits for its words, ends it by SIGINT. */
export async function startProgram(
  namespace: Namespace,
  command: readonly string[],
  channel: "stdout" | "stderr",
  ready: RegExp,
  env: Record<string, string> = {},
): Promise<Watching> {
  const child = namespace.spawn(command, {
    stdout: channel === "stdout" ? "piped" : "null",
    stderr: channel === "stderr" ? "piped" : "null",
    env,
  });
  // Its last words only: a tracer that prints each connection must not fill this process.
  const said: string[] = [];
  const isReady = Promise.withResolvers<void>();
  const read = (async () => {
    const lines = child[channel].pipeThrough(new TextDecoderStream())
      .pipeThrough(new TextLineStream());
    for await (const line of lines) {
      said.push(line);
      if (said.length > 40) said.shift();
      if (ready.test(line)) isReady.resolve();
    }
    isReady.reject(
      new Error(`Cannot start "${command[0]}": it ended, saying "${said.join("; ")}"`),
    );
  })();
  const late = setTimeout(
    () => isReady.reject(new Error(`Cannot go on: "${command[0]}" was not ready in time`)),
    READY_MS,
  );
  await isReady.promise.finally(() => clearTimeout(late));
  return {
    pid: child.pid,
    stop: async () => {
      child.kill("SIGINT");
      // A busy bpftrace was seen to miss it.
      const again = setTimeout(() => child.kill("SIGKILL"), STOP_MS);
      await read;
      await child.status;
      clearTimeout(again);
      return parseOutcome(said);
    },
  };
}

/**
 * `trace`, its records to nowhere unless its arguments say where.
 *
 * @param root Folder of the version that traces.
 */
export function trace(name: string, args: readonly string[], root = HERE): Watcher {
  const alone = args.includes("none");
  const missing = alone || findExecutable("bpftrace") ? undefined : "bpftrace is not installed";
  return {
    name,
    missing,
    warmsUp: true,
    start: (namespace) =>
      startProgram(
        namespace,
        [...taskCommand("trace", root), ...args],
        "stderr",
        alone ? /capturing packets/ : /kernel events come from/,
      ),
  };
}

/** A command with tracefs, which `ip netns exec` takes away with /sys. */
export function withTracefs(command: readonly string[]): string[] {
  const mount = 'mount -t tracefs tracefs /sys/kernel/tracing 2>/dev/null; exec "$@"';
  return ["unshare", "--mount", "sh", "-c", mount, "sh", ...command];
}

/** A bpftrace program. */
function bpftrace(name: string, args: () => Promise<string[]>, ready: RegExp): Watcher {
  const executable = findExecutable("bpftrace");
  return {
    name,
    missing: executable === undefined ? "bpftrace is not installed" : undefined,
    start: async (namespace) =>
      await startProgram(
        namespace,
        withTracefs([executable!, "-B", "line", ...await args()]),
        "stdout",
        ready,
        { BPFTRACE_MAP_KEYS_MAX: "65536" },
      ),
  };
}

/** A program for bpftrace that says when it is ready. */
export function bpftraceProgram(name: string, program: string): Watcher {
  return bpftrace(name, () => Promise.resolve(["-e", program]), /^ready/);
}

/** What a trace gives to bpftrace on this machine. */
async function scriptArguments(probes: Mechanism | "auto"): Promise<string[]> {
  const { facts, optionPlaces: places } = await inspectProbes();
  const { mechanisms, fragments } = chooseProbes(facts, probes);
  const [{ text }] = await readProbePrograms(mechanisms, fragments);
  const numbers = places === undefined ? [] : [places.negotiated, places.synData];
  return ["-e", text, "--no-warnings", ...["1", ...numbers].map(String)];
}

/** The kernel's side of a trace, with nobody who reads its map. */
export function scriptAlone(name: string, probes: Mechanism | "auto"): Watcher {
  return bpftrace(name, () => scriptArguments(probes), /^ready/);
}

/** The same by the probes that a trace takes on this machine. */
export const SCRIPT_ALONE: Watcher = scriptAlone("its script alone", "auto");

/** What it costs that the kernel calls anything at all at each change of a socket's state. */
export const EMPTY_PROBE: Watcher = bpftraceProgram(
  "an empty probe on its tracepoint",
  'tracepoint:sock:inet_sock_set_state /args->protocol == 0/ { @ = 1; } BEGIN { printf("ready\\n"); }',
);

/** What tcpconnect.bt and tcplife.bt print, by the tracepoint, which works on every kernel. */
const PRINTING = `
tracepoint:sock:inet_sock_set_state /args->protocol == 6 && args->newstate == 2/ {
  @who[args->skaddr] = (pid, comm);
}
tracepoint:sock:inet_sock_set_state /args->protocol == 6 && args->newstate == 1/ {
  printf("%-8s %-7d %-16s %s:%d %s:%d\\n", strftime("%H:%M:%S", nsecs), @who[args->skaddr].0,
    @who[args->skaddr].1, ntop(args->saddr_v6), args->sport, ntop(args->daddr_v6), args->dport);
}
tracepoint:sock:inet_sock_set_state /args->protocol == 6 && args->newstate == 7/ {
  delete(@who[args->skaddr]);
}
BEGIN { printf("ready\\n"); }
END { clear(@who); }
`;

/** bpftrace that prints a line a socket, as its own tools do. */
export const PRINTING_SCRIPT: Watcher = bpftraceProgram(
  "bpftrace printing a line a socket",
  PRINTING,
);

function capture(name: string, executable: string, args: readonly string[]): Watcher {
  const path = findExecutable(executable);
  return {
    name,
    missing: path === undefined ? `${executable} is not installed` : undefined,
    start: (namespace) =>
      startProgram(namespace, [path!, ...args], "stderr", /listening on|^File:/),
  };
}

/** tcpdump that keeps every TCP packet of an interface. */
export function tcpdump(interfaceName: string): Watcher {
  const args = ["-i", interfaceName, "-w", "/dev/null", "-Z", "root", "tcp"];
  return capture("`tcpdump -w`", "tcpdump", args);
}

/** dumpcap, which captures for tshark, keeping every TCP packet of an interface. */
export function dumpcap(interfaceName: string): Watcher {
  const args = ["-q", "-i", interfaceName, "-w", "/dev/null", "-f", "tcp"];
  return capture("`dumpcap -w` (tshark)", "dumpcap", args);
}
