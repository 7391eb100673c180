/**
 * What a trace says of itself at its end.
 *
 * @module
 */

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

/** Reads what a trace says at its end. Other programs say nothing of the kind. */
export function parseOutcome(said: readonly string[]): Outcome {
  const number = (pattern: RegExp) => {
    const found = said.map((line) => pattern.exec(line)).find((match) => match);
    return found ? Number(found[1]) : undefined;
  };
  const handshakes = number(/^(\d+) handshakes?\b/);
  const losses = said.map((line) => /^lost: (\d+) (.*)/.exec(line)).filter((match) =>
    match !== null
  );
  return {
    handshakes,
    both: number(/^evidence: (\d+) wire and kernel/),
    established: handshakes === undefined
      ? undefined
      : number(/^\d+ handshakes?:.*?(\d+) established/) ?? 0,
    losses: new Map(losses.map(([, count, what]) => [what, Number(count)])),
  };
}
