// How records of one handshake are found in a time that grows with them, whoever made them.
// Covers src/store/query/find_repeats.ts
// Covers src/store/query/repeats_sql.ts
import { assert, assertEquals, assertGreater, assertLess } from "@std/assert";
import { findRepeats } from "../../src/store/query/find_repeats.ts";
import { Database } from "../../src/store/query/duckdb.ts";
import { alikeSql, TELLERS_SQL, TOLD_VIEW_SQL } from "../../src/store/query/repeats_sql.ts";
import { Folder } from "../folder.ts";

const NEAR_SECONDS = 120;

/** A record, by what decides whether it counts: its teller, its identity, and when. */
type Told = [teller: number, identity: number, seconds: number];

/** A database that has them as the view `passing`, in their order. */
async function openWith(folder: Folder, records: readonly Told[]): Promise<Database> {
  const database = await Database.open({ memoryBytes: 512e6, folder: folder.path });
  const lines = records.map(([teller, identity, seconds]) => `${teller},${identity},${seconds}\n`);
  const file = folder.write("records.csv", lines.join(""));
  await database.run(
    `CREATE TEMP TABLE passing AS SELECT CAST(row_number() OVER () - 1 AS UBIGINT) AS nr,
    make_timestamp_ns(seconds * 1000000000) AS time, CAST(teller AS UBIGINT) AS teller_hash,
    CAST(identity AS UBIGINT) AS tuple_hash, 7::UINTEGER AS client_isn,
    NULL::VARCHAR AS host_id, 'host' || teller AS host, '1-1' AS tracer
    FROM read_csv('${file}', header = false, parallel = false,
      columns = {teller: 'INTEGER', identity: 'INTEGER', seconds: 'BIGINT'})`,
  );
  return database;
}

/** Those of records that do not count, by their places; all are held against all. */
function repeatsOf(records: readonly Told[]): number[] {
  const told = Map.groupBy(records, ([, identity]) => identity);
  return records.flatMap(([teller, identity, seconds], at) =>
    told.get(identity)!.some(([other, , when]) =>
        other < teller && Math.abs(when - seconds) <= NEAR_SECONDS
      )
      ? [at]
      : []
  );
}

const NOTHING = { unknown: undefined, sql: undefined };

/** Finds those in a database, and whether it was by pairs. */
async function find(database: Database): Promise<{ repeats: number[]; ran: string[] }> {
  const ran: string[] = [];
  const recorded: Pick<Database, "run" | "ask"> = {
    run: (sql) => (ran.push(sql), database.run(sql)),
    ask: (sql, isForeign) => (ran.push(sql), database.ask(sql, isForeign)),
  };
  assert((await findRepeats(recorded, NOTHING, false)).mayRepeat);
  const { values } = await database.ask("SELECT DISTINCT nr FROM repeats ORDER BY nr");
  return { repeats: values.flat().map(Number), ran };
}

const isByPairs = (sql: string) => sql.includes("TABLE tried");
const isBySpans = (sql: string) => sql.includes("TABLE spans");

/** So many records that a day has at even times. */
function allDay(count: number, teller: (at: number) => number): Told[] {
  return Array.from({ length: count }, (_, at) => [teller(at), 1, Math.floor(at * 86_400 / count)]);
}

/** A handshake of its own that three tell, at the begin and the end of a day, so that all are beside. */
const BESIDE: readonly Told[] = [[1, 2, 0], [2, 2, 0], [3, 2, 0], [1, 3, 86_400], [3, 3, 86_400]];

const COUNT = 3_000;
const HOSTILE: Record<string, Told[]> = {
  // A join would try each with each, and find none.
  "by one teller, between others": [...BESIDE, ...allDay(COUNT, () => 2)],
  "by two tellers whose clocks are hours apart": [
    ...allDay(COUNT, (at) => at < COUNT / 2 ? 1 : 2).filter(([, , at]) => at % 40_000 < 2_000),
    [1, 2, 0],
    [2, 2, 0],
  ],
  "by all": [...BESIDE, ...allDay(COUNT, (at) => at % 3 + 1)],
};

Deno.test("one SYN that is told all day is not held against itself pair by pair", async (t) => {
  for (const [name, records] of Object.entries(HOSTILE)) {
    await t.step(name, async () => {
      using folder = new Folder();
      using database = await openWith(folder, records);
      const { repeats, ran } = await find(database);
      assertEquals(repeats, repeatsOf(records));
      assert(ran.some(isBySpans));
    });
  }
  await t.step("and by one teller alone no pair is tried", async () => {
    using folder = new Folder();
    using database = await openWith(folder, HOSTILE["by one teller, between others"]);
    assert(!(await find(database)).ran.some(isByPairs));
  });
});

Deno.test("what many tell once is found pair by pair", async (t) => {
  for (const tellers of [2, 3, 9]) {
    await t.step(`by ${tellers}`, async () => {
      using folder = new Folder();
      const records = Array.from({ length: 4_500 }, (_, at): Told => {
        const identity = Math.floor(at / tellers);
        return [at % tellers + 1, identity, identity % 5_000 + at % tellers * 30];
      });
      using database = await openWith(folder, records);
      const { repeats, ran } = await find(database);
      assertGreater(repeats.length, 2_000);
      assertEquals(repeats, repeatsOf(records));
      assert(!ran.some(isBySpans));
    });
  }
});

Deno.test("times that are further apart than an integer of nanoseconds holds are not near", async (t) => {
  const [FIRST, LAST] = [-9_223_300_000, 9_223_372_036];
  for (const tellers of [[1, 2], [1, 2, 3]]) {
    await t.step(`of ${tellers.length} tellers`, async () => {
      using folder = new Folder();
      const records = tellers.flatMap((teller): Told[] => [
        ...[FIRST, FIRST + 60, LAST - 200, LAST].map((at): Told => [teller, 1, at + teller]),
        [teller, 2, [FIRST, LAST, FIRST][teller - 1]],
      ]).map(([teller, identity, at]): Told => [teller, identity, Math.min(at, LAST)]);
      using database = await openWith(folder, records);
      assertEquals((await find(database)).repeats, repeatsOf(records));
      // And where too many are alike to be tried.
      const many = [...records, ...records.flatMap((each) => Array<Told>(20).fill(each))];
      using crowded = await openWith(folder, many);
      const { repeats, ran } = await find(crowded);
      assertEquals(repeats, repeatsOf(many));
      assert(ran.some(isBySpans));
    });
  }
});

Deno.test("pairs of records that are alike are counted roughly before any is tried", async () => {
  using folder = new Folder();
  const middle = Array.from({ length: 20_000 }, (_, at): Told => [2, at < 1_000 ? 1 : at, at]);
  const records: Told[] = [...BESIDE, ...middle];
  using database = await openWith(folder, records);
  await database.run(TELLERS_SQL);
  await database.run(TOLD_VIEW_SQL);
  const pairs = 1_000 * 999 / 2;
  for (const salt of [0, 1, 2 ** 32 - 1]) {
    const { values: [[alike]] } = await database.ask(alikeSql(3, salt));
    assertLess(Math.abs(Number(alike) - pairs), pairs / 10);
  }
});
