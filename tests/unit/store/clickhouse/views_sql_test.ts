import { assertEquals, assertMatch } from "@std/assert";
import { viewsOf, withViews } from "../../../../src/store/clickhouse/views_sql.ts";

const VIEWS = {
  records: "(R) AS records",
  handshakes: "(H) AS handshakes",
  status: "(S) AS status",
};

Deno.test("withViews puts tables in place of their names, and of nothing else", () => {
  for (
    const [sql, expected] of [
      ["SELECT handshakes FROM status", "SELECT handshakes FROM (S) AS status"],
      ["select 1 from\n  handshakes WHERE a", "select 1 from\n  (H) AS handshakes WHERE a"],
      ["SELECT 'FROM records', `FROM` records", "SELECT 'FROM records', `FROM` records"],
      ["SELECT 1 FROM /* all */ records", "SELECT 1 FROM /* all */ (R) AS records"],
      [
        "SELECT 1 FROM (SELECT 2 FROM records) ANY LEFT JOIN status USING a",
        "SELECT 1 FROM (SELECT 2 FROM (R) AS records) ANY LEFT JOIN (S) AS status USING a",
      ],
      ["SELECT 1 FROM records_part, toString", "SELECT 1 FROM records_part, toString"],
      ["SELECT 'a\\' FROM records' FROM records", "SELECT 'a\\' FROM records' FROM (R) AS records"],
      ["SELECT 1 FROM constructor", "SELECT 1 FROM constructor"],
    ]
  ) assertEquals(withViews(sql, VIEWS), expected);
});

Deno.test("viewsOf counts what was shipped twice once, and asks what the filter lets pass", () => {
  const { records, handshakes, status } = viewsOf("fleet", "(role IN ('client'))");
  for (const view of [records, handshakes, status]) assertMatch(view, /FROM `fleet`\.\w+ FINAL/);
  for (const view of [records, handshakes]) assertMatch(view, /WHERE \(role IN \('client'\)\)/);
});
