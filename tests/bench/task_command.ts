/** A variable of the environment before a command. */
const ASSIGNMENT = /^[A-Z_]+=/;

/** The folder of the version at hand. */
export const HERE = new URL("../..", import.meta.url).pathname.replace(/\/$/, "");

/**
 * How a task starts the tool: from any folder, by this runtime.
 *
 * @param root Folder of the version that is started.
 */
export function taskCommand(
  task: "trace" | "read" | "query" | "pairs" | "ship" | "report" | "top",
  root = HERE,
): readonly string[] {
  const { tasks } = JSON.parse(Deno.readTextFileSync(`${root}/deno.json`));
  const words: Record<string, string> = {
    deno: Deno.execPath(),
    "src/main.ts": `${root}/src/main.ts`,
  };
  return (tasks[task].command as string).split(" ")
    .filter((word) => !ASSIGNMENT.test(word))
    .map((word) => words[word] ?? word);
}
