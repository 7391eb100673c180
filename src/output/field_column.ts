/**
 * Any field of the record as a column for people.
 *
 * @module
 */
import type { Handshake } from "../match/handshake.ts";
import type { Field } from "../record/field.ts";
import type { RecordContext } from "../record/record_context.ts";
import { escapeText } from "../text/escape.ts";
import { formatDuration } from "../text/time.ts";
import type { Column } from "./columns.ts";

/** A column of a table, and what stands in it. */
export interface HandshakeColumn extends Column {
  /** Characters that most values need. */
  width: number;
  /** The cell of a handshake, `-` where its value is unknown. */
  cell(handshake: Handshake, context: RecordContext): string;
}

/** What most texts need; longer ones push the rest of their line right. */
const USUAL_WIDTHS: Readonly<Record<string, number>> = {
  time: 30,
  host_id: 32,
  tracer: 24,
  outcome: 11,
  role: 8,
  "client.address": 15,
  "server.address": 15,
  "network.community_id": 30,
};
const TEXT_WIDTH = 16;
const NUMBER_WIDTH = 10;

/** Makes a column of a field, headed by its path. Durations have their unit. */
export function fieldColumn({ path, type, get }: Field): HandshakeColumn {
  const isDuration = path.endsWith("_ns");
  return {
    heading: path,
    align: type === "integer" ? "right" : "left",
    width: Math.max(
      path.length,
      type === "integer" ? NUMBER_WIDTH : type === "boolean" ? 0 : USUAL_WIDTHS[path] ?? TEXT_WIDTH,
    ),
    cell: (handshake, context) => {
      const value = get(handshake, context);
      if (value === undefined || value === null) return "-";
      if (typeof value === "number") return isDuration ? formatSigned(value) : String(value);
      if (Array.isArray(value)) return value.length === 0 ? "-" : escapeText(value.join(","));
      return escapeText(String(value));
    },
  };
}

/** Times before the first SYN are negative. */
function formatSigned(ns: number): string {
  return ns < 0 ? `-${formatDuration(-ns)}` : formatDuration(ns);
}
