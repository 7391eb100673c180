/**
 * The help of a command: one form for all of them, in 80 columns.
 *
 * @module
 */
import { wrap } from "../text/wrap.ts";
import { type Flag, type FlagHeadings, formatFlags } from "./flags/flags.ts";

/** What a command says of itself. */
export interface Help {
  /** What it does, one sentence. */
  summary: string;
  /** Ways to call it, and what each does. */
  usage: readonly (readonly [command: string, meaning: string])[];
  flags: readonly Flag[];
  /** What stands over them; absent: one word over all. */
  headings?: FlagHeadings;
  /** What people do with it. */
  examples: readonly (readonly [command: string, meaning: string])[];
  /** What else is to be known; each is wrapped. */
  paragraphs?: readonly string[];
  /** Exit statuses and what each means. */
  statuses: readonly (readonly [status: number, meaning: string])[];
}

/** Columns that a help takes at most: what a terminal has that nobody made wider. */
const WIDTH = 80;

/** Writes a help as text of whole lines. */
export function formatHelp(help: Help): string {
  const { summary, usage, flags, examples, paragraphs = [], statuses } = help;
  const { headings = { [flags[0].name]: "Flags" } } = help;
  return [
    fill(summary),
    formatCommands(usage),
    formatFlags(flags, headings),
    `Examples\n${formatCommands(examples)}`,
    ...paragraphs.map(fill),
    `Exit status\n${formatStatuses(statuses)}`,
  ].join("\n");
}

/** Commands with their meanings beside them, or below where that is too wide. */
function formatCommands(commands: readonly (readonly [string, string])[]): string {
  const column = Math.max(...commands.map(([command]) => command.length)) + 4;
  const isBeside = commands.every(([, meaning]) => column + meaning.length <= WIDTH);
  return commands.map(([command, meaning]) =>
    isBeside
      ? `  ${command.padEnd(column - 2)}${meaning}\n`
      : `  ${command}\n` + wrap(meaning, WIDTH - 6).map((line) => `      ${line}\n`).join("")
  ).join("");
}

function formatStatuses(statuses: Help["statuses"]): string {
  return statuses.map(([status, meaning]) =>
    wrap(meaning, WIDTH - 7)
      .map((line, nth) => `${(nth === 0 ? String(status) : "").padStart(5)}  ${line}\n`).join("")
  ).join("");
}

function fill(text: string): string {
  return wrap(text, WIDTH).join("\n") + "\n";
}
