/**
 * Installs a git hook that runs format, lint and the unit tier before each commit. Says what it does;
 * does nothing where the hook is there already, and touches no other hook.
 *
 * The exit status is 0 when the hook is there, 1 when it could not be installed.
 */

/** What git runs. Without a deno of one's own, npm brings the one that installed the hook. */
const HOOK = `#!/bin/sh
# Installed by "deno task hook": format, lint and the unit tests of the folder as it is now.
# "git commit --no-verify" leaves it out; to uninstall it, remove this file.
command -v deno >/dev/null || deno() { npx -y deno@${Deno.version.deno} "$@"; }
deno fmt --check --quiet && deno lint --quiet && deno test --quiet --no-prompt --parallel tests/unit
`;

/** What git answers, or undefined where it fails. */
async function git(...args: string[]): Promise<string | undefined> {
  const command = new Deno.Command("git", { args, stdin: "null", stderr: "null" });
  const { success, stdout } = await command.output();
  return success ? new TextDecoder().decode(stdout).trimEnd() : undefined;
}

/** Installs the hook of the repository in the current folder. @returns A sentence. */
async function install(): Promise<{ done: boolean; sentence: string }> {
  const fail = (reason: string) => ({
    done: false,
    sentence: `Cannot install the hook: ${reason}`,
  });
  const shared = await git("config", "core.hooksPath");
  if (shared !== undefined) {
    return fail(`core.hooksPath is ${shared}, where it might run for other repositories too`);
  }
  const path = await git("rev-parse", "--git-path", "hooks/pre-commit");
  if (path === undefined) return fail("this is no git repository");
  try {
    await Deno.mkdir(path.slice(0, path.lastIndexOf("/")), { recursive: true });
    await Deno.writeTextFile(path, HOOK, { createNew: true, mode: 0o755 });
  } catch (error) {
    if (!(error instanceof Deno.errors.AlreadyExists)) throw error;
    if (await Deno.readTextFile(path).catch(() => "") === HOOK) {
      return { done: true, sentence: `The hook is there already: ${path}` };
    }
    return fail(`${path} is another hook; remove it first, or call this one's commands from it`);
  }
  return {
    done: true,
    sentence: `Installed ${path}: git runs format, lint and the unit tier before each commit`,
  };
}

try {
  const [surplus] = Deno.args;
  const { done, sentence } = surplus === undefined ? await install() : {
    done: false,
    sentence: `Cannot use "${surplus}": deno task hook takes nothing, and installs the hook`,
  };
  console.error(sentence);
  Deno.exitCode = done ? 0 : 1;
} catch (error) {
  if (!(error instanceof Deno.errors.NotFound)) throw error;
  console.error("Cannot install the hook: git is not installed");
  Deno.exitCode = 1;
}
