/**
 * Our own NDJSON as a source of handshakes.
 *
 * @module
 */
import type { Handshake } from "../match/handshake.ts";
import {
  CurrentContext,
  type RecordContext,
  type RecordedContext,
} from "../record/record_context.ts";
import { neededFields } from "../record/choose_fields.ts";
import { LineDecoder } from "../record/record_decoder.ts";
import type { Wanted } from "../record/line_scanner.ts";
import { type AheadDecoder, RecordReader } from "../record/record_reader.ts";
import type { WantedParts } from "./decode_pieces.ts";
import type { DecodingOptions, DecodingThread } from "./decoding_thread.ts";
import { addLosses, type Losses } from "./losses.ts";
import type { Pipeline } from "./pipeline.ts";
import { NO_ROW, type Source, type SourceCounters } from "./sink.ts";
import { nameTrace, ToldLosses } from "./told_losses.ts";
import { READ_BY_TWICE_SEEN, TwiceSeen } from "./twice_seen.ts";

/** What records have that this version does not know, and skipped. */
export interface UnknownParts {
  /** Its fields and values, a few of them: untrusted text. */
  names: ReadonlySet<string>;
  /** The latest version of the record that was met, where it is later than this tool's. */
  version: number | undefined;
}

/** What is read of every record, and where only some interfaces are wanted. */
const TIME = ["time"];
const INTERFACES = ["network.interface", "network.interfaces"];
/** What names who told a record. */
const TELLER = ["host", "host_id", "tracer"];

/** Names of those that are told: files of strangers may have any number. */
const UNKNOWN_MAX = 64;

/** What to read of the records, and where to. */
export interface RecordSourceOptions {
  /** Names of interfaces whose handshakes are taken; none: all. */
  interfaces: readonly string[];
  /** Name of the host that reads, for what is said of all records together. */
  host: string;
  /** Whether a handshake that two hosts recorded counts once. */
  countsOnce: boolean;
  pipeline: Pipeline;
  /** Begins a thread that decodes, once there are many records; absent, or in the promise: there is none. */
  openThread?: OpenDecoding;
  /** Records that are read before that; absent: as many as are worth it. */
  aloneMax?: number;
}

/** Begins a thread that decodes records; undefined where there is none. */
export type OpenDecoding = (options: DecodingOptions) => Promise<DecodingThread | undefined>;

/**
 * Records after which another thread decodes too, a second of reading. To begin takes it 0.4 s of the
 * processors and 20 MB, and makes the first thread slower meanwhile: it is worth it from 100,000 more on.
 */
const ALONE_MAX = 200_000;

/** Files of records: several are read in order, as if they were one. */
export class RecordSource implements Source {
  /** Records read so far. */
  records = 0;
  /** Whether nothing more is needed: set by who has enough. */
  done = false;
  readonly context: RecordContext;
  readonly #options: RecordSourceOptions;
  readonly #twiceSeen: TwiceSeen | undefined;
  readonly #wanted: Wanted;
  readonly #decoder: LineDecoder;
  #aloneMax: number;
  #thread: DecodingThread | undefined;
  /** Whether nothing more is read. */
  #isConcluded = false;
  /** Of files that have not ended; what the others told is in the counts below. */
  #readers: RecordReader[] = [];
  #files = 0;
  #refusedBefore = 0;
  #unknownBefore: UnknownParts = { names: new Set(), version: undefined };
  readonly #told = new ToldLosses();
  #atHand: RecordedContext | undefined;
  /** Who told the last record, and the text that names him. */
  #hostId: string | undefined;
  #tracer: string | undefined;
  #teller: string | undefined;
  /** The second that its axis begins with: that of the first record. */
  #epochSeconds: number | undefined;
  #startNs = Infinity;
  #endNs = -Infinity;

  /** Reads nothing yet. */
  constructor(options: RecordSourceOptions) {
    this.#options = options;
    this.#twiceSeen = options.countsOnce ? new TwiceSeen() : undefined;
    this.#aloneMax = options.aloneMax ?? ALONE_MAX;
    this.#wanted = wantedOf(options);
    this.#decoder = new LineDecoder(this.#wanted);
    const { host } = options;
    const reader: RecordContext = { host, interfaceName: () => undefined };
    this.context = new CurrentContext(() => this.#atHand ?? reader);
  }

  /** What the record says whose handshake is handed over right now; undefined between two. */
  get atHand(): RecordContext | undefined {
    return this.#atHand;
  }

  /** See {@link Source.epochSeconds}. */
  get epochSeconds(): number {
    return this.#epochSeconds ?? 0;
  }

  /** Nothing: a record is no capture file. */
  interfaceInFile(): undefined {}

  /** Never: of records nobody asks for packets. */
  hidesData(): boolean {
    return false;
  }

  /**
   * Begins with the next file.
   *
   * @param isWhole Whether what it holds can be read without waiting: then records may be taken later than
   * their bytes, by {@link RecordReader.catchUp} or the end at last.
   * @returns What takes its bytes.
   */
  beginFile(isWhole = false): RecordReader {
    const file = this.#files++;
    this.#forgetEnded();
    const reader = new RecordReader(
      this.#onRecord,
      (event, members) => {
        this.#told.take(file, event, members);
        this.#options.pipeline.takeEvent(event, members);
      },
      this.#decoder,
      isWhole ? this.#ahead : undefined,
    );
    this.#readers.push(reader);
    return reader;
  }

  /** The thread, once there is one. */
  readonly #ahead: AheadDecoder = {
    take: (bytes, give) => {
      if (this.records >= this.#aloneMax) this.#openThread(bytes);
      if (this.#thread === undefined) give(bytes, undefined);
      else this.#thread.take(bytes, give);
    },
    giveAll: (give) => this.#thread?.giveAll(give),
  };

  /** Begins the thread, once. */
  async #openThread(sample: Uint8Array): Promise<void> {
    this.#aloneMax = Infinity;
    const { openThread, pipeline } = this.#options;
    const { fields, filter } = this.#wanted;
    // A function cannot be told another thread.
    if (openThread === undefined || pipeline.filter.isMeant !== undefined) return;
    const wanted: WantedParts = {
      fields: fields && [...fields],
      filter: filter && { parts: pipeline.filter, reads: [...filter.reads] },
    };
    this.#thread = await openThread({ wanted, sample: sample.slice(), isOver: () => this.done });
    if (this.#isConcluded) this.conclude();
  }

  /** Tells that nothing more is read. */
  conclude(): void {
    this.#isConcluded = true;
    this.#thread?.end();
  }

  /** Of a store that is followed there may be any number. */
  #forgetEnded(): void {
    const ended = this.#readers.filter(({ hasEnded }) => hasEnded);
    this.#unknownBefore = unknownOf(ended, this.#unknownBefore);
    for (const { refusedCount } of ended) this.#refusedBefore += refusedCount;
    this.#readers = this.#readers.filter(({ hasEnded }) => !hasEnded);
  }

  readonly #onRecord = (
    handshake: Handshake,
    context: RecordedContext,
    isHeldBack: boolean,
  ): void => {
    if (this.done) return;
    this.records++;
    if (!this.#isWanted(handshake, context)) return;
    this.#extendSpan(handshake);
    if (isHeldBack) return this.#options.pipeline.holdBack();
    this.#atHand = context;
    this.#handOn(handshake, context);
    this.#atHand = undefined;
  };

  #handOn(handshake: Handshake, context: RecordedContext): void {
    const { pipeline } = this.#options;
    // Of one that the filter kept back, what another host says of it may well pass: it is not remembered.
    if (this.#twiceSeen?.take(handshake, this.#tellerOf(context))) {
      pipeline.takeAgain(handshake);
    } else pipeline.takeAdmitted(handshake, NO_ROW);
  }

  /** Who told a record: a host, and the run of the tool on it, which most often told the one before. */
  #tellerOf({ host, hostId = host, tracer }: RecordedContext): string {
    if (hostId !== this.#hostId || tracer !== this.#tracer || this.#teller === undefined) {
      [this.#hostId, this.#tracer] = [hostId, tracer];
      this.#teller = nameTrace(hostId, tracer);
    }
    return this.#teller;
  }

  #isWanted({ place, interfaces }: Handshake, context: RecordedContext): boolean {
    const wanted = this.#options.interfaces;
    if (wanted.length === 0) return true;
    return [place, ...interfaces].some((each) => {
      const name = context.interfaceName(each);
      return name !== undefined && wanted.includes(name);
    });
  }

  #extendSpan({ epochSeconds, timeNs }: Handshake): void {
    this.#epochSeconds ??= epochSeconds;
    const ns = (epochSeconds - this.#epochSeconds) * 1e9 + timeNs;
    this.#startNs = Math.min(this.#startNs, ns);
    this.#endNs = Math.max(this.#endNs, ns);
  }

  /** See {@link Source.counters}. */
  counters(): SourceCounters {
    const isEmpty = this.#startNs > this.#endNs;
    return {
      span: {
        epochSeconds: this.epochSeconds,
        startNs: isEmpty ? 0 : this.#startNs,
        endNs: isEmpty ? 0 : this.#endNs,
      },
      losses: this.#losses(),
      undecoded: {},
    };
  }

  #losses(): Losses {
    const unread = this.#readers.reduce(
      (sum, { refusedCount }) => sum + refusedCount,
      this.#refusedBefore,
    );
    const twiceSeen = this.#twiceSeen;
    return addLosses(this.#told.sum(), {
      unread_lines: unread,
      ...twiceSeen && {
        repeated_records: twiceSeen.repeated,
        uncompared_records: twiceSeen.forgotten,
      },
    });
  }

  /** What the records of all files have that this version does not know. */
  unknown(): UnknownParts {
    return unknownOf(this.#readers, this.#unknownBefore);
  }
}

/** What some readers met that this version does not know, beside what is known of others. */
function unknownOf(readers: readonly RecordReader[], others: UnknownParts): UnknownParts {
  const names = new Set(others.names);
  let { version } = others;
  for (const reader of readers) {
    for (const name of reader.unknown) if (names.size < UNKNOWN_MAX) names.add(name);
    if (reader.newerVersion !== undefined) version = Math.max(reader.newerVersion, version ?? 0);
  }
  return { names, version };
}

/** What is to be decoded of records. */
function wantedOf({ interfaces, countsOnce, pipeline }: RecordSourceOptions): Wanted {
  const { reads, filterReads } = pipeline;
  const always = interfaces.length > 0 ? [...TIME, ...INTERFACES] : TIME;
  const before = [...always, ...filterReads ?? []];
  const compared = countsOnce ? [...TELLER, ...READ_BY_TWICE_SEEN] : [];
  return {
    fields: reads && neededFields([...before, ...compared, ...reads]),
    filter: filterReads && {
      reads: neededFields(before),
      passes: (handshake, context) => pipeline.passes(handshake, context),
    },
  };
}
