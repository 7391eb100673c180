import { assertEquals } from "@std/assert";
import { type Ladder, layLadder } from "../../../src/explain/ladder.ts";
import { drawLadder, placeBars } from "../../../src/explain/ladder_figure.js";
import { storyOf, WORKED_EXAMPLE } from "./build_conversation.ts";

const LADDER = layLadder(storyOf(WORKED_EXAMPLE));

Deno.test("layLadder has a row for each packet, with its numbers absolute and relative", () => {
  assertEquals(LADDER.rows.map(({ kind, end, label }) => `${kind} ${end} ${label}`), [
    "arrow client [SYN] Seq=0x4ce45750 (0)",
    "arrow server [SYN, ACK] Seq=0xc112f693 (0) Ack=0x4ce45751 (1)",
    "arrow client [ACK] Seq=0x4ce45751 (1) Ack=0xc112f694 (1)",
  ]);
  assertEquals(LADDER.timeWidth, Math.max(...LADDER.rows.map(({ time }) => time.length)));
});

Deno.test("layLadder breaks what stands between the bars into lines that fit", () => {
  const lines = LADDER.rows.flatMap((row) => row.lines);
  assertEquals(lines.length > LADDER.rows.length - 1, true);
  assertEquals(lines.every(({ length }) => length <= LADDER.inner - 4), true);
});

/** The ends of the lines that a ladder is drawn with, from left to right and top to bottom. */
function linesOf(ladder: Ladder): string[] {
  const lines: string[] = [];
  drawLadder(
    {
      text: () => {},
      path: (d, style, isLine) => isLine && lines.push(`${style} ${d}`),
      circle: () => {},
    },
    ladder,
    0,
  );
  return lines;
}

Deno.test("drawLadder leads arrows from the bar of who sends to the other, and draws both bars", () => {
  const ladder = { ...LADDER, rows: LADDER.rows.map((row) => ({ ...row, lines: [] })) };
  const { clientX, serverX } = placeBars(ladder);
  const [left, right] = [clientX, serverX].map((x) => Math.round(x * 10) / 10);
  assertEquals(linesOf(ladder), [
    `client M${left} 60L${right - 9} 60`,
    `server M${right} 100L${left + 9} 100`,
    `client M${left} 140L${right - 9} 140`,
    `aside M${left} 30L${left} 170`,
    `aside M${right} 30L${right} 170`,
  ]);
});
