import { assertEquals } from "@std/assert";
import { drawHistory, drawSparkline, joinCounts } from "../../../../src/output/top/sparkline.ts";

Deno.test("drawSparkline draws the highest as high as a line, and one beside millions", () => {
  assertEquals(drawSparkline([0, 1, 4, 8, 1e6], false), " ▁▁▁█");
  assertEquals(drawSparkline([1, 2, 3, 4, 5, 6, 7, 8, 0], false), "▁▂▃▄▅▆▇█ ");
  assertEquals(drawSparkline([1, 2, 3, 4, 5, 6, 7, 8], true), ".:-=+*#@");
  assertEquals(drawSparkline([0, 0], false), "  ");
});

Deno.test("joinCounts keeps the sums", () => {
  const counts = Array.from({ length: 60 }, (_, at) => ({ handshakes: at, failed: at % 2 }));
  const joined = joinCounts(counts, 20);
  assertEquals(joined[1], { handshakes: 3 + 4 + 5, failed: 2 });
  assertEquals([joined.length, joined.reduce((sum, { handshakes }) => sum + handshakes, 0)], [
    20,
    1_770,
  ]);
});

Deno.test("drawHistory paints where some failed", () => {
  const counts = [0, 0, 4, 4, 8, 8].map((handshakes, at) => ({
    handshakes,
    failed: at === 3 ? 1 : 0,
  }));
  assertEquals(drawHistory(counts, 3, false), [
    { text: " ", style: undefined },
    { text: "▄", style: "bad" },
    { text: "█", style: undefined },
  ]);
  assertEquals(drawHistory(counts, 8, false).at(-1), { text: "  " });
});
