/**
 * The scenarios as tables for the page: made of what they say and expect, so that it cannot differ.
 *
 * @module
 */
import { ESTABLISHED } from "./expectations.ts";
import { RUN } from "./host.ts";
import { type ExpectedRecord, Matcher, type Scenario } from "./scenario.ts";
import { SCENARIO_GROUPS } from "./scenarios.ts";

/** A scenario's first port, for its expectations. */
const PORT = 20_000;
const PORTS = /\b2000(\d)\b/g;
/** Addresses of one run. */
const ADDRESSES = new RegExp(`\\b(10\\.|fd00:)${RUN}\\b`, "g");

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
  return [...views].map(([says, names]) => `${names.join(", ")}: ${says}`).join("<br>")
    .replace(ADDRESSES, "$1x")
    .replace(PORTS, (_, index) => index === "0" ? "*p*" : `*p*+${index}`);
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
  const news = [...said].filter(([path, value]) => !equal(value, usual.get(path)));
  const words = ORDER.flatMap((group) =>
    news.filter(([path]) => path.split(".")[0] === group)
      .flatMap(([path, value]) => memberInWords(path, value, outcome === "established"))
  );
  return [`\`${outcome}\``, ...tuple("", said), ...tuple("network.translated.", said), ...words]
    .join(", ");
}

/** Parts of a record, those first that say most. */
const ORDER = ["reason", "evidence", "client", "server", "packets", "rtt", "network", "flags"];
/** Told elsewhere or not worth a word. */
const UNTOLD = /process|kernel|last_|translated|address|port/;
/** Those of established handshakes whose absence is. */
const MISSED = /^rtt\.(client|server|total)_ns$/;

/** Who connects to whom, where addresses or ports are expected. */
function tuple(prefix: string, said: ReadonlyMap<string, unknown>): string[] {
  const [client, server] = ["client", "server"].map((end) => {
    const parts = ["address", "port"].map((name) => said.get(`${prefix}${end}.${name}`));
    const known = parts.map((part) => part instanceof Matcher ? undefined : part);
    return { known: known.some((part) => part !== undefined), text: [known[0] ?? end, known[1]] };
  });
  if (!client.known && !server.known) return [];
  const ends = [client, server].map(({ text }) =>
    text.filter((part) => part !== undefined).join(":")
  );
  return [`${prefix === "" ? "" : "translated "}${ends.join(" → ")}`];
}

function memberInWords(path: string, value: unknown, isEstablished: boolean): string[] {
  if (UNTOLD.test(path)) return [];
  if (path === "evidence") return equal(value, ["kernel"]) ? ["kernel alone"] : [];
  if (path === "reason") return typeof value === "string" ? [value] : [];
  if (path === "flags") return Array.isArray(value) ? value.map((flag) => `\`${flag}\``) : [];
  const name = `\`${path.replace(/^rtt\./, "")}\``;
  if (value === undefined) return isEstablished && MISSED.test(path) ? [`no ${name}`] : [];
  // One SYN and what goes with the outcome are no news.
  const isUsual = !isEstablished && (path.startsWith("packets.") && value === 1 || value === 0);
  if (isUsual || value === false || value instanceof Matcher && !isRange(value)) return [];
  const text = value instanceof Matcher ? rangeInWords(value, path) : String(value);
  return [`${name} ${text}`];
}

function isRange({ what }: Matcher): boolean {
  return what.startsWith("between");
}

/** `between 950000000 and 1900000000` nanoseconds as `0.95 to 1.9 s`. */
function rangeInWords({ what }: Matcher, path: string): string {
  const numbers = what.match(/\d+/g)!.map(Number);
  if (!path.endsWith("_ns")) return numbers.join(" to ");
  const [from, to] = numbers.map((ns) => ns / 1e9);
  return from === 0 ? `below ${to} s` : `${from} to ${to} s`;
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
