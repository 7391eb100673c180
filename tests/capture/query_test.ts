// Questions of stores and files, answered by DuckDB, against the truth of what was made.
// Covers src/cli/query.ts
// Covers src/store/query/dialect.ts
// Covers src/store/query/isn_sql.ts
// Covers src/store/query/lines_sql.ts
// Covers src/store/query/parquet_files.ts
// Covers src/store/query/repeats_sql.ts
// Covers src/store/query/views_sql.ts
import { assert, assertEquals, assertGreater, assertMatch, assertRejects } from "@std/assert";
import fc from "fast-check";
import { zstdCompressSync } from "node:zlib";
import { InputError } from "../../src/files/input_error.ts";
import { type HandshakeFilter, passes } from "../../src/pipeline/filter.ts";
import { encodeHandshake } from "../../src/record/ndjson.ts";
import { ask } from "../../src/store/query/ask.ts";
import { DUCKDB } from "../../src/store/query/dialect.ts";
import { SqlError } from "../../src/store/query/duckdb.ts";
import { filterSql } from "../../src/store/query/filter_sql.ts";
import { QUESTIONS } from "../../src/store/query/questions.ts";
import { areMetadataSmall } from "../../src/store/query/parquet_files.ts";
import { HASH_COLUMNS } from "../../src/store/query/repeats_sql.ts";
import { seal } from "../../src/store/seal.ts";
import { SegmentOutput } from "../../src/store/segment_output.ts";
import { until } from "../netns/namespace.ts";
import { Folder } from "../folder.ts";
import { anyFilter, anyHandshakes, FILTER_CONTEXT } from "./random_filters.ts";
import { linesOf, makeRecords } from "./made_records.ts";
import { buildRefused } from "./refused_capture.ts";
import { countingNumbers, toldLine, toldRecords } from "./told_again.ts";

const MAIN = new URL("../../src/main.ts", import.meta.url).pathname;
const HOST = "5f1c7c3aa9d04c5b8e0d5c1f0a7b6e21";

const QUIET = { memoryBytes: 512e6, onFetch: () => {}, onBegin: () => {}, onProgress: () => {} };

async function rowsOf(inputs: readonly string[], sql: string, filter: HandshakeFilter = {}) {
  return (await ask({ ...QUIET, inputs, filter, asked: { sql } })).rows;
}

async function answerOf(
  inputs: readonly string[],
  question: string,
  filter: HandshakeFilter = {},
  more: Partial<Parameters<typeof QUESTIONS[string]["answer"]>[1]> = {},
) {
  const asked = { by: undefined, bucketSeconds: 60, limit: 1_000_000, ...more };
  const { columns, rows } = await ask({
    ...QUIET,
    inputs,
    filter,
    asked: QUESTIONS[question].answer(DUCKDB, asked),
  });
  return rows.map((row) => Object.fromEntries(columns.map(({ name }, at) => [name, row[at]])));
}

async function runQuery(args: readonly string[], env: Record<string, string> = {}) {
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--quiet", MAIN, "query", ...args],
    stdin: "null",
    env,
  }).output();
  const decoder = new TextDecoder();
  return { status: code, out: decoder.decode(stdout), said: decoder.decode(stderr) };
}

Deno.test("a filter lets pass in SQL what it lets pass elsewhere", async () => {
  using folder = new Folder();
  const handshakes = anyHandshakes(600, 5);
  const lines = handshakes.map((handshake) => encodeHandshake(handshake, FILTER_CONTEXT));
  const input = folder.write("records.ndjson", lines.join(""));
  const filters = fc.sample(anyFilter(), { numRuns: 30, seed: 6 });
  let passed = 0;
  for (const filter of filters) {
    const expected = handshakes.filter((it) => passes(filter, it, FILTER_CONTEXT))
      .map(({ server }) => server.isn!);
    passed += expected.length;
    const rows = await rowsOf([input], "SELECT server_isn FROM records ORDER BY 1", filter);
    assertEquals(rows.flat(), expected, JSON.stringify(filter));
  }
  assertGreater(passed, 100);
});

Deno.test("filterSql has no condition where all pass", () => {
  assertEquals(filterSql({}, DUCKDB), undefined);
});

Deno.test("of what several told, the records of the least teller count", async (t) => {
  using folder = new Folder();
  const counting = "SELECT server_isn FROM handshakes ORDER BY 1";
  for (const seed of [1, 2, 3]) {
    const records = toldRecords(1_500, seed);
    const lines = records.map(toldLine);
    const half = lines.length / 2;
    const inputs = [lines.slice(0, half), lines.slice(half)].map((part, at) =>
      folder.write(`${at}.ndjson`, part.join(""))
    );
    const numbers = countingNumbers(records);
    assertGreater(records.length - numbers.length, 100);
    await t.step(`of records ${seed}, whatever is read first`, async () => {
      assertEquals((await rowsOf(inputs, counting)).flat(), numbers);
      assertEquals((await rowsOf(inputs.toReversed(), counting)).flat(), numbers);
    });
    await t.step(`of those of records ${seed} that a filter lets pass`, async () => {
      const tracedOn = ["api1", "web1"];
      const some = records.filter(({ host }) => tracedOn.includes(host));
      const rows = await rowsOf(inputs, counting, { tracedOn });
      assertEquals(rows.flat(), countingNumbers(some));
    });
  }
  await t.step("where one SYN is repeated by the thousand", async () => {
    const records = toldRecords(20_000, 4).map((record, number) => ({ ...record, isn: 7, number }));
    const few = records.filter(({ seconds }) => seconds < 30);
    const inputs = [folder.write("hostile.ndjson", few.map(toldLine).join(""))];
    assertEquals((await rowsOf(inputs, counting)).flat(), countingNumbers(few));
  });
});

Deno.test("DuckDB makes the hashes that are in Parquet files already", async () => {
  using folder = new Folder();
  const sql = `SELECT ${HASH_COLUMNS.map(({ sql }) => sql).join(", ")} FROM (SELECT
    '2001:db8::10' AS client_address, 52312::USMALLINT AS client_port,
    '192.0.2.2' AS server_address, 443::USMALLINT AS server_port,
    '${HOST}' AS host_id, 'web1' AS host, '4711-1763859723123' AS tracer)`;
  // Others: both columns get new names.
  const hashes = ["2673929635277970920", "10181398782252097792"];
  assertEquals(await rowsOf([folder.write("none", "")], sql), [hashes]);
});

const REFUSED_SQL: [sql: string, says: RegExp][] = [
  ["SELECT 1; SELECT 2", /^give one statement, not 2$/],
  ["PIVOT handshakes ON outcome USING count(*)", /^give one .*: ON outcome IN \('established'/],
  ["FROM (PIVOT handshakes ON outcome USING count(*))", /^give one statement, and to a PIVOT/],
  ["-- nothing", /^give a statement$/],
  ["selec", /syntax error/],
  ["SELECT * FROM nothing", /nothing does not exist/],
  ["SELECT * FROM read_csv('/etc/passwd')", /disabled by configuration/],
  ["SELECT * FROM read_text('/etc/passwd')", /disabled by configuration/],
  ["SELECT * FROM glob('/etc/*')", /disabled by configuration/],
  ["SELECT * FROM '/etc/passwd'", /does not exist/],
  ["SELECT * FROM read_parquet('http://127.0.0.1:1/x.parquet')", /./],
  ["ATTACH '/tmp/x.db'", /./],
  ["INSTALL httpfs", /./],
  ["LOAD httpfs", /./],
  ["SET memory_limit = '10GB'", /./],
  ["RESET memory_limit", /./],
  ["SET enable_external_access = true", /./],
  ["CREATE TABLE t AS SELECT 1", /give a SELECT/],
  ["DROP VIEW handshakes", /give a SELECT/],
  ["EXPORT DATABASE '/tmp/x'", /./],
  ["SELECT * FROM query('DROP VIEW handshakes')", /./],
  ["CALL force_checkpoint()", /give a SELECT/],
  ["EXPLAIN ANALYZE DROP VIEW handshakes", /give a SELECT/],
  ["EXPLAIN SELECT 1", /give a SELECT/],
  ["SELECT * FROM (COPY (SELECT 1) TO '/tmp/x')", /syntax error/],
  ["WITH x AS (DELETE FROM repeats RETURNING *) SELECT * FROM x", /./],
  ["SELECT getenv('HOME')", /does not exist/],
  ["SELECT * FROM read_blob('/etc/passwd')", /disabled by configuration/],
  ["SELECT * FROM read_json('/proc/self/environ')", /disabled by configuration/],
  ["SELECT * FROM sniff_csv('/etc/passwd')", /disabled by configuration/],
  ["SELECT * FROM parquet_metadata('/tmp/x.parquet')", /disabled by configuration/],
  ["SELECT * FROM duckdb_secrets()", /disabled by configuration/],
  ["PRAGMA memory_limit = '10GB'", /./],
  ["PREPARE x AS SELECT 1", /give a SELECT/],
  ["SELECT * FROM enable_profiling()", /^leave enable_profiling\(\) out: it changes settings$/],
  ["SELECT * FROM enable_profiling(save_location := '/tmp/x.json')", /^leave enable_profiling/],
  ["SELECT * FROM enable_logging(storage := 'file', storage_path := '/tmp/x')", /^leave enable_/],
  ["SELECT * FROM query('SELECT 1 FROM disable_logging()')", /^leave disable_logging\(\) out/],
  ["WITH x AS (FROM truncate_duckdb_logs()) SELECT (SELECT count(*) FROM x)", /^leave truncate_/],
  ["SELECT 1 FROM range(3), LATERAL (SELECT * FROM force_checkpoint())", /^leave force_checkpoint/],
  ["CALL enable_logging()", /give a SELECT/],
  ["PRAGMA enable_profiling", /give a SELECT/],
  ["SET VARIABLE x = 1", /give a SELECT/],
  ["EXECUTE x", /./],
  ["COPY FROM DATABASE memory TO temp", /./],
  ["IMPORT DATABASE '/tmp'", /disabled by configuration/],
  ["SELECT * FROM query('COPY (SELECT 1) TO ''/tmp/x''')", /./],
  ["SELECT * FROM query('SELECT * FROM read_text(''/etc/passwd'')')", /disabled by configuration/],
  ["SELECT * FROM query_table('/etc/passwd')", /does not exist/],
  [
    "SELECT * FROM json_execute_serialized_sql(json_serialize_sql(" +
    "'SELECT * FROM read_text(''/etc/passwd'')'))",
    /disabled by configuration/,
  ],
  ["SELECT * FROM read_csv('/dev/fd/0')", /disabled by configuration/],
  ["SELECT * FROM glob('/**')", /disabled by configuration/],
  ["SELECT * FROM parquet_schema('/tmp/x.parquet')", /disabled by configuration/],
  ["SELECT * FROM read_duckdb('/tmp/x.db')", /disabled by configuration/],
  ["SELECT * FROM arrow_scan(1, 2, 3)", /No function matches/],
  [`SELECT ${"(".repeat(50_000)}1${")".repeat(50_000)}`, /memory exhausted/],
  [`SELECT ${"1+".repeat(20_000)}1`, /./],
  ["SELECT * FROM range(100000000)", /more than 5000000 values: ask for fewer/],
];

Deno.test("SQL reads the records and nothing else, and changes nothing", async (t) => {
  using folder = new Folder();
  const name = `2026-11-23T01.${HOST}.1-1.ndjson`;
  await seal(folder.write(name, linesOf(makeRecords(50, 1), "web1")), "1-1");
  await rowsOf([folder.path], "SELECT 1");
  const twin = `${folder.path}/${name.replace(".ndjson", ".parquet")}`;
  const before = [...Deno.readDirSync(folder.path)].map((entry) => [
    entry.name,
    Deno.readFileSync(`${folder.path}/${entry.name}`),
  ]);
  const writes = ["", ".new"].flatMap((end): [string, RegExp][] => {
    const copy = `COPY (SELECT 1) TO '${twin}${end}' (FORMAT parquet, USE_TMP_FILE false)`;
    return [[copy, /./], [`EXPLAIN ANALYZE ${copy}`, /./]];
  });
  for (const [sql, says] of [...REFUSED_SQL, ...writes]) {
    await t.step(sql.slice(0, 80), async () => {
      const error = await assertRejects(() => rowsOf([folder.path], sql), SqlError);
      assertMatch(error.message, says);
      assertEquals(error.message.includes("\n"), false);
    });
  }
  assertEquals(
    [...Deno.readDirSync(folder.path)].map((entry) => [
      entry.name,
      Deno.readFileSync(`${folder.path}/${entry.name}`),
    ]),
    before,
  );
});

Deno.test("SQL may pivot what it names the values of", async () => {
  using folder = new Folder();
  const input = folder.write("records", linesOf(makeRecords(50, 1), "web1"));
  const pivot = "PIVOT handshakes ON outcome IN ('established') USING count(*) GROUP BY v";
  const established = "SELECT v, count(*) FROM handshakes WHERE outcome = 'established' GROUP BY v";
  assertEquals(await rowsOf([input], pivot), await rowsOf([input], established));
});

Deno.test("a sealed hour has a Parquet twin from the first question on", async (t) => {
  using folder = new Folder();
  const name = `2026-11-23T01.${HOST}.1-1.ndjson`;
  const twin = `${folder.path}/${name.replace(".ndjson", ".parquet")}`;
  const made = makeRecords(500, 3).filter(({ lines }) => lines.has("web1"));
  await seal(folder.write(name, linesOf(made, "web1")), "1-1");
  const count = () => rowsOf([folder.path], "SELECT count(*) FROM handshakes");

  // Which records are told twice is kept beside them too.
  const filesBesideTold = () =>
    [...Deno.readDirSync(folder.path)].filter((file) => !file.name.endsWith(".told")).length;

  await t.step("which has the rights of the segment", async () => {
    Deno.chmodSync(`${folder.path}/${name}.zst`, 0o604);
    assertEquals(await count(), [[made.length]]);
    for (const path of [twin, twin.replace(".parquet", ".told")]) {
      assertEquals(Deno.statSync(path).mode! & 0o777, 0o604);
    }
    assertEquals(filesBesideTold(), 2);
  });
  await t.step("which is read from then on", async () => {
    const { mtime } = Deno.statSync(twin);
    assertEquals(await count(), [[made.length]]);
    assertEquals(Deno.statSync(twin).mtime, mtime);
  });
  await t.step("what it says of itself is read once where that takes little memory", async () => {
    const sql = "SELECT current_setting('parquet_metadata_cache') FROM records LIMIT 1";
    assertEquals(await rowsOf([folder.path], sql), [[true]]);
    assert(areMetadataSmall([twin], 512e6));
    assert(!areMetadataSmall(Array(20_000).fill(twin), 512e6));
    // Another may have removed it, or this user may not read it.
    assert(areMetadataSmall([`${twin}.gone`, twin], 512e6));
  });
  await t.step("and made again where it is none, or one of another version", async () => {
    Deno.writeTextFileSync(twin, "nothing");
    assertEquals(await count(), [[made.length]]);
    assertGreater(Deno.statSync(twin).size, 1_000);
  });
  await t.step("also where it is one of several", async () => {
    const others = [2, 3, 4].map((hour) => `${folder.path}/2026-11-23T0${hour}.${HOST}.1-1`);
    for (const each of others) {
      Deno.writeTextFileSync(`${each}.ndjson`, linesOf(made.slice(0, 10), "web1"));
      await seal(`${each}.ndjson`, "1-1");
    }
    const all = () => rowsOf([folder.path], "SELECT count(*) FROM records");
    assertEquals(await all(), [[made.length + 30]]);
    Deno.writeTextFileSync(`${others[1]}.parquet`, "nothing");
    const { mtime } = Deno.statSync(`${others[0]}.parquet`);
    assertEquals(await all(), [[made.length + 30]]);
    assertGreater(Deno.statSync(`${others[1]}.parquet`).size, 1_000);
    assertEquals(Deno.statSync(`${others[0]}.parquet`).mtime, mtime);
    for (const each of others) {
      for (const end of ["ndjson.zst", "parquet"]) Deno.removeSync(`${each}.${end}`);
    }
  });
  await t.step("what is written meanwhile is told too", async () => {
    const open = `${folder.path}/2026-11-23T02.${HOST}.1-1.ndjson`;
    Deno.writeTextFileSync(open, linesOf(made.slice(0, 10), "web1"));
    assertEquals(await rowsOf([folder.path], "SELECT count(*) FROM records"), [[made.length + 10]]);
    assertEquals(filesBesideTold(), 3);
    Deno.removeSync(open);
  });
  await t.step("where none can be beside it, the question is answered all the same", async () => {
    Deno.removeSync(twin);
    Deno.mkdirSync(`${twin}/x`, { recursive: true });
    assertEquals(await count(), [[made.length]]);
    assertEquals(filesBesideTold(), 2);
  });
  await t.step("an hour that is not asked for is not read", async () => {
    const since = { seconds: Date.parse("2026-11-23T02:00:00Z") / 1_000, ns: 0 };
    await assertRejects(
      () => rowsOf([folder.path], "SELECT 1", { since }),
      InputError,
      "it has no hour of that time",
    );
  });
});

Deno.test("files are asked whether compressed or not, torn, newer, foreign or empty", async (t) => {
  using folder = new Folder();
  const made = makeRecords(100, 4).filter(({ lines }) => lines.has("web1"));
  const text = linesOf(made, "web1");
  const bytes = new TextEncoder().encode(text);
  const gzip = new Uint8Array(
    await new Response(new Blob([bytes]).stream().pipeThrough(new CompressionStream("gzip")))
      .arrayBuffer(),
  );
  const asked = (inputs: string[]) =>
    ask({
      ...QUIET,
      inputs,
      filter: {},
      asked: { sql: "SELECT count(*) FROM handshakes" },
    });

  for (
    const [name, content] of [
      ["plain", text],
      ["gzip", gzip],
      ["zstd", new Uint8Array(zstdCompressSync(bytes))],
      ["odd * name [x] 'quoted'?.ndjson", text],
    ] as const
  ) {
    await t.step(name, async () => {
      assertEquals((await asked([folder.write(name, content)])).rows, [[made.length]]);
    });
  }
  await t.step("torn and foreign lines are counted", async () => {
    const input = folder.write(
      "torn",
      `${text}not JSON\n{"event":7}\n{"x":1}\n${text.slice(0, 99)}`,
    );
    const { rows, lines } = await asked([input]);
    assertEquals(rows, [[made.length]]);
    assertMatch(
      lines.refused[0].told,
      /^4 of its lines are no records \(2 no JSON, 2 no record\); line/,
    );
  });
  await t.step("a newer version is told", async () => {
    const newer = text.replaceAll('{"v":1,', '{"v":2,"new":{"field":[1]},');
    const { rows, lines } = await asked([folder.write("newer", newer)]);
    assertEquals([rows, lines.newerVersion], [[[made.length]], 2]);
  });
  for (const blank of ["\n", "\r\n\n", "  \n"]) {
    await t.step(`blank lines are no lines: ${JSON.stringify(blank)}`, async () => {
      const content = blank + text.replaceAll("\n", `\n${blank}`);
      const { rows, lines } = await asked([folder.write("blank", content)]);
      assertEquals([rows, lines.refused], [[[made.length]], []]);
      const { lines: none } = await asked([folder.write("blanks", blank)]);
      assertEquals([none.records, none.refused], [0, []]);
    });
  }
  await t.step("an empty file has no handshakes", async () => {
    assertEquals((await asked([folder.write("empty", "")])).rows, [[0]]);
  });
  for (
    const [name, content, says] of [
      ["capture.pcap", buildRefused({ count: 1, firstPort: 5_000, secondsApart: 1 }), "no records"],
      ["none", undefined, "there is no such file"],
    ] as const
  ) {
    await t.step(`${name} is refused`, async () => {
      const path = content
        ? folder.write(name, content as Uint8Array<ArrayBuffer>)
        : `${folder.path}/${name}`;
      await assertRejects(() => asked([path]), InputError, says);
    });
  }
});

Deno.test("losses are told by their place, the last that each tracer said", async () => {
  using folder = new Folder();
  const line = (second: number, lost: Record<string, number>, event = "status") =>
    JSON.stringify({
      v: 1,
      event,
      time: `2026-11-23T01:00:0${second}.000000000Z`,
      host: "web1",
      tracer: "1-1",
      since: "2026-11-23T00:00:00.000000000Z",
      handshakes: second,
      losses: lost,
    }) + "\n";
  const input = folder.write(
    "x",
    line(1, { a: 1 }) + line(5, { a: 3, b: 2 }, "summary") + line(3, { a: 2 }),
  );
  const rows = await answerOf([input], "losses");
  assertEquals(rows.map(({ host, handshakes, place, lost }) => [host, handshakes, place, lost]), [
    ["web1", 5, "a", 3],
    ["web1", 5, "b", 2],
  ]);
});

Deno.test("isn tells repeated numbers, and the clock by which they advance", async () => {
  using folder = new Folder();
  const tick = (port: number, second: number, isn: number, minute = "2026-11-23T01:00") =>
    JSON.stringify({
      v: 1,
      event: "handshake",
      time: `${minute}:0${second}.000000000Z`,
      ...{ host: "web1", role: "server", outcome: "established", reason: null, evidence: ["wire"] },
      network: { type: "ipv4" },
      client: { address: "192.0.2.1", port, isn: isn % 2 ** 32 },
      server: { address: "192.0.2.2", port: 80, isn: 7 },
      ...{ rtt: { ambiguous: false }, packets: { syn: 1, syn_ack: 1, rst: 0 } },
      ...{ times: { syn_ns: 0, syn_ack_ns: 0 }, flags: [] },
    }) + "\n";
  const rfc = 250_000; // Ticks of 4 µs in a second.
  const linux = 15_625_000; // Ticks of 64 ns.
  const near = 2 ** 32 - 100;
  const input = folder.write(
    "x",
    [
      tick(1, 0, near) + tick(1, 2, near + 2 * rfc + 100),
      tick(2, 0, 5) + tick(2, 3, 5 + 3 * linux - 2_000),
      tick(3, 0, 9) + tick(3, 1, 10_000_000),
      tick(4, 0, 11) + tick(4, 1, 11),
      // Further apart than an integer of nanoseconds holds, and the last that one holds.
      tick(5, 0, 13, "1678-01-01T00:00") + tick(5, 0, 14, "2262-01-01T00:00"),
      tick(6, 6, 15, "2262-04-11T23:47").replace('"syn_ns":0', '"syn_ns":10000000000'),
    ].join(""),
  );
  const rows = await answerOf([input], "isn");
  assertEquals(rows, [{
    address: "192.0.2.2",
    chosen_as: "server",
    numbers: 11,
    different: 1,
    returns: 5,
    by_4us_clock: 0,
    by_64ns_clock: 0,
    unchanged: 5,
  }, {
    address: "192.0.2.1",
    chosen_as: "client",
    numbers: 11,
    different: 10,
    returns: 5,
    by_4us_clock: 1,
    by_64ns_clock: 1,
    unchanged: 1,
  }]);
});

Deno.test("what is asked while it is written only grows", async () => {
  using folder = new Folder();
  const output = new SegmentOutput({
    folder: `${folder.path}/store`,
    host: HOST,
    tracer: "1-1",
    keeping: {},
    onChange: () => {},
  });
  const made = makeRecords(3_000, 9);
  let written = 0;
  const counts: number[] = [];
  const writing = (async () => {
    for (const { lines } of made) {
      for (const line of lines.values()) output.write(line, 1);
      written++;
      if (written % 50 === 0) await new Promise((resolve) => setTimeout(resolve, 10));
      // However slow an answer is, there is something to come before the next question.
      if (written === made.length >> 1) await until("one is answered", () => counts.length > 0);
    }
  })();
  await until("it writes", () => written > 0);
  while (written < made.length) {
    const { rows, lines } = await ask({
      ...QUIET,
      inputs: [`${folder.path}/store`],
      filter: {},
      asked: { sql: "SELECT count(*) FROM records" },
    });
    counts.push(Number(rows[0][0]));
    assert(lines.refused.length <= 1);
  }
  await writing;
  await output.close();
  assertEquals(counts, counts.toSorted((one, other) => one - other));
  assertGreater(counts.length, 1);
});

Deno.test("an hour that is sealed or removed while others are read is no error", async (t) => {
  using folder = new Folder();
  const made = makeRecords(200, 9).filter(({ lines }) => lines.has("web1"));
  const text = linesOf(made, "web1");
  const [first, second] = ["01", "02"].map((hour) => `2026-11-23T${hour}.${HOST}.1-1.ndjson`);
  /** Counts records of the store, and does something when so many hours were read. */
  const count = async (read: number, action: () => void) => {
    const onProgress = (at: number) => at === read ? action() : undefined;
    const sql = "SELECT count(*) FROM records";
    const inputs = [folder.path];
    return (await ask({ ...QUIET, onProgress, inputs, filter: {}, asked: { sql } })).rows;
  };
  const both = [folder.write(first, text), folder.write(second, text)];
  await t.step("sealed", async () => {
    const rows = await count(1, () => {
      Deno.writeFileSync(`${both[1]}.zst`, zstdCompressSync(text));
      Deno.removeSync(both[1]);
    });
    assertEquals(rows, [[2 * made.length]]);
    assert(Deno.statSync(both[1].replace(".ndjson", ".parquet")).isFile);
  });
  await t.step("removed", async () => {
    assertEquals(await count(0, () => Deno.removeSync(both[0])), [[made.length]]);
  });
  await t.step("all of them removed", async () => {
    folder.write(first, text);
    for (const end of ["ndjson.zst", "parquet"]) {
      Deno.removeSync(both[1].replace("ndjson", end));
    }
    await assertRejects(
      () => count(0, () => Deno.removeSync(both[0])),
      InputError,
      `Cannot ask "${folder.path}": all of its hours were removed meanwhile`,
    );
  });
});

Deno.test("the command answers on standard output, and says the rest on standard error", async (t) => {
  using folder = new Folder();
  const made = makeRecords(200, 2).filter(({ lines }) => lines.has("web1"));
  const input = folder.write("web1.ndjson", `${linesOf(made, "web1")}torn`);
  await t.step("as a table, NDJSON or CSV", async () => {
    const table = await runQuery([input, "servers", "--limit", "1"]);
    assertMatch(table.out, /^SERVER +HANDSHAKES +FAILED +FAILED %.*\n\S+ +\d+/);
    assertEquals([table.status, table.said], [
      1,
      `synsnoop: Cannot read all of "${input}": 1 of its lines is no record (1 no JSON); ` +
      `line ${made.length + 1}: it is no JSON\n`,
    ]);
    const json = await runQuery([input, "servers", "--json"]);
    const sum = json.out.trim().split("\n").reduce(
      (sum, line) => sum + JSON.parse(line).handshakes,
      0,
    );
    assertEquals(sum, made.length);
    const csv = await runQuery([input, "servers", "--csv"]);
    assertMatch(csv.out, /^server,handshakes,failed,failed_share,network_rtt_p50_ns,/);
  });
  await t.step("what it would run, without running it", async () => {
    const { status, out, said } = await runQuery([
      "nowhere",
      "failures",
      "--explain-sql",
      "--port",
      "80",
    ]);
    assertEquals([status, said], [0, ""]);
    assertMatch(out, /client_port BETWEEN 80 AND 80/);
    assertMatch(out, /FROM handshakes\nWHERE outcome <> 'established'/);
  });
  await t.step("nothing that matched", async () => {
    const { status, said } = await runQuery([input, "servers", "--port", "9"]);
    assertEquals(status, 1);
    assertMatch(said, /no handshake is there that was asked for/);
  });
  await t.step("what cannot be asked, with the reason", async () => {
    const wrong = await runQuery([input, "--sql", "SELECT nothing FROM handshakes"]);
    assertEquals([wrong.status, wrong.out], [1, ""]);
    assertMatch(wrong.said, /^synsnoop: Cannot answer: .*nothing.*\n$/);
    const none = await runQuery([`${folder.path}/none`, "servers"]);
    assertEquals(none.status, 1);
    assertMatch(none.said, /^synsnoop: Cannot ask ".*none": there is no such file\n$/);
  });
});

Deno.test("a machine that cannot fetch DuckDB is told so", async () => {
  using folder = new Folder();
  const { status, out, said } = await runQuery([folder.write("x", ""), "servers"], {
    DENO_DIR: `${folder.path}/deno`,
    NPM_CONFIG_REGISTRY: "http://127.0.0.1:1/",
  });
  assertEquals([status, out], [1, ""]);
  assertMatch(
    said,
    /^synsnoop: fetching DuckDB, .*: \d+ MB, once\nsynsnoop: Cannot load DuckDB: .*, which jq reads\n$/,
  );
});

Deno.test("an answer that fails in the middle is an error, never a shorter one", async () => {
  using folder = new Folder();
  const input = folder.write("web1.ndjson", linesOf(makeRecords(10, 2), "web1"));
  for (
    const [value, says] of [
      ["CAST('x' || range AS BIGINT)", /^Conversion Error: Could not convert string 'x1000001'/],
      ["error('late')", /^Invalid Input Error: late/],
    ] as const
  ) {
    const sql = `SELECT CASE WHEN range > 1000000 THEN ${value} ELSE 1 END FROM range(2000000)`;
    const error = await assertRejects(() => rowsOf([input], sql), SqlError);
    assertMatch(error.message, says);
    assertEquals(error.message.includes("EXPLAIN"), false);
  }
});

/** Seconds of CPU time of a process. */
function cpuSeconds(pid: number): number {
  const fields = Deno.readTextFileSync(`/proc/${pid}/stat`).split(") ")[1].split(" ");
  return (Number(fields[11]) + Number(fields[12])) / 100;
}

/** What begins before a question is asked takes less. */
const BEGUN_CPU_SECONDS = 4;
/** It hears no interrupt, and takes minutes. */
const DEAF = "SELECT levenshtein(repeat('a', 1000000), repeat('b', 1000000))";

for (
  const [how, sql] of [
    ["at once", "SELECT sum(a.range * b.range) FROM range(1000000000) a, range(1000000000) b"],
    ["that hears nothing", DEAF],
  ]
) {
  Deno.test(`Ctrl-C ends a question ${how}, and leaves nothing behind`, async () => {
    using folder = new Folder();
    const input = folder.write("web1.ndjson", linesOf(makeRecords(10, 2), "web1"));
    const child = new Deno.Command(Deno.execPath(), {
      args: ["run", "-A", "--quiet", MAIN, "query", input, "--sql", sql],
      env: { TMPDIR: folder.path },
      stdin: "null",
      stdout: "null",
      stderr: "piped",
    }).spawn();
    const made = () => [...Deno.readDirSync(folder.path)].filter(({ isDirectory }) => isDirectory);
    await until("it is asked", () => cpuSeconds(child.pid) > BEGUN_CPU_SECONDS);
    child.kill("SIGINT");
    const { code, stderr } = await child.output();
    assertEquals([code, new TextDecoder().decode(stderr)], [130, ""]);
    assertEquals(made(), []);
  });
}

Deno.test("Ctrl-C ends a question that has hardly begun", async () => {
  using folder = new Folder();
  const input = folder.write("web1.ndjson", linesOf(makeRecords(10, 2), "web1"));
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--quiet", MAIN, "query", input, "--sql"]
      .concat("SELECT sum(a.range * b.range) FROM range(1000000000) a, range(1000000000) b"),
    env: { TMPDIR: folder.path },
    stdin: "null",
    stdout: "null",
    stderr: "piped",
  }).spawn();
  const made = () => [...Deno.readDirSync(folder.path)].filter(({ isDirectory }) => isDirectory);
  await until(
    "it reads the file",
    () => made().some(({ name }) => [...Deno.readDirSync(`${folder.path}/${name}`)].length > 0),
  );
  child.kill("SIGINT");
  const { code, stderr } = await child.output();
  assertEquals([code, new TextDecoder().decode(stderr)], [130, ""]);
  assertEquals(made(), []);
});
