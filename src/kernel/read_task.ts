/** Who ran when something happened: the words of a kernel's record that tell of a task. */
import { readComm } from "./read_comm.ts";

/** A thread that is not the first of its process. */
export interface Thread {
  /** Thread id in the kernel's first pid namespace. */
  tid: number;
  /** Its name, at most 15 bytes: untrusted text; undefined where the kernel could not tell. */
  comm?: string;
}

/** A process, as the kernel saw it at the moment that counts. */
export interface Process {
  /** Process id in the kernel's first pid namespace: that of its first thread. */
  pid: number;
  /** Command name of its first thread, at most 15 bytes, as given by the process: untrusted text. */
  comm: string;
  /** User id that owns the socket. */
  uid: number;
  /** Id of the socket's cgroup (v2): the inode number of its folder; undefined where not known. */
  cgroup?: number;
  /** The thread that did it; undefined for the first one, and where it is not known. */
  thread?: Thread;
  /** That it is a thread of the kernel, which has its own clients, such as NFS. */
  kernel?: true;
}

/** Who ran when something happened. */
export interface Task {
  /** Process id, 0 where the kernel could not tell. */
  pid: number;
  /** Command name of its first thread, "" where the kernel could not tell: untrusted text. */
  comm: string;
  /** The thread that ran, where it was not the first of the process. */
  thread: Thread | undefined;
  /** Whether it was a thread of the kernel. */
  isKernel: boolean;
}

// Offsets of the fields in bytes, see `kernel_record.ts`.
const PID = 12;
const TASK = 64;
const TID = 68;
/** Where the name of a process stands. */
export const COMM = 120;
/** Where the name of a thread stands. */
export const THREAD_COMM = 136;
/** Bits of the task: a thread of the kernel, and that it does what another asked for. */
const KERNEL_THREAD = 0x1;
const ON_BEHALF = 0x2;

/** So a server's side has it, which the kernel completes in whatever task it interrupts. */
const NOBODY: Task = { pid: 0, comm: "", thread: undefined, isKernel: false };

/**
 * Reads who ran.
 *
 * @param values The values' bytes. @param valueAt Where the record's value begins.
 * @returns Nobody where a thread of the kernel did what another asked for: who, it does not tell.
 */
export function readTask(values: DataView, valueAt: number): Task {
  const bits = values.getUint32(valueAt + TASK, true);
  const pid = values.getUint32(valueAt + PID, true);
  if (pid === 0 || (bits & ON_BEHALF) !== 0) return NOBODY;
  const isKernel = (bits & KERNEL_THREAD) !== 0;
  const tid = values.getUint32(valueAt + TID, true);
  const thread = tid === 0 ? undefined : readThread(tid, readComm(values, valueAt + THREAD_COMM));
  return { pid, comm: readComm(values, valueAt + COMM), thread, isKernel };
}

/** Printed lines lack a thread's name. */
function readThread(tid: number, comm: string): Thread {
  return comm === "" ? { tid } : { tid, comm };
}
