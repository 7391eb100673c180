/**
 * The kernel's side of a trace: runs the first of some probe programs that can be attached, and turns
 * what it gathers into records, from its map where the layout is as expected, else from its printed
 * lines.
 *
 * @module
 */
import { countsSkippedRuns } from "../kernel/kernel_facts.ts";
import { parseKernelLine } from "../kernel/kernel_line.ts";
import {
  isSentinelKey,
  type KernelDecoding,
  type KernelRecord,
  KEY_BYTES,
  readKernelRecord,
  sentinelFits,
  VALUE_BYTES,
} from "../kernel/kernel_record.ts";
import { BpfMap, heldBpf } from "./bpf_map.ts";
import { Bpftrace, type BpftraceEnd } from "./bpftrace.ts";
import type { ProbeProgram } from "./probe_programs.ts";

/** How records come: not yet, from the map, as lines, or no more. */
export type KernelSourceState = "starting" | "map" | "lines" | "off";

/** What to run and whom to tell. */
export interface KernelSourceOptions {
  /** Path of bpftrace. */
  executable: string;
  /** What to try, in this order; at least one. */
  programs: readonly ProbeProgram[];
  /** Entries of each map: connections in SYN-SENT, and records between two drains. */
  mapEntries?: number;
  /** How long each program may take to attach: emulated on a busy machine, more than three minutes. */
  readyMs?: number;
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
  missedProbes: number | undefined;
  mapRecords: number | undefined;
  lines: number | undefined;
}

const MAP_ENTRIES = 32_768;
const READY_MS = 600_000;
/** bpftrace names `@done` so, and `@written`. */
const RECORDS_MAP = "AT_done";
const COUNTER_MAP = "AT_written";
const MODE_MAP = 1;
const MODE_LINES = 2;
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
  /** What bpftrace said on its standard error and was repeated. */
  readonly #repeated = new Set<string>();
  /** What it said there before it had attached. */
  #unrepeated: string[] = [];
  #records: BpfMap | undefined;
  #counter: BpfMap | undefined;
  /** Records the program says it wrote, and those drained. */
  #written = 0;
  #drained = 0;
  #linesLost = 0;
  #missedProbes: number | undefined;
  #mapLosses: number | undefined;
  #stopping = false;

  /** Starts the first program; {@link KernelSourceOptions.onChange} tells when records begin to come. */
  constructor(options: KernelSourceOptions) {
    this.#options = options;
    this.#start(MODE_MAP);
  }

  #start(mode: 1 | 2): void {
    const { executable, programs, mapEntries = MAP_ENTRIES, readyMs = READY_MS } = this.#options;
    const { text: program } = programs[this.#program];
    let bpftrace: Bpftrace;
    this.#unrepeated = [];
    try {
      bpftrace = new Bpftrace({
        executable,
        program,
        mode,
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
      this.#change("off", `Cannot run "${executable}": ${messageOf(error)}`);
      return;
    }
    this.#bpftrace = bpftrace;
    const timer = setTimeout(() => {
      if (this.#bpftrace !== bpftrace || this.#state !== "starting" || this.#stopping) return;
      bpftrace.kill("SIGKILL");
      this.#onFailure(`bpftrace had not attached ${this.#words} within ${readyMs / 1000} s`);
    }, readyMs);
    bpftrace.ended.then((end) => {
      clearTimeout(timer);
      if (this.#bpftrace === bpftrace) this.#onEnd(end);
    });
  }

  /** What runs, for a sentence. */
  get #words(): string {
    return this.#options.programs[this.#program].words;
  }

  /** Goes on with the next program, if there is one. */
  #onFailure(why: string): void {
    const next = this.#options.programs[this.#program + 1];
    if (next === undefined) return this.#change("off", why);
    this.#program++;
    const lacks = next.lacks === "" ? "" : `: ${next.lacks}`;
    this.#change("starting", `${why}; trying ${next.words}${lacks}`);
    this.#start(MODE_MAP);
  }

  #onLine(line: string, mode: 1 | 2): void {
    const parsed = parseKernelLine(line, this.#options.decoding);
    if (parsed.type === "record") this.#options.onRecord(parsed.record);
    else if (parsed.type === "lost") this.#linesLost += parsed.count;
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

  #onReady(mode: 1 | 2): void {
    const lacking = mode === MODE_MAP ? this.#judgeMapSizes() : undefined;
    if (lacking !== undefined) {
      this.#bpftrace!.kill("SIGKILL");
      return this.#onFailure(lacking);
    }
    this.#attached(mode);
    for (const line of this.#unrepeated) this.#repeat(line);
    this.#unrepeated = [];
  }

  /**
   * Looks whether bpftrace's maps are as large as they were asked to be, and says so where they are not.
   *
   * @returns Why the program does not tell all that it could, where the next one needs less.
   */
  #judgeMapSizes(): string | undefined {
    const { programs, mapEntries = MAP_ENTRIES, onNote } = this.#options;
    const { mapEntriesMin } = programs[this.#program];
    const hashes = heldBpf(this.#bpftrace!.pid).maps.filter(({ isHash }) => isHash);
    const entries = Math.min(...hashes.map(({ maxEntries }) => maxEntries));
    if (hashes.length === 0 || entries >= mapEntries) return undefined;
    const words = `bpftrace's maps have ${entries} entries`;
    if (entries < mapEntriesMin && this.#program + 1 < programs.length) {
      return `${words}, and ${this.#words} need ${mapEntriesMin}`;
    }
    onNote(
      `${words}, not ${mapEntries} as asked: where more connections are under way at once, ` +
        "some lack what the kernel tells of them",
    );
    return undefined;
  }

  #attached(mode: 1 | 2): void {
    if (mode === MODE_LINES) {
      this.#change(
        "lines",
        `kernel events come as printed lines through ${this.#words}, which costs more`,
      );
      return;
    }
    const reason = this.#openMaps();
    if (reason === undefined) {
      this.#change("map", `kernel events come from bpftrace's map through ${this.#words}`);
      return;
    }
    this.#closeMaps();
    const first = this.#bpftrace;
    this.#change(
      "starting",
      `Cannot read bpftrace's map: ${reason}; starting over with printed lines`,
    );
    this.#start(MODE_LINES);
    first?.stop();
  }

  /** Opens the maps and proves the layout. @returns Why it cannot, undefined where it can. */
  #openMaps(): string | undefined {
    try {
      for (const { id } of heldBpf(this.#bpftrace!.pid).maps) {
        const map = BpfMap.open(id);
        if (map.name === RECORDS_MAP) this.#records = map;
        else if (map.name === COUNTER_MAP) this.#counter = map;
        else map[Symbol.dispose]();
      }
      const records = this.#records;
      if (!records || !this.#counter) return "it holds no map of that name";
      if (records.keySize !== KEY_BYTES || records.valueSize !== VALUE_BYTES) {
        return `its entries have ${records.keySize} and ${records.valueSize} bytes, ` +
          `not ${KEY_BYTES} and ${VALUE_BYTES}`;
      }
      // Looked for without taking: records that are there already are for the first drain.
      const comm = readCommOf(this.#bpftrace!.pid);
      let fits = false;
      records.forEach(false, (keys, keyAt, values, valueAt) => {
        if (isSentinelKey(keys, keyAt)) fits = sentinelFits(values, valueAt, comm);
      });
      return fits ? undefined : "its sentinel is laid out in another way";
    } catch (error) {
      return messageOf(error);
    }
  }

  /** Takes every record that the map holds now. Lines come by themselves. */
  drain(): void {
    if (!this.#records || !this.#counter) return;
    const written = this.#counter.sumOfZeroKey();
    // Walking an empty map takes 60 µs, looking at the counter 5.
    if (written === this.#written) return;
    this.#written = written;
    this.#takeRecords(this.#records);
  }

  #takeRecords(records: BpfMap): void {
    const { decoding, onRecord } = this.#options;
    const taken: KernelRecord[] = [];
    records.forEach(true, (keys, keyAt, values, valueAt) => {
      if (isSentinelKey(keys, keyAt)) return;
      this.#drained++;
      const record = readKernelRecord(keys, keyAt, values, valueAt, decoding);
      if (record) taken.push(record);
    });
    // A hash map has no order; a listener must be known before what it accepted.
    taken.sort((a, b) => a.endNs - b.endNs);
    for (const record of taken) onRecord(record);
  }

  /** Takes what is left, counts what was lost, and ends the program. No record comes after it. */
  async stop(): Promise<KernelLosses> {
    this.#stopping = true;
    this.#countRecords();
    if (this.#bpftrace && this.#state !== "off" && countsSkippedRuns(Deno.osRelease())) {
      this.#missedProbes = heldBpf(this.#bpftrace.pid).recursionMisses;
    }
    this.#closeMaps();
    // Lines may still be on their way; a map was just emptied, and ending by itself takes bpftrace time.
    if (this.#state === "lines") await this.#bpftrace?.stop();
    else this.kill();
    await this.#bpftrace?.ended;
    return {
      missedProbes: this.#missedProbes,
      mapRecords: this.#mapLosses,
      lines: this.#linesLost,
    };
  }

  /** Ends the program at once, without counting. */
  kill(): void {
    this.#bpftrace?.kill("SIGKILL");
  }

  #countRecords(): void {
    if (this.#records && this.#counter) {
      // What is written between the two drains is in the second, what comes after it in neither.
      this.#takeRecords(this.#records);
      const written = this.#counter.sumOfZeroKey();
      this.#takeRecords(this.#records);
      this.#mapLosses = Math.max(0, written - this.#drained);
    }
  }

  #onEnd(end: BpftraceEnd): void {
    if (this.#stopping || this.#state === "off") return;
    const how = end.signal === null ? `with status ${end.code}` : `by ${end.signal}`;
    const said = quote(end.words);
    if (this.#state === "starting") {
      this.#onFailure(
        said === ""
          ? `bpftrace ended ${how} before it had attached ${this.#words}`
          : `bpftrace could not attach ${this.#words}${said}`,
      );
      return;
    }
    // The maps outlive their maker while they are open here.
    this.#countRecords();
    this.#closeMaps();
    this.#change("off", `bpftrace ended ${how}${said}`);
  }

  #change(state: KernelSourceState, sentence: string): void {
    this.#state = state;
    this.#options.onChange(state, sentence);
  }

  #closeMaps(): void {
    this.#records?.[Symbol.dispose]();
    this.#counter?.[Symbol.dispose]();
    this.#records = this.#counter = undefined;
  }
}

/** What bpftrace said of its failure, as the end of a sentence: the first error, if it tells one. */
function quote(words: readonly string[]): string {
  const error = words.find((line) => ERROR.test(line));
  // Before it stands the place in the program.
  const told = error === undefined ? words.join(" ") : error.slice(error.search(ERROR));
  return told === "" ? "" : `, saying "${cut(told)}"`;
}

function cut(words: string): string {
  return words.length > QUOTED_MAX ? `${words.slice(0, QUOTED_MAX)}…` : words;
}

/** The name of a process's first thread (proc(5), comm): what its own probes see as comm. */
function readCommOf(pid: number): string {
  const bytes = Deno.readFileSync(`/proc/${pid}/comm`);
  return new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes.subarray(0, -1));
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
