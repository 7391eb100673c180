// @ts-check
/// <reference lib="dom" />
/**
 * A handshake, told by one host: its ladder with the numbers, whether they fit, and what it means.
 *
 * @module
 */
import { drawLadder, LINE, MARGIN, placeBars } from "../../../explain/ladder_figure.js";
import { html, svg } from "./elements.js";

/** @import { Ladder, LadderPen, LadderRow } from "../../../explain/ladder.ts" */
/** @import { PageData, ViewData } from "../page_data.ts" */

const MARKS = [["✗", "bad", "does not hold"], ["✓", "good", "holds"], ["–", "aside", "not known"]];

/**
 * @param {ViewData} view
 * @param {PageData} data
 * @returns {HTMLElement}
 */
export function showView(view, { texts, ladderWords }) {
  const textAt = (/** @type {number} */ at) => texts[at];
  const facts = html("dl", { class: "facts" });
  for (let at = 0; at < view.facts.length; at += 2) {
    facts.append(
      html("dt", {}, textAt(view.facts[at])),
      html("dd", {}, textAt(view.facts[at + 1])),
    );
  }
  const teller = textAt(view.teller);
  return html(
    "article",
    { class: "view" },
    html("h3", {}, textAt(view.title), " ", html("small", {}, `told by ${teller}`)),
    facts,
    html(
      "div",
      { class: "scroll", role: "region", "aria-label": `Ladder, told by ${teller}`, tabindex: 0 },
      drawPicture(ladderOf(view, textAt)),
    ),
    html(
      "p",
      { class: "dim" },
      view.serverTimeWidth > 0 ? ladderWords.legendOfBothEnds : ladderWords.legend,
    ),
    html("h4", {}, ladderWords.numbers),
    html(
      "ul",
      { class: "checks" },
      ...view.relations.map(([claim, verdict, sum, comment]) => {
        const [mark, style, words] = MARKS[verdict < 0 ? 2 : verdict];
        return html(
          "li",
          {},
          html("span", { class: style, role: "img", "aria-label": words }, mark),
          " ",
          ...textAt(sum) === "" ? [] : [html("code", {}, textAt(sum)), " "],
          [textAt(claim), textAt(comment)].filter((text) => text !== "").join(". "),
        );
      }),
    ),
    html("h4", {}, ladderWords.trips),
    html(
      "dl",
      { class: "facts" },
      ...view.trips.flatMap(([name, duration, text]) => [
        html("dt", {}, textAt(name)),
        html("dd", {}, html("b", {}, textAt(duration)), ` ${textAt(text)}`),
      ]),
    ),
    ...view.remarks.map((remark) => html("p", {}, textAt(remark))),
  );
}

/**
 * @param {ViewData} view
 * @param {(at: number) => string} textAt
 * @returns {Ladder}
 */
function ladderOf(view, textAt) {
  const { client, server, timeWidth, serverTimeWidth, inner, ladder } = view;
  /** @type {LadderRow[]} */
  const rows = ladder.map((row) => {
    const [kind, end, number, time, serverTime, style, label, linesStyle, ...lines] = row;
    return {
      kind: kind === 0 ? "event" : "arrow",
      isLost: kind === 2,
      end: end === 1 ? "client" : end === 2 ? "server" : undefined,
      number: number === 0 ? undefined : number,
      time: textAt(time),
      serverTime: textAt(serverTime),
      style: /** @type {LadderRow["style"]} */ (textAt(style)),
      label: textAt(label),
      lines: lines.map(textAt),
      linesStyle: /** @type {LadderRow["style"]} */ (textAt(linesStyle)),
    };
  });
  const [from, to] = [textAt(client), textAt(server)];
  return { client: from, server: to, timeWidth, serverTimeWidth, inner, rows };
}

/** @param {Ladder} ladder */
function drawPicture(ladder) {
  const picture = svg("svg", { class: "ladder", role: "img", "aria-label": describe(ladder) });
  /** @type {LadderPen} */
  const pen = {
    text: (x, y, text, style, anchor) => {
      if (text !== "") {
        picture.append(svg("text", { x, y, class: style, "text-anchor": anchor }, text));
      }
    },
    path: (d, style, isLine) => {
      picture.append(svg("path", { d, class: isLine ? `line ${style}` : style }));
    },
    circle: (cx, cy, r, style) => {
      picture.append(svg("circle", { cx, cy, r, class: style }));
    },
  };
  const bottom = drawLadder(pen, ladder, LINE);
  const width = placeBars(ladder).rightX + MARGIN;
  picture.setAttribute("width", String(width));
  // Where there is less room it is drawn smaller, see the styles.
  picture.setAttribute("viewBox", `0 0 ${width} ${bottom}`);
  return picture;
}

/**
 * The ladder in words, for who does not see it.
 *
 * @param {Ladder} ladder
 */
function describe({ client, server, rows }) {
  const steps = rows.map(({ kind, isLost, end, time, label, lines }) => {
    const at = time === "-" || time === "" ? "" : `${time}: `;
    if (kind === "event") return `${at}${end === undefined ? "" : `${end}: `}${lines.join(" ")}`;
    const way = end === "client" ? "client to server" : "server to client";
    return `${at}${way} ${label}${isLost ? ", lost on the way" : ""}`;
  });
  return [`${client} to ${server}`, ...steps].join(". ");
}
