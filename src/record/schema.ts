import type { Field } from "./field.ts";
import { FIELDS, LEVELS, RECORD_VERSION } from "./fields.ts";
import { buildTree, isAlways, type Level } from "./tree.ts";

/** The JSON Schema (2020-12) of a handshake's line, made of the table that encodes it. */
export function jsonSchema(): Record<string, unknown> {
  return {
    $schema: "https://json-schema.org/draft/2020-12/schema",
    title: `synsnoop handshake record, version ${RECORD_VERSION}`,
    description: "One TCP three-way handshake. An absent field is unknown, never guessed.",
    ...levelSchema(buildTree(FIELDS)),
  };
}

function levelSchema(level: Level): Record<string, unknown> {
  const properties: Record<string, unknown> = {};
  const required: string[] = [];
  for (const member of level.members) {
    properties[member.name] = "members" in member ? levelSchema(member) : fieldSchema(member.field);
    if (isAlways(member, level.path)) required.push(member.name);
  }
  const meaning = LEVELS[level.path];
  // Fields may be added, so a reader must not refuse what it does not know.
  return {
    ...(meaning && { description: meaning }),
    type: "object",
    properties,
    required,
    additionalProperties: true,
  };
}

function fieldSchema(field: Field): Record<string, unknown> {
  const { range } = field;
  const description = describe(field);
  const base: Record<string, unknown> = field.type === "strings"
    ? { type: "array", items: { type: "string", ...(field.values && { enum: field.values }) } }
    : {
      type: field.nullable ? [field.type, "null"] : field.type,
      ...(field.values && { enum: field.values }),
      // Beyond these a number of JSON is not exact.
      ...(range && Number.isSafeInteger(range[1]) && { minimum: range[0], maximum: range[1] }),
    };
  return { description, ...base };
}

/** What a field says, with its unit where it has one. */
export function describe({ meaning, unit }: Field): string {
  return unit ? `${meaning} (${unit})` : meaning;
}

/** The table of fields in Markdown, as it stands in the README. */
export function markdownTable(): string {
  const rows = FIELDS.map((field) => {
    const values = field.values
      ? `: ${field.values.map((value) => `\`${value}\``).join(", ")}`
      : "";
    const unit = field.unit ?? "";
    return `| \`${field.path}\` | ${field.type}${values} | ${unit} | ${field.meaning} |`;
  });
  return ["| field | type | unit | meaning |", "|---|---|---|---|", ...rows].join("\n") + "\n";
}
