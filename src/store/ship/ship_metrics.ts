/**
 * What a shipper measures of itself, for Prometheus.
 *
 * @module
 */
import type { Family, ProcessFigures } from "../../output/metrics/metrics_model.ts";
import { type MetricName, METRICS } from "../../output/metrics/names.ts";
import type { Lag, ShipCounts } from "./ship_counts.ts";

type Name = Omit<MetricName, "opentelemetry">;

function counter(prometheus: string, ucum: string, help: string, unit?: Name["unit"]): Name {
  return { prometheus, kind: "counter", ucum, help, ...unit && { unit } };
}

function gauge(prometheus: string, ucum: string, help: string, unit?: Name["unit"]): Name {
  return { prometheus, kind: "gauge", ucum, help, ...unit && { unit } };
}

/** The metrics of `ship`, by what the code calls them. */
export const SHIP_METRICS = {
  records: counter("synsnoop_ship_records", "{record}", "Records that a server has acknowledged"),
  bytes: counter(
    "synsnoop_ship_sent_bytes",
    "By",
    "Of these records, as they were sent",
    "bytes",
  ),
  batches: counter("synsnoop_ship_batches", "{batch}", "Inserts that a server has acknowledged"),
  failures: counter("synsnoop_ship_failures", "{try}", "Tries that failed, and were made again"),
  refused: counter(
    "synsnoop_ship_refused_lines",
    "{line}",
    "Lines of the store that are no records, or were torn",
  ),
  lost: counter(
    "synsnoop_ship_lost_records",
    "{record}",
    "Records that were removed from the store before they were shipped, by their tracer's counts",
  ),
  removedSegments: counter(
    "synsnoop_ship_removed_segments",
    "{segment}",
    "Segments that were removed before all of them was shipped",
  ),
  removedBytes: counter(
    "synsnoop_ship_removed_bytes",
    "By",
    "What those had left, as it lay on the disk",
    "bytes",
  ),
  up: gauge("synsnoop_ship_server_up", "1", "Whether the last try reached a server"),
  pending: gauge(
    "synsnoop_ship_pending_records",
    "{record}",
    "Records that were read and are not acknowledged yet",
  ),
  lagRecords: gauge(
    "synsnoop_ship_lag_records",
    "{record}",
    "Records that are not acknowledged yet, by their bytes: about",
  ),
  lagBytes: gauge(
    "synsnoop_ship_lag_bytes",
    "By",
    "Bytes of segments that are not acknowledged yet, as they lie on the disk",
    "bytes",
  ),
  lagSeconds: gauge(
    "synsnoop_ship_lag_seconds",
    "s",
    "How long ago all that was written then had been acknowledged",
    "seconds",
  ),
} as const satisfies Record<string, Name>;

/** What is measured at a moment. */
export interface ShipMoment {
  counts: ShipCounts;
  lag: Lag;
  isUp: boolean;
  version: string;
  process: ProcessFigures;
  /** Since when it is counted, milliseconds of Unix time. */
  startMs: number;
}

/** All metrics with their values; those that nobody knows are absent. */
export function shipFamilies(
  { counts, lag, isUp, version, process, startMs }: ShipMoment,
): Family[] {
  const values: readonly (readonly [name: MetricName, value: number | undefined])[] = [
    [SHIP_METRICS.records, counts.acknowledged],
    [SHIP_METRICS.bytes, counts.bytes],
    [SHIP_METRICS.batches, counts.batches],
    [SHIP_METRICS.failures, counts.failures],
    [SHIP_METRICS.refused, counts.refused],
    [SHIP_METRICS.lost, counts.missing],
    [SHIP_METRICS.removedSegments, counts.removedSegments],
    [SHIP_METRICS.removedBytes, counts.removedBytes],
    [SHIP_METRICS.up, isUp ? 1 : 0],
    [SHIP_METRICS.pending, lag.pendingRecords],
    [SHIP_METRICS.lagRecords, lag.records],
    [SHIP_METRICS.lagBytes, lag.bytes],
    [SHIP_METRICS.lagSeconds, lag.seconds],
    [METRICS.cpu, process.cpuSeconds],
    [METRICS.memory, process.residentBytes],
    [METRICS.openFiles, process.openFiles],
    [METRICS.startTime, process.startSeconds],
  ];
  const families = values.flatMap(([name, value]): Family[] =>
    value === undefined ? [] : [{ name, points: [{ labels: {}, value, startMs }], durations: [] }]
  );
  const points = [{ labels: { version }, value: 1, startMs }];
  return [...families, { name: METRICS.buildInfo, points, durations: [] }];
}
