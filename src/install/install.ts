/**
 * `deno task install`: a command `synsnoop` on PATH, with its runtime, manual and completions, and
 * `--uninstall`, which removes just that.
 *
 * @module
 */
import { countOf } from "../text/count.ts";
import { resolve } from "node:path/posix";
import { type Flag, parseFlags } from "../cli/flags/flags.ts";
import { formatHelp, type Help } from "../cli/help.ts";
import { ExitStatus, UsageError } from "../cli/usage.ts";
import { environmentVariable } from "../linux/environment.ts";
import { escapeText } from "../text/escape.ts";
import { messageOf } from "../text/message.ts";
import { bundle } from "./bundle.ts";
import { collectFiles, sourcePaths } from "./collect_files.ts";
import { place, remove } from "./installed_files.ts";
import { findRuntime } from "./runtime.ts";

const PREFIX = "/usr/local";
const SOURCE = new URL("../..", import.meta.url).pathname.replace(/\/$/, "");

const INSTALL_FLAGS: readonly Flag[] = [
  { name: "prefix", value: "DIR", meaning: `below which folder (default ${PREFIX})` },
  { name: "uninstall", meaning: "remove what was installed there" },
  { name: "help", meaning: "show this" },
];

const HELP: Help = {
  summary: "Install the command synsnoop with its runtime, manual and completions.",
  usage: [["deno task install [flags]", "again it replaces what it installed"]],
  flags: INSTALL_FLAGS,
  examples: [
    ["deno task install", `${PREFIX}/bin/synsnoop (root)`],
    ["deno task install --prefix ~/.local", "for one user"],
    ["deno task install --uninstall", "nothing is left"],
  ],
  paragraphs: [
    "The runtime is the Deno that runs this. DIR/lib/synsnoop/installed lists all files with their " +
    "hashes, as sha256sum -c takes it. --uninstall leaves files that were changed since and names " +
    "them.",
  ],
  statuses: [
    [ExitStatus.Ok, "done"],
    [ExitStatus.Failed, "could not be done, or something was left"],
    [ExitStatus.Usage, "wrong usage"],
    [ExitStatus.NotPermitted, "not permitted to write there"],
  ],
};

/**
 * Installs or removes.
 *
 * @param args The command-line arguments. @param say Says a line.
 * @returns The exit status.
 */
export async function install(
  args: readonly string[],
  say: (line: string) => void,
): Promise<number> {
  let options: { prefix: string; uninstalls: boolean } | undefined;
  try {
    options = parseInstallOptions(args);
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    say(error.message);
    return ExitStatus.Usage;
  }
  if (options === undefined) {
    say(formatHelp(HELP).trimEnd());
    return ExitStatus.Ok;
  }
  const { prefix, uninstalls } = options;
  const place = escapeText(prefix);
  try {
    return uninstalls ? await takeAway(prefix, say) : await bring(prefix, say);
  } catch (error) {
    const what = uninstalls ? `Cannot uninstall from ${place}` : `Cannot install to ${place}`;
    if (error instanceof Deno.errors.PermissionDenied) {
      say(`${what}: no right to write there; run it as root, or give --prefix DIR`);
      return ExitStatus.NotPermitted;
    }
    say(`${what}: ${escapeText(messageOf(error).split("\n")[0])}`);
    return ExitStatus.Failed;
  }
}

/** @returns Undefined where only help is asked for. */
function parseInstallOptions(args: readonly string[]) {
  const { switches, values, operands } = parseFlags(args, INSTALL_FLAGS);
  if (switches.has("help")) return undefined;
  if (operands.length > 0) {
    throw new UsageError(`Cannot use "${escapeText(operands[0])}": install takes flags only`);
  }
  const [given = PREFIX] = values.get("prefix") ?? [];
  // A task runs where deno.json is: what the user means is from where it was called.
  const from = environmentVariable("INIT_CWD") ?? Deno.cwd();
  return { prefix: resolve(from, given), uninstalls: switches.has("uninstall") };
}

async function bring(prefix: string, say: (line: string) => void): Promise<number> {
  const { bytes, origin } = await findRuntime();
  const bundled = await bundle(SOURCE, sourcePaths(SOURCE)).catch((error) => messageOf(error));
  const isBundled = typeof bundled !== "string";
  const files = await collectFiles(SOURCE, prefix, isBundled ? bundled : undefined);
  const runtime = { path: "lib/synsnoop/deno", bytes, executable: true };
  const { replaced, left } = await place(prefix, [runtime, ...files]);
  for (const path of replaced) {
    say(`Replaced ${escapeText(`${prefix}/${path}`)}, which was changed`);
  }
  for (const path of left) say(`Left ${escapeText(`${prefix}/${path}`)}, which was changed`);
  say(`Installed ${escapeText(prefix)}/bin/synsnoop and ${countOf(files.length, "file")} more`);
  say(`Its runtime is Deno ${Deno.version.deno} from ${escapeText(origin)}`);
  if (!isBundled) {
    say(`It starts from its source, 15 ms later: Deno cannot bundle it: ${escapeText(bundled)}`);
  }
  const folders = environmentVariable("PATH")?.split(":") ?? [];
  if (!folders.includes(`${prefix}/bin`)) say(`${escapeText(prefix)}/bin is not in PATH`);
  return ExitStatus.Ok;
}

async function takeAway(prefix: string, say: (line: string) => void): Promise<number> {
  const { removed, left } = await remove(prefix);
  say(`Removed ${countOf(removed, "file")} from ${escapeText(prefix)}`);
  for (const path of left) {
    say(`Left ${escapeText(`${prefix}/${path}`)}, which was changed or holds something else`);
  }
  return left.length === 0 ? ExitStatus.Ok : ExitStatus.Failed;
}

if (import.meta.main) {
  Deno.exitCode = await install(Deno.args, (line) => console.error(line));
}
