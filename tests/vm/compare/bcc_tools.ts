/**
 * The tools of the package bpfcc-tools, from the suite of a guest, with the Python they run in and
 * the kernel headers that they compile against at every start, kept in the user's cache beside the guest.
 *
 * @module
 */
import { cached } from "../cache.ts";
import { DebianArchive } from "../debian_archive.ts";
import type { Guest, GuestFiles } from "../guest_files.ts";

const LIBRARIES = ["usr/lib/x86_64-linux-gnu", "lib/x86_64-linux-gnu"];

/** Where they are; paths are absolute. */
export interface BccTools {
  /** What runs one of them, up to its path. */
  readonly interpreter: readonly string[];
  /** The folder of the tools, whose names end with `-bpfcc`. */
  readonly tools: string;
  /** Headers of the guest's kernel: what belongs into `/usr/src` and into `/lib/modules/RELEASE`. */
  readonly headers: { readonly source: string; readonly links: string };
}

/**
 * Takes them from the cache, fetching them first where they are not there: some 100 MB.
 *
 * @throws {Error} When they cannot be fetched.
 */
export async function bccTools({ suite }: Guest, files: GuestFiles): Promise<BccTools> {
  const { release, loader: [loader] } = files;
  const folder = await cached(`${suite}-bcc-${release}`, async (partial) => {
    const archive = await DebianArchive.open(suite, `${partial}/apt`);
    await archive.unpackClosure(["bpfcc-tools"], `${partial}/tools`);
    const headers = `linux-headers-${release}`;
    const common = (await archive.dependencies(headers)).find((name) => name.endsWith("-common"));
    if (common === undefined) throw new Error(`Cannot find the headers that "${headers}" needs`);
    for (const name of [headers, common]) await archive.unpack(name, `${partial}/headers`);
    await Deno.remove(`${partial}/apt`, { recursive: true });
  });
  const root = `${folder}/tools`;
  return {
    interpreter: [
      ...["env", `PYTHONHOME=${root}/usr`, `PYTHONPATH=${root}/usr/lib/python3/dist-packages`],
      // Written at once where it writes into a pipe.
      "PYTHONUNBUFFERED=1",
      ...[loader, "--library-path", LIBRARIES.map((name) => `${root}/${name}`).join(":")],
      `${root}/usr/bin/python3`,
    ],
    tools: `${root}/usr/sbin`,
    headers: {
      source: `${folder}/headers/usr/src`,
      links: `${folder}/headers/lib/modules/${release}`,
    },
  };
}
