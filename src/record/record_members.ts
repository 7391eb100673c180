/**
 * What takes the members of a record back, each by the row of its field: from an object, or one by one.
 *
 * @module
 */
import type { Handshake } from "../match/handshake.ts";
import type { Field, ReadValue } from "./field.ts";
import { FIELDS } from "./fields.ts";
import type { RecordContext, RecordedContext } from "./record_context.ts";
import { buildTree, isAlways, type Level } from "./tree.ts";

/** Names of what one record has and this version does not know that are told. */
const UNKNOWN_MAX = 16;
/** Characters of such a name. */
const NAME_MAX = 64;

/** What is being decoded. */
export interface Target {
  readonly handshake: Handshake;
  context: RecordedContext;
  readonly unknown: string[];
}

/** A member of a level, ready to be read. */
export interface Member {
  readonly name: string;
  readonly path: string;
  /** Whether it is there wherever its level is. */
  readonly always: boolean;
  /** What it holds: a field, or the members of a deeper level. */
  readonly holds: Field | Members;
  /** Takes a value that the field can have; see {@link Field.set}. A level has none. */
  readonly set: Setter;
  /** Takes its value, whatever that is. @returns What is wrong with it, undefined where nothing is. */
  take(value: unknown, target: Target): string | undefined;
}

/** The members of a level, in the order in which they are written. */
export type Members = readonly Member[];

/** Those of a record. */
export const RECORD: Members = membersOf(buildTree(FIELDS));

function membersOf(level: Level): Members {
  return level.members.map((member) => {
    if (!("members" in member)) {
      const { path, nullable } = member.field;
      // What may be null may be missing too: both say that there is none.
      const always = isAlways(member, level.path) && !nullable;
      const { name, field } = member;
      const set = setterOf(field);
      return { name, path, always, holds: field, set, take: takerOf(field, always, set) };
    }
    const { name, path } = member;
    const always = isAlways(member, level.path);
    const members = membersOf(member);
    return {
      name,
      path,
      always,
      holds: members,
      set: () => false,
      take: (value, target) =>
        isObject(value) ? takeLevel(members, value, target, path) : `${path} is no object`,
    };
  });
}

/** Takes a level from an object. @returns What is wrong with it, undefined where nothing is. */
export function takeLevel(
  members: Members,
  level: Record<string, unknown>,
  target: Target,
  path = "",
): string | undefined {
  let known = 0;
  for (let at = 0; at < members.length; at++) {
    const member = members[at];
    const value = level[member.name];
    if (value === undefined) {
      if (member.always) return `${member.path} is missing`;
      continue;
    }
    known++;
    // Many programs write null for what is unknown.
    if (value === null && !member.always) continue;
    const fault = member.take(value, target);
    if (fault !== undefined) return fault;
  }
  let present = 0;
  for (const _ in level) present++;
  if (present > known) noteUnknown(members, level, target.unknown, path);
  return undefined;
}

function noteUnknown(
  members: Members,
  level: Record<string, unknown>,
  unknown: string[],
  path: string,
): void {
  for (const name in level) {
    if (unknown.length >= UNKNOWN_MAX) return;
    if (members.some((member) => member.name === name)) continue;
    unknown.push((path === "" ? name : `${path}.${name}`).slice(0, NAME_MAX));
  }
}

function takerOf(field: Field, always: boolean, set: Setter): Member["take"] {
  const { path, values } = field;
  const meaningless = `${path} says nothing that it can mean`;
  return (value, { handshake, context, unknown }) => {
    if (!isOfType(field, value)) return `${path} is no ${describeType(field)}`;
    let known = value;
    if (values !== undefined && typeof value === "string" && !values.includes(value)) {
      if (always) return `${path} has a value that this version does not know`;
      noteValue(path, value, unknown);
      return undefined;
    }
    if (values !== undefined && Array.isArray(value)) {
      known = value.filter((item) => values.includes(item) || noteValue(path, item, unknown));
    }
    return set(handshake, known, context) === false ? meaningless : undefined;
  };
}

function noteValue(path: string, value: string, unknown: string[]): false {
  if (unknown.length < UNKNOWN_MAX) unknown.push(`${path} ${value}`.slice(0, NAME_MAX));
  return false;
}

function isOfType({ type, range, nullable }: Field, value: unknown): value is ReadValue {
  if (value === null) return nullable ?? false;
  switch (type) {
    case "integer":
      return Number.isInteger(value) &&
        (range === undefined || Number(value) >= range[0] && Number(value) <= range[1]);
    case "strings":
      return Array.isArray(value) && value.every((item) => typeof item === "string");
    case "string":
      return typeof value === "string";
    case "boolean":
      return typeof value === "boolean";
  }
}

function describeType({ type, range }: Field): string {
  if (type === "strings") return "list of strings";
  return range ? `integer from ${range[0]} to ${range[1]}` : type;
}

/** Takes a value back. @returns False where it means nothing. */
export type Setter = (
  handshake: Handshake,
  value: ReadValue,
  context: RecordedContext,
) => boolean | void;

/** What takes a field's value back: its own `set`, or one that puts it where its getter finds it. */
function setterOf(field: Field): Setter {
  if (field.set) return (handshake, value, context) => field.set!(handshake, value, context);
  const { isOfContext, names } = propertyRead(field);
  const last = names[names.length - 1];
  const levels = names.slice(0, -1);
  if (!isOfContext && levels.length < 2) return shallowSetter(last, levels.at(0));
  return (handshake, value, context) => {
    let object: Properties = properties(isOfContext ? context : handshake);
    for (const name of levels) object = properties(object[name] ??= {});
    object[last] = value ?? undefined;
  };
}

/** The setter of most fields. @param level What holds the property; undefined: the handshake itself. */
function shallowSetter(name: string, level: string | undefined): Setter {
  if (level === undefined) {
    return (handshake, value) => {
      properties(handshake)[name] = value ?? undefined;
    };
  }
  return (handshake, value) => {
    properties(properties(handshake)[level] ??= {})[name] = value ?? undefined;
  };
}

type Properties = Record<string, unknown>;

function properties(object: unknown): Properties {
  return object as Properties;
}

/**
 * Finds which property a field's getter reads, so that it needs not be named a second time: the getter
 * is called with objects that remember what is taken of them.
 *
 * @throws {Error} The getter does more than that, and the field has no `set`.
 */
function propertyRead({ path, get }: Field): { isOfContext: boolean; names: readonly string[] } {
  const read = new Map<unknown, { isOfContext: boolean; names: readonly string[] }>();
  const recorder = <T extends object>(isOfContext: boolean, names: readonly string[]): T => {
    const proxy = new Proxy({} as T, {
      get: (_, name) => recorder(isOfContext, [...names, String(name)]),
    });
    read.set(proxy, { isOfContext, names });
    return proxy;
  };
  const property = read.get(get(recorder<Handshake>(false, []), recorder<RecordContext>(true, [])));
  if (property === undefined) throw new Error(`Cannot read back "${path}": it has no set`);
  return property;
}

/** Whether a value of JSON is an object. */
export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
