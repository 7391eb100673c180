/**
 * How a database writes what a question is made of. A question is written once, by these parts.
 *
 * @module
 */
import type { Network } from "../../pipeline/filter.ts";

/** The parts of SQL that differ from one database to the next. */
export interface Dialect {
  /** Counts the rows that fit a condition; unknown fits not. */
  countIf(condition: string): string;
  /** For each share, such as 0.99, the value that so many of all do not exceed: exact, one of them. */
  quantiles(shares: readonly number[], value: string): string[];
  /** The value of another column in the row with the greatest value of one. */
  ofGreatest(value: string, greatest: string): string;
  /** The start of the span of so many seconds that a time is in. */
  bucket(time: string, seconds: number): string;
  /** Nanoseconds since 1970 of a time. */
  ns(time: string): string;
  /** How often a number goes into another, as a whole number. */
  quotient(value: string, by: number): string;
  /** Rows, each with what the one before it has; those that have none before them may be left out. */
  withBefore(rows: Consecutive): string;
  /** Rows, each with the least values of all that have its keys: `NAME_least`, of what is known. */
  withLeast(rows: Omit<Consecutive, "order">): string;
  /** Each row once for each of these. */
  each(values: readonly string[]): string;
  /** Of the rows with the least of a number, the least of another: that one, and the number. */
  leastWith(value: string, least: string): [value: string, least: string];
  /**
   * Rows, each told in several ways, every way of the same columns; undefined where tables are made once,
   * so that it takes no more to ask them for each way by itself.
   */
  alternatives?(from: string, ways: readonly Readonly<Record<string, string>>[]): string;
  /** A number as the nearest whole one. */
  rounded(value: string): string;
  /** Texts one behind the other; unknown where one is. */
  join(...parts: string[]): string;
  /** A number as text. */
  asText(value: string): string;
  /** A number as an integer of 64 bits with a sign; unknown stays unknown. */
  asInteger(value: string): string;
  /** A sum or difference of integers; unknown, or of no meaning, where 64 bits with a sign do not hold it. */
  ifItFits(sum: string): string;
  /** A number as one of 64 bits without a sign. */
  asUnsigned(value: string): string;
  /** Bits that are in one of two numbers. */
  xor(one: string, other: string): string;
  /** The lowest 32 bits of an integer, also of a negative one. */
  lowBits(value: string): string;
  /** A number less its so many lowest bits. */
  shiftRight(value: string, bits: number): string;
  /** Whether a list has a text. */
  has(list: string, text: string): string;
  /** Whether a text begins with another. */
  startsWith(text: string, begin: string): string;
  /** Whether an address, as text, is in a network; undefined where the database knows no networks. */
  inNetwork?(address: string, network: Network): string;
  /** A text as a literal. */
  text(text: string): string;
  /**
   * A statement that asks small tables of its own.
   *
   * @param tables Their SQL by name. @param use Given how `FROM` names one; it may be asked more than once.
   */
  withTables(
    tables: Readonly<Record<string, string>>,
    use: (from: (table: string) => string) => string,
  ): Statement;
  /** Rows, each once for every number in an object of JSON: with its name and the number. */
  members(rows: Members): string;
}

/** A SELECT, and what must be there before it is run. */
export interface Statement {
  sql: string;
  /** Tables to be made before, one after the other, by their names. */
  tables?: Readonly<Record<string, string>>;
  /** Whether it asks status lines alone: which records tell one handshake need not be found out. */
  isOfStatus?: boolean;
}

/** Rows with an object of JSON whose members are numbers. */
export interface Members {
  /** A SELECT. */
  rows: string;
  /** The column of the object. */
  json: string;
  /** The columns that the names and numbers become. */
  name: string;
  number: string;
}

/** Rows that have an order among those that share something. */
export interface Consecutive {
  /** The columns of a row, each `SQL AS NAME`. */
  columns: readonly string[];
  /** A table or view. */
  from: string;
  /** What the rows share, in columns of `from`. */
  keys: readonly string[];
  /** The column of the order. */
  order: string;
  /** Columns whose value in the row before becomes `NAME_before`. */
  values: readonly string[];
}

/** A text as SQL writes it. */
export function sqlText(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}

/** A name as SQL writes it. */
export function sqlName(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

/** DuckDB's. */
export const DUCKDB: Dialect = {
  countIf: (condition) => `count(*) FILTER (${condition})`,
  // All of them at once: each alone would hold all values again.
  quantiles: (shares, value) =>
    shares.map((_, at) => `quantile_disc(${value}, [${shares.join(", ")}])[${at + 1}]`),
  ofGreatest: (value, greatest) => `arg_max(${value}, ${greatest})`,
  bucket: (time, seconds) => {
    const width = seconds * 1e9;
    return `make_timestamp_ns(epoch_ns(${time}) // ${width} * ${width})`;
  },
  ns: (time) => `epoch_ns(${time})`,
  quotient: (value, by) => `${value} // ${by}`,
  withBefore: ({ columns, from, keys, order, values }) => {
    const before = values.map((name) => `before.${name} AS ${name}_before`);
    const members = values.map((name) => `${sqlText(name)}: ${name}`);
    // Keys as a hash of 64 bits: to sort by their texts takes four times as long. One lag of all
    // values: one of each takes twice as long.
    const shared = keys.length === 1 ? keys[0] : `hash(${keys.join(", ")})`;
    return `SELECT *, ${before.join(", ")} FROM (
  SELECT *, lag({${members.join(", ")}}) OVER (PARTITION BY shared ORDER BY ${order}) AS before
  FROM (SELECT ${columns.join(", ")}, ${shared} AS shared FROM ${from})
) WHERE before IS NOT NULL`;
  },
  withLeast: ({ columns, from, keys, values }) => {
    const least = values.map((name) => `min(${name}) OVER those AS ${name}_least`);
    return `SELECT *, ${least.join(", ")} FROM (SELECT ${
      columns.join(", ")
    } FROM ${from}) AS each_row
WINDOW those AS (PARTITION BY ${keys.join(", ")})`;
  },
  each: (values) => `unnest([${values.join(", ")}])`,
  leastWith: (value, least) => [`arg_min(${value}, row(${least}, ${value}))`, `min(${least})`],
  rounded: (value) => `CAST(${value} AS BIGINT)`,
  join: (...parts) => parts.join(" || "),
  asText: (value) => `CAST(${value} AS VARCHAR)`,
  asInteger: (value) => `CAST(${value} AS BIGINT)`,
  ifItFits: (sum) => `TRY(${sum})`,
  asUnsigned: (value) => `CAST(${value} AS UBIGINT)`,
  xor: (one, other) => `xor(${one}, ${other})`,
  lowBits: (value) => `((${value}) & ${2 ** 32 - 1})`,
  shiftRight: (value, bits) => `(${value} >> ${bits})`,
  has: (list, text) => `list_contains(${list}, ${sqlText(text)})`,
  startsWith: (text, begin) => `starts_with(${text}, ${sqlText(begin)})`,
  text: sqlText,
  // Within one statement all would be made at once, and take their memory together.
  withTables: (tables, use) => ({ tables, sql: use((table) => table) }),
  members: ({ rows, json, name, number }) =>
    `SELECT *, CAST(json_extract(${json}, '$.' || ${name}) AS BIGINT) AS ${number}
FROM (${rows}) AS told, (SELECT unnest(json_keys(${json})) AS ${name}) AS members`,
};
