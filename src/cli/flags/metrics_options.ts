/**
 * The flags that say who gets the numbers of handshakes, for the commands that count them.
 *
 * @module
 */
import { type ListenAddress, parseListenAddress } from "../../http/listen_address.ts";
import {
  BOUNDS_MAX,
  EXTRA_LABELS,
  type ExtraLabel,
  SERVERS_MAX,
  SERVERS_USUAL,
  TEMPORALITIES,
  type Temporality,
  USUAL_BOUNDS,
} from "../../output/metrics/choices.ts";
import type { Flag, ParsedFlags } from "./flags.ts";
import { UsageError } from "../usage.ts";
import { parseChoice, parseDuration, parseInteger, parseLatency } from "./values.ts";

/** The value of a flag that says where to listen. */
export const ADDRESS = "ADDRESS";

/** What to listen at, by the name that it has in a command. */
export type ListenFlag = "metrics" | "listen";

/** The flags, where the one that says where to listen has this name. */
export function metricsFlags(listenFlag: ListenFlag): Flag[] {
  return [
    {
      name: listenFlag,
      value: ADDRESS,
      meaning: "answer Prometheus at 127.0.0.1:9464, [::1]:9464, unix:PATH, or systemd: its socket",
    },
    { name: "metrics-public", meaning: "let other hosts reach that ADDRESS, too" },
    {
      name: "metrics-file",
      value: "FILE",
      meaning: "write metrics to FILE, for node_exporter's textfile collector: DIR/synsnoop.prom",
    },
    {
      name: "otlp",
      value: "URL",
      meaning: "push metrics to OpenTelemetry's collector there: http://127.0.0.1:4318",
    },
    { name: "otlp-interval", value: "TIME", meaning: "how often (default 60s)" },
    {
      name: "otlp-temporality",
      value: "KIND",
      completes: TEMPORALITIES,
      meaning: `what is pushed is ${TEMPORALITIES.join(" or ")} (default ${TEMPORALITIES[0]})`,
    },
    {
      name: "metrics-servers",
      value: "N",
      meaning: `servers with labels of their own in metrics at most (default ${SERVERS_USUAL})`,
    },
    {
      name: "metrics-labels",
      value: "NAMES",
      many: true,
      completes: EXTRA_LABELS,
      meaning: `tell servers apart by these of this host's end, too: ${EXTRA_LABELS.join(", ")}`,
    },
    {
      name: "buckets",
      value: "TIMES",
      many: true,
      meaning:
        "bounds of the histograms in metrics, ascending: 100us,1ms,10ms (default 10us to 10s)",
    },
  ];
}

/** How metrics are pushed to OpenTelemetry's collector. */
export interface OtlpOptions {
  /** Where it takes OTLP by HTTP, with the path `/v1/metrics`. */
  url: string;
  /** From the beginning of a push to that of the next, milliseconds. */
  intervalMs: number;
  temporality: Temporality;
}

/** Who gets metrics, and which. */
export interface MetricsOptions {
  /** Where to listen. */
  listen: ListenAddress | undefined;
  /** The file for node_exporter. */
  file: string | undefined;
  otlp: OtlpOptions | undefined;
  serversMax: number;
  extraLabels: readonly ExtraLabel[];
  /** Of buckets, nanoseconds. */
  bounds: readonly number[];
}

const OTLP_INTERVAL_MS = 60_000;
const OTLP_INTERVAL_MIN_MS = 1_000;
/** Where a collector takes metrics (OTLP specification, "OTLP/HTTP Request"). */
const OTLP_PATH = "/v1/metrics";
/** node_exporter shows files of other names to nobody. */
const FILE_SUFFIX = ".prom";

/**
 * Reads the flags of {@link metricsFlags}.
 *
 * @returns Undefined where nobody is to get metrics.
 * @throws {UsageError} One line for the user.
 */
export function parseMetrics(
  { switches, values }: ParsedFlags,
  listenFlag: ListenFlag,
): MetricsOptions | undefined {
  const one = (flag: string) => values.get(flag)?.[0];
  const address = one(listenFlag);
  const file = one("metrics-file");
  const url = one("otlp");
  refuseAlone({ switches, values }, listenFlag);
  if (address === undefined && file === undefined && url === undefined) return undefined;
  if (file !== undefined && !file.endsWith(FILE_SUFFIX)) {
    throw new UsageError(
      `Cannot use --metrics-file "${file}": node_exporter reads names that end in ${FILE_SUFFIX}; ` +
        "give DIR/synsnoop.prom",
    );
  }
  const servers = one("metrics-servers");
  return {
    listen: address === undefined
      ? undefined
      : parseAddress(listenFlag, address, switches.has("metrics-public")),
    file,
    otlp: url === undefined ? undefined : {
      url: parseCollector("otlp", url),
      intervalMs: parseInterval("otlp-interval", one("otlp-interval")),
      temporality: parseChoice(
        "otlp-temporality",
        one("otlp-temporality") ?? TEMPORALITIES[0],
        TEMPORALITIES,
      ),
    },
    serversMax: servers === undefined
      ? SERVERS_USUAL
      : parseInteger("metrics-servers", servers, 1, SERVERS_MAX),
    extraLabels: EXTRA_LABELS.filter((label) =>
      (values.get("metrics-labels") ?? [])
        .map((text) => parseChoice("metrics-labels", text, EXTRA_LABELS)).includes(label)
    ),
    bounds: parseBuckets("buckets", values.get("buckets")),
  };
}

/** Refuses a flag that says how of what nobody asked for. */
function refuseAlone(
  { switches, values }: Pick<ParsedFlags, "switches" | "values">,
  listenFlag: ListenFlag,
): void {
  const receivers = [listenFlag, "metrics-file", "otlp"];
  const needs: readonly (readonly [flag: string, needed: readonly string[]])[] = [
    ["metrics-public", [listenFlag]],
    ["otlp-interval", ["otlp"]],
    ["otlp-temporality", ["otlp"]],
    ...["metrics-servers", "metrics-labels", "buckets"].map((flag) => [flag, receivers] as const),
  ];
  for (const [flag, needed] of needs) {
    if (!switches.has(flag) && !values.has(flag)) continue;
    if (needed.some((each) => values.has(each))) continue;
    const names = needed.map((each) => `--${each}`);
    const last = names.pop();
    const list = names.length === 0 ? last : `${names.join(", ")} or ${last}`;
    throw new UsageError(
      `Cannot use --${flag} without ${list}: it says how to give metrics`,
    );
  }
}

function parseAddress(flag: string, text: string, isPublic: boolean): ListenAddress {
  const address = parseListenAddress(text);
  if (address === undefined) {
    throw new UsageError(
      `Cannot use --${flag} "${text}": give an address with its port such as 127.0.0.1:9464 or ` +
        "[::1]:9464, unix:PATH, or systemd",
    );
  }
  if (address.kind === "tcp" && !address.isLocal && !isPublic) {
    throw new UsageError(
      `Cannot use --${flag} "${text}": other hosts reach that address and learn who talks to whom; ` +
        "give --metrics-public too, or 127.0.0.1",
    );
  }
  return address;
}

function parseCollector(flag: string, text: string): string {
  const url = URL.parse(text);
  if (url === null || !["http:", "https:"].includes(url.protocol) || url.hostname === "") {
    throw new UsageError(
      `Cannot use --${flag} "${text}": give the URL of a collector such as http://127.0.0.1:4318`,
    );
  }
  if (!url.pathname.endsWith(OTLP_PATH)) {
    url.pathname = url.pathname.replace(/\/$/, "") + OTLP_PATH;
  }
  return url.href;
}

function parseInterval(flag: string, text: string | undefined): number {
  if (text === undefined) return OTLP_INTERVAL_MS;
  const ms = parseDuration(flag, text);
  if (ms >= OTLP_INTERVAL_MIN_MS) return ms;
  throw new UsageError(`Cannot use --${flag} "${text}": give a time of at least 1s`);
}

function parseBuckets(flag: string, texts: readonly string[] | undefined): readonly number[] {
  if (texts === undefined) return USUAL_BOUNDS;
  const bounds = texts.map((text) => Math.round(parseLatency(flag, text)));
  const at = bounds.findIndex((ns, index) => index > 0 && ns <= bounds[index - 1]);
  if (at > 0) {
    throw new UsageError(
      `Cannot use --${flag} "${texts.join(",")}": "${texts[at]}" is not longer than ` +
        `"${texts[at - 1]}" before it; give ascending times`,
    );
  }
  if (bounds.length > BOUNDS_MAX) {
    throw new UsageError(
      `Cannot use --${flag} with ${bounds.length} times: give at most ${BOUNDS_MAX}`,
    );
  }
  return bounds;
}
