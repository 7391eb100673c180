/**
 * A store of a made-up fleet.
 *
 * @module
 */
import { seal } from "../../src/store/seal.ts";
import { formatSegmentName } from "../../src/store/segment_name.ts";
import { HOSTS, linesOf, makeRecords } from "../capture/made_records.ts";
import { makeStatus, statusLine, type Truth } from "../capture/made_truth.ts";

/** Handshakes made at a time: all of them would not fit the memory. */
const AT_ONCE = 20_000;
const SEGMENTS_A_HOST = 10;

/** What was made. */
export interface MadeStore {
  /** Paths of its segments, as they were written, not sealed yet. */
  paths: readonly string[];
  records: number;
  bytes: number;
}

/**
 * Makes segments of two hosts that are over and not sealed.
 *
 * @param folder A new one. @param records How many, or a few more. @param truth Is given all of it.
 */
export function makeSegments(folder: string, records: number, truth?: Truth): MadeStore {
  Deno.mkdirSync(folder);
  const segments = HOSTS.flatMap((host) =>
    Array.from({ length: SEGMENTS_A_HOST }, (_, at) => ({
      host,
      path: `${folder}/${
        formatSegmentName({ hour: `2026-11-23T0${at}`, host, tracer: `${1 + at}-1` })
      }`,
    }))
  );
  for (const { path } of segments) Deno.writeTextFileSync(path, "");
  // Fewer at a time where they are few: none of the segments stays empty.
  const atOnce = Math.min(AT_ONCE, Math.ceil(records / segments.length));
  let count = 0;
  for (let seed = 1; count < records; seed++) {
    const made = makeRecords(Math.min(atOnce, records - count), seed);
    for (const [at, { host, path }] of segments.entries()) {
      if (at % SEGMENTS_A_HOST !== seed % SEGMENTS_A_HOST) continue;
      const status = makeStatus(host, seed);
      truth?.takeStatus(status);
      Deno.writeTextFileSync(path, linesOf(made, host) + statusLine(status), { append: true });
    }
    truth?.take(made);
    count += made.reduce((sum, { lines }) => sum + lines.size, 0);
  }
  const paths = segments.map(({ path }) => path);
  return { paths, records: count, bytes: sumOfSizes(paths) };
}

/** The same, sealed. */
export async function makeStore(
  folder: string,
  records: number,
  truth?: Truth,
): Promise<MadeStore> {
  const made = makeSegments(folder, records, truth);
  for (const path of made.paths) await seal(path, "bench");
  return made;
}

/** Bytes of some files together. */
export function sumOfSizes(paths: readonly string[]): number {
  return paths.reduce((sum, path) => sum + Deno.statSync(path).size, 0);
}
