import { assert } from "@std/assert";
import { drawHelp, KEYS_HELP } from "../../../../src/output/top/help_text.ts";
import { lineWidth } from "../../../../src/output/top/screen_line.ts";

Deno.test("drawHelp names every key, in any width", () => {
  for (const width of [20, 40, 59, 60, 80, 120]) {
    const lines = drawHelp(width);
    assert(lines.every((line) => lineWidth(line) <= width), String(width));
    const text = lines.flat().map(({ text }) => text.trim());
    for (const [keys] of KEYS_HELP) assert(text.includes(keys), keys);
  }
});
