/**
 * Finds which records tell a handshake that another teller told too.
 *
 * @module
 */
import type { Database } from "./duckdb.ts";
import {
  alikeSql,
  knownRepeatsSql,
  repeatsViewSql,
  spansSql,
  TELLERS_SQL,
  TOLD_SQL,
  TOLD_VIEW_SQL,
  TRIED_REPEATS_SQL,
  triedSql,
} from "./repeats_sql.ts";
import { nrOf } from "./views_sql.ts";

/** What is known of records before they are asked. */
export interface Known {
  /** So many of the files that are asked, from the first on, were not held against the others; undefined: none was. */
  unknown: number | undefined;
  /**
   * The SELECT of what is known of the others: `nr`, the number of a record that does not count where that with
   * the number `told_by` does; undefined: nothing.
   */
  sql: string | undefined;
}

type Asking = Pick<Database, "run" | "ask">;

/**
 * Makes the table or view `repeats` of records that tell a handshake again, where there may be any.
 *
 * @param database Has the view `passing`. @param isFiltered Whether not all records pass.
 * @returns How many records pass, and whether any of them may tell a handshake again.
 */
export async function findRepeats(
  database: Asking,
  known: Known,
  isFiltered: boolean,
): Promise<{ records: number; mayRepeat: boolean }> {
  const parts: string[] = [];
  let records: number;
  if (known.unknown === 0) {
    records = await countRecords(database);
  } else {
    const found = await findTried(database, known.unknown);
    ({ records } = found);
    if (found.kind === "too many") {
      for (const sql of spansSql(found.tellers)) await database.run(sql);
      return { records, mayRepeat: true };
    }
    if (found.kind === "tried") parts.push(TRIED_REPEATS_SQL);
  }
  if (known.sql !== undefined) {
    await database.run(knownRepeatsSql(known.sql, isFiltered));
    const { values: [[count]] } = await database.ask("SELECT count(*) FROM known");
    if (Number(count) > 0) parts.push("SELECT nr FROM known");
  }
  if (parts.length > 0) await database.run(repeatsViewSql(parts));
  return { records, mayRepeat: parts.length > 0 };
}

/** How many records a filter lets pass. */
export async function countRecords(database: Asking): Promise<number> {
  const { values: [[count]] } = await database.ask("SELECT count(*) FROM passing");
  return Number(count);
}

/** Of a handshake that nine told each of them is in four pairs: more are found in another way. */
const PAIRS_A_RECORD = 4;

/** What came of trying pairs. */
interface Tried {
  /** No two told at one time; the table `tried` is there; there are more pairs than a multiple of the records. */
  kind: "none" | "tried" | "too many";
  records: number;
  tellers: number;
}

/**
 * Looks pair by pair for records of one handshake.
 *
 * @param database Has the view `passing`.
 * @param files One of each pair is in one of so many files, from the first on; undefined: wherever they are.
 */
export async function findTried(database: Asking, files: number | undefined): Promise<Tried> {
  await database.run(TELLERS_SQL);
  const { values: [[count, of, areBeside]] } = await database.ask(TOLD_SQL);
  const [records, tellers] = [Number(count), Number(of)];
  if (areBeside !== true) return { kind: "none", records, tellers };
  await database.run(TOLD_VIEW_SQL);
  const limit = PAIRS_A_RECORD * records;
  // Of two tellers each is but one of a pair: all pairs that are tried become rows.
  if (tellers > 2) {
    const [salt] = crypto.getRandomValues(new Uint32Array(1));
    const { values: [[alike]] } = await database.ask(alikeSql(tellers, salt));
    if (Number(alike) > limit) return { kind: "too many", records, tellers };
  }
  await database.run(
    triedSql(tellers, limit + 1, files === undefined ? undefined : nrOf(`${files}`, "0")),
  );
  const { values: [[tried]] } = await database.ask("SELECT count(*) FROM tried");
  return { kind: Number(tried) <= limit ? "tried" : "too many", records, tellers };
}
