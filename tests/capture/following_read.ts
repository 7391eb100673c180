/**
 * Runs `synsnoop read --follow` as a process, and takes what it writes as it comes.
 *
 * @module
 */
import { TextLineStream } from "@std/streams";
import { until } from "../netns/namespace.ts";
import { startRead } from "./read_tool.ts";

/** A running `read`, line by line. */
export class FollowingRead implements AsyncDisposable {
  /** Its process. */
  readonly child: Deno.ChildProcess;
  /** Lines of standard error so far. */
  readonly #said: string[] = [];
  readonly #reading: Promise<void>;
  readonly #lines: ReadableStreamDefaultReader<string>;

  /** Starts it. */
  constructor(args: readonly string[]) {
    this.child = startRead(args);
    this.child.stdin.close();
    const said = this.child.stderr.pipeThrough(new TextDecoderStream())
      .pipeThrough(new TextLineStream());
    this.#reading = (async () => {
      for await (const line of said) this.#said.push(line);
    })();
    this.#lines = this.child.stdout.pipeThrough(new TextDecoderStream())
      .pipeThrough(new TextLineStream()).getReader();
  }

  /** The next lines, as many as are waited for. */
  async next(count: number): Promise<string[]> {
    const lines: string[] = [];
    while (lines.length < count) {
      const { value } = await this.#lines.read();
      if (value === undefined) break;
      lines.push(value);
    }
    return lines;
  }

  /** Waits until it says something. @param ask Is done before each look. */
  async says(words: RegExp, ask: () => void = () => {}): Promise<void> {
    await until(`${words}`, () => {
      ask();
      return this.#said.some((line) => words.test(line));
    });
  }

  /** Asks it to end. @returns What it wrote until then, its summary the last line. */
  async stop(): Promise<{ status: number; lines: string[]; said: string }> {
    this.child.kill("SIGINT");
    const lines = await this.next(Infinity);
    const { code } = await this.child.status;
    await this.#reading;
    return { status: code, lines, said: this.#said.join("\n") };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    try {
      this.child.kill("SIGKILL");
    } catch {
      // It has ended.
    }
    await this.child.status;
    await this.#lines.cancel();
    await this.#reading;
  }
}
