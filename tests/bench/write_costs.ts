/**
 * Writes what the benchmark measured into the document beside this file, so that no number is copied by
 * hand:
 *
 *     deno run -A tests/bench/write_costs.ts bench.json…
 *
 * The rows of each file take the place of those of the same name; the others stay. All is kept in
 * `costs.json`, of which a test makes the tables again.
 *
 * @module
 */
import { formatJson, type Report } from "./report.ts";
import { mergeReports, replaceCosts } from "./cost_document.ts";
import { ROWS } from "./rows.ts";

const COSTS = `${import.meta.dirname}/costs.json`;
const DOCUMENT = `${import.meta.dirname}/README.md`;

function read(path: string): Report {
  return JSON.parse(Deno.readTextFileSync(path));
}

if (Deno.args.length === 0) {
  console.error("deno run -A tests/bench/write_costs.ts bench.json…");
  Deno.exit(2);
}
try {
  const known = await Deno.stat(COSTS).then(() => [read(COSTS)], () => []);
  const report = mergeReports([...known, ...Deno.args.map(read)], ROWS);
  Deno.writeTextFileSync(COSTS, formatJson(report));
  Deno.writeTextFileSync(DOCUMENT, replaceCosts(Deno.readTextFileSync(DOCUMENT), report));
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  Deno.exit(1);
}
