/**
 * The root of a fresh Debian of a suite, made by debootstrap once and kept in the user's cache. Nothing
 * in it is ever changed: who installs something there puts a layer over it.
 *
 * @module
 */
import { findExecutable } from "../../src/linux/host.ts";
import { cached } from "./cache.ts";
import { output } from "./command.ts";
import { debianMirror, debianRelease } from "./debian_archive.ts";

/** What is in it beside what every Debian has: what the package needs and what looks at it. */
const INCLUDED = ["bpftrace", "iproute2", "logrotate", "systemd-sysv"];

/** Why no such root can be made here; undefined where it can. */
export async function reasonAgainstRoots(): Promise<string | undefined> {
  if (Deno.uid() !== 0) return "not root";
  if (await debianRelease() === undefined) {
    return "packages are fetched from this machine's Debian mirror, and this is not Debian";
  }
  return findExecutable("debootstrap") === undefined ? 'no "debootstrap"' : undefined;
}

/**
 * Takes it from the cache, making it first where it is not there.
 *
 * @param suite The suite's codename.
 * @returns Its folder.
 * @throws {Error} When it cannot be fetched.
 */
export async function debianRoot(suite: string): Promise<string> {
  const folder = await cached(`${suite}-root`, async (partial) => {
    const options = ["--variant=minbase", `--include=${INCLUDED.join(",")}`];
    await output(["debootstrap", ...options, suite, `${partial}/root`, await debianMirror()]);
    await output(["chroot", `${partial}/root`, "apt-get", "clean"]);
  });
  return `${folder}/root`;
}
