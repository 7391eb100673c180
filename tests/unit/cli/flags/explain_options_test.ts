import { assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import {
  EXPLAIN_FLAGS,
  type ExplainOptions,
  parseExplainOptions,
} from "../../../../src/cli/flags/explain_options.ts";
import { formatFlags } from "../../../../src/cli/flags/flags.ts";
import { UsageError } from "../../../../src/cli/usage.ts";
import { OUTCOMES } from "../../../../src/match/handshake.ts";
import { NO_FILTER } from "../no_filter.ts";

/** Of nothing but the command's name. */
const DEFAULTS: ExplainOptions = {
  help: false,
  file: undefined,
  index: 1,
  filter: NO_FILTER,
  filterText: "",
  interfaces: [],
  awaitsInterfaces: false,
  namespaces: [],
  durationMs: Infinity,
  probes: "auto",
  packetFilter: "auto",
  header: false,
  format: "text",
  ascii: false,
  output: undefined,
  command: undefined,
  toStandardError: false,
  exitStatus: false,
};

const FAILURES = OUTCOMES.filter((outcome) => outcome !== "established");

const GOOD: { args: string[]; expected: Partial<ExplainOptions> }[] = [
  { args: [], expected: {} },
  { args: ["a.pcap"], expected: { file: "a.pcap" } },
  { args: ["-", "--index", "3"], expected: { file: "-", index: 3 } },
  { args: ["--", "a", "--ascii"], expected: { command: ["a", "--ascii"], toStandardError: true } },
  {
    args: ["--format", "svg", "--output", "b", "--", "a"],
    expected: { command: ["a"], format: "svg", output: "b" },
  },
  { args: ["a", "--output", "-"], expected: { file: "a" } },
  { args: ["--output", "-", "--", "a"], expected: { command: ["a"] } },
  { args: ["--help"], expected: { help: true } },
  { args: ["--header", "--ascii"], expected: { header: true, ascii: true } },
  { args: ["--format", "svg"], expected: { format: "svg" } },
  { args: ["--format=markdown", "--ascii"], expected: { format: "markdown", ascii: true } },
  {
    args: ["a", "--interface", "lo,eth0"],
    expected: {
      file: "a",
      interfaces: ["lo", "eth0"],
    },
  },
  {
    args: ["--interface", "tun0", "--interface-wait"],
    expected: {
      interfaces: ["tun0"],
      awaitsInterfaces: true,
    },
  },
  {
    args: ["--port", "80,81"],
    expected: {
      filter: { ...NO_FILTER, ports: [{ first: 80, last: 80 }, { first: 81, last: 81 }] },
      filterText: "--port 80,81",
    },
  },
  {
    args: ["a", "--outcome", "refused"],
    expected: {
      file: "a",
      filter: { ...NO_FILTER, outcomes: ["refused"] },
      filterText: "--outcome refused",
    },
  },
  {
    args: ["--comm", "curl", "--role", "client", "--duration", "2s", "--probes", "kprobe"],
    expected: {
      filter: { ...NO_FILTER, comms: ["curl"], roles: ["client"] },
      filterText: "--role client --comm curl",
      durationMs: 2_000,
      probes: "kprobe",
    },
  },
  {
    args: ["a", "--failed", "--exit-status"],
    expected: {
      file: "a",
      filterText: "--failed",
      filter: { ...NO_FILTER, outcomes: FAILURES },
      exitStatus: true,
    },
  },
  {
    args: ["a", "--not-port", "22"],
    expected: {
      file: "a",
      filterText: "--not-port 22",
      filter: { ...NO_FILTER, notPorts: [{ first: 22, last: 22 }] },
    },
  },
  {
    args: ["a", "--server-port", "8000-8999", "--slower-than", "10ms", "--leg", "total"],
    expected: {
      file: "a",
      filterText: "--server-port 8000-8999 --slower-than 10ms --leg total",
      filter: {
        ...NO_FILTER,
        serverPorts: [{ first: 8_000, last: 8_999 }],
        slowerThan: { leg: "total", ns: 10_000_000 },
      },
    },
  },
  {
    args: [
      "a",
      "--not-host",
      "::1",
      "--not-comm",
      "nc",
      "--user",
      "33",
      "--cgroup",
      "/system.slice",
      "--container",
      "web",
      "--not-container",
      "db",
    ],
    expected: {
      file: "a",
      filterText: "--not-host ::1 --not-comm nc --user 33 --cgroup /system.slice " +
        "--container web --not-container db",
      filter: {
        ...NO_FILTER,
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
    args: ["a", "--not-outcome", "established", "--reason", "ECONNREFUSED"],
    expected: {
      file: "a",
      filterText: "--not-outcome established --reason ECONNREFUSED",
      filter: { ...NO_FILTER, outcomes: FAILURES, reasons: ["ECONNREFUSED"] },
    },
  },
];

for (const { args, expected } of GOOD) {
  Deno.test(`parseExplainOptions reads "${args.join(" ")}"`, () => {
    assertEquals(parseExplainOptions(args), { ...DEFAULTS, ...expected });
  });
}

const BAD: { args: string[]; says: string }[] = [
  { args: ["a", "b"], says: 'Cannot explain "b" too' },
  { args: ["--since", "1h"], says: "Cannot use --since without a FILE" },
  { args: ["--traced-on", "web1"], says: "Cannot use --traced-on without a FILE" },
  { args: ["--interface-wait"], says: "Cannot use --interface-wait without --interface" },
  {
    args: ["a", "--interface", "lo", "--interface-wait"],
    says: "Cannot use --interface-wait with a FILE",
  },
  { args: ["a", "--probes", "none"], says: "Cannot use --probes with a FILE" },
  { args: ["--index", "0"], says: '--index "0"' },
  { args: ["--format", "html"], says: "give one of text, svg, markdown" },
  { args: ["--format", "svg", "--ascii"], says: "Cannot use --ascii with --format svg" },
  { args: ["--probes", "none", "--comm", "curl"], says: "packets do not tell processes" },
  { args: ["--json"], says: 'Unknown flag "--json"' },
];

for (const { args, says } of BAD) {
  Deno.test(`parseExplainOptions refuses "${args.join(" ")}"`, () => {
    const error = assertThrows(() => parseExplainOptions(args), UsageError);
    assertStringIncludes(error.message, says);
  });
}

Deno.test("EXPLAIN_FLAGS names each flag once, with what it is for", () => {
  const names = EXPLAIN_FLAGS.map(({ name }) => name);
  assertEquals(new Set(names).size, names.length);
  for (const name of ["netns", "duration", "probes"]) {
    assertStringIncludes(formatFlags(EXPLAIN_FLAGS), `  --${name} `);
  }
});
