import { assertEquals } from "@std/assert";
import { chooseRows, tableRows } from "../../../../../src/output/report/page/handshake_table.js";
import { TimeRange } from "../../../../../src/output/report/page/time_range.js";
import type { PageData } from "../../../../../src/output/report/page_data.ts";

const VIEW = { teller: 0 };

function dataOf(rows: [us: number, client: string, total: number, kind?: number][]): PageData {
  const texts = ["web1, the client", ...rows.map(([, client]) => client), "10.0.0.9:443", ""];
  return {
    startMs: 1_000,
    widthMs: 1,
    buckets: 10,
    kinds: [{ outcome: "established", reason: "" }, { outcome: "refused", reason: "ECONNREFUSED" }],
    texts,
    rows: rows.map(([us, , total, kind = 0], at) => ({
      us,
      kind,
      client: at + 1,
      server: texts.length - 2,
      who: texts.length - 1,
      network: -1,
      host: -1,
      total,
      syns: kind === 0 ? 1 : 3,
      synAcks: 1,
      slow: 0,
      views: [VIEW],
    })),
  } as unknown as PageData;
}

const DATA = dataOf([[0, "10.0.0.10:1", 30], [1_500, "10.0.0.2:1", 4], [
  9_000,
  "10.0.0.3:1",
  -1,
  1,
]]);

function choose(
  asked: { filter?: string; sort?: string; isDown?: boolean; from?: number; to?: number },
) {
  const { filter = "", sort = "time", isDown = false, from, to } = asked;
  const range = new TimeRange(DATA, { from, to });
  return chooseRows(tableRows(DATA), { filter, sort, isDown }, range).map(({ at }) => at);
}

Deno.test("rows are sorted by time, text with its numbers in mind, or durations", () => {
  assertEquals(choose({}), [0, 1, 2]);
  assertEquals(choose({ isDown: true }), [2, 1, 0]);
  assertEquals(choose({ sort: "client" }), [1, 2, 0]);
  assertEquals(choose({ sort: "total", isDown: true }), [0, 1, 2]);
  assertEquals(choose({ sort: "no such column" }), [0, 1, 2]);
});

Deno.test("rows are those that have every word, in any column and letters of any size", () => {
  assertEquals(choose({ filter: "REFUSED 3 syns" }), [2]);
  assertEquals(choose({ filter: "  web1, the  " }), [0, 1, 2]);
  assertEquals(choose({ filter: "10.0.0.2: nowhere" }), []);
});

Deno.test("rows are those of the time that is looked at", () => {
  assertEquals(choose({ from: 1_001, to: 1_002 }), [1]);
  assertEquals(choose({ from: 1_001 }), [1, 2]);
});
