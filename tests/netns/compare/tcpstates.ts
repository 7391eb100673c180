/**
 * tcpstates of libbpf-tools, which attaches to a tracepoint and so runs where kprobes do not.
 *
 * @module
 */
import { TextLineStream } from "@std/streams";
import { until } from "../namespace.ts";

/** That a client's socket left SYN_SENT. */
export interface LeftSynSent {
  readonly localPort: number;
  readonly remotePort: number;
  readonly newState: string;
  /** How long it was in SYN_SENT, as it is printed. */
  readonly ms: string;
}

const LINE = /^\S+ +\d+ +(?:.* )?\S+ +(\d+) +\S+ +(\d+) +SYN_SENT +-> +(\S+) +([\d.]+)$/;
const HEADING = /^SKADDR/;

/** A running tcpstates. */
export class TcpStates implements AsyncDisposable {
  readonly #lines: string[] = [];
  readonly #child: Deno.ChildProcess;
  readonly #read: Promise<void>;

  private constructor(child: Deno.ChildProcess) {
    this.#child = child;
    this.#read = (async () => {
      const text = child.stdout.pipeThrough(new TextDecoderStream());
      for await (const line of text.pipeThrough(new TextLineStream())) this.#lines.push(line);
    })();
  }

  /** Starts it with a tracefs of its own and waits until it is attached. @param path The program. */
  static async start(path: string): Promise<TcpStates> {
    const mounted = 'mount -t tracefs tracefs /sys/kernel/tracing && exec stdbuf -oL "$0" -w';
    const child = new Deno.Command("unshare", {
      args: ["--mount", "sh", "-c", mounted, path],
      stdin: "null",
      stdout: "piped",
      stderr: "inherit",
    }).spawn();
    const states = new TcpStates(child);
    await until("tcpstates is attached", () => states.#lines.some((line) => HEADING.test(line)));
    return states;
  }

  /** What it told so far. */
  get leftSynSent(): LeftSynSent[] {
    return this.#lines.flatMap((line) => {
      const [, localPort, remotePort, newState, ms] = line.trim().match(LINE) ?? [];
      if (ms === undefined) return [];
      return [{ localPort: Number(localPort), remotePort: Number(remotePort), newState, ms }];
    });
  }

  /** Stops it. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.kill("SIGINT");
    await this.#child.status;
    await this.#read;
  }
}
