import { escapeUnprintable } from "./escape.ts";

/** A spreadsheet takes a text that begins with one of these for a formula. */
const BEGINS_FORMULA = /^[=+\-@]/;
const NEEDS_QUOTES = /[",]/;

/**
 * A cell of comma-separated values (RFC 4180): numbers as they are, what is unknown empty, what is not
 * plainly printable as `\u{hex}`, so that a line is a row and a terminal shows what stands there.
 */
export function csvCell(value: string | number | boolean | null | undefined): string {
  if (value === undefined || value === null) return "";
  if (typeof value !== "string") return String(value);
  const text = escapeUnprintable(value);
  // What other programs chose to say is no formula.
  const inert = BEGINS_FORMULA.test(text) ? `'${text}` : text;
  return NEEDS_QUOTES.test(inert) ? `"${inert.replaceAll('"', '""')}"` : inert;
}
