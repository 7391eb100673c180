import type { Handshake } from "../../match/handshake.ts";
import { toAscii } from "../../text/ascii.ts";
import { OUTCOME_TONE } from "../colour.ts";
import { formatHandshake, formatHeading } from "../line.ts";
import type { KeptHandshake } from "./kept_handshakes.ts";
import type { ScreenLine } from "./screen_line.ts";

/** How handshakes are listed. */
export interface ListOptions {
  columns: number;
  ascii: boolean;
  localTime: boolean;
}

/** The headings of {@link drawHandshake}. */
export function drawListHeading({ columns, localTime }: ListOptions): ScreenLine {
  const heading = formatHeading({ width: columns - 1, localTime }).trimEnd();
  return [{ text: ` ${heading}`, style: "aside" }];
}

/** A handshake as one line, its outcome in colour. */
export function drawHandshake(
  { handshake, context }: KeptHandshake,
  { columns, ascii, localTime }: ListOptions,
  isChosen: boolean,
): ScreenLine {
  const line = formatHandshake(handshake, { width: columns - 1, ascii, localTime }, context)
    .trimEnd();
  const mark = isChosen ? { text: ">", style: "inverse" as const } : { text: " " };
  return [mark, ...paintOutcome(ascii ? toAscii(line) : line, handshake)];
}

/** The first words that name the outcome are its column's: before it stands a time, perhaps a role. */
function paintOutcome(line: string, { outcome }: Handshake): ScreenLine {
  const at = line.indexOf(outcome);
  if (at < 0) return [{ text: line }];
  return [
    { text: line.slice(0, at) },
    { text: outcome, style: OUTCOME_TONE[outcome] },
    { text: line.slice(at + outcome.length) },
  ];
}
