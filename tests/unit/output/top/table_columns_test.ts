import { assert, assertEquals } from "@std/assert";
import { GroupRow } from "../../../../src/output/top/group_row.ts";
import {
  drawHeadings,
  drawRow,
  formatRate,
  layOut,
  sortAt,
  sortRows,
  SORTS,
} from "../../../../src/output/top/table_columns.ts";
import { lineWidth } from "../../../../src/output/top/screen_line.ts";
import { NOW_SECONDS, sampleModel } from "./sample_top.ts";

function rows(): GroupRow[] {
  const model = sampleModel([
    { port: 1, second: 58, clientRttNs: 100, serverRttNs: 9 },
    { port: 1, second: 59, clientRttNs: 100, serverRttNs: 9 },
    { port: 1, second: 9, clientRttNs: 100, serverRttNs: 9 },
    { port: 2, second: 59, clientRttNs: 900, serverRttNs: 5 },
    { port: 3, second: 58, outcome: "refused" },
    { port: 3, second: 20, outcome: "timeout" },
    { port: 3, second: 20, outcome: "timeout" },
    { port: 3, second: 20, outcome: "refused" },
  ]);
  return model.counts.groups.server.list(9)
    .map((named) => new GroupRow(named, { now: NOW_SECONDS, rateSeconds: 10 }));
}

Deno.test("sortRows sorts by each column, what was never measured last", () => {
  const ports = (sort: typeof SORTS[number], isReversed = false) =>
    sortRows(rows(), sort, isReversed).map(({ name }) => name.at(-1)).join("");
  assertEquals(SORTS.map((sort) => `${sort} ${ports(sort)}`), [
    "name 123",
    "handshakes 312",
    "rate 132",
    "failed 312",
    "failed-rate 312",
    "network-p50 213",
    "network-p99 213",
    "host-p50 123",
    "host-p99 123",
  ]);
  assertEquals(ports("network-p99", true), "123");
  assertEquals(ports("name", true), "321");
});

Deno.test("layOut fills any width and leaves out what matters least", () => {
  const [row] = rows();
  const headings = (width: number) =>
    drawHeadings(layOut(width), { name: "SERVER", sort: "rate", isReversed: false, ascii: true })
      .map(({ text }) => text.trim()).join(" ");
  assertEquals(headings(39), "SERVER NEW/Sv FAILED NET P99");
  assertEquals(headings(79), "SERVER COUNT NEW/Sv FAILED NET P50 NET P99 LAST 60 S");
  assertEquals(
    headings(160),
    "SERVER COUNT NEW/Sv FAILED FAIL/S NET P50 NET P99 HOST P50 HOST P99 LAST 60 S FAILURES",
  );
  for (let width = 39; width < 200; width++) {
    const layout = layOut(width);
    const heading = drawHeadings(layout, {
      name: "SERVER",
      sort: "name",
      isReversed: true,
      ascii: false,
    });
    assertEquals(lineWidth(heading), width + 1);
    assert(lineWidth(drawRow(layout, row, { isChosen: true, ascii: false })) <= width + 1);
  }
  assertEquals(
    headings(119),
    "SERVER COUNT NEW/Sv FAILED FAIL/S NET P50 NET P99 HOST P99 LAST 60 S FAILURES",
  );
});

Deno.test("sortAt finds the column at a place", () => {
  const layout = layOut(39);
  const heading = drawHeadings(layout, {
    name: "SERVER",
    sort: "name",
    isReversed: false,
    ascii: true,
  }).map(({ text }) => text).join("");
  const at = (text: string) => sortAt(layout, heading.indexOf(text) + 1);
  assertEquals(["SERVER", "NEW/S", "FAILED", "NET P99"].map(at), [
    "name",
    "rate",
    "failed",
    "network-p99",
  ]);
  assertEquals(sortAt(layout, 500), undefined);
});

Deno.test("drawRow shows a hostile name in the places it has", () => {
  const model = sampleModel([{ comm: "\x1b[2Jé日本\u202e" }, { comm: "x".repeat(90) }]);
  const layout = layOut(60);
  for (const named of model.counts.groups.process.list(9)) {
    for (const ascii of [false, true]) {
      const row = new GroupRow(named, { now: NOW_SECONDS, rateSeconds: 10 });
      const line = drawRow(layout, row, { isChosen: false, ascii });
      assertEquals(lineWidth(line.slice(0, 2)), 1 + layout.nameWidth);
      const text = line.map(({ text }) => text).join("");
      assert(!/\p{C}/u.test(text), text);
      if (ascii) assert(/^[\x20-\x7e]*$/.test(line[1].text), line[1].text);
    }
  }
});

Deno.test("drawRow names the role of this host's time, and failures by outcome in colour", () => {
  const model = sampleModel([
    { role: "server", clientRttNs: 55_000 },
    { role: "server", outcome: "half_open" },
    { role: "server", outcome: "timeout" },
    { role: "server", outcome: "timeout" },
  ]);
  const [named] = model.counts.groups.server.list(1);
  const row = new GroupRow(named, { now: NOW_SECONDS, rateSeconds: 10 });
  const line = drawRow(layOut(199), row, { isChosen: true, ascii: false });
  assert(line.some(({ text }) => text === "55.0 µs s"));
  assertEquals(line.slice(-5, -1), [
    { text: "2 " },
    { text: "timeout", style: "bad" },
    { text: ", 1 " },
    { text: "half_open", style: "unsure" },
  ]);
  assertEquals(line[0].text, ">");
});

Deno.test("formatRate writes a rate in few characters", () => {
  assertEquals([0, 0.01, 0.1, 9.94, 9.96, 12_345.6].map(formatRate), [
    "0",
    "<0.1",
    "0.1",
    "9.9",
    "10",
    "12346",
  ]);
});
