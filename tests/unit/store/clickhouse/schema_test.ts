import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { FIELDS } from "../../../../src/record/fields.ts";
import {
  clickHouseName,
  clickHouseText,
  schemaSql,
  tableNames,
  TABLES,
} from "../../../../src/store/clickhouse/schema.ts";

const [handshakes, status] = TABLES;
const HERE = { database: "synsnoop", cluster: undefined };

Deno.test("TABLES have a column for each field of the record, wide enough for it", () => {
  const types = new Map(handshakes.columns.map(({ path, sqlType }) => [path, sqlType]));
  assertEquals([...types.keys()], FIELDS.map(({ path }) => path));
  assertEquals({
    time: types.get("time"),
    role: types.get("role"),
    reason: types.get("reason"),
    flags: types.get("flags"),
    tunnels: types.get("network.tunnels"),
    port: types.get("client.port"),
    isn: types.get("client.isn"),
    cgroup: types.get("client.process.cgroup"),
    rtt: types.get("rtt.client_ns"),
    check: types.get("checks.ack_sequence"),
  }, {
    time: "Int64",
    role: "String",
    reason: "Nullable(String)",
    flags: "Array(String)",
    tunnels: "Array(String)",
    port: "UInt16",
    isn: "Nullable(UInt32)",
    cgroup: "Nullable(UInt64)",
    rtt: "Nullable(Int64)",
    check: "Nullable(UInt8)",
  });
});

Deno.test("no type is one that ClickHouse 18.16 lacks", () => {
  for (const { sqlType } of [...handshakes.columns, ...status.columns]) {
    assert(/^(?:Nullable\()?(?:String|U?Int(?:8|16|32|64)|Array\(String\))\)?$/.test(sqlType));
  }
});

Deno.test("what rows are sorted, kept apart and sharded by is never NULL", () => {
  for (const { columns, identity, shardingKey } of TABLES) {
    const nullable = columns.filter(({ isNullable }) => isNullable).map(({ name }) => name);
    for (const key of [...identity, shardingKey]) {
      const bare = key.replaceAll(/ifNull\((?:toUInt64\(\w+\)|\w+), /g, "(");
      assertEquals(nullable.filter((name) => new RegExp(`\\b${name}\\b`).test(bare)), [], key);
    }
  }
});

Deno.test("schemaSql makes the version first, and in a cluster a part on each server", () => {
  const [database, version, insert, ...tables] = schemaSql({ database: "a`b", cluster: "fleet" });
  assertEquals(database, "CREATE DATABASE IF NOT EXISTS `a\\`b`");
  assertStringIncludes(version, "schema_version");
  assertStringIncludes(insert, "VALUES (1)");
  assertEquals(tables.map((sql) => /EXISTS \S+\.(\w+)[^]*ENGINE = (\w+)/.exec(sql)?.slice(1)), [
    ["handshakes_part", "ReplacingMergeTree"],
    ["handshakes", "Distributed"],
    ["status_part", "ReplacingMergeTree"],
    ["status", "Distributed"],
  ]);
  assertEquals(tableNames({ cluster: "fleet" }).length, tables.length);
  assertEquals(schemaSql(HERE).length, 3 + tableNames(HERE).length);
});

Deno.test("clickHouseName and clickHouseText quote what would end them", () => {
  assertEquals(clickHouseName("a`\\"), "`a\\`\\\\`");
  assertEquals(clickHouseText("it's \\"), "'it\\'s \\\\'");
});
