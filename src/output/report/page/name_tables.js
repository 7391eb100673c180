// @ts-check
/// <reference lib="dom" />
/**
 * Tables of names: failures by reason, servers, clients, processes.
 *
 * @module
 */
import { button, html } from "./elements.js";
import { unpack } from "./unpack.js";
import { formatCount, formatDuration, formatShare } from "./units.js";

/** @import { KindData, RankingData } from "../page_data.ts" */
/** @import { TimeRange } from "./time_range.js" */

/**
 * A table in a region that scrolls where it is too wide.
 *
 * @param {string} title
 * @param {readonly string[]} headings The first is the name's.
 * @param {readonly string[]} words Headings of the columns that hold words, which may take several lines.
 * @param {readonly (Node | string)[][]} rows
 * @param {string} note
 * @returns {HTMLElement}
 */
function tableOf(title, headings, words, rows, note) {
  const classOf = (/** @type {number} */ at) =>
    at === 0 ? undefined : words.includes(headings[at]) ? "words" : "number";
  return html(
    "section",
    { class: "names" },
    html("h2", {}, title),
    html(
      "div",
      { class: "scroll", role: "region", "aria-label": title, tabindex: 0 },
      html(
        "table",
        {},
        html(
          "thead",
          {},
          html(
            "tr",
            {},
            ...headings.map((heading, at) =>
              html("th", { scope: "col", class: classOf(at) }, heading)
            ),
          ),
        ),
        html(
          "tbody",
          {},
          ...rows.map((cells) =>
            html(
              "tr",
              {},
              ...cells.map((cell, at) =>
                html(at === 0 ? "th" : "td", {
                  class: classOf(at),
                  scope: at === 0 ? "row" : undefined,
                }, cell)
              ),
            )
          ),
        ),
      ),
    ),
    ...note === "" ? [] : [html("p", { class: "dim" }, note)],
  );
}

/**
 * The failures by reason, and what was established though something was in its way, in a range of time.
 *
 * @param {readonly (KindData & { counts: number[] })[]} kinds
 * @param {TimeRange} range
 * @param {(words: string) => void} onWords Told which words the rows of a kind have.
 * @returns {HTMLElement}
 */
export function kindsTable(kinds, range, onWords) {
  const rows = kinds.filter(({ outcome, reason }) => outcome !== "established" || reason !== "")
    .map((kind) => ({
      ...kind,
      inRange: kind.counts.slice(range.first, range.last).reduce((sum, count) => sum + count, 0),
    }))
    .filter(({ inRange }) => inRange > 0)
    .sort((one, other) => other.inRange - one.inRange);
  const all = rows.reduce((sum, { inRange }) => sum + inRange, 0);
  if (rows.length === 0) {
    return html(
      "section",
      { class: "names" },
      html("h2", {}, "Failures by reason"),
      html("p", {}, "None."),
    );
  }
  return tableOf(
    "Failures by reason",
    ["outcome", "reason", "what it means", "handshakes", "share", "in the table"],
    ["reason", "what it means"],
    rows.map(({ outcome, reason, meaning, inRange, kept }) => [
      outcome,
      reason === "" || reason === "(others)"
        ? reason
        : button(reason, () => onWords(`${outcome} ${reason.replaceAll(",", "")}`), {
          class: "name",
        }),
      meaning,
      formatCount(inRange),
      formatShare(inRange, all),
      formatCount(kept),
    ]),
    "",
  );
}

/**
 * A table of names: of all the time with round trips, of a part of it how many.
 *
 * @param {RankingData} ranking
 * @param {TimeRange} range
 * @param {(words: string) => void} onWords Told which words the rows of a name have.
 * @returns {HTMLElement}
 */
export function rankingTable({ title, heading, rows, note }, range, onWords) {
  const nameCell = (/** @type {string} */ name) =>
    name.startsWith("(") ? name : button(name, () => onWords(name), { class: "name" });
  const failedCell = (/** @type {number} */ failed, /** @type {number} */ all) =>
    failed === 0 ? "0" : `${formatCount(failed)} (${formatShare(failed, all)})`;
  if (range.isWhole) {
    return tableOf(
      title,
      [heading, "handshakes", "failed", "how", "network p50", "p99"],
      ["how"],
      rows.map(({ name, isLeast, handshakes, failed, failures, p50Ns, p99Ns }) => [
        nameCell(name),
        (isLeast ? "≥" : "") + formatCount(handshakes),
        failedCell(failed, handshakes),
        failures,
        formatDuration(p50Ns),
        formatDuration(p99Ns),
      ]),
      note,
    );
  }
  const sumOf = (/** @type {readonly number[]} */ packed) =>
    unpack(packed).slice(range.first, range.last).reduce((sum, count) => sum + count, 0);
  const inRange = rows.flatMap(({ name, all, failedOf }) =>
    all === undefined ? [] : [{ name, handshakes: sumOf(all), failed: sumOf(failedOf ?? []) }]
  ).filter(({ handshakes }) => handshakes > 0)
    .sort((one, other) => other.handshakes - one.handshakes);
  return tableOf(
    title,
    [heading, "handshakes", "failed"],
    [],
    inRange.map(({ name, handshakes, failed }) => [
      nameCell(name),
      formatCount(handshakes),
      failedCell(failed, handshakes),
    ]),
    "In this time, of those with the most handshakes in the whole time.",
  );
}
