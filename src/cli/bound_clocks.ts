import type { ClockBounds } from "../explain/both_ends.ts";
import type { SeenDelay } from "../explain/moments.ts";
import { clockWindows, leastDelays } from "../store/pairs/clocks.ts";

/** Packets of one handshake: they bound the clocks by its own round trip, which tells nothing of its ways. */
const OWN_PACKETS = 3;

/**
 * How far the clock of the second host is ahead of the first one's, by what both had of a minute; undefined:
 * nothing but one handshake bounds it.
 */
export function boundClocks(delays: readonly SeenDelay[]): ClockBounds | undefined {
  const [window] = clockWindows(leastDelays(delays));
  if (window === undefined || window.uncertaintyNs < 0) return undefined;
  if (delays.length <= OWN_PACKETS) return undefined;
  const { offsetNs, uncertaintyNs } = window;
  return { offsetNs, uncertaintyNs };
}
