/**
 * What an arm64 guest is made of: the kernel and the programs of a suite of Debian, Deno from its npm
 * package, and the emulator, where it is not installed. Fetched once and kept in the user's cache; of
 * another architecture nothing is installed here, and nothing of it runs outside of the guest.
 *
 * @module
 */
import { findExecutable } from "../../src/linux/host.ts";
import { cached, exists } from "./cache.ts";
import { output } from "./command.ts";
import { DebianArchive, debianRelease } from "./debian_archive.ts";
import { type BootFiles, fetchKernel } from "./guest_files.ts";

const QEMU = "qemu-system-aarch64";
/** What `trace` and its tests run, and what the guest's first script does. */
const PROGRAMS = [
  ...["bpftrace", "bash", "coreutils", "util-linux", "mount", "grep", "sed", "iproute2"],
  ...["procps", "kmod"],
];
/** Where the guest has its kernel's modules, and Deno. */
const KERNEL = "/opt/kernel";
/** The folder of the guest's Deno. */
export const DENO_FOLDER = "/opt/deno";

/**
 * Takes the files from the cache, fetching them first where they are not there.
 *
 * @param suite The codename of the Debian whose kernel and programs it runs.
 * @throws {Error} When they cannot be fetched.
 */
export async function arm64Files(suite: string): Promise<BootFiles> {
  const folder = await cached(`${suite}-arm64-${Deno.version.deno}`, async (partial) => {
    const archive = await DebianArchive.open(suite, `${partial}/apt`, "arm64");
    const root = `${partial}/root`;
    await archive.unpackClosure(PROGRAMS, root);
    await archive.unpack("busybox-static", `${partial}/busybox`);
    const kernel = await fetchKernel(archive, `${root}${KERNEL}`, "linux-image-arm64");
    await Deno.writeTextFile(`${partial}/release`, kernel.release);
    await Deno.copyFile(kernel.compressed, `${partial}/image`);
    await completeRoot(root);
    await fetchDeno(`${root}${DENO_FOLDER}`);
    await Deno.remove(`${partial}/apt`, { recursive: true });
  });
  const root = `${folder}/root`;
  const usr = await exists(`${root}${KERNEL}/usr/lib/modules`) ? "/usr" : "";
  return {
    architecture: "aarch64",
    release: await Deno.readTextFile(`${folder}/release`),
    image: `${folder}/image`,
    modulesRoot: `${root}${KERNEL}${usr}`,
    root,
    busybox: `${folder}/busybox/usr/bin/busybox`,
    qemu: findExecutable(QEMU) ?? await fetchQemu(),
  };
}

/** What packages leave to their installation. */
async function completeRoot(root: string): Promise<void> {
  for (const name of ["bin", "sbin", "lib"]) {
    if (!await exists(`${root}/${name}`)) await Deno.symlink(`usr/${name}`, `${root}/${name}`);
  }
  await Deno.remove(`${root}/usr/bin/sh`).catch(() => {});
  await Deno.symlink("bash", `${root}/usr/bin/sh`);
  for (const name of ["dev", "proc", "sys", "run", "tmp", "root", "etc"]) {
    await Deno.mkdir(`${root}/${name}`, { recursive: true });
  }
  await Deno.writeTextFile(`${root}/etc/passwd`, "root:x:0:0:root:/root:/bin/sh\n");
  await Deno.writeTextFile(`${root}/etc/hosts`, "127.0.0.1 localhost\n");
}

/** The Deno of the version that runs here. */
async function fetchDeno(into: string): Promise<void> {
  await Deno.mkdir(into, { recursive: true });
  const name = `@deno/linux-arm64-glibc@${Deno.version.deno}`;
  const packed = (await output(["npm", "pack", "--silent", name], into)).trim();
  await output(["tar", "--extract", "--strip-components=1", `--file=${packed}`], into);
  await Deno.remove(`${into}/${packed}`);
  await Deno.chmod(`${into}/deno`, 0o755);
}

/** The emulator alone: what it needs beside it comes with the one for x86_64. */
async function fetchQemu(): Promise<string> {
  const suite = (await debianRelease())!.codename;
  const folder = await cached(`${suite}-qemu-arm`, async (partial) => {
    const archive = await DebianArchive.open(suite, `${partial}/apt`);
    await archive.unpack("qemu-system-arm", `${partial}/package`);
    await Deno.remove(`${partial}/apt`, { recursive: true });
  });
  return `${folder}/package/usr/bin/${QEMU}`;
}
