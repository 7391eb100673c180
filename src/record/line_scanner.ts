/**
 * A record as this tool writes it, read where it stands in bytes, without an object of all that it
 * holds and without a text of the line: every member in its order, nothing between them. What is any
 * other way is not for this, however right it may be.
 *
 * @module
 */
import type { Handshake } from "../match/handshake.ts";
import { type Field, isComputed } from "./field.ts";
import type { RecordContext } from "./record_context.ts";
import { type Member, type Members, RECORD, type Target } from "./record_members.ts";
import { textAt } from "./recent_texts.ts";

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
const ASCII_MAX = 0x7f;
/** Digits of numbers that are exact while they are added up. */
const DIGITS_MAX = 15;
/** Bytes of a list that is remembered: most of a field are one of a few. */
const LIST_LENGTH_MAX = 64;

/** A text of at least four bytes, which is looked for four at a time. */
interface Word {
  readonly length: number;
  /** The whole fours, and the last four, which may overlap them; little endian. */
  readonly fours: Int32Array;
  readonly last: number;
}

const NULL = wordOf("null");
const TRUE = wordOf("true");
const FALSE = wordOf("false");

/** Which records are wanted: of the others nothing is decoded behind what the filter reads. */
export interface RecordFilter {
  /** Paths of all fields that it reads. */
  readonly reads: ReadonlySet<string>;
  /** Whether a record is wanted, of which so much is decoded. */
  passes(handshake: Handshake, context: RecordContext): boolean;
}

/** What is decoded of a record. Whatever that is, all of a line is checked. */
export interface Wanted {
  /** Paths of the fields; absent: all of them. */
  readonly fields?: ReadonlySet<string>;
  /** Absent: all records are wanted. */
  readonly filter?: RecordFilter;
}

const NOTHING: Wanted = { fields: new Set() };

/** A member, as it is found in bytes. */
interface Part {
  /** What stands before its value: where it is the first of its level, and else. */
  readonly first: Word;
  readonly next: Word;
  /** The first character of its name. */
  readonly initial: number;
  readonly always: boolean;
  /** Whether it is the version of the record. */
  readonly isVersion: boolean;
  /** Those of a deeper level. */
  readonly parts: Level | undefined;
  readonly type: Field["type"] | undefined;
  readonly isNullable: boolean;
  /** The least and the greatest that it can be. */
  readonly least: number;
  readonly greatest: number;
  /** The only values that it can have. */
  readonly values: readonly string[] | undefined;
  /** Whether its value is put where it belongs: it is wanted, or that judges it; else it is only checked. */
  readonly isTaken: boolean;
  readonly read: Field["read"];
  readonly set: Member["set"];
  readonly take: Member["take"];
  /** The value that it had last and can have. */
  known: string | undefined;
  /** The list that it had last, all of which it can have, and its bytes. */
  list: readonly string[] | undefined;
  readonly listBytes: Uint8Array;
  listLength: number;
}

interface Level {
  readonly parts: readonly Part[];
  /** Place of the last that is always there; -1: none is. */
  readonly lastAlways: number;
  /** Place of the first behind what the filter reads; -1: it is not asked in this level. */
  readonly filterAt: number;
  /** The members of a record that the filter does not want, from there on. */
  readonly unwanted: readonly Part[];
}

function levelOf(members: Members, { fields, filter }: Wanted): Level {
  const isRead = ({ path }: Member) =>
    [...filter!.reads].some((field) => field === path || field.startsWith(`${path}.`));
  return {
    parts: members.map((member): Part => {
      const { name, always, holds, set, take } = member;
      const field = isField(holds) ? holds : undefined;
      const [least, greatest] = field?.range ?? [-Infinity, Infinity];
      return {
        first: wordOf(`"${name}":`),
        next: wordOf(`,"${name}":`),
        initial: name.charCodeAt(0),
        always,
        isVersion: member.path === "v",
        parts: isField(holds) ? undefined : levelOf(holds, { fields }),
        type: field?.type,
        isNullable: field?.nullable ?? false,
        least,
        greatest,
        values: field?.values,
        isTaken: field?.judges ?? (field?.set !== isComputed && (fields?.has(member.path) ?? true)),
        read: field?.read,
        set,
        take,
        known: undefined,
        list: undefined,
        listBytes: new Uint8Array(field?.type === "strings" ? LIST_LENGTH_MAX : 0),
        listLength: 0,
      };
    }),
    lastAlways: members.findLastIndex(({ always }) => always),
    filterAt: filter ? members.findLastIndex(isRead) + 1 : -1,
    unwanted: filter ? levelOf(members, NOTHING).parts : [],
  };
}

function isField(holds: Member["holds"]): holds is Field {
  return !Array.isArray(holds);
}

function wordOf(text: string): Word {
  const bytes = new TextEncoder().encode(text);
  const view = new DataView(bytes.buffer);
  const fours = Int32Array.from(
    { length: bytes.length >> 2 },
    (_, at) => view.getInt32(4 * at, true),
  );
  return { length: bytes.length, fours, last: view.getInt32(bytes.length - 4, true) };
}

// What is being read: one line at a time, on one thread.
let bytes = new Uint8Array(0);
let view = new DataView(bytes.buffer);
let at = 0;
let version = 0;
let filter: RecordFilter | undefined;
/** Whether the filter does not want the record; undefined: it was not asked yet. */
let isHeldBack: boolean | undefined;
/** Whether the string that was passed last has an escape, and whether it is ASCII. */
let hasEscape = false;
let isAscii = true;

/** Reads records of which always the same is wanted. */
export class LineScanner {
  readonly #level: Level;
  readonly #filter: RecordFilter | undefined;

  /** @param wanted Absent: everything. */
  constructor(wanted: Wanted = {}) {
    this.#level = levelOf(RECORD, wanted);
    this.#filter = wanted.filter;
  }

  /**
   * Reads a record.
   *
   * @param all The bytes that it stands in. @param start Where it begins.
   * @param target Takes what is wanted of it; of no use where it is not for this.
   * @returns Its version; undefined where it is not for this.
   */
  scan(all: Uint8Array<ArrayBuffer>, start: number, target: Target): number | undefined {
    if (bytes !== all) {
      bytes = all;
      view = new DataView(all.buffer, all.byteOffset, all.byteLength);
    }
    at = start;
    version = 0;
    filter = this.#filter;
    isHeldBack = undefined;
    const isRecord = scanLevel(this.#level, target) && version >= 1;
    if (!isRecord) return undefined;
    if (filter !== undefined && isHeldBack === undefined) passesFilter(target);
    return version;
  }

  /** Where the record ends that was read last. */
  get end(): number {
    return at;
  }

  /** Whether the filter does not want the record that was read last. */
  get isHeldBack(): boolean {
    return isHeldBack ?? false;
  }
}

function scanLevel(level: Level, target: Target): boolean {
  if (bytes[at++] !== OPEN_OBJECT) return false;
  const { lastAlways, filterAt } = level;
  let { parts } = level;
  let isFirst = true;
  for (let place = 0; place < parts.length; place++) {
    if (place === filterAt && !passesFilter(target)) parts = level.unwanted;
    const part = parts[place];
    // Most of what can be in a record is not in this one.
    if (bytes[isFirst ? at + 1 : at + 2] !== part.initial) {
      if (part.always) return false;
      if (place > lastAlways && bytes[at] === CLOSE_OBJECT) break;
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
  return bytes[at++] === CLOSE_OBJECT;
}

function passesFilter({ handshake, context }: Target): boolean {
  isHeldBack = !filter!.passes(handshake, context);
  return !isHeldBack;
}

/** Whether a word stands here. */
function isNext({ length, fours, last }: Word): boolean {
  const all = view;
  const end = at + length;
  if (end > all.byteLength) return false;
  for (let from = at, four = 0; four < fours.length; from += 4, four++) {
    if (all.getInt32(from, true) !== fours[four]) return false;
  }
  return all.getInt32(end - 4, true) === last;
}

function scanMember(part: Part, target: Target): boolean {
  if (part.isNullable && isNext(NULL)) {
    at += NULL.length;
    return !part.isTaken || part.set(target.handshake, null, target.context) !== false;
  }
  switch (part.type) {
    case "integer":
      return scanInteger(part, target);
    case "string":
      return scanString(part, target);
    case "boolean":
      return scanBoolean(part, target);
    default:
      return scanStrings(part, target);
  }
}

function scanInteger(part: Part, { handshake, context }: Target): boolean {
  const all = bytes;
  const begin = at;
  const isNegative = all[begin] === MINUS;
  const digits = isNegative ? begin + 1 : begin;
  let value = 0;
  let end = digits;
  for (;; end++) {
    const character = all[end];
    if (!(character >= ZERO && character <= NINE)) break;
    value = value * 10 + character - ZERO;
  }
  at = end;
  const length = end - digits;
  const hasZeros = length > 1 && all[digits] === ZERO;
  const next = all[end];
  if (length === 0 || hasZeros || next !== COMMA && next !== CLOSE_OBJECT) return false;
  if (length > DIGITS_MAX) value = Number(textAt(all, begin, end, false));
  else if (isNegative) value = -value;
  if (!(value >= part.least && value <= part.greatest)) return false;
  if (part.isVersion) version = value;
  return !part.isTaken || part.set(handshake, value, context) !== false;
}

function scanBoolean(part: Part, { handshake, context }: Target): boolean {
  const value = isNext(TRUE);
  if (!value && !isNext(FALSE)) return false;
  at += value ? TRUE.length : FALSE.length;
  return !part.isTaken || part.set(handshake, value, context) !== false;
}

function scanString(part: Part, target: Target): boolean {
  const begin = at + 1;
  if (!passString()) return false;
  const end = at - 1;
  const { handshake, context } = target;
  if (part.read !== undefined && !hasEscape) return part.read(handshake, bytes, begin, end);
  const isNeeded = part.isTaken;
  if (!isNeeded && part.values === undefined && !hasEscape && isAscii) return true;
  const value = textAt(bytes, begin, end, hasEscape);
  if (value === undefined) return false;
  if (part.values === undefined) {
    return !isNeeded || part.set(handshake, value, context) !== false;
  }
  if (value !== part.known) {
    // One that it cannot have is told, or makes this no record.
    if (!part.values.includes(value)) return part.take(value, target) === undefined;
    part.known = value;
  }
  return !isNeeded || part.set(handshake, value, context) !== false;
}

/** Goes behind a string; what it says is not looked at. */
function passString(): boolean {
  const all = bytes;
  let end = at;
  if (all[end++] !== QUOTE) return false;
  hasEscape = false;
  let bits = 0;
  for (;; end++) {
    const character = all[end];
    if (character === QUOTE) break;
    // Undefined behind the end.
    if (!(character >= FIRST_IN_STRING)) return false;
    bits |= character;
    if (character !== BACKSLASH) continue;
    hasEscape = true;
    end++;
  }
  isAscii = bits <= ASCII_MAX;
  at = end + 1;
  return true;
}

function scanStrings(part: Part, target: Target): boolean {
  const { list, listBytes, listLength } = part;
  if (list !== undefined && isListNext(listBytes, listLength)) {
    at += listLength;
    return !part.isTaken || part.set(target.handshake, list, target.context) !== false;
  }
  const begin = at;
  const read = readStrings();
  if (read === undefined) return false;
  const { values } = part;
  const length = at - begin;
  if (values === undefined) return part.take(read, target) === undefined;
  if (length <= LIST_LENGTH_MAX && read.every((item) => values.includes(item))) {
    part.list = read;
    part.listBytes.set(bytes.subarray(begin, at));
    part.listLength = length;
  }
  return part.take(read, target) === undefined;
}

function isListNext(list: Uint8Array, length: number): boolean {
  const all = bytes;
  const begin = at;
  for (let offset = 0; offset < length; offset++) {
    if (all[begin + offset] !== list[offset]) return false;
  }
  return true;
}

function readStrings(): string[] | undefined {
  if (bytes[at++] !== OPEN_LIST) return undefined;
  const list: string[] = [];
  if (bytes[at] === CLOSE_LIST) {
    at++;
    return list;
  }
  for (;;) {
    const begin = at + 1;
    if (!passString()) return undefined;
    const item = textAt(bytes, begin, at - 1, hasEscape);
    if (item === undefined) return undefined;
    list.push(item);
    const next = bytes[at++];
    if (next === CLOSE_LIST) return list;
    if (next !== COMMA) return undefined;
  }
}
