import { wrap } from "../text/wrap.ts";
import { adviseOperands } from "./flags/advice.ts";
import { inspectKernel } from "../linux/probes/inspect_kernel.ts";
import {
  describePlan,
  type Finding,
  judgeFacts,
  judgeOutlook,
  type KernelFacts,
  type Outlook,
} from "../kernel/kernel_facts.ts";
import { outputSurface } from "./process/terminal.ts";
import { toAscii } from "../text/ascii.ts";
import { escapeText, jsonText } from "../text/escape.ts";
import { type Flag, parseFlags } from "./flags/flags.ts";
import { type Command, print } from "./commands.ts";
import { formatHelp, type Help } from "./help.ts";
import { ExitStatus, UsageError } from "./usage.ts";

const DOCTOR_FLAGS: readonly Flag[] = [
  { name: "json", meaning: "facts and findings as one JSON object" },
  { name: "help", meaning: "show this" },
];

/** What `doctor --help` tells. */
export const DOCTOR_HELP: Help = {
  summary: "Show what this host offers for a trace, and what a trace here will use.",
  usage: [["synsnoop doctor [flags]", "as root it tries what a trace does, and ends it"]],
  flags: DOCTOR_FLAGS,
  examples: [
    ["synsnoop doctor", "what is missing, and what to do"],
    ["synsnoop doctor --json >doctor.json", "for a report, or to compare hosts"],
  ],
  statuses: [
    [ExitStatus.Ok, "a trace works with all that this kernel can tell"],
    [ExitStatus.WorksWithLess, "it works with less"],
    [ExitStatus.Failed, "it does not work"],
    [ExitStatus.Usage, "wrong usage"],
  ],
};

/** The command `doctor`. */
export const command: Command = {
  help: DOCTOR_HELP,
  run: async (args, output) => await print(output, await doctor(args)),
};

/**
 * The command `doctor`: what this host offers, what a trace will use, and what to do where
 * something is missing.
 *
 * @param args What follows the command's name.
 * @returns The text to print and the exit status: 0 where a trace works with all that this kernel can
 *   tell, 4 where it works with less, 1 where it does not.
 * @throws {UsageError} One line for the user.
 */
export async function doctor(args: readonly string[]): Promise<{ text: string; status: number }> {
  const { switches, operands } = parseFlags(args, DOCTOR_FLAGS);
  if (operands.length > 0) {
    throw new UsageError(
      `Cannot use "${operands[0]}": ${adviseOperands("doctor", operands, DOCTOR_FLAGS)}`,
    );
  }
  if (switches.has("help")) {
    return { text: formatHelp(DOCTOR_HELP), status: ExitStatus.Ok };
  }
  const facts = await inspectKernel();
  const status = STATUS[judgeOutlook(facts)];
  if (switches.has("json")) return { text: encodeDiagnosis(facts), status };
  const { utf8, width } = outputSurface();
  const text = formatDiagnosis(facts, width());
  return { text: utf8 ? text : toAscii(text), status };
}

const STATUS: Readonly<Record<Outlook, number>> = {
  works: ExitStatus.Ok,
  works_with_less: ExitStatus.WorksWithLess,
  does_not_work: ExitStatus.Failed,
};

const OUTLOOK_WORDS: Readonly<Record<Outlook, string>> = {
  works: "a trace works, with all that this kernel can tell",
  works_with_less: "a trace works with less: what is worse or missing stands above",
  does_not_work: "a trace does not work: no packet can be captured",
};

/** Encodes the facts of a machine and what follows from them as a line of NDJSON. */
export function encodeDiagnosis(facts: KernelFacts): string {
  const [findings, plan, result] = [judgeFacts(facts), describePlan(facts), judgeOutlook(facts)];
  return jsonText({ v: 1, event: "doctor", facts, findings, plan, result }) + "\n";
}

/** Where what was found begins on its line. */
const INDENT = 20;

/**
 * Writes the facts of a machine and what follows from them for a person.
 *
 * @param columns Those of the terminal; Infinity: a line may be of any length.
 */
export function formatDiagnosis(facts: KernelFacts, columns = Infinity): string {
  const kernel = `Linux ${escapeText(facts.release)} on ${facts.architecture}`;
  const findings = judgeFacts(facts).map((finding) => formatFinding(finding, columns));
  const fill = (text: string) => wrap(text, columns).map((line) => `${line}\n`).join("");
  return `${kernel}\n${findings.join("")}\n` +
    fill(`Result: ${OUTLOOK_WORDS[judgeOutlook(facts)]}`) + fill(`Plan: ${describePlan(facts)}`);
}

function formatFinding({ verdict, subject, state, advice }: Finding, columns: number): string {
  const head = `${verdict.padEnd(8)} ${subject.padEnd(10)} `;
  // A terminal too narrow for both breaks lines itself.
  const width = columns < 2 * INDENT ? Infinity : columns - INDENT;
  const lines = wrap(escapeText(state), width).map((line, nth) =>
    `${nth === 0 ? head : " ".repeat(INDENT)}${line}\n`
  );
  // Often a command, which stays in one piece.
  return lines.join("") + (advice === undefined ? "" : `${" ".repeat(INDENT)}${advice}\n`);
}
