/**
 * A line of a segment → a row of ClickHouse, as `JSONEachRow` takes it.
 *
 * @module
 */
import { LineDecoder } from "../../record/record_decoder.ts";
import { parseTime } from "../../text/time.ts";
import { type Table, type TableColumn, TABLES } from "../clickhouse/schema.ts";
import type { ColumnType } from "../query/columns.ts";

/** What a line turned out to be. */
export type FlatLine =
  | {
    kind: "row";
    table: Table["name"];
    /** An object of one level, on one line, with its newline. */
    json: string;
    /** When it was: seconds of Unix time. */
    seconds: number;
    /** Version of the record. */
    version: number;
    /** Of a status line: records that its tracer had written before it. */
    written?: number;
  }
  /** A line of another kind: `event` is untrusted text. */
  | { kind: "other"; event: string }
  /** No line of ours, and why; the reason holds nothing of the line. */
  | { kind: "refused"; reason: string };

/** The columns that are inside a level of the line, by the names of its members. */
interface Level {
  members: Map<string, Level | TableColumn>;
}

/** A table, ready to be filled. */
interface Target {
  name: Table["name"];
  root: Level;
  /** Columns that every line has. */
  needed: readonly TableColumn[];
}

const TARGETS = new Map<string, Target>();
for (const [event, table] of [["handshake", 0], ["status", 1], ["summary", 1]] as const) {
  TARGETS.set(event, toTarget(TABLES[table]));
}

function toTarget({ name, columns }: Table): Target {
  const root: Level = { members: new Map() };
  for (const column of columns) {
    const names = column.path.split(".");
    let { members } = root;
    for (const each of names.slice(0, -1)) {
      const found = members.get(each) as Level | undefined;
      const level = found ?? { members: new Map() };
      members.set(each, level);
      members = level.members;
    }
    members.set(names[names.length - 1], column);
  }
  const needed = columns.filter(({ isNullable, type }) => !isNullable && type !== "texts");
  return { name, root, needed };
}

/** Integers of so many digits may be none that a number of JavaScript can hold. */
const LONG_INTEGER = /[:,]-?\d{16}/;
/** The least and greatest values of a type. */
const RANGES: Partial<Record<ColumnType, readonly [bigint, bigint]>> = {
  uint8: [0n, 0xffn],
  uint16: [0n, 0xffffn],
  uint32: [0n, 0xffff_ffffn],
  uint64: [0n, 2n ** 64n - 1n],
  int64: [-(2n ** 63n), 2n ** 63n - 1n],
};
/** The last second whose nanoseconds fit an Int64. */
const SECONDS_MAX = 9_223_372_035;

/**
 * Flattens a line. What this version does not know of it is left out.
 *
 * @param line Without its newline.
 */
export function flattenLine(line: string): FlatLine {
  let value: unknown;
  try {
    value = LONG_INTEGER.test(line) ? JSON.parse(line, exactly) : JSON.parse(line);
  } catch {
    return { kind: "refused", reason: "it is no JSON" };
  }
  if (!isObject(value)) return { kind: "refused", reason: "it is no object" };
  const { v: version, event, time } = value;
  if (!Number.isInteger(version) || Number(version) < 1) {
    return { kind: "refused", reason: "it has no version (v)" };
  }
  if (typeof event !== "string") return { kind: "refused", reason: "it has no event" };
  const target = TARGETS.get(event);
  if (target === undefined) return { kind: "other", event };
  const row: Row = { texts: [], needed: 0 };
  const reason = flatten(target.root, value, row) ?? lacking(target, row, value);
  if (reason !== undefined) return { kind: "refused", reason };
  if (event === "handshake") {
    // What is no record anywhere else is none here either.
    const refused = refusalOf(line);
    if (refused !== undefined) return { kind: "refused", reason: refused };
  }
  const seconds = secondsOf(time as string)!;
  const json = `{${row.texts.join()}}\n`;
  const { written } = value;
  return {
    ...{ kind: "row", table: target.name, json, seconds, version: Number(version) },
    ...event === "status" && Number.isSafeInteger(written) && { written: written as number },
  };
}

/** Bytes of UTF-8 that one UTF-16 unit becomes, at most. */
const BYTES_OF_UNIT = 3;

const encoder = new TextEncoder();
/** Checks all of a line and keeps nothing of it: what is shipped is taken from the line itself. */
const checker = new LineDecoder({ fields: new Set() });
let bytes = new Uint8Array(4_096);

/** Why a line is no record; undefined: it is one. */
function refusalOf(line: string): string | undefined {
  const most = BYTES_OF_UNIT * line.length;
  if (most > bytes.length) bytes = new Uint8Array(2 * most);
  const { written } = encoder.encodeInto(line, bytes);
  const decoded = checker.decode(bytes, 0, written);
  return decoded.kind === "refused" ? decoded.reason : undefined;
}

/** What is gathered of a line. */
interface Row {
  texts: string[];
  /** How many were there of those that must be. */
  needed: number;
}

/** @returns What is wrong, undefined where nothing is. */
function flatten(level: Level, value: Record<string, unknown>, row: Row): string | undefined {
  for (const name in value) {
    const member = level.members.get(name);
    if (member === undefined) continue;
    const inner = value[name];
    if ("members" in member) {
      if (inner === null) continue;
      if (!isObject(inner)) return `${name} is no object`;
      const reason = flatten(member, inner, row);
      if (reason !== undefined) return reason;
      continue;
    }
    if (inner === null && (member.isNullable || member.type === "texts")) continue;
    const text = columnText(member.type, inner);
    if (text === undefined) return `${member.path} is no ${member.type}`;
    row.texts.push(`"${member.name}":${text}`);
    if (!member.isNullable && member.type !== "texts") row.needed++;
  }
  return undefined;
}

function lacking(
  { needed }: Target,
  row: Row,
  line: Record<string, unknown>,
): string | undefined {
  if (row.needed === needed.length) return undefined;
  const missing = needed.find(({ path }) => {
    let value: unknown = line;
    for (const name of path.split(".")) value = isObject(value) ? value[name] : undefined;
    return value === undefined;
  });
  return `${missing?.path} is missing`;
}

/** A value as its column takes it; undefined where it cannot. */
function columnText(type: ColumnType, value: unknown): string | undefined {
  switch (type) {
    case "text":
      return typeof value === "string" ? jsonText(value) : undefined;
    case "texts": {
      if (!Array.isArray(value)) return undefined;
      if (!value.every((each) => typeof each === "string")) return undefined;
      return `[${value.map(jsonText).join()}]`;
    }
    case "boolean":
      return typeof value === "boolean" ? value ? "1" : "0" : undefined;
    case "time":
      return typeof value === "string" ? unixNs(value) : undefined;
    case "json":
      return value === null ? undefined : jsonText(JSON.stringify(value, asText));
    default: {
      const isInteger = typeof value === "bigint" || Number.isSafeInteger(value);
      if (!isInteger) return undefined;
      const [least, greatest] = RANGES[type]!;
      const number = value as number | bigint;
      return number >= least && number <= greatest ? `${number}` : undefined;
    }
  }
}

/** ClickHouse takes no half of a surrogate pair. */
function jsonText(text: string): string {
  return JSON.stringify(text.isWellFormed() ? text : text.toWellFormed());
}

let lastSecondText = "";
let lastSeconds = 0;

/** The second of a record's time, Unix time; undefined where it is no time. */
function secondsOf(text: string): number | undefined {
  // Records of one second follow each other.
  const second = text.slice(0, -11);
  if (second !== lastSecondText || !/^\.\d{9}Z$/.test(text.slice(-11))) {
    const moment = parseTime(text);
    if (moment === undefined) return undefined;
    lastSecondText = second;
    lastSeconds = moment.seconds;
  }
  return lastSeconds;
}

/** A time of a record as nanoseconds of Unix time; undefined where Int64 or ClickHouse's days have none. */
function unixNs(text: string): string | undefined {
  const seconds = secondsOf(text);
  if (seconds === undefined || seconds < 0 || seconds > SECONDS_MAX) return undefined;
  const ns = text.slice(-10, -1);
  return seconds === 0 ? `${Number(ns)}` : `${seconds}${ns}`;
}

/** Keeps integers that a number cannot hold; the third argument has their digits (TC39, "JSON.parse source text access"). */
function exactly(_: string, value: unknown, context?: { source?: string }): unknown {
  if (typeof value !== "number" || Number.isSafeInteger(value)) return value;
  const { source = "" } = context ?? {};
  return /^-?\d{1,20}$/.test(source) ? BigInt(source) : value;
}

function asText(_: string, value: unknown): unknown {
  return typeof value === "bigint" ? `${value}` : value;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
