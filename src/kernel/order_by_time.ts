/**
 * The order of some times; equal ones stay as they are. By numbers that hold both, time and place, which
 * the engine sorts without asking a function.
 *
 * @returns Their places, the first time's first.
 */
export function orderByTime(timesNs: Float64Array): Float64Array {
  const count = timesNs.length;
  let firstNs = Infinity;
  let lastNs = -Infinity;
  for (const timeNs of timesNs) {
    if (timeNs < firstNs) firstNs = timeNs;
    if (timeNs > lastNs) lastNs = timeNs;
  }
  // A power of two, which can be divided by without a rest.
  const places = 2 ** Math.ceil(Math.log2(count));
  // Of a drain this holds by far: 32,768 records within three days.
  if (count > 0 && !((lastNs - firstNs + 1) * places <= Number.MAX_SAFE_INTEGER)) {
    const order = Float64Array.from(timesNs.keys());
    return order.sort((a, b) => timesNs[a] - timesNs[b] || a - b);
  }
  const order = new Float64Array(count);
  for (let at = 0; at < count; at++) order[at] = (timesNs[at] - firstNs) * places + at;
  order.sort();
  for (let at = 0; at < count; at++) order[at] -= Math.floor(order[at] / places) * places;
  return order;
}
