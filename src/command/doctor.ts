import { inspectKernel } from "../io/inspect_kernel.ts";
import { describePlan, type Finding, judgeFacts } from "../kernel/kernel_facts.ts";
import { outputSurface } from "../io/terminal.ts";
import { toAscii } from "../report/ascii.ts";
import { escapeText } from "../report/escape.ts";
import { type Flag, formatFlags, parseFlags } from "./flags.ts";
import { ExitStatus, UsageError } from "./usage.ts";

const DOCTOR_FLAGS: readonly Flag[] = [
  { name: "json", meaning: "facts and findings as one JSON object" },
  { name: "help", meaning: "show this" },
];

/**
 * The command `doctor`: what this machine offers, what a trace will use, and what to do where
 * something is missing.
 *
 * @param args What follows the command's name.
 * @returns The text to print and the exit status: 0 where a trace has all that this kernel can
 *   tell, else 1.
 * @throws {UsageError} One line for the user.
 */
export async function doctor(args: readonly string[]): Promise<{ text: string; status: number }> {
  const { switches, operands } = parseFlags(args, DOCTOR_FLAGS);
  if (operands.length > 0) {
    throw new UsageError(`Cannot use "${operands[0]}": doctor takes flags only`);
  }
  if (switches.has("help")) {
    const text = "Show what this machine offers for a trace and what will be used.\n\n" +
      `synsnoop doctor [flags]\n\n${formatFlags(DOCTOR_FLAGS)}\n` +
      "Exit status: 0 a trace has all that this kernel can tell, 1 something is missing, " +
      "2 wrong usage.\n";
    return { text, status: ExitStatus.Ok };
  }
  const facts = await inspectKernel();
  const findings = judgeFacts(facts);
  const plan = describePlan(facts);
  const healthy = findings.every(({ verdict }) => verdict === "ok" || verdict === "older");
  const status = healthy ? ExitStatus.Ok : ExitStatus.Failed;
  if (switches.has("json")) {
    return {
      text: JSON.stringify({ v: 1, event: "doctor", facts, findings, plan }) + "\n",
      status,
    };
  }
  const kernel = `Linux ${facts.release} on ${facts.architecture}`;
  const text = `${kernel}\n${findings.map(formatFinding).join("")}\nPlan: ${plan}\n`;
  return { text: outputSurface().utf8 ? text : toAscii(text), status };
}

function formatFinding({ verdict, subject, state, advice }: Finding): string {
  const line = `${verdict.padEnd(8)} ${subject.padEnd(10)} ${escapeText(state)}\n`;
  return advice === undefined ? line : `${line}${" ".repeat(20)}${advice}\n`;
}
