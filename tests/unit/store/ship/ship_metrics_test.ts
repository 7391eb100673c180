import { assert, assertEquals, assertMatch } from "@std/assert";
import { PrometheusWriter } from "../../../../src/output/metrics/prometheus_text.ts";
import { METRICS } from "../../../../src/output/metrics/names.ts";
import { noCounts } from "../../../../src/store/ship/ship_counts.ts";
import { SHIP_METRICS, shipFamilies } from "../../../../src/store/ship/ship_metrics.ts";

const MOMENT = {
  counts: { ...noCounts(), acknowledged: 7, missing: 2 },
  lag: { pendingRecords: 3, bytes: 4, records: 5, seconds: 1.5 },
  isUp: true,
  version: "1.2.3",
  process: {},
  startMs: 0,
};

Deno.test("shipFamilies gives each number under its name, and none that is not known", () => {
  const text = new PrometheusWriter().write(shipFamilies(MOMENT), "text");
  for (
    const line of [
      "synsnoop_ship_records_total 7",
      "synsnoop_ship_lost_records_total 2",
      "synsnoop_ship_server_up 1",
      "synsnoop_ship_pending_records 3",
      "synsnoop_ship_lag_bytes 4",
      "synsnoop_ship_lag_records 5",
      "synsnoop_ship_lag_seconds 1.5",
      'synsnoop_build_info{version="1.2.3"} 1',
    ]
  ) assert(text.split("\n").includes(line), line);
  const unknown = { ...MOMENT.lag, records: undefined, seconds: undefined };
  const less = shipFamilies({ ...MOMENT, lag: unknown }).map(({ name }) => name.prometheus);
  assertEquals(less.includes("synsnoop_ship_lag_seconds"), false);
  assertEquals(less.includes("synsnoop_ship_lag_bytes"), true);
});

Deno.test("the metrics of ship have names of their own, with their unit at the end", () => {
  const others = Object.values(METRICS).map(({ prometheus }): string => prometheus);
  for (
    const { prometheus, unit } of Object.values<{ prometheus: string; unit?: string }>(SHIP_METRICS)
  ) {
    assertMatch(
      prometheus,
      new RegExp(`^synsnoop_ship_[a-z_]+${unit === undefined ? "" : `_${unit}`}$`),
    );
    assertEquals(others.includes(prometheus), false);
  }
});
