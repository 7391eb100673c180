/**
 * Who called sudo: a command that is traced runs as that user, as it would without.
 *
 * @module
 */
import { environmentVariable } from "./environment.ts";
import { isRoot } from "./host.ts";

/** A user of this host. */
export interface User {
  uid: number;
  gid: number;
  /** Untrusted text. */
  name: string;
  /** Where sudo's user is in no database: undefined. */
  home?: string;
  shell?: string;
}

/** The user who called sudo to run this process; undefined where it is not root, or root did. */
export function sudoUser(): User | undefined {
  if (!isRoot()) return undefined;
  const [uid, gid] = ["SUDO_UID", "SUDO_GID"].map(environmentVariable).map(parseId);
  if (!uid || gid === undefined) return undefined;
  return parsePasswd(readPasswd(uid), uid, gid) ??
    { uid, gid, name: environmentVariable("SUDO_USER") ?? String(uid) };
}

function parseId(text: string | undefined): number | undefined {
  return text !== undefined && /^\d{1,10}$/.test(text) ? Number(text) : undefined;
}

/** The user's line of the database, wherever nsswitch.conf(5) has it, such as a directory. */
function readPasswd(uid: number): string {
  try {
    const command = new Deno.Command("getent", { args: ["passwd", String(uid)], stdin: "null" });
    return new TextDecoder().decode(command.outputSync().stdout);
  } catch {
    // No getent, as with musl.
    return "";
  }
}

/** Reads a line of passwd(5) of a user. @returns Undefined where it is none. */
export function parsePasswd(line: string, uid: number, gid: number): User | undefined {
  const [name, , ofUid, , , home, shell] = line.split("\n")[0].split(":");
  if (ofUid !== String(uid)) return undefined;
  return { uid, gid, name, home: home || undefined, shell: shell || undefined };
}

/** Variables by which sudo tells what it did (sudo(8)). */
const OF_SUDO = ["SUDO_COMMAND", "SUDO_GID", "SUDO_HOME", "SUDO_TTY", "SUDO_UID", "SUDO_USER"];

/** The words for env(1) that give a user's environment back, as far as sudo has changed it. */
export function environmentWords({ name, home, shell }: User): string[] {
  const set = { HOME: home, LOGNAME: name, SHELL: shell, USER: name };
  return [
    ...OF_SUDO.flatMap((variable) => ["-u", variable]),
    ...Object.entries(set).flatMap(([variable, value]) =>
      value === undefined ? [] : [`${variable}=${value}`]
    ),
  ];
}

/** The words for setpriv(1) that become a user, with all the groups that the database gives. */
export function privilegeWords({ uid, gid, home }: User): string[] {
  // Of who is in no database, there are no groups.
  const groups = home === undefined ? "--clear-groups" : "--init-groups";
  return ["--reuid", String(uid), "--regid", String(gid), groups];
}
