/**
 * The examples for who watches: what they ask Prometheus.
 *
 * @module
 */

/** The folder with the examples. */
export const EXAMPLES = new URL("../../src/output/metrics/examples/", import.meta.url).pathname;

interface Dashboard {
  panels: { title: string; targets: { expr: string }[] }[];
  templating: { list: { name: string; query: string | { query: string } }[] };
}

/** A question, and where it stands. */
export interface Question {
  where: string;
  expr: string;
}

/** What Grafana puts in the place of its variables, for the tests. */
const VARIABLES: readonly (readonly [pattern: RegExp, value: string])[] = [
  [/\$__rate_interval/g, "1m"],
  [/\$__range/g, "5m"],
  [/\$(?:instance|server)\b/g, ".*"],
];

function readDashboard(): Dashboard {
  return JSON.parse(Deno.readTextFileSync(`${EXAMPLES}dashboard.json`));
}

/** What the dashboard asks, with its variables filled in. */
export function dashboardQuestions(): Question[] {
  return readDashboard().panels.flatMap(({ title, targets }) =>
    targets.map(({ expr }) => ({
      where: title,
      expr: VARIABLES.reduce((text, [pattern, value]) => text.replace(pattern, value), expr),
    }))
  );
}

/** The metrics from whose labels the dashboard takes its variables. */
export function dashboardVariables(): string[] {
  return readDashboard().templating.list.flatMap(({ query }) => {
    const text = typeof query === "string" ? query : query.query;
    return /^label_values\((\w+)/.exec(text)?.[1] ?? [];
  });
}

/** The names of the alerts. */
export function alertNames(): string[] {
  const rules = Deno.readTextFileSync(`${EXAMPLES}alert_rules.yml`);
  return Array.from(rules.matchAll(/^\s*- alert: (\w+)$/gm), ([, name]) => name);
}
