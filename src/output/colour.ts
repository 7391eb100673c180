/**
 * Colours of a terminal.
 *
 * @module
 */
import type { Outcome } from "../match/handshake.ts";

/** Select Graphic Rendition (ECMA-48 §8.3.117): bold on, and off. */
export const BOLD = ["\x1b[1m", "\x1b[22m"];
/** Colours, and back to the default. */
const RED = ["\x1b[31m", "\x1b[39m"];
const GREEN = ["\x1b[32m", "\x1b[39m"];
const YELLOW = ["\x1b[33m", "\x1b[39m"];

/** What went well, what failed, what is between. */
export const OUTCOME_TONE: Readonly<Record<Outcome, "good" | "bad" | "unsure">> = {
  established: "good",
  refused: "bad",
  timeout: "bad",
  unreachable: "bad",
  dropped: "bad",
  aborted: "unsure",
  half_open: "unsure",
  unanswered: "unsure",
};

const TONE_COLOUR = { good: GREEN, bad: RED, unsure: YELLOW };

/** The colour of an outcome. */
export function outcomeColour(outcome: Outcome): readonly string[] {
  return TONE_COLOUR[OUTCOME_TONE[outcome]];
}

/** Paints a text. @param on Whether colours are wanted. */
export function paint(text: string, [begin, end]: readonly string[], on: boolean): string {
  return on ? begin + text + end : text;
}
