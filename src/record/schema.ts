import type { Field } from "./field.ts";
import { FIELDS, RECORD_VERSION } from "./fields.ts";
import { buildTree, type Level } from "./tree.ts";

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
    if ("members" in member) {
      const schema = levelSchema(member);
      properties[member.name] = schema;
      if ((schema.required as string[]).length > 0) required.push(member.name);
    } else {
      properties[member.name] = fieldSchema(member.field);
      if (member.field.always) required.push(member.name);
    }
  }
  // Fields may be added, so a reader must not refuse what it does not know.
  return { type: "object", properties, required, additionalProperties: true };
}

function fieldSchema(field: Field): Record<string, unknown> {
  const description = field.unit ? `${field.meaning} (${field.unit})` : field.meaning;
  const base: Record<string, unknown> = field.type === "strings"
    ? { type: "array", items: { type: "string", ...(field.values && { enum: field.values }) } }
    : {
      type: field.nullable ? [field.type, "null"] : field.type,
      ...(field.values && { enum: field.values }),
    };
  return { description, ...base };
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
