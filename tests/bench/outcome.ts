/**
 * What a trace says of itself at its end.
 *
 * @module
 */
import type { Figure } from "./row.ts";

/** What a tracer said at its end. */
export interface Outcome {
  /** Handshakes reported, and those of them seen by packets and kernel; undefined: it does not tell. */
  handshakes?: number;
  both?: number;
  established?: number;
  /** What it says was lost, by its own words. */
  losses: Map<string, number>;
}

/** Everything that was lost, by whatever it was. */
export function lostIn({ losses }: Outcome): number {
  return [...losses.values()].reduce((sum, count) => sum + count, 0);
}

/** What it says was lost, a figure for each place; one of nothing where there is none. */
export function lossFigures({ losses }: Outcome): Figure[] {
  const lost = losses.size > 0 ? [...losses] : [["nothing at any place", 0] as const];
  return lost.map(([what, count]) => ({
    name: `lost, as it says: ${what}`,
    unit: "",
    values: [count],
  }));
}

/** What is lost, as a trace, tcpdump and dumpcap tell of it. */
const LOSSES = [
  /^lost: (?<count>\d+) (?<what>.*)/,
  /^(?<count>[1-9]\d*) (?<what>packets? dropped by (?:kernel|interface))/,
  /^Packets received\/(?<what>dropped) on interface .*: \d+\/(?<count>[1-9]\d*) /,
];

/** Reads what a trace says at its end, and what tcpdump and dumpcap say of their losses. */
export function parseOutcome(said: readonly string[]): Outcome {
  const number = (pattern: RegExp) => {
    const found = said.map((line) => pattern.exec(line)).find((match) => match);
    return found ? Number(found[1]) : undefined;
  };
  const handshakes = number(/^(\d+) handshakes?\b/);
  const losses = said.flatMap((line) => LOSSES.map((pattern) => pattern.exec(line)?.groups))
    .filter((groups) => groups !== undefined);
  return {
    handshakes,
    both: number(/^evidence: (\d+) wire and kernel/),
    established: handshakes === undefined
      ? undefined
      : number(/^\d+ handshakes?:.*?(\d+) established/) ?? 0,
    losses: new Map(losses.map(({ what, count }) => [what, Number(count)])),
  };
}
