/**
 * Records that were read back, as numbers in memory that two threads see: one decodes lines there, the
 * other makes the handshakes again.
 *
 * @module
 */
import { type Address, DROPPED_PACKETS, Handshake } from "../match/handshake.ts";
import type { Process } from "../kernel/kernel_record.ts";
import { fitsLists, known, readRow, ROW_LENGTH, UNKNOWN, writeRow } from "./handshake_row.ts";
import { RecordedContext } from "./record_context.ts";
import type { DecodedHandshake } from "./record_decoder.ts";

/** What a row has behind its head, in this order; a bit each. */
const REASON = 1 << 0;
const INTERFACES = 1 << 1;
const CLIENT_PROCESS = 1 << 2;
const SERVER_PROCESS = 1 << 3;
const CGROUPS = 1 << 4;
const TRANSLATED = 1 << 5;
const DROP = 1 << 6;
const RESET = 1 << 7;
const UNKNOWN_PARTS = 1 << 8;
/** That the filter does not want it, and that the row has its time alone. */
const HELD_BACK = 1 << 9;
const TIME_ALONE = 1 << 10;

/** Numbers before those of the handshake: where its line is, the bits, the version, three texts. */
const HEAD_LENGTH = 7;
const PROCESS_LENGTH = 8;
const ADDRESS_LENGTH = 5;
/** Numbers of all parts, with nine names of interfaces, two cgroups and sixteen names that are unknown. */
const PARTS_LENGTH_MAX = 1 + 10 + 2 * PROCESS_LENGTH + 9 + 2 * ADDRESS_LENGTH + 5 + 1 + 17;
const LENGTH_MAX = HEAD_LENGTH + ROW_LENGTH + PARTS_LENGTH_MAX;

/** Texts that keep their number, and characters of one: a record with a longer one has no row. */
const TEXTS_MAX = 4_096;
const TEXT_LENGTH_MAX = 1_024;
/** The number of no text. */
const NONE = -1;

/** Where rows are, and the texts that are new in them. */
export interface RowMemory {
  /** One row behind another, each as long as it is. */
  readonly rows: Float64Array;
  /** One text behind another in UTF-16, each behind its length. */
  readonly texts: Uint16Array;
}

/** How much of it is in use. */
export interface RowsWritten {
  /** Numbers of all rows. */
  numbers: number;
  /** Units of all texts. */
  units: number;
  /** Whether all texts of before are forgotten: the first of these has the number 0. */
  areFirst: boolean;
}

/** Writes rows of records. */
export class RowWriter {
  readonly #numberOfText = new Map<string, number>();
  #rows: Float64Array = new Float64Array(0);
  #texts: Uint16Array = new Uint16Array(0);
  #at = 0;
  #units = 0;
  #areFirst = false;
  /** Whether all texts of the row at hand have a number. */
  #isWhole = true;

  /** Begins anew, with other memory. */
  begin({ rows, texts }: RowMemory): void {
    this.#rows = rows;
    this.#texts = texts;
    this.#at = this.#units = 0;
    this.#areFirst = this.#numberOfText.size === 0 || this.#numberOfText.size >= TEXTS_MAX;
    if (this.#areFirst) this.#numberOfText.clear();
  }

  /** What was written since. */
  get written(): RowsWritten {
    return { numbers: this.#at, units: this.#units, areFirst: this.#areFirst };
  }

  /** Whether there may be no room for another row. */
  get isFull(): boolean {
    return this.#at + LENGTH_MAX > this.#rows.length ||
      this.#units + TEXT_LENGTH_MAX >= this.#texts.length;
  }

  /**
   * Writes a record.
   *
   * @param begin Where its line begins. @param end Where that ends, before its newline.
   * @param isHeldBack Whether the filter does not want it: of such a one little is read.
   * @returns Whether a row can hold it; else nothing is written.
   */
  write(record: DecodedHandshake, begin: number, end: number, isHeldBack: boolean): boolean {
    const rows = this.#rows;
    const { handshake: it, context, unknown, version } = record;
    const start = this.#at;
    if (start + LENGTH_MAX > rows.length || !fitsLists(it)) return false;
    this.#isWhole = true;
    let bits = isHeldBack ? HELD_BACK : 0;
    let at = start;
    rows[at++] = begin;
    rows[at++] = end;
    const bitsAt = at++;
    rows[at++] = version;
    rows[at++] = this.#numberOf(context.host);
    rows[at++] = this.#numberOf(context.hostId);
    rows[at++] = this.#numberOf(context.tracer);
    const { interfaceNames, cgroups } = context;
    if (isHeldBack && interfaceNames.length === 0) {
      bits |= TIME_ALONE;
      rows[at++] = it.epochSeconds;
      rows[at++] = it.timeNs;
    } else {
      writeRow(it, rows, at);
      at += ROW_LENGTH;
    }
    if (it.reason !== undefined) {
      bits |= REASON;
      rows[at++] = this.#numberOf(it.reason);
    }
    if (interfaceNames.length > 0) {
      bits |= INTERFACES;
      at = this.#writeTexts(interfaceNames, at);
    }
    const { process: client } = it.client;
    if (client !== undefined) {
      bits |= CLIENT_PROCESS;
      at = this.#writeProcess(client, at);
    }
    const { process: server } = it.server;
    if (server !== undefined) {
      bits |= SERVER_PROCESS;
      at = this.#writeProcess(server, at);
    }
    if (cgroups.length > 0) {
      bits |= CGROUPS;
      rows[at++] = cgroups.length;
      for (const { id, path, container } of cgroups) {
        rows[at++] = id;
        rows[at++] = this.#numberOf(path);
        rows[at++] = this.#numberOf(container?.id);
        rows[at++] = this.#numberOf(container?.name);
      }
    }
    if (it.translated !== undefined) {
      bits |= TRANSLATED;
      at = writeAddress(it.translated.client, rows, at);
      at = writeAddress(it.translated.server, rows, at);
    }
    if (hasDrop(it)) {
      bits |= DROP;
      rows[at++] = it.dropCount ?? UNKNOWN;
      rows[at++] = this.#numberOf(it.dropReason);
      rows[at++] = it.dropPacket === undefined ? NONE : DROPPED_PACKETS.indexOf(it.dropPacket);
      rows[at++] = it.dropQueue?.length ?? UNKNOWN;
      rows[at++] = it.dropQueue?.limit ?? UNKNOWN;
    }
    if (it.resetReason !== undefined) {
      bits |= RESET;
      rows[at++] = this.#numberOf(it.resetReason);
    }
    if (unknown.length > 0) {
      bits |= UNKNOWN_PARTS;
      at = this.#writeTexts(unknown, at);
    }
    rows[bitsAt] = bits;
    if (this.#isWhole) this.#at = at;
    return this.#isWhole;
  }

  #writeTexts(texts: readonly string[], at: number): number {
    const rows = this.#rows;
    rows[at++] = texts.length;
    for (const text of texts) rows[at++] = this.#numberOf(text);
    return at;
  }

  #writeProcess(process: Process, at: number): number {
    const rows = this.#rows;
    const { thread } = process;
    rows[at++] = process.pid ?? UNKNOWN;
    rows[at++] = this.#numberOf(process.comm);
    rows[at++] = process.uid ?? UNKNOWN;
    rows[at++] = process.cgroup ?? UNKNOWN;
    rows[at++] = Number(process.kernel ?? UNKNOWN);
    rows[at++] = Number(thread !== undefined);
    rows[at++] = thread?.tid ?? UNKNOWN;
    rows[at++] = this.#numberOf(thread?.comm);
    return at;
  }

  /** The number of a text, which is written where it has none yet and there is room for it. */
  #numberOf(text: string | undefined): number {
    if (text === undefined) return NONE;
    const known = this.#numberOfText.get(text);
    if (known !== undefined) return known;
    const texts = this.#texts;
    const { length } = text;
    if (length > TEXT_LENGTH_MAX || this.#units + 1 + length > texts.length) {
      this.#isWhole = false;
      return NONE;
    }
    texts[this.#units++] = length;
    for (let at = 0; at < length; at++) texts[this.#units++] = text.charCodeAt(at);
    const number = this.#numberOfText.size;
    this.#numberOfText.set(text, number);
    return number;
  }
}

/** Reads rows of records, in their order. */
export class RowReader {
  /** Where the line of the row ends that was read last, before its newline. */
  end = 0;
  /** Whether the filter does not want its record, of which then most is missing. */
  isHeldBack = false;
  readonly #texts: string[] = [];
  readonly #handshake = new Handshake();
  readonly #unknown: string[] = [];
  #rows: Float64Array = new Float64Array(0);
  #numbers = 0;
  #at = 0;

  /** Begins anew, with memory in which a {@link RowWriter} wrote so much: in the order in which it did. */
  begin({ rows, texts }: RowMemory, { numbers, units, areFirst }: RowsWritten): void {
    this.#rows = rows;
    this.#numbers = numbers;
    this.#at = 0;
    if (areFirst) this.#texts.length = 0;
    for (let at = 0; at < units;) {
      const length = texts[at++];
      this.#texts.push(String.fromCharCode(...texts.subarray(at, at + length)));
      at += length;
    }
  }

  /**
   * Reads the record of a line.
   *
   * @param begin Where the line begins, behind those that were read before.
   * @returns Valid until the next call, its context may be kept; undefined: it has no row.
   */
  read(begin: number): DecodedHandshake | undefined {
    const rows = this.#rows;
    // A line whose start came before these bytes is none that is asked for.
    while (this.#at < this.#numbers && rows[this.#at] < begin) this.#read();
    if (this.#at >= this.#numbers || rows[this.#at] > begin) return undefined;
    return this.#read();
  }

  #read(): DecodedHandshake {
    const rows = this.#rows;
    const it = this.#handshake;
    const context = new RecordedContext();
    let at = this.#at + 1;
    this.end = rows[at++];
    const bits = rows[at++];
    const version = rows[at++];
    context.host = this.#textOf(rows[at++]) ?? "";
    context.hostId = this.#textOf(rows[at++]);
    context.tracer = this.#textOf(rows[at++]);
    this.isHeldBack = (bits & HELD_BACK) !== 0;
    if ((bits & TIME_ALONE) !== 0) {
      it.epochSeconds = rows[at++];
      it.timeNs = rows[at++];
    } else {
      readRow(rows, at, it);
      at += ROW_LENGTH;
    }
    it.reason = (bits & REASON) === 0 ? undefined : this.#textOf(rows[at++]);
    if ((bits & INTERFACES) !== 0) {
      for (let left = rows[at++]; left > 0; left--) context.placeOf(this.#textOf(rows[at++])!);
    }
    it.client.process = (bits & CLIENT_PROCESS) === 0 ? undefined : this.#processAt(at);
    if ((bits & CLIENT_PROCESS) !== 0) at += PROCESS_LENGTH;
    it.server.process = (bits & SERVER_PROCESS) === 0 ? undefined : this.#processAt(at);
    if ((bits & SERVER_PROCESS) !== 0) at += PROCESS_LENGTH;
    if ((bits & CGROUPS) !== 0) at = this.#readCgroups(at, context);
    it.translated = undefined;
    if ((bits & TRANSLATED) !== 0) {
      it.translated = { client: addressAt(rows, at), server: addressAt(rows, at + ADDRESS_LENGTH) };
      at += 2 * ADDRESS_LENGTH;
    }
    at = this.#readDrop(at, (bits & DROP) !== 0, it);
    it.resetReason = (bits & RESET) === 0 ? undefined : this.#textOf(rows[at++]);
    const unknown = this.#unknown;
    unknown.length = 0;
    if ((bits & UNKNOWN_PARTS) !== 0) {
      for (let left = rows[at++]; left > 0; left--) unknown.push(this.#textOf(rows[at++])!);
    }
    this.#at = at;
    return { kind: "handshake", handshake: it, context, unknown, version };
  }

  #textOf(number: number): string | undefined {
    return number === NONE ? undefined : this.#texts[number];
  }

  #processAt(at: number): Process {
    const rows = this.#rows;
    const process: Partial<Process> = {
      pid: known(rows[at]),
      comm: this.#textOf(rows[at + 1]),
      uid: known(rows[at + 2]),
      cgroup: known(rows[at + 3]),
    };
    const kernel = rows[at + 4];
    if (!Number.isNaN(kernel)) (process as { kernel: boolean }).kernel = kernel === 1;
    if (rows[at + 5] === 1) {
      process.thread = { tid: known(rows[at + 6])!, comm: this.#textOf(rows[at + 7]) };
    }
    // Of a record that is decoded in part it is a part, too.
    return process as Process;
  }

  #readCgroups(at: number, context: RecordedContext): number {
    const rows = this.#rows;
    for (let left = rows[at++]; left > 0; left--, at += 4) {
      const id = rows[at];
      const path = this.#textOf(rows[at + 1]);
      const containerId = this.#textOf(rows[at + 2]);
      const containerName = this.#textOf(rows[at + 3]);
      if (path !== undefined) context.setCgroupPath(id, path);
      if (containerId !== undefined) context.setContainerId(id, containerId);
      if (containerName !== undefined) context.setContainerName(id, containerName);
    }
    return at;
  }

  #readDrop(at: number, isThere: boolean, into: Handshake): number {
    const rows = this.#rows;
    const it = into;
    if (!isThere) {
      it.dropCount =
        it.dropReason =
        it.dropPacket =
        it.dropQueue =
          undefined;
      return at;
    }
    it.dropCount = known(rows[at++]);
    it.dropReason = this.#textOf(rows[at++]);
    it.dropPacket = DROPPED_PACKETS[rows[at++]];
    const length = known(rows[at++]);
    const limit = known(rows[at++]);
    it.dropQueue = length === undefined || limit === undefined ? undefined : { length, limit };
    return at;
  }
}

function hasDrop({ dropCount, dropReason, dropPacket, dropQueue }: Handshake): boolean {
  return dropCount !== undefined || dropReason !== undefined || dropPacket !== undefined ||
    dropQueue !== undefined;
}

function writeAddress({ address, port }: Address, rows: Float64Array, at: number): number {
  for (let word = 0; word < address.length; word++) rows[at++] = address[word];
  rows[at++] = port;
  return at;
}

function addressAt(rows: Float64Array, at: number): Address {
  return { address: Uint32Array.from(rows.subarray(at, at + 4)), port: rows[at + 4] };
}
