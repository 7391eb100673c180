import { messageOf } from "../../text/message.ts";
import { sayNote } from "./terminal.ts";

const PASSWD = "/etc/passwd";

/**
 * Finds the id of a user of this host in its /etc/passwd. That nobody has the name is said: users of a
 * directory such as LDAP have none there.
 *
 * @returns Undefined where nobody has it, or the file cannot be read.
 */
export function uidOf(name: string): number | undefined {
  let passwd: string;
  try {
    passwd = Deno.readTextFileSync(PASSWD);
  } catch (error) {
    sayNote(`Cannot read ${PASSWD}: ${messageOf(error)}; --user takes uids, too`);
    return undefined;
  }
  const uid = findUid(passwd, name);
  if (uid === undefined) {
    sayNote(`no user in ${PASSWD} is called "${name}": --user takes uids, too`);
  }
  return uid;
}

/** The same, without a word; undefined where it is not known. */
export function knownUid(name: string): number | undefined {
  try {
    return findUid(Deno.readTextFileSync(PASSWD), name);
  } catch {
    return undefined;
  }
}

/** Finds the id of a user in the text of a passwd file (passwd(5)): the first entry counts. */
export function findUid(passwd: string, name: string): number | undefined {
  for (const line of passwd.split("\n")) {
    const [entry, , uid = ""] = line.split(":");
    if (entry === name && /^\d{1,10}$/.test(uid)) return Number(uid);
  }
  return undefined;
}
