/**
 * Asks a question of stores and files of records.
 *
 * @module
 */
import type { HandshakeFilter } from "../../pipeline/filter.ts";
import type { Answer } from "./answer_text.ts";
import { DUCKDB, type Statement } from "./dialect.ts";
import type { Database } from "./duckdb.ts";
import { filterSql, wideNetworks } from "./filter_sql.ts";
import type { AnswerColumn, AnswerKind } from "./questions.ts";
import {
  addressTable,
  type AskedLines,
  countRecords,
  type RecordsOptions,
  withRecords,
} from "./records.ts";
import {
  alikeSql,
  REPEATS_VIEW_SQL,
  spansSql,
  TELLERS_SQL,
  TOLD_SQL,
  TOLD_VIEW_SQL,
  triedSql,
} from "./repeats_sql.ts";
import { handshakeViewsSql, passingSql } from "./views_sql.ts";

/** What is asked. */
export interface AskOptions extends RecordsOptions {
  asked: Asked;
}

/** A question as SQL. */
export interface Asked extends Statement {
  /** Of the answer; undefined: as the database names them. */
  columns?: readonly AnswerColumn[];
}

/**
 * Asks.
 *
 * @throws {InputError} With a whole sentence: an input cannot be read. @throws {SqlError} DuckDB refuses.
 */
export async function ask(
  { asked, ...options }: AskOptions,
): Promise<Answer & { lines: AskedLines }> {
  return await withRecords(options, async ({ database, lines }) => {
    const { records, mayRepeat } = asked.isOfStatus
      ? { records: await countRecords(database), mayRepeat: false }
      : await findRepeats(database);
    for (const view of handshakeViewsSql(mayRepeat)) await database.run(view);
    for (const table of tablesSql(asked)) await database.run(table);
    const { columns, values } = await database.ask(asked.sql, asked.columns === undefined);
    return {
      columns: asked.columns ?? columns.map(toColumn),
      rows: values,
      lines: { ...lines, records },
    };
  });
}

/** Of a handshake that nine told each of them is in four pairs: more are found in another way. */
const PAIRS_A_RECORD = 4;

/**
 * Makes the table `repeats` of records that tell a handshake again, where there may be any.
 *
 * @param database Has the view `passing`. @returns How many records that has, too.
 */
export async function findRepeats(
  database: Pick<Database, "run" | "ask">,
): Promise<{ records: number; mayRepeat: boolean }> {
  await database.run(TELLERS_SQL);
  const { values: [[count, tellers, areBeside]] } = await database.ask(TOLD_SQL);
  const records = Number(count);
  if (areBeside !== true) return { records, mayRepeat: false };
  await database.run(TOLD_VIEW_SQL);
  const areFound = await findByPairs(database, Number(tellers), PAIRS_A_RECORD * records);
  const rest = areFound ? [REPEATS_VIEW_SQL] : spansSql(Number(tellers));
  for (const sql of rest) await database.run(sql);
  return { records, mayRepeat: true };
}

/** Looks for them pair by pair. @returns Whether there were no more pairs than the limit. */
async function findByPairs(
  database: Pick<Database, "run" | "ask">,
  tellers: number,
  limit: number,
): Promise<boolean> {
  // Of two tellers each is but one of a pair: all pairs that are tried become rows.
  if (tellers > 2) {
    const [salt] = crypto.getRandomValues(new Uint32Array(1));
    const { values: [[alike]] } = await database.ask(alikeSql(tellers, salt));
    if (Number(alike) > limit) return false;
  }
  await database.run(triedSql(tellers, limit + 1));
  const { values: [[tried]] } = await database.ask("SELECT count(*) FROM tried");
  return Number(tried) <= limit;
}

/** What would be run for a question, but for what finds the records that are told twice. */
export function describeSql(filter: HandshakeFilter, asked: Asked): string {
  const names = wideNetworks(filter).map((each, at) => [each, addressTable(at)] as const);
  const condition = filterSql(filter, DUCKDB, new Map(names));
  const steps = [
    passingSql(condition),
    ...handshakeViewsSql(false),
    ...tablesSql(asked),
    asked.sql,
  ];
  return steps.map((each) => `${each};\n`).join("");
}

function tablesSql({ tables = {} }: Statement): string[] {
  return Object.entries(tables).map(([name, sql]) => `CREATE TEMP TABLE ${name} AS ${sql}`);
}

/** How a column of `--sql` is shown: by its name and its type. */
function toColumn({ name, type }: { name: string; type: string }): AnswerColumn {
  return { name, kind: kindOf(name, type) };
}

function kindOf(name: string, type: string): AnswerKind {
  if (type.startsWith("TIMESTAMP")) return "time";
  if (!/INT|DOUBLE|FLOAT|DECIMAL/.test(type) || type.includes("[") || type.includes("(")) {
    return "text";
  }
  return name.endsWith("_ns") ? "ns" : "number";
}
