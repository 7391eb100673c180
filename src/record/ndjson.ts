import type { Handshake } from "../match/handshake.ts";
import { ByteText } from "../text/byte_text.ts";
import { FIELDS } from "./fields.ts";
import { writeJsonValue } from "./json_value.ts";
import type { RecordContext } from "./record_context.ts";
import type { HandshakeRecord } from "./record.ts";
import { BEGIN, buildSteps } from "./steps.ts";
import { buildTree } from "./tree.ts";

const { steps: STEPS, ends: ENDS } = buildSteps(buildTree(FIELDS));

const line = new ByteText();

/**
 * Encodes a handshake as one line of NDJSON (one JSON object and a newline), its fields those of
 * `FIELDS`. Unknown fields are absent, and so are levels without a field.
 */
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
  let level = BEGIN;
  for (let index = 0; index < STEPS.length; index++) {
    const step = STEPS[index];
    const value = step.get(handshake, context);
    if (value === undefined) continue;
    lines.constant(step.beginning(level));
    writeJsonValue(lines, value);
    level = step.level;
  }
  lines.constant(ENDS[level]);
}

/** Makes a plain record of a handshake, for programs that keep it: the line's content as an object. */
export function toRecord(handshake: Handshake, context: RecordContext): HandshakeRecord {
  return JSON.parse(encodeHandshake(handshake, context));
}
