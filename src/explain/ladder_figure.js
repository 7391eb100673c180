// @ts-check
/**
 * Where everything on the picture of a ladder stands. It is plain JavaScript because a browser draws it
 * too: `lesson_svg.ts` makes markup with it, the page of a report elements.
 *
 * @module
 */

/** @import { Ladder, LadderPen, LadderRow } from "./ladder.ts" */

/** Advance of a character of the monospaced font, and the height of a line; pixels. */
export const CHARACTER = 8.4;
export const LINE = 20;
export const MARGIN = 24;

const HEAD_LENGTH = 9;
const DOT_RADIUS = 4;
/** How far one gets that never came, of the way, and half the size of the cross there. */
const LOST_AT = 0.85;
const CROSS = 5;

/**
 * Where the bars of the two ends stand, pixels from the left.
 *
 * @param {Pick<Ladder, "timeWidth" | "serverTimeWidth" | "inner">} ladder
 * @returns {{ clientX: number, serverX: number, rightX: number }}
 */
export function placeBars({ timeWidth, serverTimeWidth, inner }) {
  const clientX = MARGIN + (timeWidth + 5) * CHARACTER;
  const serverX = clientX + inner * CHARACTER;
  // Behind it stand the times by the server's clock, where there are some.
  const rightX = serverTimeWidth === 0 ? serverX : serverX + (serverTimeWidth + 1) * CHARACTER;
  return { clientX, serverX, rightX };
}

/**
 * Draws a ladder from top to bottom.
 *
 * @param {LadderPen} pen What it is drawn with.
 * @param {Ladder} ladder The ladder.
 * @param {number} top Baseline of its first line, pixels.
 * @returns {number} Baseline of the line below it.
 */
export function drawLadder(pen, ladder, top) {
  const bars = placeBars(ladder);
  const { clientX, serverX } = bars;
  const { client, server } = ladder;
  let y = top;
  pen.text(clientX, y, "client", "heading", "start");
  pen.text(serverX, y, "server", "heading", "end");
  y += LINE;
  pen.text(clientX, y, client, "ink", "start");
  if ((client.length + server.length + 2) * CHARACTER > serverX - clientX) y += LINE;
  pen.text(serverX, y, server, "ink", "end");
  y += 0.5 * LINE;
  const barsTop = y;
  y += LINE;
  for (const row of ladder.rows) {
    y = row.kind === "arrow" ? drawArrow(pen, row, bars, y) : drawEvent(pen, row, bars, y);
  }
  for (const x of [clientX, serverX]) {
    pen.path(linePath(x, barsTop, x, y), "aside", true);
  }
  return y;
}

/**
 * @param {LadderPen} pen
 * @param {LadderRow} row
 * @param {{ clientX: number, serverX: number }} bars
 * @param {number} top
 */
function drawArrow(pen, row, { clientX, serverX }, top) {
  const { number, time, serverTime, label, lines, style, linesStyle, isLost } = row;
  let y = top;
  pen.text(clientX + 2 * CHARACTER, y, label, style, "start");
  y += 0.5 * LINE;
  // Time and number stand at the height of the arrow.
  pen.text(MARGIN, y + 5, String(number), "aside", "start");
  pen.text(clientX - CHARACTER, y + 5, time, "ink", "end");
  pen.text(serverX + CHARACTER, y + 5, serverTime, "ink", "start");
  const [fromX, toX] = row.end === "client" ? [clientX, serverX] : [serverX, clientX];
  if (isLost) {
    const endX = fromX + LOST_AT * (toX - fromX);
    pen.path(linePath(fromX, y, endX, y), style, true);
    for (const slope of [CROSS, -CROSS]) {
      pen.path(linePath(endX - CROSS, y - slope, endX + CROSS, y + slope), style, true);
    }
  } else {
    const baseX = toX + (toX > fromX ? -HEAD_LENGTH : HEAD_LENGTH);
    pen.path(linePath(fromX, y, baseX, y), style, true);
    const [tip, base, at, above, under] = [toX, baseX, y, y - 4.5, y + 4.5].map(roundPixels);
    pen.path(`M${tip} ${at}L${base} ${above}L${base} ${under}Z`, style, false);
  }
  y += LINE;
  for (const line of lines) {
    pen.text(clientX + 3 * CHARACTER, y, line, linesStyle, "start");
    y += LINE;
  }
  return y + 0.5 * LINE;
}

/**
 * @param {LadderPen} pen
 * @param {LadderRow} row
 * @param {{ clientX: number, serverX: number }} bars
 * @param {number} top
 */
function drawEvent(pen, row, { clientX, serverX }, top) {
  const { end, time, serverTime, lines, style, linesStyle } = row;
  let y = top;
  pen.text(serverX + 2 * CHARACTER, y, serverTime, "ink", "start");
  pen.text(clientX - 2 * CHARACTER, y, time, "ink", "end");
  if (end !== undefined) pen.circle(end === "server" ? serverX : clientX, y - 5, DOT_RADIUS, style);
  const x = end === "server" ? serverX - 2 * CHARACTER : clientX + 2 * CHARACTER;
  for (const line of lines) {
    pen.text(x, y, line, linesStyle, end === "server" ? "end" : "start");
    y += LINE;
  }
  return y + 0.5 * LINE;
}

/**
 * @param {number} x1
 * @param {number} y1
 * @param {number} x2
 * @param {number} y2
 */
function linePath(x1, y1, x2, y2) {
  const [ax, ay, bx, by] = [x1, y1, x2, y2].map(roundPixels);
  return `M${ax} ${ay}L${bx} ${by}`;
}

/**
 * To a tenth of a pixel.
 *
 * @param {number} pixels
 * @returns {number}
 */
export function roundPixels(pixels) {
  return Math.round(pixels * 10) / 10;
}
