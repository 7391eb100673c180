import { assert, assertEquals } from "@std/assert";
import { drawHandshake, drawListHeading } from "../../../../src/output/top/draw_list.ts";
import { lineWidth } from "../../../../src/output/top/screen_line.ts";
import { sampleModel } from "./sample_top.ts";

const [KEPT] = sampleModel([{
  comm: "\x1b[2J日本",
  outcome: "refused",
  reason: "ECONNREFUSED",
}]).latest();

Deno.test("drawHandshake paints the outcome, and fits any screen", () => {
  for (const columns of [40, 80, 120, 200]) {
    for (const ascii of [false, true]) {
      const options = { columns, ascii, localTime: false };
      const line = drawHandshake(KEPT, options, true);
      assertEquals(line[0], { text: ">", style: "inverse" });
      assertEquals(line.find(({ style }) => style === "bad")?.text, "refused");
      assert(lineWidth(line) <= columns);
      assert(!/\p{C}/u.test(line.map(({ text }) => text).join("")));
      assert(drawListHeading(options)[0].text.startsWith(" TIME (UTC)"));
    }
  }
});
