/** What of `deno.json` an installation goes by. */
export interface Config {
  name: string;
  version: string;
  license: string;
  exports: string;
  tasks: Readonly<Record<string, { command: string }>>;
}

/** How a task starts a command of the tool. */
const TASK = /^DENO_NO_UPDATE_CHECK=1 deno run (.*) src\/main\.ts (\w+)$/;
/** What starts where no command of the tool is named, as for --help: that reads its own files. */
const OTHERWISE = "--quiet --no-prompt --allow-read --allow-env";

/**
 * Writes the program `synsnoop`: it becomes the runtime, with the flags that the command's task gives it,
 * so that signals and the exit status are those of one process.
 *
 * @param config Has the tasks.
 * @param library The folder with `deno` and `src`, absolute.
 * @param main What is started, from there.
 * @returns A script for sh (POSIX).
 */
export function wrapperScript({ tasks }: Config, library: string, main: string): string {
  const cases = Object.values(tasks).flatMap(({ command }) => {
    const [, flags, name] = TASK.exec(command) ?? [];
    return name === undefined ? [] : [`  ${name}) set -- ${flags} "$main" "$@" ;;`];
  });
  return [
    "#!/bin/sh",
    "# Becomes the runtime. Which flags suit a command is measured: see deno.json of the source.",
    `library=${quoteForShell(library)}`,
    `main="$library/${main}"`,
    'case "${1-}" in',
    ...cases,
    `  *) set -- ${OTHERWISE} "$main" "$@" ;;`,
    "esac",
    "export DENO_NO_UPDATE_CHECK=1",
    // The lock file and the registries are the source's: what is installed is whole.
    'exec "$library/deno" run --no-lock --no-remote --no-npm "$@"',
    "",
  ].join("\n");
}

/** Quotes a text so that sh takes it for one word. */
export function quoteForShell(text: string): string {
  return `'${text.replaceAll("'", String.raw`'\''`)}'`;
}
