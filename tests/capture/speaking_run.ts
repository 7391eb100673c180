/**
 * A program that runs, by what it says on standard error.
 *
 * @module
 */
import { TextLineStream } from "@std/streams";
import config from "../../deno.json" with { type: "json" };
import { until } from "../netns/namespace.ts";

const MAIN = new URL("../../src/main.ts", import.meta.url).pathname;

/** The command of a task: the runtime with its flags, and so with its permissions. */
export function taskCommand(name: "metrics" | "ship", args: readonly string[]): string[] {
  const flags = /deno run (.*) src\/main\.ts \w+$/.exec(config.tasks[name].command)![1];
  return [Deno.execPath(), "run", ...flags.split(" "), MAIN, name, ...args];
}

/** A running program; it is killed at the latest when this is disposed of. */
export class SpeakingRun implements AsyncDisposable {
  /** Lines of standard error so far. */
  readonly said: string[] = [];
  readonly child: Deno.ChildProcess;
  readonly #read: Promise<void>;
  #hasEnded = false;

  /** Starts a program with its arguments. */
  constructor(command: readonly string[], options: Deno.CommandOptions = {}) {
    const [program, ...args] = command;
    const child = new Deno.Command(program, {
      stdin: "null",
      ...options,
      args,
      stdout: "null",
      stderr: "piped",
    }).spawn();
    this.child = child;
    this.#read = (async () => {
      const lines = child.stderr.pipeThrough(new TextDecoderStream())
        .pipeThrough(new TextLineStream());
      for await (const line of lines) this.said.push(line);
      this.#hasEnded = true;
    })();
  }

  /** Waits until it has said something. @returns What the pattern matches. */
  async says(pattern: RegExp): Promise<RegExpExecArray> {
    const find = () => this.said.map((line) => pattern.exec(line)).find((found) => found !== null);
    await until(String(pattern), () => {
      if (find() !== undefined) return true;
      if (this.#hasEnded) throw new Error(`It ended, and said: ${this.said.join("\n")}`);
      return false;
    });
    return find()!;
  }

  /** Waits for the end. @returns The exit status. */
  async ended(): Promise<number> {
    const { code } = await this.child.status;
    await this.#read;
    return code;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    try {
      this.child.kill("SIGKILL");
    } catch {
      // It has ended.
    }
    await this.ended();
  }
}
