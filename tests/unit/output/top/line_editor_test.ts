import { assertEquals } from "@std/assert";
import fc from "fast-check";
import type { Key, KeyName } from "../../../../src/output/top/keys.ts";
import { LineEditor } from "../../../../src/output/top/line_editor.ts";
import { lineWidth } from "../../../../src/output/top/screen_line.ts";

function edit(editor: LineEditor, ...keys: (KeyName | `"${string}`)[]): string {
  for (const key of keys) {
    const all: Key[] = key.startsWith('"')
      ? [...key.slice(1)].map((text) => ({ kind: "text", text }))
      : [{ kind: "key", name: key as KeyName }];
    for (const each of all) editor.take(each);
  }
  return editor.text;
}

Deno.test("LineEditor edits at its cursor", () => {
  const editor = new LineEditor("port 80");
  assertEquals(edit(editor, "home", '"--'), "--port 80");
  assertEquals(edit(editor, "end", "backspace", '"443'), "--port 8443");
  assertEquals(edit(editor, "left", "left", "left", "backspace"), "--port 443");
  assertEquals(edit(editor, "delete"), "--port 43");
  assertEquals(edit(editor, "end", "ctrl-w"), "--port ");
  assertEquals(edit(editor, "ctrl-w", "ctrl-u", "backspace", "left", '"é日'), "é日");
  assertEquals(editor.take({ kind: "key", name: "up" }), false);
});

Deno.test("LineEditor takes a paste as one line, and no end of lines", () => {
  const editor = new LineEditor();
  editor.take({ kind: "paste", text: "--port\t443\r\n--failed\x1b[A\n" });
  assertEquals(editor.text, "--port 443 --failed [A");
  editor.take({ kind: "paste", text: "x".repeat(5_000) });
  assertEquals(editor.text.length, 1_000);
});

Deno.test("LineEditor draws the part around its cursor", () => {
  fc.assert(fc.property(fc.string({ unit: "grapheme" }), fc.nat({ max: 60 }), (text, left) => {
    const editor = new LineEditor(text);
    for (let nth = 0; nth < left; nth++) editor.take({ kind: "key", name: "left" });
    const spans = editor.draw(20);
    assertEquals(lineWidth(spans.slice(0, 2)) <= 20, true);
    assertEquals(spans[1].style, "inverse");
  }));
  assertEquals(new LineEditor("abc").draw(9).map(({ text }) => text), ["abc", " ", ""]);
});
