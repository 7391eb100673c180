import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import fc from "fast-check";
import { drawView } from "../../../../src/output/top/draw_view.ts";
import type { Key, KeyName } from "../../../../src/output/top/keys.ts";
import { decodeLine } from "../../../../src/record/record_decoder.ts";
import { CONTEXT } from "../../record/sample_handshakes.ts";
import {
  press,
  sampleHandshake,
  sampleMinute,
  sampleModel,
  sampleView,
  screenText,
} from "./sample_top.ts";

const SIZE = { columns: 100, rows: 30 };

function minuteView() {
  return sampleView(sampleModel(sampleMinute()));
}

Deno.test("TopView goes from a group to its handshakes, to the ladder of one, and back", () => {
  const view = minuteView();
  press(view, "2", "G", "<enter>");
  assertStringIncludes(
    screenText(view, SIZE),
    "server [2001:db8:0:1:2:3:4:80]:443, latest: 5 kept",
  );
  press(view, "j", "<enter>");
  const { number } = view.list[1];
  assertStringIncludes(screenText(view, SIZE), `ladder of ${number}\n`);
  press(view, "n");
  assertStringIncludes(screenText(view, SIZE), `ladder of ${view.list[2].number}\n`);
  press(view, "p", "p", "p");
  assertStringIncludes(screenText(view, SIZE), `ladder of ${view.list[0].number}\n`);
  press(view, "<escape>", "<escape>");
  assertEquals([view.screen.kind, view.position.key], ["table", "[2001:db8:0:1:2:3:4:80]:443"]);
});

Deno.test("TopView groups and sorts", () => {
  const view = minuteView();
  const first = () => view.picture.rows[0].name;
  press(view, "<tab>", "<tab>");
  assertEquals([view.table.grouping, first()], ["process", "checkout"]);
  press(view, "<back-tab>", "<back-tab>", "<back-tab>");
  assertEquals([view.table.grouping, first()], ["reason", "ECONNREFUSED"]);
  press(view, "<tab>", "4");
  assertEquals([view.table.sort, first()], ["failed", "10.0.0.6:6379"]);
  press(view, "4");
  assert(view.picture.rows[0].failed === 0);
  press(view, "s");
  assertEquals([view.table.sort, view.table.isReversed], ["failed-rate", false]);
  press(view, "S");
  assert(view.table.isReversed);
});

Deno.test("TopView keeps the mark on a row that moves", () => {
  const view = minuteView();
  press(view, "2", "j", "j");
  const { name } = view.picture.rows[view.position.at];
  const [server, port] = name.split(":");
  for (let nth = 0; nth < 5_000; nth++) {
    view.model.take(sampleHandshake({ server, port: Number(port) }), CONTEXT);
  }
  view.refresh();
  assertEquals([view.position.at, view.picture.rows[0].name], [0, name]);
});

Deno.test("TopView shows at the top of a list what comes, and stays elsewhere with what is chosen", () => {
  const view = minuteView();
  const come = () => {
    view.model.take(sampleHandshake({ outcome: "refused" }), CONTEXT);
    view.refresh();
  };
  press(view, "f");
  const first = view.list[0].number;
  come();
  assertEquals([view.position.at, view.list[0].number > first], [0, true]);
  press(view, "j");
  come();
  assertEquals(view.position.at, 2);
  press(view, "g");
  come();
  assertEquals(view.position.at, 0);
});

Deno.test("TopView filters while one types, and says what is wrong until it is right", () => {
  const view = minuteView();
  press(view, "/refu");
  assertStringIncludes(screenText(view, SIZE), "60 of 945 handshakes");
  press(view, "!");
  assertMatch(screenText(view, SIZE), /\/refu! +Unknown flag "refu!"$/);
  assertStringIncludes(screenText(view, SIZE), "60 of 945 handshakes");
  press(view, "<enter>");
  assert(view.typing !== undefined);
  press(view, "<backspace>", "<enter>");
  assertEquals([view.typing, view.filter], [undefined, "refu"]);
  assertStringIncludes(screenText(view, SIZE), "filter refu");
  press(view, "<escape>");
  assertEquals([view.filter, view.picture.totals.handshakes], ["", 945]);
  // What is pasted is text, not keys.
  press(view, "/");
  assertEquals(view.press({ kind: "paste", text: "time\nq" }), undefined);
  assertEquals(view.typing!.editor.text, "time q");
});

Deno.test("TopView stands still while it is paused, and counts", () => {
  const view = minuteView();
  press(view, "2", " ");
  const before = screenText(view, SIZE);
  for (let nth = 0; nth < 50; nth++) {
    view.model.take(sampleHandshake({ outcome: "timeout" }), CONTEXT);
  }
  view.refresh();
  const paused = screenText(view, SIZE);
  assertStringIncludes(paused, "paused: 50 came since");
  assertEquals(paused.split("\n").slice(1), before.split("\n").slice(1));
  press(view, "<down>", "<enter>");
  assertStringIncludes(screenText(view, SIZE), "latest: ");
  press(view, "<escape>", " ");
  assertStringIncludes(screenText(view, SIZE), "995 handshakes");
});

Deno.test("TopView lists failures, the slowest and the latest, and counts anew", () => {
  const view = minuteView();
  press(view, "f");
  assertStringIncludes(screenText(view, SIZE), "latest failures: 65 kept");
  press(view, "o");
  assertStringIncludes(screenText(view, SIZE), "slowest through the network: 100 kept");
  press(view, "a");
  assertStringIncludes(screenText(view, SIZE), "latest handshakes: 945 kept");
  press(view, "<escape>", "c");
  assertStringIncludes(screenText(view, SIZE), "0 handshakes");
  assertStringIncludes(screenText(view, SIZE), "no handshake yet");
});

Deno.test("TopView saves the handshakes of a row or a list, and a ladder as text", () => {
  const view = minuteView();
  press(view, "2", "G", "w");
  assertMatch(screenText(view, SIZE), /^save as: synsnoop-2026-11-23T010303\.ndjson/m);
  const [ofRow] = press(view, "<ctrl-u>", "x.ndjson", "<enter>");
  assert(ofRow.kind === "save" && ofRow.path === "x.ndjson");
  const outcomes = ofRow.text.trimEnd().split("\n").map((line) => {
    const decoded = decodeLine(line);
    return decoded.kind === "handshake" && decoded.handshake.outcome;
  });
  assertEquals(outcomes, Array(5).fill("timeout"));
  press(view, "f");
  const [ofList] = press(view, "w", "<enter>");
  assert(ofList.kind === "save" && ofList.text.trimEnd().split("\n").length === 65);
  press(view, "<enter>");
  const [ofLadder] = press(view, "w", "<enter>");
  assert(ofLadder.kind === "save" && ofLadder.path.endsWith(".txt"));
  assertMatch(ofLadder.text, /^ladder of \d+\nx{60}\n$/);
  assertEquals(press(view, "w", "<ctrl-u>", "<enter>"), []);
  assertEquals(press(view, "w", "<escape>"), []);
});

Deno.test("TopView does what is clicked", () => {
  const view = minuteView();
  const click = (text: string | RegExp, offset = 0) => {
    const lines = screenText(view, SIZE).split("\n");
    const row = lines.findIndex((line) => line.search(text) >= 0);
    view.press({ kind: "press", column: lines[row].search(text) + offset, row });
  };
  click("process");
  assertEquals(view.table.grouping, "process");
  click("COUNT");
  assertEquals(view.table.sort, "handshakes");
  click(/^.curl/, 3);
  assertEquals([view.screen.kind, view.position.key], ["table", "curl"]);
  click(/^.curl/, 3);
  assertEquals(view.screen.kind, "list");
  click(/^.\d\d:/, 3);
  assertEquals(view.screen.kind, "list");
  click(/^.\d\d:/, 3);
  assertEquals(view.screen.kind, "ladder");
  press(view, "<escape>", "<escape>");
  click(/refused {5}/, 2);
  assertEquals(view.screen.kind, "ladder");
  press(view, "<escape>");
  view.press({ kind: "wheel", by: 1, column: 0, row: 9 });
  assertEquals(view.position.at, 2);
});

Deno.test("TopView ends, stops and draws anew, whatever is typed", () => {
  const view = minuteView();
  for (const keys of [[], ["/"], ["w"], ["?"], ["f", "<enter>"]]) {
    press(view, ...keys);
    assertEquals(press(view, "<ctrl-c>", "<ctrl-z>", "<ctrl-l>"), [
      { kind: "quit" },
      { kind: "suspend" },
      { kind: "redraw" },
    ]);
    press(view, "<escape>");
  }
  assertEquals(press(view, "q"), [{ kind: "quit" }]);
});

Deno.test("TopView keeps what was said, safe to print", () => {
  const view = minuteView();
  for (let nth = 0; nth < 200; nth++) view.say(`\x1b[2J${nth}`);
  assertEquals([view.messages.length, view.message], [100, "\\u{1b}[2J199"]);
  assertStringIncludes(screenText(view, SIZE), "\\u{1b}[2J199");
  for (let nth = 0; nth <= 20; nth++) view.refresh();
  assertEquals(view.message, "");
  press(view, "m", "G");
  assertStringIncludes(screenText(view, SIZE), "\\u{1b}[2J180\n");
  press(view, "m");
  assertEquals(view.screen.kind, "table");
});

Deno.test("TopView survives any keys on any screen", () => {
  const names: KeyName[] = [
    ...["enter", "escape", "tab", "back-tab", "backspace", "delete", "up", "down", "left"] as const,
    ...["right", "home", "end", "page-up", "page-down", "ctrl-a", "ctrl-u", "ctrl-w"] as const,
  ];
  const key = fc.oneof(
    fc.constantFrom(...names).map((name): Key => ({ kind: "key", name })),
    fc.constantFrom(..."jkgGhlnp/ ?mfoacwsS1234567890q!é日").map((text): Key => ({
      kind: "text",
      text,
    })),
    fc.record({
      kind: fc.constant("press" as const),
      column: fc.nat({ max: 130 }),
      row: fc.nat({ max: 50 }),
    }),
    fc.record({
      kind: fc.constant("wheel" as const),
      by: fc.constantFrom(1 as const, -1 as const),
      column: fc.nat({ max: 9 }),
      row: fc.nat({ max: 9 }),
    }),
  );
  const size = fc.record({
    columns: fc.integer({ min: 1, max: 130 }),
    rows: fc.integer({ min: 1, max: 50 }),
  });
  fc.assert(
    fc.property(fc.array(fc.tuple(key, size), { maxLength: 40 }), (steps) => {
      const view = sampleView(sampleModel(sampleMinute().slice(0, 60)));
      for (const [key, size] of steps) {
        view.press(key);
        view.model.take(sampleHandshake({ outcome: "refused" }), CONTEXT);
        view.refresh();
        drawView(view, size);
      }
    }),
    { numRuns: 200 },
  );
});
