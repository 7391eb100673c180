/**
 * Which rows are lines that the reader of records takes too, in DuckDB's SQL.
 *
 * DuckDB takes more for a record than the reader does, and cannot be told to take less: a line without
 * members that each record has, an address that is none. So it is asked how many rows do not look like
 * lines that this version writes. Such a line may still be a record: that is for the reader to say.
 *
 * @module
 */
import type { Field } from "../../record/field.ts";
import { FIELDS } from "../../record/fields.ts";
import { type Column, columnName } from "./columns.ts";
import { sqlText } from "./dialect.ts";
import { ADDRESS } from "./line_form.ts";

/** Kinds of lines. */
const EVENTS = ["handshake", "status", "summary", "statistics"];

/** Interfaces that a record names at most. */
const INTERFACES_MAX = 8;

/** Columns without which it cannot be told whether a row is a record. */
export const SOUND_COLUMNS: readonly string[] = FIELDS
  .filter(({ always }) => always === true).map(({ path }) => columnName(path));

/**
 * Asks for one row: how many rows of a Parquet file look in some way not like a line of this version, by
 * each such way. All of them are counted: DuckDB looks at a text that comes again only once, but not behind
 * another condition.
 *
 * @param file As `sqlFile` writes it. @param columns Those that it has: {@linkcode SOUND_COLUMNS} among them.
 */
export function oddRowsSql(file: string, columns: readonly Column[]): string {
  const names = new Set(columns.map(({ name }) => name));
  const fields = FIELDS.filter(({ path }) => names.has(columnName(path)));
  const odd = [
    "v IS NULL OR v < 1",
    `event IS NULL OR event NOT IN (${EVENTS.map(sqlText).join(", ")})`,
    ...fields.flatMap(oddOf),
    ...oddParts(fields),
  ];
  return `SELECT ${odd.map((each) => `count_if(${each})`).join(", ")} FROM read_parquet(${file})`;
}

/** How a column tells that a row is odd. */
function oddOf(field: Field): string[] {
  const name = columnName(field.path);
  const isThere = field.always === true && !field.nullable;
  return [
    ...isThere ? [`event = 'handshake' AND ${name} IS NULL`] : [],
    ...looksOdd(field, name),
  ];
}

/** Of levels that a record need not have: where one says anything, some members are there. */
function oddParts(fields: readonly Field[]): string[] {
  const levels = new Set(
    fields.flatMap(({ always }) => typeof always === "string" ? [always] : []),
  );
  return [...levels].map((level) => {
    const inside = fields.filter(({ path }) => path.startsWith(`${level}.`));
    const isAny = (some: readonly Field[], is: string) =>
      `(${some.map(({ path }) => `${columnName(path)} ${is}`).join(" OR ")})`;
    const needed = inside.filter(({ always }) => always === level);
    return `${isAny(inside, "IS NOT NULL")} AND ${isAny(needed, "IS NULL")}`;
  });
}

/** How a value of a field looks that it cannot have; of NULL that is NULL, so not true. */
function looksOdd({ path, type, values, always }: Field, name: string): string[] {
  if (path === "event") return [];
  if (path.endsWith(".address")) return [`NOT ${matches(name, ADDRESS)}`, hasZeros(name)];
  // Of words in a list the reader skips those that it does not know.
  if (type === "strings") return values === undefined ? [`len(${name}) > ${INTERFACES_MAX}`] : [];
  if (values === undefined || always === undefined) return [];
  return [`${name} NOT IN (${values.map(sqlText).join(", ")})`];
}

/** Whether an address has eight groups, two of which `formatAddress` would not write. */
function hasZeros(address: string): string {
  return `${address} NOT LIKE '%::%' AND ':' || ${address} || ':' LIKE '%:0:0:%'`;
}

function matches(value: string, pattern: string): string {
  return `regexp_full_match(${value}, ${sqlText(pattern)})`;
}
