import { assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { FIELDS } from "../../../../src/record/fields.ts";
import { FORMAT_DEFAULTS } from "../../../../src/cli/flags/format_options.ts";
import { formatFlags } from "../../../../src/cli/flags/flags.ts";
import {
  parseTraceOptions,
  TRACE_FLAGS,
  type TraceOptions,
} from "../../../../src/cli/flags/trace_options.ts";
import { UsageError } from "../../../../src/cli/usage.ts";
import { NO_FILTER } from "../no_filter.ts";
import { MECHANISMS } from "../../../../src/kernel/choose_probes.ts";
import { OUTCOMES, ROLES } from "../../../../src/match/handshake.ts";

/** What a trace does when nothing is asked. */
const DEFAULTS: TraceOptions = {
  help: false,
  filter: NO_FILTER,
  interfaces: [],
  awaitsInterfaces: false,
  namespaces: [],
  filterTexts: [],
  format: FORMAT_DEFAULTS,
  statusIntervalMs: 60_000,
  count: Infinity,
  metrics: undefined,
  command: undefined,
  toStandardError: false,
  exitStatus: false,
  durationMs: Infinity,
  output: undefined,
  rotation: undefined,
  write: undefined,
  store: undefined,
  report: undefined,
  force: false,
  anonymize: false,
  anonymizeKey: undefined,
  probes: "auto",
  packetFilter: "auto",
};

const NDJSON: TraceOptions["format"] = { ...DEFAULTS.format, json: true };
const STATISTICS: TraceOptions["format"] = { ...DEFAULTS.format, kind: "statistics" };

type Changes = Partial<Omit<TraceOptions, "filter">> & { filter?: TraceOptions["filter"] };

const FAILURES = OUTCOMES.filter((outcome) => outcome !== "established");

const GOOD: { args: string; expected: Changes }[] = [
  { args: "", expected: {} },
  { args: "--help", expected: { help: true } },
  // What is in the file stands before it by then.
  { args: "--config a", expected: {} },
  {
    args: "--metrics [::]:1 --metrics-public --metrics-file a.prom --metrics-servers 5 " +
      "--metrics-labels process --buckets 1ms --otlp http://a/ --otlp-interval 1s " +
      "--otlp-temporality delta",
    expected: {
      metrics: {
        listen: { kind: "tcp", hostname: "::", port: 1, isLocal: false },
        file: "a.prom",
        otlp: { url: "http://a/v1/metrics", intervalMs: 1_000, temporality: "delta" },
        serversMax: 5,
        extraLabels: ["process"],
        bounds: [1e6],
      },
    },
  },
  { args: "--port 1", expected: { filter: { ports: [{ first: 1, last: 1 }] } } },
  {
    args: "--port 80,443 --port=65535",
    expected: {
      filter: {
        ports: [{ first: 80, last: 80 }, { first: 443, last: 443 }, {
          first: 65_535,
          last: 65_535,
        }],
      },
    },
  },
  {
    args: "--host 192.0.2.0/24 --host ::1",
    expected: {
      filter: {
        networks: [
          { words: Uint32Array.of(0, 0, 0xffff, 0xc0000200), bits: 120 },
          { words: Uint32Array.of(0, 0, 0, 1), bits: 128 },
        ],
      },
    },
  },
  { args: `--role ${ROLES.join(",")}`, expected: { filter: { roles: ROLES } } },
  { args: `--outcome ${OUTCOMES.join(",")}`, expected: { filter: { outcomes: OUTCOMES } } },
  { args: "--comm curl,nginx", expected: { filter: { comms: ["curl", "nginx"] } } },
  { args: "--pid 1 --pid 4194304", expected: { filter: { pids: [1, 4_194_304] } } },
  { args: "--interface lo,eth0", expected: { interfaces: ["lo", "eth0"] } },
  {
    args: "--interface-wait --interface eth0",
    expected: { interfaces: ["eth0"], awaitsInterfaces: true },
  },
  { args: "--netns web,4711 --netns all", expected: { namespaces: ["web", "4711", "all"] } },
  { args: "--json", expected: { format: NDJSON } },
  { args: "--table", expected: { format: { ...DEFAULTS.format, kind: "table" } } },
  { args: "--csv", expected: { format: { ...DEFAULTS.format, kind: "csv" } } },
  { args: "--fields v", expected: { format: { ...DEFAULTS.format, fields: FIELDS.slice(0, 1) } } },
  {
    args: "--columns v",
    expected: { format: { ...DEFAULTS.format, columns: FIELDS.slice(0, 1) } },
  },
  { args: "--wide", expected: { format: { ...DEFAULTS.format, wide: true } } },
  { args: "--local-time", expected: { format: { ...DEFAULTS.format, localTime: true } } },
  { args: "--colour never", expected: { format: { ...DEFAULTS.format, colour: "never" } } },
  { args: "--color always", expected: { format: { ...DEFAULTS.format, colour: "always" } } },
  { args: "--stats --interval 10s", expected: { format: { ...STATISTICS, intervalMs: 10_000 } } },
  { args: "--status-interval 1m", expected: { statusIntervalMs: 60_000 } },
  { args: "--status-interval 1.5s", expected: { statusIntervalMs: 1_500 } },
  { args: "--status-interval 0", expected: { statusIntervalMs: undefined } },
  { args: "--status-interval off", expected: { statusIntervalMs: undefined } },
  { args: "--stats --top 3", expected: { format: { ...STATISTICS, top: 3 } } },
  { args: "--stats --ascii", expected: { format: { ...STATISTICS, ascii: true } } },
  {
    args: "--failed --exit-status",
    expected: { filter: { outcomes: FAILURES }, exitStatus: true },
  },
  { args: "--not-port 22", expected: { filter: { notPorts: [{ first: 22, last: 22 }] } } },
  {
    args: "--server-port 8000-8999 --slower-than 10ms --leg total",
    expected: {
      filter: {
        serverPorts: [{ first: 8_000, last: 8_999 }],
        slowerThan: { leg: "total", ns: 10_000_000 },
      },
    },
  },
  {
    args: "--not-host ::1 --not-comm nc --user 33 --cgroup /system.slice " +
      "--container web --not-container db",
    expected: {
      filter: {
        notNetworks: [{ words: Uint32Array.of(0, 0, 0, 1), bits: 128 }],
        notComms: ["nc"],
        uids: [33],
        cgroups: ["/system.slice"],
        containers: ["web"],
        notContainers: ["db"],
      },
    },
  },
  {
    args: "--anonymize --anonymize-key k",
    expected: { anonymize: true, anonymizeKey: "k" },
  },
  { args: "--sample 1/10", expected: { filter: { sample: 10 } } },
  {
    args: "--not-outcome established --reason ECONNREFUSED",
    expected: { filter: { outcomes: FAILURES, reasons: ["ECONNREFUSED"] } },
  },
  { args: "--count 1", expected: { count: 1 } },
  { args: "--count 999999999999999", expected: { count: 999_999_999_999_999 } },
  { args: "--duration 1.5s", expected: { durationMs: 1_500 } },
  { args: "--output a.ndjson", expected: { output: "a.ndjson" } },
  { args: "--report a.html --force", expected: { report: "a.html", force: true } },
  { args: "--write a.pcapng", expected: { write: "a.pcapng" } },
  // Standard output by name is NDJSON, on a terminal too.
  { args: "--output -", expected: { format: NDJSON } },
  { args: "--output=-", expected: { format: NDJSON } },
  {
    args: "--output a --rotate-size 1M",
    expected: { output: "a", rotation: { maxBytes: 1_000_000, keep: 5 } },
  },
  {
    args: "--store a --keep 12h --keep-size 500M",
    expected: { store: { folder: "a", keeping: { ageMs: 12 * 3_600_000, bytes: 5e8 } } },
  },
  {
    args: "--rotate-keep 0 --rotate-size 64000 --output a",
    expected: { output: "a", rotation: { maxBytes: 64_000, keep: 0 } },
  },
  {
    args: "--output a --rotate-size 1G --rotate-keep 1000",
    expected: { output: "a", rotation: { maxBytes: 1e9, keep: 1_000 } },
  },
  ...(["auto", "fentry", "kprobe", "tracepoint", "none"] as const).map((probes) => ({
    args: `--probes ${probes}`,
    expected: { probes },
  })),
  ...(["auto", "ebpf", "classic"] as const).map((packetFilter) => ({
    args: `--packet-filter ${packetFilter}`,
    expected: { packetFilter },
  })),
];

function words(line: string): string[] {
  return line === "" ? [] : line.split(" ");
}

for (const { args, expected } of GOOD) {
  Deno.test(`parseTraceOptions reads "${args}"`, () => {
    const filter = { ...DEFAULTS.filter, ...expected.filter };
    const { filterTexts, ...read } = parseTraceOptions(words(args));
    assertEquals({ ...read, filterTexts: [] }, { ...DEFAULTS, ...expected, filter });
    assertEquals(
      filterTexts.length > 0,
      expected.filter !== undefined || /--interface /.test(args),
    );
  });
}

Deno.test("parseTraceOptions takes a command behind --, whose arguments are no flags here", () => {
  const read = (args: string) => {
    const { command, toStandardError, output, filterTexts } = parseTraceOptions(words(args));
    return { command, toStandardError, output, filterTexts };
  };
  assertEquals(read("--port 1 -- curl --json -- x"), {
    command: ["curl", "--json", "--", "x"],
    toStandardError: true,
    output: undefined,
    filterTexts: ["--port 1", "-- curl"],
  });
  assertEquals(read("--output a -- b"), {
    command: ["b"],
    toStandardError: true,
    output: "a",
    filterTexts: ["-- b"],
  });
  assertEquals(read("--output - -- b").toStandardError, false);
});

const BAD: { args: string; says: string }[] = [
  { args: "--", says: "Cannot run nothing: give a command behind --, such as -- curl" },
  {
    args: "--exit-status -- curl",
    says: "Cannot use --exit-status with a command: the exit status is the command's",
  },
  { args: "--cgroup / -- curl", says: "Cannot use --cgroup with a command" },
  {
    args: "--probes none -- curl",
    says: "Cannot use --probes none with a command: packets do not tell whose a handshake is",
  },
  {
    args: "x",
    says:
      'Cannot use "x": trace takes flags; a command to run stands behind --: synsnoop trace -- x',
  },
  { args: "--json 80", says: 'Cannot use "80": did you mean --port 80?' },
  { args: "--port 0", says: 'Cannot use --port "0": give its number, from 1 to 65535' },
  { args: "--port 80,70000", says: 'Cannot use --port "70000"' },
  {
    args: "--port -5",
    says: 'Cannot use --port "-5": give its number, from 1 to 65535',
  },
  { args: "--pid 0", says: 'Cannot use --pid "0": give a whole number from 1 to 4194304' },
  { args: "--pid 4194305", says: 'Cannot use --pid "4194305"' },
  { args: "--host 1.2.3", says: 'Cannot use --host "1.2.3"' },
  { args: "--host 1.2.3.4,x", says: 'Cannot use --host "x"' },
  { args: "--role boss", says: `Cannot use --role "boss": give one of ${ROLES.join(", ")}` },
  {
    args: "--outcome nope",
    says: `Cannot use --outcome "nope": give one of ${OUTCOMES.join(", ")}`,
  },
  {
    args: "--interface-wait",
    says: "Cannot use --interface-wait without --interface: it waits for that one",
  },
  { args: "--count 0", says: 'Cannot use --count "0": give a whole number of at least 1' },
  { args: "--count 1 --count 2", says: 'Cannot use "--count" 2 times' },
  { args: "--duration abc", says: 'Cannot use --duration "abc"' },
  { args: "--duration 600h", says: 'Cannot use --duration "600h"' },
  { args: "--output a --output b", says: 'Cannot use "--output" 2 times' },
  { args: "--interval 10s", says: "Cannot use --interval without --stats: it is about statistics" },
  {
    args: "--stats --interval 999ms",
    says: 'Cannot use --interval "999ms": give a time of at least 1s',
  },
  { args: "--stats --interval 0", says: 'Cannot use --interval "0": give a time such as 10s' },
  {
    args: "--status-interval 10ms",
    says: 'Cannot use --status-interval "10ms": give a time of at least 1s',
  },
  {
    args: "--status-interval 10s --table",
    says: "Cannot use --status-interval with --table: status lines stand among records of NDJSON",
  },
  { args: "--status-interval off --stats", says: "Cannot use --status-interval with --stats" },
  { args: "--status-interval off --csv", says: "Cannot use --status-interval with --csv" },
  { args: "--table --json", says: "Cannot use --table with --json: give one of them" },
  {
    args: "--table --output a",
    says: "Cannot use --table with --output, which takes NDJSON: give one of them",
  },
  {
    args: "--stats --output -",
    says: "Cannot use --stats with --output, which takes NDJSON: give one of them",
  },
  { args: "--output", says: 'Cannot use "--output" without a value: give --output FILE' },
  { args: "--rotate-size 1M", says: "Cannot use --rotate-size without a file: give --output FILE" },
  { args: "--rotate-size 1M --output -", says: "Cannot use --rotate-size without a file" },
  { args: "--output a --rotate-size 0", says: 'Cannot use --rotate-size "0"' },
  { args: "--store a --stats", says: "Cannot use --stats with --store, which takes NDJSON" },
  {
    args: "--output a --rotate-keep 1",
    says: "Cannot use --rotate-keep alone: give --rotate-size SIZE too",
  },
  {
    args: "--output a --rotate-size 1M --rotate-keep 1001",
    says: 'Cannot use --rotate-keep "1001": give a whole number from 0 to 1000',
  },
  {
    args: "--probes none --pid 3",
    says: "Cannot use --pid with --probes none: packets do not tell processes",
  },
  ...["not-comm nc", "user 0", "cgroup /", "container web", "not-container db"].map((flag) => ({
    args: `--probes none --${flag}`,
    says: `Cannot use --${flag.split(" ")[0]} with --probes none: packets do not tell processes`,
  })),
  {
    args: "--probes fast",
    says: 'Cannot use --probes "fast": give one of auto, fentry, kprobe, tracepoint, none',
  },
  {
    args: "--packet-filter none",
    says: 'Cannot use --packet-filter "none": give one of auto, ebpf, classic',
  },
];

for (const { args, says } of BAD) {
  Deno.test(`parseTraceOptions refuses "${args}"`, () => {
    const { message } = assertThrows(() => parseTraceOptions(words(args)), UsageError);
    assertStringIncludes(message, says);
    assertEquals(message.includes("\n"), false);
  });
}

Deno.test("TRACE_FLAGS have a test each, and a line of help with every word they take", () => {
  // As one line: the help wraps what is long.
  const help = formatFlags(TRACE_FLAGS).replace(/\s+/g, " ");
  for (const { name, value, meaning } of TRACE_FLAGS) {
    assertStringIncludes(help, ` --${name} ${value === undefined ? "" : `${value} `}${meaning} `);
    assertEquals(GOOD.some(({ args }) => args.includes(`--${name}`)), true, name);
  }
  for (const word of [...ROLES, ...OUTCOMES, ...MECHANISMS, "none", "ebpf", "classic"]) {
    assertStringIncludes(help, word);
  }
});

Deno.test("parseTraceOptions keeps the flags that say what is reported as they were given", () => {
  const args = "--interface eth0 --port 80 --port 443,8080 --host ::/0 --netns all --count 3";
  assertEquals(parseTraceOptions(words(args)).filterTexts, [
    "--port 80,443,8080",
    "--host ::/0",
    "--interface eth0",
  ]);
});
