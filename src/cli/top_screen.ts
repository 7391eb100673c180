/**
 * A view on a terminal: draws it as often as is of use, and has keys do what they ask for.
 *
 * @module
 */
import { drawView } from "../output/top/draw_view.ts";
import { type Key, KeyDecoder } from "../output/top/keys.ts";
import { ScreenRenderer } from "../output/top/render.ts";
import type { TopView } from "../output/top/top_view.ts";

/** What a screen is shown on; `ScreenTerminal`. */
export interface Terminal {
  enter(): void;
  leave(): void;
  size(): { columns: number; rows: number };
  /** Whether it has not taken yet what was written before. */
  readonly isBusy: boolean;
  write(text: string): void;
}

/** What a screen asks for. */
export interface TopScreenHandlers {
  /** It is to end. */
  onQuit(): void;
  /** The job is to stop. */
  onSuspend(): void;
  /** Writes a new file. @returns One sentence of what became of it. */
  save(path: string, text: string): Promise<string>;
}

/** The time, so that a test can stand in for it. */
export interface ScreenTime {
  /** Milliseconds since some moment. */
  nowMs(): number;
  /** Calls a function later. @returns Has it not called after all. */
  after(milliseconds: number, callback: () => void): () => void;
  /** Calls a function again and again. @returns Ends that. */
  every(milliseconds: number, callback: () => void): () => void;
}

const TIME: ScreenTime = {
  nowMs: () => performance.now(),
  after: (milliseconds, callback) => {
    const timer = setTimeout(callback, milliseconds);
    return () => clearTimeout(timer);
  },
  every: (milliseconds, callback) => {
    const timer = setInterval(callback, milliseconds);
    return () => clearInterval(timer);
  },
};

/** Between two drawings at least. */
const DRAW_MS = 100;
/** A timer may fire so much too early by the clock. */
const TIMER_MS = 1;
/** Between two pictures of what is counted. */
const PICTURE_MS = 500;
/** How long an ESC may wait for what makes it another key. */
const ESCAPE_MS = 25;

/** Draws the view of `top` on a terminal when something changed, and hands it the keys that are pressed. */
export class TopScreen {
  readonly #view: TopView;
  readonly #terminal: Terminal;
  readonly #handlers: TopScreenHandlers;
  readonly #renderer: ScreenRenderer;
  readonly #decoder = new KeyDecoder();
  readonly #time: ScreenTime;
  #endTimers: (() => void)[] = [];
  #forgetEscape = () => {};
  #isDue = true;
  #drawnMs = -Infinity;

  /** Shows nothing yet. */
  constructor(
    view: TopView,
    terminal: Terminal,
    { colour, ...handlers }: TopScreenHandlers & { colour: boolean },
    time: ScreenTime = TIME,
  ) {
    this.#time = time;
    this.#view = view;
    this.#terminal = terminal;
    this.#handlers = handlers;
    this.#renderer = new ScreenRenderer(colour);
  }

  /** Takes the terminal. */
  start(): void {
    this.#terminal.enter();
    this.#endTimers = [
      this.#time.every(DRAW_MS, () => this.#draw()),
      this.#time.every(PICTURE_MS, () => {
        this.#view.refresh();
        this.#isDue = true;
      }),
    ];
  }

  /** Draws no more; who gave the terminal takes it back. */
  stop(): void {
    for (const end of this.#endTimers) end();
    this.#forgetEscape();
  }

  /** Draws everything anew: the terminal has another size, or shows something else. */
  redraw(): void {
    this.#renderer.forget();
    this.#isDue = true;
    this.#draw();
  }

  /** Shows what changed, at once where the last drawing is long enough ago. */
  change(): void {
    this.#isDue = true;
    this.#draw();
  }

  /** Takes what was typed. */
  take(bytes: Uint8Array): void {
    this.#forgetEscape();
    this.#press(this.#decoder.take(bytes));
    if (!this.#decoder.isWaiting) return;
    this.#forgetEscape = this.#time.after(
      ESCAPE_MS,
      () => this.#press(this.#decoder.settle()),
    );
  }

  #press(keys: readonly Key[]): void {
    for (const key of keys) {
      const action = this.#view.press(key);
      switch (action?.kind) {
        case "quit":
          this.#handlers.onQuit();
          break;
        case "suspend":
          this.#handlers.onSuspend();
          break;
        case "redraw":
          this.#renderer.forget();
          break;
        case "save":
          this.#save(action.path, action.text);
      }
    }
    if (keys.length > 0) this.change();
  }

  async #save(path: string, text: string): Promise<void> {
    this.#view.say(await this.#handlers.save(path, text));
    this.change();
  }

  /** A terminal that is slow is not waited for: it gets the next drawing. */
  #draw(): void {
    const nowMs = this.#time.nowMs();
    if (!this.#isDue || this.#terminal.isBusy || nowMs - this.#drawnMs < DRAW_MS - TIMER_MS) return;
    this.#isDue = false;
    this.#drawnMs = nowMs;
    const changes = this.#renderer.render(drawView(this.#view, this.#terminal.size()));
    if (changes !== "") this.#terminal.write(changes);
  }
}
