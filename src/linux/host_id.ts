/**
 * Which host this is, and which run of the tool on it.
 *
 * @module
 */

/** Where systemd and D-Bus keep the machine-id (machine-id(5)). */
const MACHINE_ID_PATHS = ["/etc/machine-id", "/var/lib/dbus/machine-id"];
/** What makes the id this tool's own: any other tool's id of the same machine tells nothing of it. */
export const APPLICATION = "5f1c7c3aa9d04c5b8e0d5c1f0a7b6e21";
/** A machine-id, in hexadecimal digits; before the first boot "uninitialized" may stand there. */
const MACHINE_ID = /^[0-9a-f]{32}$/;

/**
 * An id of this host that stays when it is renamed: 32 hexadecimal digits. It is not the machine-id
 * itself, which must not leave the host (machine-id(5)), but made of it and of this tool's own id as
 * `sd_id128_get_machine_app_specific` does: `systemd-id128 machine-id --app-specific` prints the same.
 *
 * @param paths Where the machine-id may stand. @returns Undefined where none does, as in many containers.
 */
export async function hostId(
  paths: readonly string[] = MACHINE_ID_PATHS,
): Promise<string | undefined> {
  const machineId = paths.map(readLine).find((line) => MACHINE_ID.test(line));
  if (machineId === undefined) return undefined;
  const algorithm = { name: "HMAC", hash: "SHA-256" };
  const key = await crypto.subtle.importKey(
    "raw",
    Uint8Array.fromHex(machineId),
    algorithm,
    false,
    ["sign"],
  );
  const hash = await crypto.subtle.sign("HMAC", key, Uint8Array.fromHex(APPLICATION));
  const id = new Uint8Array(hash, 0, 16);
  // Version and variant of a random UUID (RFC 9562 §5.4), as systemd sets them.
  id[6] = id[6] & 0x0f | 0x40;
  id[8] = id[8] & 0x3f | 0x80;
  return id.toHex();
}

function readLine(path: string): string {
  try {
    return Deno.readTextFileSync(path).trim();
  } catch {
    return "";
  }
}

/** This run of the tool: its process id, and when it began in milliseconds of Unix time. */
export function tracerId(): string {
  return `${Deno.pid}-${Math.floor(performance.timeOrigin)}`;
}
