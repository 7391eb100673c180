/**
 * The runtime that is installed beside the tool: the Deno that runs, from npm's package where npm
 * brought it.
 *
 * @module
 */
import { environmentVariable } from "../linux/environment.ts";
import { findExecutable } from "../linux/host.ts";
import { messageOf } from "../text/message.ts";

/** A runtime to install. */
export interface Runtime {
  bytes: Uint8Array<ArrayBuffer>;
  /** Where it is from and whether that was checked, to be said to a person. */
  origin: string;
}

/** Where npm keeps what it has fetched, below the folder of its cache, by the hash (cacache). */
const CONTENT = "_cacache/content-v2/sha512";

/**
 * Finds the runtime. Where npm brought it, that is the file in the package that npm fetched, whose hash
 * must be the one that the registry gave npm.
 *
 * @param path The executable that runs.
 * @throws {Error} Where the package has another hash, or another file than the one that runs.
 */
export async function findRuntime(path: string = Deno.execPath()): Promise<Runtime> {
  const bytes = await Deno.readFile(path);
  const modules = /^.*\/node_modules(?=\/(?:deno|@deno\/[^/]+)\/deno$)/.exec(path)?.[0];
  if (modules === undefined) return { bytes, origin: `${path}, which npm did not bring` };
  const unchecked = (reason: string) => ({ bytes, origin: `${path}, not checked: ${reason}` });
  const fetched = await readLock(modules);
  if (fetched === undefined) return unchecked("npm keeps no hash of it there");
  const tar = findExecutable("tar");
  if (tar === undefined) return unchecked('found no "tar" to look into npm\'s package');
  let packed: Uint8Array<ArrayBuffer>;
  try {
    packed = await Deno.readFile(`${cacheFolder(path)}/${contentPath(fetched.integrity)}`);
  } catch (error) {
    return unchecked(`cannot read npm's package: ${messageOf(error)}`);
  }
  if (await integrityOf(packed) !== fetched.integrity) {
    throw new Error(`npm's package ${fetched.name} has another hash than npm was given for it`);
  }
  const inside = await unpackRuntime(tar, packed);
  if (!isEqual(inside, bytes)) {
    throw new Error(`${path} is another file than the one in npm's package ${fetched.name}`);
  }
  return { bytes: inside, origin: `npm's package ${fetched.name}, whose hash fits` };
}

/** What npm says of the package with the executable. */
async function readLock(modules: string): Promise<{ name: string; integrity: string } | undefined> {
  try {
    const { packages } = JSON.parse(await Deno.readTextFile(`${modules}/.package-lock.json`));
    for (const [key, { version, integrity }] of Object.entries<Record<string, string>>(packages)) {
      const name = /^node_modules\/(@deno\/.+)$/.exec(key)?.[1];
      if (name === undefined || !/^sha512-[\w+/]{86}==$/.test(integrity)) continue;
      return { name: `${name}@${version}`, integrity };
    }
  } catch {
    // A global installation has no such file, and one of another npm may have another form.
  }
  return undefined;
}

/** The hash of a package as npm writes it (Subresource Integrity). */
export async function integrityOf(packed: Uint8Array<ArrayBuffer>): Promise<string> {
  const hash = new Uint8Array(await crypto.subtle.digest("SHA-512", packed));
  return `sha512-${hash.toBase64()}`;
}

/**
 * Where npm keeps what it has fetched: of npx the cache is around the executable, else where npm is told
 * or has it by default.
 */
export function cacheFolder(path: string): string {
  return /^(.*)\/_npx\//.exec(path)?.[1] ?? environmentVariable("npm_config_cache") ??
    `${environmentVariable("HOME")}/.npm`;
}

/** Where npm keeps a package below its cache, by its hash. */
export function contentPath(integrity: string): string {
  const hex = Uint8Array.fromBase64(integrity.slice("sha512-".length)).toHex();
  return `${CONTENT}/${hex.slice(0, 2)}/${hex.slice(2, 4)}/${hex.slice(4)}`;
}

/** Takes the executable out of the bytes of a package that were checked; nothing where it has none. */
export async function unpackRuntime(
  tar: string,
  packed: Uint8Array<ArrayBuffer>,
): Promise<Uint8Array<ArrayBuffer>> {
  const child = new Deno.Command(tar, {
    args: ["-xzOf", "-", "package/deno"],
    stdin: "piped",
    stdout: "piped",
    stderr: "null",
  }).spawn();
  const fed = new Blob([packed]).stream().pipeTo(child.stdin).catch(() => {
    // It has ended before: what it gave is compared.
  });
  const { stdout } = await child.output();
  await fed;
  return stdout;
}

function isEqual(one: Uint8Array, other: Uint8Array): boolean {
  return one.length === other.length && one.every((byte, at) => byte === other[at]);
}
