/**
 * Compares synsnoop with other tools on the same 200 connections, in a guest with all of them
 * attached at once, and prints a Markdown table of what each reported:
 *
 * `deno run -A tests/vm/compare_tools.ts [SUITE]`, bookworm unless told.
 *
 * @module
 */
import { libbpfTools } from "./compare/libbpf_tools.ts";
import type { ToolPaths } from "./compare/compared_tools.ts";
import { guestEnvironment } from "./guest_environment.ts";
import { guestFiles, GUESTS } from "./guest_files.ts";
import { runInGuest } from "./vm.ts";

const ROOT = new URL("../..", import.meta.url).pathname;
const RUN = "tests/vm/compare/run.ts";
const MAIN = new URL("../../src/main.ts", import.meta.url).pathname;
const TIMEOUT_MS = 1_200_000;

async function main(suite: string): Promise<number> {
  if (!(suite in GUESTS)) {
    console.error(`Cannot compare: no guest "${suite}", there are ${Object.keys(GUESTS)}`);
    return 2;
  }
  const guest = GUESTS[suite as keyof typeof GUESTS];
  const files = await guestFiles(guest);
  const paths: ToolPaths = {
    libbpfTools: await libbpfTools(guest),
    scripts: files.scripts,
    loader: files.loader,
    synsnoop: [Deno.execPath(), "run", "--quiet", "--no-check", "-A", MAIN],
  };
  const shared = await Deno.makeTempDir({ prefix: "synsnoop-shared-" });
  try {
    const result = await runInGuest(files, {
      words: [Deno.execPath(), "run", "--quiet", "--no-check", "-A", RUN, JSON.stringify(paths)],
      cwd: ROOT,
      env: guestEnvironment(files),
      shared,
      timeoutMs: TIMEOUT_MS,
    });
    console.error(result.stderr);
    console.log(`Linux ${files.release}:\n\n${result.stdout}`);
    return result.status;
  } finally {
    await Deno.remove(shared, { recursive: true });
  }
}

Deno.exitCode = await main(Deno.args[0] ?? "bookworm");
