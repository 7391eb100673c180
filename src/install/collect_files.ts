import { COMMANDS, loadCommand } from "../cli/commands.ts";
import type { Help } from "../cli/help.ts";
import { BUNDLE_MAIN } from "./bundle.ts";
import { bashCompletions, fishCompletions, zshCompletions } from "./completions.ts";
import type { InstalledFile } from "./installed_files.ts";
import { commandPage, toolPage } from "./man_page.ts";
import { type Config, wrapperScript } from "./wrapper.ts";

/** Where everything but programs, manual and completions is, below the prefix. */
const LIBRARY = "lib/synsnoop";
/** Files of the source that commands need, by a folder and the ends of their names. */
const TAKEN: readonly (readonly [folder: string, ends: RegExp])[] = [
  ["src", /(?:\.(?:ts|js|css)|LICENSE)$/],
  ["bpf", /\.(?:bt|json)$/],
];
/** What only tests need. */
const LEFT_OUT = "src/std/assert";
const DUCKDB = "@duckdb/node-api";
const SUMMARY =
  "Show every TCP three-way handshake on a Linux host, from the kernel and from the wire.";

/** The files of the source that commands need, by path from there, in a steady order. */
export function sourcePaths(source: string): string[] {
  return TAKEN.flatMap(([folder, ends]) =>
    filesBelow(source, folder).filter((path) => ends.test(path))
  );
}

/**
 * Everything that an installation has, but for its runtime.
 *
 * @param source The folder with `deno.json`, absolute.
 * @param prefix The folder that it is installed below, absolute.
 * @param bundled What is started in place of the source, see `bundle`; undefined: the source is.
 */
export async function collectFiles(
  source: string,
  prefix: string,
  bundled?: readonly InstalledFile[],
): Promise<InstalledFile[]> {
  const config: Config = JSON.parse(await Deno.readTextFile(`${source}/deno.json`));
  const files: InstalledFile[] = [];
  const addText = (path: string, text: string) =>
    files.push({ path, bytes: new TextEncoder().encode(text) });
  const addSource = async (path: string) =>
    files.push({ path: `${LIBRARY}/${path}`, bytes: await Deno.readFile(`${source}/${path}`) });

  for (const path of sourcePaths(source)) await addSource(path);
  for (const { path, bytes } of bundled ?? []) files.push({ path: `${LIBRARY}/${path}`, bytes });
  for (const path of ["mod.ts", "LICENSE"]) await addSource(path);
  addText(`${LIBRARY}/deno.json`, JSON.stringify(runtimeConfig(config), null, 2) + "\n");

  const helps = await loadHelps();
  for (const [name, help] of helps) {
    addText(`share/man/man1/synsnoop-${name}.1`, commandPage(name, help, config.version));
  }
  addText("share/man/man1/synsnoop.1", toolPage(SUMMARY, helps, config.version));
  addText("share/bash-completion/completions/synsnoop", bashCompletions(helps));
  addText("share/zsh/site-functions/_synsnoop", zshCompletions(helps));
  addText("share/fish/vendor_completions.d/synsnoop.fish", fishCompletions(helps));

  const main = bundled === undefined ? "src/main.ts" : BUNDLE_MAIN;
  const program = new TextEncoder().encode(wrapperScript(config, `${prefix}/${LIBRARY}`, main));
  // Last: where it stands, all that it needs does.
  return [...files, { path: "bin/synsnoop", bytes: program, executable: true }];
}

/** The commands and what each says of itself. */
function loadHelps(): Promise<readonly (readonly [name: string, help: Help])[]> {
  return Promise.all(
    COMMANDS.map(async ([name]) => [name, (await loadCommand(name)).help] as const),
  );
}

/**
 * The configuration without what develops: `@std` is what stands beside it. DuckDB alone is fetched, when
 * a command asks it for the first time.
 */
function runtimeConfig({ name, version, license, exports, imports: { [DUCKDB]: duckDb } }: Config) {
  const imports = {
    [DUCKDB]: duckDb,
    "@std/cli": "./src/std/cli/mod.ts",
    "@std/streams": "./src/std/streams/mod.ts",
  };
  return { name, version, license, exports, imports };
}

/** The regular files below a folder, by path from the source, in a steady order. */
function filesBelow(source: string, folder: string): string[] {
  if (folder === LEFT_OUT) return [];
  return [...Deno.readDirSync(`${source}/${folder}`)]
    .sort((one, other) => one.name < other.name ? -1 : 1)
    .flatMap(({ name, isDirectory, isFile }) => {
      const path = `${folder}/${name}`;
      return isDirectory ? filesBelow(source, path) : isFile ? [path] : [];
    });
}
