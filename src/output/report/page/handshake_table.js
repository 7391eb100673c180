// @ts-check
/// <reference lib="dom" />
/**
 * The table of handshakes: sorted by a column, filtered by words, each row opens its ladder.
 *
 * @module
 */
import { button, html } from "./elements.js";
import { showView } from "./ladder_view.js";
import { TimeRange } from "./time_range.js";
import { formatCount, formatDuration, formatMoment, timeOfDay } from "./units.js";

/** @import { PageData } from "../page_data.ts" */
/** @import { ViewState } from "./view_state.js" */

/** Rows that are shown before one asks for all of them. */
const ROWS_FIRST = 100;

/**
 * @typedef {object} TableRow
 * @property {number} at Its number in the data.
 * @property {number} ms When, milliseconds of Unix time.
 * @property {number} us The microseconds of that millisecond.
 * @property {Record<string, string>} texts By column, but for the time.
 * @property {Record<string, number>} numbers Durations by column, -1 where they are not known.
 * @property {string} words All that a filter looks at.
 */

/** Columns that hold text, and what each is called. */
const TEXT_COLUMNS = [
  ["host", "told by"],
  ["outcome", "outcome"],
  ["reason", "reason"],
  ["client", "client"],
  ["server", "server"],
  ["processes", "processes"],
];
const NUMBER_COLUMNS = [["network", "network RTT"], ["hosttime", "host time"], ["total", "total"]];
const COLUMNS = [["time", "time"], ...TEXT_COLUMNS, ...NUMBER_COLUMNS];

/**
 * What a table shows of the rows.
 *
 * @param {PageData} data
 * @returns {TableRow[]}
 */
export function tableRows({ rows, kinds, texts, startMs }) {
  return rows.map((row, at) => {
    const { outcome, reason } = kinds[row.kind];
    const tellers = row.views.map(({ teller }) => texts[teller]);
    const again = [
      row.syns > 1 ? `${row.syns} SYNs` : "",
      row.synAcks > 1 ? `${row.synAcks} SYN-ACKs` : "",
    ];
    const cells = {
      // What two hosts tell together has the names of both; what each tells stands with the ladders.
      host: tellers[0].endsWith(" together") ? tellers[0] : tellers.join("; "),
      outcome,
      reason: [reason, ...again].filter((text) => text !== "").join(", "),
      client: texts[row.client],
      server: texts[row.server],
      processes: texts[row.who],
    };
    return {
      at,
      ms: startMs + Math.floor(row.us / 1e3),
      us: row.us % 1e3,
      texts: cells,
      numbers: { network: row.network, hosttime: row.host, total: row.total },
      words: `${[...Object.values(cells), ...tellers].join(" ")}${row.slow === 1 ? " slowest" : ""}`
        .toLowerCase(),
    };
  });
}

const collator = new Intl.Collator("en", { numeric: true });

/**
 * The rows that a state asks for, in its order.
 *
 * @param {readonly TableRow[]} rows
 * @param {Pick<ViewState, "filter" | "sort" | "isDown">} state
 * @param {TimeRange} range
 * @returns {TableRow[]}
 */
export function chooseRows(rows, { filter, sort, isDown }, range) {
  const words = filter.toLowerCase().split(/[\s,]+/).filter((word) => word !== "");
  const chosen = rows.filter(({ ms, words: own }) =>
    range.has(ms) && words.every((word) => own.includes(word))
  );
  const isText = TEXT_COLUMNS.some(([name]) => name === sort);
  const isNumber = NUMBER_COLUMNS.some(([name]) => name === sort);
  const sign = isDown ? -1 : 1;
  return chosen.sort((one, other) => {
    const order = isText
      ? collator.compare(one.texts[sort], other.texts[sort])
      : isNumber
      ? one.numbers[sort] - other.numbers[sort]
      : 0;
    // What is equal, and what is sorted by nothing else, is in the order of its time.
    return sign * (order || one.ms - other.ms || one.us - other.us);
  });
}

/** The table. */
export class HandshakeTable {
  /** @type {HTMLElement} */
  element = html("section", { class: "handshakes" });
  #data;
  #rows;
  #isAll = false;
  #isLong;
  #search = html("input", {
    type: "search",
    id: "filter",
    placeholder: "words: refused, curl, slowest …",
    autocomplete: "off",
  });
  #count = html("span", { class: "dim", role: "status" });
  #head = html("tr");
  #body = html("tbody");
  #more = html("p");
  /** @type {ViewState | undefined} */
  #state;
  /** @type {TimeRange | undefined} */
  #range;
  /** @type {(change: Partial<ViewState>) => void} */
  #onChange;

  /**
   * @param {PageData} data
   * @param {(change: Partial<ViewState>) => void} onChange Told what one asks for.
   */
  constructor(data, onChange) {
    this.#data = data;
    this.#rows = tableRows(data);
    this.#isLong = new TimeRange(data).isLong;
    this.#onChange = onChange;
    this.#search.addEventListener("input", () => onChange({ filter: this.#search.value }));
    this.element.append(
      html("h2", {}, "Handshakes", " ", html("small", {}, data.tableNote)),
      html(
        "p",
        { class: "controls" },
        html("label", { for: "filter" }, "Filter"),
        " ",
        this.#search,
        " ",
        this.#count,
      ),
      html(
        "div",
        { class: "scroll", role: "region", "aria-label": "Handshakes", tabindex: 0 },
        html("table", {}, html("thead", {}, this.#head), this.#body),
      ),
      this.#more,
    );
  }

  /**
   * Shows what a state asks for.
   *
   * @param {ViewState} state
   * @param {TimeRange} range
   */
  draw(state, range) {
    const before = this.#state;
    const isOther = before === undefined || before.filter !== state.filter ||
      before.sort !== state.sort || before.isDown !== state.isDown ||
      before.isLocal !== state.isLocal || this.#range?.first !== range.first ||
      this.#range?.last !== range.last;
    this.#state = state;
    this.#range = range;
    if (isOther) this.#drawRows();
    this.#open(state.open);
  }

  #drawRows() {
    const [state, range] = [this.#state, this.#range];
    if (state === undefined || range === undefined) return;
    // Whoever types is not disturbed.
    if (this.#search.value !== state.filter) this.#search.value = state.filter;
    this.#drawHead(state);
    const rows = chooseRows(this.#rows, state, range);
    const shown = this.#isAll ? rows : rows.slice(0, ROWS_FIRST);
    this.#body.replaceChildren(...shown.map((row) => this.#drawRow(row, state.isLocal)));
    this.#count.textContent = rows.length === shown.length
      ? `${formatCount(rows.length)} shown`
      : `${formatCount(shown.length)} of ${formatCount(rows.length)} shown`;
    this.#more.replaceChildren(
      ...rows.length > shown.length
        ? [button(`Show all ${formatCount(rows.length)}`, () => {
          this.#isAll = true;
          this.#drawRows();
          this.#open(this.#state?.open);
        })]
        : [],
    );
  }

  /** @param {ViewState} state */
  #drawHead({ sort, isDown, isLocal }) {
    const focused = document.activeElement?.getAttribute("data-column");
    this.#head.replaceChildren(...COLUMNS.map(([name, heading]) => {
      const isSorted = name === sort;
      const isNumber = NUMBER_COLUMNS.some(([each]) => each === name);
      const text = name === "time" ? `time (${isLocal ? "local" : "UTC"})` : heading;
      return html(
        "th",
        {
          scope: "col",
          class: isNumber ? "number" : undefined,
          "aria-sort": isSorted ? isDown ? "descending" : "ascending" : "none",
        },
        button(
          text,
          () => this.#onChange({ sort: name, isDown: isSorted ? !isDown : isNumber }),
          { "data-column": name },
        ),
      );
    }));
    if (focused) {
      const again = this.#head.querySelector(`[data-column="${focused}"]`);
      if (again instanceof HTMLElement) again.focus();
    }
  }

  /**
   * @param {TableRow} row
   * @param {boolean} isLocal
   */
  #drawRow({ at, ms, us, texts, numbers }, isLocal) {
    const moment = formatMoment(ms, isLocal);
    const time = `${this.#isLong ? moment : timeOfDay(moment)}${String(us).padStart(3, "0")}`;
    const toggle = () => this.#onChange({ open: this.#state?.open === at ? undefined : at });
    const opener = button(time, () => {}, { class: "name", "aria-expanded": "false" });
    const element = html(
      "tr",
      { "data-row": at, class: `is-${texts.outcome}` },
      html("th", { scope: "row" }, opener),
      ...TEXT_COLUMNS.map(([name]) => html("td", {}, texts[name])),
      ...NUMBER_COLUMNS.map(([name]) =>
        html(
          "td",
          { class: "number" },
          formatDuration(numbers[name] < 0 ? undefined : numbers[name]),
        )
      ),
    );
    element.addEventListener("click", toggle);
    return element;
  }

  /** Brings the row that is open into sight, to which a link led. */
  showOpen() {
    this.#body.querySelector("tr.story")?.previousElementSibling?.scrollIntoView({
      block: "center",
    });
  }

  /** @param {number | undefined} at */
  #open(at) {
    const before = this.#body.querySelector("tr.story");
    if (before !== null) {
      if (before.getAttribute("data-story") === String(at)) return;
      before.previousElementSibling?.querySelector("button")?.setAttribute(
        "aria-expanded",
        "false",
      );
      before.remove();
    }
    const data = at === undefined ? undefined : this.#data.rows[at];
    if (data === undefined) return;
    let row = this.#body.querySelector(`tr[data-row="${at}"]`);
    if (row === null && !this.#isAll && this.#state !== undefined && this.#range !== undefined) {
      const isChosen = chooseRows(this.#rows, this.#state, this.#range).some((each) =>
        each.at === at
      );
      if (!isChosen) return;
      // A link leads to it, though it is not among the first.
      this.#isAll = true;
      this.#drawRows();
      row = this.#body.querySelector(`tr[data-row="${at}"]`);
    }
    row?.querySelector("button")?.setAttribute("aria-expanded", "true");
    row?.after(
      html(
        "tr",
        { class: "story", "data-story": at },
        html(
          "td",
          { colspan: COLUMNS.length },
          html("div", { class: "views" }, ...data.views.map((view) => showView(view, this.#data))),
        ),
      ),
    );
  }
}
