/**
 * Checks a value against a JSON Schema (2020-12), of which it knows the keywords that the record's
 * schema uses; any other keyword is an error, so that none is passed over.
 */

type Schema = Record<string, unknown>;

const ANNOTATIONS = new Set(["$schema", "title", "description"]);

/** Finds what does not fit, one line each with its place; none where the value is valid. */
export function schemaErrors(schema: Schema, value: unknown, place = "$"): string[] {
  return Object.entries(schema).flatMap(([keyword, rule]) => {
    if (ANNOTATIONS.has(keyword)) return [];
    switch (keyword) {
      case "type": {
        const types = [rule].flat() as string[];
        return types.some((type) => isOfType(type, value)) ? [] : [`${place} is not ${types}`];
      }
      case "enum":
        return (rule as unknown[]).includes(value) ? [] : [`${place} is none of ${rule}`];
      case "minimum":
        return Number(value) >= Number(rule) ? [] : [`${place} is less than ${rule}`];
      case "maximum":
        return Number(value) <= Number(rule) ? [] : [`${place} is more than ${rule}`];
      case "items":
        return Array.isArray(value)
          ? value.flatMap((item, at) => schemaErrors(rule as Schema, item, `${place}[${at}]`))
          : [];
      case "required":
        return (rule as string[]).filter((name) => !Object.hasOwn(Object(value), name))
          .map((name) => `${place}.${name} is missing`);
      case "properties":
        return Object.entries(rule as Record<string, Schema>).flatMap(([name, inner]) => {
          if (!Object.hasOwn(Object(value), name)) return [];
          return schemaErrors(inner, (value as Schema)[name], `${place}.${name}`);
        });
      case "additionalProperties":
        if (rule === true) return [];
    }
    throw new Error(`Cannot check "${place}": unknown keyword "${keyword}"`);
  });
}

function isOfType(type: string, value: unknown): boolean {
  switch (type) {
    case "null":
      return value === null;
    case "array":
      return Array.isArray(value);
    case "object":
      return typeof value === "object" && value !== null && !Array.isArray(value);
    case "integer":
      return Number.isInteger(value);
    case "string":
      return typeof value === "string";
    case "boolean":
      return typeof value === "boolean";
  }
  throw new Error(`Cannot check: unknown type "${type}"`);
}
