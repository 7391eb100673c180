import { countOf } from "../text/count.ts";
import { type Handshake, type Outcome, OUTCOMES } from "../match/handshake.ts";
import { type HandshakeFilter, passes } from "../pipeline/filter.ts";
import type { PacketKeeper, Sink, Source } from "../pipeline/sink.ts";
import type { Story } from "./story.ts";
import { StoryTeller } from "./teller.ts";

/** Which handshake to pick, and what to do then. */
export interface HandshakePickOptions {
  filter: HandshakeFilter;
  /** Which of those that match, 1 the first. */
  index: number;
  /** Called when it came. */
  onPicked(): void;
}

/** Picks one handshake out of all that come, and tells its story. */
export class HandshakePick implements Sink {
  readonly label = "the story";
  /** The story of the one that was picked; undefined as long as it did not come. */
  story: Story | undefined;
  readonly #options: HandshakePickOptions;
  readonly #teller: StoryTeller;
  #source: Source | undefined;
  readonly #outcomes = new Map<Outcome, number>();
  #seen = 0;
  #matched = 0;

  /** Is given every handshake: it filters itself, to say what came instead. */
  constructor(options: HandshakePickOptions, keptMax?: number) {
    this.#options = options;
    this.#teller = new StoryTeller(keptMax);
  }

  /** See {@link Sink.begin}. */
  begin(source: Source): void {
    this.#source = source;
    this.#teller.begin(source);
  }

  /** See {@link Sink.keepPackets}. Reserves the memory. */
  keepPackets(rows: number): PacketKeeper {
    return this.#teller.keepPackets(rows);
  }

  /** Takes a handshake that was in a row of the table; nothing of the object is kept. */
  take(handshake: Handshake, row: number): void {
    if (this.story !== undefined) return;
    const { filter, index, onPicked } = this.#options;
    this.#seen++;
    this.#outcomes.set(handshake.outcome, (this.#outcomes.get(handshake.outcome) ?? 0) + 1);
    const { context } = this.#source!;
    if (!passes(filter, handshake, context) || ++this.#matched < index) return;
    this.story = this.#teller.tell(handshake, row);
    onPicked();
  }

  /** Nothing: a story is told as a whole. */
  flush(): void {}

  /** Nothing. */
  end(): void {}

  /** Why there is no story: one sentence of what came instead. */
  describeMiss(): string {
    if (this.#seen === 0) return "no handshake came";
    const counts = OUTCOMES.flatMap((outcome) => {
      const count = this.#outcomes.get(outcome);
      return count === undefined ? [] : [`${count} ${outcome}`];
    });
    const { index } = this.#options;
    const wanted = index === 1
      ? this.#seen === 1 ? "it does not match" : "none of them matches"
      : this.#matched === this.#seen
      ? `there is no number ${index}`
      : `${
        countOf(this.#matched, "of them matches", "of them match")
      }, there is no number ${index}`;
    return `${countOf(this.#seen, "handshake")} came (${counts.join(", ")}), ${wanted}`;
  }
}
