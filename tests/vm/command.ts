/**
 * Runs a program on this machine to its end.
 *
 * @param command The program and its arguments.
 * @param cwd The folder to run it in.
 * @returns What it wrote to standard output.
 * @throws {Error} With the end of what it wrote to standard error, when it fails.
 */
export async function output(command: readonly string[], cwd?: string): Promise<string> {
  const { success, stdout, stderr } = await new Deno.Command(command[0], {
    args: command.slice(1),
    cwd,
    stdin: "null",
  }).output();
  if (success) return new TextDecoder().decode(stdout);
  const words = lastLines(new TextDecoder().decode(stderr), 12);
  throw new Error(`Cannot run "${command.join(" ")}": ${words}`);
}

/** The last lines of a text. */
export function lastLines(text: string, count: number): string {
  return text.trimEnd().split("\n").slice(-count).join("\n");
}
