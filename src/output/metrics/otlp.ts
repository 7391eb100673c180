/**
 * Metrics as OpenTelemetry takes them: the protocol's JSON (OTLP 1.x, ExportMetricsServiceRequest), in
 * which a 64-bit integer is a string and an enumeration a number.
 *
 * @module
 */
import type { RecordContext } from "../../record/record_context.ts";
import type { BucketCounts } from "./bucket_counts.ts";
import type { Temporality } from "./choices.ts";
import type { DurationPoint, Family, Point } from "./metrics_model.ts";
import {
  FAILURES,
  type LabelName,
  LABELS,
  type Labels,
  type MetricName,
  METRICS,
} from "./names.ts";
import { IDLE } from "./server_table.ts";

/** `enum AggregationTemporality` of the protocol. */
const TEMPORALITY_NUMBERS: Readonly<Record<Temporality, number>> = { delta: 1, cumulative: 2 };

/** Who measured: OpenTelemetry's names of a resource, such as `host.name`, and their values. */
export type ResourceAttributes = Readonly<Record<string, string>>;

/** What is known of who measures. */
export interface Measurer {
  /** Version of the tool. */
  version: string;
  /** Which host it is, and which run of the tool. */
  identity: Pick<RecordContext, "host" | "hostId" | "tracer">;
  /** The container that the tool runs in. */
  container?: { id?: string; name?: string };
}

/** Who measured, by the names of OpenTelemetry's conventions for resources. */
export function resourceAttributes(measurer: Measurer): ResourceAttributes {
  const { version, identity: { host, hostId, tracer }, container } = measurer;
  const attributes: Record<string, string | undefined> = {
    "service.name": "synsnoop",
    "service.version": version,
    "service.instance.id": tracer,
    "host.name": host,
    "host.id": hostId,
    "os.type": "linux",
    "container.id": container?.id,
    "container.name": container?.name,
  };
  const known = Object.entries(attributes).filter(([, value]) => value !== undefined);
  return Object.fromEntries(known) as ResourceAttributes;
}

/**
 * Reads a list of names and values as OpenTelemetry's environment variables hold it: `a=b,c=d`, values
 * percent-encoded (W3C Baggage). What is no pair of them is left out.
 */
export function parseKeyValues(text = ""): Record<string, string> {
  const pairs = text.split(",").flatMap((pair): [string, string][] => {
    const at = pair.indexOf("=");
    const name = pair.slice(0, Math.max(0, at)).trim();
    if (name === "") return [];
    const value = pair.slice(at + 1).trim();
    try {
      return [[name, decodeURIComponent(value)]];
    } catch {
      return [[name, value]];
    }
  });
  return Object.fromEntries(pairs);
}

/** One push of metrics, and what makes the next one begin where it ends. */
export interface Push {
  /** JSON of an ExportMetricsServiceRequest. */
  body: string;
  /** To be called when it was taken: what comes next tells what came since. */
  acknowledge(): void;
}

/** Values of a series. */
interface Values {
  labels: Labels;
  startMs: number;
  /** Of a counter one; of a histogram its count, its sum and its buckets. */
  numbers: number[];
}

/** Encodes metrics, push after push. */
export class OtlpEncoder {
  readonly #resource: ResourceAttributes;
  readonly #version: string;
  readonly #temporality: Temporality;
  /** What was taken so far, by metric and labels. Delta only. */
  #taken = new Map<string, Values>();
  #takenMs = -Infinity;

  /** @param version Version of the tool. */
  constructor(resource: ResourceAttributes, version: string, temporality: Temporality) {
    this.#resource = resource;
    this.#version = version;
    this.#temporality = temporality;
  }

  /** Encodes the values of a moment. @param nowMs That moment, milliseconds of Unix time. */
  encode(families: readonly Family[], nowMs: number): Push {
    const now = new Map<string, Values>();
    const before = this.#temporality === "delta" ? this.#foldVanished(families) : undefined;
    const metrics = withFailures(families).flatMap((family) => {
      const { opentelemetry: name } = family.name;
      return name === undefined ? [] : [this.#metric(name, family, nowMs, before, now)];
    });
    const request = {
      resourceMetrics: [{
        resource: { attributes: attributesOf(this.#resource) },
        scopeMetrics: [{ scope: { name: "synsnoop", version: this.#version }, metrics }],
      }],
    };
    return {
      body: JSON.stringify(request),
      acknowledge: () => {
        this.#taken = now;
        this.#takenMs = nowMs;
      },
    };
  }

  #metric(
    name: string,
    { name: { kind, help, ucum, unit }, points, durations }: Family,
    nowMs: number,
    before: ReadonlyMap<string, Values> | undefined,
    now: Map<string, Values>,
  ): Record<string, unknown> {
    const head = { name, description: help, unit: ucum };
    const timeUnixNano = toNanoseconds(nowMs);
    const asNumber = (value: number) =>
      unit === "seconds" ? { asDouble: value } : { asInt: `${value}` };
    if (kind === "gauge") {
      const dataPoints = points.map(({ labels, value }) => ({
        attributes: attributesOf(renamed(labels)),
        timeUnixNano,
        ...asNumber(value),
      }));
      return { ...head, gauge: { dataPoints } };
    }
    const series = kind === "counter" ? points.map(valuesOf) : durations.map(valuesOfDurations);
    const dataPoints = series.flatMap((values, at): Record<string, unknown>[] => {
      const key = `${name} ${JSON.stringify(values.labels)}`;
      now.set(key, values);
      const taken = before?.get(key);
      const numbers = subtract(values, taken);
      if (before !== undefined && numbers[0] === 0) return [];
      const [first, sum, ...buckets] = numbers;
      const startMs = before ? Math.max(values.startMs, this.#takenMs) : values.startMs;
      const common = {
        attributes: attributesOf(renamed(values.labels)),
        startTimeUnixNano: toNanoseconds(startMs),
        timeUnixNano,
      };
      if (kind === "counter") return [{ ...common, ...asNumber(first) }];
      return [{
        ...common,
        count: `${first}`,
        sum: sum / 1e9,
        bucketCounts: buckets.map((count) => `${count}`),
        explicitBounds: durations[at].buckets.bounds.map((ns) => ns / 1e9),
        exemplars: exemplarsOf(durations[at].buckets, startMs),
      }];
    });
    const aggregationTemporality = TEMPORALITY_NUMBERS[this.#temporality];
    return kind === "counter"
      ? { ...head, sum: { aggregationTemporality, isMonotonic: true, dataPoints } }
      : { ...head, histogram: { aggregationTemporality, dataPoints } };
  }

  /**
   * What was taken so far. Of a server that has lost its label since, what was counted stands under that
   * of the idle ones now: what was taken of it has moved there, too.
   */
  #foldVanished(families: readonly Family[]): ReadonlyMap<string, Values> {
    const present = new Map<string, number>();
    for (const { name, points, durations } of withFailures(families)) {
      for (const { labels, startMs } of [...points, ...durations]) {
        present.set(`${name.opentelemetry} ${JSON.stringify(labels)}`, startMs);
      }
    }
    const folded = new Map<string, Values>();
    const add = (key: string, { numbers, ...rest }: Values) => {
      const before = folded.get(key)?.numbers;
      const sum = before ? numbers.map((number, at) => number + before[at]) : numbers;
      folded.set(key, { ...rest, numbers: sum });
    };
    for (const [key, values] of this.#taken) {
      if (present.get(key) === values.startMs) {
        add(key, values);
      } else if (values.labels.server_address !== undefined) {
        const labels = idleLabels(values.labels);
        add(key.slice(0, key.indexOf(" ") + 1) + JSON.stringify(labels), { ...values, labels });
      }
    }
    return folded;
  }
}

/** The labels under which a server's counts stand once it has lost its own. */
function idleLabels(labels: Labels): Labels {
  const emptied = ["server_port", "process", "cgroup"].filter((name) => name in labels);
  return {
    ...labels,
    ...Object.fromEntries(emptied.map((name) => [name, ""])),
    server_address: IDLE,
  };
}

/** With the handshakes that failed as a metric of their own. */
function withFailures(families: readonly Family[]): readonly Family[] {
  return families.flatMap((family) => {
    if (family.name !== METRICS.handshakes) return [family];
    const points = family.points.filter(({ labels }) => labels.outcome !== "established");
    return [family, { name: FAILURES satisfies MetricName, points, durations: [] }];
  });
}

function valuesOf({ labels, startMs, value }: Point): Values {
  return { labels, startMs, numbers: [value] };
}

function valuesOfDurations({ labels, startMs, buckets }: DurationPoint): Values {
  return { labels, startMs, numbers: [buckets.count, buckets.sumNs, ...buckets.counts] };
}

function subtract({ numbers }: Values, taken: Values | undefined): readonly number[] {
  if (taken === undefined) return numbers;
  return numbers.map((number, at) => Math.max(0, number - taken.numbers[at]));
}

function exemplarsOf({ exemplars }: BucketCounts, sinceMs: number): unknown[] {
  return exemplars.flatMap((exemplar) => {
    if (exemplar === undefined || exemplar.timeMs < sinceMs) return [];
    const { communityId, ns, timeMs } = exemplar;
    return [{
      timeUnixNano: toNanoseconds(timeMs),
      asDouble: ns / 1e9,
      filteredAttributes: attributesOf({ "network.community_id": communityId }),
    }];
  });
}

/** A set of labels by the names of OpenTelemetry, without what is empty. */
function renamed(labels: Labels): Record<string, string> {
  const { outcome, reason } = labels;
  const names = Object.keys(labels) as LabelName[];
  const attributes = Object.fromEntries(names.map((name) => [LABELS[name], labels[name]!]));
  // It is set for everything that failed.
  if (reason === "" && outcome !== "established") attributes[LABELS.reason] = outcome!;
  return Object.fromEntries(Object.entries(attributes).filter(([, value]) => value !== ""));
}

function attributesOf(attributes: Readonly<Record<string, string>>): unknown[] {
  return Object.entries(attributes).map(([key, value]) => ({
    key,
    value: key === LABELS.server_port ? { intValue: value } : { stringValue: value },
  }));
}

/** Milliseconds of Unix time as the protocol's nanoseconds, which no number of JSON could hold. */
function toNanoseconds(ms: number): string {
  return `${Math.floor(ms)}000000`;
}
