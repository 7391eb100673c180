import type { Handshake } from "../match/handshake.ts";

/** Namespaces told apart; beyond so many the hint says "more than". */
const NAMESPACES_MAX = 4_096;
/** From the first such handshake to the hint: those of other namespaces follow soon. */
const HINT_AFTER_NS = 1e9;

/** Counts the handshakes in network namespaces whose packets are not captured. */
export class Elsewhere {
  /** How many of those reported the kernel alone saw, since their packets passed elsewhere. */
  handshakes = 0;
  readonly #isCaptured: (netns: number) => boolean;
  readonly #namespaces = new Set<number>();
  #firstNs: number | undefined;
  #isHinted = false;

  /** @param isCaptured Whether packets of a network namespace, by its inode, are captured. */
  constructor(isCaptured: (netns: number) => boolean) {
    this.#isCaptured = isCaptured;
  }

  /** Takes a handshake that is reported. */
  take({ wire, netns }: Handshake): void {
    if (wire || netns === undefined || this.#isCaptured(netns)) return;
    this.handshakes++;
    if (this.#namespaces.size <= NAMESPACES_MAX) this.#namespaces.add(netns);
  }

  /** What to do about it, a sentence; once, when it is due, else undefined. @param nowNs On any axis. */
  hint(nowNs: number): string | undefined {
    if (this.handshakes === 0 || this.#isHinted) return undefined;
    this.#firstNs ??= nowNs;
    if (nowNs - this.#firstNs < HINT_AFTER_NS) return undefined;
    this.#isHinted = true;
    const { size } = this.#namespaces;
    const number = size > NAMESPACES_MAX ? `more than ${NAMESPACES_MAX}` : `${size}`;
    const where = size === 1 ? "another network namespace" : `${number} other network namespaces`;
    return `handshakes in ${where} are seen by the kernel alone; --netns all captures them`;
  }
}
