/**
 * How a database writes what a question is made of. A question is written once, by these parts.
 *
 * @module
 */

/** The parts of SQL that differ from one database to the next. */
export interface Dialect {
  /** Counts the rows that fit a condition; unknown fits not. */
  countIf(condition: string): string;
  /** The value that a share of all values, such as 0.99, do not exceed: one of them. */
  quantile(share: number, value: string): string;
  /** The value of another column in the row with the greatest value of one. */
  ofGreatest(value: string, greatest: string): string;
  /** The begin of the span of so many seconds that a time is in. */
  bucket(time: string, seconds: number): string;
  /** Nanoseconds since 1970 of a time. */
  ns(time: string): string;
  /** A text with a number in it. */
  join(...parts: string[]): string;
  /** Bits that are in one of two numbers. */
  xor(one: string, other: string): string;
  /** Whether a list has a text. */
  has(list: string, text: string): string;
  /** Whether a text begins with another. */
  startsWith(text: string, begin: string): string;
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
  quantile: (share, value) => `quantile_disc(${value}, ${share})`,
  ofGreatest: (value, greatest) => `arg_max(${value}, ${greatest})`,
  bucket: (time, seconds) => {
    const width = seconds * 1e9;
    return `make_timestamp_ns(epoch_ns(${time}) // ${width} * ${width})`;
  },
  ns: (time) => `epoch_ns(${time})`,
  join: (...parts) => parts.join(" || "),
  xor: (one, other) => `xor(${one}, ${other})`,
  has: (list, text) => `list_contains(${list}, ${sqlText(text)})`,
  startsWith: (text, begin) => `starts_with(${text}, ${sqlText(begin)})`,
};
