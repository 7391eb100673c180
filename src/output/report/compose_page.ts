/**
 * The page as one file of HTML: data, scripts and styles in it, and nothing that is fetched.
 *
 * @module
 */
import ladderFigure from "../../explain/ladder_figure.js" with { type: "text" };
import { escapeXml } from "../../explain/markup.ts";
import { jsonText } from "../../text/escape.ts";
import elements from "./page/elements.js" with { type: "text" };
import handshakeTable from "./page/handshake_table.js" with { type: "text" };
import ladderView from "./page/ladder_view.js" with { type: "text" };
import legChart from "./page/leg_chart.js" with { type: "text" };
import main from "./page/main.js" with { type: "text" };
import nameTables from "./page/name_tables.js" with { type: "text" };
import outcomeCharts from "./page/outcome_charts.js" with { type: "text" };
import styles from "./page/page.css" with { type: "text" };
import timeRange from "./page/time_range.js" with { type: "text" };
import units from "./page/units.js" with { type: "text" };
import unpack from "./page/unpack.js" with { type: "text" };
import viewState from "./page/view_state.js" with { type: "text" };
import { joinScripts } from "./join_scripts.ts";
import type { PageData } from "./page_data.ts";
import licence from "./uplot/LICENSE" with { type: "text" };
import uPlot from "./uplot/uPlot.iife.min.js" with { type: "text" };
import uPlotStyles from "./uplot/uPlot.min.css" with { type: "text" };

/** Each behind those that it imports. */
const SCRIPTS = [
  ...[ladderFigure, elements, units, unpack, viewState, timeRange, outcomeCharts, legChart],
  ...[nameTables, ladderView, handshakeTable, main],
];

/** Composes the page. Nothing in it runs or is shown but what stands here and in `page/`. */
export async function composePage({ statistics, ...data }: PageData): Promise<string> {
  const script = joinScripts(SCRIPTS);
  const style = uPlotStyles + styles;
  const policy = [
    "default-src 'none'",
    `script-src ${await hashOf(uPlot)} ${await hashOf(script)}`,
    `style-src ${await hashOf(style)}`,
    "img-src data:",
    "base-uri 'none'",
    "form-action 'none'",
  ].join("; ");
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>TCP handshakes</title>
<link rel="icon" href="data:,">
<style>${style}</style>
</head>
<body>
<main><noscript>${plainPage(data, statistics)}</noscript></main>
<script type="application/json" id="data">${scriptText(jsonText(data))}</script>
<script type="text/plain" id="licence">${scriptText(licence)}</script>
<script>${uPlot}</script>
<script>${script}</script>
</body>
</html>
`;
}

/** What is shown where no script may run: all that needs no drawing. */
function plainPage(
  { missing, about }: Pick<PageData, "missing" | "about">,
  statistics: string,
): string {
  const first = missing.length === 0 ? "" : `<section class="missing"><h2>Read this first</h2><ul>
${missing.map((sentence) => `<li>${escapeXml(sentence)}</li>`).join("\n")}
</ul></section>`;
  const facts = about.map(([name, text]) =>
    `<dt>${escapeXml(name)}</dt><dd>${escapeXml(text)}</dd>`
  );
  return `<h1>TCP handshakes</h1>
<p>Charts, the table of handshakes and their ladders are drawn by the script of this page, which may not
run here. These are its numbers:</p>
${first}
<dl class="facts">
${facts.join("\n")}
</dl>
<pre>${escapeXml(statistics)}</pre>`;
}

/** Text that ends no script, whatever stands in it: in JSON `\u003c` is `<`. */
function scriptText(text: string): string {
  return text.replaceAll("<", "\\u003c");
}

/** The source expression of Content Security Policy that lets an inline script or style stand. */
async function hashOf(text: string): Promise<string> {
  const hash = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text));
  return `'sha256-${new Uint8Array(hash).toBase64()}'`;
}
