// @ts-check
/// <reference lib="dom" />
/**
 * The page: reads its data, puts the parts in their places, and has them follow one state.
 *
 * @module
 */
import { button, html } from "./elements.js";
import { HandshakeTable } from "./handshake_table.js";
import { LegChart } from "./leg_chart.js";
import { kindsTable, rankingTable } from "./name_tables.js";
import { OutcomeCharts } from "./outcome_charts.js";
import { TimeRange } from "./time_range.js";
import { formatCount, formatMoment, formatShare, timeOfDay } from "./units.js";
import { unpack } from "./unpack.js";
import { readState, writeState } from "./view_state.js";

/** @import { PageData } from "../page_data.ts" */
/** @import { ViewState } from "./view_state.js" */

/** @type {PageData} */
const data = JSON.parse(document.getElementById("data")?.textContent ?? "");
const main = document.querySelector("main") ?? document.body;
const kinds = data.kinds.map((kind) => ({ ...kind, counts: unpack(kind.series) }));
const outcomes = data.outcomes.map((outcome) => ({
  outcome,
  counts: Array.from(
    { length: data.buckets },
    (_, at) =>
      kinds.reduce((sum, kind) => sum + (kind.outcome === outcome ? kind.counts[at] : 0), 0),
  ),
})).filter(({ counts }) => counts.some((count) => count > 0));

let state = readState(location.hash);

/** @param {Partial<ViewState>} change */
function change(change) {
  state = { ...state, ...change };
  // Not `location.hash`, which would scroll, and make a step back of each letter typed.
  history.replaceState(null, "", writeState(state) || location.pathname + location.search);
  draw();
}

/**
 * @param {number} fromMs
 * @param {number} toMs
 */
function look(fromMs, toMs) {
  const range = new TimeRange(data, { from: fromMs, to: toMs });
  change(
    range.isWhole ? { from: undefined, to: undefined } : { from: range.fromMs, to: range.toMs },
  );
}

/** @param {string} words */
function filterBy(words) {
  change({ filter: words });
  handshakes.element.scrollIntoView({ block: "start" });
}

const cards = html("ul", { class: "cards" });
const charts = new OutcomeCharts(outcomes, look);
const legs = data.legs.map((leg) => new LegChart(leg, data.parts, look));
const failures = html("div");
const rankings = html("div");
const handshakes = new HandshakeTable(data, change);

const shownTime = html("output", { id: "shown-time" });
const [first, last] = ["from", "to"].map((name) =>
  html("input", {
    type: "range",
    min: 0,
    max: data.buckets,
    step: 1,
    "aria-label": `Time, ${name}`,
  })
);
const whole = button("The whole time", () => change({ from: undefined, to: undefined }));
const zone = button("Local time", () => change({ isLocal: !state.isLocal }), {
  "aria-pressed": "false",
});
first.addEventListener("change", () => moveEdge(Number(first.value), Number(last.value), true));
last.addEventListener("change", () => moveEdge(Number(first.value), Number(last.value), false));

/**
 * @param {number} from
 * @param {number} to
 * @param {boolean} isFirst Whether the first edge was moved: the other gives way.
 */
function moveEdge(from, to, isFirst) {
  const begin = isFirst ? Math.min(from, data.buckets - 1) : Math.min(from, Math.max(0, to - 1));
  const range = new TimeRange(data);
  look(range.momentOf(begin), range.momentOf(Math.max(to, begin + 1)));
}

/** What stands on top does not change. */
function drawOnce() {
  const about = html("dl", { class: "facts" });
  for (const [name, text] of data.about) about.append(html("dt", {}, name), html("dd", {}, text));
  main.append(
    html("h1", {}, "TCP handshakes"),
    ...data.missing.length === 0 ? [] : [html(
      "section",
      { class: "missing", "aria-label": "What is missing" },
      html("h2", {}, "Read this first"),
      html("ul", {}, ...data.missing.map((sentence) => html("li", {}, sentence))),
    )],
    about,
    html(
      "div",
      { class: "controls time", role: "group", "aria-label": "The time that is looked at" },
      shownTime,
      first,
      last,
      whole,
      zone,
    ),
    cards,
    charts.element,
    ...legs.map(({ element }) => element),
    failures,
    rankings,
    handshakes.element,
    html(
      "div",
      { class: "grid" },
      ...data.sections.map(({ title, sentences }) =>
        html(
          "section",
          {},
          html("h2", {}, title),
          ...sentences.map((sentence) => html("p", {}, sentence)),
        )
      ),
    ),
    html(
      "footer",
      { class: "dim" },
      html(
        "p",
        {},
        `Made by synsnoop ${data.version}. Network RTT and host time are never mixed: ` +
          "which leg of a handshake is which depends on who tells it.",
      ),
      html(
        "details",
        {},
        html("summary", {}, "Licence of uPlot, which draws the lines"),
        html("pre", {}, document.getElementById("licence")?.textContent ?? ""),
      ),
    ),
  );
}

function draw() {
  const range = new TimeRange(data, state);
  const { isLocal } = state;
  const moment = (/** @type {number} */ ms) => formatMoment(ms, isLocal);
  const [from, to] = [moment(range.fromMs), moment(range.toMs)];
  const isOneDay = from.split(" ")[0] === to.split(" ")[0];
  shownTime.textContent = `${from} to ${isOneDay ? timeOfDay(to) : to} ` +
    `${isLocal ? zoneName() : "UTC"}`;
  for (const [input, at] of /** @type {const} */ ([[first, range.first], [last, range.last]])) {
    input.value = String(at);
    input.setAttribute("aria-valuetext", moment(range.momentOf(at)));
  }
  whole.disabled = range.isWhole;
  zone.setAttribute("aria-pressed", String(isLocal));
  drawCards(range);
  charts.draw(range, isLocal);
  for (const leg of legs) leg.draw(range, isLocal);
  failures.replaceChildren(kindsTable(kinds, range, filterBy));
  rankings.replaceChildren(
    ...data.rankings.map((ranking) => rankingTable(ranking, range, filterBy)),
  );
  handshakes.draw(state, range);
}

/** @param {TimeRange} range */
function drawCards(range) {
  const sums = outcomes.map(({ outcome, counts }) => ({
    outcome,
    count: counts.slice(range.first, range.last).reduce((sum, count) => sum + count, 0),
  }));
  const all = sums.reduce((sum, { count }) => sum + count, 0);
  cards.replaceChildren(
    html("li", {}, html("b", {}, formatCount(all)), all === 1 ? "handshake" : "handshakes"),
    ...sums.map(({ outcome, count }) =>
      html(
        "li",
        { class: `is-${outcome}` },
        html("b", {}, formatCount(count)),
        outcome,
        html("small", {}, formatShare(count, all)),
      )
    ),
  );
}

function zoneName() {
  return Intl.DateTimeFormat().resolvedOptions().timeZone;
}

document.title = `TCP handshakes: ${data.about.find(([name]) => name === "hosts")?.[1]}`;
drawOnce();
draw();
if (state.open !== undefined) handshakes.showOpen();
addEventListener("hashchange", () => {
  state = readState(location.hash);
  draw();
});
let width = document.documentElement.clientWidth;
addEventListener("resize", () => {
  // On a phone the height changes while one scrolls.
  if (document.documentElement.clientWidth === width) return;
  width = document.documentElement.clientWidth;
  draw();
});
for (const query of ["(prefers-color-scheme: dark)", "print"]) {
  matchMedia(query).addEventListener("change", draw);
}
