/**
 * The document of what the tool costs: its tables, made of what the benchmark wrote.
 *
 * @module
 */
import { type Answer, formatMarkdown, type Report } from "./report.ts";

const [BEGIN, END] = ["<!-- costs -->", "<!-- /costs -->"];
/** A formatter of Markdown leaves what is between them. */
const [UNTOUCHED, TOUCHED] = ["<!-- deno-fmt-ignore-start -->", "<!-- deno-fmt-ignore-end -->"];

/**
 * Puts rows that were measured later in the place of those of the same name.
 *
 * @param rows All rows of the benchmark in their order. What it has no longer is left out.
 * @throws {Error} They come from different machines, or tell nothing.
 */
export function mergeReports(
  reports: readonly Report[],
  rows: readonly { name: string; title: string }[],
): Report {
  const latest = new Map<string, Answer>();
  const machine = reports[reports.length - 1].machine;
  for (const report of reports) {
    if (report.length === "quick" || report.against !== undefined) {
      const what = report.against === undefined ? "a quick run" : "a comparison of versions";
      throw new Error(`Cannot make tables of ${what}: it does not tell what this one costs`);
    }
    if (!isSameMachine(report.machine, machine)) {
      throw new Error(
        `Cannot make tables of two machines: ${report.machine.cpu}, Linux ${report.machine.kernel}, ` +
          `and ${machine.cpu}, Linux ${machine.kernel}`,
      );
    }
    // A row that failed does not take away what is known.
    for (const answer of report.answers) {
      if (answer.failure === undefined || !latest.has(answer.name)) latest.set(answer.name, answer);
    }
  }
  const answers = rows.map(({ name, title }) => latest.get(name) ?? notMeasured(name, title));
  return { machine, length: "whole", answers };
}

function notMeasured(name: string, title: string): Answer {
  const failure = "it is not in the runs that these tables are made of";
  return { name, title, version: "none", date: "", load: 0, seconds: 0, figures: [], failure };
}

function isSameMachine(one: Report["machine"], other: Report["machine"]): boolean {
  return one.cpu === other.cpu && one.cores === other.cores && one.kernel === other.kernel;
}

/**
 * Puts the tables of a report between the two marks of a document.
 *
 * @throws {Error} It has no such marks.
 */
export function replaceCosts(document: string, report: Report): string {
  const [before, rest] = document.split(BEGIN);
  const after = rest?.split(END)[1];
  if (after === undefined) throw new Error(`The document has no "${BEGIN}" and "${END}"`);
  const tables = formatMarkdown(report).trim();
  return `${before}${BEGIN}\n\n${UNTOUCHED}\n\n${tables}\n\n${TOUCHED}\n\n${END}${after}`;
}
