// @ts-check
/// <reference lib="dom" />
/**
 * Outcomes over time: lines drawn by uPlot. Dragging over one chooses a time.
 *
 * @module
 */
import { html } from "./elements.js";
import { formatCount, formatMoment, formatMoments, formatWidth } from "./units.js";

/** @import { TimeRange } from "./time_range.js" */

/** Loaded before this script. @type {any} */
const uPlot = Reflect.get(globalThis, "uPlot");

const HEIGHT = 180;
const AXIS_WIDTH = 64;

/**
 * @typedef {object} OutcomeSeries
 * @property {string} outcome
 * @property {number[]} counts By bucket of time.
 */

/** Charts of outcomes over time. */
export class OutcomeCharts {
  /** @type {HTMLElement} */
  element = html("div");
  /** @type {any[]} */
  #plots = [];
  /** @type {readonly { title: string, series: readonly OutcomeSeries[] }[]} */
  #charts;
  /** @type {(fromMs: number, toMs: number) => void} */
  #onRange;

  /**
   * @param {readonly OutcomeSeries[]} series Every outcome that came.
   * @param {(fromMs: number, toMs: number) => void} onRange Told what time was chosen.
   */
  constructor(series, onRange) {
    const established = series.filter(({ outcome }) => outcome === "established");
    const failures = series.filter(({ outcome }) => outcome !== "established");
    this.#charts = [
      { title: "Established", series: established },
      { title: "Failures, by outcome", series: failures },
    ].filter(({ series }) => series.length > 0);
    this.#onRange = onRange;
  }

  /**
   * Draws what lies in a range.
   *
   * @param {TimeRange} range
   * @param {boolean} isLocal
   */
  draw(range, isLocal) {
    for (const plot of this.#plots) plot.destroy();
    this.element.replaceChildren();
    this.#plots = this.#charts.map(({ title, series }) =>
      this.#drawOne(title, series, range, isLocal)
    );
  }

  /**
   * @param {string} title
   * @param {readonly OutcomeSeries[]} series
   * @param {TimeRange} range
   * @param {boolean} isLocal
   */
  #drawOne(title, series, range, isLocal) {
    const { widthMs, first, last } = range;
    const width = formatWidth(widthMs);
    const shown = series.map(({ outcome, counts }) => ({
      outcome,
      counts: counts.slice(first, last),
    }));
    const sums = shown.map(({ outcome, counts }) =>
      `${outcome} ${formatCount(counts.reduce((sum, count) => sum + count, 0))}`
    );
    const box = html("div", {
      class: "chart",
      role: "img",
      "aria-label": `${title}, in each ${width}: ${sums.join(", ")}`,
    });
    this.element.append(
      html("h2", {}, title, " ", html("small", {}, `handshakes in each ${width}`)),
      box,
    );
    // The last piece of time ends where one more would begin.
    const times = Array.from(
      { length: last - first + 1 },
      (_, at) => range.momentOf(first + at) / 1e3,
    );
    const data = shown.map(({ counts }) => [...counts, counts[counts.length - 1]]);
    const plotWidth = Math.max(280, this.element.clientWidth);
    const options = {
      width: plotWidth,
      height: HEIGHT,
      // So that the same time stands at the same place in every chart.
      padding: [8, 0, 0, 0],
      scales: {
        x: { time: false },
        y: { range: { min: { hard: 0, soft: 0, mode: 1 }, max: { pad: 0.1 } } },
      },
      axes: axesOf(range, plotWidth, isLocal),
      series: [timeSeries(isLocal), ...shown.map(({ outcome }) => stepsOf(outcome, shown.length))],
      cursor: { sync: { key: "time" }, drag: { x: true, y: false, setScale: false } },
      hooks: { setSelect: [(/** @type {any} */ plot) => this.#chooseTime(plot)] },
    };
    return new uPlot(options, [times, ...data], box);
  }

  /**
   * Takes what was drawn over with the mouse for the time to show.
   *
   * @param {any} plot
   */
  #chooseTime(plot) {
    const { left, width } = plot.select;
    if (width < 3) return;
    plot.setSelect({ left: 0, width: 0, top: 0, height: 0 }, false);
    this.#onRange(plot.posToVal(left, "x") * 1e3, plot.posToVal(left + width, "x") * 1e3);
  }
}

/**
 * Time below, counts at the left.
 *
 * @param {TimeRange} range
 * @param {number} plotWidth
 * @param {boolean} isLocal
 */
function axesOf(range, plotWidth, isLocal) {
  const style = getComputedStyle(document.documentElement);
  const look = {
    stroke: style.getPropertyValue("--dim").trim(),
    grid: { stroke: style.getPropertyValue("--line").trim(), width: 1 },
  };
  const timeWidth = plotWidth - AXIS_WIDTH;
  const ticks = range.ticks(Math.max(1, Math.floor(timeWidth / range.tickWidth)));
  const lastMs = range.toMs - range.tickWidth / 2 / timeWidth * (range.toMs - range.fromMs);
  const labels = formatMoments(ticks, isLocal, range.isLong)
    .map((text, at) => ticks[at] <= lastMs ? text : "");
  return [
    { ...look, splits: () => ticks.map((ms) => ms / 1e3), values: () => labels },
    {
      ...look,
      size: AXIS_WIDTH,
      values: (/** @type {any} */ _, /** @type {number[]} */ splits) =>
        splits.map((at) => Number.isInteger(at) ? formatCount(at) : ""),
    },
  ];
}

/** @param {boolean} isLocal */
function timeSeries(isLocal) {
  return {
    label: isLocal ? "local time" : "UTC",
    value: (/** @type {any} */ _, /** @type {number | null} */ at) =>
      at === null ? "–" : formatMoment(at * 1e3, isLocal),
  };
}

/**
 * How the counts of an outcome are drawn: alone in its chart also filled.
 *
 * @param {string} outcome
 * @param {number} inChart
 */
function stepsOf(outcome, inChart) {
  const style = getComputedStyle(document.documentElement);
  const colour = style.getPropertyValue(`--${outcome}`).trim();
  return {
    label: outcome,
    stroke: colour,
    fill: inChart === 1 ? `${colour}33` : undefined,
    width: 1.5,
    paths: uPlot.paths.stepped({ align: 1 }),
    points: { show: false },
    value: (/** @type {any} */ _, /** @type {number | null} */ count) =>
      count === null ? "–" : formatCount(count),
  };
}
