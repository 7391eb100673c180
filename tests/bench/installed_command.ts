import type { Bench } from "./row.ts";
import { HERE, taskCommand } from "./task_command.ts";

const installed = new WeakMap<Bench, Map<string, string>>();

/**
 * The command `synsnoop` of a version, installed once among the files of a row.
 *
 * @param root Folder of the version. @returns Its path.
 */
export async function installedCommand(bench: Bench, root: string): Promise<string> {
  const ofRow = installed.get(bench) ?? new Map<string, string>();
  installed.set(bench, ofRow);
  const known = ofRow.get(root);
  if (known !== undefined) return known;
  const prefix = await Deno.makeTempDir({ dir: bench.folder, prefix: "installed-" });
  const { success, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "--quiet", "-A", `${root}/src/install/install.ts`, "--prefix", prefix],
    cwd: root,
    stdin: "null",
  }).output();
  if (!success) {
    throw new Error(`Cannot install ${root}: ${new TextDecoder().decode(stderr)}`);
  }
  const command = `${prefix}/bin/synsnoop`;
  ofRow.set(root, command);
  return command;
}

/**
 * How a user runs a command of a version: as installed, where it can be, else by its task.
 *
 * @param root Folder of the version.
 */
export async function usualCommand(
  bench: Bench,
  command: Parameters<typeof taskCommand>[0],
  root: string = HERE,
): Promise<readonly string[]> {
  return findsFile(`${root}/src/install/install.ts`)
    ? [await installedCommand(bench, root), command]
    : taskCommand(command, root);
}

function findsFile(path: string): boolean {
  try {
    return Deno.statSync(path).isFile;
  } catch {
    return false;
  }
}
