import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { drawView } from "../../../../src/output/top/draw_view.ts";
import { lineWidth } from "../../../../src/output/top/screen_line.ts";
import { TopModel } from "../../../../src/output/top/top_model.ts";
import { CONTEXT } from "../../record/sample_handshakes.ts";
import {
  press,
  SampleClock,
  sampleHandshake,
  sampleMinute,
  sampleModel,
  sampleView,
  screenText,
} from "./sample_top.ts";

const HOSTILE = [
  "\x1b[2J\x1b[31m",
  "日本語サーバ",
  "e\u0301\u0301\u0301\u0301",
  "\u202eevil",
  "👩‍💻👩‍💻",
  "a\tb\nc",
  "x".repeat(300),
];

Deno.test("drawView fits any size, on every screen, whatever the names are", () => {
  const samples = [
    ...sampleMinute(),
    ...HOSTILE.map((comm) => ({ comm, outcome: "refused" as const, reason: comm })),
  ];
  for (const ascii of [false, true]) {
    const view = sampleView(sampleModel(samples), { ascii });
    for (const keys of [[], ["<tab>", "<tab>"], ["<enter>"], ["<enter>"], ["?"], ["m"], ["/x!"]]) {
      press(view, ...keys);
      for (const columns of [1, 20, 40, 41, 79, 80, 81, 120, 200]) {
        for (const rows of [4, 10, 11, 24, 40]) {
          const lines = drawView(view, { columns, rows });
          assertEquals(lines.length, rows);
          for (const line of lines) {
            const text = line.map(({ text }) => text).join("");
            assert(lineWidth(line) <= columns, `${columns} × ${rows}: ${text}`);
            assert(!/\p{C}/u.test(text), text);
            if (ascii) assert(/^[\x20-\x7e]*$/.test(text), text);
          }
        }
      }
    }
  }
});

Deno.test("drawView shows rows and numbers in 40 × 10 already", () => {
  const view = sampleView(sampleModel(sampleMinute()));
  assertEquals(
    screenText(view, { columns: 40, rows: 10 }).split("\n").slice(0, 6).map((line) =>
      line.slice(0, 24)
    ),
    [
      "synsnoop top  01:03:03 U",
      "945 handshakes  17/s  65",
      "[server]",
      " SERVER          NEW/S▼ ",
      ">10.0.0.5:5432      8.0 ",
      " 172.67.149.132…    3.1 ",
    ],
  );
});

Deno.test("drawView moves rows so that the chosen one is seen", () => {
  const model = sampleModel(Array.from({ length: 60 }, (_, port) => ({ port: port + 1 })));
  const view = sampleView(model);
  const size = { columns: 80, rows: 14 };
  press(view, "1");
  for (const [keys, name] of [["G", 9], ["g", 1], ["<page-down>", 18], ["<end>", 9]] as const) {
    screenText(view, size);
    press(view, keys);
    assertStringIncludes(screenText(view, size), `>10.0.0.5:${name}`);
  }
});

Deno.test("drawView says how many are in no row, and why there is none", () => {
  const model = new TopModel(new SampleClock().wallMs, 4);
  for (let port = 1; port <= 50; port++) model.take(sampleHandshake({ port }), CONTEXT);
  const view = sampleView(model);
  assertStringIncludes(
    screenText(view, { columns: 120, rows: 24 }),
    "more than 4 names: some made room for others, 48 of whose handshakes are in no row",
  );
  press(view, "<tab>", "<tab>");
  assertStringIncludes(screenText(view, { columns: 80, rows: 24 }), "none of them tells a process");
  press(view, "/nothing");
  assertStringIncludes(screenText(view, { columns: 80, rows: 24 }), "none that passes the filter");
});

Deno.test("drawView says how many lines of a text stand below the screen", () => {
  const view = sampleView(sampleModel(sampleMinute()));
  const size = { columns: 80, rows: 24 };
  press(view, "?");
  const all = screenText(view, { ...size, rows: 100 }).split("\n")
    .findLastIndex((line) => line.includes("LAST 60 S")) + 1;
  const foot = () => screenText(view, size).split("\n")[23];
  assertEquals(foot(), `PgDn ${all - 23} more  Esc back  q quit`);
  press(view, "<page-down>");
  assertEquals(foot(), "Esc back  q quit");
  press(view, "?");
  assert(foot().startsWith("q quit"));
});
