/**
 * A present ClickHouse for a test: chdb, which is one as a library, in a process that answers HTTP as a
 * server does, as far as questions go. It comes by npm into the cache of the tests.
 *
 * @module
 */
import { findExecutable } from "../src/linux/host.ts";
import { messageOf } from "../src/text/message.ts";
import { until } from "./netns/namespace.ts";
import { cached } from "./vm/cache.ts";
import { output } from "./vm/command.ts";

/** The version whose ClickHouse is 26.7. */
const PACKAGE = "chdb@3.4.0";

/** Answers what a server would: the settings of a request apart, which a library has no user for. */
const SERVER = `
import { Session } from "chdb";
const session = new Session();
Deno.serve({ hostname: "127.0.0.1", port: Number(Deno.args[0]), onListen() {} }, async (request) => {
  const { searchParams } = new URL(request.url);
  const body = await request.text();
  if (request.method === "GET") return new Response("Ok.\\n");
  const query = searchParams.get("query");
  const database = searchParams.get("database");
  try {
    if (database !== null) session.query("USE " + database, "Null");
    const sql = query === null ? body : query + "\\n" + body;
    return new Response(session.query(sql, searchParams.get("default_format") ?? "TabSeparated"));
  } catch (error) {
    return new Response(error.message, { status: 500 });
  }
});
`;

/** Finds chdb. @returns The folder that has it, or why it cannot be had here. */
export async function findChdb(): Promise<{ folder: string } | string> {
  if (Deno.build.arch !== "x86_64") return "chdb is fetched for x86_64 alone";
  // Deno would fetch it for other systems too, some of which are not published.
  if (findExecutable("npm") === undefined) return "no npm to fetch chdb with";
  try {
    const folder = await cached(PACKAGE.replace("@", "-"), async (partial) => {
      if (Deno.env.get("SYNSNOOP_SETUP") === "never") {
        throw new Error("SYNSNOOP_SETUP=never forbids fetching it");
      }
      await output(["npm", "install", "--no-audit", "--no-fund", "--prefix", partial, PACKAGE]);
    });
    await Deno.writeTextFile(`${folder}/server.mjs`, SERVER);
    return { folder };
  } catch (error) {
    return `chdb cannot be had: ${messageOf(error).split("\n")[0]}`;
  }
}

/** A running one, with nothing in it. */
export class ChdbServer implements AsyncDisposable {
  readonly url: string;
  readonly #process: Deno.ChildProcess;

  private constructor(port: number, process: Deno.ChildProcess) {
    this.url = `http://127.0.0.1:${port}`;
    this.#process = process;
  }

  /** Starts it. @param found What {@linkcode findChdb} found. */
  static async start({ folder }: { folder: string }): Promise<ChdbServer> {
    using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    const { port } = listener.addr as Deno.NetAddr;
    listener.close();
    const process = new Deno.Command(Deno.execPath(), {
      args: ["run", "-A", "--quiet", "--node-modules-dir=manual", "server.mjs", `${port}`],
      cwd: folder,
      stdin: "null",
    }).spawn();
    const server = new ChdbServer(port, process);
    let hasEnded = false;
    process.status.then(() => hasEnded = true);
    await until("chdb answers", async () => {
      if (hasEnded) throw new Error("chdb ended");
      return await fetch(server.url).then(async (it) => await it.text() === "Ok.\n", () => false);
    });
    return server;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#process.kill("SIGKILL");
    await this.#process.status;
  }
}
