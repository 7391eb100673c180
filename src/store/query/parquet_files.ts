/**
 * The Parquet files that questions are asked of: each made of a segment or a file of records.
 *
 * @module
 */
import { InputError } from "../../files/input_error.ts";
import { UNFINISHED } from "../seal.ts";
import { SEALED, TWIN, twinOf } from "../segment_name.ts";
import { type HourRange, type Segment, storeSegments } from "../store_folder.ts";
import type { Column } from "./columns.ts";
import { sqlText } from "./dialect.ts";
import { type Database, SqlError } from "./duckdb.ts";
import { FACTS_KEY, LINE_COLUMNS, type LinesFile, sqlFile, toParquetSql } from "./lines_sql.ts";
import type { NotedFiles } from "./noted_files.ts";
import { HASH_COLUMNS } from "./repeats_sql.ts";
import { ALL_SOUND, judgeLines, type LineFacts, writeSoundLines } from "./sound_lines.ts";
import { oddRowsSql, SOUND_COLUMNS } from "./sound_sql.ts";

/** What makes them, and who hears of it. */
export interface ParquetOptions {
  /** Makes them: not shut in yet. */
  database: Database;
  /** Where those stand that cannot stand beside what they are made of. */
  folder: string;
  hours: HourRange;
  memoryBytes: number;
  /** Hears of each file before it is read. */
  noted: NotedFiles;
  /** What those have that are made for this question alone; undefined: all columns. */
  columns?: readonly Column[];
  /** Says which of how many it reads; `at` is `count` when all that had to be are read. */
  onProgress(at: number, count: number): void;
}

const GZIP = [0x1f, 0x8b];
const ZSTD = [0x28, 0xb5, 0x2f, 0xfd];
const BRACE = "{".charCodeAt(0);
/** The first byte of a mark that some programs put before UTF-8. */
const BYTE_ORDER_MARK = 0xef;
const BLANKS = [..." \t\n\r"].map((blank) => blank.charCodeAt(0));
/** Bytes at the start of a file that tell what it is: blank lines may stand before the first record. */
const BEGIN_BYTES = 4_096;

/**
 * Which lines become rows, and what is told of the others. Files of another version are made again: of the
 * first one, which has none, rows were also made of lines that are no records. The second one does not say
 * what columns there are.
 */
const FORMAT = 3;

/** A Parquet file, and what its lines were. */
export interface ParquetFile extends LineFacts {
  path: string;
  /** Of one that stands beside its segment: as long as it has this, its rows are the same. */
  id?: string;
  /** What it was made of, as it was named. */
  madeOf: string;
}

/** A file of lines, and where its Parquet file is or will be. */
interface Lines {
  path: string;
  /** As it was named. */
  name: string;
  /** Of a store. */
  segment?: Segment;
  /** Of a segment that is sealed, and may keep it. */
  twin?: string;
}

/**
 * Finds or makes them.
 *
 * @param inputs Stores, and files of records. @returns In the order of the inputs.
 * @throws {InputError} With a whole sentence: something cannot be read, or holds no records.
 */
export async function parquetFiles(
  inputs: readonly string[],
  options: ParquetOptions,
): Promise<ParquetFile[]> {
  const { database, folder, memoryBytes, noted } = options;
  const lines: Lines[] = [];
  for (const input of inputs) {
    lines.push(...await withInput(input, () => linesIn(input, options.hours)));
  }
  const twins = lines.flatMap(({ twin }) => twin ?? []).filter(isFile);
  await database.keepMetadata(areMetadataSmall(twins, memoryBytes));
  for (const twin of twins) noted.note(twin);
  const whole = await factsOf(twins, database);
  const parquets: ParquetFile[] = [];
  for (const [at, each] of lines.entries()) {
    const { name: madeOf, twin } = each;
    const facts = twin === undefined ? undefined : parseFacts(whole.get(twin));
    if (twin !== undefined && facts !== undefined) {
      parquets.push({ path: twin, madeOf, ...facts });
      continue;
    }
    options.onProgress(at, lines.length);
    const present = presentOf(each);
    if (present === undefined) continue;
    const made = await make(present, `${folder}/${at}${TWIN}`, options);
    noted.note(made.path);
    parquets.push({ madeOf: present.name, ...made });
  }
  options.onProgress(lines.length, lines.length);
  const areSmall = areMetadataSmall(parquets.map(({ path }) => path), memoryBytes);
  await database.keepMetadata(areSmall);
  if (parquets.length === 0) {
    throw new InputError(
      `Cannot ask "${inputs.join(" ")}": all of its hours were removed meanwhile`,
    );
  }
  return parquets;
}

function linesIn(input: string, hours: HourRange): Lines[] {
  const { isFile, isDirectory } = Deno.statSync(input);
  const path = input.startsWith("/") ? input : `${Deno.cwd()}/${input}`;
  if (isFile) return [{ path, name: input }];
  if (!isDirectory) throw new InputError("it is neither a file nor the folder of a store");
  return storeSegments(path, hours).map(toLines);
}

function toLines(segment: Segment): Lines {
  const { path, plainPath, isSealed } = segment;
  return { path, name: path, segment, ...isSealed && { twin: twinOf(plainPath) } };
}

/**
 * Some lines where they are now: while other hours are read, one may be sealed, or be too old.
 *
 * @returns Undefined: of a segment that was removed.
 */
function presentOf(lines: Lines): Lines | undefined {
  const { path, segment } = lines;
  if (segment === undefined || !isGone(path)) return lines;
  const sealed = segment.plainPath + SEALED;
  return isGone(sealed) ? undefined : toLines({ ...segment, path: sealed, isSealed: true });
}

function isGone(path: string): boolean {
  try {
    Deno.statSync(path);
    return false;
  } catch (error) {
    return error instanceof Deno.errors.NotFound;
  }
}

/** Of the memory, how much more may keep what Parquet files say of themselves. */
const METADATA_SHARE = 0.15;
/** Bytes of memory for each byte that this takes at the end of a file: of twins of 250,000 records. */
const METADATA_GROWTH = 12;
/** The length of it, 4 bytes, and the magic `PAR1`. */
const TRAILER_BYTES = 8;

/** Whether what Parquet files say of themselves takes little of the memory, so that it need not be read again. */
export function areMetadataSmall(parquets: readonly string[], memoryBytes: number): boolean {
  const bytes = METADATA_GROWTH * parquets.reduce((sum, path) => sum + metadataBytes(path), 0);
  return bytes <= memoryBytes * METADATA_SHARE;
}

/** @returns 0 of a file that is too short, or cannot be read: whoever asks it is told so. */
function metadataBytes(path: string): number {
  try {
    using file = Deno.openSync(path);
    if (file.statSync().size < TRAILER_BYTES) return 0;
    const trailer = new DataView(new ArrayBuffer(TRAILER_BYTES));
    file.seekSync(-TRAILER_BYTES, Deno.SeekMode.End);
    file.readSync(new Uint8Array(trailer.buffer));
    return trailer.getUint32(0, true);
  } catch {
    return 0;
  }
}

/**
 * What {@linkcode FACTS_KEY} tells in the metadata of some files.
 *
 * @returns By their paths; those that have none, or are not Parquet, are left out.
 */
export async function factsOf(
  there: readonly string[],
  database: Database,
): Promise<Map<string, string>> {
  if (there.length === 0) return new Map();
  try {
    const files = `[${there.map(sqlFile).join(", ")}]`;
    const { values } = await database.ask(
      `SELECT file_name, decode(value) FROM parquet_kv_metadata(${files}) ` +
        `WHERE decode(key) = ${sqlText(FACTS_KEY)}`,
    );
    return new Map(values.map(([path, text]) => [String(path), String(text)]));
  } catch (error) {
    if (!(error instanceof SqlError) || there.length === 1) return new Map();
    // One of them is none: half of them may not be, and so on.
    const half = Math.ceil(there.length / 2);
    const [some, others] = [there.slice(0, half), there.slice(half)];
    return new Map([...await factsOf(some, database), ...await factsOf(others, database)]);
  }
}

/** Columns of a twin. */
const TWIN_COLUMNS = [...LINE_COLUMNS, ...HASH_COLUMNS].map(({ name }) => name);

function formatFacts(facts: LineFacts, id: string): string {
  return JSON.stringify({ format: FORMAT, columns: TWIN_COLUMNS, id, ...facts });
}

/** @returns Undefined of what another version wrote, but for one with more columns, or somebody else. */
function parseFacts(text: string | undefined): LineFacts & { id: string } | undefined {
  if (text === undefined) return undefined;
  try {
    const { format, columns, id, refused, told } = JSON.parse(text);
    const there = new Set(columns);
    if (format !== FORMAT || !TWIN_COLUMNS.every((name) => there.has(name))) return undefined;
    if (!Number.isSafeInteger(refused) || typeof id !== "string") return undefined;
    return { id, refused, ...typeof told === "string" && { told } };
  } catch {
    return undefined;
  }
}

function isFile(path: string): boolean {
  try {
    return Deno.statSync(path).isFile;
  } catch {
    return false;
  }
}

/** Makes one, and leaves it beside a sealed segment for the next question where that can be. */
async function make(
  { path, twin }: Lines,
  parquet: string,
  { database, columns: asked }: Pick<ParquetOptions, "database" | "columns">,
): Promise<LineFacts & { path: string; id?: string }> {
  const id = crypto.randomUUID();
  const columns = LINE_COLUMNS.filter((column) =>
    twin !== undefined || asked === undefined || asked.includes(column) ||
    SOUND_COLUMNS.includes(column.name)
  );
  const facts = await withInput(path, async () => {
    const compression = compressionOf(path);
    const convert = (file: LinesFile, facts: LineFacts) =>
      database.run(toParquetSql(file, parquet, columns, formatFacts(facts, id)));
    // DuckDB takes a file of one byte for an empty one.
    if (Deno.statSync(path).size !== 1) {
      const making = succeeds(convert({ path, compression, isSound: false }, ALL_SOUND));
      let hasFailed = false;
      making.then((isMade) => hasFailed = !isMade, () => hasFailed = true);
      const [soundness, isMade] = await Promise.all([judgeLines(path, () => hasFailed), making]);
      if (isMade && soundness === "ours") return ALL_SOUND;
      if (isMade && soundness === "taken") {
        const { values: [odd] } = await database.ask(oddRowsSql(sqlFile(parquet), columns));
        if (odd.every((count) => Number(count) === 0)) return ALL_SOUND;
      }
    }
    const copy = `${parquet}.lines`;
    const facts = await writeSoundLines(path, copy);
    await convert({ path: copy, compression: "zstd", isSound: true }, facts);
    await Deno.remove(copy);
    return facts;
  });
  // Where it cannot stand there, the next question makes it again.
  if (twin === undefined || !await placeBeside(parquet, twin, path)) {
    return { path: parquet, ...facts };
  }
  await Deno.remove(parquet);
  return { path: twin, id, ...facts };
}

/**
 * Copies a file to its place in a store, with the rights of another one, whole or not at all.
 *
 * @returns Whether it is there: the folder may be another's, or full.
 */
export async function placeBeside(made: string, place: string, other: string): Promise<boolean> {
  const slash = place.lastIndexOf("/") + 1;
  const unfinished = `${place.slice(0, slash)}${UNFINISHED}${Deno.pid}.${place.slice(slash)}`;
  try {
    const { mode, uid, gid } = Deno.statSync(other);
    await Deno.copyFile(made, unfinished);
    Deno.chmodSync(unfinished, (mode ?? 0o640) & 0o777);
    Deno.chownSync(unfinished, uid, gid);
    Deno.renameSync(unfinished, place);
  } catch {
    await Deno.remove(unfinished).catch(() => {});
    return false;
  }
  return true;
}

/** Whether a statement can be run. */
async function succeeds(running: Promise<void>): Promise<boolean> {
  try {
    await running;
    return true;
  } catch (error) {
    if (error instanceof SqlError) return false;
    throw error;
  }
}

/** How a file is compressed, by its first bytes. @throws {InputError} It holds no records. */
function compressionOf(path: string): LinesFile["compression"] {
  using file = Deno.openSync(path);
  const room = new Uint8Array(BEGIN_BYTES);
  const begin = room.subarray(0, file.readSync(room) ?? 0);
  const beginsWith = (magic: readonly number[]) => magic.every((byte, at) => begin[at] === byte);
  if (beginsWith(GZIP)) return "gzip";
  if (beginsWith(ZSTD)) return "zstd";
  const first = begin.find((byte) => !BLANKS.includes(byte));
  if (first === undefined || first === BRACE || first === BYTE_ORDER_MARK) return "uncompressed";
  throw new InputError(
    'it holds no records; of a capture "synsnoop read FILE --output RECORDS" makes some',
  );
}

/** Does something with an input, and says of what fails which one it is about. */
async function withInput<T>(input: string, action: () => T | Promise<T>): Promise<T> {
  try {
    return await action();
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    const reason = error instanceof Deno.errors.NotFound
      ? "there is no such file"
      : error instanceof Deno.errors.PermissionDenied
      ? "permission denied"
      : error.message;
    throw new InputError(`Cannot ask "${input}": ${reason}`);
  }
}
