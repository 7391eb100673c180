import type { Handshake } from "../match/handshake.ts";
import { ByteText, type ConstantText } from "../text/byte_text.ts";
import type { Field } from "./field.ts";
import { FIELDS } from "./fields.ts";
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
 * But a loop asks eighty getters at one place in the code, where V8 can inline none; written out, each
 * has a place of its own. A record then takes four fifths of the time
 * (`deno task bench --row ndjson`).
 */
function writeEach(steps: readonly Step[], ends: readonly ConstantText[]): Write {
  const getters = steps.map((_, at) => `const step${at} = steps[${at}], get${at} = step${at}.get;`);
  const writes = steps.map(({ level }, at) => `
    value = get${at}(handshake, context);
    if (value !== undefined) {
      step${at}.write(lines, level, value);
      level = ${level};
    }`);
  // Of numbers alone: nothing of a field gets into the code.
  const make = new Function(
    "steps",
    "ends",
    `"use strict";
    ${getters.join("\n")}
    return (lines, handshake, context) => {
      let level = ${BEGIN};
      let value;
      ${writes.join("")}
      lines.constant(ends[level]);
    };`,
  );
  return make(steps, ends);
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
