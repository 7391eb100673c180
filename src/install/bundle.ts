/**
 * The tool as few files in place of many: to find, read and link two hundred modules is half of a start.
 * They are made of the source that is installed beside them, by `deno bundle`, and can be read like it.
 *
 * @module
 */
import { dirname } from "node:path/posix";
import { COMMANDS } from "../cli/commands.ts";
import type { InstalledFile } from "./installed_files.ts";

/** Where the few files are, beside `src`. */
export const BUNDLE = "bundle";
/** The one to start. */
export const BUNDLE_MAIN = `${BUNDLE}/main.js`;

/** How a module names another that it loads when that is needed, or has a thread run. */
const LATE = /\bimport\.meta\.resolve\(\s*"(\.[^"]+\.ts)"/g;
/** What only tests and the installation need. */
const LEFT_OUT = /^src\/(?:install|std\/assert)\//;

/**
 * Bundles the tool.
 *
 * @param source The folder with `deno.json`, absolute.
 * @param paths Of the files that it consists of, from there.
 * @returns The files below {@linkcode BUNDLE}.
 * @throws {Error} It cannot be done here, such as without a network: Deno fetches what it bundles with.
 */
export async function bundle(source: string, paths: readonly string[]): Promise<InstalledFile[]> {
  const folder = await Deno.makeTempDir();
  try {
    const modules = new Map<string, string>();
    for (const path of paths) {
      if (!/\.(?:ts|js|json|css)$|LICENSE$/.test(path) || LEFT_OUT.test(path)) continue;
      modules.set(path, await Deno.readTextFile(`${source}/${path}`));
    }
    const entries = ["src/main.ts", ...lateModules(modules)];
    await write(folder, "here.ts", hereModule(entries));
    for (const [path, text] of modules) await write(folder, path, withHere(path, text));
    for (const path of entries) {
      await write(folder, `${BUNDLE}/${entryName(path)}.ts`, `export * from "../${path}";\n`);
    }
    const imports = {
      "@std/cli": "./src/std/cli/mod.ts",
      "@std/streams": "./src/std/streams/mod.ts",
    };
    await write(folder, "deno.json", JSON.stringify({ imports }));
    await runBundler(folder, entries.map((path) => `${BUNDLE}/${entryName(path)}.ts`));
    return [...Deno.readDirSync(`${folder}/out`)]
      .map(({ name }) => ({
        path: `${BUNDLE}/${name}`,
        bytes: Deno.readFileSync(`${folder}/out/${name}`),
      }))
      .sort((one, other) => one.path < other.path ? -1 : 1);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** The modules that others load by their path, in a steady order. */
export function lateModules(modules: ReadonlyMap<string, string>): string[] {
  const late = new Set(COMMANDS.map(([name]) => `src/cli/${name}.ts`));
  for (const [path, text] of modules) {
    for (const [, to] of text.matchAll(LATE)) {
      const target = new URL(to, `file:///${path}`).pathname.slice(1);
      if (modules.has(target)) late.add(target);
    }
  }
  return [...late].sort();
}

/** A module of the bundle has the folder of the bundle; what it stands for has that of its source. */
export function withHere(path: string, text: string): string {
  if (!/\bimport\.meta\.(?:resolve|url)\b/.test(text)) return text;
  const up = "../".repeat(dirname(path).split("/").length);
  const here = `here(${JSON.stringify(path)})`;
  return `import { here } from "${up}here.ts";\n` +
    text.replaceAll(/\bimport\.meta\.(?=resolve\b|url\b)/g, `${here}.`);
}

/** Tells a module of the bundle where its source is, and leads to the bundle what is in it. */
function hereModule(entries: readonly string[]): string {
  const names = Object.fromEntries(entries.map((path) => [path, `${entryName(path)}.js`]));
  return `const ENTRIES: Record<string, string> = ${JSON.stringify(names, null, 2)};
const LIBRARY = new URL("..", import.meta.url).href;

/** As import.meta of a file of the source; what is loaded from it is that of the bundle. */
export function here(path: string) {
  const url = new URL(path, LIBRARY).href;
  const resolve = (to: string) => {
    const target = new URL(to, url).href;
    const entry = target.startsWith(LIBRARY) ? ENTRIES[target.slice(LIBRARY.length)] : undefined;
    return entry === undefined ? target : new URL(entry, import.meta.url).href;
  };
  return { url, resolve };
}
`;
}

/** All of a bundle are in one folder. */
function entryName(path: string): string {
  return path.replace(/^src\//, "").replace(/\.ts$/, "").replaceAll("/", ".");
}

async function write(folder: string, path: string, text: string): Promise<void> {
  await Deno.mkdir(dirname(`${folder}/${path}`), { recursive: true });
  await Deno.writeTextFile(`${folder}/${path}`, text);
}

async function runBundler(folder: string, entries: readonly string[]): Promise<void> {
  const { success, stderr } = await new Deno.Command(Deno.execPath(), {
    args: [
      ...["bundle", "--quiet", "--no-lock", "--platform", "deno", "--packages", "external"],
      ...["--code-splitting", "--outdir", "out", ...entries],
    ],
    cwd: folder,
    stdin: "null",
  }).output();
  if (success) return;
  const lines = new TextDecoder().decode(stderr).split("\n");
  throw new Error(lines.find((line) => /error/i.test(line)) ?? lines[0]);
}
