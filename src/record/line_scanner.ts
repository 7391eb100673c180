/**
 * A record as this tool writes it, read where it stands in a text, without an object of all that it
 * holds: every member in its order, nothing between them. What is any other way is not for
 * this, however right it may be.
 *
 * @module
 */
import { type Field, isComputed, type ReadValue } from "./field.ts";
import { type Member, type Members, RECORD, type Target } from "./record_members.ts";

const QUOTE = '"'.charCodeAt(0);
const BACKSLASH = "\\".charCodeAt(0);
const MINUS = "-".charCodeAt(0);
const ZERO = "0".charCodeAt(0);
const NINE = "9".charCodeAt(0);
const COMMA = ",".charCodeAt(0);
const OPEN_OBJECT = "{".charCodeAt(0);
const CLOSE_OBJECT = "}".charCodeAt(0);
const OPEN_LIST = "[".charCodeAt(0);
const CLOSE_LIST = "]".charCodeAt(0);
/** The first character that stands in a string as it is (RFC 8259 section 7). */
const FIRST_IN_STRING = 0x20;
/** Digits of numbers that are exact while they are added up. */
const DIGITS_MAX = 15;
/**
 * Characters from which on a part of a text is no copy: it would keep the whole text (V8's
 * `SlicedString::kMinLength`).
 */
const SLICE_LENGTH = 13;
/** Texts that are remembered, and how long: names of hosts, processes and containers come again and again. */
const TEXTS_MAX = 4_096;
const TEXT_LENGTH_MAX = 256;

/** A member, as it is found in a text. */
interface Part {
  /** What stands before its value: where it is the first of its level, and else. */
  readonly first: string;
  readonly next: string;
  /** The first character of its name. */
  readonly initial: number;
  readonly always: boolean;
  /** Those of a deeper level. */
  readonly parts: Level | undefined;
  readonly type: Field["type"] | undefined;
  readonly isNullable: boolean;
  /** Whether its value is of no use, or is taken apart. */
  readonly isComputed: boolean;
  readonly isTakenApart: boolean;
  readonly take: Member["take"];
}

interface Level {
  readonly parts: readonly Part[];
  /** Place of the last that is always there; -1: none is. */
  readonly lastAlways: number;
}

function levelOf(members: Members): Level {
  return {
    parts: members.map((member): Part => {
      const { name, always, holds, take } = member;
      const field = isField(holds) ? holds : undefined;
      return {
        first: `"${name}":`,
        next: `,"${name}":`,
        initial: name.charCodeAt(0),
        always,
        parts: isField(holds) ? undefined : levelOf(holds),
        type: field?.type,
        isNullable: field?.nullable ?? false,
        isComputed: field?.set === isComputed && field.type === "string" &&
          field.values === undefined,
        isTakenApart: field?.isTakenApart ?? false,
        take,
      };
    }),
    lastAlways: members.findLastIndex(({ always }) => always),
  };
}

function isField(holds: Member["holds"]): holds is Field {
  return !Array.isArray(holds);
}

const LEVEL = levelOf(RECORD);
const VERSION = LEVEL.parts[0];

// What is being read: one line at a time, on one thread.
let text = "";
let at = 0;
let version = 0;
const texts = new Map<string, string>();

/**
 * Reads a record.
 *
 * @param line The text that it stands in. @param start Where it begins. @param end Where it ends.
 * @param target Takes what it holds; of no use where it is not for this.
 * @returns Its version; undefined where it is not for this.
 */
export function scanRecord(
  line: string,
  start: number,
  end: number,
  target: Target,
): number | undefined {
  text = line;
  at = start;
  version = 0;
  const isRecord = scanLevel(LEVEL, target) && at === end && version >= 1;
  text = "";
  return isRecord ? version : undefined;
}

function scanLevel({ parts, lastAlways }: Level, target: Target): boolean {
  if (text.charCodeAt(at++) !== OPEN_OBJECT) return false;
  let isFirst = true;
  for (let place = 0; place < parts.length; place++) {
    const part = parts[place];
    // Most of what can be in a record is not in this one.
    if (text.charCodeAt(isFirst ? at + 1 : at + 2) !== part.initial) {
      if (part.always) return false;
      if (place > lastAlways && text.charCodeAt(at) === CLOSE_OBJECT) break;
      continue;
    }
    const begin = isFirst ? part.first : part.next;
    if (!isNext(begin)) {
      if (part.always) return false;
      continue;
    }
    at += begin.length;
    isFirst = false;
    if (part.parts !== undefined) {
      if (!scanLevel(part.parts, target)) return false;
    } else if (!scanMember(part, target)) return false;
  }
  return text.charCodeAt(at++) === CLOSE_OBJECT;
}

/** Whether a word stands here: a third of what `startsWith` takes. */
function isNext(word: string): boolean {
  for (let offset = 0; offset < word.length; offset++) {
    if (text.charCodeAt(at + offset) !== word.charCodeAt(offset)) return false;
  }
  return true;
}

function scanMember(part: Part, target: Target): boolean {
  const value = part.isNullable && isNext("null") ? scanNull() : scanValue(part);
  if (value === undefined) return false;
  if (part === VERSION) version = value as number;
  return part.isComputed || part.take(value, target) === undefined;
}

/** Null, where it stands for none. */
function scanNull(): null {
  at += "null".length;
  return null;
}

function scanValue(part: Part): ReadValue | undefined {
  switch (part.type) {
    case "integer":
      return scanInteger();
    case "string":
      return scanString(part);
    case "boolean":
      return scanBoolean();
    case "strings":
      return scanStrings(part);
  }
}

function scanInteger(): number | undefined {
  const begin = at;
  const isNegative = text.charCodeAt(at) === MINUS;
  if (isNegative) at++;
  const digits = at;
  let value = 0;
  for (;; at++) {
    const character = text.charCodeAt(at);
    if (!(character >= ZERO && character <= NINE)) break;
    value = value * 10 + character - ZERO;
  }
  const length = at - digits;
  const hasZeros = length > 1 && text.charCodeAt(digits) === ZERO;
  if (length === 0 || hasZeros || !isEndOfValue()) return undefined;
  if (length > DIGITS_MAX) return Number(text.slice(begin, at));
  return isNegative ? -value : value;
}

function isEndOfValue(): boolean {
  const next = text.charCodeAt(at);
  return next === COMMA || next === CLOSE_OBJECT;
}

function scanBoolean(): boolean | undefined {
  const value = isNext("true");
  if (!value && !isNext("false")) return undefined;
  at += value ? "true".length : "false".length;
  return value;
}

function scanString({ isTakenApart, isComputed }: Part): string | undefined {
  if (text.charCodeAt(at) !== QUOTE) return undefined;
  const begin = ++at;
  let hasEscape = false;
  for (;; at++) {
    const character = text.charCodeAt(at);
    if (character === QUOTE) break;
    // NaN behind the end of the text.
    if (!(character >= FIRST_IN_STRING)) return undefined;
    if (character !== BACKSLASH) continue;
    hasEscape = true;
    at++;
  }
  const end = at++;
  if (hasEscape) return unescaped(text.slice(begin - 1, at));
  if (isComputed) return "";
  const part = text.slice(begin, end);
  return isTakenApart || part.length < SLICE_LENGTH ? part : remembered(part);
}

/** What a string of JSON says; undefined where it is none. */
function unescaped(json: string): string | undefined {
  try {
    return JSON.parse(json);
  } catch {
    return undefined;
  }
}

/** The same text, as a copy of its own. */
function remembered(part: string): string {
  const known = texts.get(part);
  if (known !== undefined) return known;
  const copy: string = JSON.parse(`"${part}"`);
  if (copy.length > TEXT_LENGTH_MAX) return copy;
  if (texts.size === TEXTS_MAX) texts.clear();
  texts.set(copy, copy);
  return copy;
}

function scanStrings(part: Part): string[] | undefined {
  if (text.charCodeAt(at++) !== OPEN_LIST) return undefined;
  const list: string[] = [];
  if (text.charCodeAt(at) === CLOSE_LIST) {
    at++;
    return list;
  }
  for (;;) {
    const item = scanString(part);
    if (item === undefined) return undefined;
    list.push(item);
    const next = text.charCodeAt(at++);
    if (next === CLOSE_LIST) return list;
    if (next !== COMMA) return undefined;
  }
}
