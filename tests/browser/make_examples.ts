/**
 * Makes two pages to look at: of the sample capture of the tests, and of what a small HTTP server does
 * under load, traced here in a network namespace of its own.
 *
 *     deno run -A tests/browser/make_examples.ts FOLDER
 *
 * As root. FOLDER then has capture.html and server.html.
 *
 * @module
 */
import { CAPTURE } from "../golden/sample_capture.ts";
import { Namespace, until } from "../netns/namespace.ts";
import { MAIN, Tracer } from "../netns/tracer.ts";

const PORT = 8480;
const CLOSED_PORT = 8481;
const LOAD_MS = 20_000;

const SERVER = `Deno.serve({ hostname: "127.0.0.1", port: ${PORT} }, async () => {
  await new Promise((resolve) => setTimeout(resolve, 20 * Math.random()));
  return new Response("hello");
});`;

/** Asks in waves, a connection for each request; one in fifty goes where nobody listens. */
const LOAD = `const end = Date.now() + ${LOAD_MS};
const headers = { connection: "close" };
await Promise.all(Array.from({ length: 8 }, async () => {
  for (let asked = 1; Date.now() < end; asked++) {
    const port = asked % 50 === 0 ? ${CLOSED_PORT} : ${PORT};
    await fetch(\`http://127.0.0.1:\${port}/\`, { headers }).then((answer) => answer.text()).catch(() => {});
    const pauseMs = 5 + 45 * Math.abs(Math.sin(Date.now() / 4_000));
    await new Promise((resolve) => setTimeout(resolve, pauseMs));
  }
}));`;

async function reportOnCapture(page: string): Promise<void> {
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--quiet", MAIN, "report", "--force", "--output", page, "-"],
    stdin: "piped",
  }).spawn();
  const writer = child.stdin.getWriter();
  await writer.write(CAPTURE);
  await writer.close();
  await child.status;
}

async function reportOnServer(page: string): Promise<void> {
  await using namespace = await Namespace.create();
  const ports = `${PORT},${CLOSED_PORT}`;
  const args = ["--json", "--port", ports, "--force", "--report", page];
  const tracer = await Tracer.ready(namespace, args);
  namespace.spawn([Deno.execPath(), "eval", SERVER], { stdout: "null" });
  await until(
    "the server listens",
    async () => (await namespace.run("ss", "-Hltn", `sport = :${PORT}`)) !== "",
  );
  await namespace.run(Deno.execPath(), "eval", LOAD);
  await tracer.stop();
  console.error(tracer.stderr.join("\n"));
}

const [folder] = Deno.args;
if (folder === undefined) {
  console.error("Cannot make pages: give a FOLDER for them");
  Deno.exit(2);
}
await reportOnCapture(`${folder}/capture.html`);
await reportOnServer(`${folder}/server.html`);
