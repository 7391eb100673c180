/**
 * What a guest is made of: a stock kernel and a bpftrace of one suite of Debian, fetched once and
 * kept in the user's cache. To have newer ones, delete the folder.
 *
 * @module
 */
import { cached, exists } from "./cache.ts";
import { output } from "./command.ts";
import { DebianArchive } from "./debian_archive.ts";
import { debianBpftrace } from "./debian_bpftrace.ts";
import { extractKernel } from "./kernel_image.ts";

/** A guest to test in. */
export interface Guest {
  /** Codename of the Debian whose kernel and bpftrace it runs. */
  readonly suite: string;
  /** How the kernel's release begins; of a suite that moves on, whatever it has. */
  readonly kernel: string;
  /** How the version of bpftrace begins, likewise. */
  readonly bpftrace: string;
  /** Whether its kernel tells why it sends a RST: since 6.10. */
  readonly resetReasons: boolean;
}

/**
 * The guests by their suites: the two Debian releases that are supported, and what becomes the next one,
 * where a version is what that suite has today.
 */
export const GUESTS = {
  bookworm: { suite: "bookworm", kernel: "6.1.", bpftrace: "0.17.", resetReasons: false },
  trixie: { suite: "trixie", kernel: "6.12.", bpftrace: "0.23.", resetReasons: true },
  sid: { suite: "sid", kernel: "", bpftrace: "", resetReasons: true },
} as const satisfies Record<string, Guest>;

/** What a guest boots with; paths are absolute. */
export interface BootFiles {
  readonly architecture: "x86_64" | "aarch64";
  /** What `uname -r` says in the guest. */
  readonly release: string;
  /** The kernel: an ELF file, or for aarch64 as it lies in memory. */
  readonly image: string;
  /** The folder that has `lib/modules/RELEASE` with `modules.dep`. */
  readonly modulesRoot: string;
  /** The folder whose files the guest sees, under a layer for what it writes. */
  readonly root: string;
  /** A busybox of its architecture that needs no library; undefined: this machine's. */
  readonly busybox?: string;
  /** The emulator; undefined: this machine's. */
  readonly qemu?: string;
}

/** The files of a guest that sees this machine's. */
export interface GuestFiles extends BootFiles {
  /** A folder for PATH with the guest's `bpftrace`. */
  readonly bin: string;
  /** The folder of the scripts that come with bpftrace. */
  readonly scripts: string;
  /** The dynamic loader with the arguments for the libraries of the guest's own release. */
  readonly loader: readonly string[];
}

/**
 * Takes a guest's files from the cache, fetching them first where they are not there.
 *
 * @throws {Error} When they cannot be fetched.
 */
export async function guestFiles({ suite }: Guest): Promise<GuestFiles> {
  const folder = await cached(`${suite}-kernel`, (partial) => fetchInto(partial, suite));
  const bpftrace = await debianBpftrace(suite);
  const modulesRoot = await libraryRoot(`${folder}/kernel`, "modules");
  const release = await kernelRelease(modulesRoot);
  // Before all others: while it compiles, a tracer that asks for packets 50 times a second takes half of
  // an emulated processor.
  const run = `#!/bin/sh\nexec nice -n -10 ${bpftrace.command.join(" ")} "$@"\n`;
  // Renamed, so that a guest that runs already sees the one or the other.
  await Deno.writeTextFile(`${folder}/bin/bpftrace.${Deno.pid}`, run, { mode: 0o755 });
  await Deno.rename(`${folder}/bin/bpftrace.${Deno.pid}`, `${folder}/bin/bpftrace`);
  return {
    architecture: "x86_64",
    root: "/",
    release,
    image: `${folder}/vmlinux`,
    modulesRoot,
    bin: `${folder}/bin`,
    scripts: bpftrace.scripts,
    loader: bpftrace.loader,
  };
}

async function fetchInto(folder: string, suite: string): Promise<void> {
  const archive = await DebianArchive.open(suite, `${folder}/apt`);
  const { compressed } = await fetchKernel(archive, `${folder}/kernel`, "linux-image-amd64");
  await Deno.writeFile(`${folder}/vmlinux`, await extractKernel(compressed));
  await Deno.mkdir(`${folder}/bin`);
  await Deno.remove(`${folder}/apt`, { recursive: true });
}

/** A kernel that was fetched; paths are absolute. */
export interface FetchedKernel {
  readonly release: string;
  /** As its package has it. */
  readonly compressed: string;
  /** The folder that has `lib/modules/RELEASE` with `modules.dep`. */
  readonly modulesRoot: string;
}

/**
 * Unpacks a suite's newest kernel with its modules into a folder.
 *
 * @param latest The package without a version in its name, which always depends on the newest.
 */
export async function fetchKernel(
  archive: DebianArchive,
  into: string,
  latest: string,
): Promise<FetchedKernel> {
  const dependencies = await archive.dependencies(latest);
  const name = dependencies.find((each) => each.startsWith("linux-image-"));
  if (name === undefined) throw new Error(`Cannot find a kernel: ${latest} depends on none`);
  await archive.unpack(name, into);
  // Since 7.0 or so that package is empty: the kernel and its modules have packages of their own.
  for (const part of await archive.dependencies(name)) {
    if (/^linux-(?:base|binary|modules)-\d/.test(part)) await archive.unpack(part, into);
  }
  const modulesRoot = await libraryRoot(into, "modules");
  const release = await kernelRelease(modulesRoot);
  await output(["depmod", "-b", modulesRoot, release]);
  const inBoot = `${into}/boot/vmlinuz-${release}`;
  const besideModules = `${modulesRoot}/lib/modules/${release}/vmlinuz`;
  return { release, modulesRoot, compressed: await exists(inBoot) ? inBoot : besideModules };
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
