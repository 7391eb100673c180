/// <reference lib="deno.worker" />
/**
 * Makes lines of NDJSON on a thread of its own; see `LineThread`.
 *
 * @module
 */
import { FIELDS } from "../record/fields.ts";
import { BatchEncoder } from "./line_batch.ts";
import type { LineAnswer, LineRequest, LineSettings } from "./line_thread.ts";

const names = new Map<number, string>();
const answer = (message: LineAnswer) => self.postMessage(message);

self.onmessage = ({ data: { host, fields } }: MessageEvent<LineSettings>) => {
  const encoder = new BatchEncoder(
    { host, interfaceName: (place) => names.get(place) },
    fields && FIELDS.filter(({ path }) => fields.includes(path)),
  );
  self.onmessage = ({ data: { batch, names: added } }: MessageEvent<LineRequest>) => {
    for (const [place, name] of added) names.set(place, name);
    const lines = encoder.encode(batch);
    if (lines.length > batch.lines.length) return answer(lines.slice());
    batch.lines.set(lines);
    answer(lines.length);
  };
  answer("begun");
};
