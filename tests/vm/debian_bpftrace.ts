/**
 * The bpftrace of a suite of Debian with the libraries of its own release, fetched once and kept in the
 * user's cache: it runs on this machine and in guests, beside the one that is installed.
 *
 * @module
 */
import { cached } from "./cache.ts";
import { DebianArchive } from "./debian_archive.ts";

/** Where its files are; paths are absolute. */
export interface DebianBpftrace {
  /** How it is run: the dynamic loader with its arguments, and the program. */
  readonly command: readonly string[];
  /** The dynamic loader with the arguments for the libraries of its release. */
  readonly loader: readonly string[];
  /** The folder of the scripts that come with it. */
  readonly scripts: string;
}

const MULTIARCH = "x86_64-linux-gnu";
const LOADER = "ld-linux-x86-64.so.2";

/**
 * Takes it from the cache, fetching it first where it is not there.
 *
 * @param suite The suite's codename.
 * @throws {Error} When it cannot be fetched.
 */
export async function debianBpftrace(suite: string): Promise<DebianBpftrace> {
  const folder = await cached(`${suite}-bpftrace`, async (partial) => {
    const archive = await DebianArchive.open(suite, `${partial}/apt`);
    await archive.unpackClosure(["bpftrace"], `${partial}/root`);
    await Deno.remove(`${partial}/apt`, { recursive: true });
  });
  const root = `${folder}/root`;
  // Since Debian 13 all of them are under usr.
  const libraries = ["usr/lib", "lib"].map((lib) => `${root}/${lib}/${MULTIARCH}`);
  const own = await present(libraries.map((path) => `${path}/${LOADER}`));
  const loader = [own, "--library-path", libraries.join(":")];
  return {
    command: [...loader, `${root}/usr/bin/bpftrace`],
    loader,
    scripts: `${root}/usr/sbin`,
  };
}

/** The first of some files that is there. */
async function present(paths: readonly string[]): Promise<string> {
  for (const path of paths) {
    if (await Deno.stat(path).then(() => true, () => false)) return path;
  }
  throw new Error(`Cannot run what was fetched: there is no ${paths.join(" nor ")}`);
}
