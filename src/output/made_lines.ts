/**
 * What the thread that makes lines does with a batch.
 *
 * @module
 */
import { FIELDS } from "../record/fields.ts";
import { BatchEncoder } from "./line_batch.ts";
import type { LineRequest, LineSettings } from "./line_thread.ts";

/**
 * Begins to make lines.
 *
 * @returns Makes those of a batch, into its memory. It returns how many bytes they have, or the lines
 * themselves where there is no room for them.
 */
export function makeLines(
  { host, fields }: LineSettings,
): (request: LineRequest) => number | Uint8Array {
  const names = new Map<number, string>();
  const encoder = new BatchEncoder(
    { host, interfaceName: (place) => names.get(place) },
    fields && FIELDS.filter(({ path }) => fields.includes(path)),
  );
  return ({ batch, names: added }) => {
    for (const [place, name] of added) names.set(place, name);
    const lines = encoder.encode(batch);
    if (lines.length > batch.lines.length) return lines.slice();
    batch.lines.set(lines);
    return lines.length;
  };
}
