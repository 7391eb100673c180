/**
 * Asks a question of stores and files of records.
 *
 * @module
 */
import type { HandshakeFilter } from "../../pipeline/filter.ts";
import type { Answer } from "./answer_text.ts";
import { DUCKDB } from "./dialect.ts";
import { filterSql, wideNetworks } from "./filter_sql.ts";
import type { AnswerColumn, AnswerKind } from "./questions.ts";
import { addressTable, type AskedLines, type RecordsOptions, withRecords } from "./records.ts";
import { handshakeViewsSql, passingSql, repeatsSql, TELLERS_SQL } from "./views_sql.ts";

/** What is asked. */
export interface AskOptions extends RecordsOptions {
  /** Of the answer; undefined: as the database names them, a text each. */
  columns: readonly AnswerColumn[] | undefined;
  sql: string;
}

/**
 * Asks.
 *
 * @throws {InputError} With a whole sentence: an input cannot be read. @throws {SqlError} DuckDB refuses.
 */
export async function ask(options: AskOptions): Promise<Answer & { lines: AskedLines }> {
  return await withRecords(options, async ({ database, condition, lines }) => {
    const isToldTwice = (await database.ask(TELLERS_SQL)).values.length > 0;
    if (isToldTwice) { for (const step of repeatsSql(condition)) await database.run(step); }
    for (const view of handshakeViewsSql(isToldTwice)) await database.run(view);
    const { columns, values } = await database.ask(options.sql);
    return { columns: options.columns ?? columns.map(toColumn), rows: values, lines };
  });
}

/** What would be run for a question, but for what finds the records that are told twice. */
export function describeSql(filter: HandshakeFilter, sql: string): string {
  const names = wideNetworks(filter).map((each, at) => [each, addressTable(at)] as const);
  const condition = filterSql(filter, DUCKDB, new Map(names));
  return [passingSql(condition), ...handshakeViewsSql(false), sql].map((each) => `${each};\n`).join(
    "",
  );
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
