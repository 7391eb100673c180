// `top` of what happens on this host: counted as it happens, and a ladder of the packets themselves.
import { assertEquals, assertMatch } from "@std/assert";
import { PseudoTerminal } from "../capture/pseudo_terminal.ts";
import { Namespace, namespaceTest, until } from "./namespace.ts";
import { MAIN } from "./tracer.ts";

const PORT = 25_301;
/** Attaching takes about a second; a busy machine takes several. */
const READY_MS = 60_000;

/** One connection that is taken, and three that are refused. */
const CONNECTS = `
  const hostname = "127.0.0.1";
  using listener = Deno.listen({ hostname, port: ${PORT} });
  using _client = await Deno.connect({ hostname, port: ${PORT} });
  using _server = await listener.accept();
  for (let nth = 0; nth < 3; nth++) {
    await Deno.connect({ hostname, port: ${PORT + 1} }).catch(() => {});
  }
`;

/** All that was shown, without what moves the cursor and colours. */
class Shown {
  text = "";
  readonly #terminal: PseudoTerminal;

  constructor(terminal: PseudoTerminal) {
    this.#terminal = terminal;
  }

  /** Waits until it shows something that it did not before. */
  async shows(pattern: RegExp): Promise<void> {
    let text = "";
    await until(`${pattern} on the terminal`, () => {
      // deno-lint-ignore no-control-regex
      text += this.#terminal.read().replaceAll(/\x1b\[\d+;1H/g, "\n").replaceAll(
        // deno-lint-ignore no-control-regex
        /\x1b\[[\d;?]*[A-Za-z]/g,
        "",
      );
      return pattern.test(text);
    }, READY_MS).catch((error) => {
      throw new Error(`${error.message}; it shows ${text}`);
    });
    this.text += text;
  }
}

await namespaceTest("top counts what happens, and draws the ladder of its packets", async () => {
  await using namespace = await Namespace.create();
  using terminal = new PseudoTerminal(120, 40);
  const shown = new Shown(terminal);
  const ports = `${PORT},${PORT + 1}`;
  const child = terminal.spawn([
    ...["ip", "netns", "exec", namespace.name, Deno.execPath(), "run", "--quiet", "-A", MAIN],
    ...["top", "--server-port", ports, "--sort", "failed"],
  ], { stderr: "null", env: { LC_ALL: "C.UTF-8" } });
  await shown.shows(/kernel events come from|no kernel events/);
  const hasKernel = !/no kernel events/.test(shown.text);
  await namespace.script(CONNECTS);
  await shown.shows(
    new RegExp(`^4 handshakes .*3 failed[^]*^>127\\.0\\.0\\.1:${PORT + 1} +3 `, "m"),
  );
  terminal.type("f\r");
  // A record does not tell that the RST acknowledges.
  await shown.shows(/^TCP handshake: refused[^]*\[RST, ACK\]/m);
  if (hasKernel) assertMatch(shown.text, /deno/);
  terminal.type("\x1b");
  await shown.shows(/latest failures: 3 kept/);
  terminal.type("q");
  assertEquals((await child.status).code, 0);
});
