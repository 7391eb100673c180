/** What rings counted. */
export interface RingCounts {
  /** Passed by the filter, dropped ones included. */
  packets: number;
  /** Dropped because a ring was full. */
  drops: number;
  /** Half-open flows that the eBPF filter gave up for newer ones; undefined with the classic one. */
  filterHalfOpen: number | undefined;
}

interface CountingRing {
  statistics(): { packets: number; drops: number };
  readonly filterGivenUp: number | undefined;
}

/** Whoever has a ring. */
export interface HasRing {
  readonly ring: CountingRing;
}

/** Between two samples: a sample of every counter at each tick took 8 % of what a busy trace takes. */
const SAMPLE_MS = 100;

/** What the rings of a trace counted, those included that are closed. */
export class RingTotals {
  readonly #closed: RingCounts = noCounts();
  readonly #sampled = new Map<CountingRing, RingCounts>();
  #next = 0;
  #sampledMs = -Infinity;

  /**
   * Reads what one of the rings counted, another each time, unless that was a moment ago: ten times a
   * second some microseconds, however many they are.
   *
   * @param nowMs On any clock that only goes on.
   */
  sample(rings: readonly HasRing[], nowMs: number): void {
    if (rings.length === 0 || nowMs - this.#sampledMs < SAMPLE_MS) return;
    this.#sampledMs = nowMs;
    const { ring } = rings[this.#next++ % rings.length];
    this.#sampled.set(ring, readCounts(ring));
  }

  /** What they counted when each was sampled last. */
  get sampled(): RingCounts {
    return sumOf([this.#closed, ...this.#sampled.values()]);
  }

  /** What they have counted now: for hundreds of rings this takes milliseconds. */
  read(rings: readonly HasRing[]): RingCounts {
    return sumOf([this.#closed, ...rings.map(({ ring }) => readCounts(ring))]);
  }

  /** Takes what a ring counted that was closed, or is closed now. */
  close({ ring }: HasRing): void {
    this.#sampled.delete(ring);
    addCounts(this.#closed, readCounts(ring));
  }
}

function noCounts(): RingCounts {
  return { packets: 0, drops: 0, filterHalfOpen: undefined };
}

function readCounts(ring: CountingRing): RingCounts {
  const { packets, drops } = ring.statistics();
  return { packets, drops, filterHalfOpen: ring.filterGivenUp };
}

function sumOf(all: readonly RingCounts[]): RingCounts {
  const sum = noCounts();
  for (const counts of all) addCounts(sum, counts);
  return sum;
}

function addCounts(sum: RingCounts, { packets, drops, filterHalfOpen }: RingCounts): void {
  sum.packets += packets;
  sum.drops += drops;
  if (filterHalfOpen !== undefined) sum.filterHalfOpen = (sum.filterHalfOpen ?? 0) + filterHalfOpen;
}
