/**
 * A terminal that keeps a screen, with a shell on it, as a person sits before one. Needs tmux and bash.
 *
 * @module
 */
import { findExecutable } from "../../src/linux/host.ts";
import { until } from "../netns/namespace.ts";

/** Why there can be none here, undefined where there can. */
export const NO_TMUX: string | undefined = ["tmux", "bash", "stty"]
  .filter((name) => findExecutable(name) === undefined)
  .map((name) => `no "${name}"`)[0];

/** The shell that tmux starts keeps PS1 for itself. */
const PROMPT = "PROMPT> ";
const DEADLINE_MS = 60_000;

/** What a terminal has been put into by the program on it. */
export interface TerminalModes {
  alternateScreen: boolean;
  cursor: boolean;
  mouse: boolean;
  wraps: boolean;
}

/** A terminal of its own, with a shell. */
export class Tmux implements AsyncDisposable {
  readonly #folder: string;

  private constructor(folder: string) {
    this.#folder = folder;
  }

  /** Starts one. @param env More variables of the environment. */
  static async start(
    columns: number,
    rows: number,
    env: Record<string, string> = {},
  ): Promise<Tmux> {
    const tmux = new Tmux(await Deno.makeTempDir({ prefix: "synsnoop-tmux-" }));
    // Whatever goes wrong, no terminal stays.
    await using stack = new AsyncDisposableStack();
    stack.use(tmux);
    const all = { LC_ALL: "C.UTF-8", HISTFILE: "", ...env };
    const variables = Object.entries(all).flatMap(([name, value]) => ["-e", `${name}=${value}`]);
    await tmux.#run(
      ...["start-server", ";", "set", "-g", "status", "off", ";"],
      ...["new-session", "-d", "-x", String(columns), "-y", String(rows), ...variables],
      `exec env 'PS1=${PROMPT}' bash --norc --noprofile`,
    );
    await tmux.shows(new RegExp(`^${PROMPT.trim()}`, "m"));
    stack.move();
    return tmux;
  }

  async #run(...args: string[]): Promise<string> {
    const { success, stdout, stderr } = await new Deno.Command("tmux", {
      args: ["-u", "-f", "/dev/null", "-S", `${this.#folder}/socket`, ...args],
      env: { LC_ALL: "C.UTF-8" },
      stdin: "null",
    }).output();
    if (!success) throw new Error(`tmux ${args[0]}: ${new TextDecoder().decode(stderr)}`);
    return new TextDecoder().decode(stdout);
  }

  /** Sends bytes as if they were typed, all at once. */
  async type(text: string): Promise<void> {
    const bytes = new TextEncoder().encode(text);
    await this.#run("send-keys", "-H", ...Array.from(bytes, (byte) => byte.toString(16)));
  }

  /** Has the shell begin a command. */
  async run(line: string): Promise<void> {
    await this.type(`clear; ${line}\r`);
  }

  /** Pastes a text as a terminal does, marked where that was asked for. */
  async paste(text: string): Promise<void> {
    await this.#run("set-buffer", "--", text);
    await this.#run("paste-buffer", "-p", "-r");
  }

  /** Gives it another size. */
  async resize(columns: number, rows: number): Promise<void> {
    await this.#run("resize-window", "-x", String(columns), "-y", String(rows));
  }

  /** What it shows, a line a row, without blanks at the ends. */
  async screen(): Promise<string[]> {
    return (await this.#run("capture-pane", "-p")).trimEnd().split("\n")
      .map((line) => line.trimEnd());
  }

  /** Waits until it shows something. @returns All that it shows. */
  async shows(pattern: RegExp): Promise<string[]> {
    let lines: string[] = [];
    await until(`${pattern} on the terminal`, async () => {
      lines = await this.screen();
      return pattern.test(lines.join("\n"));
    }, DEADLINE_MS).catch((error) => {
      throw new Error(`${error.message}; it shows\n${lines.join("\n")}`);
    });
    return lines;
  }

  /** How it was left. */
  async modes(): Promise<TerminalModes> {
    const names = ["alternate_on", "cursor_flag", "mouse_any_flag", "wrap_flag"];
    const format = names.map((name) => `#{${name}}`).join(" ");
    const text = await this.#run("display-message", "-p", format);
    const [alternateScreen, cursor, mouse, wraps] = text.trim().split(" ").map((flag) =>
      flag === "1"
    );
    return { alternateScreen, cursor, mouse, wraps };
  }

  /** The process of the shell. */
  async shellPid(): Promise<number> {
    return Number(await this.#run("display-message", "-p", "#{pane_pid}"));
  }

  /** Takes the terminal away, with all that runs on it. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#run("kill-server").catch(() => {});
    await Deno.remove(this.#folder, { recursive: true });
  }
}
