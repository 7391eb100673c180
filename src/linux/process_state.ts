/** What /proc/PID/stat tells of a process, and of its place among jobs and terminals (proc(5)). */
export interface ProcessState {
  pid: number;
  /** The name of its first thread, at most 15 bytes; untrusted text. */
  comm: string;
  /** Its state as one letter: R running, S sleeping, T stopped by a signal, Z ended and not yet reaped. */
  letter: string;
  parentPid: number;
  group: number;
  session: number;
  /** Device number of its controlling terminal, 0 where it has none. */
  terminal: number;
  /** The process group in that terminal's foreground, -1 without a terminal. */
  foregroundGroup: number;
  /** Processor time it took so far, in the kernel's ticks. */
  cpuTicks: number;
  /** When it began, in ticks since the machine did: with the id it means one process for ever. */
  startTicks: number;
}

/** Members by their place behind the name, which alone may hold blanks and parentheses. */
const AT = {
  state: 0,
  parentPid: 1,
  group: 2,
  session: 3,
  terminal: 4,
  foregroundGroup: 5,
  userTicks: 11,
  systemTicks: 12,
  startTicks: 19,
} as const;

/** Reads how a process is. @returns Undefined where it is gone or hidden. */
export function readProcessState(pid: number | "self"): ProcessState | undefined {
  try {
    return parseProcessState(Deno.readTextFileSync(`/proc/${pid}/stat`));
  } catch {
    // Gone and hidden (hidepid) are the same to who asks.
    return undefined;
  }
}

/** Parses the text of /proc/PID/stat. @returns Undefined where it is none. */
export function parseProcessState(text: string): ProcessState | undefined {
  const nameAt = text.indexOf("(");
  const nameEnd = text.lastIndexOf(")");
  if (nameAt < 0 || nameEnd < nameAt) return undefined;
  const rest = text.slice(nameEnd + 2).split(" ");
  const number = (at: number) => Number(rest[at]);
  const stat: ProcessState = {
    pid: Number.parseInt(text, 10),
    comm: text.slice(nameAt + 1, nameEnd),
    letter: rest[AT.state],
    parentPid: number(AT.parentPid),
    group: number(AT.group),
    session: number(AT.session),
    terminal: number(AT.terminal),
    foregroundGroup: number(AT.foregroundGroup),
    cpuTicks: number(AT.userTicks) + number(AT.systemTicks),
    startTicks: number(AT.startTicks),
  };
  return Object.values(stat).some((value) => Number.isNaN(value)) ? undefined : stat;
}
