/**
 * One axis for packet times and kernel times.
 *
 * Packets are stamped with CLOCK_REALTIME, the kernel's events with CLOCK_BOOTTIME. Both become a
 * Number of nanoseconds since an epoch chosen at start, exact for 104 days (2^53 ns). The boot time
 * is split in two 32-bit halves, because as one Number it would lose nanoseconds after 104 days of
 * uptime.
 */
export class ClockAxis {
  /** Whole seconds of Unix time at which the axis begins. */
  readonly epochSeconds: number;
  /** How often CLOCK_REALTIME was seen to jump by more than {@link STEP_NS} against CLOCK_BOOTTIME. */
  steps = 0;
  /** The sum of those jumps in nanoseconds, with their sign. */
  steppedNs = 0;

  #baseHigh = 0;
  #baseLow = 0;
  #baseNs = 0;
  #sampled = false;

  /** Begins the axis at a whole second of Unix time. */
  constructor(epochSeconds: number) {
    this.epochSeconds = epochSeconds;
  }

  /**
   * Takes a new sample of both clocks, read at the same moment. Later boot times are placed by it,
   * so a slow drift or a step of the wall clock moves them as it moves the packets' times.
   *
   * @param realtimeNs CLOCK_REALTIME in nanoseconds since 1970.
   * @param boottimeNs CLOCK_BOOTTIME in nanoseconds.
   */
  sample(realtimeNs: bigint, boottimeNs: bigint): void {
    const high = Number(boottimeNs >> 32n);
    const low = Number(boottimeNs & 0xffffffffn);
    const ns = Number(realtimeNs - BigInt(this.epochSeconds) * 1_000_000_000n);
    if (this.#sampled) {
      const jumpNs = ns - this.fromBoottime(high, low);
      if (Math.abs(jumpNs) > STEP_NS) {
        this.steps++;
        this.steppedNs += jumpNs;
      }
    }
    this.#baseHigh = high;
    this.#baseLow = low;
    this.#baseNs = ns;
    this.#sampled = true;
  }

  /** Places a packet's time, as seconds and nanoseconds of CLOCK_REALTIME, on the axis. */
  fromRealtime(seconds: number, nanoseconds: number): number {
    return (seconds - this.epochSeconds) * 1e9 + nanoseconds;
  }

  /** Places a kernel time, as the two halves of a CLOCK_BOOTTIME in nanoseconds, on the axis. */
  fromBoottime(high: number, low: number): number {
    return this.#baseNs + (high - this.#baseHigh) * 4294967296 + (low - this.#baseLow);
  }
}

/** A difference between two samples that is a step of the clock and not drift or a late sample. */
export const STEP_NS = 1_000_000;
