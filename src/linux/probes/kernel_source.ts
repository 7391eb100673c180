/**
 * The kernel's side of a trace: runs the first of some probe programs that can be attached, turns what
 * it gathers into records, from its map where the layout is as expected, else from its printed lines,
 * and starts it again when it ends by itself.
 *
 * @module
 */
import type { Mechanism } from "../../kernel/choose_probes.ts";
import { countsSkippedRuns } from "../../kernel/kernel_facts.ts";
import { parseKernelLine } from "../../kernel/kernel_line.ts";
import { LineCount } from "../../kernel/line_count.ts";
import type { KernelDecoding, KernelRecord } from "../../kernel/kernel_record.ts";
import type { HeldMap } from "../../kernel/held_bpf.ts";
import { messageOf } from "../../text/message.ts";
import { type BpfMap, heldBpf } from "./bpf_map.ts";
import type { OptionPlaces } from "../../kernel/option_places.ts";
import { Bpftrace, type BpftraceEnd } from "./bpftrace.ts";
import { KernelMaps, openCounter } from "./kernel_maps.ts";
import type { ProbeProgram } from "./probe_programs.ts";
import { readProcessState } from "../process_state.ts";

/**
 * How records come: not yet, or not now; from the map; as lines; or never, because nothing could be
 * attached.
 */
export type KernelSourceState = "starting" | "map" | "lines" | "off";

/** What to run and whom to tell. */
export interface KernelSourceOptions {
  /** Path of bpftrace. */
  executable: string;
  /** What to try, in this order; at least one. */
  programs: readonly ProbeProgram[];
  /** Entries of each map: connections in SYN-SENT, and records between two drains. */
  mapEntries?: number;
  /** Where the kernel keeps what a handshake negotiated; unknown, that costs more to read. */
  optionPlaces?: OptionPlaces | undefined;
  /** How long each program may take to attach: emulated on a busy machine, more than three minutes. */
  readyMs?: number;
  /** How long it may meanwhile do nothing at all. */
  idleMs?: number;
  /** How records are read. */
  decoding: KernelDecoding;
  onRecord(record: KernelRecord): void;
  /** Says in one sentence what changed, for a person. May quote bpftrace: untrusted text. */
  onChange(state: KernelSourceState, sentence: string): void;
  /** Says in one sentence what else is worth knowing. May quote bpftrace: untrusted text. */
  onNote(sentence: string): void;
}

/** What the kernel's side lost, by place; undefined where it could not be counted. */
export interface KernelLosses {
  recursionMisses: number | undefined;
  mapRecords: number;
  lines: number;
  /** Time without kernel events, after they had come or since nothing could be attached. */
  awayMs: number;
}

/** How bpftrace is told to give its records: the argument of the scripts. */
type Mode = 1 | 2;
const MODE_MAP: Mode = 1;
const MODE_LINES: Mode = 2;

const MAP_ENTRIES = 32_768;
const READY_MS = 600_000;
const IDLE_MS = 30_000;
/** How often it is looked whether bpftrace goes on. */
const WATCH_MS = 2_000;
/** It is started again after a second, and after twice the time each time that it ends soon. */
const AGAIN_FIRST_MS = 1_000;
const AGAIN_MAX_MS = 30_000;
/** What has run so long did not end soon. */
const STEADY_MS = 60_000;
/** How often it is read how many programs the kernel skipped, which takes milliseconds. */
const READ_MISSES_MS = 5_000;
/** So begins what bpftrace says of a failure, after the place in the program. */
const ERROR = /\bERROR:/;
/** Characters of it that are repeated. */
const QUOTED_MAX = 300;
/** Different lines of its standard error that are repeated while it runs. */
const REPEATED_MAX = 20;

/** One bpftrace at a time, and its records. */
export class KernelSource {
  readonly #options: KernelSourceOptions;
  #state: KernelSourceState = "starting";
  /** Which of the programs runs. */
  #program = 0;
  #bpftrace: Bpftrace | undefined;
  #maps: KernelMaps | undefined;
  /** How many lines the program wrote, where records come as lines and that can be read. */
  #written: BpfMap | undefined;
  /** What bpftrace said on its standard error and was repeated. */
  readonly #repeated = new Set<string>();
  /** What it said there before it had attached. */
  #unrepeated: string[] = [];
  /** What attached last; undefined before any did. */
  #attached: { program: number; mode: Mode; atMs: number } | undefined;
  /** When kernel events ceased to come. */
  #awaySinceMs: number | undefined;
  /** Times it was started again without a steady run between. */
  #restarts = 0;
  #restartTimer: ReturnType<typeof setTimeout> | undefined;
  /** What was said since kernel events ceased to come: the same is not said again. */
  readonly #said = new Set<string>();
  /** Events and records that were known to be lost at the last look. */
  #lost = 0;
  /** Programs that the kernel had skipped when that was last read, and when. */
  #misses: number | undefined;
  #missesReadMs = performance.now();
  #losses: KernelLosses = { recursionMisses: 0, mapRecords: 0, lines: 0, awayMs: 0 };
  #lines = new LineCount();
  #stopping = false;

  /** Starts the first program; {@link KernelSourceOptions.onChange} tells when records begin to come. */
  constructor(options: KernelSourceOptions) {
    this.#options = options;
    this.#start(MODE_MAP);
  }

  #start(mode: Mode): void {
    const { executable, mapEntries = MAP_ENTRIES, optionPlaces: places } = this.#options;
    let bpftrace: Bpftrace;
    this.#unrepeated = [];
    // The end of the one before is no end of this one, also where this one cannot be run.
    this.#bpftrace = undefined;
    try {
      bpftrace = new Bpftrace({
        executable,
        program: this.#running.text,
        mode,
        numbers: places && [places.negotiated, places.synData],
        mapEntries,
        onLine: (line) => {
          // One that was given up may still have something to say.
          if (this.#bpftrace === bpftrace) this.#onLine(line, mode);
        },
        onWords: (line) => {
          if (this.#bpftrace === bpftrace) this.#onWords(line);
        },
      });
    } catch (error) {
      // The other programs would have it run too.
      this.#program = this.#options.programs.length - 1;
      return this.#onFailure(`Cannot run "${executable}": ${messageOf(error)}`);
    }
    this.#bpftrace = bpftrace;
    const watch = this.#watch(bpftrace);
    bpftrace.ended.then((end) => {
      clearInterval(watch);
      if (this.#bpftrace === bpftrace) this.#onEnd(end);
    });
  }

  /** The program that runs. */
  get #running(): ProbeProgram {
    return this.#options.programs[this.#program];
  }

  /** Looks again and again whether it goes on, and gives it up where it does not. */
  #watch(bpftrace: Bpftrace): ReturnType<typeof setInterval> {
    const { readyMs = READY_MS, idleMs = IDLE_MS } = this.#options;
    const { words } = this.#running;
    const beganMs = performance.now();
    let lastTicks = -1;
    let wasStopped = false;
    let busyMs = beganMs;
    const watch = setInterval(() => {
      if (this.#bpftrace !== bpftrace) return clearInterval(watch);
      // A program in the kernel goes on without it, and its map is read from here.
      if (this.#state === "map") return;
      const state = readProcessState(bpftrace.pid);
      if (state === undefined) return;
      if (this.#state === "lines") {
        // Not one that was stopped for a moment.
        if (wasStopped && state.letter === "T") {
          this.#giveUp("bpftrace was stopped by a signal, and prints no more");
        }
        wasStopped = state.letter === "T";
        return;
      }
      const nowMs = performance.now();
      // Asleep, which does not say waiting for the kernel (D), and no processor time since the last look.
      if (!/^[STt]$/.test(state.letter) || state.cpuTicks !== lastTicks) busyMs = nowMs;
      lastTicks = state.cpuTicks;
      if (nowMs - busyMs >= idleMs) {
        this.#giveUp(`bpftrace did nothing for ${idleMs / 1000} s before it had attached ${words}`);
      } else if (nowMs - beganMs >= readyMs) {
        this.#giveUp(`bpftrace had not attached ${words} within ${readyMs / 1000} s`);
      }
    }, Math.min(WATCH_MS, idleMs, readyMs));
    return watch;
  }

  /** Ends the one that runs and goes on without waiting for its end, which may not come. */
  #giveUp(why: string): void {
    const given = this.#bpftrace!;
    this.#bpftrace = undefined;
    given.kill("SIGKILL");
    this.#onGone(why);
  }

  /** Goes on with the next program, if there is one, else begins again with what had attached. */
  #onFailure(why: string): void {
    const next = this.#options.programs[this.#program + 1];
    if (next !== undefined) {
      this.#program++;
      const lacks = next.lacks === "" ? "" : `: ${next.lacks}`;
      this.#change("starting", `${why}; trying ${next.words}${lacks}`);
      this.#start(MODE_MAP);
    } else if (this.#attached) {
      this.#startAgain(`${why}; trying again, at most every ${AGAIN_MAX_MS / 1000} s`);
    } else {
      this.#awaySinceMs = performance.now();
      this.#change("off", why);
    }
  }

  /** Starts what had attached once more, the later the more often it did not last. */
  #startAgain(sentence: string): void {
    const { program, mode } = this.#attached!;
    this.#program = program;
    this.#change("starting", sentence);
    const waitMs = Math.min(AGAIN_FIRST_MS * 2 ** this.#restarts++, AGAIN_MAX_MS);
    this.#restartTimer = setTimeout(() => this.#start(mode), waitMs);
  }

  #onLine(line: string, mode: Mode): void {
    const parsed = parseKernelLine(line, this.#options.decoding);
    this.#lines.take(parsed);
    if (parsed.type === "record" && parsed.record) this.#options.onRecord(parsed.record);
    else if (parsed.type === "ready" && this.#state === "starting") this.#onReady(mode);
  }

  /** Repeats what it says on its standard error, once. Until it has attached, that explains a failure. */
  #onWords(line: string): void {
    if (this.#state === "starting") this.#unrepeated.push(line);
    else this.#repeat(line);
  }

  #repeat(line: string): void {
    if (this.#repeated.size === REPEATED_MAX || this.#repeated.has(line)) return;
    this.#repeated.add(line);
    const last = this.#repeated.size === REPEATED_MAX ? "; more of its words are not repeated" : "";
    this.#options.onNote(`bpftrace says "${cut(line)}"${last}`);
  }

  #onReady(mode: Mode): void {
    const { pid } = this.#bpftrace!;
    const held = heldBpf(pid).maps;
    // Ended as soon as it had attached: its end is told.
    if (held.length === 0 && (readProcessState(pid)?.letter ?? "Z") === "Z") return;
    const lacking = this.#judgeMapSizes(held);
    if (lacking !== undefined) return this.#giveUp(lacking);
    if (mode === MODE_MAP) {
      const maps = KernelMaps.open(pid, held, this.#options.decoding);
      if (typeof maps === "string") return this.#startWithLines(maps);
      this.#maps = maps;
    } else {
      this.#written = openCounter(held);
    }
    this.#attached = { program: this.#program, mode, atMs: performance.now() };
    const { words } = this.#running;
    const come = `kernel events come${this.#comeBack()}`;
    if (mode === MODE_MAP) {
      this.#change("map", `${come} from ${words}`);
    } else {
      this.#change("lines", `${come} as printed lines from ${words}, which costs more`);
    }
    for (const line of this.#unrepeated) this.#repeat(line);
  }

  /** Kernel events come. @returns What a sentence says of how long they did not. */
  #comeBack(): string {
    this.#said.clear();
    if (this.#awaySinceMs === undefined) return "";
    const awayMs = performance.now() - this.#awaySinceMs;
    this.#losses.awayMs += awayMs;
    this.#awaySinceMs = undefined;
    return ` again, after ${(awayMs / 1000).toFixed(1)} s,`;
  }

  #startWithLines(reason: string): void {
    const first = this.#bpftrace!;
    this.#change(
      "starting",
      `Cannot read bpftrace's map: ${reason}; starting over with printed lines`,
    );
    this.#start(MODE_LINES);
    first.stop();
  }

  /**
   * Looks whether bpftrace's maps are as large as they were asked to be, and says so where they are not.
   *
   * @returns Why the program does not tell all that it could, where the next one needs less.
   */
  #judgeMapSizes(held: readonly HeldMap[]): string | undefined {
    const { programs, mapEntries = MAP_ENTRIES } = this.#options;
    const { mapEntriesMin, words } = this.#running;
    // One without keys has one entry, whatever was asked.
    const hashes = held.filter(({ isHash, maxEntries }) => isHash && maxEntries > 1);
    const entries = Math.min(...hashes.map(({ maxEntries }) => maxEntries));
    if (hashes.length === 0 || entries >= mapEntries) return undefined;
    const size = `bpftrace's maps have ${entries} entries`;
    if (entries < mapEntriesMin && this.#program + 1 < programs.length) {
      return `${size}, and ${words} need ${mapEntriesMin}`;
    }
    const note = `${size}, not ${mapEntries} as asked: where more connections are under way at ` +
      "once, some lack what the kernel tells of them";
    if (!this.#repeated.has(note)) this.#options.onNote(note);
    this.#repeated.add(note);
    return undefined;
  }

  /**
   * Takes every record that the map holds now. Lines come by themselves.
   *
   * @returns Whether it is known that more were lost since the last time.
   */
  drain(): boolean {
    this.#maps?.drain(this.#options.onRecord);
    const nowMs = performance.now();
    if (nowMs - this.#missesReadMs >= READ_MISSES_MS) {
      this.#missesReadMs = nowMs;
      this.#misses = this.#recursionMissesWith(this.#readMisses());
    }
    const { mapRecords, lines } = this.#losses;
    const lost = mapRecords + (this.#maps?.lost ?? 0) + lines + this.#lines.lost +
      (this.#misses ?? 0);
    const isMore = lost > this.#lost;
    this.#lost = lost;
    return isMore;
  }

  /**
   * Up to when everything has come that the kernel's side told.
   *
   * @param nowNs When the map was drained, nanoseconds on the axis.
   */
  toldUntil(nowNs: number): number {
    if (this.#state !== "lines") return nowNs;
    return this.#lines.completeUntil(nowNs, this.#written?.countsOfZeroKey());
  }

  /** Programs of the one that runs that the kernel skipped; undefined where none runs. */
  #readMisses(): number | undefined {
    const runs = this.#state === "map" || this.#state === "lines";
    return runs ? heldBpf(this.#bpftrace!.pid).recursionMisses : undefined;
  }

  /**
   * Whether what is not told did not happen, as long as nothing is known to be lost. Not where kernels
   * before 6.7 skip the tracepoint alone without counting it: accept() tells otherwise of each server.
   */
  get isSilenceTold(): boolean {
    return countsSkippedRuns(Deno.osRelease()) || this.#running.tellsAccept;
  }

  /** What is known to be lost so far, without a look at anything: some seconds old. */
  get losses(): KernelLosses {
    const { mapRecords, lines, awayMs } = this.#losses;
    const awayNowMs = this.#awaySinceMs === undefined ? 0 : performance.now() - this.#awaySinceMs;
    return {
      recursionMisses: this.#misses,
      mapRecords: mapRecords + (this.#maps?.lost ?? 0),
      lines: lines + this.#lines.lost,
      awayMs: awayMs + awayNowMs,
    };
  }

  /** Takes what the map holds and counts what was lost so far; takes milliseconds. */
  countLosses(): KernelLosses {
    return {
      ...this.losses,
      recursionMisses: this.#recursionMissesWith(this.#readMisses()),
      mapRecords: this.#losses.mapRecords + (this.#maps?.finish(this.#options.onRecord) ?? 0),
    };
  }

  /** What hooks the kernel now; undefined while nothing does. */
  get mechanism(): Mechanism | undefined {
    return this.#state === "map" || this.#state === "lines" ? this.#running.mechanism : undefined;
  }

  /** Process id of the bpftrace that runs now; undefined where none does. */
  get pid(): number | undefined {
    return this.#bpftrace?.pid;
  }

  /** Takes what is left, counts what was lost, and ends the program. No record comes after it. */
  async stop(): Promise<KernelLosses> {
    this.#stopping = true;
    clearTimeout(this.#restartTimer);
    const counted = this.countLosses();
    this.#closeMaps();
    // Lines may still be on their way; a map was just emptied, and ending by itself takes bpftrace time.
    if (this.#state === "lines") await this.#bpftrace?.stop();
    else this.kill();
    await this.#bpftrace?.ended;
    return { ...counted, lines: this.#losses.lines + this.#lines.lost };
  }

  /** Ends the program at once, without counting. */
  kill(): void {
    this.#stopping = true;
    clearTimeout(this.#restartTimer);
    this.#bpftrace?.kill("SIGKILL");
  }

  /** @param count Those of one run; undefined where it ended before they could be read. */
  #recursionMissesWith(count: number | undefined): number | undefined {
    const { recursionMisses } = this.#losses;
    const known = count !== undefined && recursionMisses !== undefined &&
      countsSkippedRuns(Deno.osRelease());
    return known ? recursionMisses + count : undefined;
  }

  #finishMaps(): void {
    if (this.#maps) this.#losses.mapRecords += this.#maps.finish(this.#options.onRecord);
    this.#closeMaps();
  }

  #closeMaps(): void {
    this.#maps?.[Symbol.dispose]();
    this.#written?.[Symbol.dispose]();
    this.#maps = this.#written = undefined;
  }

  #onEnd(end: BpftraceEnd): void {
    if (this.#stopping) return;
    const how = end.signal === null ? `with status ${end.code}` : `by ${end.signal}`;
    const said = quote(end.words);
    if (this.#state !== "starting") return this.#onGone(`bpftrace ended ${how}${said}`);
    const { words } = this.#running;
    this.#onGone(
      said === ""
        ? `bpftrace ended ${how} before it had attached ${words}`
        : `bpftrace could not attach ${words}${said}`,
    );
  }

  /** None runs any more. */
  #onGone(why: string): void {
    if (this.#state === "starting") return this.#onFailure(why);
    // The maps outlive their maker while they are open here.
    this.#finishMaps();
    this.#losses.lines += this.#lines.lost;
    this.#lines = new LineCount();
    this.#losses.recursionMisses = undefined;
    this.#awaySinceMs = performance.now();
    if (this.#awaySinceMs - this.#attached!.atMs >= STEADY_MS) this.#restarts = 0;
    this.#startAgain(`${why}; going on with packets alone until it has attached again`);
  }

  #change(state: KernelSourceState, sentence: string): void {
    this.#state = state;
    if (this.#said.has(sentence)) return;
    // While it cannot attach, it fails in the same way again and again.
    if (this.#awaySinceMs !== undefined && this.#said.size < REPEATED_MAX) this.#said.add(sentence);
    this.#options.onChange(state, sentence);
  }
}

/**
 * Whether records may be lacking that the kernel's side should have given, by what it lost; undefined
 * where there is no such side.
 */
export function mayLack(losses: Partial<KernelLosses> | undefined): boolean {
  if (losses === undefined) return false;
  const { recursionMisses = 0, mapRecords = 1, lines = 1 } = losses;
  return recursionMisses + mapRecords + lines > 0;
}

/** What bpftrace said of its failure, as the end of a sentence: the first error, if it tells one. */
function quote(words: readonly string[]): string {
  const error = words.find((line) => ERROR.test(line));
  // Before it stands the place in the program.
  const told = error === undefined ? words.join(" ") : error.slice(error.search(ERROR));
  return told === "" ? "" : `, saying "${cut(told)}"`;
}

function cut(words: string): string {
  return words.length > QUOTED_MAX ? `${words.slice(0, QUOTED_MAX)}...` : words;
}
