/** What stands before the body of a request (RFC 9112). */
export interface RequestHead {
  method: string;
  /** Without what follows a question mark. */
  path: string;
  /** By their names in small letters; of several of one name the values are joined by commas. */
  headers: ReadonlyMap<string, string>;
}

/** The longest head that is read, bytes. */
export const HEAD_MAX = 8_192;

const CR = 13;
const LF = 10;
/** RFC 9112 section 3, of the forms of a target the one that servers take. */
const REQUEST_LINE = /^([!#$%&'*+.^_`|~0-9A-Za-z-]{1,32}) (\/[\x21-\x7e]*) HTTP\/1\.\d$/;
const HEADER_LINE = /^([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*(.*?)[ \t]*$/;

/** Whether the bytes hold a whole head: an empty line ends it. */
export function hasWholeHead(bytes: Uint8Array): boolean {
  for (let at = bytes.indexOf(LF); at >= 0; at = bytes.indexOf(LF, at + 1)) {
    const next = bytes[at + 1] === CR ? bytes[at + 2] : bytes[at + 1];
    if (next === LF) return true;
  }
  return false;
}

/** Reads a whole head; undefined where it is none: what stands there is anyone's. */
export function parseRequestHead(bytes: Uint8Array): RequestHead | undefined {
  // Latin 1: whatever stands there becomes text.
  const text = Array.from(bytes, (byte) => String.fromCharCode(byte)).join("");
  const [first, ...lines] = text.split(/\r?\n/);
  const [, method, target] = REQUEST_LINE.exec(first) ?? [];
  if (method === undefined) return undefined;
  const headers = new Map<string, string>();
  for (const line of lines.slice(0, lines.indexOf(""))) {
    const [, name, value] = HEADER_LINE.exec(line) ?? [];
    if (name === undefined) return undefined;
    const before = headers.get(name.toLowerCase());
    headers.set(name.toLowerCase(), before === undefined ? value : `${before}, ${value}`);
  }
  return { method, path: target.split("?")[0], headers };
}
