/**
 * What a guest is made of: a stock kernel and a bpftrace of one suite of Debian, fetched once and
 * kept in the user's cache. To have newer ones, delete the folder.
 *
 * @module
 */
import { output } from "./command.ts";
import { DebianArchive } from "./debian_archive.ts";

/** A guest to test in. */
export interface Guest {
  /** Codename of the Debian whose kernel and bpftrace it runs. */
  readonly suite: string;
  /** How the kernel's release begins, with its dot. */
  readonly kernel: string;
  /** How the version of bpftrace begins, with its dot. */
  readonly bpftrace: string;
}

/** The guests: the two Debian releases that are supported. */
export const GUESTS: readonly Guest[] = [
  { suite: "bookworm", kernel: "6.1.", bpftrace: "0.17." },
  { suite: "trixie", kernel: "6.12.", bpftrace: "0.23." },
];

/** The files of a guest; paths are absolute. */
export interface GuestFiles {
  /** What `uname -r` says in the guest. */
  readonly release: string;
  /** The compressed kernel. */
  readonly image: string;
  /** The folder that has `lib/modules/RELEASE` with `modules.dep`. */
  readonly modulesRoot: string;
  /** A folder for PATH with the guest's `bpftrace`. */
  readonly bin: string;
}

const MULTIARCH = "usr/lib/x86_64-linux-gnu";

/** Runs bpftrace with the libraries of its own release, down to the C library. */
const BPFTRACE = `#!/bin/sh
root=\${0%/*}/../bpftrace
exec "$root/${MULTIARCH}/ld-linux-x86-64.so.2" --library-path "$root/${MULTIARCH}" \\
  "$root/usr/bin/bpftrace" "$@"
`;

/**
 * Takes a guest's files from the cache, fetching them first where they are not there.
 *
 * @throws {Error} When they cannot be fetched.
 */
export async function guestFiles({ suite }: Guest): Promise<GuestFiles> {
  const cache = Deno.env.get("XDG_CACHE_HOME") || `${Deno.env.get("HOME") ?? "/var"}/.cache`;
  const folder = `${cache}/synsnoop/vm/${suite}`;
  if (!await exists(folder)) await fetchInto(folder, suite);
  // Since Debian 13 kernels are packaged under /usr.
  const modulesRoot = await exists(`${folder}/kernel/usr/lib/modules`)
    ? `${folder}/kernel/usr`
    : `${folder}/kernel`;
  const [release] = await namesIn(`${modulesRoot}/lib/modules`);
  return {
    release,
    image: `${folder}/kernel/boot/vmlinuz-${release}`,
    modulesRoot,
    bin: `${folder}/bin`,
  };
}

/** Fetches into another folder and renames it, so that a folder of the right name is complete. */
async function fetchInto(folder: string, suite: string): Promise<void> {
  const partial = `${folder}.partial-${Deno.pid}`;
  try {
    await Deno.mkdir(`${partial}/bin`, { recursive: true });
    const archive = await DebianArchive.open(suite, `${partial}/apt`);
    await unpackKernel(archive, `${partial}/kernel`);
    await archive.unpackClosure("bpftrace", `${partial}/bpftrace`);
    await Deno.writeTextFile(`${partial}/bin/bpftrace`, BPFTRACE, { mode: 0o755 });
    await Deno.remove(`${partial}/apt`, { recursive: true });
    await Deno.rename(partial, folder);
  } catch (error) {
    // Another process that fetched the same was first.
    if (await exists(folder)) return;
    throw error;
  } finally {
    if (await exists(partial)) await Deno.remove(partial, { recursive: true });
  }
}

async function unpackKernel(archive: DebianArchive, into: string): Promise<void> {
  // The name of the kernel's package has its version in it; this one always depends on the newest.
  const dependencies = await archive.dependencies("linux-image-amd64");
  const name = dependencies.find((each) => each.startsWith("linux-image-"));
  if (name === undefined) {
    throw new Error("Cannot find a kernel: linux-image-amd64 depends on none");
  }
  await archive.unpack(name, into);
  const root = await exists(`${into}/usr/lib/modules`) ? `${into}/usr` : into;
  const [release] = await namesIn(`${root}/lib/modules`);
  await output(["depmod", "-b", root, release]);
}

async function namesIn(folder: string): Promise<string[]> {
  return (await Array.fromAsync(Deno.readDir(folder))).map((entry) => entry.name);
}

async function exists(path: string): Promise<boolean> {
  try {
    await Deno.stat(path);
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}
