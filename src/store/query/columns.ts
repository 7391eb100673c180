/**
 * The columns that a question is asked of: those of a record, by the table of its fields, and those of a
 * status line.
 *
 * @module
 */
import type { Field, IntegerRange } from "../../record/field.ts";
import { FIELDS } from "../../record/fields.ts";

/** What a column can hold, whatever the database calls it. */
export type ColumnType =
  | "text"
  | "texts"
  | "boolean"
  | "time"
  | "json"
  | "uint8"
  | "uint16"
  | "uint32"
  | "uint64"
  | "int64";

/** A column. */
export interface Column {
  /** Its name: the path in the line, with underscores for the dots. */
  name: string;
  /** Where it stands in the line. */
  path: string;
  type: ColumnType;
  /** What a number counts, where that needs saying. */
  unit?: string;
  meaning: string;
}

/** The columns of a handshake. */
export const HANDSHAKE_COLUMNS: readonly Column[] = FIELDS.map((field) => ({
  name: columnName(field.path),
  path: field.path,
  type: typeOf(field),
  ...field.unit && { unit: field.unit },
  meaning: field.meaning,
}));

/** The columns of a status line, and of a summary, beyond those that a handshake has too. */
export const STATUS_COLUMNS: readonly Column[] = [
  of("version", "text", "Version of the tool"),
  of("since", "time", "When the trace began"),
  of("filters", "texts", "The flags that say which handshakes are reported"),
  of("sample", "uint32", "Of how many handshakes one is reported"),
  of("sources", "json", "What the tracer could see"),
  of("handshakes", "uint64", "Handshakes reported since the trace began"),
  of("written", "uint64", "Records written"),
  of("losses", "json", "What was lost since the trace began, by place"),
];

/** Columns of the lines of every kind. */
export const COMMON = ["v", "event", "time", "host", "host_id", "tracer"];

/** The name of the column of a field. */
export function columnName(path: string): string {
  return path.replaceAll(".", "_");
}

function of(path: string, type: ColumnType, meaning: string): Column {
  return { name: columnName(path), path, type, meaning };
}

function typeOf({ path, type, range }: Field): ColumnType {
  if (path === "time") return "time";
  if (type === "string") return "text";
  if (type === "strings") return "texts";
  return type === "boolean" ? "boolean" : integerType(range!);
}

function integerType([least, greatest]: IntegerRange): ColumnType {
  if (least < 0) return "int64";
  const bits = ([8, 16, 32] as const).find((each) => greatest < 2 ** each);
  return bits === undefined ? "uint64" : `uint${bits}`;
}
