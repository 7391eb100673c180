import { assert, assertEquals, assertMatch } from "@std/assert";
import {
  FAILURES,
  LABELS,
  type MetricName,
  METRICS,
} from "../../../../src/output/metrics/names.ts";

const ALL: readonly MetricName[] = [...Object.values(METRICS), FAILURES];

Deno.test("METRICS: every name is one of its system, and stands once", () => {
  for (const { prometheus, opentelemetry, unit, help } of ALL) {
    // prometheus.io/docs/practices/naming, and the unit where there is one as OpenMetrics asks.
    assertMatch(prometheus, /^(?:synsnoop|process)_[a-z_]+$/);
    if (unit !== undefined) assert(prometheus.endsWith(`_${unit}`), prometheus);
    assert(!prometheus.endsWith("_total"), "the writer adds it");
    if (opentelemetry !== undefined) assertMatch(opentelemetry, /^[a-z]+(?:[._][a-z]+)+$/);
    assertMatch(help, /^[A-Z][^\n\\]*[^.]$/);
  }
  for (const kind of ["prometheus", "opentelemetry"] as const) {
    const names = ALL.flatMap((metric) => metric[kind] ?? []);
    assertEquals(new Set(names).size, names.length);
  }
});

Deno.test("LABELS: no client is one", () => {
  const names = Object.entries(LABELS).flat();
  assertEquals(new Set(names).size, names.length);
  assert(names.every((name) => !name.includes("client")));
});
