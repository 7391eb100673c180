/**
 * Answers GET and HEAD for a few paths, whoever asks and however: bounded in memory, in connections and in time,
 * so that what else this thread does never waits for it.
 *
 * @module
 */
import { isLocalHost } from "./local_host.ts";
import { messageOf } from "../text/message.ts";
import { RateLimit } from "./rendered.ts";
import { hasWholeHead, HEAD_MAX, parseRequestHead, type RequestHead } from "./request_head.ts";

/** One end of a connection: `Deno.Conn` is one. */
export interface Connection {
  /** Reads some bytes; null at their end. */
  read(into: Uint8Array<ArrayBuffer>): Promise<number | null>;
  /** Writes some bytes. @returns How many. */
  write(bytes: Uint8Array<ArrayBuffer>): Promise<number>;
  close(): void;
}

/** Where connections come in, of TCP or of a Unix socket. */
export interface Listener {
  /** Where it listens, as a person would ask there. */
  readonly where: string;
  /** Whether it is at a loopback address, where only names of this host are answered ({@link isLocalHost}). */
  readonly isLoopback: boolean;
  /** The next connection; undefined once it is closed. */
  accept(): Promise<Connection | undefined>;
  close(): void;
}

/** What stands on a page. */
export interface PageContent {
  status: number;
  contentType: string;
  body: Uint8Array<ArrayBuffer>;
}

/** Makes a page for a request. */
export type Page = (head: RequestHead) => PageContent;

/** What a {@link PageServer} waits for at most, and lets in. */
export interface PageServerLimits {
  /** Connections at a time: the next one takes the place of the oldest, unless that is too young. */
  connectionsMax: number;
  /** How long a connection keeps its place in any case, milliseconds. */
  placeMs: number;
  /** Connections taken a second: the others wait in the kernel. */
  connectionsPerSecond: number;
  /** Answers of each page a second; above it there is 503. */
  answersPerSecond: number;
  /** How long a request may take to come, milliseconds. */
  requestMs: number;
  /** How long an answer may take to be read, milliseconds. */
  answerMs: number;
}

/** What holds for metrics that someone asks for every few seconds. */
export const USUAL_LIMITS: PageServerLimits = {
  connectionsMax: 64,
  placeMs: 250,
  connectionsPerSecond: 1_000,
  answersPerSecond: 20,
  requestMs: 5_000,
  answerMs: 10_000,
};

/** How long a listener that failed, such as for want of descriptors, is not asked again. */
const ACCEPT_RETRY_MS = 1_000;

/** A timer of so long lets everything else that is ready be done before. */
const TURN_MS = 1;

const REASONS: Readonly<Record<number, string>> = {
  200: "OK",
  400: "Bad Request",
  404: "Not Found",
  405: "Method Not Allowed",
  421: "Misdirected Request",
  431: "Request Header Fields Too Large",
  500: "Internal Server Error",
  503: "Service Unavailable",
};

const TEXT = "text/plain; charset=utf-8";
const encoder = new TextEncoder();

/** Answers GET and HEAD with a few pages: bounded in connections, time and bytes, whoever asks and however. */
export class PageServer {
  readonly #listener: Listener;
  readonly #pages: ReadonlyMap<string, { page: Page; limit: RateLimit }>;
  readonly #limits: PageServerLimits;
  readonly #onNote: (sentence: string) => void;
  /** What heads are read into, of connections that have ended. */
  readonly #buffers: Uint8Array<ArrayBuffer>[] = [];
  /** When each came, in that order. */
  readonly #connections = new Map<Connection, number>();
  /** Called when one of them ends. */
  #onEnd = () => {};
  #isClosed = false;
  #saidFailure = false;

  /**
   * Begins to answer.
   *
   * @param pages By path, such as `/metrics`. @param onNote Says in one sentence what goes wrong.
   */
  constructor(
    listener: Listener,
    pages: Readonly<Record<string, Page>>,
    onNote: (sentence: string) => void,
    limits: PageServerLimits = USUAL_LIMITS,
  ) {
    this.#listener = listener;
    this.#limits = limits;
    this.#onNote = onNote;
    this.#pages = new Map(
      Object.entries(pages).map(([path, page]) => [
        path,
        { page, limit: new RateLimit(limits.answersPerSecond) },
      ]),
    );
    this.#serve();
  }

  /** Connections open now. */
  get connections(): number {
    return this.#connections.size;
  }

  async #serve(): Promise<void> {
    const limit = new RateLimit(this.#limits.connectionsPerSecond);
    while (!this.#isClosed) {
      try {
        const connection = await this.#listener.accept();
        if (connection === undefined) return;
        await this.#makePlace();
        this.#takeIn(connection);
        if (!limit.passes(performance.now())) {
          await pause(1_000 / this.#limits.connectionsPerSecond);
        }
      } catch (error) {
        if (this.#isClosed) return;
        if (!this.#saidFailure) {
          this.#saidFailure = true;
          this.#onNote(
            `Cannot take a connection at ${this.#listener.where}: ${messageOf(error)}; ` +
              "trying again each second",
          );
        }
        await pause(ACCEPT_RETRY_MS);
      }
    }
  }

  /**
   * Waits until one that is open ends, or has been there for long enough to be ended: but never without a
   * turn for those whose requests came while this thread did something else.
   */
  async #makePlace(): Promise<void> {
    const { connectionsMax, placeMs } = this.#limits;
    for (let hadTurn = false; this.#connections.size >= connectionsMax; hadTurn = true) {
      const [[oldest, cameMs]] = this.#connections;
      const leftMs = cameMs + placeMs - performance.now();
      if (leftMs <= 0 && hadTurn) return this.#drop(oldest);
      const ended = new Promise<void>((end) => this.#onEnd = end);
      await Promise.race([pause(Math.max(leftMs, TURN_MS)), ended]);
    }
  }

  #takeIn(connection: Connection): void {
    if (this.#isClosed) return connection.close();
    this.#connections.set(connection, performance.now());
    // Whatever fails on a connection is its own end.
    this.#answer(connection).catch(() => {}).finally(() => this.#drop(connection));
  }

  /** Ends a connection: what waits for it fails. */
  #drop(connection: Connection): void {
    if (!this.#connections.delete(connection)) return;
    this.#onEnd();
    try {
      connection.close();
    } catch {
      // The other end was faster.
    }
  }

  async #answer(connection: Connection): Promise<void> {
    const asking = setTimeout(() => this.#drop(connection), this.#limits.requestMs);
    const buffer = this.#buffers.pop() ?? new Uint8Array(HEAD_MAX);
    let content: PageContent & { more?: string };
    let isWithoutBody = false;
    try {
      const bytes = await readHead(connection, buffer);
      const head = bytes && parseRequestHead(bytes);
      isWithoutBody = head?.method === "HEAD";
      content = bytes === undefined
        ? note(431, "the head of the request is too long")
        : head === undefined
        ? note(400, "this is no request")
        : this.#contentFor(head);
    } finally {
      clearTimeout(asking);
      this.#buffers.push(buffer);
    }
    const reading = setTimeout(() => this.#drop(connection), this.#limits.answerMs);
    try {
      await writeAll(connection, encoder.encode(formatHead(content)));
      // A client that asks for the head alone takes what follows for another answer.
      if (!isWithoutBody) await writeAll(connection, content.body);
    } finally {
      clearTimeout(reading);
    }
  }

  #contentFor(head: RequestHead): PageContent & { more?: string } {
    if (this.#listener.isLoopback && !isLocalHost(head.headers.get("host"))) {
      return note(
        421,
        "ask for localhost or for the address itself: no other name is answered here",
      );
    }
    const found = this.#pages.get(head.path);
    if (found === undefined) {
      return note(404, `there is ${[...this.#pages.keys()].join(", ")} and nothing else`);
    }
    if (head.method !== "GET" && head.method !== "HEAD") {
      return note(405, "give GET or HEAD", "Allow: GET, HEAD\r\n");
    }
    if (!found.limit.passes(performance.now())) {
      return note(
        503,
        "asked too often; once a second there is something new",
        "Retry-After: 1\r\n",
      );
    }
    try {
      return found.page(head);
    } catch (error) {
      this.#onNote(`Cannot make the page ${head.path}: ${messageOf(error)}`);
      return note(500, "this page cannot be made");
    }
  }

  /** Takes no more connections and ends those that are open. */
  close(): void {
    this.#isClosed = true;
    this.#listener.close();
    for (const connection of this.#connections.keys()) this.#drop(connection);
  }
}

function note(status: number, text: string, more = ""): PageContent & { more: string } {
  return { status, contentType: TEXT, body: encoder.encode(`${text}\n`), more };
}

function formatHead(content: PageContent & { more?: string }): string {
  const { status, contentType, body, more = "" } = content;
  return `HTTP/1.1 ${status} ${REASONS[status]}\r\nContent-Type: ${contentType}\r\n` +
    `Content-Length: ${body.length}\r\nConnection: close\r\n${more}\r\n`;
}

/** Reads up to the end of the head; undefined where it is longer than what it is read into. */
async function readHead(
  connection: Connection,
  bytes: Uint8Array<ArrayBuffer>,
): Promise<Uint8Array | undefined> {
  let length = 0;
  while (length < bytes.length) {
    const count = await connection.read(bytes.subarray(length));
    if (count === null) throw new Error("it ended before its request did");
    length += count;
    const head = bytes.subarray(0, length);
    if (hasWholeHead(head)) return head;
  }
  return undefined;
}

async function writeAll(connection: Connection, bytes: Uint8Array<ArrayBuffer>): Promise<void> {
  for (let at = 0; at < bytes.length;) at += await connection.write(bytes.subarray(at));
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
