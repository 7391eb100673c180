import { type Handshake, type Role, ROLES } from "../../match/handshake.ts";
import { Histogram } from "../../pipeline/histogram.ts";
import { NAME_NUMBERS } from "./timed_names.ts";

/** Buckets of time at most. */
const BUCKETS_MAX = 240;
const DAY_MS = 86_400_000;
/** The widths that a bucket can have, milliseconds: each is a multiple of the one before. */
const WIDTHS_MS: readonly number[] = [
  ...[1, 5, 10, 50, 100, 500, 1_000, 5_000, 10_000, 30_000, 60_000, 300_000, 600_000, 1_800_000],
  ...[3_600_000, 21_600_000, DAY_MS, 10 * DAY_MS, 100 * DAY_MS, 1e3 * DAY_MS, 1e4 * DAY_MS],
  ...[1e5 * DAY_MS, 1e6 * DAY_MS],
];

/** The two legs of a handshake. */
export const LEG_ENDS = ["client", "server"] as const;

/** A leg as a host in some role sees it: what it measures depends on both. */
export interface RoleLeg {
  role: Role;
  /** `client`: SYN to SYN-ACK; `server`: SYN-ACK to ACK. */
  leg: typeof LEG_ENDS[number];
}

/** Every leg in every role. */
export const ROLE_LEGS: readonly RoleLeg[] = ROLES.flatMap((role) =>
  LEG_ENDS.map((leg) => ({ role, leg }))
);

/** What happened in one piece of time. */
export interface TimeBucket {
  /** Handshakes by their kind, see `Kinds`; absent: none. */
  readonly kinds: (number | undefined)[];
  /** Durations by the index of their leg in {@link ROLE_LEGS}; absent: none was measured. */
  readonly legs: (Histogram | undefined)[];
  /** By number of a name, see `TimedNames`: handshakes, and those of them that were not established. */
  readonly names: { readonly all: Float64Array; readonly failed: Float64Array };
}

/** Pieces of time side by side. */
export interface TimeSpan {
  /** When the first begins, milliseconds of Unix time. */
  startMs: number;
  widthMs: number;
  /** From the first to the last with a handshake; undefined: there was none then. */
  buckets: (TimeBucket | undefined)[];
}

/**
 * Counts handshakes and their durations over time, in one pass and bounded memory: where the time grows
 * too long, neighbouring pieces of it become one. They may come in any order.
 */
export class Timeline {
  #width = 0;
  /** By the number of the bucket since the epoch. */
  #buckets = new Map<number, TimeBucket>();
  #first = Infinity;
  #last = -Infinity;

  /** Takes a handshake. @param kind Number of its kind. @param names Numbers of its names. */
  take(handshake: Handshake, kind: number, names: readonly number[] = []): void {
    const { outcome, epochSeconds, timeNs, role, clientRttNs, serverRttNs } = handshake;
    const bucket = this.#bucketAt(epochSeconds * 1e3 + Math.floor(timeNs / 1e6));
    bucket.kinds[kind] = (bucket.kinds[kind] ?? 0) + 1;
    for (const name of names) {
      bucket.names.all[name]++;
      if (outcome !== "established") bucket.names.failed[name]++;
    }
    const leg = ROLES.indexOf(role) * LEG_ENDS.length;
    if (clientRttNs !== undefined) (bucket.legs[leg] ??= new Histogram()).record(clientRttNs);
    if (serverRttNs !== undefined) (bucket.legs[leg + 1] ??= new Histogram()).record(serverRttNs);
  }

  /** What was taken; undefined where nothing was. */
  span(): TimeSpan | undefined {
    if (this.#buckets.size === 0) return undefined;
    const widthMs = WIDTHS_MS[this.#width];
    const count = this.#last - this.#first + 1;
    return {
      startMs: this.#first * widthMs,
      widthMs,
      buckets: Array.from({ length: count }, (_, at) => this.#buckets.get(this.#first + at)),
    };
  }

  #bucketAt(timeMs: number): TimeBucket {
    let number = Math.floor(timeMs / WIDTHS_MS[this.#width]);
    while (Math.max(number, this.#last) - Math.min(number, this.#first) >= BUCKETS_MAX) {
      this.#fold();
      number = Math.floor(timeMs / WIDTHS_MS[this.#width]);
    }
    this.#first = Math.min(this.#first, number);
    this.#last = Math.max(this.#last, number);
    let bucket = this.#buckets.get(number);
    if (bucket === undefined) this.#buckets.set(number, bucket = newBucket());
    return bucket;
  }

  #fold(): void {
    const factor = WIDTHS_MS[this.#width + 1] / WIDTHS_MS[this.#width];
    this.#width++;
    const folded = new Map<number, TimeBucket>();
    for (const [number, bucket] of this.#buckets) {
      const at = Math.floor(number / factor);
      const into = folded.get(at);
      if (into === undefined) folded.set(at, bucket);
      else join(into, bucket);
    }
    this.#buckets = folded;
    this.#first = Math.floor(this.#first / factor);
    this.#last = Math.floor(this.#last / factor);
  }
}

function newBucket(): TimeBucket {
  const names = { all: new Float64Array(NAME_NUMBERS), failed: new Float64Array(NAME_NUMBERS) };
  return { kinds: [], legs: [], names };
}

function join(into: TimeBucket, { kinds, legs, names }: TimeBucket): void {
  names.all.forEach((count, name) => into.names.all[name] += count);
  names.failed.forEach((count, name) => into.names.failed[name] += count);
  kinds.forEach((count, kind) => into.kinds[kind] = (into.kinds[kind] ?? 0) + (count ?? 0));
  legs.forEach((histogram, leg) => {
    if (histogram === undefined) return;
    const own = into.legs[leg];
    if (own === undefined) into.legs[leg] = histogram;
    else own.add(histogram);
  });
}
