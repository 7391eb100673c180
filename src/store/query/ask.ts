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
import { addressTable, type AskedLines, type RecordsOptions, withRecords } from "./records.ts";
import { handshakeViewsSql, passingSql, REPEATS_SQL, SHARED_SERVERS_SQL } from "./views_sql.ts";

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
    const mayRepeat = !asked.isOfStatus && await findRepeats(database);
    for (const view of handshakeViewsSql(mayRepeat)) await database.run(view);
    for (const table of tablesSql(asked)) await database.run(table);
    const { columns, values } = await database.ask(asked.sql);
    return { columns: asked.columns ?? columns.map(toColumn), rows: values, lines };
  });
}

/** Makes the table of records that tell a handshake again. @returns Whether there may be any. */
async function findRepeats(database: Database): Promise<boolean> {
  await database.run(SHARED_SERVERS_SQL);
  const shared = await database.ask("SELECT 1 FROM shared_servers LIMIT 1");
  const mayRepeat = shared.values.length > 0;
  if (mayRepeat) { for (const step of REPEATS_SQL) await database.run(step); }
  return mayRepeat;
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
