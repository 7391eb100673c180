/** Names of segments: the files of a store, one for each hour that a tracer wrote in. */

/** What the name of a segment tells. */
export interface SegmentName {
  /** The hour it was written in, UTC: `2026-11-23T01`. */
  hour: string;
  /** The host's id; where it has none, its name. */
  host: string;
  /** The run of the tool that wrote it, such as `4711-1763859723123`. */
  tracer: string;
}

/** Ends the name of a segment. */
const PLAIN = ".ndjson";
/** Follows the name of one that is compressed, which an hour is when it is over. */
export const SEALED = ".zst";
/** Takes the place of {@linkcode PLAIN} in the name of what DuckDB made of a segment. */
export const TWIN = ".parquet";
/** Takes it in the name of what DuckDB found out of this segment and others: which records are told twice. */
export const TOLD = ".told";

const NAME = /^(\d{4}-\d\d-\d\dT\d\d)\.([\w-]+)\.(\d+-\d+)\.ndjson(\.zst)?$/;
const HOUR_MS = 3_600_000;

/** Names a segment that is being written. */
export function formatSegmentName({ hour, host, tracer }: SegmentName): string {
  return `${hour}.${host.replaceAll(/[^\w-]/g, "_")}.${tracer}${PLAIN}`;
}

/**
 * Reads the name of a file.
 *
 * @returns Undefined where it is no segment's. `plain` is the name without {@linkcode SEALED}.
 */
export function parseSegmentName(
  file: string,
): SegmentName & { plain: string; isSealed: boolean } | undefined {
  const [, hour, host, tracer, sealed] = NAME.exec(file) ?? [];
  if (hour === undefined || Number.isNaN(hourMs(hour))) return undefined;
  const isSealed = sealed !== undefined;
  return { hour, host, tracer, isSealed, plain: isSealed ? file.slice(0, -SEALED.length) : file };
}

/** The path of what DuckDB makes of a segment, by that of the segment as it was written. */
export function twinOf(plain: string): string {
  return plain.slice(0, -PLAIN.length) + TWIN;
}

/** The path of what is kept beside a twin of which records are told twice. */
export function toldOf(twin: string): string {
  return twin.slice(0, -TWIN.length) + TOLD;
}

/** The name of the segment that DuckDB made a file for, as it was written; undefined: it is none. */
export function plainOfMade(file: string): string | undefined {
  const end = [TWIN, TOLD].find((each) => file.endsWith(each));
  return end === undefined ? undefined : file.slice(0, -end.length) + PLAIN;
}

/** The hour of a moment. @param ms Milliseconds of Unix time. */
export function hourOf(ms: number): string {
  return new Date(ms).toISOString().slice(0, 13);
}

/** When an hour begins, milliseconds of Unix time; NaN where it is none. */
export function hourMs(hour: string): number {
  return Date.parse(`${hour}:00:00Z`);
}

/** When an hour is over, milliseconds of Unix time. */
export function endOfHourMs(hour: string): number {
  return hourMs(hour) + HOUR_MS;
}
