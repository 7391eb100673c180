import { messageOf } from "../text/message.ts";
import { watchRunner } from "./process/runner.ts";
import { type EndSignal, listenToSignals } from "./process/signals.ts";
import { exit, giveUpSaying, leaveEcho, say, sayNote } from "./process/terminal.ts";
import { onUnforeseen } from "../linux/unforeseen.ts";
import { ExitStatus } from "./usage.ts";

/** What a command does when it is asked for more than to end. */
export interface EndingHandlers {
  /** Gives back what must not outlive this process: it leaves at once. */
  leave?(): void;
  /** How it goes so far, some lines. */
  report(): string;
  /** Takes a signal that asks to end for another one's, such as a command that runs; false: it is not. */
  takes?(signal: EndSignal): boolean;
  /** Settles when the job may be stopped, as Ctrl-Z asks; absent: at once. */
  stopped?(): Promise<void>;
  /** Opens the files again that it writes to; undefined where it writes to none. */
  reopen?: () => void;
  /** What Ctrl-Z has done before the job stops. */
  beforeStop?: () => void;
}

/** What an {@link Ending} does to the world, so that a test can stand in for it. */
export interface EndingWorld {
  sayNote(sentence: string): void;
  exit(status: number): void;
  /** Calls a function later. @returns Has it not called after all. */
  after(milliseconds: number, callback: () => void): () => void;
  giveUpSaying(): void;
}

/**
 * Signals so long after the first are the same request: a terminal signals all of a job, and a task
 * runner in it hands on what this process has already.
 */
const SAME_REQUEST_MS = 1_000;
/** One that came in that time may wait to be heard while this thread is busy. */
const HEARD_MS = 50;
/**
 * How long who was asked by a signal to end waits for others, such as the reader of a pipe: below the 90 s
 * after which service managers kill. One who ended by himself waits without end: somebody may be paging
 * through what he wrote.
 */
const OVERDUE_MS = 60_000;
const OVERDUE = Symbol("overdue");

const WORLD: EndingWorld = {
  sayNote,
  exit,
  after: (milliseconds, callback) => {
    const timer = setTimeout(callback, milliseconds);
    return () => clearTimeout(timer);
  },
  giveUpSaying,
};

/**
 * How a command ends: at the first request with all that it holds written, at a later one at once. An
 * error that nobody foresaw is such a request, too, and leads to status 1.
 */
export class Ending {
  /** Settles at the first request. */
  readonly asked: Promise<void>;
  /** Whether something failed that has to do with the command as a whole. */
  failed = false;
  readonly #ask: () => void;
  readonly #handlers: Pick<EndingHandlers, "leave">;
  readonly #world: EndingWorld;
  #signals: "none" | "first" | "later" = "none";
  readonly #overdue: Promise<typeof OVERDUE>;
  readonly #onOverdue: () => void;

  /** Listens to nothing, see {@link listen}. */
  constructor(handlers: Pick<EndingHandlers, "leave"> = {}, world: EndingWorld = WORLD) {
    this.#handlers = handlers;
    this.#world = world;
    ({ promise: this.asked, resolve: this.#ask } = Promise.withResolvers<void>());
    const { promise, resolve } = Promise.withResolvers<typeof OVERDUE>();
    this.#overdue = promise;
    this.#onOverdue = () => resolve(OVERDUE);
  }

  /** Makes one that hears signals, the end of npm, and errors that nobody caught. */
  static listen(handlers: EndingHandlers): Ending {
    const ending = new Ending(handlers);
    const { reopen, report, takes, stopped, beforeStop } = handlers;
    listenToSignals({
      end: (signal) => {
        if (takes?.(signal)) return;
        if (signal === "SIGINT" && ending.#signals === "none") leaveEcho();
        ending.request();
      },
      hearsQuit: takes !== undefined,
      stopped,
      reopen: reopen && (() => ending.#guard("opening the files again", reopen)),
      report: () => ending.#guard("the summary so far", () => say(report())),
      beforeStop,
    });
    watchRunner(() => takes?.("SIGTERM") || ending.ask());
    onUnforeseen((error) => ending.fail("a part of it", error));
    return ending;
  }

  /** Ends: there is nothing more to do. */
  readonly ask = (): void => this.#ask();

  /** Ends after so many milliseconds from now on; Infinity: not by that. */
  askAfter(durationMs: number): void {
    if (durationMs < Infinity) this.#world.after(durationMs, this.ask);
  }

  /** Asks to end, as a signal does. */
  request(): void {
    if (this.#signals === "later") {
      this.#handlers.leave?.();
      this.#world.exit(ExitStatus.Interrupted);
      return;
    }
    if (this.#signals === "first") return;
    this.#signals = "first";
    const world = this.#world;
    world.after(SAME_REQUEST_MS, () => {
      world.after(HEARD_MS, () => {
        this.#signals = "later";
        world.sayNote("ending; Ctrl-C again to leave at once");
      });
    });
    world.after(OVERDUE_MS, () => {
      this.#onOverdue();
      world.giveUpSaying();
    });
    this.#ask();
  }

  /** Ends because of an error that nobody foresaw. @param doing What failed by it, for a sentence. */
  fail(doing: string, error: unknown): void {
    const reason = messageOf(error);
    this.#failWith(`Cannot go on: ${doing} failed: ${reason.split("\n")[0]}; ending`);
  }

  #failWith(sentence: string): void {
    // What follows from the first is no news.
    if (!this.failed) this.#world.sayNote(sentence);
    this.failed = true;
    this.#ask();
  }

  /**
   * Does a part of what ends the command. That it fails, or takes too long after a signal, does not keep
   * the other parts from being done.
   *
   * @param doing What the part is, for a sentence. @param maxMs How long it may take in any case.
   * @returns Undefined where it failed.
   */
  async attempt<T>(
    doing: string,
    work: () => T | Promise<T>,
    maxMs = Infinity,
  ): Promise<T | undefined> {
    const { promise: late, resolve } = Promise.withResolvers<typeof OVERDUE>();
    const cancel = maxMs < Infinity ? this.#world.after(maxMs, () => resolve(OVERDUE)) : () => {};
    try {
      const done = await Promise.race([work(), late, this.#overdue]);
      if (done !== OVERDUE) return done;
      this.#failWith(`Cannot end in good order: ${doing} takes too long`);
    } catch (error) {
      this.fail(doing, error);
    } finally {
      cancel();
    }
    return undefined;
  }

  #guard(doing: string, work: () => void): void {
    try {
      work();
    } catch (error) {
      this.fail(doing, error);
    }
  }
}
