// The tables and the rows of ship in a present ClickHouse: what an old server takes, that one does, too.
import { assert, assertEquals, assertMatch } from "@std/assert";
import { schemaSql, TABLES } from "../../src/store/clickhouse/schema.ts";
import { flattenLine } from "../../src/store/ship/flatten.ts";
import { skippableTest } from "../netns/namespace.ts";
import { askPresentClickHouse, findPresentClickHouse } from "../present_clickhouse.ts";
import { HOSTS, linesOf, makeRecords } from "./made_records.ts";

const found = await findPresentClickHouse();
const [reason, engine] = typeof found === "string" ? [found] : [undefined, found];

skippableTest("a present ClickHouse takes the tables and the rows", reason, async () => {
  const records = makeRecords(500, 7);
  const rows = HOSTS.flatMap((host) => linesOf(records, host).trimEnd().split("\n"))
    .map((line) => {
      const flat = flattenLine(line);
      assert(flat.kind === "row");
      return flat.json;
    });
  const insert = "INSERT INTO synsnoop.handshakes SETTINGS insert_distributed_sync = 1, " +
    `max_partitions_per_insert_block = 0 FORMAT JSONEachRow ${rows.join("")}`;
  const made = schemaSql({ database: "synsnoop", cluster: undefined });
  // There is no cluster in a process: it is asked whether it reads the statements.
  const spread = schemaSql({ database: "other", cluster: "fleet" })
    .filter((sql) => /^CREATE TABLE/.test(sql)).map((sql) => `EXPLAIN AST ${sql}`);
  const count = "SELECT count(), uniqExact(time, client_isn) FROM synsnoop.handshakes";
  const answers = await askPresentClickHouse(engine!, [
    ...made,
    ...spread,
    ...made,
    insert,
    insert,
    `${count} FINAL`,
    "SELECT name || ' ' || type FROM system.columns WHERE database = 'synsnoop' " +
    "AND table = 'handshakes' ORDER BY position",
    "SELECT DISTINCT partition FROM system.parts WHERE table = 'handshakes'",
    "SELECT version() || ' ' || toString(max(version)) FROM synsnoop.schema_version",
  ]);
  assertEquals(answers.flatMap(({ error }) => error ?? []), []);
  const [counted, columns, partitions, version] = answers.slice(-4).map(({ text }) => text);
  assertEquals(
    counted,
    `${rows.length}\t${new Set(rows.map((row) => /"time":\d+/.exec(row)![0])).size}`,
  );
  assertEquals(
    columns,
    TABLES[0].columns.map(({ name, sqlType }) => `${name} ${sqlType}`).join("\n"),
  );
  assertEquals(partitions, "2026-11-23");
  assertMatch(version!, /^2\d\.\d+\S* 1$/);
});
