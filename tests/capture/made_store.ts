/**
 * A store of made-up records, and `synsnoop ship` as a process.
 *
 * @module
 */
import { zstdDecompressSync } from "node:zlib";
import { seal } from "../../src/store/seal.ts";
import { listSegments } from "../../src/store/store_folder.ts";
import { HOSTS, linesOf, makeRecords } from "./made_records.ts";
import { SpeakingRun, taskCommand } from "./speaking_run.ts";

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
export class ShipRun extends SpeakingRun {
  /** Starts it. */
  constructor(args: readonly string[], env: Record<string, string> = {}) {
    super(taskCommand("ship", args), { env });
  }

  /** Waits for its end. @returns The exit status and all that was said. */
  async end(): Promise<{ status: number; said: string }> {
    const status = await this.ended();
    return { status, said: this.said.join("\n") };
  }

  /** Sends a signal and waits for the end. */
  async stop(signal: Deno.Signal = "SIGTERM"): Promise<{ status: number; said: string }> {
    this.child.kill(signal);
    return await this.end();
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
