import { assertEquals, assertMatch } from "@std/assert";
import { encodeLine, ScreenRenderer } from "../../../../src/output/top/render.ts";
import { plainLine } from "../../../../src/output/top/screen_line.ts";

Deno.test("encodeLine paints with sixteen colours, or without", () => {
  const line = [
    { text: "a", style: "bad" as const },
    { text: "b", style: "inverse" as const },
    { text: "c" },
  ];
  assertEquals(encodeLine(line, true), "\x1b[31ma\x1b[m\x1b[7mb\x1b[mc");
  assertEquals(encodeLine(line, false), "a\x1b[7mb\x1b[mc");
});

Deno.test("encodeLine puts the cursor where it belongs behind what may be wide or combine", () => {
  assertEquals(
    encodeLine([{ text: "日e\u0301 " }, { text: "12 µs █" }], false),
    "日e\u0301 \x1b[6G12 µs █",
  );
});

Deno.test("ScreenRenderer sends what changed, between the marks of an update", () => {
  const renderer = new ScreenRenderer(false);
  const lines = ["a", "b", ""].map((text) => plainLine(text));
  const whole = "\x1b[?2026h\x1b[m\x1b[2J\x1b[1;1H\x1b[2Ka\x1b[2;1H\x1b[2Kb\x1b[?2026l";
  assertEquals(renderer.render(lines), whole);
  assertEquals(renderer.render(lines), "");
  lines[1] = plainLine("c");
  assertEquals(renderer.render(lines), "\x1b[?2026h\x1b[2;1H\x1b[2Kc\x1b[?2026l");
  renderer.forget();
  assertMatch(renderer.render(lines), /\[2J/);
  assertMatch(renderer.render(lines.slice(1)), /\[2J/);
});
