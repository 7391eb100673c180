import { ByteText, ConstantText } from "../text/byte_text.ts";
import { jsonString } from "../text/escape.ts";
import type { FieldValue } from "./field.ts";

const QUOTE = '"'.charCodeAt(0);
const COMMA = ",".charCodeAt(0);
const OPEN = "[".charCodeAt(0);
const CLOSE = "]".charCodeAt(0);
const TRUE = new ConstantText("true");
const FALSE = new ConstantText("false");
const NULL = new ConstantText("null");

/** Strings that are kept encoded: names of processes, interfaces, reasons come again and again. */
const KNOWN_MAX = 1_024;
/** Bytes of a string that is worth keeping. */
const KNOWN_LENGTH_MAX = 256;
const known = new Map<string, ConstantText>();

/** Appends the JSON of a field's value. */
export function writeJsonValue(text: ByteText, value: FieldValue): void {
  if (typeof value === "number") text.integer(value);
  else if (typeof value === "string") text.constant(encodeString(value));
  else if (typeof value === "boolean") text.constant(value ? TRUE : FALSE);
  else if (value === null) text.constant(NULL);
  else if (value instanceof ByteText) writeQuoted(text, value);
  else writeStrings(text, value);
}

function writeQuoted(text: ByteText, value: ByteText): void {
  text.character(QUOTE);
  text.append(value);
  text.character(QUOTE);
}

function writeStrings(text: ByteText, values: readonly string[]): void {
  text.character(OPEN);
  for (let index = 0; index < values.length; index++) {
    if (index > 0) text.character(COMMA);
    text.constant(encodeString(values[index]));
  }
  text.character(CLOSE);
}

function encodeString(text: string): ConstantText {
  const constant = known.get(text);
  return constant ?? remember(text);
}

function remember(text: string): ConstantText {
  const constant = new ConstantText(jsonString(text));
  if (constant.length > KNOWN_LENGTH_MAX) return constant;
  if (known.size >= KNOWN_MAX) known.clear();
  known.set(text, constant);
  return constant;
}
