/**
 * A trace that goes on while all kinds of handshakes happen and things go wrong: a cable that goes
 * down and up, a reader of its output that stops for a while, a bpftrace that is killed. In the end
 * every handshake made must have been reported once, and its memory must not have grown.
 *
 *     deno task soak [DURATION]
 *
 * DURATION is 10m, 90s, 2h, …; ten minutes unless told. The exit status is 1 when something does not
 * add up.
 *
 * @module
 */
import { parseDuration } from "../../src/command/values.ts";
import { ROWS_USUAL } from "../../src/match/attempts.ts";
import { residentMb } from "../bench/process_cost.ts";
import { TRACE } from "../bench/watchers.ts";
import { Namespace, until } from "./namespace.ts";
import { type Counts, SOAK_PORTS, SoakTraffic } from "./soak_traffic.ts";
import type { SummaryRecord } from "./tracer.ts";

/** A record is more than a kilobyte: beyond the few that a pipe holds, they wait in the trace. */
const WHILE_BLOCKED = 2_000;

/**
 * Half-open handshakes that are waited for at a time. A trace waits half a minute and longer, and none
 * must be given up for want of rows, however fast the machine makes more.
 */
const HALF_OPEN_MAX = ROWS_USUAL / 2;

/** Garbage may wait for longer than a soak goes on. */
const GROWTH_MB = 64;

/** Attaching, or catching up, on a machine that does much else. */
const PATIENCE_MS = 120_000;

/** What came of it. */
export interface SoakResult {
  cycles: number;
  /** Made, and reported, by outcome. */
  made: Counts;
  reported: Counts;
  summary: SummaryRecord;
  /** Memory of Deno at the end of each cycle, MB. */
  memoryMb: number[];
  /** What the lowest of the last third is above the lowest of the second. */
  growthMb: number;
  /** What does not add up; nothing where all is well. */
  findings: string[];
}

/** A trace whose output is read or left alone. */
class BlockableTrace {
  readonly reported: Counts = {};
  readonly stderr: string[] = [];
  summary: SummaryRecord | undefined;
  readonly #child: Deno.ChildProcess;
  readonly #reading: Promise<unknown>;
  #mayRead: PromiseWithResolvers<void> = Promise.withResolvers();

  constructor(namespace: Namespace) {
    this.#child = namespace.spawn(
      [...TRACE, "--json", "--port", SOAK_PORTS],
      { stdout: "piped", stderr: "piped" },
    );
    this.#mayRead.resolve();
    this.#reading = Promise.all([
      eachLine(this.#child.stdout, (line) => this.#take(line), () => this.#mayRead.promise),
      eachLine(this.#child.stderr, (line) => this.stderr.push(line)),
    ]);
  }

  get pid(): number {
    return this.#child.pid;
  }

  /** Reported so far with one of some outcomes. */
  count(...outcomes: string[]): number {
    return outcomes.reduce((sum, outcome) => sum + (this.reported[outcome] ?? 0), 0);
  }

  async said(pattern: RegExp): Promise<void> {
    const line = () => this.stderr.some((each) => pattern.test(each));
    await until(`a line ${pattern}`, line, PATIENCE_MS);
  }

  /** Reads nothing until {@linkcode unblock}. */
  block(): void {
    this.#mayRead = Promise.withResolvers();
  }

  unblock(): void {
    this.#mayRead.resolve();
  }

  async stop(): Promise<void> {
    this.#child.kill("SIGINT");
    await this.#reading;
    await this.#child.status;
  }

  #take(line: string): void {
    const record = JSON.parse(line);
    if (record.event === "summary") this.summary = record;
    else this.reported[record.outcome] = (this.reported[record.outcome] ?? 0) + 1;
  }
}

/** Hands on each line; before each read it waits for `mayRead`, so that the pipe fills. */
async function eachLine(
  stream: ReadableStream<Uint8Array<ArrayBuffer>>,
  take: (line: string) => void,
  mayRead: () => Promise<void> = () => Promise.resolve(),
): Promise<void> {
  const reader = stream.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  for (;;) {
    await mayRead();
    const { value, done } = await reader.read();
    if (done) return;
    const lines = (rest + value).split("\n");
    rest = lines.pop()!;
    lines.forEach(take);
  }
}

/**
 * Traces for a while. Needs root and bpftrace.
 *
 * @param durationMs At least; two cycles are run in any case.
 * @param say Is told how it goes.
 */
export async function soak(
  durationMs: number,
  say: (words: string) => void,
): Promise<SoakResult> {
  const folder = await Deno.makeTempDir({ prefix: "synsnoop-soak-" });
  try {
    await using here = await Namespace.create();
    await using there = await Namespace.create();
    const traffic = await SoakTraffic.lay(here, there, folder);
    const trace = new BlockableTrace(here);
    await trace.said(/kernel events come from/);
    const memoryMb: number[] = [];
    const begin = performance.now();
    const run = async (untilMs: number) => {
      do {
        await cycle(traffic, trace);
        memoryMb.push(residentMb(trace.pid).now);
        say(
          `cycle ${memoryMb.length}: ${JSON.stringify(trace.reported)}, ` +
            `${memoryMb.at(-1)!.toFixed(0)} MB`,
        );
      } while (performance.now() - begin < untilMs);
    };
    await run(durationMs / 2);
    say("killing bpftrace");
    await killBpftrace(trace);
    await run(durationMs);
    await trace.stop();
    return conclude(traffic, trace, memoryMb);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** Traffic of every kind, then again after the cable was down, then while nobody reads. */
async function cycle(traffic: SoakTraffic, trace: BlockableTrace): Promise<void> {
  await traffic.everything();
  if (traffic.made.half_open - trace.count("half_open") < HALF_OPEN_MAX) await traffic.flood();
  await traffic.flapCable();
  await traffic.overCable("ipv4");
  trace.block();
  await traffic.onLoopback("127.0.0.1", WHILE_BLOCKED);
  trace.unblock();
  const { established, refused, aborted } = traffic.made;
  const ended = established + refused + aborted + traffic.overtaken;
  await until(
    `${ended} handshakes reported`,
    () => trace.count("established", "refused", "aborted") >= ended,
    PATIENCE_MS,
  );
}

async function killBpftrace(trace: BlockableTrace): Promise<void> {
  const children = await Deno.readTextFile(`/proc/${trace.pid}/task/${trace.pid}/children`);
  Deno.kill(Number(children.trim()), "SIGKILL");
  await trace.said(/bpftrace ended by SIGKILL/);
}

/** Places where a loss would explain a wrong count, and which must be empty all the same. */
const MUST_BE_EMPTY = ["ring_packets", "half_open_evicted", "output_records", "undecoded_packets"];

/** What was made, those of either outcome counted where they were reported. */
function settle({ made, overtaken }: SoakTraffic, reported: Counts): Counts {
  const more = (reported.aborted ?? 0) - made.aborted;
  const aborted = Math.min(overtaken, Math.max(0, more));
  return {
    ...made,
    established: made.established + overtaken - aborted,
    aborted: made.aborted + aborted,
  };
}

function conclude(
  traffic: SoakTraffic,
  trace: BlockableTrace,
  memoryMb: number[],
): SoakResult {
  const { reported, summary } = trace;
  const made = settle(traffic, reported);
  if (summary === undefined) {
    throw new Error(`Cannot conclude: no summary, it said ${trace.stderr.join("; ")}`);
  }
  const findings: string[] = [];
  for (const outcome of new Set([...Object.keys(made), ...Object.keys(reported)])) {
    const [asMade, asReported] = [made[outcome] ?? 0, reported[outcome] ?? 0];
    if (asMade !== asReported) findings.push(`${asMade} ${outcome} made, ${asReported} reported`);
    const inSummary = summary.outcomes[outcome] ?? 0;
    if (inSummary !== asReported) {
      findings.push(`${asReported} ${outcome} written, ${inSummary} in the summary`);
    }
  }
  for (const place of MUST_BE_EMPTY) {
    const lost = summary.losses[place];
    if (lost) findings.push(`${lost} lost: ${place}`);
  }
  // At first tables and buffers fill and the compiler is at work. Garbage comes and goes: what stays is
  // in the lowest of many.
  const third = Math.ceil(memoryMb.length / 3);
  const lowest = (begin: number, end?: number) => Math.min(...memoryMb.slice(begin, end));
  const growthMb = lowest(-third) - lowest(third, 2 * third);
  if (growthMb > GROWTH_MB) findings.push(`memory grew by ${growthMb.toFixed(0)} MB`);
  return { cycles: memoryMb.length, made, reported, summary, memoryMb, growthMb, findings };
}

if (import.meta.main) {
  const { made, summary, memoryMb, findings } = await soak(
    parseDuration("duration", Deno.args[0] ?? "10m"),
    (words) => console.error(words),
  );
  console.log(`made ${JSON.stringify(made)}`);
  console.log(`summary ${JSON.stringify(summary)}`);
  console.log(
    `memory ${Math.min(...memoryMb).toFixed(0)} to ${Math.max(...memoryMb).toFixed(0)} MB, ` +
      `${memoryMb[0].toFixed(0)} at first, ${memoryMb.at(-1)!.toFixed(0)} at last`,
  );
  for (const finding of findings) console.log(`does not add up: ${finding}`);
  if (findings.length === 0) console.log("everything adds up");
  Deno.exitCode = findings.length === 0 ? 0 : 1;
}
