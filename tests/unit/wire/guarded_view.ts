/**
 * A `DataView` that refuses reads outside a part of its buffer: proof that a decoder keeps to the
 * bytes it was given.
 *
 * @module
 */

/**
 * Places `bytes` at `start` of a buffer of 0xff bytes that goes on behind them. The view's
 * `getUint8`, `getUint16` and `getUint32` throw a `RangeError` for a read that is not all within
 * `bytes`, though the buffer would have it.
 */
export function guardedView(bytes: Uint8Array, start: number): DataView {
  const buffer = new Uint8Array(start + bytes.length + 64).fill(0xff);
  buffer.set(bytes, start);
  const plain = new DataView(buffer.buffer);
  const within = (at: number, size: number): number => {
    if (at >= start && at + size <= start + bytes.length) return at;
    throw new RangeError(`Cannot read ${size} bytes at ${at}: outside the frame`);
  };
  return Object.assign(new DataView(buffer.buffer), {
    getUint8: (at: number) => plain.getUint8(within(at, 1)),
    getUint16: (at: number, little?: boolean) => plain.getUint16(within(at, 2), little),
    getUint32: (at: number, little?: boolean) => plain.getUint32(within(at, 4), little),
  });
}
