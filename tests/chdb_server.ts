/**
 * A present ClickHouse for a test: chdb in a process that answers HTTP as a server does, as far as
 * questions go.
 *
 * @module
 */
import { freePorts } from "./free_ports.ts";
import { until } from "./netns/namespace.ts";

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

/** A running one, with nothing in it. */
export class ChdbServer implements AsyncDisposable {
  readonly url: string;
  readonly #process: Deno.ChildProcess;

  private constructor(port: number, process: Deno.ChildProcess) {
    this.url = `http://127.0.0.1:${port}`;
    this.#process = process;
  }

  /** Starts it. @param found What `findPresentClickHouse` found. */
  static async start({ folder }: { folder: string }): Promise<ChdbServer> {
    const [port] = freePorts(1);
    await Deno.writeTextFile(`${folder}/server.mjs`, SERVER);
    const process = new Deno.Command(Deno.execPath(), {
      args: ["run", "-A", "--quiet", "--no-lock", "server.mjs", `${port}`],
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
