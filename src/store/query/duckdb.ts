/**
 * DuckDB, in memory and in this process: fetched when it is first needed, bounded, and shut in.
 *
 * @module
 */
import type { DuckDBConnection, DuckDBInstance, DuckDBResult } from "@duckdb/node-api";
import { InputError } from "../../files/input_error.ts";
import { messageOf } from "../../text/message.ts";
import { sqlText } from "./dialect.ts";

/** The library; a literal name would have it fetched for every command. */
const LIBRARY = "@duckdb/node-api";
/** The package that holds its native code, by Deno's name of the processor. */
const NATIVE: Readonly<Record<string, string>> = {
  x86_64: "@duckdb/node-bindings-linux-x64",
  aarch64: "@duckdb/node-bindings-linux-arm64",
};

/** What bounds a database. */
export interface DatabaseBounds {
  /** Bytes of memory that this process takes, roughly; what does not fit goes to `folder`. */
  memoryBytes: number;
  /** Where it may write what does not fit. */
  folder: string;
}

/**
 * What the process takes beyond what DuckDB counts: 90 MB before it is asked anything, the rest is what
 * its library, its sorting and the C library's memory keep beside (a question of five million records).
 */
const UNCOUNTED_BYTES = 220e6;
/** What a thread takes that makes a Parquet file: with less DuckDB gives up. */
const THREAD_BYTES = 130e6;
/** The least of {@linkcode DatabaseBounds.memoryBytes}. */
export const MEMORY_MIN_BYTES = UNCOUNTED_BYTES + THREAD_BYTES;

/** A value of a row. */
export type Value = string | number | boolean | null | readonly Value[] | { [name: string]: Value };

/** Rows, and what their columns are. */
export interface Rows {
  columns: { name: string; type: string }[];
  values: Value[][];
}

/** That a statement cannot be run: why, on one line. */
export class SqlError extends Error {
  /** @param message DuckDB's, which may have many lines, or our own. */
  constructor(message: string) {
    const [reason] = message.replace("Failed to extract statements: ", "")
      .split(/\s*Candidate (?:functions|bindings):/);
    super(reason.trim().replaceAll(/\s*\n\s*/g, " "));
    this.name = "SqlError";
  }
}

async function loadLibrary(): Promise<typeof import("@duckdb/node-api")> {
  try {
    return await import(LIBRARY);
  } catch (error) {
    const [reason] = messageOf(error).split("\n");
    throw new InputError(
      `Cannot load DuckDB: ${reason}; the npm registry must be reached once, or ask without it: ` +
        "a segment is NDJSON, which jq reads",
    );
  }
}

/** What is fetched, in megabytes: Deno takes the code for other C libraries too. */
export const LIBRARY_SIZE_MB = 50;

/** Whether the library is on this machine already. */
export function isFetched(): boolean {
  const native = NATIVE[Deno.build.arch];
  const npm = `${cacheFolder()}/npm`;
  try {
    return [...Deno.readDirSync(npm)].some(({ name }) => isFolder(`${npm}/${name}/${native}`));
  } catch {
    return false;
  }
}

/** Where Deno keeps what it fetched. */
function cacheFolder(): string {
  const { env } = Deno;
  const cache = env.get("XDG_CACHE_HOME") ?? `${env.get("HOME") ?? ""}/.cache`;
  return env.get("DENO_DIR") ?? `${cache}/deno`;
}

function isFolder(path: string): boolean {
  try {
    return Deno.statSync(path).isDirectory;
  } catch {
    return false;
  }
}

const INTERRUPT_MS = 50;
/** What has not ended so long after it was interrupted does not hear it. */
const DEAF_MS = 1_000;

/** A database in memory. */
export class Database implements Disposable {
  readonly #instance: DuckDBInstance;
  readonly #connection: DuckDBConnection;
  #interrupting: ReturnType<typeof setInterval> | undefined;
  #isDeaf = false;

  private constructor(instance: DuckDBInstance, connection: DuckDBConnection) {
    this.#instance = instance;
    this.#connection = connection;
  }

  /**
   * Opens an empty one. It fetches no extensions, and nothing else by itself.
   *
   * @throws {InputError} The library cannot be loaded: a whole sentence.
   */
  static async open({ memoryBytes, folder }: DatabaseBounds): Promise<Database> {
    const { DuckDBInstance } = await loadLibrary();
    const bytes = memoryBytes - UNCOUNTED_BYTES;
    const threads = Math.min(navigator.hardwareConcurrency, Math.floor(bytes / THREAD_BYTES));
    const instance = await DuckDBInstance.create(":memory:", {
      memory_limit: `${Math.floor(bytes / 1e6)}MB`,
      threads: String(threads),
      temp_directory: folder,
      preserve_insertion_order: "false",
      autoinstall_known_extensions: "false",
      autoload_known_extensions: "false",
    });
    return new Database(instance, await instance.connect());
  }

  /** Chooses whether what each Parquet file says of itself is read once, and not for each statement. */
  async keepMetadata(areKept: boolean): Promise<void> {
    await this.run(`SET parquet_metadata_cache = ${areKept}`);
  }

  /**
   * Shuts it in: from now on it opens no file but these, and none of its settings can be changed.
   *
   * @param files What may be opened.
   */
  async shutIn(files: readonly string[]): Promise<void> {
    const allowed = files.map(sqlText).join(", ");
    await this.run(`SET allowed_paths = [${allowed}]`);
    await this.run("SET enable_external_access = false");
    await this.run("SET lock_configuration = true");
  }

  /** Runs a statement of our own. @throws {SqlError} It fails. */
  async run(sql: string): Promise<void> {
    this.#assertGoesOn();
    try {
      await this.#connection.run(sql);
    } catch (error) {
      throw toSqlError(error);
    }
  }

  /**
   * Asks for rows: by one statement that changes nothing.
   *
   * @param isForeign Whether somebody else wrote it. @throws {SqlError} It is another one, or fails.
   */
  async ask(sql: string, isForeign = false): Promise<Rows> {
    this.#assertGoesOn();
    try {
      const statements = await this.#connection.extractStatements(sql).catch(onNothing);
      if (statements.count !== 1) {
        throw new SqlError(
          PIVOT.test(sql) ? PIVOT_ADVICE : `give one statement, not ${statements.count}`,
        );
      }
      const prepared = await statements.prepare(0);
      if (prepared.statementType !== SELECT) {
        throw new SqlError("give a SELECT: what changes anything is not run");
      }
      if (isForeign) await this.#refuseChanges(sql);
      const answer: Rows = { columns: [], values: [] };
      for await (const { columns, values } of this.#pieces(sql, () => prepared.stream())) {
        answer.columns = columns;
        for (const row of values) answer.values.push(row);
        if (answer.values.length * columns.length > VALUES_MAX) {
          throw new SqlError(
            `it has more than ${VALUES_MAX} values: ask for fewer rows or columns`,
          );
        }
      }
      return answer;
    } catch (error) {
      throw toSqlError(error);
    }
  }

  /** Refuses what changes settings all the same, though they are locked. @param sql One SELECT. */
  async #refuseChanges(sql: string): Promise<void> {
    const plan = await this.#connection.run(`EXPLAIN (FORMAT json) ${sql}`);
    const [, name] = CHANGING.exec((await plan.getRowsJson()).flat().join("\n")) ?? [];
    if (name !== undefined) {
      throw new SqlError(`leave ${name.toLowerCase()}() out: it changes settings`);
    }
  }

  /** Asks for rows that need not all be held, in pieces. The SQL is our own. @throws {SqlError} It fails. */
  async *stream(sql: string): AsyncGenerator<Value[][]> {
    this.#assertGoesOn();
    try {
      const pieces = this.#pieces(sql, () => this.#connection.stream(sql));
      for await (const { values } of pieces) yield values;
    } catch (error) {
      throw toSqlError(error);
    }
  }

  /**
   * The rows of a statement, in pieces: at least one, which may be empty. To the library an error among
   * rows is their end: so the transaction is asked whether it was one.
   */
  async *#pieces(sql: string, start: () => Promise<DuckDBResult>): AsyncGenerator<Rows> {
    await this.#connection.run("BEGIN TRANSACTION READ ONLY");
    try {
      const result = await start();
      const types = result.columnTypes().map(String);
      const columns = result.columnNames().map((name, at) => ({ name, type: types[at] }));
      yield { columns, values: [] };
      for await (const rows of result.yieldRowsJson()) {
        yield { columns, values: rows.map((row) => toValues(row, types)) };
      }
      await this.#connection.run("SELECT 1").catch(() => this.#failed(sql));
    } finally {
      await this.#connection.run("ROLLBACK").catch(() => {});
    }
  }

  /** Finds out why a statement gave only some of its rows. @throws {Error} Always. */
  async #failed(sql: string): Promise<never> {
    this.#assertGoesOn();
    await this.#connection.run("ROLLBACK");
    // Runs it again without keeping any row, and fails as it did.
    await this.#connection.run(`${EXPLAIN}${sql}`);
    throw new SqlError("it failed in the middle, and not again: ask once more");
  }

  /**
   * Ends what is being asked, which fails, as all that follows does.
   *
   * @returns Settles where it goes on all the same: some functions, such as repeat(), hear nothing. Then
   * the database cannot be closed, and ends with the process.
   */
  async interrupt(): Promise<void> {
    this.#connection.interrupt();
    // What has been handed over but has not begun yet does not hear it.
    this.#interrupting ??= setInterval(() => this.#connection.interrupt(), INTERRUPT_MS);
    await new Promise((resolve) => Deno.unrefTimer(setTimeout(resolve, DEAF_MS)));
    this.#isDeaf = true;
  }

  #assertGoesOn(): void {
    if (this.#interrupting !== undefined) throw new SqlError("it was interrupted");
  }

  /** Gives its memory back. */
  [Symbol.dispose](): void {
    clearInterval(this.#interrupting);
    if (this.#isDeaf) return;
    this.#connection.closeSync();
    this.#instance.closeSync();
  }
}

/** A SELECT, in DuckDB's numbers of statements (duckdb.h). EXPLAIN ANALYZE would run whatever it explains. */
const SELECT = 1;
/** Functions of tables that do more than read, as a plan names them. */
const CHANGING = /"Function": "((?:ENABLE|DISABLE|TRUNCATE)_\w+|\w*CHECKPOINT)"/;
/** What DuckDB makes two statements of where it has to look for the values itself. */
const PIVOT = /\bPIVOT/i;
const PIVOT_ADVICE =
  "give one statement, and to a PIVOT the values it makes columns of: ON outcome IN ('established', 'timeout')";
/** What has a statement run without any of its rows. */
const EXPLAIN = "EXPLAIN ANALYZE ";
/** Values of an answer that are held at most. */
const VALUES_MAX = 5_000_000;
/** Integers come as text, since not all of them fit a number. */
const INTEGER = /^U?(?:BIG|HUGE)INT$/;
const SAFE_DIGITS = 15;

/** The library's binding has no words for a text without any statement. */
function onNothing(error: Error): never {
  if (error.message !== "Error in native callback") throw error;
  throw new SqlError("give a statement");
}

function toValues(row: readonly unknown[], types: readonly string[]): Value[] {
  return row.map((value, at) => toValue(value, types[at]));
}

function toValue(value: unknown, type: string): Value {
  if (typeof value === "string" && INTEGER.test(type) && value.length <= SAFE_DIGITS) {
    return Number(value);
  }
  if (typeof value === "string" && type.startsWith("TIMESTAMP")) return rfc3339(value);
  return value as Value;
}

/** A time as records have it: RFC 3339, with nine digits behind the second. */
function rfc3339(text: string): string {
  const [, date, time, fraction = ""] = /^(\S+) ([\d:]{8})(?:\.(\d+))?/.exec(text) ?? [];
  return date === undefined ? text : `${date}T${time}.${fraction.padEnd(9, "0")}Z`;
}

function toSqlError(error: unknown): unknown {
  if (error instanceof SqlError || !(error instanceof Error)) return error;
  if (error.message.startsWith("Out of Memory Error")) {
    return new SqlError("it takes more memory than it may: give more with --memory");
  }
  return new SqlError(error.message.replace(EXPLAIN, ""));
}
