import { widthOf } from "../text/width.ts";

/** A column of a table for people. */
export interface Column {
  heading: string;
  align: "left" | "right";
}

/** May take another number of places than it has units; most cells have none. */
const ODD = /[\u1100-\uffff]/;

function placesOf(cell: string): number {
  return ODD.test(cell) ? widthOf(cell) : cell.length;
}

/** What stands between two columns of a table, for their lines and for counting their widths. */
export const GAP = "  ";

/**
 * The widths that columns need, in places of a terminal.
 *
 * @param rows Their cells.
 */
export function columnWidths(
  columns: readonly Column[],
  rows: readonly (readonly string[])[],
): number[] {
  return columns.map(({ heading }, at) =>
    rows.reduce((width, cells) => Math.max(width, placesOf(cells[at])), heading.length)
  );
}

/** Fills the cells of a row up to their widths; one that is longer stays whole. */
export function padCells(
  columns: readonly Column[],
  cells: readonly string[],
  widths: readonly number[],
): string[] {
  return cells.map((cell, at) => {
    const units = widths[at] + cell.length - placesOf(cell);
    return columns[at].align === "right" ? cell.padStart(units) : cell.padEnd(units);
  });
}

/** Joins cells that have their widths into a line. */
export function joinCells(cells: readonly string[]): string {
  return cells.join(GAP).trimEnd() + "\n";
}

/** Writes a whole table: headings, then a line a row. */
export function formatColumns(
  columns: readonly Column[],
  rows: readonly (readonly string[])[],
): string {
  const widths = columnWidths(columns, rows);
  return [columns.map(({ heading }) => heading), ...rows]
    .map((cells) => joinCells(padCells(columns, cells, widths))).join("");
}

/** Writes a part of a whole as a percentage: 0 and 100 only where it is nothing or all. */
export function formatShare(part: number, whole: number): string {
  if (whole === 0) return "-";
  const percent = part / whole * 100;
  if (part > 0 && percent < 0.1) return "<0.1 %";
  if (part < whole && percent > 99.9) return ">99.9 %";
  return `${percent.toFixed(1)} %`;
}
