/**
 * The tracer under test as a process of its own, run in a namespace as a user would run it.
 *
 * @module
 */
import { TextLineStream } from "@std/streams";
import type { HandshakeRecord } from "../../src/record/record.ts";
import { roundTrip } from "../unit/record/round_trip.ts";
import { type Namespace, until } from "./namespace.ts";

/** The command line of the tool. */
export const MAIN = new URL("../../src/main.ts", import.meta.url).pathname;
/** Attaching takes about a second; a busy machine takes several. */
const READY_MS = 60_000;
/** Ending takes a second; a part of it that hangs is given up by the tool itself, after 20 s or a minute. */
const END_MS = 150_000;

/** The last line of a trace's NDJSON. */
export interface SummaryRecord {
  event: "summary";
  handshakes: number;
  filtered: number;
  outcomes: Record<string, number>;
  by_evidence: { both: number; wire_only: number; kernel_only: number };
  losses: Record<string, number | undefined>;
  /** Packets that the receiving host throws away, by reason. */
  discarded: Record<string, number>;
}

/** What a trace wrote and how it ended. */
export interface TraceResult {
  records: HandshakeRecord[];
  summary: SummaryRecord | undefined;
  stderr: string[];
  status: Deno.CommandStatus;
}

/** A running `synsnoop trace`. */
export class Tracer {
  /** Lines of standard output, as they are. */
  readonly lines: string[] = [];
  /** Lines of standard error so far. */
  readonly stderr: string[] = [];
  readonly #child: Deno.ChildProcess;
  readonly #read: Promise<unknown>;
  /** Which lines of standard error were waited for. */
  readonly #heard = new Set<number>();

  private constructor(child: Deno.ChildProcess) {
    this.#child = child;
    this.#read = Promise.all([
      collect(child.stdout, this.lines),
      collect(child.stderr, this.stderr),
    ]);
  }

  /**
   * Starts it and waits until packets are captured, but not for the kernel's side.
   *
   * @param wrap A command that runs the command behind it. @param main Of the version that traces.
   */
  static async start(
    namespace: Namespace,
    args: readonly string[] = [],
    options: Deno.CommandOptions = {},
    wrap: readonly string[] = [],
    main = MAIN,
  ): Promise<Tracer> {
    const tracer = new Tracer(namespace.spawn(
      [...wrap, Deno.execPath(), "run", "--quiet", "-A", main, "trace", ...args],
      { ...options, stdout: "piped", stderr: "piped" },
    ));
    await tracer.said(/capturing packets/);
    return tracer;
  }

  /** Starts it and waits until both sources deliver. */
  static async ready(
    namespace: Namespace,
    args: readonly string[] = [],
    wrap: readonly string[] = [],
    main = MAIN,
  ): Promise<Tracer> {
    const tracer = await Tracer.start(namespace, args, {}, wrap, main);
    await tracer.said(/kernel events come from/);
    return tracer;
  }

  /** Process id of the tracer. */
  get pid(): number {
    return this.#child.pid;
  }

  /**
   * Waits until it has said something on standard error that was not waited for before: a pattern may also
   * fit what was said earlier, as "is back" fits "nothing is captured until it is back".
   *
   * @returns The line.
   */
  async said(pattern: RegExp): Promise<string> {
    const find = () =>
      this.stderr.findIndex((line, at) => !this.#heard.has(at) && pattern.test(line));
    try {
      await until(`a line ${pattern}`, () => find() >= 0, READY_MS);
    } catch (cause) {
      throw new Error(`It said ${JSON.stringify(this.stderr)}`, { cause });
    }
    const at = find();
    this.#heard.add(at);
    return this.stderr[at];
  }

  /** Waits until it has written so many lines. */
  async wrote(count: number): Promise<void> {
    try {
      await until(`${count} lines of output`, () => this.lines.length >= count, READY_MS);
    } catch (cause) {
      const [wrote, said] = [this.lines, this.stderr].map((lines) => JSON.stringify(lines));
      throw new Error(`It wrote ${wrote} and said ${said}`, { cause });
    }
  }

  /** Sends it a signal. */
  signal(signal: Deno.Signal): void {
    this.#child.kill(signal);
  }

  /** Sends it SIGINT, unless it ends by itself, and takes what it wrote. */
  async stop(signal: Deno.Signal | undefined = "SIGINT"): Promise<TraceResult> {
    if (signal) this.#child.kill(signal);
    return await this.ended();
  }

  /** Waits for its end, whatever it wrote. */
  async exited(): Promise<Deno.CommandStatus> {
    const { promise: late, reject } = Promise.withResolvers<never>();
    const timer = setTimeout(() => {
      const said = JSON.stringify(this.stderr.slice(-5));
      reject(new Error(`Cannot go on: the trace did not end within ${END_MS} ms; it said ${said}`));
    }, END_MS);
    try {
      await Promise.race([this.#read, late]);
    } finally {
      clearTimeout(timer);
    }
    return await this.#child.status;
  }

  /**
   * Waits for its end and takes what it wrote. Fails where a line is no whole JSON object, or a record
   * that is another one once it was read back.
   */
  async ended(): Promise<TraceResult> {
    const status = await this.exited();
    const events = this.lines.map((line) => JSON.parse(line));
    for (const [at, { event }] of events.entries()) {
      if (event === "handshake") roundTrip(this.lines[at] + "\n");
    }
    return {
      records: events.filter((event) => event.event === "handshake"),
      summary: events.find((event) => event.event === "summary"),
      stderr: this.stderr,
      status,
    };
  }
}

async function collect(
  stream: ReadableStream<Uint8Array<ArrayBuffer>>,
  lines: string[],
): Promise<void> {
  // Fatal: what is no UTF-8 on an output of the tool is a fault of the tool.
  const text = stream.pipeThrough(new TextDecoderStream("utf-8", { fatal: true }));
  for await (const line of text.pipeThrough(new TextLineStream())) lines.push(line);
}
