import type { Handshake } from "../match/handshake.ts";
import type { Losses } from "./losses.ts";
import type { Sink } from "./sink.ts";

/** Namespaces told apart; beyond so many the hint says "more than". */
const NAMESPACES_MAX = 4_096;
/** From the first such handshake to the hint: those of other namespaces follow soon. */
const HINT_AFTER_NS = 1e9;

/** Of what a live capture does not cover, and whom to tell. */
export interface ElsewhereOptions {
  /** Whether packets of a network namespace, by its inode, are captured. */
  isCaptured(netns: number): boolean;
  /** Whether kernel events come, which alone tell of the others. */
  hasKernel(): boolean;
  /** Says in one sentence, once, what to do about it. */
  onHint(sentence: string): void;
}

/** Counts the handshakes in network namespaces whose packets are not captured. */
export class Elsewhere implements Sink {
  readonly label = "what is seen elsewhere";
  /** How many of those reported the kernel alone saw, since their packets passed elsewhere. */
  handshakes = 0;
  readonly #options: ElsewhereOptions;
  readonly #namespaces = new Set<number>();
  #firstNs: number | undefined;
  #isHinted = false;

  /** Counts nothing yet. */
  constructor(options: ElsewhereOptions) {
    this.#options = options;
  }

  /** Takes a handshake that is reported. */
  take({ wire, netns }: Handshake): void {
    if (wire || netns === undefined || this.#options.isCaptured(netns)) return;
    this.handshakes++;
    if (this.#namespaces.size <= NAMESPACES_MAX) this.#namespaces.add(netns);
  }

  /** Says the hint when it is due. */
  flush(): void {
    const sentence = this.hint(performance.now() * 1e6);
    if (sentence !== undefined) this.#options.onHint(sentence);
  }

  /** Nothing. */
  end(): void {}

  /** What it counted, where the kernel tells of it. */
  get losses(): Losses {
    return this.#options.hasKernel() ? { uncaptured_handshakes: this.handshakes } : {};
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
