/** What /proc says of a process that is watched. */
export interface ProcessState {
  /** Its state as one letter: R running, S sleeping, T stopped by a signal, Z ended and not yet reaped. */
  letter: string;
  /** Processor time it took so far, in the kernel's ticks. */
  cpuTicks: number;
}

// Fields of /proc/PID/stat (proc(5)), counted after the command name in parentheses.
const STATE = 0;
const USER_TICKS = 11;
const SYSTEM_TICKS = 12;

/** Reads how a process is. @returns Undefined where it is gone. */
export function readProcessState(pid: number): ProcessState | undefined {
  let text: string;
  try {
    text = Deno.readTextFileSync(`/proc/${pid}/stat`);
  } catch {
    return undefined;
  }
  const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
  return {
    letter: fields[STATE],
    cpuTicks: Number(fields[USER_TICKS]) + Number(fields[SYSTEM_TICKS]),
  };
}
