import { assertEquals, assertThrows } from "@std/assert";
import { ownSql } from "../../../../src/store/clickhouse/own_sql.ts";
import { ServerError } from "../../../../src/store/clickhouse/server_error.ts";

Deno.test("ownSql takes one SELECT, without what ends it", () => {
  for (
    const [sql, taken] of [
      [" SELECT 1 ; ;\n", "SELECT 1"],
      ["-- why\nselect ';' AS a", "-- why\nselect ';' AS a"],
      ["(SELECT 1)", "(SELECT 1)"],
      [
        "SELECT 'it''s; FORMAT', `settings`, \"a;b\" /* ; */",
        "SELECT 'it''s; FORMAT', `settings`, \"a;b\" /* ; */",
      ],
      ["SELECT '\\'; DROP TABLE t'", "SELECT '\\'; DROP TABLE t'"],
    ]
  ) assertEquals(ownSql(sql), taken);
});

Deno.test("ownSql refuses what is none, and what would have it answered otherwise", () => {
  for (
    const [sql, says] of [
      ["", "give a statement"],
      ["/* x */ ;", "give a statement"],
      ["DROP TABLE t", "give a SELECT"],
      ["SELECT 1; SELECT 2", "give one statement"],
      ["SELECT 1 format JSON", "leave FORMAT out"],
      ["SELECT * FROM (SELECT 1 Settings skip_unavailable_shards = 1)", "leave SETTINGS out"],
      ["SELECT 1 INTO OUTFILE 'x'", "leave OUTFILE out"],
      ["SELECT '\\\\'; DROP TABLE t", "give one statement"],
    ]
  ) assertThrows(() => ownSql(sql), ServerError, says);
});
