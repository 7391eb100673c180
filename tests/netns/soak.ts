/**
 * Two traces that go on while all kinds of handshakes happen and things go wrong: a cable goes down and
 * up, an interface is made again and renamed, a reader of the output stops for a while, files are
 * rotated, the traces are stopped or asked how it goes, a process has names that are no UTF-8, a
 * bpftrace is killed. In the end each must have reported every handshake made once, and their memory
 * must not have grown.
 *
 *     deno task soak [DURATION]
 *
 * DURATION is 10m, 90s, 2h, …; ten minutes unless told. The exit status is 1 when something does not
 * add up.
 *
 * @module
 */
import { parseDuration } from "../../src/cli/flags/values.ts";
import { UsageError } from "../../src/cli/usage.ts";
import { ROWS_USUAL } from "../../src/match/options.ts";
import { messageOf } from "../../src/text/message.ts";
import { Namespace, until } from "./namespace.ts";
import { FileTrace, PATIENCE_MS, PipedTrace, type SoakTrace } from "./soak_trace.ts";
import { type Counts, SOAK_INTERFACES, SoakTraffic } from "./soak_traffic.ts";
import type { SummaryRecord } from "./tracer.ts";

/** A record is more than a kilobyte: beyond the few that a pipe holds, they wait in the trace. */
const WHILE_BLOCKED = 2_000;

/**
 * Half-open handshakes that are waited for at a time. A trace waits half a minute and longer, and none
 * must be given up for want of rows, however fast the machine makes more.
 */
const HALF_OPEN_MAX = ROWS_USUAL / 2;

/** For how long the traces are stopped: what their rings and maps hold, less in a short soak. */
const STOPPED_MAX_SECONDS = 10;
const STOPPED_SHARE = 1 / 30;

/** A trace tells of thirty changes of interfaces a minute at most, and a cycle makes four. */
const CHANGE_INTERVAL_MS = 10_000;
/** A bpftrace that runs for a minute is started again after a second, others later and later. */
const KILL_INTERVAL_MS = 75_000;

/** Garbage may wait for longer than a soak goes on. */
const GROWTH_MB = 64;

/** What one of the traces made of it. */
export interface SoakedTrace {
  name: string;
  /** Made, those of either outcome counted where they were reported, and reported, by outcome. */
  made: Counts;
  reported: Counts;
  summary: SummaryRecord;
  /** Memory of Deno at the end of each cycle, MB. */
  memoryMb: number[];
  /** What the lowest of the last third is above the lowest of the second. */
  growthMb: number;
}

/** What came of it. */
export interface SoakResult {
  cycles: number;
  traces: SoakedTrace[];
  /** What could not be done here, and why. */
  leftOut: { fault: string; reason: string }[];
  /** What does not add up; nothing where all is well. */
  findings: string[];
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
    await using traffic = await SoakTraffic.lay(here, there, folder);
    const run = new Soak(
      traffic,
      new PipedTrace([here, there]),
      new FileTrace([here, there], folder, SOAK_INTERFACES),
      durationMs,
    );
    return await run.go(say);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** A run: what is done to the traces, and what was found. */
class Soak {
  readonly #traffic: SoakTraffic;
  readonly #piped: PipedTrace;
  readonly #toFiles: FileTrace;
  readonly #traces: readonly SoakTrace[];
  readonly #durationMs: number;
  readonly #findings: string[] = [];
  #cycles = 0;
  #gaps = 0;
  #changedMs = -Infinity;
  #killedMs = -Infinity;

  constructor(traffic: SoakTraffic, piped: PipedTrace, toFiles: FileTrace, durationMs: number) {
    this.#traffic = traffic;
    this.#traces = [this.#piped = piped, this.#toFiles = toFiles];
    this.#durationMs = durationMs;
  }

  async go(say: (words: string) => void): Promise<SoakResult> {
    const { withoutCgroups } = this.#traffic;
    const leftOut = withoutCgroups === undefined
      ? []
      : [{ fault: "a process in an oddly named control group", reason: withoutCgroups }];
    for (const { fault, reason } of leftOut) say(`left out: ${fault}: ${reason}`);
    await this.#each((trace) => trace.says(/kernel events come from/));
    const begin = performance.now();
    try {
      do {
        await this.#cycle(say);
      } while (this.#cycles < 2 || performance.now() - begin < this.#durationMs);
    } catch (error) {
      // What the traces count tells why.
      this.#findings.push(messageOf(error));
      this.#revive();
    }
    await this.#each(async (trace) => {
      const { code } = await trace.stop();
      if (code !== 0) this.#find(trace, `status ${code} at the end`);
    });
    const traces = this.#traces.map((trace) => this.#conclude(trace));
    return { cycles: this.#cycles, traces, leftOut, findings: this.#findings };
  }

  /** Everything that goes wrong, once. */
  async #cycle(say: (words: string) => void): Promise<void> {
    const began = performance.now();
    await this.#everyKind();
    await this.#cableFlaps();
    await this.#interfaceChanges();
    await this.#readerStops();
    await this.#filesAreRenamed();
    await this.#fileIsTruncated();
    await this.#tracesAreAsked();
    await this.#tracesAreStopped();
    await this.#namesAreOdd();
    await this.#bpftraceIsKilled();
    this.#cycles++;
    this.#traces.forEach((trace) => trace.weigh());
    const told = this.#traces.map(({ name, reported, memoryMb }) =>
      `${name} ${JSON.stringify(reported)}, ${memoryMb.at(-1)!.toFixed(0)} MB`
    );
    const seconds = (performance.now() - began) / 1_000;
    say(`cycle ${this.#cycles}, ${seconds.toFixed(1)} s: ${told.join("; ")}`);
  }

  async #everyKind(): Promise<void> {
    await this.#traffic.everything();
    const waiting = this.#traffic.made.half_open -
      Math.min(...this.#traces.map((trace) => trace.count("half_open")));
    if (waiting < HALF_OPEN_MAX) await this.#traffic.flood();
    await this.#everythingReported();
  }

  async #cableFlaps(): Promise<void> {
    await this.#traffic.flapCable();
    await this.#traffic.overCable("ipv4");
  }

  /** Now and then. */
  async #interfaceChanges(): Promise<void> {
    const nowMs = performance.now();
    if (nowMs - this.#changedMs < CHANGE_INTERVAL_MS) return;
    this.#changedMs = nowMs;
    await this.#interfaceIsMadeAgain();
    await this.#interfaceIsRenamed();
  }

  async #interfaceIsMadeAgain(): Promise<void> {
    await this.#toFiles.saysAfter(() => this.#traffic.removeSpare(), /"spare0" is gone/);
    await this.#toFiles.saysAfter(() => this.#traffic.laySpare(), /"spare0" is back/);
    this.#gaps++;
    await this.#traffic.overSpare();
    await this.#everythingReported();
  }

  async #interfaceIsRenamed(): Promise<void> {
    let undo = () => Promise.resolve();
    await this.#toFiles.saysAfter(async () => {
      undo = await this.#traffic.renameSpare();
    }, /"spare0" is called "spare1" now/);
    await this.#traffic.overSpare();
    await this.#everythingReported();
    await this.#toFiles.saysAfter(undo, /"spare1" is called "spare0" now/);
    await this.#traffic.overSpare();
  }

  async #readerStops(): Promise<void> {
    this.#piped.block();
    await this.#traffic.onLoopback("127.0.0.1", WHILE_BLOCKED);
    this.#piped.unblock();
    await this.#everythingReported();
  }

  async #filesAreRenamed(): Promise<void> {
    await Promise.all([
      this.#toFiles.rotate(),
      this.#traffic.onLoopback("127.0.0.1", WHILE_BLOCKED),
    ]);
  }

  async #fileIsTruncated(): Promise<void> {
    // What is written between the copy and its end is lost: that is known of copytruncate.
    await this.#everythingReported();
    this.#toFiles.copyAndTruncate();
    await this.#traffic.overCable("ipv4");
  }

  async #tracesAreAsked(): Promise<void> {
    await this.#everythingReported();
    await this.#each(async (trace) => {
      const atLeast = trace.count();
      const from = trace.stderr.length;
      trace.signal("SIGUSR1");
      const line = await trace.says(/^\d+ handshakes/, from);
      const told = parseInt(line);
      // Half-open ones are reported whenever their time has come.
      const atMost = this.#made() + sum(trace.foreign);
      if (told < atLeast || told > atMost) {
        this.#find(trace, `${told} told at SIGUSR1, ${atLeast} to ${atMost} reported`);
      }
    });
  }

  async #tracesAreStopped(): Promise<void> {
    const share = this.#durationMs / 1_000 * STOPPED_SHARE;
    this.#traces.forEach((trace) => trace.signal("SIGSTOP"));
    await this.#traffic.paced(Math.min(STOPPED_MAX_SECONDS, share));
    this.#traces.forEach((trace) => trace.signal("SIGCONT"));
    await this.#everythingReported();
  }

  /** Lets go on what was held up. */
  #revive(): void {
    this.#traces.forEach((trace) => trace.signal("SIGCONT"));
    this.#piped.unblock();
  }

  async #namesAreOdd(): Promise<void> {
    if (this.#traffic.withoutCgroups !== undefined) return;
    await this.#traffic.oddlyNamed();
    await this.#everythingReported();
  }

  /** Now and then, not in the first cycle. */
  async #bpftraceIsKilled(): Promise<void> {
    const nowMs = performance.now();
    if (this.#cycles === 0 || nowMs - this.#killedMs < KILL_INTERVAL_MS) return;
    this.#killedMs = nowMs;
    const from = this.#traces.map((trace) => trace.stderr.length);
    await this.#each((trace) =>
      trace.saysAfter(() => trace.killBpftrace(), /bpftrace ended by SIGKILL/)
    );
    await this.#traffic.everything();
    await this.#everythingReported();
    await Promise.all(
      this.#traces.map((trace, at) => trace.says(/kernel events come again/, from[at])),
    );
    const before = this.#traces.map(({ withKernel }) => withKernel);
    await this.#traffic.onLoopback("127.0.0.1", WHILE_BLOCKED);
    await this.#everythingReported();
    this.#traces.forEach((trace, at) => {
      if (trace.withKernel === before[at]) this.#find(trace, "nothing of a bpftrace begun again");
    });
  }

  #each(act: (trace: SoakTrace) => Promise<unknown>): Promise<unknown> {
    return Promise.all(this.#traces.map(act));
  }

  #made(): number {
    const { made, overtaken } = this.#traffic;
    return sum(made) + overtaken;
  }

  /** All but half-open ones, for which one waits long. */
  async #everythingReported(): Promise<void> {
    const ended = this.#made() - this.#traffic.made.half_open;
    await this.#each((trace) =>
      until(
        `${trace.name}: ${ended} handshakes reported`,
        () => trace.count("established", "refused", "aborted") >= ended,
        PATIENCE_MS,
      )
    );
  }

  #find({ name }: SoakTrace, words: string): void {
    this.#findings.push(`${name}: ${words}`);
  }

  #conclude(trace: SoakTrace): SoakedTrace {
    const { name, reported, summary, memoryMb } = trace;
    const made = settle(this.#traffic, reported);
    if (summary === undefined) {
      throw new Error(`Cannot conclude: no summary, it said ${trace.stderr.join("; ")}`);
    }
    for (const outcome of new Set([...Object.keys(made), ...Object.keys(reported)])) {
      const [asMade, asReported] = [made[outcome] ?? 0, reported[outcome] ?? 0];
      if (asMade !== asReported) {
        const suspects = asReported > asMade ? trace.suspects : [];
        this.#find(
          trace,
          [`${asMade} ${outcome} made, ${asReported} reported`, ...suspects].join("\n  "),
        );
      }
      const inSummary = (summary.outcomes[outcome] ?? 0) - (trace.foreign[outcome] ?? 0);
      if (inSummary !== asReported) {
        this.#find(trace, `${asReported} ${outcome} written, ${inSummary} in the summary`);
      }
    }
    this.#judgeLosses(trace, summary);
    // At first tables and buffers fill and the compiler is at work. Garbage comes and goes: what stays is
    // in the lowest of many.
    const third = Math.ceil(memoryMb.length / 3);
    const lowest = (begin: number, end?: number) => Math.min(...memoryMb.slice(begin, end));
    const growthMb = lowest(-third) - lowest(third, 2 * third);
    if (growthMb > GROWTH_MB) this.#find(trace, `memory grew by ${growthMb.toFixed(0)} MB`);
    return { name, made, reported, summary, memoryMb, growthMb };
  }

  /** Whether each loss has its place, and there is none besides. */
  #judgeLosses(trace: SoakTrace, { losses, by_evidence }: SummaryRecord): void {
    for (const place of MUST_BE_EMPTY) {
      if (losses[place]) this.#find(trace, `${losses[place]} lost: ${place}`);
    }
    const { overtaken } = this.#traffic;
    const contradicted = losses.contradicted_handshakes ?? 0;
    if (contradicted > overtaken) {
      this.#find(trace, `${contradicted} contradicted by the kernel, ${overtaken} for a reason`);
    }
    const wasKilled = this.#killedMs > -Infinity;
    if (wasKilled !== (losses.kernel_away_ms ?? 0) > 0) {
      this.#find(trace, `${losses.kernel_away_ms} ms without bpftrace`);
    }
    const unnamed = this.#traffic.madeByOdd - trace.madeByOdd;
    // The kernel's map is filled by whoever connects on this machine.
    const missed = (losses.recursion_misses ?? 0) + (losses.kernel_map_records ?? 0) +
      (losses.late_kernel_records ?? 0);
    if (unnamed < 0 || unnamed > missed) {
      this.#find(trace, `${unnamed} without their odd names, ${missed} missed`);
    }
    if (trace !== this.#toFiles) return;
    if (losses.interface_gaps !== this.#gaps) {
      this.#find(trace, `${this.#gaps} gaps on an interface, ${losses.interface_gaps} counted`);
    }
    const onWire = by_evidence.both + by_evidence.wire_only;
    const { handshakesInPackets } = this.#toFiles;
    const kept = losses.kept_handshakes ?? 0;
    if (handshakesInPackets > onWire || handshakesInPackets < onWire - kept) {
      this.#find(
        trace,
        `${onWire} handshakes on the wire, ${handshakesInPackets} in its packets, ${kept} lost`,
      );
    }
  }
}

/** Places where a loss would explain a wrong count, and which must be empty all the same. */
const MUST_BE_EMPTY = [
  "ring_packets",
  "half_open_evicted",
  "output_records",
  "written_packets",
  "undecoded_packets",
];

function sum(counts: Counts): number {
  return Object.values(counts).reduce((all, count) => all + count, 0);
}

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

/** How long, as the command line says; it ends this process where it says something else. */
function askedMs([text = "10m", ...more]: readonly string[]): number {
  try {
    if (more.length === 0) return parseDuration("duration", text);
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
  }
  console.error(
    `Cannot soak for "${[text, ...more].join(" ")}": give one time such as 90s, 10m or 2h`,
  );
  Deno.exit(2);
}

if (import.meta.main) {
  const { traces, leftOut, findings } = await soak(
    askedMs(Deno.args),
    (words) => console.error(words),
  );
  for (const { name, made, summary, memoryMb } of traces) {
    console.log(`${name}: made ${JSON.stringify(made)}`);
    console.log(`${name}: summary ${JSON.stringify(summary)}`);
    console.log(
      `${name}: memory ${Math.min(...memoryMb).toFixed(0)} to ${
        Math.max(...memoryMb).toFixed(0)
      } MB, ${memoryMb[0].toFixed(0)} at first, ${memoryMb.at(-1)!.toFixed(0)} at last`,
    );
  }
  for (const { fault, reason } of leftOut) console.log(`left out: ${fault}: ${reason}`);
  for (const finding of findings) console.log(`does not add up: ${finding}`);
  if (findings.length === 0) console.log("everything adds up");
  Deno.exitCode = findings.length === 0 ? 0 : 1;
}
