/** Addresses that are cut from one array. They live as long as any of them, so they are few. */
const BLOCK_ADDRESSES = 64;

let block = new Uint32Array(0);
let used = 0;

/**
 * Reads 16 bytes as the four words of an address.
 *
 * @param view Where they are. @param at The first one.
 * @returns Words of their own.
 */
export function readAddress(view: DataView, at: number): Uint32Array {
  const words = newAddress();
  for (let word = 0; word < 4; word++) words[word] = view.getUint32(at + word * 4);
  return words;
}

/**
 * Reads the 4 bytes of an IPv4 address as the four words of an IPv4-mapped one.
 *
 * @param view Where they are. @param at The first one.
 * @returns Words of their own.
 */
export function readMapped(view: DataView, at: number): Uint32Array {
  const words = newAddress();
  words[2] = 0xffff;
  words[3] = view.getUint32(at);
  return words;
}

/** Four words, 0. To allocate an array for them would take 600 ns, to cut a part of a larger one takes 80. */
function newAddress(): Uint32Array {
  if (used === block.length) {
    block = new Uint32Array(BLOCK_ADDRESSES * 4);
    used = 0;
  }
  return block.subarray(used, used += 4);
}
