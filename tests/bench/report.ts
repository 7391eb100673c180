/**
 * The answers of a benchmark as Markdown and JSON.
 *
 * @module
 */
import { type Figure, type Length, median, reachesAim } from "./row.ts";

/** A row that was run. */
export interface Answer {
  name: string;
  title: string;
  seconds: number;
  figures: Figure[];
  /** Why it has no figures, or not all. */
  failure?: string;
}

/** The machine, in words. */
export interface Machine {
  date: string;
  kernel: string;
  cpu: string;
  cores: number;
  deno: string;
  /** Load average of the last minute when it began, and BPF programs of others hooked into the kernel. */
  load: number;
  hookedPrograms: number;
  /** By name, as each says it of itself. */
  tools: Record<string, string>;
}

/** All of it. */
export interface Report {
  machine: Machine;
  /** The numbers of a quick run mean nothing. */
  length: Length;
  answers: Answer[];
}

/** Writes a report for a program: the figures with every value. */
export function formatJson(report: Report): string {
  const answers = report.answers.map((answer) => ({
    ...answer,
    figures: answer.figures.map((figure) => ({
      ...figure,
      ...(figure.values.length > 0 && {
        median: median(figure.values),
        lowest: Math.min(...figure.values),
        highest: Math.max(...figure.values),
      }),
      ...(figure.aim && { reached: reachesAim(figure) ?? null }),
    })),
  }));
  return JSON.stringify({ ...report, answers }, null, 2) + "\n";
}

/** Writes a report for a person. */
export function formatMarkdown({ machine, length, answers }: Report): string {
  const tools = Object.values(machine.tools).join(", ");
  const seconds = answers.reduce((sum, answer) => sum + answer.seconds, 0);
  const lines = [
    `Linux ${machine.kernel}, ${machine.cores} cores of ${machine.cpu}, Deno ${machine.deno}, ` +
    `${tools}; ${machine.date}, in ${(seconds / 60).toFixed(1)} minutes.`,
    "",
  ];
  // Nothing else should run: what does is in every number.
  if (machine.load > machine.cores / 4 || machine.hookedPrograms > 0) {
    lines.push(
      `The machine was not idle: load ${
        machine.load.toFixed(1)
      }, and ${machine.hookedPrograms} BPF ` +
        "programs of others were hooked into its kernel.",
      "",
    );
  }
  if (length === "quick") {
    lines.push("One short run each: these numbers only show that the rows work.", "");
  }
  lines.push("| measured | median | lowest to highest | N | aim | reached |");
  lines.push("| --- | --- | --- | --- | --- | --- |");
  for (const { title, seconds, figures, failure } of answers) {
    lines.push(`| **${title}** (${seconds.toFixed(0)} s) | | | | | |`);
    for (const figure of figures) lines.push(formatFigure(figure));
    if (failure !== undefined) lines.push(`| not measured: ${inCell(failure)} | | | | | |`);
  }
  return lines.join("\n") + "\n";
}

/** In one line of a table, whatever a program said. */
function inCell(text: string): string {
  return text.replaceAll(/\s+/g, " ").replaceAll("|", "\\|");
}

function formatFigure(figure: Figure): string {
  const { name, unit, values, aim, note } = figure;
  const words = note === undefined ? name : `${name}: ${inCell(note)}`;
  if (values.length === 0) return `| ${words} | – | – | 0 | ${formatAim(aim)} | – |`;
  const withUnit = unit === "ratio" || unit === "" ? "" : ` ${unit}`;
  const [low, high] = [Math.min(...values), Math.max(...values)];
  const reached = reachesAim(figure);
  return `| ${words} | ${formatNumber(median(values))}${withUnit} | ${formatNumber(low)} to ${
    formatNumber(high)
  } | ${values.length} | ${formatAim(aim)} | ${
    reached === undefined ? "" : reached ? "yes" : "**no**"
  } |`;
}

function formatAim(aim: Figure["aim"]): string {
  if (aim === undefined) return "";
  return "atLeast" in aim ? `≥ ${formatNumber(aim.atLeast)}` : `≤ ${formatNumber(aim.atMost)}`;
}

/** Three significant digits, whole above a hundred, with separators. */
export function formatNumber(value: number): string {
  if (Number.isInteger(value) || Math.abs(value) >= 100) {
    return Math.round(value).toLocaleString("en-US");
  }
  return value.toFixed(Math.abs(value) >= 10 ? 1 : Math.abs(value) >= 0.095 ? 2 : 3);
}
