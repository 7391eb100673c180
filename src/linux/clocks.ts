import { clockNs } from "./libc.ts";

/** Both clocks at the same moment, as nearly as could be. */
export interface ClockSample {
  /** CLOCK_REALTIME in nanoseconds since 1970: what packets are stamped with. */
  realtimeNs: bigint;
  /** CLOCK_BOOTTIME in nanoseconds: what the kernel's events are stamped with. */
  boottimeNs: bigint;
  /** The two may lie this far apart, half of it to either side. */
  widthNs: number;
}

/** Narrow enough: a bracket that nothing interrupts takes 0.2 microseconds on a real processor. */
const NARROW_NS = 5_000;
const TRIES = 5;

/**
 * Reads the two clocks as one: the wall clock before and after the boot clock, their middle taken.
 *
 * @returns The first bracket that nothing interrupted, else the narrowest of a few.
 */
export function sampleClocks(): ClockSample {
  let narrowest = bracket();
  for (let tried = 1; tried < TRIES && narrowest.widthNs > NARROW_NS; tried++) {
    const next = bracket();
    if (next.widthNs < narrowest.widthNs) narrowest = next;
  }
  return narrowest;
}

function bracket(): ClockSample {
  const before = clockNs("realtime");
  const boottimeNs = clockNs("boottime");
  const width = clockNs("realtime") - before;
  // Set back in between, the wall clock gives a negative width: no bracket at all.
  const widthNs = width < 0n ? Infinity : Number(width);
  return { realtimeNs: before + width / 2n, boottimeNs, widthNs };
}
