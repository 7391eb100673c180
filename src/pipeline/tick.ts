/** How often packets and kernel records are fetched. */
const TICK_MS = 20;
/**
 * The same while none come and no handshake waits to be reported: to wake up is all that an idle trace
 * costs. What comes then is fetched before it would have been reported.
 */
const IDLE_TICK_MS = 60;
/**
 * The same while much comes: a wake-up, a write and a walk over the kernel's map then serve more
 * handshakes. Among so many nobody misses the 80 ms by which one is told later.
 */
const BUSY_TICK_MS = 100;
/** Packets and kernel records a millisecond that are much: about a thousand handshakes a second. */
const BUSY_MIN = 5;
/**
 * So many at once serve enough, and the place for them must not fill up between two ticks: the kernel's
 * map holds 32,768 records, the smallest capture ring some 6,000 packets. What lives from one tick to the
 * next also has to fit the collector's young generation: 10,000 handshakes a second, beside a trace with
 * 3,000, took 0.94 of its processor time and 3 MB more; with 7,000 0.92 and 16 MB more.
 */
const AT_ONCE = 4_500;
/** So many come only where handling the last ones took long: the less is waited then for the next. */
const TOO_MANY = 6_000;

/**
 * How long to wait until packets and kernel records are fetched again.
 *
 * @param fetched How many came since the tick before. @param elapsedNs How long ago that was.
 * @param concluded Handshakes that wait to be reported.
 * @returns Milliseconds.
 */
export function nextTickMs(fetched: number, elapsedNs: number, concluded: number): number {
  if (fetched === 0 && concluded === 0) return IDLE_TICK_MS;
  const rate = fetched / (elapsedNs / 1e6);
  // Also where none came and the clock did not move.
  if (!(rate >= BUSY_MIN)) return TICK_MS;
  if (fetched > TOO_MANY) return TICK_MS * TOO_MANY / fetched;
  return Math.max(TICK_MS, Math.min(BUSY_TICK_MS, AT_ONCE / rate));
}
