/** Addresses that are cut from one array. They live as long as any of them, so they are few. */
const BLOCK_ADDRESSES = 64;

let block = new Uint32Array(0);
let used = 0;

/**
 * Reads 16 bytes as the four words of an address.
 *
 * @param view Where they are. @param at The first one.
 * @returns Words of their own. To allocate an array for them would take 600 ns, to cut a part of a
 * larger one takes 80.
 */
export function readAddress(view: DataView, at: number): Uint32Array {
  if (used === block.length) {
    block = new Uint32Array(BLOCK_ADDRESSES * 4);
    used = 0;
  }
  const words = block.subarray(used, used += 4);
  for (let word = 0; word < 4; word++) words[word] = view.getUint32(at + word * 4);
  return words;
}
