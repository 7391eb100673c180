/**
 * Why a ClickHouse server does not do what it is asked: one sentence each, whatever its version calls it.
 *
 * @module
 */

/** What is wrong, for who decides whether the same may work later. */
export type ServerFault =
  /** Nobody answers there. */
  | "unreachable"
  /** What stands before it, such as a proxy, says that it is away or has too much to do. */
  | "busy"
  /** What stands before it takes no body of that size. */
  | "size"
  /** It has not answered in time. */
  | "late"
  /** Its certificate is not to be trusted, or it speaks no TLS. */
  | "tls"
  /** Something else than ClickHouse answers. */
  | "foreign"
  | "authentication"
  /** The user may not do this, or may not change settings. */
  | "rights"
  | "no-database"
  | "no-table"
  /** A table lacks a column, or the server a function or setting: another version. */
  | "version"
  /** It cannot write now: no space, too many parts, a table that is read-only. */
  | "full"
  /** A bound of memory, time or simultaneous questions. */
  | "limit"
  /** A server of the cluster does not answer. */
  | "shard"
  | "cancelled"
  /** What was asked is no SQL that it knows. */
  | "sql";

/** Faults after which the same may work later, without anybody's doing here. */
const PASSING: readonly ServerFault[] = ["unreachable", "busy", "late", "full", "limit", "shard"];

/** That a server did not do what it was asked: one sentence. */
export class ServerError extends Error {
  /**
   * @param fault Its kind. @param message A whole sentence. @param code ClickHouse's number of the error.
   */
  constructor(readonly fault: ServerFault, message: string, readonly code?: number) {
    super(message);
    this.name = "ServerError";
  }

  /** How long it asks to be left alone, milliseconds; undefined: it does not say. */
  retryAfterMs?: number;

  /** Whether the same may work later. */
  get mayPass(): boolean {
    return PASSING.includes(this.fault);
  }
}

/** ClickHouse's number for more memory than the question may take, or the server has (MEMORY_LIMIT_EXCEEDED). */
export const MEMORY_LIMIT = 241;

/** ClickHouse's numbers (src/Common/ErrorCodes.cpp), which never change their meaning. */
const FAULTS: Readonly<Record<number, ServerFault>> = {
  16: "version", // NO_SUCH_COLUMN_IN_TABLE
  46: "version", // UNKNOWN_FUNCTION
  47: "version", // UNKNOWN_IDENTIFIER
  60: "no-table", // UNKNOWN_TABLE
  81: "no-database", // UNKNOWN_DATABASE
  115: "version", // UNKNOWN_SETTING
  117: "version", // INCORRECT_DATA: of an insert, a field that the table has not
  158: "limit", // TOO_MANY_ROWS
  159: "limit", // TIMEOUT_EXCEEDED
  160: "limit", // TOO_SLOW
  164: "rights", // READONLY
  191: "limit", // SET_SIZE_LIMIT_EXCEEDED
  192: "authentication", // UNKNOWN_USER
  193: "authentication", // WRONG_PASSWORD
  194: "authentication", // REQUIRED_PASSWORD
  195: "authentication", // IP_ADDRESS_NOT_ALLOWED
  201: "limit", // QUOTA_EXPIRED
  202: "limit", // TOO_MANY_SIMULTANEOUS_QUERIES
  209: "shard", // SOCKET_TIMEOUT
  210: "shard", // NETWORK_ERROR
  [MEMORY_LIMIT]: "limit",
  242: "full", // TABLE_IS_READ_ONLY
  243: "full", // NOT_ENOUGH_SPACE
  252: "full", // TOO_MANY_PARTS
  279: "shard", // ALL_CONNECTION_TRIES_FAILED
  291: "rights", // DATABASE_ACCESS_DENIED
  307: "limit", // TOO_MANY_BYTES
  383: "full", // TABLE_IS_BEING_RESTARTED
  392: "rights", // QUERY_IS_PROHIBITED
  394: "cancelled", // QUERY_WAS_CANCELLED
  396: "limit", // TOO_MANY_ROWS_OR_BYTES
  425: "limit", // SYSTEM_ERROR
  497: "rights", // ACCESS_DENIED
  516: "authentication", // AUTHENTICATION_FAILED
};
/** The system's number for a full disk (ENOSPC), which older servers tell in the words of an error alone. */
const NO_SPACE = /No space left on device|errno: 28\b/;
/** A server of a cluster that is killed while it takes its part of an insert. */
const SHARD_GONE =
  /while receiving packet from|while (?:reading from|writing to) socket|Insertion status:/;
/** `Code: 60. DB::Exception: …`, and `Code: 60, e.displayText() = DB::Exception: …` before 2021. */
const ERROR =
  /Code: (\d+)[.,]\s*(?:e\.displayText\(\) = )?(?:DB::\w*Exception|Poco::[\w:]*|std::\w+)?:?\s*/;
/** What stands behind the reason: `, e.what() = …`, `(NAME)`, `(version …)`, a stack. */
const BEHIND = /,? e\.what\(\) = [^]*$|\s*\(version [^]*$|\s*Stack trace:[^]*$|\s*\n[^]*$/;
const REASON_MAX = 300;

/** What an HTTP status says that ClickHouse itself did not write (RFC 9110 section 15). */
export function readHttpFailure(
  { status, statusText, headers }: Pick<Response, "status" | "statusText" | "headers">,
  where: string,
): ServerError {
  const answer = `it answers ${status} ${statusText}`.trimEnd();
  if (status === 413) {
    return new ServerError(
      "size",
      `What stands before ClickHouse at ${where} takes no body of that size: ${answer}; ` +
        "give a smaller --batch-size, or have it take more",
    );
  }
  if (!BUSY_STATUSES.includes(status)) {
    return new ServerError("foreign", `What answers at ${where} is no ClickHouse: ${answer}`);
  }
  const error = new ServerError("busy", `${where} takes nothing now: ${answer}`);
  const seconds = headers.get("retry-after") ?? "";
  if (/^\d{1,9}$/.test(seconds)) error.retryAfterMs = Number(seconds) * 1_000;
  return error;
}

/** Too many requests, bad gateway, unavailable, gateway timeout. */
const BUSY_STATUSES: readonly number[] = [429, 502, 503, 504];

/** Reads an error as ClickHouse writes it. @returns Undefined where it is none. */
export function readServerError(
  text: string,
  where: string,
): ServerError | undefined {
  const found = ERROR.exec(text);
  if (found === null) return undefined;
  const code = Number(found[1]);
  let reason = text.slice(found.index + found[0].length);
  // A server of the cluster is quoted with its own head.
  const inner = /Received from \S+?\.? (?:DB::Exception: )+/.exec(reason);
  if (inner !== null) reason = reason.slice(inner.index + inner[0].length);
  reason = reason.replace(BEHIND, "").replace(/^(?:DB::Exception: )+/, "").replace(/\.?\s*$/, "")
    .slice(0, REASON_MAX);
  const fault = NO_SPACE.test(text)
    ? "full"
    // A server of the cluster that is there, and says so.
    : FAULTS[code] === "limit"
    ? "limit"
    : SHARD_GONE.test(text)
    ? "shard"
    : FAULTS[code] ?? "sql";
  return new ServerError(fault, sentenceOf(fault, code, reason, where), code);
}

function sentenceOf(fault: ServerFault, code: number, reason: string, where: string): string {
  const said = `${reason} (code ${code})`;
  switch (fault) {
    case "authentication":
      return `ClickHouse at ${where} refuses this user and password: ${said}`;
    case "rights":
      return `ClickHouse at ${where} does not let this user do that: ${said}`;
    case "no-database":
      return `ClickHouse at ${where} has no such database: ${said}; synsnoop ship --apply makes it`;
    case "no-table":
      return `ClickHouse at ${where} has no such table: ${said}; synsnoop ship --apply makes it`;
    case "version":
      return `ClickHouse at ${where}, or the table there, is of another version: ${said}`;
    case "full":
      return `ClickHouse at ${where} can write nothing now: ${said}`;
    case "limit":
      return `ClickHouse at ${where} gives up at a limit: ${said}`;
    case "shard":
      return `A server of the cluster of ${where} does not answer: ${said}; ` +
        "nothing is told of the others alone";
    case "cancelled":
      return `ClickHouse at ${where} was told to stop: ${said}`;
    default:
      return `ClickHouse at ${where} refuses: ${said}`;
  }
}
