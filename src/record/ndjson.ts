import type { Handshake } from "../match/handshake.ts";
import { ByteText, type ConstantText } from "../text/byte_text.ts";
import type { Field } from "./field.ts";
import { FIELDS } from "./fields.ts";
import { FieldRun } from "./field_run.ts";
import type { RecordContext } from "./record_context.ts";
import type { HandshakeRecord } from "./record.ts";
import { BEGIN, buildSteps, type Step } from "./steps.ts";
import { buildTree } from "./tree.ts";

/** Appends the line of a handshake to others. */
type Write = (lines: ByteText, handshake: Handshake, context: RecordContext) => void;

/** Writes handshakes as lines of NDJSON (one JSON object and a newline each). */
export class RecordEncoder {
  /** Appends the line of a handshake to others. Unknown fields are absent, and so are levels without one. */
  readonly write: Write;

  /** @param fields What a line holds where it is known: fields of one level stand next to each other. */
  constructor(fields: readonly Field[] = FIELDS) {
    const { steps, ends } = buildSteps(buildTree(fields));
    this.write = writeEach(steps, ends);
  }
}

/**
 * Makes what writes the steps one after another. It does what this loop would:
 *
 *     let level = BEGIN;
 *     for (const step of steps) {
 *       const value = step.get(handshake, context);
 *       if (value === undefined) continue;
 *       step.write(lines, level, value);
 *       level = step.level;
 *     }
 *     lines.constant(ends[level]);
 *
 * But a loop asks eighty getters at one place in the code, where V8 can inline none; written out, each has a
 * place of its own, and so has each comparison with the record before (see {@link FieldRun}). Written out, a
 * record took four fifths of the time, and in runs about three quarters of what was left
 * (`deno task bench --row ndjson`).
 */
function writeEach(steps: readonly Step[], ends: readonly ConstantText[]): Write {
  const runs: FieldRun[] = [];
  const writes: string[] = [];
  for (let at = 0, behind; at < steps.length; at = behind) {
    behind = endOfRun(steps, at);
    if (steps[at].varies) writes.push(codeOfStep(steps[at], at));
    else writes.push(codeOfRun(runs.push(new FieldRun(steps.slice(at, behind))) - 1, at, behind));
  }
  // Of numbers alone: nothing of a field gets into the code.
  const make = new Function(
    "steps",
    "runs",
    "ends",
    `"use strict";
    ${steps.map((_, at) => `const step${at} = steps[${at}], get${at} = step${at}.get;`).join("\n")}
    ${runs.map((_, at) => `const run${at} = runs[${at}], last${at} = run${at}.last;`).join("\n")}
    return (lines, handshake, context) => {
      let level = ${BEGIN};
      ${writes.join("\n")}
      lines.constant(ends[level]);
    };`,
  );
  return make(steps, runs, ends);
}

/** What writes a step that is another in nearly every record. */
function codeOfStep({ isInteger, level }: Step, at: number): string {
  return `
    const value${at} = get${at}(handshake, context);
    if (value${at} !== undefined) {
      step${at}.${isInteger ? "writeInteger" : "write"}(lines, level, value${at});
      level = ${level};
    }`;
}

/** What writes a run of steps: where all values are those of the record before, its text. */
function codeOfRun(run: number, first: number, behind: number): string {
  const each = (code: (at: number, inRun: number) => string) =>
    Array.from({ length: behind - first }, (_, inRun) => code(first + inRun, inRun));
  return `
    ${each((at) => `const value${at} = get${at}(handshake, context);`).join("\n")}
    if (
      run${run}.text !== undefined && run${run}.before === level &&
      ${each((at, inRun) => `value${at} === last${run}[${inRun}]`).join(" && ")}
    ) {
      lines.constant(run${run}.text);
      level = run${run}.behind;
    } else {
      ${each((at, inRun) => `run${run}.values[${inRun}] = value${at};`).join("\n")}
      level = run${run}.write(lines, level);
    }`;
}

/** Where a run ends that begins with a step: before one that varies or stands in another level. */
function endOfRun(steps: readonly Step[], first: number): number {
  const { level, varies } = steps[first];
  if (varies) return first + 1;
  const end = steps.findIndex((step, at) => at > first && (step.varies || step.level !== level));
  return end < 0 ? steps.length : end;
}

/** Made when it is needed: that takes half a millisecond. */
let whole: RecordEncoder | undefined;
const line = new ByteText();

/** Encodes a handshake as one line of NDJSON with every field of `FIELDS` that is known. */
export function encodeHandshake(handshake: Handshake, context: RecordContext): string {
  line.length = 0;
  writeHandshake(line, handshake, context);
  return line.toString();
}

/** Appends the line of a handshake to others; see {@link encodeHandshake}. */
export function writeHandshake(
  lines: ByteText,
  handshake: Handshake,
  context: RecordContext,
): void {
  whole ??= new RecordEncoder();
  whole.write(lines, handshake, context);
}

/** Makes a plain record of a handshake, for programs that keep it: the line's content as an object. */
export function toRecord(handshake: Handshake, context: RecordContext): HandshakeRecord {
  return JSON.parse(encodeHandshake(handshake, context));
}
