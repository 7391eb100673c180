/**
 * The scenarios as tables for the page: made of what they say and expect, so that it cannot differ.
 *
 * @module
 */
import { ESTABLISHED } from "./expectations.ts";
import { type ExpectedRecord, Matcher, type Scenario } from "./scenario.ts";
import { SCENARIO_GROUPS } from "./scenarios.ts";

/** Ports of the lab are told from the first one of the scenario on. */
const PORT = 20_000;

/** What stands between these lines of the page is {@linkcode caseTables}. */
export const CASES_BEGIN = "<!-- cases -->";
/** See {@linkcode CASES_BEGIN}. */
export const CASES_END = "<!-- /cases -->";

/** Every case, a Markdown table for each group of them. */
export function caseTables(): string {
  return SCENARIO_GROUPS.map(({ title, scenarios }) => {
    const rows = scenarios.map((scenario) => [
      scenario.name,
      scenario.topology.name,
      scenario.says,
      expectations(scenario),
    ]);
    const table = markdownTable(["case", "topology", "what happens", "what the records say"], rows);
    return `### ${title}\n\n${table}`;
  }).join("\n");
}

/** A Markdown table; cells may hold anything. */
export function markdownTable(
  heading: readonly string[],
  rows: readonly (readonly string[])[],
): string {
  const line = (cells: readonly string[]) =>
    `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |\n`;
  return line(heading) + line(heading.map(() => "---")) + rows.map(line).join("");
}

/** What each view must say; views that must say the same are named together. */
function expectations({ topology, expected: wanted }: Scenario): string {
  const expected = typeof wanted === "function" ? wanted(PORT) : wanted;
  const views = new Map<string, string[]>();
  for (const name of Object.keys(topology.views)) {
    const says = inWords(expected[name]);
    views.set(says, [...views.get(says) ?? [], name]);
  }
  return [...views].map(([says, names]) => `${names.join(", ")}: ${says}`).join("<br>");
}

function inWords(records: readonly ExpectedRecord[]): string {
  if (records.length === 0) return "no record";
  const counted = new Map<string, number>();
  for (const record of records) {
    const says = recordInWords(record);
    counted.set(says, (counted.get(says) ?? 0) + 1);
  }
  return [...counted].map(([says, count]) => count === 1 ? says : `${count} × ${says}`).join("; ");
}

/** The outcome and what is not usual with it. */
function recordInWords(record: ExpectedRecord): string {
  const said = new Map(members(record));
  const outcome = said.get("outcome");
  const usual = outcome === "established" ? new Map(members(ESTABLISHED)) : new Map();
  const words = [...said].flatMap(([path, value]) =>
    equal(value, usual.get(path)) ? [] : memberInWords(path, value, outcome === "established")
  );
  return [`\`${outcome}\``, ...words].join(", ");
}

/** What of a record is worth a word on the page. */
const TOLD =
  /^(reason|flags|evidence|packets|client|server|rtt|network|drop)\b(?!.*(process|kernel|last_))/;
/** Those of established handshakes whose absence is. */
const MISSED = /^rtt\.(client|server|total)_ns$/;

function memberInWords(path: string, value: unknown, isEstablished: boolean): string[] {
  if (!TOLD.test(path)) return [];
  if (path === "evidence") return equal(value, ["kernel"]) ? ["kernel alone"] : [];
  if (path === "reason") return typeof value === "string" ? [value] : [];
  if (path === "flags") return Array.isArray(value) ? value.map((flag) => `\`${flag}\``) : [];
  const name = `\`${path.replace(/^rtt\./, "")}\``;
  if (value === undefined) return isEstablished && MISSED.test(path) ? [`no ${name}`] : [];
  // One SYN and what goes with the outcome are no news.
  const isUsual = !isEstablished && (path.startsWith("packets.") && value === 1 || value === 0);
  if (isUsual || value === false || value instanceof Matcher && !isRange(value)) return [];
  const text = value instanceof Matcher ? value.what : String(value);
  return [`${name} ${path.endsWith("_ns") ? inSeconds(text) : text}`];
}

function isRange({ what }: Matcher): boolean {
  return what.startsWith("between");
}

function inSeconds(range: string): string {
  return range.replace(/\d+/g, (ns) => String(Number(ns) / 1e9)) + " s";
}

/** The members of a part of a record, those of members too, by their paths. */
function members(part: unknown, path = ""): [string, unknown][] {
  const isObject = part !== null && typeof part === "object" && !Array.isArray(part) &&
    !(part instanceof Matcher);
  if (!isObject) return [[path, part]];
  return Object.entries(part).flatMap(([key, value]) =>
    members(value, path === "" ? key : `${path}.${key}`)
  );
}

function equal(left: unknown, right: unknown): boolean {
  return left === right || JSON.stringify(left) === JSON.stringify(right);
}
