/**
 * Pushes a body to a collector now and then: compressed, with bounded tries, and never two at a time.
 *
 * @module
 */
import { readResponseStart } from "../text/response_start.ts";
import { countOf } from "../text/count.ts";
import { causeOf, messageOf } from "../text/message.ts";

/** One push: what is sent by POST, and what is done once it was taken. */
export interface PushBody {
  body: string;
  /** Called when the collector took it. */
  acknowledge(): void;
}

/** What a {@link Pusher} pushes, and where to. */
export interface PusherOptions {
  url: string;
  /** Beside those of the body, such as for authentication. */
  headers: Readonly<Record<string, string>>;
  /** How often, milliseconds. */
  intervalMs: number;
  /** Makes what is pushed: everything up to now. */
  make(): PushBody;
  /** Says in one sentence when it does not work, and when it works again. */
  onNote(sentence: string): void;
  /** Bounds other than the usual. */
  limits?: Partial<PusherLimits>;
}

/** What a {@link Pusher} waits for at most. */
export interface PusherLimits {
  /** How long one try may take, milliseconds. */
  tryMs: number;
  /** Tries of one push. */
  triesMax: number;
  /** How long the first wait between two tries is; each one more is twice as long. */
  retryMs: number;
}

const USUAL_LIMITS: PusherLimits = { tryMs: 10_000, triesMax: 5, retryMs: 1_000 };
/** Statuses after which the same may work later (OTLP specification, "Failures"). */
const RETRYABLE: readonly number[] = [429, 502, 503, 504];
/** How long a Retry-After is heeded at most, milliseconds. */
const RETRY_AFTER_MAX_MS = 60_000;
/** Bytes of an answer that are looked at. */
const ANSWER_MAX = 4_096;

/** A try that failed. */
class TryError extends Error {
  /** @param retryMs After how long to try again; undefined: not at all. */
  constructor(message: string, readonly retryMs?: number) {
    super(message);
  }
}

/** Pushes until it is closed. */
export class Pusher {
  readonly #options: PusherOptions;
  readonly #limits: PusherLimits;
  /** The URL without what may be secret in it. */
  readonly #shownUrl: string;
  readonly #over = new AbortController();
  #running: Promise<void>;
  #fails = false;
  #saidPartial = false;

  /** Pushes for the first time after an interval. */
  constructor(options: PusherOptions) {
    this.#options = options;
    this.#limits = { ...USUAL_LIMITS, ...options.limits };
    const { origin, pathname } = new URL(options.url);
    this.#shownUrl = origin + pathname;
    this.#running = this.#run();
  }

  async #run(): Promise<void> {
    const { signal } = this.#over;
    let dueMs = performance.now() + this.#options.intervalMs;
    while (!signal.aborted) {
      await pause(dueMs - performance.now(), signal);
      if (signal.aborted) return;
      try {
        await this.#push(signal);
      } catch (error) {
        // What cannot even be made is no reason to end what else this process does.
        if (!this.#fails) this.#sayFailure(messageOf(error));
      }
      // One that is late makes no other late, and is followed by no two at once.
      const nowMs = performance.now();
      while (dueMs <= nowMs) dueMs += this.#options.intervalMs;
    }
  }

  /** Pushes once, in several tries. */
  async #push(signal: AbortSignal): Promise<void> {
    const { body, acknowledge } = this.#options.make();
    const bytes = await compress(body);
    let waitMs = this.#limits.retryMs;
    for (let nth = 1;; nth++) {
      try {
        await this.#try(bytes, signal);
        acknowledge();
        if (this.#fails) this.#options.onNote(`Pushing metrics to ${this.#shownUrl} again`);
        this.#fails = false;
        return;
      } catch (error) {
        if (signal.aborted) return;
        const retryMs = error instanceof TryError ? error.retryMs : 0;
        const isLast = retryMs === undefined || nth >= this.#limits.triesMax;
        if (!this.#fails) this.#sayFailure(messageOf(error));
        if (isLast) return;
        // At random, so that a collector that comes back is not asked by all at once.
        await pause(Math.max(retryMs, waitMs * (0.5 + Math.random() / 2)), signal);
        if (signal.aborted) return;
        waitMs *= 2;
      }
    }
  }

  #sayFailure(reason: string): void {
    this.#fails = true;
    this.#options.onNote(
      `Cannot push metrics to ${this.#shownUrl}: ${reason.split("\n")[0]}; ` +
        "what is counted until then comes with the next push that works",
    );
  }

  async #try(bytes: Uint8Array<ArrayBuffer>, signal: AbortSignal): Promise<void> {
    const { url, headers } = this.#options;
    const late = AbortSignal.timeout(this.#limits.tryMs);
    let response: Response;
    try {
      response = await fetch(url, {
        method: "POST",
        headers: {
          ...headers,
          "content-type": "application/json",
          "content-encoding": "gzip",
        },
        body: bytes,
        redirect: "manual",
        signal: AbortSignal.any([signal, late]),
      });
    } catch (error) {
      if (error instanceof Deno.errors.NotCapable) throw new TryError(error.message);
      if (late.aborted) throw new TryError(`no answer in ${this.#limits.tryMs / 1_000} s`, 0);
      throw new TryError(causeOf(error), 0);
    }
    const answer = await readResponseStart(response, ANSWER_MAX);
    if (response.ok) {
      this.#sayPartial(answer);
      return;
    }
    const status = `it answers ${response.status} ${response.statusText}`.trim();
    if (!RETRYABLE.includes(response.status)) throw new TryError(status);
    const seconds = Number(response.headers.get("retry-after") ?? "0");
    throw new TryError(status, Math.min(seconds * 1_000 || 0, RETRY_AFTER_MAX_MS));
  }

  /** Says once that a collector took it and threw a part away. */
  #sayPartial(answer: string): void {
    if (this.#saidPartial) return;
    const partial = /"partialSuccess"\s*:\s*\{[^}]*"rejectedDataPoints"\s*:\s*"?([1-9]\d*)/.exec(
      answer,
    );
    if (partial === null) return;
    this.#saidPartial = true;
    this.#options.onNote(
      `${this.#shownUrl} takes the metrics but rejects ${
        countOf(Number(partial[1]), "data point")
      } of them`,
    );
  }

  /** Ends it, with a last push in one try. @param lastMs How long that may take. @returns Whether it was taken. */
  async close(lastMs: number): Promise<boolean> {
    this.#over.abort();
    await this.#running;
    try {
      const { body, acknowledge } = this.#options.make();
      await this.#try(await compress(body), AbortSignal.timeout(lastMs));
      acknowledge();
      return true;
    } catch (error) {
      const reason = messageOf(error).split("\n")[0];
      this.#options.onNote(`Cannot push the last metrics to ${this.#shownUrl}: ${reason}`);
      return false;
    }
  }
}

async function compress(text: string): Promise<Uint8Array<ArrayBuffer>> {
  const stream = new Blob([text]).stream().pipeThrough(new CompressionStream("gzip"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const end = () => {
      clearTimeout(timer);
      signal.removeEventListener("abort", end);
      resolve();
    };
    const timer = setTimeout(end, Math.max(0, ms));
    signal.addEventListener("abort", end);
  });
}
