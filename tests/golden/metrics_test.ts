// The metrics as Prometheus reads them, byte by byte, and their table in the document. After a change that
// is meant, write them anew and look at the difference:
// deno test --allow-read --allow-write tests/golden -- --update
import { assertEquals } from "@std/assert";
import { USUAL_BOUNDS } from "../../src/output/metrics/choices.ts";
import { METRICS, type MetricName } from "../../src/output/metrics/names.ts";
import { PrometheusWriter } from "../../src/output/metrics/prometheus_text.ts";
import { SHIP_METRICS } from "../../src/store/ship/ship_metrics.ts";
import { makeModel, makeMoment, TestClock } from "../unit/output/metrics/sample_metrics.ts";
import { CONTEXT, HANDSHAKES } from "../unit/record/sample_handshakes.ts";

const UPDATE = Deno.args.includes("--update");

for (const [kind, name] of [["text", "metrics.prom"], ["openmetrics", "metrics.openmetrics"]] as const) {
  Deno.test(`metrics are written as in ${name}`, () => {
    const model = makeModel(new TestClock(), { bounds: USUAL_BOUNDS });
    for (const handshake of HANDSHAKES) model.record(handshake, CONTEXT);
    const { state, ...moment } = makeMoment({
      up: { sources: { wire: true, kernel: true }, places: { up: 2, down: 0 } },
      process: { cpuSeconds: 1.5, residentBytes: 100e6, openFiles: 20, startSeconds: 1.7e9 },
    });
    const losses = { ring_packets: 0, output_records: 0, late_accepts: 1 };
    const families = model.families({ ...moment, state: { ...state, losses, underWay: 3 } });
    const text = new PrometheusWriter().write(families, kind);
    const path = `${import.meta.dirname}/${name}`;
    if (UPDATE) Deno.writeTextFileSync(path, text);
    assertEquals(text.split("\n"), Deno.readTextFileSync(path).split("\n"));
  });
}

/** A table of Markdown, each row by its cells. */
function cells(lines: readonly string[]): string[][] {
  return lines.map((line) => line.split("|").slice(1, -1).map((cell) => cell.trim()));
}

/** A table of Markdown as `deno fmt` leaves it. @param rows Its cells, the headings first. */
function tableOf([head, ...rows]: readonly (readonly string[])[]): string {
  const widths = head.map((_, at) => Math.max(...[head, ...rows].map((row) => row[at].length)));
  const line = (texts: readonly string[]) =>
    `| ${texts.map((text, at) => text.padEnd(widths[at])).join(" | ")} |\n`;
  return [head, widths.map((width) => "-".repeat(width)), ...rows].map(line).join("");
}

/** Compares the table in a document with what it should be, or writes it anew. */
function assertListed(document: string, head: string, rows: readonly string[]): void {
  const path = new URL(`../../${document}`, import.meta.url);
  const text = Deno.readTextFileSync(path);
  const [before, listed, after] = text.split(/(?<=<!-- metrics -->\n)|(?=<!-- \/metrics -->)/);
  const table = tableOf(cells([head, ...rows]));
  if (UPDATE) Deno.writeTextFileSync(path, `${before}\n${table}\n${after}`);
  else assertEquals(listed.trim().split("\n"), table.trimEnd().split("\n"));
}

Deno.test("src/output/metrics/README.md lists the metrics as the table of names does", () => {
  const names: readonly MetricName[] = Object.values(METRICS);
  const rows = names.map(({ prometheus, opentelemetry = "", kind, help }) =>
    `| \`${prometheus}\` | ${opentelemetry && `\`${opentelemetry}\``} | ${kind} | ${help} |`
  );
  assertListed(
    "src/output/metrics/README.md",
    "| Prometheus | OpenTelemetry | kind | what it is |",
    rows,
  );
});

Deno.test("src/store/ship/README.md lists the metrics of ship", () => {
  const rows = Object.values(SHIP_METRICS).map(({ prometheus, kind, help }) =>
    `| \`${prometheus}\` | ${kind} | ${help} |`
  );
  assertListed("src/store/ship/README.md", "| Prometheus | kind | what it is |", rows);
});
