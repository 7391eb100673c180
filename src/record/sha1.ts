/** A message must leave room for its end mark and its length in one block of 64 bytes. */
export const SHA1_ONE_BLOCK_MAX_BYTES = 55;

const schedule = new Int32Array(80);

/**
 * SHA-1 (RFC 3174) of a message that fits one block. `node:crypto` gives the same, but makes a
 * native object for each message: with one message a handshake that cost ten times as much, most of
 * it in the garbage collector.
 *
 * @param message At most {@link SHA1_ONE_BLOCK_MAX_BYTES} bytes.
 * @param digest Gets the 20 bytes.
 */
export function sha1OfOneBlock(message: DataView, digest: DataView): void {
  const w = schedule;
  fillSchedule(w, message);
  let a = 0x67452301;
  let b = 0xefcdab89 | 0;
  let c = 0x98badcfe | 0;
  let d = 0x10325476;
  let e = 0xc3d2e1f0 | 0;
  let next = 0;
  // One loop for each function of RFC 3174 section 5: a choice in each round would cost half as much
  // again.
  for (let t = 0; t < 20; t++) {
    next = nextWord(a, (b & c) | (~b & d), e, w[t], 0x5a827999);
    e = d;
    d = c;
    c = rotateLeft(b, 30);
    b = a;
    a = next;
  }
  for (let t = 20; t < 40; t++) {
    next = nextWord(a, b ^ c ^ d, e, w[t], 0x6ed9eba1);
    e = d;
    d = c;
    c = rotateLeft(b, 30);
    b = a;
    a = next;
  }
  for (let t = 40; t < 60; t++) {
    next = nextWord(a, (b & c) | (b & d) | (c & d), e, w[t], 0x8f1bbcdc | 0);
    e = d;
    d = c;
    c = rotateLeft(b, 30);
    b = a;
    a = next;
  }
  for (let t = 60; t < 80; t++) {
    next = nextWord(a, b ^ c ^ d, e, w[t], 0xca62c1d6 | 0);
    e = d;
    d = c;
    c = rotateLeft(b, 30);
    b = a;
    a = next;
  }
  digest.setInt32(0, (0x67452301 + a) | 0);
  digest.setInt32(4, (0xefcdab89 + b) | 0);
  digest.setInt32(8, (0x98badcfe + c) | 0);
  digest.setInt32(12, (0x10325476 + d) | 0);
  digest.setInt32(16, (0xc3d2e1f0 + e) | 0);
}

/** The message with its end mark and its length in bits, and the 64 words made of it. */
function fillSchedule(w: Int32Array, message: DataView): void {
  const length = message.byteLength;
  const whole = length >> 2;
  for (let t = 0; t < whole; t++) w[t] = message.getInt32(4 * t);
  for (let t = whole; t < 15; t++) w[t] = 0;
  for (let at = 4 * whole; at < length; at++) {
    w[whole] |= message.getUint8(at) << (24 - 8 * (at & 3));
  }
  w[whole] |= 0x80 << (24 - 8 * (length & 3));
  w[15] = length * 8;
  for (let t = 16; t < 80; t++) {
    w[t] = rotateLeft(w[t - 3] ^ w[t - 8] ^ w[t - 14] ^ w[t - 16], 1);
  }
}

/** A sum of five. One by one, for V8 else adds them as doubles: that took half as long again. */
function nextWord(a: number, mixed: number, e: number, word: number, constant: number): number {
  return (((rotateLeft(a, 5) + mixed) | 0) + ((e + word) | 0) + constant) | 0;
}

function rotateLeft(word: number, bits: number): number {
  return (word << bits) | (word >>> (32 - bits));
}
