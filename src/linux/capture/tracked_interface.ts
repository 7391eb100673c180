import { formatDuration } from "../../text/time.ts";
import { NONE } from "./choose_interfaces.ts";
import type { Link } from "../netns/link_messages.ts";

/** Who is down for less is being set up, renamed or deleted: not told before. */
const DOWN_MS = 500;

/** An interface that was asked for by name: what becomes of it, and what is to be told of that. */
export class TrackedInterface {
  readonly #requested: string;
  readonly #where: string;
  #link: Link | undefined;
  /** What was told last. Of one that has come it is presumed that it is up, or soon will be. */
  #told: Link | undefined;
  #toldGone = false;
  #wasThere: boolean;
  #gaps = 0;
  #gapsTold = 0;
  /** When it came, went, or was set up or down. */
  #changedMs: number;
  /** Since when it is not up. */
  #missingMs: number;

  /**
   * Begins with what is there, which is told by whoever begins.
   *
   * @param requested The name asked for: untrusted text. @param where Words for the namespace, empty
   *   for the own one. @param link What it means now, undefined for none. @param nowMs Any clock that
   *   only goes on.
   */
  constructor(requested: string, where: string, link: Link | undefined, nowMs: number) {
    this.#requested = requested;
    this.#where = where && ` in ${where}`;
    this.#link = link;
    this.#told = link && { ...link, isUp: true };
    this.#wasThere = link !== undefined;
    this.#changedMs = this.#missingMs = nowMs;
    if (link?.isUp === false) this.#gaps++;
  }

  /** The name that was asked for: untrusted text. */
  get name(): string {
    return this.#requested;
  }

  /** Whether there is one now, and it is up. */
  get isUp(): boolean {
    return this.#link?.isUp ?? false;
  }

  /** The index of what it means now, `NONE` for none. */
  get index(): number {
    return this.#link?.index ?? NONE;
  }

  /** How often it was down, gone, or not the same interface any more. */
  get gaps(): number {
    return this.#gaps;
  }

  /** How often, where it is gone with its namespace: the last of the gaps is none. */
  get gapsBeforeEnd(): number {
    return this.#wasThere && !this.#link?.isUp ? this.#gaps - 1 : this.#gaps;
  }

  /** Whether there was one at any time. */
  get wasThere(): boolean {
    return this.#wasThere;
  }

  /**
   * Takes what the name means now.
   *
   * @param wasAway Whether that was down or gone since the last time.
   */
  take(link: Link | undefined, wasAway: boolean, nowMs: number): void {
    const before = this.#link;
    const isSame = link?.index === before?.index;
    if (before?.isUp && (wasAway || !isSame || !link?.isUp)) {
      this.#gaps++;
      this.#missingMs = nowMs;
    }
    if (!isSame || link?.isUp !== before?.isUp) this.#changedMs = nowMs;
    this.#link = link;
    this.#wasThere ||= link !== undefined;
  }

  /** The next sentence that is to be told, undefined for none. Untrusted text. */
  tell(nowMs: number): string | undefined {
    const told = this.#told;
    const link = this.#link;
    const isTold = link?.index === told?.index && link?.name === told?.name &&
      link?.isUp === told?.isUp && this.#gaps === this.#gapsTold;
    if (isTold) return;
    const name = `"${link?.name ?? told?.name ?? this.#requested}"${this.#where}`;
    const after = `after ${formatDuration(Math.round((nowMs - this.#missingMs) * 1e6))}`;
    if (link === undefined) {
      this.#toldGone = true;
      return this.#now(undefined, `${name} is gone: nothing is captured until it is back`);
    }
    const asUp = { ...link, isUp: true };
    if (told === undefined) {
      const how = this.#toldGone
        ? `is back ${after}: capturing on it again`
        : "is there now: capturing on it";
      return this.#now(asUp, `${name} ${how}`);
    }
    if (link.index !== told.index) {
      return this.#now(asUp, `${name} is another interface now: capturing on that one`);
    }
    if (link.name !== told.name) {
      this.#told = { ...told, name: link.name };
      return `"${told.name}"${this.#where} is called "${link.name}" now: capturing on it as before`;
    }
    if (!link.isUp && told.isUp && nowMs - this.#changedMs >= DOWN_MS) {
      return this.#now(link, `${name} is down: nothing is captured until it is up`);
    }
    if (link.isUp && !told.isUp) return this.#now(link, `${name} is up again ${after}`);
    if (link.isUp && this.#gaps > this.#gapsTold) {
      return this.#now(link, `${name} was down for a moment`);
    }
  }

  #now(told: Link | undefined, sentence: string): string {
    this.#told = told;
    this.#gapsTold = this.#gaps;
    return sentence;
  }
}
