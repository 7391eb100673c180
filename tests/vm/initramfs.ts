/**
 * The first root of a guest: busybox, the modules that reach the host's files, and the init script.
 *
 * @module
 */
import { findExecutable } from "../../src/linux/host.ts";
import { output } from "./command.ts";
import type { BootFiles } from "./guest_files.ts";

const INIT = new URL("init.sh", import.meta.url).pathname;
/** What Debian's kernels do not have built in: files over virtio, and a layer over them. */
const MODULES = ["virtio_pci", "9pnet_virtio", "9p", "overlay"];

/**
 * Makes the archive that a guest's kernel unpacks.
 *
 * @param files The guest.
 * @param folder An empty folder to make it in.
 * @returns Its path.
 */
export async function makeInitramfs(files: BootFiles, folder: string): Promise<string> {
  const root = `${folder}/root`;
  await Deno.mkdir(`${root}/bin`, { recursive: true });
  await Deno.mkdir(`${root}/modules`);
  await Deno.copyFile(files.busybox ?? await staticBusybox(), `${root}/bin/busybox`);
  await Deno.chmod(`${root}/bin/busybox`, 0o755);
  await Deno.copyFile(INIT, `${root}/init`);
  await Deno.chmod(`${root}/init`, 0o755);
  const order: string[] = [];
  for (const path of await modulePaths(files)) {
    const name = path.slice(path.lastIndexOf("/") + 1).replace(/\.xz$/, "");
    if (order.includes(name)) continue;
    order.push(name);
    await Deno.copyFile(path, `${root}/modules/${path.slice(path.lastIndexOf("/") + 1)}`);
    // busybox takes no compressed module.
    if (path.endsWith(".xz")) await output(["xz", "--decompress", `${root}/modules/${name}.xz`]);
  }
  await Deno.writeTextFile(`${root}/modules/order`, order.map((name) => `${name}\n`).join(""));
  const archive = `${folder}/initramfs.cpio`;
  const pack = 'find . | busybox cpio --create --format newc >"$1"';
  await output(["sh", "-c", pack, "sh", archive], root);
  return archive;
}

/** Paths of the modules and of those they need, in the order in which they can be loaded. */
async function modulePaths({ modulesRoot, release }: BootFiles): Promise<string[]> {
  const modprobe = findExecutable("modprobe") ?? "modprobe";
  const lines = await output([
    ...[modprobe, "--dirname", modulesRoot, "--set-version", release],
    ...["--show-depends", "--all", ...MODULES],
  ]);
  return Array.from(lines.matchAll(/^insmod (\S+)/gm), ([, path]) => path);
}

/** The guest has no C library where its first process runs. */
async function staticBusybox(): Promise<string> {
  const path = findExecutable("busybox") ?? "/bin/busybox";
  const { stdout, stderr } = await new Deno.Command("ldd", { args: [path], stdin: "null" })
    .output();
  const words = new TextDecoder().decode(stdout) + new TextDecoder().decode(stderr);
  if (words.includes("not a dynamic executable")) return path;
  throw new Error(`Cannot use "${path}": it needs libraries, install busybox-static`);
}
