/**
 * Whether a JSON is an ExportMetricsServiceRequest by the rules of the protocol: the messages of
 * opentelemetry/proto/metrics/v1/metrics.proto in the JSON of Protocol Buffers, where a 64-bit integer is a
 * string, an enumeration a number, and a field has its name in camel case.
 */

type Rule = (value: unknown, at: string) => string[];
type Fields = Record<string, Rule>;

const fails = (is: boolean, at: string, what: string) => is ? [] : [`${at} is no ${what}`];
const text: Rule = (value, at) => fails(typeof value === "string", at, "string");
const flag: Rule = (value, at) => fails(typeof value === "boolean", at, "boolean");
const double: Rule = (value, at) =>
  fails(typeof value === "number" && Number.isFinite(value), at, "double");
const uint64: Rule = (value, at) =>
  fails(
    typeof value === "string" && /^\d+$/.test(value) && BigInt(value) < 1n << 64n,
    at,
    "uint64 as a string",
  );
const int64: Rule = (value, at) =>
  fails(typeof value === "string" && /^-?\d{1,19}$/.test(value), at, "int64 as a string");
const temporality: Rule = (value, at) => fails(value === 1 || value === 2, at, "temporality");

function list(rule: Rule): Rule {
  return (value, at) =>
    Array.isArray(value)
      ? value.flatMap((each, index) => rule(each, `${at}[${index}]`))
      : [`${at} is no list`];
}

/** A message with these fields and no others. @param oneOf Of these exactly one is there. */
function message(fields: Fields, required: readonly string[], oneOf: readonly string[] = []): Rule {
  return (value, at) => {
    if (typeof value !== "object" || value === null || Array.isArray(value)) {
      return [`${at} is no message`];
    }
    const names = Object.keys(value);
    return [
      ...names.filter((name) => !(name in fields)).map((name) => `${at} has no field ${name}`),
      ...required.filter((name) => !names.includes(name)).map((name) => `${at} lacks ${name}`),
      ...oneOf.length > 0 && names.filter((name) => oneOf.includes(name)).length !== 1
        ? [`${at} has not one of ${oneOf}`]
        : [],
      ...Object.entries(value).flatMap(([name, each]) =>
        fields[name]?.(each, `${at}.${name}`) ?? []
      ),
    ];
  };
}

const anyValue = message({ stringValue: text, intValue: int64 }, [], ["stringValue", "intValue"]);
const attributes: Rule = (value, at) => {
  const wrong = list(message({ key: text, value: anyValue }, ["key", "value"]))(value, at);
  if (wrong.length > 0) return wrong;
  const keys = (value as { key: string }[]).map(({ key }) => key);
  return fails(new Set(keys).size === keys.length, at, "set of attributes");
};
const numberPoint = (isCounted: boolean) =>
  message(
    {
      attributes,
      startTimeUnixNano: uint64,
      timeUnixNano: uint64,
      asInt: int64,
      asDouble: double,
    },
    ["attributes", "timeUnixNano", ...isCounted ? ["startTimeUnixNano"] : []],
    ["asInt", "asDouble"],
  );
const exemplar = message(
  { timeUnixNano: uint64, asDouble: double, filteredAttributes: attributes },
  ["timeUnixNano", "asDouble"],
);
const histogramPoint: Rule = (value, at) => {
  const wrong = message({
    attributes,
    startTimeUnixNano: uint64,
    timeUnixNano: uint64,
    count: uint64,
    sum: double,
    bucketCounts: list(uint64),
    explicitBounds: list(double),
    exemplars: list(exemplar),
  }, ["attributes", "startTimeUnixNano", "timeUnixNano", "count", "bucketCounts"])(value, at);
  if (wrong.length > 0) return wrong;
  const { count, bucketCounts, explicitBounds } = value as {
    count: string;
    bucketCounts: string[];
    explicitBounds: number[];
  };
  const sum = bucketCounts.reduce((all, each) => all + Number(each), 0);
  return [
    ...fails(sum === Number(count), at, "sum of its buckets"),
    ...fails(bucketCounts.length === explicitBounds.length + 1, at, "bucket more than bounds"),
    ...fails(
      explicitBounds.every((bound, index) => index === 0 || bound > explicitBounds[index - 1]),
      at,
      "list of ascending bounds",
    ),
  ];
};
const metric = message(
  {
    name: text,
    description: text,
    unit: text,
    gauge: message({ dataPoints: list(numberPoint(false)) }, ["dataPoints"]),
    sum: message(
      {
        aggregationTemporality: temporality,
        isMonotonic: flag,
        dataPoints: list(numberPoint(true)),
      },
      ["aggregationTemporality", "isMonotonic", "dataPoints"],
    ),
    histogram: message(
      { aggregationTemporality: temporality, dataPoints: list(histogramPoint) },
      ["aggregationTemporality", "dataPoints"],
    ),
  },
  ["name"],
  ["gauge", "sum", "histogram"],
);
const request = message({
  resourceMetrics: list(message({
    resource: message({ attributes }, ["attributes"]),
    scopeMetrics: list(message({
      scope: message({ name: text, version: text }, ["name"]),
      metrics: list(metric),
    }, ["metrics"])),
  }, ["scopeMetrics"])),
}, ["resourceMetrics"]);

/** What is wrong with a request; nothing where it is one. */
export function otlpErrors(json: unknown): string[] {
  return request(json, "request");
}

/** A metric of a request. */
export interface OtlpMetric {
  name: string;
  unit: string;
  gauge?: { dataPoints: OtlpPoint[] };
  sum?: { aggregationTemporality: number; dataPoints: OtlpPoint[] };
  histogram?: { aggregationTemporality: number; dataPoints: OtlpPoint[] };
}

/** A point of a metric. */
export interface OtlpPoint {
  attributes: { key: string; value: { stringValue?: string; intValue?: string } }[];
  startTimeUnixNano?: string;
  timeUnixNano: string;
  asInt?: string;
  asDouble?: number;
  count?: string;
  sum?: number;
  bucketCounts?: string[];
  exemplars?: unknown[];
}

/** The metrics of a request by name. @throws {Error} Where it is none. */
export function otlpMetrics(body: string): Map<string, OtlpMetric> {
  const json = JSON.parse(body);
  const errors = otlpErrors(json);
  if (errors.length > 0) throw new Error(errors.slice(0, 5).join("; "));
  const metrics: OtlpMetric[] = json.resourceMetrics[0].scopeMetrics[0].metrics;
  return new Map(metrics.map((metric) => [metric.name, metric]));
}

/** Counts of a metric by the values of its attributes. */
export function otlpCounts(metric: OtlpMetric | undefined): Record<string, number> {
  const points = (metric?.sum ?? metric?.gauge ?? metric?.histogram)?.dataPoints ?? [];
  return Object.fromEntries(points.map(({ attributes, asInt, asDouble, count }) => [
    attributes.map(({ value }) => value.stringValue ?? value.intValue).join(" "),
    Number(asInt ?? asDouble ?? count),
  ]));
}
