import { type Handshake, type Outcome, OUTCOMES } from "../../match/handshake.ts";
import { shorten } from "../../text/shorten.ts";

/** Kinds told apart at most, beside those that stand for all others of an outcome. */
const KINDS_MAX = 32;
/** No symbol is so long. */
const REASON_MAX = 120;

/** How handshakes ended, and why. */
export interface Kind {
  outcome: Outcome;
  /** Symbols of why it ended so, each once: the errno or ICMP code first; none: not known. */
  reasons: readonly string[];
  /** Whether it stands for all other reasons of its outcome: there were too many. */
  isRest: boolean;
  handshakes: number;
}

/** Tells kinds of handshakes apart, by outcome and reasons, in bounded memory. */
export class Kinds {
  /** In the order in which they came. */
  readonly list: Kind[] = [];
  readonly #numbers = new Map<string, number>();

  /**
   * Takes a handshake.
   *
   * @param names Its reasons. @returns The number of its kind: its place in {@link list}.
   */
  take({ outcome }: Pick<Handshake, "outcome">, names: readonly string[]): number {
    const reasons = names.map((each) => shorten(each, REASON_MAX));
    const number = this.#find(outcome, reasons);
    this.list[number].handshakes++;
    return number;
  }

  #find(outcome: Outcome, reasons: readonly string[]): number {
    const known = this.#numbers.get(keyOf(outcome, reasons));
    if (known !== undefined) return known;
    if (this.#numbers.size < KINDS_MAX) return this.#add(outcome, reasons);
    const rest = this.list.findIndex((kind) => kind.isRest && kind.outcome === outcome);
    if (rest >= 0) return rest;
    return this.list.push({ outcome, reasons: [], isRest: true, handshakes: 0 }) - 1;
  }

  #add(outcome: Outcome, reasons: readonly string[]): number {
    const number = this.list.push({ outcome, reasons, isRest: false, handshakes: 0 }) - 1;
    this.#numbers.set(keyOf(outcome, reasons), number);
    return number;
  }

  /** Handshakes by outcome, in the order of {@link OUTCOMES}. */
  byOutcome(): [outcome: Outcome, handshakes: number][] {
    return OUTCOMES.map((outcome) => [
      outcome,
      this.list.reduce((sum, kind) => sum + (kind.outcome === outcome ? kind.handshakes : 0), 0),
    ]);
  }
}

function keyOf(outcome: Outcome, reasons: readonly string[]): string {
  if (reasons.length === 0) return outcome;
  // No symbol has a line feed: one from a record that has is another kind, and nothing worse.
  return [outcome, ...reasons].join("\n");
}
