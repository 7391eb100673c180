/**
 * A cgroup (version 2) of its own for a command that is traced: by it the command's processes are known,
 * whoever started them and however short they live.
 *
 * @module
 */
import { messageOf } from "../text/message.ts";
import { type CgroupMount, cgroupOf, findCgroups, pathInHierarchy } from "./cgroup_paths.ts";
import { readProcessState } from "./process_state.ts";
import { joinNames, nameOf, nameText, readFolder, readLink } from "./system_names.ts";

/** Of a process namespace, a process and when it began: what is left by one that was killed is known. */
const NAME = /^synsnoop-(\d+)-(\d+)-(\d+)$/;
/** PROC_PID_INIT_INO (linux/proc_ns.h). */
const FIRST_PROCESS_NAMESPACE = String(0xeffffffc);
/** A process may make others while it is being moved. */
const MOVES_MAX = 10;
/** Writing 0 moves who writes. */
const ENTER = 'echo 0 >"$1"';

/** A cgroup below the one that this process is in, whose limits and place in the hierarchy still hold. */
export class CommandCgroup {
  /** Its id: the inode number of its folder. */
  readonly id: number;
  /** Its path in the hierarchy. */
  readonly path: string;
  /** Its folder. */
  readonly folder: string;
  readonly #parent: string;

  private constructor(folder: string, parent: string, mount: CgroupMount) {
    this.folder = folder;
    this.#parent = parent;
    this.path = pathInHierarchy(folder, mount) ?? folder;
    this.id = Deno.statSync(folder).ino ?? 0;
  }

  /**
   * Makes one, and has a process enter it to see that one can.
   *
   * @throws {Error} Its message is the reason alone.
   */
  static create(): CommandCgroup {
    const mount = findCgroups();
    const own = cgroupOf("self");
    if (mount === undefined || own === undefined) throw new Error("no cgroup v2 is mounted");
    const root = mount.root === "/" ? "" : mount.root;
    if (own !== root && !own.startsWith(`${root}/`)) {
      throw new Error(`its own cgroup "${own}" is not to be seen here`);
    }
    const parent = (mount.point + own.slice(root.length)).replace(/\/$/, "");
    const folder = `${parent}/${ownName()}`;
    try {
      Deno.mkdirSync(folder);
    } catch (error) {
      throw new Error(messageOf(error).replace(/: mkdir '.*$/s, ""));
    }
    const { success, stderr } = new Deno.Command("/bin/sh", {
      args: ["-c", ENTER, "sh", `${folder}/cgroup.procs`],
      stdin: "null",
    }).outputSync();
    if (success) return new CommandCgroup(folder, parent, mount);
    Deno.removeSync(folder);
    const said = new TextDecoder().decode(stderr).trim();
    throw new Error(`none can enter one below "${own}": ${said.split(": ").at(-1)}`);
  }

  /** The file that a process writes 0 to in order to enter. */
  get processesFile(): string {
    return `${this.folder}/cgroup.procs`;
  }

  /** The processes in it, not those in cgroups that they made below it. */
  members(): number[] {
    return membersOf(this.folder);
  }

  /**
   * Removes it. What still runs in it goes on in the cgroup around it.
   *
   * @returns False where something made further cgroups below it and is still there.
   */
  remove(): boolean {
    return dissolve(this.folder, this.#parent);
  }
}

function ownName(): string {
  const { pid, startTicks } = readProcessState("self")!;
  return `synsnoop-${processNamespace()}-${pid}-${startTicks}`;
}

/** Whether process ids here are those that the kernel tells of. */
export function isInFirstProcessNamespace(): boolean {
  return processNamespace() === FIRST_PROCESS_NAMESPACE;
}

/** The inode number of the namespace that process ids here are of. */
function processNamespace(): string {
  const link = readLink("/proc/self/ns/pid");
  return /\d+/.exec(link === undefined ? "" : nameText(link))?.[0] ?? "0";
}

/**
 * Removes cgroups that traces left which were killed. What still runs in one goes on in the one around it.
 *
 * @returns How many were removed.
 */
export function removeLeftCgroups(): number {
  const mount = findCgroups();
  if (mount === undefined) return 0;
  const namespace = processNamespace();
  let removed = 0;
  const look = (folder: Uint8Array<ArrayBuffer>) => {
    for (const { name, isFolder } of readFolder(folder) ?? []) {
      if (!isFolder) continue;
      const path = joinNames(folder, name);
      const [, inNamespace, pid, startTicks] = NAME.exec(nameText(name)) ?? [];
      const isLeft = inNamespace === namespace &&
        readProcessState(Number(pid))?.startTicks !== Number(startTicks);
      if (!isLeft) look(path);
      else if (dissolve(nameText(path), nameText(folder))) removed++;
    }
  };
  look(nameOf(mount.point));
  return removed;
}

/** Moves the processes of a cgroup to the one around it, and removes it. @returns Whether it is gone. */
function dissolve(folder: string, parent: string): boolean {
  for (let moves = 0; moves < MOVES_MAX; moves++) {
    const members = membersOf(folder);
    for (const pid of members) {
      try {
        Deno.writeTextFileSync(`${parent}/cgroup.procs`, String(pid), { create: false });
      } catch {
        // It has ended meanwhile, or the kernel says no: then the folder stays.
      }
    }
    try {
      for (const { name, isDirectory } of Deno.readDirSync(folder)) {
        if (isDirectory) Deno.removeSync(`${folder}/${name}`);
      }
      Deno.removeSync(folder);
      return true;
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) return true;
      if (members.length === 0) return false;
    }
  }
  return false;
}

function membersOf(folder: string): number[] {
  try {
    // One of another process namespace is 0 here.
    return Deno.readTextFileSync(`${folder}/cgroup.procs`).split("\n").map(Number).filter(Boolean);
  } catch {
    return [];
  }
}
