/**
 * What differs between the records that two versions make of the same handshakes.
 *
 * @module
 */

/** A line of NDJSON, read. */
export type Line = Readonly<Record<string, unknown>>;

/** One value of one record. */
export interface Change {
  /** Ends and number of the client, or "summary". */
  key: string;
  /** The field, as `rtt.client_ns`; "record" where one version has it and the other does not. */
  field: string;
  /** The value of the version before; undefined: absent. */
  before: unknown;
  /** The value of the version at hand. */
  now: unknown;
}

/** What is not looked at, or not as closely. */
export interface Closeness {
  /** Fields that differ by nature, as the run that traced. */
  ignored?: readonly string[];
  /** Times that two runs take themselves, each at its own moment, and how far they may be apart, ns. */
  near?: { isNear: (field: string, line: Line) => boolean; ns: number };
}

/** Compares record by record, of one handshake in the order of their times, and the summaries. */
export function recordChanges(
  before: readonly Line[],
  now: readonly Line[],
  closeness: Closeness = {},
): Change[] {
  const [old, young] = [before, now].map((lines) => Map.groupBy(lines, keyOf));
  return [...new Set([...old.keys(), ...young.keys()])].flatMap((key) => {
    const [olds, youngs] = [old, young].map((lines) => inOrder(lines.get(key) ?? []));
    const count = Math.max(olds.length, youngs.length);
    return Array.from({ length: count }, (_, at) => at).flatMap((at) =>
      lineChanges(key, olds[at], youngs[at], closeness)
    );
  });
}

function lineChanges(
  key: string,
  before: Line | undefined,
  now: Line | undefined,
  { ignored = [], near }: Closeness,
): Change[] {
  if (before === undefined || now === undefined) {
    const outcome = (line: Line | undefined) => line?.outcome ?? line?.event;
    return [{ key, field: "record", before: outcome(before), now: outcome(now) }];
  }
  const [old, young] = [before, now].map((line) => new Map(valuesOf(line)));
  const fields = new Set([...old.keys(), ...young.keys()]);
  return [...fields].flatMap((field) => {
    const [a, b] = [old.get(field), young.get(field)];
    const isSame = JSON.stringify(a) === JSON.stringify(b) || ignored.includes(field) ||
      near?.isNear(field, now) && Math.abs(nanoseconds(a) - nanoseconds(b)) <= near.ns;
    return isSame ? [] : [{ key, field, before: a, now: b }];
  });
}

/** Writes what differs by field, a few examples each. */
export function formatChanges(changes: readonly Change[]): string[] {
  const kinds = Map.groupBy(changes, (change) => `${change.field} ${kindOf(change)}`);
  return [...kinds].flatMap(([kind, those]) => [
    `${kind} in ${those.length} record${those.length === 1 ? "" : "s"}`,
    ...those.slice(0, EXAMPLES).map(({ key, before, now }) =>
      `  ${key}: ${written(before)}, now ${written(now)}`
    ),
  ]);
}

/** Whether a field is new where nothing was, and may be. */
export function isAdded({ field, before }: Change, added: readonly string[]): boolean {
  return before === undefined &&
    added.some((name) => field === name || field.startsWith(`${name}.`));
}

/** Of one field. */
const EXAMPLES = 3;

function kindOf({ before, now }: Change): string {
  if (before === undefined) return "is new";
  return now === undefined ? "is gone" : "has changed";
}

function written(value: unknown): string {
  return value === undefined ? "absent" : JSON.stringify(value);
}

function keyOf(line: Line): string {
  if (line.event !== "handshake") return String(line.event);
  const { client, server } = line as Record<string, Record<string, unknown>>;
  const end = ({ address, port }: Record<string, unknown>) => `${address} port ${port}`;
  return `${end(client)} to ${end(server)}, isn ${client.isn ?? "unknown"}`;
}

function inOrder(lines: readonly Line[]): Line[] {
  return lines.toSorted((a, b) => String(a.time) < String(b.time) ? -1 : 1);
}

/** Every value with the path of its field; a list is one value. */
function valuesOf(value: unknown, path = ""): [field: string, value: unknown][] {
  if (value === null || typeof value !== "object" || Array.isArray(value)) return [[path, value]];
  return Object.entries(value).flatMap(([name, inner]) =>
    valuesOf(inner, path === "" ? name : `${path}.${name}`)
  );
}

/** Of a duration or a moment of one day: near enough to tell whether two are near. */
function nanoseconds(value: unknown): number {
  if (typeof value === "number") return value;
  return typeof value === "string" ? Date.parse(value) * 1e6 : NaN;
}
