/** What of `deno.json` an installation goes by. */
export interface Config {
  name: string;
  version: string;
  license: string;
  exports: string;
  tasks: Readonly<Record<string, { command: string }>>;
  imports: Readonly<Record<string, string>>;
}

/** How a task starts a command of the tool. */
const TASK = /^DENO_NO_UPDATE_CHECK=1 deno run (.*) src\/main\.ts (\w+)$/;
/** The commands that ask DuckDB, which is fetched then. */
const ASK_DUCKDB = ["query", "pairs"];
/** Of others what is installed is whole. */
const WHOLE = "--no-remote --no-npm";
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
    if (name === undefined) return [];
    const all = ASK_DUCKDB.includes(name) ? flags : `${WHOLE} ${flags}`;
    return [`  ${name}) set -- ${all} "$main" "$@" ;;`];
  });
  return [
    "#!/bin/sh",
    "# Becomes the runtime. Which flags suit a command is measured: see deno.json of the source.",
    `library=${quoteForShell(library)}`,
    `main="$library/${main}"`,
    'case "${1-}" in',
    ...cases,
    `  *) set -- ${WHOLE} ${OTHERWISE} "$main" "$@" ;;`,
    "esac",
    "export DENO_NO_UPDATE_CHECK=1",
    // The lock file is the source's.
    'exec "$library/deno" run --no-lock "$@"',
    "",
  ].join("\n");
}

/** Quotes a text so that sh takes it for one word. */
export function quoteForShell(text: string): string {
  return `'${text.replaceAll("'", String.raw`'\''`)}'`;
}
