/** Bytes of a process's name (TASK_COMM_LEN, include/linux/sched.h), zeros behind it included. */
const COMM_BYTES = 16;
/** Names that are kept decoded: a power of two. */
const KNOWN_COMMS = 64;
/** Multiplied with it, the high bits of a word depend on all of its bits (Fibonacci hashing). */
const GOLDEN_RATIO = 0x9e3779b1;
const HASH_SHIFT = Math.clz32(KNOWN_COMMS - 1);

// A name may begin with the bytes of a byte order mark, which decoding would leave out.
const decoder = new TextDecoder("utf-8", { ignoreBOM: true });

/** The last names, each where its bytes say: few come again and again, and decoding is slow. */
const known = Array.from(
  { length: KNOWN_COMMS },
  () => ({ words: new Int32Array(COMM_BYTES / 4), text: "" }),
);

/**
 * Reads a process's name as the kernel keeps it.
 *
 * @param view Where it is. @param at Its first byte.
 * @returns At most 15 bytes of UTF-8 decoded: untrusted text.
 */
export function readComm(view: DataView, at: number): string {
  const a = view.getInt32(at);
  const b = view.getInt32(at + 4);
  const c = view.getInt32(at + 8);
  const d = view.getInt32(at + 12);
  const entry = known[Math.imul(a ^ b ^ c, GOLDEN_RATIO) >>> HASH_SHIFT];
  const { words } = entry;
  if (words[0] !== a || words[1] !== b || words[2] !== c || words[3] !== d) {
    words[0] = a;
    words[1] = b;
    words[2] = c;
    words[3] = d;
    entry.text = decode(view, at);
  }
  return entry.text;
}

function decode(view: DataView, at: number): string {
  let length = 0;
  while (length < COMM_BYTES && view.getUint8(at + length) !== 0) length++;
  return decoder.decode(new Uint8Array(view.buffer, view.byteOffset + at, length));
}
