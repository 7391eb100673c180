/**
 * Answers as text: a table for people, JSON and comma-separated values for programs.
 *
 * @module
 */
import { csvCell } from "../../text/csv.ts";
import { escapeText, jsonText } from "../../text/escape.ts";
import { formatDuration } from "../../text/time.ts";
import { clip, widthOf } from "../../text/width.ts";
import type { AnswerColumn } from "./questions.ts";
import type { Value } from "./duckdb.ts";

/** What came back for a question. */
export interface Answer {
  columns: readonly AnswerColumn[];
  rows: readonly (readonly Value[])[];
}

/** How wide a cell of a table is at most: names are what others chose. */
const CELL_MAX = 60;
const GAP = "  ";
const NOTHING = "-";

/** An answer as rows that are aligned, below the names of the columns. */
export function formatTable({ columns, rows }: Answer): string {
  const headings = columns.map(({ name, kind }) => heading(name, kind));
  const cells = rows.map((row) => row.map((value, at) => cell(value, columns[at])));
  const widths = headings.map((text, at) =>
    cells.reduce((width, row) => Math.max(width, widthOf(row[at])), widthOf(text))
  );
  const line = (texts: readonly string[]) =>
    texts.map((text, at) => {
      const gap = " ".repeat(widths[at] - widthOf(text));
      return columns[at].kind === "text" || columns[at].kind === "time" ? text + gap : gap + text;
    }).join(GAP).trimEnd() + "\n";
  return [headings, ...cells].map(line).join("");
}

/** An answer as NDJSON: an object a row, of the columns' names. */
export function formatJson({ columns, rows }: Answer): string {
  return rows.map((row) =>
    jsonText(Object.fromEntries(columns.map(({ name }, at) => [name, row[at]]))) + "\n"
  ).join("");
}

/** An answer as comma-separated values (RFC 4180). */
export function formatCsv({ columns, rows }: Answer): string {
  const lines = [columns.map(({ name }) => name), ...rows];
  return lines.map((line) => line.map((value) => csvCell(plain(value))).join(",") + "\r\n").join(
    "",
  );
}

/** `NETWORK RTT P99`, whose unit stands in the cells, and `FAILED %`. */
function heading(name: string, kind: AnswerColumn["kind"]): string {
  const words = kind === "ns"
    ? name.replace(/_ns$/, "")
    : kind === "share"
    ? name.replace(/_share$/, " %")
    : name;
  return escapeText(words.replaceAll("_", " ").toUpperCase());
}

function cell(value: Value, { kind }: AnswerColumn): string {
  if (value === null) return NOTHING;
  if (kind === "time") return String(value).replace(/\.0+Z$/, "Z");
  if (typeof value === "number") {
    if (kind === "ns") return value < 0 ? `-${formatDuration(-value)}` : formatDuration(value);
    if (kind === "share") return (100 * value).toFixed(1);
  }
  return clip(escapeText(String(plain(value))), CELL_MAX);
}

function plain(value: Value): string | number | boolean | null {
  return typeof value === "object" && value !== null ? jsonText(value) : value;
}
