import type {
  KernelDrop,
  KernelListener,
  KernelRecord,
  KernelReset,
} from "../kernel/kernel_record.ts";
import { isSyn } from "./find_attempt.ts";

/** What the kernel tells of a handshake. */
type Word = Exclude<KernelRecord, KernelListener>;

/** So many, some 16 MB, are not held longer. */
const HELD_MAX = 65_536;

/**
 * What the kernel did with SYNs, and with SYN-ACKs that it dropped, held until the packets of that time were
 * taken. Who was refused may send the very SYN again at once: such attempts differ in nothing but their times,
 * and which of them a word is of is known when the packets around it are.
 */
export class EarlyWords {
  #held: (KernelDrop | KernelReset)[] = [];
  readonly #onDue: (word: Word) => void;

  /** @param onDue Takes a word that is due: of all that are, in the order of their times. */
  constructor(onDue: (word: Word) => void) {
    this.#onDue = onDue;
  }

  /**
   * Takes a word. One of an end is due at once, and so is one of a RST that answered an answer: whose they
   * are their numbers say, and that they were told decides how long one waits for more.
   */
  take(word: Word): void {
    const isHeld = word.kind === "dropped" || word.kind === "reset" && isSyn(word);
    if (!isHeld) return this.#onDue(word);
    this.#held.push(word);
    if (this.#held.length === HELD_MAX) this.takeUntil(Infinity);
  }

  /** Hands on what happened up to a time on the axis. */
  takeUntil(completeNs: number): void {
    if (this.#held.length === 0) return;
    const due = this.#held.filter(({ endNs }) => endNs <= completeNs);
    if (due.length === 0) return;
    this.#held = this.#held.filter(({ endNs }) => endNs > completeNs);
    for (const word of due.sort((one, other) => one.endNs - other.endNs)) this.#onDue(word);
  }
}
