import { sayNote } from "./terminal.ts";

const PASSWD = "/etc/passwd";

/**
 * Finds the id of a user of this host in its /etc/passwd. That nobody has the name is said: users of a
 * directory such as LDAP have none there.
 *
 * @returns Undefined where nobody has it.
 */
export function uidOf(name: string): number | undefined {
  const uid = findUid(readPasswd(), name);
  if (uid === undefined) {
    sayNote(`no user in ${PASSWD} is called "${name}": --user takes uids, too`);
  }
  return uid;
}

function readPasswd(): string {
  try {
    return Deno.readTextFileSync(PASSWD);
  } catch {
    // Where it cannot be read, nobody is known.
    return "";
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
