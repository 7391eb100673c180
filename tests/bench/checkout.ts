import { messageOf } from "../../src/text/message.ts";
import { HERE } from "./task_command.ts";

/**
 * Takes another version of this tool out of the repository, to be measured beside the one at hand.
 *
 * @param commit What git knows it by: a hash, a branch, HEAD~3. @param folder A new one for it.
 * @throws {Error} Git knows no such version, or is not there.
 */
export async function checkOut(commit: string, folder: string): Promise<void> {
  await Deno.mkdir(folder);
  const archive = `${folder}.tar`;
  try {
    await run("git", "-C", HERE, "archive", `--output=${archive}`, "--end-of-options", commit);
    await run("tar", "-x", "-C", folder, "-f", archive);
  } catch (error) {
    throw new Error(`Cannot take out version "${commit}": ${messageOf(error)}`);
  }
  await Deno.remove(archive);
}

async function run(program: string, ...args: string[]): Promise<void> {
  const { success, stderr } = await new Deno.Command(program, { args, stdin: "null" }).output();
  if (!success) throw new Error(new TextDecoder().decode(stderr).trim());
}
