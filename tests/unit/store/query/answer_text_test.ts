import { assertEquals } from "@std/assert";
import {
  type Answer,
  formatCsv,
  formatJson,
  formatTable,
} from "../../../../src/store/query/answer_text.ts";
import { HOSTILE_COMM } from "../../record/sample_handshakes.ts";

const ANSWER: Answer = {
  columns: [
    { name: "process", kind: "text" },
    { name: "failed", kind: "count" },
    { name: "failed_share", kind: "share" },
    { name: "rtt_p99_ns", kind: "ns" },
    { name: "first", kind: "time" },
  ],
  rows: [
    ["nginx", 12, 0.0312, 68_900, "2026-11-23T01:02:03.000000000Z"],
    ["\x1b[2J\n", 0, null, null, "2026-11-23T01:02:03.123456789Z"],
    ["=1+1", 3, 1, -500, null],
  ],
};

Deno.test("formatTable aligns numbers right and texts left, and shows no text raw", () => {
  assertEquals(
    formatTable(ANSWER),
    `PROCESS         FAILED  FAILED %  RTT P99  FIRST
nginx               12       3.1  68.9 µs  2026-11-23T01:02:03Z
\\u{1b}[2J\\u{a}       0         -        -  2026-11-23T01:02:03.123456789Z
=1+1                 3     100.0  -500 ns  -
`,
  );
});

Deno.test("formatJson writes an object a row, with null for what is unknown", () => {
  const answer = { ...ANSWER, rows: [...ANSWER.rows, [HOSTILE_COMM, 1, 0, 0, null]] };
  const rows = formatJson(answer).split("\n").slice(0, -1).map((line) => JSON.parse(line));
  assertEquals(
    rows.map((row) => Object.values(row)),
    answer.rows.map((row) => [...row]),
  );
  assertEquals(Object.keys(rows[0]), ANSWER.columns.map(({ name }) => name));
});

Deno.test("formatJson and formatCsv write nothing that a terminal acts on", () => {
  const answer: Answer = {
    columns: [{ name: "process", kind: "text" }, { name: "list", kind: "text" }],
    rows: [["\x1b[2J\u009b31m\u202e", { names: ["\u009b", "\n"] }]],
  };
  assertEquals(
    formatJson(answer),
    String.raw`{"process":"\u001b[2J\u009b31m\u202e","list":{"names":["\u009b","\n"]}}` + "\n",
  );
  assertEquals(
    formatCsv(answer).split("\r\n")[1],
    String.raw`\u{1b}[2J\u{9b}31m\u{202e},"{""names"":[""\u009b"",""\n""]}"`,
  );
});

Deno.test("formatCsv writes no formula, and nothing for what is unknown", () => {
  assertEquals(
    formatCsv({ ...ANSWER, rows: [ANSWER.rows[0], ANSWER.rows[2]] }),
    "process,failed,failed_share,rtt_p99_ns,first\r\n" +
      "nginx,12,0.0312,68900,2026-11-23T01:02:03.000000000Z\r\n" +
      "'=1+1,3,1,-500,\r\n",
  );
});
