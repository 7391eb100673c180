/** A message must leave room for its end mark and its length in one block of 64 bytes. */
export const SHA1_ONE_BLOCK_MAX_BYTES = 55;

const schedule = new Int32Array(80);

/**
 * SHA-1 (RFC 3174) of a message that fits one block. `node:crypto` gives the same, but makes a
 * native object for each message: with one message a handshake that cost five times as much, most of
 * it in the garbage collector.
 *
 * @param message At most {@link SHA1_ONE_BLOCK_MAX_BYTES} bytes.
 * @param digest Gets the 20 bytes.
 */
export function sha1OfOneBlock(message: Uint8Array, digest: DataView): void {
  const w = schedule;
  w.fill(0, 0, 16);
  for (let at = 0; at < message.length; at++) w[at >> 2] |= message[at] << (24 - 8 * (at & 3));
  w[message.length >> 2] |= 0x80 << (24 - 8 * (message.length & 3));
  w[15] = message.length * 8;
  for (let t = 16; t < 80; t++) {
    w[t] = rotateLeft(w[t - 3] ^ w[t - 8] ^ w[t - 14] ^ w[t - 16], 1);
  }
  let a = 0x67452301;
  let b = 0xefcdab89 | 0;
  let c = 0x98badcfe | 0;
  let d = 0x10325476;
  let e = 0xc3d2e1f0 | 0;
  for (let t = 0; t < 80; t++) {
    const mixed = t < 20
      ? ((b & c) | (~b & d)) + 0x5a827999
      : t < 40
      ? (b ^ c ^ d) + 0x6ed9eba1
      : t < 60
      ? ((b & c) | (b & d) | (c & d)) + 0x8f1bbcdc
      : (b ^ c ^ d) + 0xca62c1d6;
    const next = (rotateLeft(a, 5) + mixed + e + w[t]) | 0;
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

function rotateLeft(word: number, bits: number): number {
  return (word << bits) | (word >>> (32 - bits));
}
