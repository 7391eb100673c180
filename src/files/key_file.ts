/** Bytes of a key. */
const KEY_BYTES = 32;
/** As text: two digits a byte, and what an editor leaves behind them. */
const HEX = /^[0-9A-Fa-f]{64}\s*$/;
/** More than any key has. */
const READ_MAX = 4_096;
/** Bits of `st_mode` by which others than the owner may do anything (inode(7)). */
const OF_OTHERS = 0o077;

/** A key, and whether others may read it. */
export interface KeyFile {
  key: Uint8Array<ArrayBuffer>;
  /** The bits of its mode, where others than its owner may use it. */
  openMode: number | undefined;
}

/**
 * Reads a key of 32 bytes from a file or a pipe: as they are, or as 64 hexadecimal digits.
 *
 * @throws {Error} The reason, for the end of a sentence.
 */
export function readKeyFile(path: string): KeyFile {
  using file = Deno.openSync(path);
  const { mode, isFile } = file.statSync();
  const openMode = isFile && mode !== null && (mode & OF_OTHERS) !== 0 ? mode & 0o777 : undefined;
  const bytes = new Uint8Array(READ_MAX);
  let length = 0;
  for (let count: number | null = 0; count !== null && length < READ_MAX; length += count ?? 0) {
    count = file.readSync(bytes.subarray(length));
  }
  const content = bytes.slice(0, length);
  if (length === KEY_BYTES) return { key: content, openMode };
  const text = new TextDecoder("latin1").decode(content);
  if (HEX.test(text)) return { key: Uint8Array.fromHex(text.slice(0, 2 * KEY_BYTES)), openMode };
  const size = length === READ_MAX ? `${READ_MAX} or more` : String(length);
  throw new Error(
    `it has ${size} bytes and is no key: give ${KEY_BYTES} random bytes, or their ` +
      `${2 * KEY_BYTES} hexadecimal digits, as "openssl rand -hex ${KEY_BYTES}" prints them`,
  );
}
