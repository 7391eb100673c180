/**
 * ClickHouse by its HTTP interface: questions, inserts, and what goes wrong with them as one sentence.
 *
 * @module
 */
import { readResponseStart } from "../../text/response_start.ts";
import { causeOf, messageOf } from "../../text/message.ts";
import type { Rows, Value } from "../query/duckdb.ts";
import { readHttpFailure, readServerError, ServerError } from "./server_error.ts";
import { TabSeparatedReader } from "./tab_separated.ts";

/** Where a server is, and who asks. */
export interface ServerOptions {
  /** `http://HOST:PORT` or `https://…`, without a user, a path or a query. */
  origin: string;
  /** The database that tables without another are of. */
  database: string;
  /** Undefined: the server's `default`. */
  user?: string;
  password?: string;
  /** Certificates of authorities to trust beside those of the system, PEM. */
  caCertificates?: readonly string[];
  /** Bounds other than the usual. */
  limits?: Partial<ServerLimits>;
}

/** What bounds a request. */
export interface ServerLimits {
  /** How long the first answer of a server may take, milliseconds. */
  openMs: number;
  /** How long an answer or an insert may take, milliseconds. */
  answerMs: number;
  /** How long the server may take to hear that a question is to be ended, milliseconds. */
  cancelMs: number;
  /** Rows of an answer that is held as a whole. */
  rowsMax: number;
}

/** What goes with one request. */
export interface RequestOptions {
  /** Settings of ClickHouse, for this request alone. */
  settings?: Readonly<Record<string, string | number>>;
  /** Ends the request. */
  signal?: AbortSignal;
  /** Whether the database is named, without which one that is not there is no error; absent: it is. */
  hasDatabase?: boolean;
}

/** What goes with one insert. */
export interface InsertOptions extends RequestOptions {
  /** How the rows are compressed; undefined: they are not. */
  encoding?: "gzip" | "zstd";
}

interface PostOptions extends InsertOptions {
  timeoutMs?: number;
  queryId?: string;
}

const USUAL_LIMITS: ServerLimits = {
  openMs: 10_000,
  answerMs: 600_000,
  cancelMs: 2_000,
  rowsMax: 1_000_000,
};
const FORMAT = "TabSeparatedWithNamesAndTypes";
/** Bytes of an error that are looked at. */
const ERROR_MAX_BYTES = 16_384;
/** Such as `26.7.2.1` or `18.16.1`. */
const VERSION = /^(\d{1,4})\.(\d{1,4})(?:\.[\d.]{1,20})?$/;
/**
 * The whole answer is made before its first byte is sent. So what fails in the middle, such as a server of
 * the cluster that goes away, is told as an error and never as a shorter answer.
 */
const WHOLE = { wait_end_of_query: 1 };
/** Silence of a part is an error. */
const WHOLE_CLUSTER = { skip_unavailable_shards: 0 };
/** What a profile's setting `readonly` lets a question set: everything, nothing, all but itself. */
const READ_ONLY: Readonly<Record<string, Record<string, number>>> = {
  "0": { ...WHOLE_CLUSTER, readonly: 1 },
  "2": WHOLE_CLUSTER,
};
const OPEN_SQL = "SELECT version(), name, value FROM system.settings " +
  "WHERE name IN ('readonly', 'skip_unavailable_shards') ORDER BY name FORMAT TabSeparated";

/** A server. */
export class ClickHouseServer implements Disposable {
  readonly #options: ServerOptions;
  readonly #limits: ServerLimits;
  readonly #client: Deno.HttpClient | undefined;
  #version: string | undefined;
  /** What a question sets; undefined: this user may set nothing, and only read. */
  #readOnly: Record<string, number> | undefined = READ_ONLY["0"];

  /** Opens no connection. */
  constructor(options: ServerOptions) {
    this.#options = options;
    this.#limits = { ...USUAL_LIMITS, ...options.limits };
    const { caCertificates } = options;
    if (caCertificates !== undefined) {
      try {
        this.#client = Deno.createHttpClient({ caCerts: [...caCertificates] });
      } catch (error) {
        throw new ServerError("tls", `Cannot use these certificates: ${messageOf(error)}`);
      }
    }
  }

  /** Its address, without anything secret. */
  get where(): string {
    return this.#options.origin;
  }

  /** The database that is asked. */
  get database(): string {
    return this.#options.database;
  }

  /** Its version, once {@linkcode open} was called, such as `26.7.2.1`. */
  get version(): string {
    if (this.#version === undefined) throw new Error("open() was not called");
    return this.#version;
  }

  /** Whether its version is this or a later one. @throws {Error} {@linkcode open} was not called. */
  isAtLeast(major: number, minor: number): boolean {
    const [, ...numbers] = VERSION.exec(this.version)!;
    const [ownMajor, ownMinor] = numbers.map(Number);
    return ownMajor > major || (ownMajor === major && ownMinor >= minor);
  }

  /**
   * Asks what it is, without any database: whether it is there, is ClickHouse and knows the user.
   *
   * @throws {ServerError} Which of these is not so.
   */
  async open(signal?: AbortSignal): Promise<void> {
    const response = await this.#post(OPEN_SQL, {
      signal,
      timeoutMs: this.#limits.openMs,
      hasDatabase: false,
    });
    const text = await readBounded(response, ERROR_MAX_BYTES, this.where);
    const [[version, , readonly] = [], [, , skips] = []] = text.trimEnd().split("\n")
      .map((line) => line.split("\t"));
    if (!VERSION.test(version) || !/^[012]$/.test(readonly)) {
      throw new ServerError("foreign", `What answers at ${this.where} is no ClickHouse`);
    }
    this.#version = version;
    this.#readOnly = READ_ONLY[readonly];
    if (this.#readOnly === undefined && skips !== "0") {
      throw new ServerError(
        "rights",
        `The profile of this user at ${this.where} leaves out servers that do not answer; ` +
          "give it skip_unavailable_shards 0",
      );
    }
  }

  /**
   * Asks for rows, which are held as a whole. The server changes nothing for it, and makes the answer
   * whole before it sends any of it. A user who may set nothing asks within the limits of its profile.
   *
   * @throws {ServerError} It is not answered as a whole.
   */
  async ask(sql: string, options: RequestOptions = {}): Promise<Rows> {
    const reader = new TabSeparatedReader();
    const values: Value[][] = [];
    for await (const rows of this.#rows(reader, sql, options)) {
      for (const row of rows) values.push(row);
      if (values.length > this.#limits.rowsMax) {
        throw new ServerError(
          "limit",
          `Cannot hold an answer of more than ${this.#limits.rowsMax} rows: ask for fewer`,
        );
      }
    }
    return { columns: reader.columns, values };
  }

  /**
   * Asks for rows in pieces: as {@linkcode ask} but for holding them.
   *
   * @throws {ServerError} It is not answered as a whole.
   */
  async *stream(sql: string, options: RequestOptions = {}): AsyncGenerator<Value[][]> {
    yield* this.#rows(new TabSeparatedReader(), sql, options);
  }

  async *#rows(
    reader: TabSeparatedReader,
    sql: string,
    options: RequestOptions,
  ): AsyncGenerator<Value[][]> {
    const queryId = `synsnoop-${crypto.randomUUID()}`;
    const settings = {
      ...WHOLE,
      ...this.#readOnly && { ...options.settings, ...this.#readOnly },
      default_format: FORMAT,
    };
    try {
      const response = await this.#post(sql, { ...options, settings, queryId });
      for await (const bytes of response.body ?? []) {
        const rows = reader.take(bytes);
        if (rows.length > 0) yield rows;
      }
      reader.end();
    } catch (error) {
      const failure = this.#failure(error, options.signal);
      // Nobody waits for it any more, but the server does not hear that by itself.
      if (options.signal?.aborted === true || isLate(failure)) await this.#cancel(queryId);
      throw failure;
    }
  }

  /** Runs a statement that may change something. @throws {ServerError} It fails. */
  async run(sql: string, options: RequestOptions = {}): Promise<void> {
    const response = await this.#post(sql, {
      ...options,
      settings: { ...WHOLE, ...options.settings },
    });
    await response.body?.cancel();
  }

  /**
   * Inserts rows into a table: what it returns for is stored, as far as the settings ask for that.
   *
   * @param table As SQL writes it. @param rows `JSONEachRow`: lines of an object each.
   * @throws {ServerError} None, or not all of them, may have been stored.
   */
  async insert(
    table: string,
    rows: Uint8Array<ArrayBuffer> | ReadableStream<Uint8Array<ArrayBuffer>>,
    options: InsertOptions = {},
  ): Promise<void> {
    const response = await this.#post(rows, {
      ...options,
      settings: {
        ...WHOLE,
        query: `INSERT INTO ${table} FORMAT JSONEachRow`,
        ...options.settings,
      },
    });
    await response.body?.cancel();
  }

  /** Tells the server to end a question. One that does not hear it ends it at its own limits. */
  async #cancel(queryId: string): Promise<void> {
    const timeoutMs = this.#limits.cancelMs;
    try {
      const response = await this.#post(`KILL QUERY WHERE query_id = '${queryId}'`, { timeoutMs });
      await response.body?.cancel();
    } catch (error) {
      if (!(error instanceof ServerError)) throw error;
    }
  }

  async #post(
    body: string | Uint8Array<ArrayBuffer> | ReadableStream<Uint8Array<ArrayBuffer>>,
    { settings = {}, queryId, signal, encoding, timeoutMs, hasDatabase = true }: PostOptions,
  ): Promise<Response> {
    const { origin, database, user, password } = this.#options;
    const url = new URL(origin);
    if (hasDatabase) url.searchParams.set("database", database);
    if (queryId !== undefined) url.searchParams.set("query_id", queryId);
    for (const [name, value] of Object.entries(settings)) url.searchParams.set(name, `${value}`);
    const late = AbortSignal.timeout(timeoutMs ?? this.#limits.answerMs);
    let response: Response;
    try {
      response = await fetch(url, {
        method: "POST",
        headers: {
          ...user !== undefined && { "x-clickhouse-user": user },
          ...password !== undefined && { "x-clickhouse-key": password },
          ...encoding !== undefined && { "content-encoding": encoding },
        },
        body,
        // Another place is not given the password.
        redirect: "manual",
        signal: signal === undefined ? late : AbortSignal.any([signal, late]),
        ...this.#client && { client: this.#client },
      });
    } catch (error) {
      if (late.aborted && signal?.aborted !== true) {
        const seconds = (timeoutMs ?? this.#limits.answerMs) / 1_000;
        throw new ServerError("late", `No answer of ${this.where} in ${seconds} s`);
      }
      throw this.#failure(error, signal);
    }
    if (response.ok) return response;
    const text = await readBounded(response, ERROR_MAX_BYTES, this.where);
    throw readServerError(text, this.where) ?? readHttpFailure(response, this.where);
  }

  #failure(error: unknown, signal: AbortSignal | undefined): unknown {
    if (error instanceof ServerError || error instanceof Deno.errors.NotCapable) return error;
    if (signal?.aborted === true) {
      return new ServerError("cancelled", "It was interrupted");
    }
    const cause = causeOf(error);
    if (/certificate|tls|ssl|handshake|corrupt message|InvalidContentType/i.test(cause)) {
      return new ServerError("tls", `Cannot trust ${this.where}: ${cause}`);
    }
    return new ServerError("unreachable", `Cannot reach ${this.where}: ${cause}`);
  }

  /** Closes its connections. */
  [Symbol.dispose](): void {
    this.#client?.close();
  }
}

function isLate(error: unknown): boolean {
  return error instanceof ServerError && error.fault === "late";
}

/** The start of what is answered, see {@link readResponseStart}. @throws {ServerError} It has none. */
async function readBounded(response: Response, max: number, where: string): Promise<string> {
  try {
    return await readResponseStart(response, max);
  } catch (error) {
    throw new ServerError(
      "unreachable",
      `The answer of ${where} ends in the middle: ${causeOf(error)}`,
    );
  }
}
