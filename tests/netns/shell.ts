/**
 * A shell at a terminal of its own, as a person sits before one: what is typed goes through the terminal's
 * line discipline, so that Ctrl-C is a signal to the whole job. Needs script (util-linux) and bash.
 *
 * @module
 */
import { findExecutable } from "../../src/linux/host.ts";
import { until } from "./namespace.ts";

/** Ctrl and a letter, as a keyboard sends it. */
export const KEY = { interrupt: "\x03", suspend: "\x1a" } as const;

/** The shell that script(1) starts keeps PS1 for itself. */
const COMMAND = "exec env 'PS1=PROMPT> ' bash --norc --noprofile --noediting -i";
const WAIT_MS = 60_000;

/** Why there can be no such shell here, undefined where there can. */
export const NO_SHELL: string | undefined = ["script", "bash", "setsid"]
  .filter((name) => findExecutable(name) === undefined)
  .map((name) => `no "${name}"`)[0];

/** An interactive shell. */
export class Shell implements AsyncDisposable {
  /** What the terminal has shown. */
  text = "";
  readonly #child: Deno.ChildProcess;
  readonly #keys: WritableStreamDefaultWriter<Uint8Array>;
  readonly #read: Promise<void>;

  private constructor() {
    const child = new Deno.Command("script", {
      args: ["-qfec", COMMAND, "/dev/null"],
      env: { NO_COLOR: "1", TERM: "dumb", LC_ALL: "C.UTF-8", HISTFILE: "" },
      stdin: "piped",
      stdout: "piped",
      stderr: "null",
    }).spawn();
    this.#child = child;
    this.#keys = child.stdin.getWriter();
    this.#read = (async () => {
      for await (const part of child.stdout.pipeThrough(new TextDecoderStream())) {
        this.text += part;
      }
    })();
  }

  /** Starts one. */
  static async start(): Promise<Shell> {
    const shell = new Shell();
    await shell.shows(/PROMPT> $/);
    return shell;
  }

  /** Types some keys. */
  async type(keys: string): Promise<void> {
    await this.#keys.write(new TextEncoder().encode(keys));
  }

  /** Runs a command line, without waiting for its end. */
  async run(line: string): Promise<void> {
    await this.type(`${line}\n`);
  }

  /** Waits until the terminal shows something. @param from Where in {@link text} to look from. */
  async shows(pattern: RegExp, from = 0): Promise<void> {
    await until(
      `${pattern} on the terminal`,
      () => pattern.test(this.text.slice(from)),
      WAIT_MS,
    ).catch((error) => {
      throw new Error(`${error.message}; it shows ${JSON.stringify(this.text.slice(from))}`);
    });
  }

  /** Waits until the command has ended. @returns Its exit status. */
  async status(): Promise<number> {
    const from = this.text.length;
    await this.run("echo STATUS=$?");
    const pattern = /STATUS=(\d+)\r\n/;
    await this.shows(pattern, from);
    return Number(pattern.exec(this.text.slice(from))![1]);
  }

  /** Takes the terminal away, as a lost connection does. */
  async hangUp(): Promise<void> {
    this.#child.kill("SIGKILL");
    await this.#child.status;
    await this.#read;
  }

  /** Ends the shell. */
  async [Symbol.asyncDispose](): Promise<void> {
    try {
      await this.#keys.write(new TextEncoder().encode("exit\n"));
      await this.#keys.close();
    } catch {
      // It has ended, or was hung up.
    }
    await this.#child.status;
    await this.#read;
  }
}
