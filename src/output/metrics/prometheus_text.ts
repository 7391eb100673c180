/**
 * Metrics as Prometheus reads them: its text format 0.0.4, and OpenMetrics 1.0.
 *
 * @module
 */
import type { BucketCounts, Exemplar } from "./bucket_counts.ts";
import type { DurationPoint, Family } from "./metrics_model.ts";
import type { Labels, MetricName } from "./names.ts";

/** In which of Prometheus' formats metrics are written: its own text, or OpenMetrics 1.0. */
export type TextKind = "text" | "openmetrics";

/** What an answer in each kind calls itself. */
export const CONTENT_TYPES: Readonly<Record<TextKind, string>> = {
  text: "text/plain; version=0.0.4; charset=utf-8",
  openmetrics: "application/openmetrics-text; version=1.0.0; charset=utf-8",
};

/** The formats by how Accept names them. */
const MEDIA_RANGES: readonly (readonly [range: string, kind: TextKind])[] = [
  ["application/openmetrics-text", "openmetrics"],
  ["text/plain", "text"],
];

/**
 * Chooses what an answer is written in: OpenMetrics where that is asked for no less than text.
 *
 * @param accept The header Accept (RFC 9110 section 12.5.1); undefined where there is none.
 */
export function chooseTextKind(accept: string | undefined): TextKind {
  const qualities = { text: 0, openmetrics: 0 };
  for (const part of (accept ?? "").split(",")) {
    const [range, ...parameters] = part.split(";").map((each) => each.trim().toLowerCase());
    const kind = MEDIA_RANGES.find(([name]) => name === range)?.[1];
    if (kind === undefined) continue;
    const quality = parameters.find((each) => each.startsWith("q="))?.slice(2) ?? "1";
    qualities[kind] = Math.max(qualities[kind], Number(quality) || 0);
  }
  const { text, openmetrics } = qualities;
  return openmetrics > 0 && openmetrics >= text ? "openmetrics" : "text";
}

/** Names of metrics that every process has: in a file that another process shows they would be its own. */
const OF_PROCESS = /^process_/;

/** Writes metrics, again and again: what does not change from one time to the next is made once. */
export class PrometheusWriter {
  /** `{a="b",c="d"}` of each set of labels. */
  readonly #labelTexts = new WeakMap<Labels, string>();
  /** The start of each bucket's line, up to its count. */
  readonly #bucketHeads = new WeakMap<BucketCounts, readonly string[]>();

  /** Writes them. @param options `shared`: without those of the process, for a file. */
  write(
    families: readonly Family[],
    kind: TextKind,
    { shared = false }: { shared?: boolean } = {},
  ): string {
    const lines: string[] = [];
    for (const { name, points, durations } of families) {
      if (shared && OF_PROCESS.test(name.prometheus)) continue;
      writeHead(lines, name, kind);
      const sample = sampleName(name);
      for (const { labels, value } of points) {
        lines.push(`${sample}${this.#labelText(labels)} ${value}`);
      }
      for (const point of durations) this.#writeDurations(lines, sample, point, kind);
    }
    if (kind === "openmetrics") lines.push("# EOF");
    lines.push("");
    return lines.join("\n");
  }

  #writeDurations(
    lines: string[],
    name: string,
    { labels, buckets }: DurationPoint,
    kind: TextKind,
  ): void {
    const heads = this.#headsOf(name, labels, buckets);
    const { counts, exemplars, count, sumNs } = buckets;
    let sum = 0;
    for (let bucket = 0; bucket < counts.length; bucket++) {
      sum += counts[bucket];
      const exemplar = kind === "openmetrics" ? exemplars[bucket] : undefined;
      lines.push(
        heads[bucket] + sum + (exemplar === undefined ? "" : formatExemplar(exemplar)),
      );
    }
    const text = this.#labelText(labels);
    lines.push(`${name}_sum${text} ${sumNs / 1e9}`, `${name}_count${text} ${count}`);
  }

  #headsOf(name: string, labels: Labels, buckets: BucketCounts): readonly string[] {
    let heads = this.#bucketHeads.get(buckets);
    if (heads !== undefined) return heads;
    const text = this.#labelText(labels).slice(0, -1);
    const begin = `${name}_bucket${text === "" ? "{" : `${text},`}`;
    const bounds = [...buckets.bounds.map(formatBound), "+Inf"];
    heads = bounds.map((bound) => `${begin}le="${bound}"} `);
    this.#bucketHeads.set(buckets, heads);
    return heads;
  }

  #labelText(labels: Labels): string {
    let text = this.#labelTexts.get(labels);
    if (text !== undefined) return text;
    const pairs = Object.entries(labels).map(([name, value]) => `${name}="${escapeValue(value)}"`);
    text = pairs.length === 0 ? "" : `{${pairs.join(",")}}`;
    this.#labelTexts.set(labels, text);
    return text;
  }
}

function sampleName({ prometheus, kind }: MetricName): string {
  return kind === "counter" ? `${prometheus}_total` : prometheus;
}

/** OpenMetrics calls a counter without `_total`, the text format with it. */
function writeHead(lines: string[], name: MetricName, kind: TextKind): void {
  const head = kind === "openmetrics" ? name.prometheus : sampleName(name);
  lines.push(`# HELP ${head} ${name.help}`, `# TYPE ${head} ${name.kind}`);
  if (kind === "openmetrics" && name.unit !== undefined) lines.push(`# UNIT ${head} ${name.unit}`);
}

function formatExemplar({ communityId, ns, timeMs }: Exemplar): string {
  return ` # {community_id="${communityId}"} ${ns / 1e9} ${(timeMs / 1000).toFixed(3)}`;
}

/**
 * Seconds of a bound as OpenMetrics asks for and Go writes them: `1e-05`, `0.5`, `1.0`. So a series is the
 * same in both formats, and behind another exporter that shows a file of ours.
 */
function formatBound(ns: number): string {
  const seconds = ns / 1e9;
  if (seconds < 1e-4) return seconds.toExponential().replace(/e-(\d)$/, "e-0$1");
  return Number.isInteger(seconds) ? `${seconds}.0` : `${seconds}`;
}

function escapeValue(value: string): string {
  return value.replace(/[\\"\n]/g, (character) => character === "\n" ? "\\n" : `\\${character}`);
}
