/**
 * Small disks for tests.
 *
 * @module
 */
import { messageOf } from "../../src/text/message.ts";
import { Folder } from "../folder.ts";

/** A new folder. */
export function makeFolder(): Folder {
  return new Folder();
}

/** A file system in memory, mounted in a folder of its own until disposed. */
export function makeDisk(options: string): { path: string } & Disposable {
  const folder = new Folder();
  const { success, stderr } = new Deno.Command("mount", {
    args: ["-t", "tmpfs", "-o", options, "tmpfs", folder.path],
  }).outputSync();
  if (!success) {
    folder[Symbol.dispose]();
    throw new Error(new TextDecoder().decode(stderr).trim());
  }
  return {
    path: folder.path,
    [Symbol.dispose]: () => {
      new Deno.Command("umount", { args: ["--lazy", folder.path] }).outputSync();
      folder[Symbol.dispose]();
    },
  };
}

/** Why nothing can be mounted here; undefined when it can. */
function reasonAgainstMounts(): string | undefined {
  try {
    using _disk = makeDisk("size=64k");
    return undefined;
  } catch (error) {
    return messageOf(error);
  }
}

/** See {@linkcode reasonAgainstMounts}; asked once. */
export const NO_MOUNTS: string | undefined = reasonAgainstMounts();
