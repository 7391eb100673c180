import { assertEquals, assertThrows } from "@std/assert";
import { parseFlags } from "../../../../src/cli/flags/flags.ts";
import {
  metricsFlags,
  type MetricsOptions,
  parseMetrics,
} from "../../../../src/cli/flags/metrics_options.ts";
import { UsageError } from "../../../../src/cli/usage.ts";
import { SERVERS_USUAL, USUAL_BOUNDS } from "../../../../src/output/metrics/choices.ts";

function parse(...args: string[]): MetricsOptions | undefined {
  return parseMetrics(parseFlags(args, metricsFlags("metrics")), "metrics");
}

const LOCAL = ["--metrics", "127.0.0.1:9464"];

Deno.test("parseMetrics gives nobody anything where nothing is asked", () => {
  assertEquals(parse(), undefined);
});

Deno.test("parseMetrics reads who gets metrics", () => {
  assertEquals(parse(...LOCAL), {
    listen: { kind: "tcp", hostname: "127.0.0.1", port: 9464, isLocal: true },
    file: undefined,
    otlp: undefined,
    serversMax: SERVERS_USUAL,
    extraLabels: [],
    bounds: USUAL_BOUNDS,
  });
  const all = parse(
    ...["--metrics", "[::]:1", "--metrics-public", "--metrics-file", "/x/synsnoop.prom"],
    ...["--otlp", "http://c:4318", "--otlp-interval", "10s", "--otlp-temporality", "delta"],
    ...["--metrics-servers", "5", "--metrics-labels", "cgroup,process"],
    ...["--buckets", "100us,1ms,1.5s"],
  );
  assertEquals(all, {
    listen: { kind: "tcp", hostname: "::", port: 1, isLocal: false },
    file: "/x/synsnoop.prom",
    otlp: { url: "http://c:4318/v1/metrics", intervalMs: 10_000, temporality: "delta" },
    serversMax: 5,
    extraLabels: ["process", "cgroup"],
    bounds: [1e5, 1e6, 1.5e9],
  });
});

for (
  const [url, expected] of [
    ["http://c:4318/", "http://c:4318/v1/metrics"],
    ["https://c/otlp", "https://c/otlp/v1/metrics"],
    ["https://c/otlp/", "https://c/otlp/v1/metrics"],
    ["http://[::1]:4318/v1/metrics", "http://[::1]:4318/v1/metrics"],
    ["http://c/?k=v", "http://c/v1/metrics?k=v"],
  ]
) {
  Deno.test(`parseMetrics pushes for --otlp ${url} to ${expected}`, () => {
    assertEquals(parse("--otlp", url)?.otlp?.url, expected);
  });
}

const REFUSED: readonly (readonly [args: readonly string[], message: string])[] = [
  [
    ["--metrics", "9464"],
    'Cannot use --metrics "9464": give an address with its port such as 127.0.0.1:9464 or ' +
    "[::1]:9464, unix:PATH, or systemd",
  ],
  [
    ["--metrics", "0.0.0.0:9464"],
    'Cannot use --metrics "0.0.0.0:9464": other hosts reach that address and learn who talks to ' +
    "whom; give --metrics-public too, or 127.0.0.1",
  ],
  [
    ["--metrics-public"],
    "Cannot use --metrics-public without --metrics: it says how to give metrics",
  ],
  [
    ["--buckets", "1ms"],
    "Cannot use --buckets without --metrics, --metrics-file or --otlp: it says how to give metrics",
  ],
  [
    [...LOCAL, "--otlp-interval", "5s"],
    "Cannot use --otlp-interval without --otlp: it says how to give metrics",
  ],
  [
    [...LOCAL, "--buckets", "1ms,500us"],
    'Cannot use --buckets "1ms,500us": "500us" is not longer than "1ms" before it; give ascending ' +
    "times",
  ],
  [
    [...LOCAL, "--buckets", "1ms,1000us"],
    'Cannot use --buckets "1ms,1000us": "1000us" is not longer than "1ms" before it; give ' +
    "ascending times",
  ],
  [
    [...LOCAL, "--buckets", "0.5"],
    'Cannot use --buckets "0.5": give its unit, such as 0.5ms, 0.5us or 0.5s',
  ],
  [
    [...LOCAL, "--buckets", Array.from({ length: 51 }, (_, at) => `${at + 1}ms`).join(",")],
    "Cannot use --buckets with 51 times: give at most 50",
  ],
  [
    [...LOCAL, "--metrics-servers", "0"],
    'Cannot use --metrics-servers "0": give a whole number from 1 to 2000',
  ],
  [
    [...LOCAL, "--metrics-labels", "client"],
    'Cannot use --metrics-labels "client": give one of process, cgroup',
  ],
  [
    ["--metrics-file", "/x/synsnoop.txt"],
    'Cannot use --metrics-file "/x/synsnoop.txt": node_exporter reads names that end in .prom; ' +
    "give DIR/synsnoop.prom",
  ],
  [
    ["--otlp", "localhost:4318"],
    'Cannot use --otlp "localhost:4318": give the URL of a collector such as http://127.0.0.1:4318',
  ],
  [
    ["--otlp", "http://c", "--otlp-interval", "10ms"],
    'Cannot use --otlp-interval "10ms": give a time of at least 1s',
  ],
];

for (const [args, message] of REFUSED) {
  Deno.test(`parseMetrics refuses ${args.join(" ").slice(0, 60)}`, () => {
    assertEquals(assertThrows(() => parse(...args), UsageError).message, message);
  });
}
