/**
 * Lines of a screen as a picture: the same cells that a terminal is sent.
 *
 * @module
 */
import type { ScreenLine, ScreenSize, ScreenStyle } from "../../src/output/top/screen_line.ts";
import { widthOf } from "../../src/text/width.ts";

/** Pixels of a cell, and around all of them. */
const CELL = { width: 8.4, height: 18 };
const MARGIN = 12;
const BASELINE = 13.5;

/** Legible on the dark background. */
const COLOURS: Readonly<Partial<Record<ScreenStyle, string>>> = {
  aside: "#8b949e",
  bad: "#ff7b72",
  good: "#56d364",
  unsure: "#e3b341",
  repeated: "#e3b341",
  client: "#79c0ff",
  server: "#d2a8ff",
};
const INK = "#e6edf3";
const PAPER = "#0d1117";

function escapeXml(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}

function pixels(value: number): string {
  return String(Math.round(value * 10) / 10);
}

/** Draws a screen. @param title Says what it is, for who cannot see it. */
export function drawScreenSvg(
  lines: readonly ScreenLine[],
  { columns, rows }: ScreenSize,
  title: string,
): string {
  const width = pixels(2 * MARGIN + columns * CELL.width);
  const height = pixels(2 * MARGIN + rows * CELL.height);
  const parts: string[] = [];
  lines.forEach((line, row) => {
    let column = 0;
    for (const { text, style } of line) {
      const x = MARGIN + column * CELL.width;
      const y = MARGIN + row * CELL.height;
      const places = widthOf(text);
      column += places;
      const isInverse = style === "inverse";
      if (isInverse) {
        parts.push(
          `<rect x="${pixels(x)}" y="${pixels(y)}" width="${pixels(places * CELL.width)}" ` +
            `height="${CELL.height}" fill="${INK}"/>`,
        );
      }
      if (text.trim() === "") continue;
      const fill = isInverse ? PAPER : style && COLOURS[style] || INK;
      const weight = style === "heading" ? ' font-weight="bold"' : "";
      parts.push(
        `<text x="${pixels(x)}" y="${pixels(y + BASELINE)}" fill="${fill}"${weight} ` +
          `textLength="${pixels(places * CELL.width)}">${escapeXml(text)}</text>`,
      );
    }
  });
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" ` +
    `width="${width}" height="${height}" font-family="ui-monospace, 'DejaVu Sans Mono', ` +
    `Menlo, Consolas, monospace" font-size="14" xml:space="preserve">\n` +
    `<title>${escapeXml(title)}</title>\n` +
    `<rect width="${width}" height="${height}" rx="6" fill="${PAPER}"/>\n` +
    `${parts.join("\n")}\n</svg>\n`;
}
