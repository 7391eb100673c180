// Questions to ClickHouse, whose answers are those of DuckDB of the same records: with one server of
// Debian's, with three that share a cluster, and with a present one.
// Covers src/cli/from_server.ts
// Covers src/store/clickhouse/dialect.ts
// Covers src/store/clickhouse/views_sql.ts
import { assert, assertEquals, assertGreater } from "@std/assert";
import fc from "fast-check";
import { contains, type HandshakeFilter, passes } from "../../src/pipeline/filter.ts";
import { encodeHandshake } from "../../src/record/ndjson.ts";
import { askServer } from "../../src/store/clickhouse/ask_server.ts";
import { applySchema } from "../../src/store/clickhouse/check_schema.ts";
import type { ClickHouseServer } from "../../src/store/clickhouse/client.ts";
import { CLICKHOUSE } from "../../src/store/clickhouse/dialect.ts";
import { ask } from "../../src/store/query/ask.ts";
import { DUCKDB } from "../../src/store/query/dialect.ts";
import { type Ask, QUESTIONS } from "../../src/store/query/questions.ts";
import { formatAddress } from "../../src/wire/address.ts";
import { formatTime } from "../../src/text/time.ts";
import { ChdbServer } from "../chdb_server.ts";
import { ClickHouseFleet, findClickHouse } from "../clickhouse_fleet.ts";
import { makeFolder } from "../netns/disk.ts";
import { EPOCH_SECONDS } from "../unit/record/sample_handshakes.ts";
import { findPresentClickHouse } from "../present_clickhouse.ts";
import { insertLines, makeTables, serverAt } from "./loaded_server.ts";
import { HOSTS, linesOf, makeRecords } from "./made_records.ts";
import { countingNumbers, toldLine, toldRecords } from "./told_again.ts";
import { anyFilter, anyHandshakes, FILTER_CONTEXT } from "./random_filters.ts";

const DATABASE = "synsnoop";
const MEMORY_BYTES = 512e6;
const [found, chdb] = [await findClickHouse(), await findPresentClickHouse()];
const ignore = typeof found === "string";
const skipped = ignore ? ` (skipped: ${found})` : "";

function status(host: string, tracer: string, minute: number, losses: Record<string, number>) {
  return JSON.stringify({
    ...{ v: 1, event: "status", time: `2026-11-23T01:${10 + minute}:00.000000000Z`, host, tracer },
    ...{ since: "2026-11-23T01:00:00.000000001Z", filters: [], sample: 1 },
    ...{ sources: {}, handshakes: minute, written: minute, losses },
  }) + "\n";
}

const STATUS = status("web1", "1-1", 0, { ring_packets: 3, odd_name: 1 }) +
  status("web1", "1-1", 1, { ring_packets: 5, odd_name: 0 }) +
  status("api1", "2-2", 2, { ring_packets: 0 });

/** Handshakes of all kinds. */
const ODD = anyHandshakes(400, 5);
/** Their lines, within two days: each day is a folder of its own at a server. */
const ODD_LINES = ODD.map((it, at) =>
  encodeHandshake(it, FILTER_CONTEXT)
    .replace(/"time":"[^"]*"/, `"time":"${formatTime(EPOCH_SECONDS, at * 432e9 + at)}"`)
).join("");

/** Records of a fleet, hostile ones and status lines, as files and as text. */
function someRecords(folder: string, handshakes: number) {
  const made = makeRecords(handshakes, 7);
  const files = [...HOSTS.map((host) => linesOf(made, host)), ODD_LINES, STATUS];
  const inputs = files.map((text, at) => {
    const path = `${folder}/${at}.ndjson`;
    Deno.writeTextFileSync(path, text);
    return path;
  });
  return { inputs, text: files.join("") };
}

/** A time that some of the records are of, to the nanosecond. */
const MIDDLE: HandshakeFilter = {
  since: { seconds: EPOCH_SECONDS + 100 * 432, ns: 100 },
  until: { seconds: EPOCH_SECONDS + 300 * 432, ns: 300 },
};

/** What is asked: each question, by each key, and in other ways. */
const ASKED: [question: string, ask: Partial<Ask>, filter: HandshakeFilter][] = [
  ...Object.keys(QUESTIONS).map((name): [string, Partial<Ask>, HandshakeFilter] => [name, {}, {}]),
  ["servers", { by: ["host", "role", "server-port"] }, {}],
  ["clients", { by: ["client", "interface"], limit: 3 }, {}],
  ["processes", { by: ["process", "user"] }, MIDDLE],
  ["containers", { by: ["container", "cgroup"] }, {}],
  ["failures", { by: ["reason", "outcome"] }, {}],
  ["over-time", { by: ["outcome"], bucketSeconds: 7 }, MIDDLE],
  ["isn", { limit: 5 }, MIDDLE],
];

const QUIET = {
  memoryBytes: MEMORY_BYTES,
  onFetch: () => {},
  onBegin: () => {},
  onProgress: () => {},
};

const expected = new Map<string, Awaited<ReturnType<typeof ask>>>();

/** Holds the answers of a server against DuckDB's, which is asked once. */
async function assertSame(
  server: ClickHouseServer,
  inputs: readonly string[],
  asked: typeof ASKED = ASKED,
): Promise<void> {
  let rows = 0;
  for (const [name, how, filter] of asked) {
    const all = { by: undefined, bucketSeconds: 600, limit: 100_000, ...how };
    const [one, other] = [DUCKDB, CLICKHOUSE].map((dialect) =>
      QUESTIONS[name].answer(dialect, all)
    );
    const key = JSON.stringify([name, all, filter]);
    if (!expected.has(key)) expected.set(key, await ask({ ...QUIET, inputs, filter, asked: one }));
    const answer = await askServer({ server, filter, memoryBytes: MEMORY_BYTES, asked: other });
    assertEquals(answer, expected.get(key), key);
    rows += answer.rows.length;
  }
  assertGreater(rows, 1_000);
}

/** Holds which records of handshakes that several told count, against what is so. */
async function assertToldAgain(
  server: ClickHouseServer,
  empty: () => Promise<void>,
): Promise<void> {
  const sql = "SELECT server_isn FROM handshakes ORDER BY server_isn";
  // One number at one time, told by one, is one record at a server.
  const hostile = new Map(
    toldRecords(5_000, 4).map((record, number) => [
      JSON.stringify([record.host, record.hostId, record.tracer, record.seconds]),
      { ...record, isn: 7, number },
    ]),
  );
  for (const records of [toldRecords(1_500, 1), toldRecords(1_500, 2), [...hostile.values()]]) {
    await empty();
    await insertLines(server, records.map(toldLine).join(""));
    for (const tracedOn of [undefined, ["api1", "web1"]]) {
      const some = records.filter(({ host }) => tracedOn?.includes(host) ?? true);
      const request = { server, filter: { tracedOn }, memoryBytes: MEMORY_BYTES, asked: { sql } };
      const expected = countingNumbers(some);
      assertEquals((await askServer(request)).rows.flat(), expected);
      assertGreater(some.length - expected.length, 20);
    }
  }
}

/** Holds what filters let pass at a server against the filter of handshakes. */
async function assertFilters(server: ClickHouseServer, count: number): Promise<void> {
  let passed = 0;
  for (const some of fc.sample(anyFilter(), { numRuns: count, seed: 11 })) {
    // Times are not those of the handshakes.
    const filter = { ...some, since: undefined, until: undefined };
    const passing = ODD.filter((it) => passes(filter, it, FILTER_CONTEXT))
      .map(({ server }) => server.isn!);
    passed += passing.length;
    const sql = "SELECT server_isn FROM records ORDER BY server_isn";
    const request = { server, filter, memoryBytes: MEMORY_BYTES, asked: { sql } };
    const { rows } = await askServer(request);
    assertEquals(rows.flat(), passing, JSON.stringify(filter));
  }
  assertGreater(passed, 100);
}

/** Texts that are no addresses, though some look like one. */
const NO_ADDRESSES = [
  ...[
    "",
    "x",
    "1:2",
    "1:::2",
    ":::",
    "::g",
    "1::2::3",
    "1:2:3:4:5:6:7:8:9",
    "12345::",
    "1:2:3:4:5:6:7::8",
  ],
  ...[
    "999.1.1.1",
    "1.2.3",
    "1.2.3.4.5",
    "1.2.3.256",
    "1.2.3.4x",
    "01.2.3.4",
    "::1\n",
    "\0",
    "'",
    "\\",
    "::1.2.3",
  ],
];

/** Holds which addresses a server takes for those of a network against what is so. */
async function assertNetworks(server: ClickHouseServer): Promise<void> {
  const word = fc.oneof(fc.constantFrom(0, 0xffff, 1, 0x20010db8), fc.nat(2 ** 32 - 1));
  const words = fc.oneof(
    fc.tuple(word, word, word, word),
    word.map((it) => [0, 0, 0xffff, it]),
  ).map((it) => Uint32Array.from(it));
  const addresses = fc.sample(words, { numRuns: 150, seed: 3 });
  const texts = [...addresses.map((it) => formatAddress(it)), ...NO_ADDRESSES];
  const networks = fc.sample(
    fc.tuple(fc.constantFrom(...addresses), fc.nat(127)).map(([words, bits]) => ({ words, bits })),
    { numRuns: 60, seed: 4 },
  );
  let within = 0;
  for (const network of networks) {
    const sql = `SELECT address FROM (SELECT arrayJoin([${
      texts.map(CLICKHOUSE.text).join(", ")
    }]) AS address) AS addresses WHERE ${CLICKHOUSE.inNetwork!("address", network)}`;
    const { values } = await server.ask(sql);
    const expected = texts.filter((_, at) =>
      at < addresses.length && contains(network, addresses[at])
    );
    assertEquals(values.flat().toSorted(), expected.toSorted(), JSON.stringify(network));
    within += expected.length;
  }
  assertGreater(within, 100);
}

for (const servers of [1, 3] as const) {
  Deno.test(
    `${servers} of ClickHouse 18.16 answer as DuckDB does${skipped}`,
    { ignore },
    async () => {
      if (typeof found === "string") return;
      using folder = makeFolder();
      await using fleet = await ClickHouseFleet.start(found, { servers });
      using server = await makeTables(fleet, servers);
      const { inputs, text } = someRecords(folder.path, 3_000);
      await insertLines(server, text);
      await assertSame(server, inputs);
      const merge = `OPTIMIZE TABLE ${DATABASE}.handshakes${servers > 1 ? "_part" : ""} FINAL`;
      for (let at = 0; at < servers; at++) await fleet.sql(merge, at);
      await assertSame(server, inputs);
      await assertToldAgain(server, async () => {
        for (let at = 0; at < servers; at++) {
          await fleet.sql(`TRUNCATE TABLE ${DATABASE}.handshakes${servers > 1 ? "_part" : ""}`, at);
        }
      });
    },
  );
}

Deno.test(
  `a filter lets pass in ClickHouse what it lets pass elsewhere${skipped}`,
  { ignore },
  async () => {
    if (typeof found === "string") return;
    await using fleet = await ClickHouseFleet.start(found, { servers: 1 });
    using server = await makeTables(fleet, 1);
    await insertLines(server, ODD_LINES);
    await assertFilters(server, 120);
  },
);

Deno.test({
  name: "a present ClickHouse answers the same SQL as DuckDB does" +
    (typeof chdb === "string" ? ` (skipped: ${chdb})` : ""),
  ignore: typeof chdb === "string",
  async fn(t) {
    if (typeof chdb === "string") return;
    using folder = makeFolder();
    await using present = await ChdbServer.start(chdb);
    using server = serverAt(present.url);
    await applySchema(server, undefined);
    assert(server.isAtLeast(26, 1), server.version);
    const { inputs, text } = someRecords(folder.path, 3_000);
    await insertLines(server, text);
    await t.step("questions", async () => await assertSame(server, inputs));
    await t.step("records that are told again", async () => {
      await assertToldAgain(server, () => server.run("TRUNCATE TABLE handshakes"));
    });
    await server.run("TRUNCATE TABLE handshakes");
    await insertLines(server, ODD_LINES);
    await t.step("networks", async () => await assertNetworks(server));
    await t.step("filters", async () => await assertFilters(server, 120));
  },
});
