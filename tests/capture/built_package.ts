import { findExecutable } from "../../src/linux/host.ts";

const PACKAGE = new URL("../../src/install/package.ts", import.meta.url).pathname;

/** Why no Debian package can be made here; undefined where it can. */
export const NO_DPKG: string | undefined = ["dpkg-deb", "npm", "tar"]
  .filter((name) => findExecutable(name) === undefined)
  .map((name) => `no "${name}"`)[0];

/** Runs `deno task package`. @returns What it said and its status. */
export async function runPackage(
  args: readonly string[],
  env: Record<string, string> = {},
  cwd?: string,
): Promise<{ said: string; status: number }> {
  const { code, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "--quiet", "-A", PACKAGE, ...args],
    env: { LC_ALL: "C.UTF-8", ...env },
    cwd,
    stdin: "null",
  }).output();
  return { said: new TextDecoder().decode(stderr), status: code };
}

/** Makes a package in a folder. @returns Its path. @throws {Error} It cannot be made. */
export async function buildPackage(
  folder: string,
  args: readonly string[] = [],
  env: Record<string, string> = {},
): Promise<string> {
  const { said, status } = await runPackage([...args, "--output", folder], env);
  const path = /^Made (.+)\n$/.exec(said)?.[1];
  if (status !== 0 || path === undefined) throw new Error(said);
  return path;
}
