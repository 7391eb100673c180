import { escapeText } from "../../text/escape.ts";
import { formatDuration } from "../../text/time.ts";

/** Pairs of hosts, and handshakes of each pair, that are looked at. */
const PAIRS_MAX = 64;
const GAPS_MAX = 256;
/** No way through a network takes so long: what is more is a difference of clocks. */
const APART_NS = 500_000_000;

/** A moment of Unix time. */
export interface ClockTime {
  epochSeconds: number;
  /** Nanoseconds since then. */
  timeNs: number;
}

interface Pair {
  one: string;
  other: string;
  gapsNs: number[];
}

/** Tells whether the clocks of hosts differ, by handshakes that both saw. */
export class ClockGaps {
  readonly #pairs = new Map<string, Pair>();

  /** Takes a handshake that two hosts saw, each with the time that it tells. */
  take(one: string, oneTime: ClockTime, other: string, otherTime: ClockTime): void {
    const key = `${one}\n${other}`;
    let pair = this.#pairs.get(key);
    if (pair === undefined) {
      if (this.#pairs.size >= PAIRS_MAX) return;
      this.#pairs.set(key, pair = { one, other, gapsNs: [] });
    }
    if (pair.gapsNs.length >= GAPS_MAX) return;
    const seconds = otherTime.epochSeconds - oneTime.epochSeconds;
    pair.gapsNs.push(seconds * 1e9 + otherTime.timeNs - oneTime.timeNs);
  }

  /** A sentence for each pair of hosts whose clocks are apart. */
  describe(): string[] {
    return [...this.#pairs.values()].flatMap(({ one, other, gapsNs }) => {
      const medianNs = gapsNs.toSorted((a, b) => a - b)[gapsNs.length >> 1];
      if (Math.abs(medianNs) < APART_NS) return [];
      const [ahead, behind] = medianNs > 0 ? [other, one] : [one, other];
      const seen = gapsNs.length === 1 ? "a handshake" : `${gapsNs.length} handshakes`;
      return [
        `The clock of ${escapeText(ahead)} is about ${
          formatDuration(Math.abs(medianNs))
        } ahead of ` +
        `the one of ${
          escapeText(behind)
        }, by ${seen} that both saw: times are shown as each host ` +
        "told them.",
      ];
    });
  }
}
