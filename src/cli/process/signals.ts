/**
 * What signals ask of a running command, and who may have sent them.
 *
 * @module
 */
import { isNarrowed } from "../../linux/narrow.ts";
import { type ProcessState, readProcessState } from "../../linux/process_state.ts";

/** The signals that ask to end. */
export type EndSignal = "SIGINT" | "SIGTERM" | "SIGHUP" | "SIGQUIT";

/** What signals ask of a command. */
export interface SignalRequests {
  /** SIGINT, SIGTERM, SIGHUP from a terminal that is gone, and SIGQUIT where it is heard. */
  end(signal: EndSignal): void;
  /** Whether SIGQUIT asks to end; else it ends this process as it ends any other. */
  hearsQuit?: boolean;
  /** Settles when this job may be stopped, as Ctrl-Z asks; absent: at once. */
  stopped?(): Promise<void>;
  /** SIGHUP where no terminal was there at start: files were moved. Undefined: it asks to end. */
  reopen?: () => void;
  /** SIGUSR1: tell how it goes. */
  report(): void;
  /** Ctrl-Z: what is done before the job stops. */
  beforeStop?: () => void;
}

/** Signal numbers (signal(7)), the same on all machines that Deno runs on. */
const SIGHUP = 1;
const SIGTSTP = 20;
/** Those that are listened to here: SIGHUP, SIGINT, SIGQUIT, SIGUSR1, SIGTERM, SIGTSTP. */
const HEARD = [SIGHUP, 2, 3, 10, 15, SIGTSTP];
/** Of the flags of an open file (open(2)). */
const O_ACCMODE = 3;
const O_WRONLY = 1;

/**
 * Listens to signals until this process ends. One that was ignored at start stays ignored where that is
 * how it is asked for: SIGHUP by nohup(1), SIGTSTP by a shell without jobs.
 */
export function listenToSignals(requests: SignalRequests): void {
  const { end, reopen, report } = requests;
  const ignored = ignoredSignals();
  // Now: once a terminal has gone, it is nobody's.
  const hasTerminal = (readProcessState("self")?.terminal ?? 0) !== 0;
  const hangUp = hasTerminal || reopen === undefined ? () => end("SIGHUP") : reopen;
  for (const signal of ["SIGINT", "SIGTERM", "SIGQUIT"] as const) {
    if (signal === "SIGQUIT" && !requests.hearsQuit) continue;
    Deno.addSignalListener(signal, () => end(signal));
  }
  Deno.addSignalListener("SIGUSR1", report);
  // To ignore it takes a listener: with the first of any signal Deno takes up SIGHUP, too.
  const isIgnored = ignored.has(SIGHUP) || hasInputOfNohup();
  Deno.addSignalListener("SIGHUP", isIgnored ? () => {} : hangUp);
  if (!ignored.has(SIGTSTP)) Deno.addSignalListener("SIGTSTP", jobStopper(requests));
}

/** The signals that this process ignores, of those that are heard here, by number. */
export function ignoredSignals(): Set<number> {
  const mask = /^SigIgn:\s*([0-9a-f]+)$/m.exec(readOwn("status"))?.[1];
  const bits = BigInt(`0x${mask ?? "0"}`);
  return new Set(HEARD.filter((signal) => (bits >> BigInt(signal - 1)) & 1n));
}

/**
 * Whether standard input is what nohup(1) puts in place of a terminal: /dev/null, which cannot be read.
 * A task runner that listens to SIGHUP itself has it no longer ignored in what it starts.
 */
function hasInputOfNohup(): boolean {
  const flags = /^flags:\s*([0-7]+)$/m.exec(readOwn("fdinfo/0"))?.[1];
  const isWriteOnly = (Number.parseInt(flags ?? "0", 8) & O_ACCMODE) === O_WRONLY;
  return isWriteOnly && Deno.readLinkSync("/proc/self/fd/0") === "/dev/null";
}

/** A file below /proc/self; "" where Deno may not read it, as is enough to read a capture file. */
function readOwn(name: string): string {
  try {
    return Deno.readTextFileSync(`/proc/self/${name}`);
  } catch {
    return "";
  }
}

/** How long after a job went on its Ctrl-Z may still be handed on. */
const HANDED_ON_MS = 1_000;

/**
 * Makes what Ctrl-Z does. A task runner between the shell and this process takes the signal and hands it
 * on, but does not stop itself, so that the shell would wait for ever: so the whole job is stopped, as
 * the terminal asked.
 */
function jobStopper({ stopped, beforeStop }: SignalRequests): () => Promise<void> {
  let continuedMs = -Infinity;
  const stopsAlone = canStopAlone();
  return async () => {
    await stopped?.();
    if (isNarrowed()) {
      if (stopsAlone) Deno.kill(Deno.pid, "SIGSTOP");
      return;
    }
    const own = readProcessState("self");
    if (own === undefined || !canBeContinued(own)) return;
    if (performance.now() - continuedMs < HANDED_ON_MS) return;
    beforeStop?.();
    Deno.kill(isAtTerminal(own) ? -own.group : own.pid, "SIGSTOP");
    // It goes on here.
    continuedMs = performance.now();
  };
}

/**
 * Whether it is enough that this process stops itself, which needs no permission: all others of the job stop
 * at the terminal's word, but for a task runner of Deno.
 */
function canStopAlone(): boolean {
  const own = readProcessState("self");
  return own !== undefined && canBeContinued(own) &&
    readProcessState(own.parentPid)?.comm !== "deno";
}

/** Whether what is typed at a terminal, such as Ctrl-C, is for the job that this process is of. */
export function isAtTerminal(own = readProcessState("self")): boolean {
  return own !== undefined && own.terminal !== 0 && own.foregroundGroup === own.group;
}

/**
 * Whether a shell could continue the job: one whose group has no parent outside in the same session is
 * never stopped by its terminal (POSIX: an orphaned process group).
 */
function canBeContinued(own: ProcessState): boolean {
  let stat: ProcessState | undefined = own;
  while (stat !== undefined && stat.group === own.group) stat = readProcessState(stat.parentPid);
  return stat?.session === own.session;
}

/** Does what Ctrl-Z at a terminal does, for who reads that key himself. */
export function askToStop(): void {
  Deno.kill(Deno.pid, "SIGTSTP");
}
