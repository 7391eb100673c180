import { assertEquals } from "@std/assert";
import { readHttpFailure, readServerError } from "../../../../src/store/clickhouse/server_error.ts";

/** What ClickHouse 18.16 and 26.7 wrote. */
const CASES = [
  [
    "Code: 60, e.displayText() = DB::Exception: Table default.t doesn't exist., e.what() = DB::Exception\n",
    "no-table",
    "ClickHouse at http://ch has no such table: Table default.t doesn't exist (code 60); " +
    "synsnoop ship --apply makes it",
  ],
  [
    "Code: 81. DB::Exception: Database no does not exist. (UNKNOWN_DATABASE) (version 26.7.2.1 (official build))\n",
    "no-database",
    "ClickHouse at http://ch has no such database: Database no does not exist. (UNKNOWN_DATABASE) " +
    "(code 81); synsnoop ship --apply makes it",
  ],
  [
    "Code: 193, e.displayText() = DB::Exception: Wrong password for user x, e.what() = DB::Exception",
    "authentication",
    "ClickHouse at http://ch refuses this user and password: Wrong password for user x (code 193)",
  ],
  [
    "Code: 164. DB::Exception: x: Cannot execute query in readonly mode. (READONLY)",
    "rights",
    "ClickHouse at http://ch does not let this user do that: x: Cannot execute query in readonly " +
    "mode. (READONLY) (code 164)",
  ],
  [
    "Code: 279, e.displayText() = DB::NetException: All connection tries failed. Log: \n\nCode: 210, e.displayText() = …",
    "shard",
    "A server of the cluster of http://ch does not answer: All connection tries failed. Log: " +
    "(code 279); nothing is told of the others alone",
  ],
  [
    "Code: 32, e.displayText() = DB::Exception: Attempt to read after eof: while receiving packet from " +
    "127.0.0.1:9000: Insertion status:\nWrote 3 blocks and 9 rows on shard 1 replica 0",
    "shard",
    undefined,
  ],
  [
    "Code: 1000, e.displayText() = Poco::Exception. Code: 1000, e.code() = 28, No space left on device",
    "full",
    undefined,
  ],
  ["Code: 243. DB::Exception: Cannot reserve 1.00 MiB. (NOT_ENOUGH_SPACE)", "full", undefined],
  ["Code: 252. DB::Exception: Too many parts (300).", "full", undefined],
  ["Code: 241. DB::Exception: Memory limit exceeded", "limit", undefined],
  ["Code: 62. DB::Exception: Syntax error", "sql", undefined],
] as const;

Deno.test("readServerError tells what is wrong, of old servers and new ones", () => {
  for (const [text, fault, says] of CASES) {
    const error = readServerError(text, "http://ch");
    assertEquals(error?.fault, fault, text);
    if (says !== undefined) assertEquals(error?.message, says);
    assertEquals(error?.message.includes("\n"), false);
  }
});

Deno.test("readServerError takes the words of a server of the cluster for its own", () => {
  const text =
    "Code: 47. DB::Exception: Received from 127.0.0.1:9000. DB::Exception: Missing columns: 'x'.";
  assertEquals(
    readServerError(text, "http://ch")?.message,
    "ClickHouse at http://ch, or the table there, is of another version: Missing columns: 'x' (code 47)",
  );
});

Deno.test("readServerError keeps a long reason short, and knows what is no error", () => {
  const long = readServerError(`Code: 62. DB::Exception: ${"x".repeat(10_000)}`, "http://ch");
  assertEquals(long!.message.length < 400, true);
  assertEquals(readServerError("<html>Code of conduct</html>", "http://ch"), undefined);
});

Deno.test("mayPass tells whether the same may work later", () => {
  const mayPass = (code: number) => readServerError(`Code: ${code}. x`, "http://ch")!.mayPass;
  assertEquals([243, 252, 279, 241, 202].map(mayPass), [true, true, true, true, true]);
  assertEquals([60, 81, 164, 193, 516, 62].map(mayPass), Array(6).fill(false));
});

Deno.test("readHttpFailure tells a proxy that is busy from what is no ClickHouse", () => {
  const failure = (status: number, headers: Record<string, string> = {}) =>
    readHttpFailure({ status, statusText: "", headers: new Headers(headers) }, "http://ch");
  const busy = failure(503, { "retry-after": "7" });
  assertEquals(
    [busy.fault, busy.mayPass, busy.retryAfterMs, busy.message],
    ["busy", true, 7_000, "http://ch takes nothing now: it answers 503"],
  );
  // A date, and what somebody made up, say nothing.
  for (const said of ["Wed, 21 Oct 2026 07:28:00 GMT", "-1", "1e9", "9".repeat(400), ""]) {
    assertEquals(failure(429, { "retry-after": said }).retryAfterMs, undefined);
  }
  assertEquals([404, 301, 500, 413].map((status) => failure(status).fault), [
    ...["foreign", "foreign", "foreign", "size"],
  ]);
  assertEquals([502, 504, 413, 404].map((status) => failure(status).mayPass), [
    ...[true, true, false, false],
  ]);
});
