import type { Handshake } from "../../match/handshake.ts";
import { hostTimeNs, networkRttNs } from "../../match/legs.ts";
import { formatEndpoint } from "../../wire/address.ts";
import { type BothViews, type HandshakeView, joinViews, viewOfBoth } from "./handshake_view.ts";
import type { ClockBounds } from "../../explain/both_ends.ts";

/** Rows that are chosen at random in all, and of one kind. */
const SAMPLE_MAX = 400;
const SAMPLE_OF_KIND_MAX = 150;
/** Of the slowest that were established. */
const SLOWEST_MAX = 100;
/** Hosts that tell of one handshake, which are shown. */
const VIEWS_MAX = 4;

/** Rows of one initial sequence number that are looked at: who scans may send the same one always. */
const OF_ISN_MAX = 8;

/** A handshake that the table shows. */
export interface KeptRow {
  /** Microseconds of Unix time, rounded down. */
  timeUs: number;
  /** Number of its kind, see `Kinds`. */
  kind: number;
  client: string;
  server: string;
  networkNs: number | undefined;
  hostNs: number | undefined;
  totalNs: number | undefined;
  synCount: number;
  synAckCount: number;
  /** Whether it is one of the slowest. */
  isSlow: boolean;
  /** What each host tells of it, first the one whose record counts. */
  readonly views: HandshakeView[];
  /** What both of its ends tell together; undefined: one end alone is known. */
  both: HandshakeView | undefined;
}

/** Finds what bounds the clocks of the hosts of two ends when that was; undefined: nothing does. */
export type BoundClocks = (views: BothViews) => ClockBounds | undefined;

interface Held {
  readonly row: KeptRow;
  readonly key: string;
  readonly isn: number | undefined;
  /** Kinds of those taken that are another end of it, and counted for themselves. */
  readonly translatedKinds: number[];
  /** The best that the views have been joined by, and how many of them fit as well. */
  ends: BothViews[];
  /** Whether it is still part of a sample. */
  isSampled: boolean;
}

/**
 * Chooses the handshakes that a table shows, in one pass and bounded memory: of each kind some at random,
 * each as likely as the others, and the slowest of those established. The same handshakes give the same
 * choice.
 */
export class KeptRows {
  readonly #samples: { seen: number; held: Held[] }[] = [];
  #slowest: Held[] = [];
  #slowestNs = -1;
  readonly #byKey = new Map<string, Held>();
  /** By the client's initial sequence number, which a NAT leaves as it is. */
  readonly #byIsn = new Map<number, Held[]>();
  #random = 1;

  /** Takes a handshake. @param kind Number of its kind. @param tell Tells it, where it is kept. */
  take(handshake: Handshake, kind: number, tell: () => HandshakeView): void {
    const sample = this.#samples[kind] ??= { seen: 0, held: [] };
    const other = this.#takeTranslated(handshake, tell);
    if (other !== undefined) {
      other.translatedKinds.push(kind);
      return;
    }
    sample.seen++;
    const at = sample.held.length < SAMPLE_OF_KIND_MAX
      ? sample.held.length
      : Math.floor(this.#next() * sample.seen);
    const isSampled = at < SAMPLE_OF_KIND_MAX;
    const { outcome, totalNs } = handshake;
    const isSlow = outcome === "established" && totalNs !== undefined && totalNs > this.#slowestNs;
    if (!isSampled && !isSlow) return;
    const held = this.#hold(handshake, kind, tell(), isSampled, isSlow);
    if (isSlow) {
      this.#slowest.push(held);
      if (this.#slowest.length >= 2 * SLOWEST_MAX) this.#cutSlowest();
    }
    if (!isSampled) return;
    const before = sample.held[at];
    sample.held[at] = held;
    if (before !== undefined) {
      before.isSampled = false;
      this.#forget(before);
    }
  }

  /** Takes what another host tells of a handshake that was taken before. @returns The row that has it. */
  takeAgain(handshake: Handshake, tell: () => HandshakeView): KeptRow | undefined {
    const held = this.#byKey.get(keyOf(handshake));
    if (held === undefined) return this.#takeTranslated(handshake, tell)?.row;
    if (held.row.views.length < VIEWS_MAX) addView(held, tell());
    return held.row;
  }

  /** Takes the other end of a row, where its host saw other addresses. @returns The row; undefined: of none. */
  #takeTranslated(handshake: Handshake, tell: () => HandshakeView): Held | undefined {
    const { role, client: { isn } } = handshake;
    if (isn === undefined || role !== "client" && role !== "server") return undefined;
    const some = this.#byIsn.get(isn);
    if (some === undefined) return undefined;
    const view = tell();
    const held = some.find(({ row }) => row.views.some((other) => joinViews(other, view)));
    if (held !== undefined && held.row.views.length < VIEWS_MAX) addView(held, view);
    return held;
  }

  /**
   * The rows by their time, how many handshakes of each kind are in them, and how many of all are in a row
   * of another.
   */
  list(
    boundClocks?: BoundClocks,
  ): { rows: KeptRow[]; keptOfKind: number[]; translated: number } {
    this.#cutSlowest();
    const sizes = this.#samples.map(({ held }) => held.length);
    const share = fairShare(sizes, SAMPLE_MAX);
    const chosen = new Set(this.#slowest);
    for (const { held } of this.#samples) {
      for (const each of this.#choose(held, share)) chosen.add(each);
    }
    for (const { row, ends } of chosen) {
      // Which of several is the other end cannot be said.
      row.both = ends.length === 1 ? viewOfBoth(ends[0], boundClocks?.(ends[0])) : undefined;
    }
    const rows = [...chosen].map(({ row }) => row).sort((one, other) => one.timeUs - other.timeUs);
    const translated = [...chosen].flatMap(({ translatedKinds }) => translatedKinds);
    const kinds = [...rows.map(({ kind }) => kind), ...translated];
    const keptOfKind = sizes.map((_, kind) => kinds.filter((each) => each === kind).length);
    return { rows, keptOfKind, translated: translated.length };
  }

  #hold(
    handshake: Handshake,
    kind: number,
    view: HandshakeView,
    isSampled: boolean,
    isSlow: boolean,
  ): Held {
    const { epochSeconds, timeNs, totalNs, synCount, synAckCount } = handshake;
    const row: KeptRow = {
      timeUs: epochSeconds * 1e6 + Math.floor(timeNs / 1e3),
      kind,
      client: formatEndpoint(handshake.client),
      server: formatEndpoint(handshake.server),
      networkNs: networkRttNs(handshake),
      hostNs: hostTimeNs(handshake),
      totalNs,
      synCount,
      synAckCount,
      isSlow,
      views: [view],
      both: undefined,
    };
    const { isn } = handshake.client;
    const held: Held = {
      row,
      key: keyOf(handshake),
      isn,
      translatedKinds: [],
      ends: [],
      isSampled,
    };
    this.#byKey.set(held.key, held);
    if (isn !== undefined) {
      const some = this.#byIsn.get(isn);
      if (some === undefined) this.#byIsn.set(isn, [held]);
      else if (some.length < OF_ISN_MAX) some.push(held);
    }
    return held;
  }

  #cutSlowest(): void {
    this.#slowest.sort((one, other) => other.row.totalNs! - one.row.totalNs!);
    for (const held of this.#slowest.splice(SLOWEST_MAX)) {
      held.row.isSlow = false;
      this.#forget(held);
    }
    if (this.#slowest.length < SLOWEST_MAX) return;
    this.#slowestNs = this.#slowest[SLOWEST_MAX - 1].row.totalNs!;
  }

  #forget(held: Held): void {
    if (held.isSampled || held.row.isSlow) return;
    if (this.#byKey.get(held.key) === held) this.#byKey.delete(held.key);
    if (held.isn === undefined) return;
    const left = this.#byIsn.get(held.isn)?.filter((each) => each !== held) ?? [];
    if (left.length === 0) this.#byIsn.delete(held.isn);
    else this.#byIsn.set(held.isn, left);
  }

  /** Some of a sample, each as likely as the others. */
  #choose(held: readonly Held[], count: number): Held[] {
    const left = [...held];
    while (left.length > count) {
      left[Math.floor(this.#next() * left.length)] = left[left.length - 1];
      left.pop();
    }
    return left;
  }

  /** At least 0, less than 1: mulberry32 (Tommy Ettinger, public domain). */
  #next(): number {
    this.#random = this.#random + 0x6d2b79f5 | 0;
    let mixed = Math.imul(this.#random ^ this.#random >>> 15, this.#random | 1);
    mixed ^= mixed + Math.imul(mixed ^ mixed >>> 7, mixed | 61);
    return ((mixed ^ mixed >>> 14) >>> 0) / 2 ** 32;
  }
}

/** Puts a view beside those of a row, and joins it with them where both are ends of one handshake. */
function addView(held: Held, view: HandshakeView): void {
  const { views } = held.row;
  for (const other of views) {
    const joined = joinViews(other, view);
    if (joined === undefined || views.some((each) => each.end?.isToldTwice(view.end))) continue;
    const [{ tier } = joined] = held.ends;
    if (joined.tier < tier) held.ends = [joined];
    else if (joined.tier === tier) held.ends.push(joined);
  }
  views.push(view);
}

function keyOf({ client, server }: Handshake): string {
  return `${formatEndpoint(client)} ${formatEndpoint(server)} ${client.isn}`;
}

/** How many each of some may have, so that all together are no more than `most`. */
function fairShare(sizes: readonly number[], most: number): number {
  const sum = (share: number) => sizes.reduce((all, size) => all + Math.min(size, share), 0);
  let share = SAMPLE_OF_KIND_MAX;
  while (sum(share) > most) share--;
  return share;
}
