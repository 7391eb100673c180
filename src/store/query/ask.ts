/**
 * Asks a question of stores and files of records.
 *
 * @module
 */
import type { HandshakeFilter } from "../../pipeline/filter.ts";
import type { Answer } from "./answer_text.ts";
import { DUCKDB, type Statement } from "./dialect.ts";
import { filterSql, wideNetworks } from "./filter_sql.ts";
import { countRecords, findRepeats } from "./find_repeats.ts";
import type { AnswerColumn, AnswerKind } from "./questions.ts";
import { addressTable, type AskedLines, type RecordsOptions, withRecords } from "./records.ts";
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
  const needsRepeats = !asked.isOfStatus;
  return await withRecords(
    { ...options, needsRepeats },
    async ({ database, lines, known, isFiltered }) => {
      const { records, mayRepeat } = needsRepeats
        ? await findRepeats(database, known, isFiltered)
        : { records: await countRecords(database), mayRepeat: false };
      for (const view of handshakeViewsSql(mayRepeat)) await database.run(view);
      for (const table of tablesSql(asked)) await database.run(table);
      const { columns, values } = await database.ask(asked.sql, asked.columns === undefined);
      return {
        columns: asked.columns ?? columns.map(toColumn),
        rows: values,
        lines: { ...lines, records },
      };
    },
  );
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
