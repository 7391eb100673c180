/**
 * The form in which this version writes a record, as a regular expression that is made of the table of fields:
 * a line of that form is taken by the reader of records and by DuckDB, and is the same to both. Of a line of
 * another form it says nothing.
 *
 * @module
 */
import type { Field, IntegerRange } from "../../record/field.ts";
import { RECORD_VERSION } from "../../record/fields.ts";
import { type Members, RECORD } from "../../record/record_members.ts";

/** Digits of numbers that are exact in whatever reads them; those with more are of another form. */
const DIGITS_MAX = 15;
/** What stands in a string: no half of a surrogate pair is among its escapes. */
const PLAIN = String.raw`[^"\\\x00-\x1f]*`;
const ESCAPE = String.raw`\\(?:["\\/bfnrt]|u(?:[0-9a-ce-f][0-9a-f]|d[0-7])[0-9a-f]{2})`;
const CHARACTERS = `${PLAIN}(?:${ESCAPE}${PLAIN})*`;
/** Interfaces that a record names at most. */
const LIST_MAX = 8;

const MONTH_AND_DAY = "(?:(?:0[13578]|1[02])-(?:0[1-9]|[12][0-9]|3[01])|" +
  "(?:0[469]|11)-(?:0[1-9]|[12][0-9]|30)|02-(?:0[1-9]|1[0-9]|2[0-8]))";
/** A time of this century. Its 29ths of February are of another form. */
const TIME = `20[0-9]{2}-${MONTH_AND_DAY}T(?:[01][0-9]|2[0-3])(?::[0-5][0-9]){2}[.][0-9]{9}Z`;

const BYTE = "(?:25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])";
const GROUP = "(?:0|[1-9a-f][0-9a-f]{0,3})";
/** As `formatAddress` writes them: eight groups, or at most six around `::`. */
export const ADDRESS: string = [
  `${BYTE}(?:[.]${BYTE}){3}`,
  `${GROUP}(?::${GROUP}){7}`,
  ...[0, 1, 2, 3, 4, 5, 6].map((before) => `${groups(before)}::${upToGroups(6 - before)}`),
].join("|");
/** Of eight groups two that are zero, for which it writes `::`. */
const ZEROS = '(?:[0-9a-f]+:)*0:0[:"]';

function groups(count: number): string {
  return count === 0 ? "" : `${GROUP}(?::${GROUP}){${count - 1}}`;
}

function upToGroups(count: number): string {
  return count === 0 ? "" : `(?:${GROUP}(?::${GROUP}){0,${count - 1}})?`;
}

/** Matches, from where it is to begin on, a line of that form with its newline: its bytes as Latin-1. */
export function lineForm(): RegExp {
  return new RegExp(`${levelForm(RECORD)}\n`, "y");
}

function levelForm(members: Members): string {
  let mayBeFirst = true;
  const forms = members.map(({ name, always, holds }, at) => {
    const isField = !Array.isArray(holds);
    const value = isField ? valueForm(holds as Field) : levelForm(holds as Members);
    const comma = at === 0 ? "" : mayBeFirst ? "(?:(?<=[{])|(?<![{]),)" : ",";
    mayBeFirst &&= !always;
    const form = `${comma}"${name}":${value}`;
    return always ? form : `(?:${form})?`;
  });
  return `[{]${forms.join("")}[}]`;
}

function valueForm(field: Field): string {
  const form = formOfType(field);
  return field.nullable ? `(?:null|${form})` : form;
}

function formOfType({ path, type, values, range }: Field): string {
  if (path === "v") return `${RECORD_VERSION}`;
  if (path === "time") return `"${TIME}"`;
  if (path.endsWith(".address")) return `"(?!${ZEROS})(?:${ADDRESS})"`;
  if (type === "integer") return integerForm(range!);
  if (type === "boolean") return "(?:true|false)";
  const text = values === undefined ? `"${CHARACTERS}"` : `"(?:${values.join("|")})"`;
  return type === "string" ? text : `\\[(?:${text}(?:,${text}){0,${LIST_MAX - 1}})?\\]`;
}

/** An integer of a range, as far as it has no more than {@linkcode DIGITS_MAX} digits. */
function integerForm([least, greatest]: IntegerRange): string {
  const sign = least < 0 ? "-?" : "";
  const digits = `${greatest}`;
  if (digits.length > DIGITS_MAX) return `${sign}(?:0|[1-9][0-9]{0,${DIGITS_MAX - 1}})`;
  // As many digits as the greatest has: its first ones, a lesser one, and any behind that.
  const lesser = [...digits].flatMap((digit, at) => {
    const first = at === 0 ? 1 : 0;
    if (Number(digit) === first) return [];
    const behind = digits.length - at - 1;
    return [`${digits.slice(0, at)}[${first}-${Number(digit) - 1}][0-9]{${behind}}`];
  });
  return `(?:0|${[...lesser, digits].join("|")}|[1-9][0-9]{0,${digits.length - 2}})`;
}
