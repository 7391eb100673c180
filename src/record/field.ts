/**
 * What a row of the table of fields is. Those who fill the table need it, so it stands apart.
 *
 * @module
 */
import type { Handshake } from "../match/handshake.ts";
import type { ByteText } from "../text/byte_text.ts";

/** What a record tells beyond the handshake itself. */
export interface RecordContext {
  /** Name of the host that traced. */
  host: string;
  /** Name of an interface by its place number, undefined where it is gone or unknown. */
  interfaceName(place: number): string | undefined;
  /** Inode number of the network namespace of a place; absent where none is known, as in files. */
  netnsOf?(place: number): number | undefined;
  /** Path of a cgroup by its id, undefined where it is gone; untrusted text. */
  cgroupPath?(id: number): string | undefined;
}

/**
 * What a field can hold. Strings may be untrusted text and are escaped where they are written. A
 * `ByteText` does the same work faster for a text that is in every record and other in each: it needs no
 * escape, and is filled anew when the next field is asked for.
 */
export type FieldValue = string | ByteText | number | boolean | null | readonly string[];

/** One field of the record: encoder, JSON Schema and the table of this folder's README are made of these. */
export interface Field {
  /** Where it stands in the record, levels separated by dots. */
  path: string;
  /** What it holds; `strings` is an array of them. */
  type: "string" | "integer" | "boolean" | "strings";
  /** The only values, where there are few. */
  values?: readonly string[];
  /** Whether it can be null, which then means there is none; absent always means unknown. */
  nullable?: boolean;
  /** Whether every record has it. */
  always?: boolean;
  /** What a number counts or how a text is written, where that needs saying. */
  unit?: string;
  /** What it says, in words for the schema and the README. */
  meaning: string;
  /** Record version that brought it. */
  since: number;
  /** Its value, undefined where unknown: then the field is absent. */
  get(handshake: Handshake, context: RecordContext): FieldValue | undefined;
}
