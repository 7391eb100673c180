import type { Field } from "./field.ts";
import { FIELDS, LEVELS } from "./fields.ts";
import { describe } from "./schema.ts";
import { buildTree, isAlways, type Level } from "./tree.ts";

/** Columns of a line of source. */
const WIDTH = 100;
const INDENT = "  ";

/** The TypeScript of `record.ts`, made of the table that encodes a record. */
export function recordTypes(): string {
  return `// Made of the table of fields, not by hand: tests/golden writes it anew.

/**
 * One handshake as it stands in a line of NDJSON. Absent means unknown. Times and durations are
 * integer nanoseconds.
 */
export interface HandshakeRecord ${levelType(buildTree(FIELDS), "")}
`;
}

function levelType(level: Level, indent: string): string {
  const inner = indent + INDENT;
  const members = level.members.map((member) => {
    const begin = `${inner}${member.name}${isAlways(member, level.path) ? "" : "?"}:`;
    return "members" in member
      ? docComment(LEVELS[member.path], inner) + `${begin} ${levelType(member, inner)};\n`
      : docComment(describe(member.field), inner) + withType(begin, member.field, inner);
  });
  return `{\n${members.join("")}${indent}}`;
}

function docComment(meaning: string, indent: string): string {
  const text = `${meaning}.`;
  const line = `${indent}/** ${text} */\n`;
  if (line.length - 1 <= WIDTH) return line;
  const lines = [`${indent}/**`, `${indent} *`];
  for (const word of text.split(" ")) {
    const longer = `${lines[lines.length - 1]} ${word}`;
    if (longer.length <= WIDTH) lines[lines.length - 1] = longer;
    else lines.push(`${indent} * ${word}`);
  }
  return [...lines, `${indent} */`].join("\n") + "\n";
}

/** The member with its type, its values one below the other where a line is too short for them. */
function withType(begin: string, { type, values, nullable }: Field, indent: string): string {
  const isList = type === "strings";
  const names = values?.map((value) => JSON.stringify(value)) ??
    [type === "integer" ? "number" : isList ? "string" : type];
  if (nullable) names.push("null");
  const inBrackets = isList && names.length > 1;
  const short = names.join(" | ");
  const line = `${begin} ${inBrackets ? `(${short})` : short}${isList ? "[]" : ""};`;
  if (line.length <= WIDTH) return line + "\n";
  const list = names.map((name) => `${indent + INDENT}| ${name}`).join("\n");
  return inBrackets ? `${begin} (\n${list}\n${indent})[];\n` : `${begin}\n${list};\n`;
}
