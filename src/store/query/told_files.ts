/**
 * Which records are told twice, kept beside the Parquet files of sealed segments: those do not change, so two
 * of them need be held against each other once.
 *
 * A question finds it out of the files that are new to it and all that are near them in time, and keeps it in
 * one file, beside the latest of the new ones. A Parquet file that is made again gets another id, and is new.
 *
 * @module
 */
import { plainOfMade, TOLD, toldOf } from "../segment_name.ts";
import { sqlText } from "./dialect.ts";
import type { Database } from "./duckdb.ts";
import { findTried, type Known } from "./find_repeats.ts";
import { FACTS_KEY, sqlFile } from "./lines_sql.ts";
import { factsOf, type ParquetFile, placeBeside } from "./parquet_files.ts";
import type { NotedFiles } from "./noted_files.ts";
import { NEAR_NS, tellersOfFilesSql, TOLD_VIEWS } from "./repeats_sql.ts";
import { fileOf, LINE_VIEWS, lineViewsSql, nrOf, passingSql, rowOf } from "./views_sql.ts";

type Twin = ParquetFile & { id: string };

/** Who told records of a file: a name, and when the first and the last was, nanoseconds since 1970. */
type Teller = readonly [name: string, firstNs: bigint, lastNs: bigint];

/** What one file keeps. */
interface Told {
  path: string;
  /** The ids of the Parquet files that it is about: its rows name them by their places here. */
  ids: readonly string[];
  /** Of so many of them, from the first on: these were held against all of them. */
  tellers: readonly (readonly Teller[])[];
}

/** What is kept, and how; what another version keeps is as if it were not there. */
const FORMAT = 1;

/** Files in the order in which they are to be asked, and what is known of them. */
export interface KnownFiles extends Known {
  files: readonly ParquetFile[];
  /** What {@linkcode Known.sql} reads. */
  paths: readonly string[];
}

/** What finds it out, and who hears of it. */
export interface KnowOptions {
  /** May still write. */
  database: Database;
  /** Where it may in any case, for this question. */
  folder: string;
  /** Hears of each file before it is read. */
  noted: NotedFiles;
}

/** Finds out what is kept of some files, and what is not; and keeps that for the next question, where it may. */
export async function knowRepeats(
  files: readonly ParquetFile[],
  options: KnowOptions,
): Promise<KnownFiles> {
  // Of a store that is asked twice, or of a copy, the second one is held against all like any other file.
  const twins = [
    ...new Map(files.flatMap((file) => isTwin(file) ? [[file.id, file]] : [])).values(),
  ];
  const told = await readTold(twins, options);
  const news = await holdNew(twins, told, options);
  const known = twins.filter((twin) => !news.has(twin));
  const areKnown = new Set<ParquetFile>(known);
  const ordered = [...files.filter((file) => !areKnown.has(file)), ...known];
  const unknown = ordered.length - known.length;
  const places = new Map(known.map(({ id }, at) => [id, unknown + at]));
  const asked = told.filter(({ ids, tellers }) => tellers.some((_, at) => places.has(ids[at])));
  return {
    files: ordered,
    paths: asked.map(({ path }) => path),
    unknown: known.length === 0 ? undefined : unknown,
    sql: asked.length === 0 ? undefined : knownSql(asked, places),
  };
}

/**
 * Holds those against the others that were not, and adds what is found to what is kept.
 *
 * @returns Those of which it could not be found.
 */
async function holdNew(
  twins: readonly Twin[],
  told: Told[],
  { database, folder, noted }: KnowOptions,
): Promise<Set<Twin>> {
  const tellers = new Map(
    told.flatMap(({ ids, tellers }) => tellers.map((each, at) => [ids[at], each] as const)),
  );
  const news = new Set(twins.filter(({ id }) => !tellers.has(id)));
  for (const [twin, each] of await askTellers([...news], database)) tellers.set(twin.id, each);
  const beside = findBeside(twins, tellers);
  const isHeld = holding(told);
  for (const [one, other] of beside) {
    if (!news.has(one) && !news.has(other) && !isHeld(one.id, other.id)) news.add(other);
  }
  if (news.size === 0) return news;
  const place = placeOf(news, told);
  const replaced = told.findIndex(({ path }) => path === place.path);
  if (replaced >= 0) {
    const [{ ids, tellers }] = told.splice(replaced, 1);
    const held = new Set(ids.slice(0, tellers.length));
    for (const twin of twins) if (held.has(twin.id)) news.add(twin);
  }
  const near = new Set(beside.filter((pair) => pair.some((twin) => news.has(twin))).flat());
  const others = [...near].filter((twin) => !news.has(twin));
  const path = `${folder}/made${TOLD}`;
  const made = await make([...news], others, { tellers, database, path });
  if (made === undefined) return news;
  noted.note(path);
  await placeBeside(path, place.path, place.twin.path);
  told.push(made);
  return new Set();
}

function isTwin(file: ParquetFile): file is Twin {
  return file.id !== undefined;
}

/** Reads all that is kept in the folders of some files. */
async function readTold(
  twins: readonly Twin[],
  { database, noted }: KnowOptions,
): Promise<Told[]> {
  const folders = new Set(twins.map(({ path }) => path.slice(0, path.lastIndexOf("/") + 1)));
  const paths = [...folders].flatMap((folder) =>
    [...Deno.readDirSync(folder)].map(({ name }) => name)
      .filter((name) => name.endsWith(TOLD) && plainOfMade(name) !== undefined)
      .map((name) => folder + name)
  );
  for (const path of paths) noted.note(path);
  const facts = await factsOf(paths, database);
  return [...facts].flatMap(([path, text]) => {
    const told = parseTold(text);
    return told === undefined ? [] : [{ path, ...told }];
  });
}

function formatTold({ ids, tellers }: Omit<Told, "path">): string {
  return JSON.stringify(
    { format: FORMAT, ids, tellers },
    (_, value) => typeof value === "bigint" ? String(value) : value,
  );
}

/** @returns Undefined of what another version wrote, or somebody else. */
function parseTold(text: string): Omit<Told, "path"> | undefined {
  try {
    const { format, ids, tellers } = JSON.parse(text);
    if (format !== FORMAT) return undefined;
    return {
      ids: ids.map(String),
      tellers: tellers.map((each: string[][]) =>
        each.map(([name, first, last]): Teller => [String(name), BigInt(first), BigInt(last)])
      ),
    };
  } catch {
    return undefined;
  }
}

/** Whether two files were held against each other. */
function holding(told: readonly Told[]): (one: string, other: string) => boolean {
  const against = new Map<string, Set<string>[]>();
  for (const { ids, tellers } of told) {
    const all = new Set(ids);
    for (const id of ids.slice(0, tellers.length)) {
      against.set(id, [...against.get(id) ?? [], all]);
    }
  }
  const isHeld = (one: string, other: string) =>
    against.get(one)?.some((ids) => ids.has(other)) ?? false;
  return (one, other) => isHeld(one, other) || isHeld(other, one);
}

async function askTellers(
  twins: readonly Twin[],
  database: Database,
): Promise<(readonly [Twin, Teller[]])[]> {
  if (twins.length === 0) return [];
  const { values } = await database.ask(tellersOfFilesSql(twins.map(({ path }) => sqlFile(path))));
  const rows = values.map(([file, name, first, last]): [number, Teller] => [
    Number(file),
    [String(name), BigInt(String(first)), BigInt(String(last))],
  ]);
  const byFile = Map.groupBy(rows, ([file]) => file);
  return twins.map((twin, at) => [twin, (byFile.get(at) ?? []).map(([, teller]) => teller)]);
}

/** The pairs of files of which two tellers told at one time: the earlier first. */
function findBeside(
  twins: readonly Twin[],
  tellers: ReadonlyMap<string, readonly Teller[]>,
): [Twin, Twin][] {
  const told = twins.flatMap((twin) => tellers.get(twin.id)!.map((teller) => ({ twin, teller })))
    .sort(({ teller: [, one] }, { teller: [, other] }) => one < other ? -1 : one > other ? 1 : 0);
  const pairs: [Twin, Twin][] = [];
  let open: typeof told = [];
  for (const each of told) {
    const { twin, teller: [name, firstNs] } = each;
    open = open.filter(({ teller: [, , lastNs] }) => lastNs + BigInt(NEAR_NS) >= firstNs);
    for (const before of open) {
      if (before.teller[0] !== name && before.twin !== twin) pairs.push([before.twin, twin]);
    }
    open.push(each);
  }
  return pairs;
}

/**
 * Where it is kept what is found out of some files: beside the latest, by its path that begins with its hour;
 * what is kept there already is replaced only where that is so with all of them.
 */
function placeOf(twins: ReadonlySet<Twin>, told: readonly Told[]): { twin: Twin; path: string } {
  const taken = new Set(told.map(({ path }) => path));
  const places = [...twins].map((twin) => ({ twin, path: toldOf(twin.path) }))
    .sort((one, other) => one.path < other.path ? 1 : -1);
  return places.find(({ path }) => !taken.has(path)) ?? places[0];
}

/** How something is made. */
interface Making {
  tellers: ReadonlyMap<string, readonly Teller[]>;
  database: Database;
  /** Of what is made. */
  path: string;
}

/**
 * Holds files against each other and against others, and keeps what is found.
 *
 * @returns Undefined where those who made the records see to it that there are too many pairs.
 */
async function make(
  news: readonly Twin[],
  others: readonly Twin[],
  { tellers, database, path }: Making,
): Promise<Told | undefined> {
  const twins = [...news, ...others];
  const ids = twins.map(({ id }) => id);
  const facts = { ids, tellers: news.map(({ id }) => tellers.get(id)!) };
  try {
    for (const view of lineViewsSql(twins.map(({ path }) => path))) await database.run(view);
    await database.run(passingSql(undefined));
    const { kind } = await findTried(database, others.length === 0 ? undefined : news.length);
    if (kind === "too many") return undefined;
    await database.run(
      `COPY (${kind === "none" ? NO_ROWS_SQL : ROWS_SQL}) TO ${sqlText(path)} ` +
        `(FORMAT parquet, COMPRESSION snappy, KV_METADATA {${FACTS_KEY}: ${
          sqlText(formatTold(facts))
        }})`,
    );
    return { path, ...facts };
  } finally {
    for (const each of [...TOLD_VIEWS, "VIEW IF EXISTS passing", ...LINE_VIEWS]) {
      await database.run(`DROP ${each}`);
    }
  }
}

/** A record by its file's place and its place there, and by which other record it is told too. */
const ROWS_SQL = `SELECT CAST(${fileOf("nr")} AS UINTEGER) AS file, CAST(${
  rowOf("nr")
} AS UINTEGER) AS row,
  CAST(${fileOf("told_by")} AS UINTEGER) AS by_file, CAST(${rowOf("told_by")} AS UINTEGER) AS by_row
FROM tried WHERE is_near`;
const NO_ROWS_SQL =
  "SELECT 0::UINTEGER AS file, 0::UINTEGER AS row, 0::UINTEGER AS by_file, 0::UINTEGER AS by_row LIMIT 0";

/** What is kept of the files that are asked, as rows of records that are told again, and by what. */
function knownSql(told: readonly Told[], places: ReadonlyMap<string, number>): string {
  const rows = told.flatMap(({ ids }, at) =>
    ids.flatMap((id, file) => places.has(id) ? [`(${at}, ${file}, ${places.get(id)})`] : [])
  );
  return `WITH places(told, file, place) AS (VALUES ${rows.join(", ")})
SELECT ${nrOf("one.place", "row")} AS nr, ${nrOf("other.place", "by_row")} AS told_by
FROM read_parquet([${told.map(({ path }) => sqlFile(path)).join(", ")}]) AS kept
JOIN places AS one ON one.told = kept.file_index AND one.file = kept.file
JOIN places AS other ON other.told = kept.file_index AND other.file = kept.by_file`;
}
