// @ts-check
/// <reference lib="dom" />
/**
 * The durations of a leg over time, as a heatmap: the darker, or in the dark the brighter, the more.
 *
 * @module
 */
import { html, svg } from "./elements.js";
import { formatCount, formatDuration, formatMoment, formatMoments, formatWidth } from "./units.js";
import { addCells, quantileBucket, startOfBucket, unpackCells } from "./unpack.js";

/** @import { LegData } from "../page_data.ts" */
/** @import { TimeRange } from "./time_range.js" */

const LEFT = 64;
const BOTTOM = 22;
const ROWS_MAX = 48;
const ROW_HEIGHT = 5;
const SHADES = 8;
const LABEL_HEIGHT = 16;

/** A chart of one leg. */
export class LegChart {
  /** @type {HTMLElement} */
  element = html("section", { class: "leg" });
  /** @type {LegData} */
  #leg;
  #parts;
  #cells;
  /** @type {(fromMs: number, toMs: number) => void} */
  #onRange;

  /**
   * @param {LegData} leg
   * @param {number} parts Buckets of durations to a power of two.
   * @param {(fromMs: number, toMs: number) => void} onRange Told what time was chosen.
   */
  constructor(leg, parts, onRange) {
    this.#leg = leg;
    this.#parts = parts;
    this.#cells = leg.cells.map(unpackCells);
    this.#onRange = onRange;
  }

  /**
   * Draws what lies in a range.
   *
   * @param {TimeRange} range
   * @param {boolean} isLocal
   */
  draw(range, isLocal) {
    const { title, meaning } = this.#leg;
    const cells = this.#cells.slice(range.first, range.last);
    const all = addCells(cells);
    const numbers = this.#describe(range, all);
    const figure = html("div", { class: "chart" });
    const told = html("p", { class: "dim" }, HOW_TO_READ);
    this.element.replaceChildren(
      html("h2", {}, title, " ", html("small", {}, meaning)),
      html("p", { class: "numbers" }, numbers),
      figure,
      told,
    );
    if (all.size === 0) return;
    const width = Math.max(280, this.element.clientWidth);
    figure.append(this.#drawMap(cells, all, range, isLocal, width, told));
  }

  /**
   * @param {TimeRange} range
   * @param {Map<number, number>} all
   */
  #describe({ isWhole }, all) {
    const { measured, p50Ns, p99Ns, maxNs } = this.#leg;
    if (isWhole) {
      return `${formatCount(measured)} measured: p50 ${formatDuration(p50Ns)}, ` +
        `p99 ${formatDuration(p99Ns)}, longest ${formatDuration(maxNs)}`;
    }
    const count = [...all.values()].reduce((sum, each) => sum + each, 0);
    if (count === 0) return "none measured in this time";
    // The end of a bucket is never too low.
    const quantile = (/** @type {number} */ share) => {
      const at = quantileBucket(all, share) ?? 0;
      return formatDuration(Math.min(maxNs, startOfBucket(at + 1, this.#parts)));
    };
    return `${formatCount(count)} measured in this time: p50 ${quantile(0.5)} or less, ` +
      `p99 ${quantile(0.99)} or less (at most 12.5 % too high)`;
  }

  /**
   * @param {{ first: number, counts: number[] }[]} cells
   * @param {Map<number, number>} all
   * @param {TimeRange} range
   * @param {boolean} isLocal
   * @param {number} width
   * @param {HTMLElement} told
   */
  #drawMap(cells, all, range, isLocal, width, told) {
    const places = [...all.keys()];
    // As many buckets of durations become one row as it takes for the rows to fit.
    const low = Math.min(...places);
    const high = Math.max(...places);
    const together = Math.ceil((high - low + 1) / ROWS_MAX);
    const rows = Math.ceil((high - low + 1) / together);
    const height = rows * ROW_HEIGHT * Math.max(1, Math.min(4, Math.floor(28 / rows)));
    const rowHeight = height / rows;
    const columnWidth = (width - LEFT) / cells.length;
    /** @param {number} at Number of a bucket of durations, which may be a part of one. */
    const yOf = (at) => height - (at - low) / together * rowHeight;
    const counts = cells.map(({ first, counts }) => {
      const column = new Array(rows).fill(0);
      counts.forEach((count, at) => column[Math.floor((first + at - low) / together)] += count);
      return column;
    });
    const most = Math.max(...counts.flat());
    const shades = Array.from({ length: SHADES }, () => "");
    counts.forEach((column, x) => {
      column.forEach((count, row) => {
        if (count === 0) return;
        const shade = Math.min(
          SHADES - 1,
          Math.floor(Math.log1p(count) / Math.log1p(most) * SHADES),
        );
        const [left, top] = [LEFT + x * columnWidth, height - (row + 1) * rowHeight];
        shades[shade] += `M${left.toFixed(1)} ${top.toFixed(1)}h${(columnWidth + 0.2).toFixed(1)}` +
          `v${rowHeight.toFixed(1)}h-${(columnWidth + 0.2).toFixed(1)}z`;
      });
    });
    const picture = svg("svg", {
      width,
      height: height + BOTTOM,
      role: "img",
      "aria-label": `${this.#leg.title} over time: ${this.#describe(range, all)}`,
    });
    shades.forEach((d, at) => {
      if (d !== "") picture.append(svg("path", { d, class: `shade${at}` }));
    });
    for (const [share, name] of /** @type {const} */ ([[0.5, "median"], [0.99, "high"]])) {
      let d = "";
      cells.forEach((cell, x) => {
        const at = quantileBucket(addCells([cell]), share);
        if (at === undefined) return;
        const [left, y] = [LEFT + x * columnWidth, yOf(at + 1)];
        d += `M${left.toFixed(1)} ${y.toFixed(1)}h${columnWidth.toFixed(1)}`;
      });
      picture.append(svg("path", { d, class: `quantile ${name}` }));
    }
    this.#drawAxes(picture, { low, high, yOf, height, width, columnWidth }, range, isLocal);
    this.#listen(picture, { counts, height, columnWidth, rowHeight, low, together }, range, {
      isLocal,
      told,
    });
    return picture;
  }

  /**
   * @param {SVGSVGElement} picture
   * @param {{ low: number, high: number, yOf: (at: number) => number, height: number, width: number, columnWidth: number }} frame
   * @param {TimeRange} range
   * @param {boolean} isLocal
   */
  #drawAxes(picture, { low, high, yOf, height, width, columnWidth }, range, isLocal) {
    const label = (/** @type {number} */ y, /** @type {string} */ text) =>
      picture.append(
        svg("path", { d: `M${LEFT - 4} ${y.toFixed(1)}h4`, class: "tick" }),
        svg("text", { x: LEFT - 8, y: Math.max(10, y + 4), "text-anchor": "end" }, text),
      );
    let lastY = Infinity;
    for (let power = 0; power < 16; power++) {
      for (const step of [1, 2, 5]) {
        const ns = step * 10 ** power;
        const at = this.#bucketOf(ns);
        if (at < low || at > high + 1) continue;
        const y = yOf(at);
        if (lastY - y < (step === 1 ? LABEL_HEIGHT : 2 * LABEL_HEIGHT)) continue;
        lastY = y;
        label(y, roundDuration(ns));
      }
    }
    // Where all take about as long, no round duration may be among them.
    if (lastY === Infinity) label(height, formatDuration(startOfBucket(low, this.#parts)));
    const ticks = range.ticks(Math.max(1, Math.floor((width - LEFT) / range.tickWidth)));
    formatMoments(ticks, isLocal, range.isLong).forEach((text, nth) => {
      const left = LEFT + (ticks[nth] - range.fromMs) / range.widthMs * columnWidth;
      const anchor = left > width - range.tickWidth / 2 ? "end" : "middle";
      picture.append(
        svg("path", { d: `M${left.toFixed(1)} ${height}v4`, class: "tick" }),
        svg("text", { x: left.toFixed(1), y: height + 17, "text-anchor": anchor }, text),
      );
    });
  }

  /**
   * The bucket that a duration lies in, with the part of it that is below.
   *
   * @param {number} ns
   */
  #bucketOf(ns) {
    let at = 0;
    while (startOfBucket(at + 1, this.#parts) <= ns) at++;
    const [from, to] = [startOfBucket(at, this.#parts), startOfBucket(at + 1, this.#parts)];
    return at + (ns - from) / (to - from);
  }

  /**
   * Shows what lies under the pointer, and takes a time that is dragged over.
   *
   * @param {SVGSVGElement} picture
   * @param {{ counts: number[][], height: number, columnWidth: number, rowHeight: number, low: number, together: number }} map
   * @param {TimeRange} range
   * @param {{ isLocal: boolean, told: HTMLElement }} shown
   */
  #listen(picture, map, range, { isLocal, told }) {
    const mark = svg("rect", { class: "brush", y: 0, height: map.height, width: 0 });
    picture.append(mark);
    /** @type {number | undefined} */
    let from;
    const xOf = (/** @type {PointerEvent} */ event) => {
      const left = event.clientX - picture.getBoundingClientRect().left;
      return Math.max(LEFT, Math.min(left, LEFT + map.counts.length * map.columnWidth));
    };
    const momentAt = (/** @type {number} */ x) =>
      range.fromMs + (x - LEFT) / map.columnWidth * range.widthMs;
    picture.addEventListener("pointerdown", (event) => {
      if (event.button !== 0) return;
      from = xOf(event);
      picture.setPointerCapture(event.pointerId);
    });
    picture.addEventListener("pointermove", (event) => {
      const x = xOf(event);
      if (from === undefined) {
        this.#tell(event.clientY - picture.getBoundingClientRect().top, x, map, range, {
          isLocal,
          told,
        });
        return;
      }
      mark.setAttribute("x", String(Math.min(from, x)));
      mark.setAttribute("width", String(Math.abs(x - from)));
    });
    picture.addEventListener("pointerup", (event) => {
      const [begin, end] = [from, xOf(event)];
      from = undefined;
      mark.setAttribute("width", "0");
      if (begin === undefined || Math.abs(end - begin) < 3) return;
      this.#onRange(momentAt(Math.min(begin, end)), momentAt(Math.max(begin, end)));
    });
    picture.addEventListener("pointercancel", () => {
      from = undefined;
      mark.setAttribute("width", "0");
    });
    picture.addEventListener("pointerleave", () => {
      if (from === undefined) told.textContent = HOW_TO_READ;
    });
  }

  /**
   * @param {number} y
   * @param {number} x
   * @param {{ counts: number[][], height: number, columnWidth: number, rowHeight: number, low: number, together: number }} map
   * @param {TimeRange} range
   * @param {{ isLocal: boolean, told: HTMLElement }} shown
   */
  #tell(y, x, { counts, height, columnWidth, rowHeight, low, together }, range, shown) {
    const column = Math.min(counts.length - 1, Math.floor((x - LEFT) / columnWidth));
    const row = Math.floor((height - y) / rowHeight);
    const count = counts[column]?.[row];
    if (count === undefined) return;
    const at = low + row * together;
    shown.told.textContent =
      `${formatMoment(range.momentOf(range.first + column), shown.isLocal)} and the ` +
      `${formatWidth(range.widthMs)} after it, ${
        formatDuration(startOfBucket(at, this.#parts))
      } to ` +
      `${formatDuration(startOfBucket(at + together, this.#parts))}: ${
        formatCount(count)
      } handshakes`;
  }
}

const HOW_TO_READ =
  "The stronger the colour, the more handshakes (logarithmic). Line: the median; dashed: the 99th percentile. Drag to choose a time.";

/**
 * @param {number} ns A power of ten, or two or five times one.
 * @returns {string}
 */
function roundDuration(ns) {
  const [scale, unit] = ns < 1e3
    ? [1, "ns"]
    : ns < 1e6
    ? [1e3, "µs"]
    : ns < 1e9
    ? [1e6, "ms"]
    : [1e9, "s"];
  return `${ns / Number(scale)} ${unit}`;
}
