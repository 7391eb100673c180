import { clockNs } from "./libc.ts";

/** Both clocks at the same moment. */
export interface ClockSample {
  /** CLOCK_REALTIME in nanoseconds since 1970: what packets are stamped with. */
  realtimeNs: bigint;
  /** CLOCK_BOOTTIME in nanoseconds: what the kernel's events are stamped with. */
  boottimeNs: bigint;
}

/** A bracket wider than this was interrupted; a quiet one takes about 2 microseconds. */
const BRACKET_MAX_NS = 20_000n;
const TRIES = 5;

/**
 * Reads the two clocks as one: the wall clock before and after the boot clock, their middle taken.
 *
 * @returns The sample; undefined where every
 * bracket was interrupted.
 */
export function sampleClocks(): ClockSample | undefined {
  for (let tried = 0; tried < TRIES; tried++) {
    const before = clockNs("realtime");
    const boottimeNs = clockNs("boottime");
    const width = clockNs("realtime") - before;
    if (width >= 0n && width <= BRACKET_MAX_NS) {
      return { realtimeNs: before + width / 2n, boottimeNs };
    }
  }
  return undefined;
}
