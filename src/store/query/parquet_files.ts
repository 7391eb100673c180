/**
 * The Parquet files that questions are asked of: each made of a segment or a file of records.
 *
 * @module
 */
import { InputError } from "../../files/input_error.ts";
import { UNFINISHED } from "../seal.ts";
import { TWIN, twinOf } from "../segment_name.ts";
import { type HourRange, type Segment, storeSegments } from "../store_folder.ts";
import type { Column } from "./columns.ts";
import { type Database, SqlError } from "./duckdb.ts";
import { LINE_COLUMNS, sqlFile, toParquetSql } from "./lines_sql.ts";
import { HASH_COLUMNS } from "./repeats_sql.ts";

/** What makes them, and who hears of it. */
export interface ParquetOptions {
  /** Makes them: not shut in yet. */
  database: Database;
  /** Where those stand that cannot stand beside what they are made of. */
  folder: string;
  hours: HourRange;
  /** What those have that are made for this question alone; undefined: all columns. */
  columns?: readonly Column[];
  /** Says which of how many it reads; `at` is `count` when all that had to be are read. */
  onProgress(at: number, count: number): void;
}

const GZIP = [0x1f, 0x8b];
const ZSTD = [0x28, 0xb5, 0x2f, 0xfd];
const BRACE = "{".charCodeAt(0);
const BLANKS = [..." \t\n\r"].map((blank) => blank.charCodeAt(0));
/** Bytes at the start of a file that tell what it is: blank lines may stand before the first record. */
const BEGIN_BYTES = 4_096;

/** A file of lines, and where its Parquet file is or will be. */
interface Lines {
  path: string;
  /** Undefined: of a segment that is sealed, and may keep it. */
  twin?: string;
}

/**
 * Finds or makes them.
 *
 * @param inputs Stores, and files of records. @returns Their paths, in the order of the inputs.
 * @throws {InputError} With a whole sentence: something cannot be read, or holds no records.
 */
export async function parquetFiles(
  inputs: readonly string[],
  options: ParquetOptions,
): Promise<string[]> {
  const { database, folder } = options;
  const lines: Lines[] = [];
  for (const input of inputs) {
    lines.push(...await withInput(input, () => linesIn(input, options.hours)));
  }
  const twins = lines.flatMap(({ twin }) => twin ?? []);
  const whole = await wholeOnes(twins, database);
  const parquets: string[] = [];
  for (const [at, each] of lines.entries()) {
    const { twin } = each;
    if (twin !== undefined && whole.has(twin)) {
      parquets.push(twin);
      continue;
    }
    options.onProgress(at, lines.length);
    parquets.push(await make(each, `${folder}/${at}${TWIN}`, options));
  }
  options.onProgress(lines.length, lines.length);
  return parquets;
}

function linesIn(input: string, hours: HourRange): Lines[] {
  const { isFile, isDirectory } = Deno.statSync(input);
  const path = input.startsWith("/") ? input : `${Deno.cwd()}/${input}`;
  if (isFile) return [{ path }];
  if (!isDirectory) throw new InputError("it is neither a file nor the folder of a store");
  return storeSegments(path, hours).map(toLines);
}

function toLines({ path, plainPath, isSealed }: Segment): Lines {
  if (!isSealed) return { path };
  return { path, twin: twinOf(plainPath) };
}

/** Those of some Parquet files that are there, and have the columns that this version asks for. */
async function wholeOnes(parquets: readonly string[], database: Database): Promise<Set<string>> {
  const there = parquets.filter(isFile);
  if (there.length === 0) return new Set();
  try {
    const { values } = await database.ask(
      `SELECT file_name, list(name) FROM parquet_schema([${
        there.map(sqlFile).join(", ")
      }]) GROUP BY file_name`,
    );
    const names = new Map(values.map(([file, names]) => [file, new Set(names as string[])]));
    const needed = [...LINE_COLUMNS, ...HASH_COLUMNS];
    return new Set(there.filter((path) => needed.every(({ name }) => names.get(path)?.has(name))));
  } catch (error) {
    if (!(error instanceof SqlError) || there.length === 1) return new Set();
    // One of them is none: half of them may not be, and so on.
    const half = Math.ceil(there.length / 2);
    const [some, others] = [there.slice(0, half), there.slice(half)];
    return new Set([...await wholeOnes(some, database), ...await wholeOnes(others, database)]);
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
): Promise<string> {
  const columns = twin === undefined ? asked ?? LINE_COLUMNS : LINE_COLUMNS;
  const compression = await withInput(path, () => compressionOf(path));
  await withInput(path, async () => {
    const whole = Deno.statSync(path).size === 1 ? await withNewline(path, parquet) : path;
    await database.run(toParquetSql(sqlFile(whole), compression, parquet, columns));
  });
  if (twin === undefined) return parquet;
  const slash = twin.lastIndexOf("/") + 1;
  const unfinished = `${twin.slice(0, slash)}${UNFINISHED}${Deno.pid}.${twin.slice(slash)}`;
  try {
    const { mode, uid, gid } = Deno.statSync(path);
    await Deno.copyFile(parquet, unfinished);
    Deno.chmodSync(unfinished, (mode ?? 0o640) & 0o777);
    Deno.chownSync(unfinished, uid, gid);
    Deno.renameSync(unfinished, twin);
  } catch {
    // The folder is another's, or full: the next question makes it again.
    await Deno.remove(unfinished).catch(() => {});
    return parquet;
  }
  await Deno.remove(parquet);
  return twin;
}

/** A copy of a torn line of one byte: DuckDB takes a file of that for an empty one. @returns Its path. */
async function withNewline(path: string, parquet: string): Promise<string> {
  const copy = `${parquet}.line`;
  await Deno.writeTextFile(copy, `${await Deno.readTextFile(path)}\n`);
  return copy;
}

/** How a file is compressed, by its first bytes. @throws {InputError} It holds no records. */
function compressionOf(path: string): "uncompressed" | "gzip" | "zstd" {
  using file = Deno.openSync(path);
  const room = new Uint8Array(BEGIN_BYTES);
  const begin = room.subarray(0, file.readSync(room) ?? 0);
  const beginsWith = (magic: readonly number[]) => magic.every((byte, at) => begin[at] === byte);
  if (beginsWith(GZIP)) return "gzip";
  if (beginsWith(ZSTD)) return "zstd";
  const first = begin.find((byte) => !BLANKS.includes(byte));
  if (first === undefined || first === BRACE) return "uncompressed";
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
