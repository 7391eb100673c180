/**
 * A command that runs while it is traced: as who called sudo, at the same terminal, in a cgroup of its
 * own by which its processes are known.
 *
 * @module
 */
import type { Process } from "../../kernel/read_task.ts";
import {
  CommandCgroup,
  isInFirstProcessNamespace,
  removeLeftCgroups,
} from "../../linux/command_cgroup.ts";
import { cgroupOf } from "../../linux/cgroup_paths.ts";
import { findExecutable } from "../../linux/host.ts";
import { readProcessState } from "../../linux/process_state.ts";
import { ProcessTree } from "../../linux/process_tree.ts";
import { environmentWords, privilegeWords, sudoUser } from "../../linux/sudo_user.ts";
import { messageOf } from "../../text/message.ts";
import { ExitStatus } from "../usage.ts";
import { type EndSignal, ignoredSignals, isAtTerminal } from "./signals.ts";

/** Why a command cannot be run, with the status that a shell gives then. */
export interface Unrunnable {
  sentence: string;
  status: number;
}

/**
 * Looks whether there is such a program, before anything is begun.
 *
 * @returns Undefined where it can be run, as far as this process can tell.
 */
export function refuseCommand([program]: readonly string[]): Unrunnable | undefined {
  const isPath = program.includes("/");
  const path = isPath ? program : findExecutable(program, false);
  if (path === undefined) {
    return { sentence: `Cannot run "${program}": no folder of PATH has it`, status: 127 };
  }
  try {
    const { isDirectory, mode } = Deno.statSync(path);
    if (isDirectory) return { sentence: `Cannot run "${program}": it is a folder`, status: 126 };
    if (((mode ?? 0) & 0o111) !== 0) return undefined;
    const sentence = `Cannot run "${program}": it is not executable (chmod +x)`;
    return { sentence, status: 126 };
  } catch (error) {
    const isThere = !(error instanceof Deno.errors.NotFound);
    return {
      sentence: `Cannot run "${program}": ` +
        (isThere ? messageOf(error) : "there is no such file"),
      status: isThere ? 126 : 127,
    };
  }
}

/** Signals so long after the first are the same request, see `Ending`. */
const SAME_REQUEST_MS = 1_000;
/** How long a command may take to stop at Ctrl-Z, and how often is looked whether it has. */
const STOPPED_MAX_MS = 500;
const STOPPED_LOOK_MS = 10;

/**
 * Becomes the command: in its cgroup, with the limit on open files and the ignored signals that this
 * process was started with, for the runtime has changed both.
 */
const BECOME = `[ -z "$1" ] || echo 0 >"$1" || exit 1
[ -z "$2" ] || ulimit -Sn "$2" 2>/dev/null
[ -z "$3" ] || trap '' $3
shift 3
exec "$@"`;

/** A command, its processes and its end. */
export class TracedCommand implements Disposable {
  /** Settles when it has ended, or could not be started. */
  readonly ended: Promise<void>;
  readonly #words: readonly string[];
  readonly #onNote: (sentence: string) => void;
  readonly #onEnded: () => void;
  readonly #ignored = ignoredSignals();
  readonly #cgroup: CommandCgroup | undefined;
  /** Why there is no cgroup. */
  #why = "";
  #tree: ProcessTree | undefined;
  #child: Deno.ChildProcess | undefined;
  #status: Deno.CommandStatus | undefined;
  #askedMs: number | undefined;
  /** Whether it is not to be started any more, or not to be waited for. */
  #isForgone = false;
  #hasLeft = false;

  /**
   * Starts nothing yet; makes the cgroup. Before signals are listened to.
   *
   * @param words The command and its arguments. @param onNote Says in one sentence what is worth knowing.
   */
  constructor(words: readonly string[], onNote: (sentence: string) => void) {
    this.#words = words;
    this.#onNote = onNote;
    ({ promise: this.ended, resolve: this.#onEnded } = Promise.withResolvers<void>());
    removeLeftCgroups();
    try {
      this.#cgroup = CommandCgroup.create();
    } catch (error) {
      this.#why = messageOf(error);
    }
  }

  /**
   * Starts it.
   *
   * @param hasKernel Whether kernel events come, without which nobody knows whose a handshake is.
   * @returns Whether it was started; else it was said why not.
   */
  start(hasKernel: boolean): boolean {
    if (this.#isForgone) return false;
    const fault = hasKernel
      ? this.#start()
      : "kernel events alone tell whose a handshake is, and none come; see synsnoop doctor";
    if (fault === undefined) return true;
    this.#onNote(`Cannot trace "${this.#words[0]}", which was not run: ${fault}`);
    this.#forgo();
    return false;
  }

  /** @returns Why it could not be started. */
  #start(): string | undefined {
    if (this.#cgroup === undefined && !isInFirstProcessNamespace()) {
      return `it can have no cgroup of its own (${this.#why}), and the kernel's process ids are ` +
        "not those of this container";
    }
    const user = sudoUser();
    const layers: string[] = [];
    if (user !== undefined) {
      const [env, setpriv] = ["env", "setpriv"].map((name) => findExecutable(name));
      if (env === undefined || setpriv === undefined) {
        return `to become ${user.name} takes env and setpriv (util-linux)`;
      }
      layers.push(env, ...environmentWords(user), setpriv, ...privilegeWords(user), "--");
    }
    try {
      const child = new Deno.Command("/bin/sh", {
        args: [
          ...["-c", BECOME, "sh", this.#cgroup?.processesFile ?? "", openFilesLimit()],
          [...this.#ignored].join(" "),
          ...layers,
          ...this.#words,
        ],
        stdin: "inherit",
        stdout: "inherit",
        stderr: "inherit",
      }).spawn();
      this.#child = child;
      child.status.then((status) => {
        this.#status = status;
        this.#onEnded();
      });
    } catch (error) {
      return messageOf(error);
    }
    const as = user === undefined ? "" : ` as ${user.name}, who called sudo`;
    this.#onNote(`running "${this.#words[0]}"${as}`);
    if (this.#cgroup !== undefined) return;
    this.#tree = new ProcessTree(this.#child.pid);
    this.#onNote(
      `it can have no cgroup of its own (${this.#why}): its children are looked for every 10 ms, ` +
        "and what one does that lives shorter is not reported",
    );
  }

  /** Whether a process is one of the command's. @param path Path of its socket's cgroup. */
  has({ pid, cgroup }: Process, path: string | undefined): boolean {
    if (pid === this.#child?.pid || this.#tree?.has(pid)) return true;
    if (this.#cgroup === undefined) return false;
    const { id, path: own } = this.#cgroup;
    if (cgroup === id || path?.startsWith(`${own}/`)) return true;
    // Of who listens the cgroup is not always known.
    const found = cgroup === undefined ? cgroupOf(pid) : undefined;
    return found !== undefined && (found === own || found.startsWith(`${own}/`));
  }

  /**
   * Takes a signal that asks to end: while the command runs it is the command's. At a terminal it has it
   * already; a second request, some time after the first, is none of the command's any more.
   *
   * @returns Whether it was taken.
   */
  takes(signal: EndSignal): boolean {
    const child = this.#child;
    if (child === undefined || this.#status !== undefined) return false;
    const isKey = signal === "SIGINT" || signal === "SIGQUIT";
    if (isKey && isAtTerminal()) return true;
    const nowMs = performance.now();
    this.#askedMs ??= nowMs;
    if (nowMs - this.#askedMs > SAME_REQUEST_MS) {
      this.#forgo();
      return false;
    }
    if (nowMs > this.#askedMs) return true;
    try {
      child.kill(signal);
    } catch {
      // It has just ended.
    }
    return true;
  }

  /**
   * Has the terminal's Ctrl-Z done to the command before all of the job is stopped at once: it may have to
   * give the terminal back first.
   */
  async stopped(): Promise<void> {
    const endMs = performance.now() + STOPPED_MAX_MS;
    while (performance.now() < endMs && this.#status === undefined) {
      if (this.#child === undefined || readProcessState(this.#child.pid)?.letter === "T") return;
      await new Promise((resolve) => setTimeout(resolve, STOPPED_LOOK_MS));
    }
  }

  /** What has not begun by now never does. */
  close(): void {
    if (this.#child !== undefined || this.#isForgone) return;
    this.#onNote(`"${this.#words[0]}" was not run: the trace ended before`);
    this.#forgo();
  }

  /** Has nobody wait for it any more. */
  #forgo(): void {
    this.#isForgone = true;
    this.#onEnded();
  }

  /** Waits for its end. @returns Its status as a shell gives it. */
  async status(): Promise<number> {
    await this.ended;
    if (this.#child === undefined) return ExitStatus.Failed;
    return this.#status?.code ?? ExitStatus.Interrupted;
  }

  /** Gives back what it took: its cgroup. Says who goes on. */
  [Symbol.dispose](): void {
    if (this.#hasLeft) return;
    this.#hasLeft = true;
    this.#tree?.[Symbol.dispose]();
    const running = (this.#cgroup ?? this.#tree)?.members()
      .filter((pid) => readProcessState(pid)?.letter !== "Z").length ?? 0;
    if (running > 0) {
      const who = running === 1 ? "a process" : `${running} processes`;
      this.#onNote(`${who} of "${this.#words[0]}" still run${running === 1 ? "s" : ""}, untraced`);
    }
    if (this.#cgroup === undefined || this.#cgroup.remove()) return;
    this.#onNote(
      `Cannot remove "${this.#cgroup.folder}", which something still uses: the next trace of a ` +
        "command does",
    );
  }
}

/** The limit on open files that who started this process has, for the runtime raises its own. */
function openFilesLimit(): string {
  try {
    const limits = Deno.readTextFileSync(`/proc/${Deno.ppid}/limits`);
    return /^Max open files +(\d+|unlimited) /m.exec(limits)?.[1] ?? "";
  } catch {
    return "";
  }
}
