/**
 * The answers of a benchmark as Markdown and JSON.
 *
 * @module
 */
import { type Figure, type Length, median, reachesAim } from "./row.ts";

/** A call of the benchmark. */
export interface Run {
  /** What git calls the version that was measured. */
  version: string;
  date: string;
  /** Load average of the minute before. */
  load: number;
}

/** A row that was run. */
export interface Answer extends Run {
  name: string;
  title: string;
  seconds: number;
  figures: Figure[];
  /** Why it has no figures, or not all. */
  failure?: string;
}

/** The machine, in words. */
export interface Machine {
  kernel: string;
  cpu: string;
  cores: number;
  deno: string;
  /** BPF programs of others hooked into the kernel when it began. */
  hookedPrograms: number;
  /** By name, as each says it of itself. */
  tools: Record<string, string>;
}

/** All of it. */
export interface Report {
  machine: Machine;
  /** The numbers of a quick run mean nothing. */
  length: Length;
  /** The version that this one was compared with, as it was named. */
  against?: string;
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
export function formatMarkdown({ machine, length, against, answers }: Report): string {
  const tools = Object.values(machine.tools).join(", ");
  const seconds = answers.reduce((sum, answer) => sum + answer.seconds, 0);
  const first = answers.find(({ figures }) => figures.length > 0) ?? answers[0];
  const lines = [
    `Linux ${machine.kernel}, ${machine.cores} cores of ${machine.cpu}, Deno ${machine.deno}, ` +
    `${tools}; version ${first?.version}, ${first?.date}, in ${(seconds / 60).toFixed(1)} minutes.`,
    "",
  ];
  const others = [
    ...(first !== undefined && isBusy(first, machine) ? [loadOf(first)] : []),
    ...(machine.hookedPrograms > 0
      ? [`${machine.hookedPrograms} BPF programs of others hooked into its kernel`]
      : []),
  ];
  // Nothing else should run: what does is in every number.
  if (others.length > 0) lines.push(`The machine was not idle: ${others.join(", ")}.`, "");
  if (against !== undefined) {
    lines.push(`Compared with "${inCell(against)}": above 1 this version is the better.`, "");
  }
  if (length === "quick") {
    lines.push("One short run each: these numbers only show that the rows work.", "");
  }
  lines.push("| measured | median | lowest to highest | N | aim | reached |");
  lines.push("| --- | --- | --- | --- | --- | --- |");
  for (const answer of answers) {
    const { name, title, figures, failure } = answer;
    const about = [`\`${name}\``, ...unlike(answer, first, machine)].join(", ");
    lines.push(`| **${title}** (${about}) | | | | | |`);
    for (const figure of figures) lines.push(formatFigure(figure));
    if (failure !== undefined) lines.push(`| not measured: ${inCell(failure)} | | | | | |`);
  }
  return lines.join("\n") + "\n";
}

function isBusy({ load }: Run, { cores }: Machine): boolean {
  return load > cores / 4;
}

function loadOf({ load }: Run): string {
  return `load ${load.toFixed(1)}`;
}

/** What a reader must know of a row that another run measured than the first. */
function unlike(run: Answer, first: Run, machine: Machine): string[] {
  if (run.figures.length === 0) return [];
  const isOtherLoad = run.load !== first.load && (isBusy(run, machine) || isBusy(first, machine));
  return [
    ...(run.version === first.version ? [] : [`version ${run.version}`]),
    ...(run.date === first.date ? [] : [run.date]),
    ...(isOtherLoad ? [loadOf(run)] : []),
  ];
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
  const spread = values.length === 1 ? "" : `${formatNumber(low)} to ${formatNumber(high)}`;
  const reached = reachesAim(figure);
  return `| ${words} | ${
    formatNumber(median(values))
  }${withUnit} | ${spread} | ${values.length} | ${formatAim(aim)} | ${
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
