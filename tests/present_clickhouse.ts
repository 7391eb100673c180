/**
 * A present ClickHouse for a test: chdb, which is the whole engine in a process, from npm into the cache
 * of the tests.
 *
 * @module
 */
import { findExecutable } from "../src/linux/host.ts";
import { messageOf } from "../src/text/message.ts";
import { cached } from "./vm/cache.ts";

/** ClickHouse 26.7. */
const PACKAGE = { chdb: "3.4.0" };
/** Takes statements as JSON, one after another, and tells what becomes of each. */
const PROGRAM = `
import { Session } from "chdb";
const [folder] = process.argv.slice(2);
let text = "";
for await (const piece of process.stdin) text += piece;
const session = new Session(folder);
const answers = JSON.parse(text).map((sql) => {
  try {
    return { text: String(session.query(sql, "TabSeparated") ?? "").trimEnd() };
  } catch (error) {
    return { error: String(error) };
  }
});
console.log(JSON.stringify(answers));
process.exit(0);
`;

/** What a statement gave: rows, or an error. */
export type PresentAnswer = { text: string; error?: undefined } | {
  text?: undefined;
  error: string;
};

let found: Promise<{ folder: string } | string> | undefined;

/** Finds it. @returns Where it is, or why it cannot be had here. */
export function findPresentClickHouse(): Promise<{ folder: string } | string> {
  return found ??= find();
}

async function find(): Promise<{ folder: string } | string> {
  const npm = findExecutable("npm");
  if (npm === undefined) return 'no "npm" to fetch chdb with';
  try {
    const folder = await cached(`chdb-${PACKAGE.chdb}`, async (partial) => {
      if (Deno.env.get("SYNSNOOP_SETUP") === "never") {
        throw new Error("SYNSNOOP_SETUP=never forbids fetching it");
      }
      await Deno.writeTextFile(
        `${partial}/package.json`,
        JSON.stringify({ type: "module", dependencies: PACKAGE }),
      );
      const { success, stderr } = await new Deno.Command(npm, {
        args: ["install", "--silent", "--no-audit", "--no-fund"],
        cwd: partial,
        stdin: "null",
      }).output();
      if (!success) throw new Error(new TextDecoder().decode(stderr).trim() || "npm fails");
      await Deno.writeTextFile(`${partial}/ask.mjs`, PROGRAM);
    });
    return { folder };
  } catch (error) {
    return `chdb cannot be had: ${messageOf(error).split("\n")[0]}`;
  }
}

/** Runs statements one after another in an engine with nothing in it. */
export async function askPresentClickHouse(
  { folder }: { folder: string },
  statements: readonly string[],
): Promise<PresentAnswer[]> {
  const data = await Deno.makeTempDir({ prefix: "synsnoop-chdb-" });
  try {
    const child = new Deno.Command(Deno.execPath(), {
      args: ["run", "-A", "--quiet", "--no-lock", `${folder}/ask.mjs`, data],
      cwd: folder,
      stdin: "piped",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    const writer = child.stdin.getWriter();
    await writer.write(new TextEncoder().encode(JSON.stringify(statements)));
    await writer.close();
    const { success, stdout, stderr } = await child.output();
    if (!success) throw new Error(`chdb fails: ${new TextDecoder().decode(stderr)}`);
    return JSON.parse(new TextDecoder().decode(stdout));
  } finally {
    await Deno.remove(data, { recursive: true });
  }
}
