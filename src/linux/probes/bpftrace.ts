/**
 * Runs bpftrace: starts a program so that it cannot outlive this process nor be hit by the
 * terminal's Ctrl-C, reads what it says, and stops it.
 *
 * @module
 */
import { TextLineStream } from "@std/streams";
import { mountedTracefs, TRACEFS } from "./kernel_files.ts";
import { NarrowedBtf } from "./narrowed_btf.ts";
import { findExecutable } from "../host.ts";

/** How a bpftrace process ended. */
export interface BpftraceEnd {
  /** Exit status, or -1 where a signal ended it. */
  code: number;
  signal: string | null;
  /** What it said on its standard error last, without the harmless; untrusted text. */
  words: string[];
}

/** What to run. */
export interface BpftraceOptions {
  /** Path of bpftrace itself. */
  executable: string;
  /** The program's text, and the mode given to it as its first argument. */
  program: string;
  mode: 1 | 2;
  /** Its other arguments; without them they are 0. */
  numbers?: readonly number[];
  /** Entries of every map of the program. */
  mapEntries: number;
  /** Called for each line of its standard output, and for what it lost wherever it says so. */
  onLine(line: string): void;
  /** Called for each line of its standard error that is not harmless; untrusted text. */
  onWords?(line: string): void;
}

/** Lines of standard error kept: a program that fails to compile says the cause last. */
const WORDS_MAX = 12;
/** bpftrace says so whenever it may not raise its limit, and goes on. */
const HARMLESS = /RLIMIT_MEMLOCK|^Attached \d+ probes?$|^\s*$/;
const WARNING_CONTINUED = /^(Additional Info|\s+|~+)/;
/** From 0.24 on it says so on its standard error, where a comm cannot forge it. */
const LOST = /^Lost \d+ events$/;
/** How long it may take to end by itself after SIGINT: 0.2 s here, longer where it prints maps. */
const STOP_MS = 10_000;
/**
 * When it is asked again: it looks whether a signal came only where one interrupts its waiting, and so
 * misses the one that comes while it reads (`poll_perf_events`, seen with 0.17).
 */
const ASK_AGAIN_MS = 2_000;
/** What it said is read as soon as it has ended, unless a process that it started holds on to its output. */
const SAID_MS = 2_000;
/** Room for bursts of printed lines, in pages a CPU; a power of two. */
const PERF_PAGES = "1024";

/** A running bpftrace. */
export class Bpftrace {
  readonly pid: number;
  /** Settles when it has ended and everything it said was handed on. */
  readonly ended: Promise<BpftraceEnd>;
  readonly #child: Deno.ChildProcess;

  /**
   * Starts it.
   *
   * @throws {Deno.errors.NotFound} when the executable is gone.
   */
  constructor(options: BpftraceOptions) {
    const { executable, program, mode, numbers = [] } = options;
    const btf = NarrowedBtf.for(program);
    const command = wrap([
      ...[executable, "-B", "line", "-e", program],
      // Of types that one version or the other would have written in another way.
      "--no-warnings",
      ...[mode, ...numbers].map(String),
    ]);
    this.#child = new Deno.Command(command[0], {
      args: command.slice(1),
      env: {
        // Its name until 0.19, and from 0.20 on; from 0.24 on the first one is not heard.
        BPFTRACE_MAP_KEYS_MAX: String(options.mapEntries),
        BPFTRACE_MAX_MAP_KEYS: String(options.mapEntries),
        BPFTRACE_PERF_RB_PAGES: PERF_PAGES,
        ...btf && { BPFTRACE_BTF: btf.path },
      },
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    this.pid = this.#child.pid;
    const words: string[] = [];
    const silence = new AbortController();
    const said = Promise.all([
      readLines(this.#child.stdout, silence.signal, (line) => {
        // Its first words come after it has read all that it compiles.
        btf?.[Symbol.dispose]();
        options.onLine(line);
      }),
      readLines(this.#child.stderr, silence.signal, (line) => {
        if (LOST.test(line)) return options.onLine(line);
        if (HARMLESS.test(line) || WARNING_CONTINUED.test(line)) return;
        words.push(line);
        if (words.length > WORDS_MAX) words.shift();
        options.onWords?.(line);
      }),
    ]);
    this.ended = this.#child.status.then(async (status) => {
      const timer = setTimeout(() => silence.abort(), SAID_MS);
      await said;
      clearTimeout(timer);
      btf?.[Symbol.dispose]();
      return {
        code: status.signal === null ? status.code : -1,
        signal: status.signal,
        words,
      };
    });
  }

  /** Asks it to end, and makes it when it does not. */
  async stop(): Promise<void> {
    this.kill("SIGINT");
    const again = setInterval(() => this.kill("SIGINT"), ASK_AGAIN_MS);
    const timer = setTimeout(() => this.kill("SIGKILL"), STOP_MS);
    await this.ended;
    clearInterval(again);
    clearTimeout(timer);
  }

  /** Sends it a signal, if it still runs. */
  kill(signal: Deno.Signal): void {
    try {
      this.#child.kill(signal);
    } catch {
      // It has ended already.
    }
  }
}

/**
 * Puts what the process needs around a command; each layer replaces itself by the next, so the
 * child's pid is bpftrace's own.
 */
function wrap(command: string[]): string[] {
  const layers: string[] = [];
  // Out of the terminal's process group: Ctrl-C is for us to handle.
  const setsid = findExecutable("setsid");
  if (setsid) layers.push(setsid);
  // Whatever ends us, SIGKILL too, ends it: an orphan would go on taxing every connection. It may miss
  // any other signal, see above, and this one comes once.
  const setpriv = findExecutable("setpriv");
  if (setpriv) layers.push(setpriv, "--pdeathsig", "KILL");
  const unshare = findExecutable("unshare");
  if (mountedTracefs() === undefined && unshare) {
    // Minimal systems do not mount it. Ours is seen by bpftrace alone.
    const mount = `mount -t tracefs tracefs ${TRACEFS} && exec "$@"`;
    layers.push(unshare, "--mount", "/bin/sh", "-c", mount, "sh");
  }
  return [...layers, ...command];
}

async function readLines(
  stream: ReadableStream<Uint8Array<ArrayBuffer>>,
  signal: AbortSignal,
  onLine: (line: string) => void,
): Promise<void> {
  const lines = stream.pipeThrough(new TextDecoderStream(), { signal })
    .pipeThrough(new TextLineStream());
  try {
    for await (const line of lines) onLine(line);
  } catch (error) {
    if (!signal.aborted) throw error;
  }
}
