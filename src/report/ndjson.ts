import type { Handshake } from "../match/handshake.ts";
import { jsonString } from "./escape.ts";
import { FIELDS, type FieldValue, type RecordContext } from "./fields.ts";
import { buildTree, type Level } from "./tree.ts";
import type { HandshakeRecord } from "./record.ts";

const RECORD_TREE = buildTree(FIELDS);

/**
 * Encodes a handshake as one line of NDJSON (one JSON object and a newline), its fields those of
 * `FIELDS`. Unknown fields are absent, and so are levels without a field.
 */
export function encodeHandshake(handshake: Handshake, context: RecordContext): string {
  return encodeLevel(RECORD_TREE, handshake, context) + "\n";
}

function encodeLevel(level: Level, handshake: Handshake, context: RecordContext): string {
  let text = "";
  for (const member of level.members) {
    let value: string;
    if ("members" in member) {
      value = encodeLevel(member, handshake, context);
      if (value === "{}") continue;
    } else {
      const plain = member.field.get(handshake, context);
      if (plain === undefined) continue;
      value = encodeValue(plain);
    }
    text += (text === "" ? '"' : ',"') + member.name + '":' + value;
  }
  return "{" + text + "}";
}

function encodeValue(value: FieldValue): string {
  if (typeof value === "string") return jsonString(value);
  if (typeof value === "object" && value !== null) return `[${value.map(jsonString).join(",")}]`;
  return String(value);
}

/** Makes a plain record of a handshake, for programs that keep it: the line's content as an object. */
export function toRecord(handshake: Handshake, context: RecordContext): HandshakeRecord {
  return toLevel(RECORD_TREE, handshake, context) as unknown as HandshakeRecord;
}

function toLevel(
  level: Level,
  handshake: Handshake,
  context: RecordContext,
): Record<string, unknown> {
  const record: Record<string, unknown> = {};
  for (const member of level.members) {
    if ("members" in member) {
      const inner = toLevel(member, handshake, context);
      if (Object.keys(inner).length > 0) record[member.name] = inner;
    } else {
      const value = member.field.get(handshake, context);
      // The matcher's arrays are reused for the next handshake.
      if (value !== undefined) record[member.name] = Array.isArray(value) ? [...value] : value;
    }
  }
  return record;
}
