// A store that is shipped into real servers of ClickHouse, which are killed meanwhile, as the shipper is.
// Covers src/cli/ship.ts
// Covers src/cli/ship_metrics_server.ts
// Covers src/store/clickhouse/check_schema.ts
// Covers src/store/follow/segment_lines.ts
// Covers src/store/ship/shipper.ts
// Covers src/store/ship/state_file.ts
import {
  assert,
  assertEquals,
  assertGreater,
  assertMatch,
  assertStringIncludes,
} from "@std/assert";
import { TABLES } from "../../src/store/clickhouse/schema.ts";
import { flattenLine } from "../../src/store/ship/flatten.ts";
import { ClickHouseFleet, CLUSTER, findClickHouse } from "../clickhouse_fleet.ts";
import { skippableTest, until } from "../netns/namespace.ts";
import { MadeStore, ship, ShipRun } from "./made_store.ts";

const found = await findClickHouse();
const [reason, server] = typeof found === "string" ? [found] : [undefined, found];
const DATABASE = "synsnoop";

/** What a server has in the table of handshakes, each once, sorted. */
async function rowsOf(fleet: ClickHouseFleet, at = 0): Promise<string[]> {
  const names = TABLES[0].columns.map(({ name }) => name).join(", ");
  const text = await fleet.sql(
    `SELECT ${names} FROM ${DATABASE}.handshakes FINAL FORMAT JSONEachRow`,
    at,
    { output_format_json_quote_64bit_integers: "0" },
  );
  return text.split("\n").map(known).sort();
}

/** A row without what it does not know, as text: numbers stay as they stand there. */
function known(row: string): string {
  const value = JSON.parse(
    row,
    (_, value, context?: { source?: string }) =>
      typeof value === "number" ? `n${context?.source}` : value,
  );
  const entries = Object.entries(value).filter(([, value]) =>
    value !== null && !(Array.isArray(value) && value.length === 0)
  );
  return JSON.stringify(Object.fromEntries(entries.sort()));
}

/** What they should be, by the lines of a store. */
function expectedRows(store: MadeStore): string[] {
  return store.lines().map((line) => {
    const flat = flattenLine(line);
    assert(flat.kind === "row");
    return known(flat.json);
  }).sort();
}

async function count(fleet: ClickHouseFleet, what = "count()", at = 0): Promise<number> {
  return Number(await fleet.sql(`SELECT ${what} FROM ${DATABASE}.handshakes`, at));
}

skippableTest("a store that is shipped is there, row by row", reason, async (t) => {
  await using fleet = await ClickHouseFleet.start(server!, { servers: 1 });
  using store = await MadeStore.of(3_000);
  const to = ["--to", fleet.url()];
  const expected = expectedRows(store);

  await t.step(
    "before its tables are made nothing is shipped, and it is said what to do",
    async () => {
      const { status, said } = await ship([store.path, ...to, "--once"]);
      assertEquals(status, 1);
      assertMatch(said, /database "synsnoop" of \S+ has no tables for this: give --apply/);
    },
  );

  await t.step("every field of every record", async () => {
    const { status, said } = await ship([store.path, ...to, "--apply", "--once"]);
    assertEquals([status, said.split("\n").length], [0, 2], said);
    assertStringIncludes(said, `shipped ${expected.length} records`);
    assertEquals(await rowsOf(fleet), expected);
  });

  await t.step("again: nothing is sent twice", async () => {
    const { status, said } = await ship([store.path, ...to, "--apply", "--once"]);
    assertEquals(status, 0, said);
    assertMatch(said, /are there already\nsynsnoop: shipped 0 records \(0 B\); nothing waits/);
    assertEquals(await count(fleet), expected.length);
  });

  await t.step("without its state all is sent again, and counts once", async () => {
    Deno.removeSync(`${store.path}/.shipped.json`);
    assertEquals((await ship([store.path, ...to, "--once"])).status, 0);
    assertEquals(await count(fleet), 2 * expected.length);
    assertEquals(await rowsOf(fleet), expected);
    await fleet.sql(`OPTIMIZE TABLE ${DATABASE}.handshakes FINAL`);
    assertEquals(await count(fleet), expected.length);
  });

  await t.step("the state of another destination is not taken for its own", async () => {
    const args = [store.path, ...to, "--once", "--database", "other", "--apply"];
    const { status, said } = await ship(args);
    assertEquals(status, 1);
    assertMatch(
      said,
      /stands for what was shipped to \S+ synsnoop; give another --state for \S+ other/,
    );
  });
});

skippableTest("what is written is followed, through its hours", reason, async (t) => {
  await using fleet = await ClickHouseFleet.start(server!, { servers: 1 });
  using store = await MadeStore.of(200);
  const lines = store.lines();
  for (const { name } of Deno.readDirSync(store.path)) Deno.removeSync(`${store.path}/${name}`);
  const hour = "2026-11-23T01.web1.4711-1";
  const args = [store.path, "--to", fleet.url(), "--interval", "100ms"];
  const untilThere = (rows: number) =>
    until(`${rows} rows are there`, async () => await count(fleet) === rows);
  await ship(["--apply", "--to", fleet.url()]);
  await using run = new ShipRun([...args, "--metrics", "127.0.0.1:0"]);

  await t.step("lines as they come, but no half line", async () => {
    store.write(hour, lines.slice(0, 10).join("\n") + "\n" + lines[10].slice(0, 300));
    await untilThere(10);
    store.write(hour, lines[10].slice(300) + "\n", true);
    await untilThere(11);
  });

  await t.step("an hour that is sealed while it is half shipped, and the next one", async () => {
    const path = store.write(hour, lines.slice(11, 20).join("\n") + "\n", true);
    const { seal } = await import("../../src/store/seal.ts");
    await seal(path, "test");
    store.write(hour.replace("T01", "T02"), lines.slice(20, 30).join("\n") + "\n");
    await untilThere(30);
  });

  await t.step("its metrics tell so", async () => {
    await run.says(/metrics are at/);
    const [, url] = /(http:\S+)/.exec(run.said.find((line) => /metrics are at/.test(line))!)!;
    const value = async (name: string) => {
      const text = await (await fetch(url)).text();
      return Number(new RegExp(`^${name} (\\S+)$`, "m").exec(text)?.[1]);
    };
    await until("it has nothing to do", async () => await value("synsnoop_ship_lag_bytes") === 0);
    assertEquals(await value("synsnoop_ship_records_total"), 30);
    assertEquals(await value("synsnoop_ship_server_up"), 1);
    assertEquals((await fetch(url.replace("metrics", "healthz"))).status, 200);
  });

  await t.step("asked to end, it does, and goes on where it was", async () => {
    const { status, said } = await run.stop();
    assertEquals(status, 0, said);
    assertMatch(said, /shipped 30 records \(\S+ kB\); nothing waits$/);
    store.write(hour.replace("T01", "T02"), lines.slice(30, 35).join("\n") + "\n", true);
    assertMatch((await ship([...args, "--once"])).said, /shipped 5 records/);
    assertEquals(await count(fleet), 35);
  });

  await t.step("a sealed hour that was half shipped is read on behind that", async () => {
    const path = store.write(
      hour.replace("T01", "T02"),
      lines.slice(35, 40).join("\n") + "\n",
      true,
    );
    const { seal } = await import("../../src/store/seal.ts");
    await seal(path, "test");
    assertMatch((await ship([...args, "--once"])).said, /shipped 5 records/);
    assertEquals([await count(fleet), (await rowsOf(fleet)).length], [40, 40]);
  });
});

skippableTest(
  "three servers as shards: one is killed, the shipper is killed, nothing is lost",
  reason,
  async () => {
    await using fleet = await ClickHouseFleet.start(server!, { servers: 3 });
    using store = await MadeStore.of(5_000);
    const expected = expectedRows(store);
    const all = [0, 1, 2].map((at) => fleet.url(at)).join();
    const made = await ship(["--apply", "--cluster", CLUSTER, "--to", all]);
    assertEquals(made.status, 0, made.said);
    const args = [store.path, "--to", fleet.url(0), "--interval", "100ms", "--batch-rows", "1000"];
    {
      await using run = new ShipRun(args);
      await until("some are there", async () => await count(fleet) > 0);
      await fleet.stopServer(2, "SIGKILL");
      await run.says(/does not answer.*nothing is lost, it is tried again/);
      // Killed while it holds what one shard has and another has not.
      await run.stop("SIGKILL");
    }
    await using run = new ShipRun(args);
    await run.says(/tried again/);
    await fleet.startServer(2);
    await run.says(/shipping to \S+ again/);
    await until(
      "all is there",
      async () => await count(fleet, "uniqExact(time, client_isn, host)") >= expected.length,
    );
    const { status, said } = await run.stop("SIGINT");
    assertEquals(status, 0, said);
    // From another server: each has the whole by its table.
    const rows = await rowsOf(fleet, 1);
    assertEquals(rows.length, expected.length);
    assertEquals(rows, expected);
    // Both ends of a handshake are on one server.
    const parts = await Promise.all(
      [0, 1, 2].map((at) =>
        fleet.sql(`SELECT DISTINCT client_isn FROM ${DATABASE}.handshakes_part`, at)
      ),
    );
    const isns = parts.flatMap((text) => text.split("\n"));
    assertEquals(new Set(isns).size, isns.length);
    for (const part of parts) assertGreater(part.split("\n").length, 1_000);
  },
);
