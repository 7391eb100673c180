/**
 * The kernel's side of a trace: runs a probe script and turns what it gathers into records, from its
 * map where the layout is as expected, else from its printed lines.
 *
 * @module
 */
import { parseKernelLine } from "../kernel/kernel_line.ts";
import {
  isSentinelKey,
  type KernelRecord,
  KEY_BYTES,
  type PlaceBoottime,
  readKernelRecord,
  sentinelFits,
  VALUE_BYTES,
} from "../kernel/kernel_record.ts";
import { BpfMap, heldBpf } from "./bpf_map.ts";
import { Bpftrace, type BpftraceEnd } from "./bpftrace.ts";

/** How records come: not yet, from the map, as lines, or no more. */
export type KernelSourceState = "starting" | "map" | "lines" | "off";

/** What to run and whom to tell. */
export interface KernelSourceOptions {
  /** Path of bpftrace. */
  executable: string;
  /** Path of the probe script. */
  script: string;
  /** Entries of each map: connections in SYN-SENT, and records between two drains. */
  mapEntries?: number;
  /** How long the script may take to attach; under emulation it takes up to a minute. */
  readyMs?: number;
  placeBoottime: PlaceBoottime;
  onRecord(record: KernelRecord): void;
  /** Says in one sentence what changed, for a person. May quote bpftrace: untrusted text. */
  onChange(state: KernelSourceState, sentence: string): void;
}

/** What the kernel's side lost, by place; undefined where it could not be counted. */
export interface KernelLosses {
  missedProbes: number | undefined;
  mapRecords: number | undefined;
  lines: number | undefined;
}

const MAP_ENTRIES = 32_768;
const READY_MS = 300_000;
/** bpftrace names `@done` so, and `@written`. */
const RECORDS_MAP = "AT_done";
const COUNTER_MAP = "AT_written";
const MODE_MAP = 1;
const MODE_LINES = 2;

/** One bpftrace and its records. */
export class KernelSource {
  readonly #options: KernelSourceOptions;
  #state: KernelSourceState = "starting";
  #bpftrace: Bpftrace | undefined;
  #records: BpfMap | undefined;
  #counter: BpfMap | undefined;
  /** Records the script says it wrote, and those drained. */
  #written = 0;
  #drained = 0;
  #linesLost = 0;
  #missedProbes: number | undefined;
  #mapLosses: number | undefined;
  #stopping = false;

  /** Starts the script; {@link KernelSourceOptions.onChange} tells when records begin to come. */
  constructor(options: KernelSourceOptions) {
    this.#options = options;
    this.#start(MODE_MAP);
  }

  #start(mode: 1 | 2): void {
    const { executable, script, mapEntries = MAP_ENTRIES, readyMs = READY_MS } = this.#options;
    let bpftrace: Bpftrace;
    try {
      bpftrace = new Bpftrace({
        executable,
        script,
        mode,
        mapEntries,
        onLine: (line) => this.#onLine(line, mode),
      });
    } catch (error) {
      this.#change("off", `Cannot run "${executable}": ${messageOf(error)}`);
      return;
    }
    this.#bpftrace = bpftrace;
    const timer = setTimeout(() => {
      if (this.#bpftrace !== bpftrace || this.#state !== "starting") return;
      bpftrace.kill("SIGKILL");
      this.#change("off", `bpftrace was not ready within ${readyMs / 1000} s`);
    }, readyMs);
    bpftrace.ended.then((end) => {
      clearTimeout(timer);
      if (this.#bpftrace === bpftrace) this.#onEnd(end);
    });
  }

  #onLine(line: string, mode: 1 | 2): void {
    const parsed = parseKernelLine(line, this.#options.placeBoottime);
    if (parsed.type === "record") this.#options.onRecord(parsed.record);
    else if (parsed.type === "lost") this.#linesLost += parsed.count;
    else if (parsed.type === "ready" && this.#state === "starting") this.#onReady(mode);
  }

  #onReady(mode: 1 | 2): void {
    if (mode === MODE_LINES) {
      this.#change("lines", "kernel events come as printed lines, which costs more");
      return;
    }
    const reason = this.#openMaps();
    if (reason === undefined) {
      this.#change("map", "kernel events come from bpftrace's map");
      return;
    }
    this.#closeMaps();
    const first = this.#bpftrace;
    this.#options.onChange(
      "starting",
      `Cannot read bpftrace's map: ${reason}; starting over with printed lines`,
    );
    this.#start(MODE_LINES);
    first?.stop();
  }

  /** Opens the maps and proves the layout. @returns Why it cannot, undefined where it can. */
  #openMaps(): string | undefined {
    try {
      for (const id of heldBpf(this.#bpftrace!.pid).mapIds) {
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
      let fits = false;
      records.forEach(false, (keys, keyAt, values, valueAt) => {
        if (isSentinelKey(keys, keyAt)) fits = sentinelFits(values, valueAt);
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
    const { placeBoottime, onRecord } = this.#options;
    const taken: KernelRecord[] = [];
    records.forEach(true, (keys, keyAt, values, valueAt) => {
      if (isSentinelKey(keys, keyAt)) return;
      this.#drained++;
      const record = readKernelRecord(keys, keyAt, values, valueAt, placeBoottime);
      if (record) taken.push(record);
    });
    // A hash map has no order; a listener must be known before what it accepted.
    taken.sort((a, b) => a.endNs - b.endNs);
    for (const record of taken) onRecord(record);
  }

  /** Takes what is left, counts what was lost, and ends the script. No record comes after it. */
  async stop(): Promise<KernelLosses> {
    this.#stopping = true;
    this.#countRecords();
    if (this.#bpftrace && this.#state !== "off") {
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

  /** Ends the script at once, without counting. */
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
    // The maps outlive their maker while they are open here.
    this.#countRecords();
    this.#closeMaps();
    const how = end.signal === null ? `with status ${end.code}` : `by ${end.signal}`;
    const words = end.words.length === 0 ? "" : `, saying "${end.words.join(" ")}"`;
    this.#change("off", `bpftrace ended ${how}${words}`);
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

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
