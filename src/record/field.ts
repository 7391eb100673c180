/**
 * What a row of the table of fields is, and how one is written.
 *
 * @module
 */
import type { Handshake } from "../match/handshake.ts";
import type { ByteText } from "../text/byte_text.ts";
import type { RecordContext, RecordedContext } from "./record_context.ts";

/**
 * What a field can hold. Strings may be untrusted text and are escaped where they are written. A
 * `ByteText` does the same work faster for a text that is in every record and other in each: it needs no
 * escape, and is filled anew when the next field is asked for.
 */
export type FieldValue = string | ByteText | number | boolean | null | readonly string[];

/** What is read back of a field's JSON. */
export type ReadValue = Exclude<FieldValue, ByteText>;

/** The least and the greatest number that a field can hold. */
export type IntegerRange = readonly [least: number, greatest: number];

/** One field of the record: encoder, decoder, types, JSON Schema and this folder's README are made of these. */
export interface Field {
  /** Where it stands in the record, levels separated by dots. */
  path: string;
  /** What it holds; `strings` is an array of them. */
  type: "string" | "integer" | "boolean" | "strings";
  /** The only values, where there are few. */
  values?: readonly string[];
  /** Of an integer: what it can be. */
  range?: IntegerRange;
  /**
   * Takes back a text of which nothing is kept, as `set` does, from the bytes that it stands in: of one
   * that is another in each record, a string would be made for nothing.
   *
   * @returns False where that is for `set` to say.
   */
  read?(handshake: Handshake, bytes: Uint8Array<ArrayBuffer>, begin: number, end: number): boolean;
  /** Paths of other fields, without which nothing can be told of this one. */
  needs?: readonly string[];
  /** Whether it can be null, which then means there is none; absent always means unknown. */
  nullable?: boolean;
  /** Where it always is: in every record (`true`), or in every one that has the level of this path. */
  always?: true | string;
  /** Whether it is another in nearly every record, as times and sequence numbers are. */
  varies?: boolean;
  /** What a number counts or how a text is written, where that needs saying. */
  unit?: string;
  /** What it says, in words for the schema and the README. */
  meaning: string;
  /** Record version that brought it. */
  since: number;
  /** Its value, undefined where unknown: then the field is absent. */
  get(handshake: Handshake, context: RecordContext): FieldValue | undefined;
  /**
   * Takes back a value of its type that was read, after those of the fields before it. Not needed where
   * `get` reads a property and no more: then the value is put there.
   *
   * @returns False where the text means nothing; the record is then none.
   */
  set?(handshake: Handshake, value: ReadValue, context: RecordedContext): boolean | void;
  /** Whether `read` and `set` take no value of its type as it is: some mean nothing. */
  judges?: true;
}

/** The ranges of the integers of so many bits. */
export const UINT8: IntegerRange = [0, 0xff];
export const UINT16: IntegerRange = [0, 0xffff];
export const UINT32: IntegerRange = [0, 0xffff_ffff];
export const UINT64: IntegerRange = [0, 2 ** 64];
export const INT64: IntegerRange = [-(2 ** 63), 2 ** 63];

/** What a row says beyond its path, meaning and getter, where it is not the usual. */
type More = Partial<Omit<Field, "path" | "type" | "meaning" | "get">>;

/** Makes a field of text. */
export function text(path: string, meaning: string, get: Field["get"], more: More = {}): Field {
  return { path, type: "string", meaning, since: 1, get, ...more };
}

/** Makes a field of a list of texts. */
export function texts(path: string, meaning: string, get: Field["get"], more: More = {}): Field {
  return { path, type: "strings", meaning, since: 1, get, ...more };
}

/** Makes a field that is true or false. */
export function boolean(path: string, meaning: string, get: Field["get"], more: More = {}): Field {
  return { path, type: "boolean", meaning, since: 1, get, ...more };
}

/** Makes a field of an integer of 32 bits, or one of nanoseconds where the path says so. */
export function integer(path: string, meaning: string, get: Field["get"], more: More = {}): Field {
  const usual = path.endsWith("_ns")
    ? { unit: path.startsWith("times.") ? "ns after time" : "ns", range: INT64, varies: true }
    : { range: UINT32 };
  return { path, type: "integer", ...usual, meaning, since: 1, get, ...more };
}

/** The `set` of a field that is computed of others: they are taken back already. */
export function isComputed(): void {}

/**
 * Lists of texts that seldom change from one record to the next: as long as they do not it is one frozen
 * list, which the encoder knows again without a look into it (see `FieldRun`).
 */
export class LastingTexts {
  #last: readonly string[] = Object.freeze([]);

  /** The list that holds some texts. @param texts They may be others afterwards. */
  of(texts: readonly string[]): readonly string[] {
    const last = this.#last;
    let at = 0;
    while (at < texts.length && texts[at] === last[at]) at++;
    if (at === texts.length && at === last.length) return last;
    return this.#last = Object.freeze([...texts]);
  }
}
