import type { Handshake } from "../match/handshake.ts";
import { ByteText, type ConstantText } from "../text/byte_text.ts";
import type { Field } from "./field.ts";
import { FIELDS } from "./fields.ts";
import { writeJsonValue } from "./json_value.ts";
import type { RecordContext } from "./record_context.ts";
import type { HandshakeRecord } from "./record.ts";
import { BEGIN, buildSteps, type Step } from "./steps.ts";
import { buildTree } from "./tree.ts";

/** Writes handshakes as lines of NDJSON (one JSON object and a newline each). */
export class RecordEncoder {
  readonly #steps: readonly Step[];
  readonly #ends: readonly ConstantText[];

  /** @param fields What a line holds where it is known: fields of one level stand next to each other. */
  constructor(fields: readonly Field[] = FIELDS) {
    const { steps, ends } = buildSteps(buildTree(fields));
    this.#steps = steps;
    this.#ends = ends;
  }

  /** Appends the line of a handshake to others. Unknown fields are absent, and so are levels without one. */
  write(lines: ByteText, handshake: Handshake, context: RecordContext): void {
    const steps = this.#steps;
    let level = BEGIN;
    for (let index = 0; index < steps.length; index++) {
      const step = steps[index];
      const value = step.get(handshake, context);
      if (value === undefined) continue;
      lines.constant(step.beginning(level));
      writeJsonValue(lines, value);
      level = step.level;
    }
    lines.constant(this.#ends[level]);
  }
}

const WHOLE = new RecordEncoder();
const line = new ByteText();

/** Encodes a handshake as one line of NDJSON with every field of `FIELDS` that is known. */
export function encodeHandshake(handshake: Handshake, context: RecordContext): string {
  line.length = 0;
  WHOLE.write(line, handshake, context);
  return line.toString();
}

/** Appends the line of a handshake to others; see {@link encodeHandshake}. */
export function writeHandshake(
  lines: ByteText,
  handshake: Handshake,
  context: RecordContext,
): void {
  WHOLE.write(lines, handshake, context);
}

/** Makes a plain record of a handshake, for programs that keep it: the line's content as an object. */
export function toRecord(handshake: Handshake, context: RecordContext): HandshakeRecord {
  return JSON.parse(encodeHandshake(handshake, context));
}
