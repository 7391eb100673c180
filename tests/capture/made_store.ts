/**
 * A store of made-up records, and `synsnoop ship` as a process.
 *
 * @module
 */
import { TextLineStream } from "@std/streams";
import { zstdDecompressSync } from "node:zlib";
import config from "../../deno.json" with { type: "json" };
import { seal } from "../../src/store/seal.ts";
import { listSegments } from "../../src/store/store_folder.ts";
import { until } from "../netns/namespace.ts";
import { HOSTS, linesOf, makeRecords } from "./made_records.ts";

const ROOT = new URL("../../", import.meta.url).pathname;

/** A folder with the records of two hosts, hour by hour: those of the first host sealed. */
export class MadeStore implements Disposable {
  readonly path = Deno.makeTempDirSync({ prefix: "synsnoop-ship-" });

  /** Makes one of so many handshakes. */
  static async of(handshakes: number, seed = 42): Promise<MadeStore> {
    const store = new MadeStore();
    const records = makeRecords(handshakes, seed);
    for (const [at, host] of HOSTS.entries()) {
      const hours = Map.groupBy(
        linesOf(records, host).trimEnd().split("\n"),
        (line) => JSON.parse(line).time.slice(0, 13),
      );
      for (const [hour, lines] of hours) {
        const name = store.write(`${hour}.${host}.4711-1`, lines.join("\n") + "\n");
        if (at === 0) await seal(name, "test");
      }
    }
    return store;
  }

  /** Writes a segment that is not sealed. @param begin Of its name. @returns Its path. */
  write(begin: string, text: string, append = false): string {
    const path = `${this.path}/${begin}.ndjson`;
    Deno.writeTextFileSync(path, text, { append });
    return path;
  }

  /** Lines of one kind in all segments. */
  lines(event = "handshake"): string[] {
    return listSegments(this.path).flatMap(({ path }) => {
      const bytes = Deno.readFileSync(path);
      const text = new TextDecoder().decode(
        path.endsWith(".zst") ? zstdDecompressSync(bytes) : bytes,
      );
      return text.split("\n").filter((line) => line.includes(`"event":"${event}"`));
    });
  }

  [Symbol.dispose](): void {
    Deno.removeSync(this.path, { recursive: true });
  }
}

/** A running `synsnoop ship`, with the permissions of its task. */
export class ShipRun implements AsyncDisposable {
  /** Lines of standard error so far. */
  readonly said: string[] = [];
  readonly child: Deno.ChildProcess;
  readonly #read: Promise<void>;

  /** Starts it. */
  constructor(args: readonly string[], env: Record<string, string> = {}) {
    const flags = /deno run (.*) src\/main\.ts ship$/.exec(config.tasks.ship.command)![1];
    const child = new Deno.Command(Deno.execPath(), {
      args: ["run", ...flags.split(" "), `${ROOT}src/main.ts`, "ship", ...args],
      env,
      stdin: "null",
      stdout: "null",
      stderr: "piped",
    }).spawn();
    this.child = child;
    this.#read = (async () => {
      const lines = child.stderr.pipeThrough(new TextDecoderStream())
        .pipeThrough(new TextLineStream());
      for await (const line of lines) this.said.push(line);
    })();
  }

  /** Waits for a line. */
  async untilSaid(words: RegExp): Promise<void> {
    let hasEnded = false;
    this.child.status.then(() => hasEnded = true);
    await until(String(words), () => {
      if (this.said.some((line) => words.test(line))) return true;
      if (hasEnded) throw new Error(`ship ended: ${this.said.join("\n")}`);
      return false;
    });
  }

  /** Waits for its end. @returns The exit status and all that was said. */
  async end(): Promise<{ status: number; said: string }> {
    const { code } = await this.child.status;
    await this.#read;
    return { status: code, said: this.said.join("\n") };
  }

  /** Sends a signal and waits for the end. */
  async stop(signal: Deno.Signal = "SIGTERM"): Promise<{ status: number; said: string }> {
    this.child.kill(signal);
    return await this.end();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    try {
      this.child.kill("SIGKILL");
    } catch {
      // It has ended.
    }
    await this.child.status;
    await this.#read;
  }
}

/** Runs it to its end. */
export async function ship(
  args: readonly string[],
  env: Record<string, string> = {},
): Promise<{ status: number; said: string }> {
  await using run = new ShipRun(args, env);
  return await run.end();
}
