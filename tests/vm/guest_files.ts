/**
 * What a guest is made of: a stock kernel and a bpftrace of one suite of Debian, fetched once and
 * kept in the user's cache. To have newer ones, delete the folder.
 *
 * @module
 */
import { output } from "./command.ts";
import { DebianArchive } from "./debian_archive.ts";
import { extractKernel } from "./kernel_image.ts";

/** A guest to test in. */
export interface Guest {
  /** Codename of the Debian whose kernel and bpftrace it runs. */
  readonly suite: string;
  /** How the kernel's release begins, with its dot. */
  readonly kernel: string;
  /** How the version of bpftrace begins, with its dot. */
  readonly bpftrace: string;
  /** Whether its kernel tells why it sends a RST: since 6.10. */
  readonly resetReasons: boolean;
}

/** The guests: the two Debian releases that are supported, by their codenames. */
export const GUESTS = {
  bookworm: { suite: "bookworm", kernel: "6.1.", bpftrace: "0.17.", resetReasons: false },
  trixie: { suite: "trixie", kernel: "6.12.", bpftrace: "0.23.", resetReasons: true },
} as const satisfies Record<string, Guest>;

/** The files of a guest; paths are absolute. */
export interface GuestFiles {
  /** What `uname -r` says in the guest. */
  readonly release: string;
  /** The kernel, an ELF file. */
  readonly image: string;
  /** The folder that has `lib/modules/RELEASE` with `modules.dep`. */
  readonly modulesRoot: string;
  /** A folder for PATH with the guest's `bpftrace`. */
  readonly bin: string;
  /** The folder of the scripts that come with bpftrace. */
  readonly scripts: string;
  /** The dynamic loader with the arguments for the libraries of the guest's own release. */
  readonly loader: readonly string[];
}

const MULTIARCH = "x86_64-linux-gnu";
const LOADER = "ld-linux-x86-64.so.2";

/**
 * Runs bpftrace with the libraries of its own release, down to the C library. The loader is called
 * bpftrace too, because a process is called as the file that was executed. Before all others: while
 * it compiles, a tracer that asks for packets 50 times a second takes half of an emulated processor.
 */
const BPFTRACE = `#!/bin/sh
root=\${0%/*}/..
libraries=$root/bpftrace/usr/lib/${MULTIARCH}:$root/bpftrace/lib/${MULTIARCH}
exec nice -n -10 "$root/loader/bpftrace" --library-path "$libraries" "$root/bpftrace/usr/bin/bpftrace" "$@"
`;

/**
 * Takes a guest's files from the cache, fetching them first where they are not there.
 *
 * @throws {Error} When they cannot be fetched.
 */
export async function guestFiles({ suite }: Guest): Promise<GuestFiles> {
  const folder = await cached(suite, (partial) => fetchInto(partial, suite));
  const modulesRoot = await libraryRoot(`${folder}/kernel`, "modules");
  const release = await kernelRelease(modulesRoot);
  // Renamed, so that a guest that runs already sees the one or the other.
  await Deno.writeTextFile(`${folder}/bin/bpftrace.${Deno.pid}`, BPFTRACE, { mode: 0o755 });
  await Deno.rename(`${folder}/bin/bpftrace.${Deno.pid}`, `${folder}/bin/bpftrace`);
  const libraries = ["usr/lib", "lib"].map((lib) => `${folder}/bpftrace/${lib}/${MULTIARCH}`);
  return {
    release,
    image: `${folder}/vmlinux`,
    modulesRoot,
    bin: `${folder}/bin`,
    scripts: `${folder}/bpftrace/usr/sbin`,
    loader: [`${folder}/loader/bpftrace`, "--library-path", libraries.join(":")],
  };
}

/**
 * A folder of the user's cache, filled where it is not there yet: in another folder that is renamed
 * then, so that a folder of the right name is complete.
 *
 * @param name The folder's name.
 * @param fill Fetches what belongs there into a folder that it is given.
 * @returns Its path.
 */
export async function cached(
  name: string,
  fill: (partial: string) => Promise<void>,
): Promise<string> {
  const cache = Deno.env.get("XDG_CACHE_HOME") || `${Deno.env.get("HOME") ?? "/var"}/.cache`;
  const folder = `${cache}/synsnoop/vm/${name}`;
  if (await exists(folder)) return folder;
  const partial = `${folder}.partial-${Deno.pid}`;
  try {
    await Deno.mkdir(partial, { recursive: true });
    await fill(partial);
    await Deno.rename(partial, folder);
  } catch (error) {
    // Another process that fetched the same was first.
    if (!await exists(folder)) throw error;
  } finally {
    if (await exists(partial)) await Deno.remove(partial, { recursive: true });
  }
  return folder;
}

async function fetchInto(folder: string, suite: string): Promise<void> {
  const archive = await DebianArchive.open(suite, `${folder}/apt`);
  await fetchKernel(archive, `${folder}/kernel`, `${folder}/vmlinux`);
  await archive.unpackClosure("bpftrace", `${folder}/bpftrace`);
  const libraries = await libraryRoot(`${folder}/bpftrace`, `${MULTIARCH}/${LOADER}`);
  await Deno.mkdir(`${folder}/loader`);
  await Deno.copyFile(`${libraries}/lib/${MULTIARCH}/${LOADER}`, `${folder}/loader/bpftrace`);
  await Deno.chmod(`${folder}/loader/bpftrace`, 0o755);
  await Deno.mkdir(`${folder}/bin`);
  await Deno.remove(`${folder}/apt`, { recursive: true });
}

async function fetchKernel(archive: DebianArchive, into: string, image: string): Promise<void> {
  // The name of the kernel's package has its version in it; this one always depends on the newest.
  const dependencies = await archive.dependencies("linux-image-amd64");
  const name = dependencies.find((each) => each.startsWith("linux-image-"));
  if (name === undefined) {
    throw new Error("Cannot find a kernel: linux-image-amd64 depends on none");
  }
  await archive.unpack(name, into);
  const root = await libraryRoot(into, "modules");
  const release = await kernelRelease(root);
  await output(["depmod", "-b", root, release]);
  await Deno.writeFile(image, await extractKernel(`${into}/boot/vmlinuz-${release}`));
}

/** Where `lib` is in unpacked packages: since Debian 13 under `usr`, before that partly beside it. */
async function libraryRoot(unpacked: string, name: string): Promise<string> {
  return await exists(`${unpacked}/usr/lib/${name}`) ? `${unpacked}/usr` : unpacked;
}

/** The one release whose modules are there. */
async function kernelRelease(modulesRoot: string): Promise<string> {
  const [entry] = await Array.fromAsync(Deno.readDir(`${modulesRoot}/lib/modules`));
  return entry.name;
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
