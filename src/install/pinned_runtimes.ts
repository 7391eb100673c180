/**
 * The runtime that packages carry, pinned by version and hash: whatever a registry or a cache gives,
 * these are the bytes.
 *
 * @module
 */
import { findExecutable } from "../linux/host.ts";
import { cacheFolder, contentPath, integrityOf, unpackRuntime } from "./runtime.ts";

/** The version of Deno that is packed. */
export const PINNED_VERSION = "2.9.6";

/** npm's package with the runtime, and the hash of it (Subresource Integrity), by Debian's name. */
const PINNED = {
  amd64: {
    name: "@deno/linux-x64-glibc",
    integrity:
      "sha512-3md4TKLCuzsLDmfOoC5KN7NAZaxSVkMgm64vg6foD00JBADCpYS2/5QqXfzgnP5ZQz3iLP9vBQJtEgc116OAoQ==",
  },
  arm64: {
    name: "@deno/linux-arm64-glibc",
    integrity:
      "sha512-poqhoH9B3nYloigEMPT5t8HY+wBeiuea1An5Q7fqgJzP0SYmWsoS/oUnWO/pEiA4ofzIBy1Elt/in58xKtxEoQ==",
  },
} as const;

/** An architecture that packages are made for, as Debian calls it. */
export type Architecture = keyof typeof PINNED;
/** All of them. */
export const ARCHITECTURES = Object.keys(PINNED) as Architecture[];

/**
 * The runtime for an architecture: out of npm's cache, else fetched by npm.
 *
 * @param runtime The executable that runs: npx has its cache beside it.
 * @throws {Error} It cannot be had, or is not what is pinned.
 */
export async function pinnedRuntime(
  architecture: Architecture,
  runtime: string = Deno.execPath(),
): Promise<Uint8Array<ArrayBuffer>> {
  const { name, integrity } = PINNED[architecture];
  const packed = await readCached(`${cacheFolder(runtime)}/${contentPath(integrity)}`) ??
    await fetchByNpm(`${name}@${PINNED_VERSION}`);
  return await unpackPinned(`${name}@${PINNED_VERSION}`, packed, integrity);
}

/**
 * Takes the runtime out of npm's package.
 *
 * @throws {Error} The package has another hash.
 */
export async function unpackPinned(
  name: string,
  packed: Uint8Array<ArrayBuffer>,
  integrity: string,
): Promise<Uint8Array<ArrayBuffer>> {
  if (await integrityOf(packed) !== integrity) {
    throw new Error(`npm's package ${name} has another hash than the one that is pinned`);
  }
  const tar = findExecutable("tar");
  if (tar === undefined) throw new Error('found no "tar" to unpack the runtime');
  const bytes = await unpackRuntime(tar, packed);
  if (bytes.length === 0) throw new Error(`npm's package ${name} holds no package/deno`);
  return bytes;
}

async function readCached(path: string): Promise<Uint8Array<ArrayBuffer> | undefined> {
  try {
    return await Deno.readFile(path);
  } catch {
    // Not there, or not for us: it is fetched.
    return undefined;
  }
}

async function fetchByNpm(name: string): Promise<Uint8Array<ArrayBuffer>> {
  const npm = findExecutable("npm");
  if (npm === undefined) throw new Error(`found no "npm" to fetch ${name}`);
  const folder = await Deno.makeTempDir({ prefix: "synsnoop-npm-" });
  try {
    const { success, stdout, stderr } = await new Deno.Command(npm, {
      args: ["pack", "--silent", name],
      cwd: folder,
      stdin: "null",
    }).output();
    const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes).trim();
    if (!success) throw new Error(`npm cannot fetch ${name}: ${text(stderr).split("\n")[0]}`);
    return await Deno.readFile(`${folder}/${text(stdout)}`);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}
