/**
 * The tools of the package libbpf-tools, from the suite of a guest, kept in the user's cache beside
 * the guest. Only the comparison needs them.
 *
 * @module
 */
import { cached } from "../cache.ts";
import { DebianArchive } from "../debian_archive.ts";
import type { Guest } from "../guest_files.ts";

const PACKAGE = "libbpf-tools";

/**
 * Takes them from the cache, fetching them first where they are not there.
 *
 * @returns The folder of the programs; they need the libraries of the guest's release.
 * @throws {Error} When they cannot be fetched.
 */
export async function libbpfTools({ suite }: Guest): Promise<string> {
  const folder = await cached(`${suite}-${PACKAGE}`, async (partial) => {
    const archive = await DebianArchive.open(suite, `${partial}/apt`);
    await archive.unpack(PACKAGE, `${partial}/package`);
    await Deno.remove(`${partial}/apt`, { recursive: true });
  });
  return `${folder}/package/usr/sbin`;
}
