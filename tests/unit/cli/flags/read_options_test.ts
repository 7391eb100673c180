import { assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { FIELDS } from "../../../../src/record/fields.ts";
import { FORMAT_DEFAULTS } from "../../../../src/cli/flags/format_options.ts";
import { formatFlags } from "../../../../src/cli/flags/flags.ts";
import {
  parseReadOptions,
  READ_FLAGS,
  type ReadOptions,
} from "../../../../src/cli/flags/read_options.ts";
import { UsageError } from "../../../../src/cli/usage.ts";
import { OUTCOMES } from "../../../../src/match/handshake.ts";
import { NO_FILTER } from "../no_filter.ts";

/** What a reading does when nothing is asked but a file. */
const DEFAULTS: ReadOptions = {
  help: false,
  files: ["a.pcap"],
  filter: NO_FILTER,
  interfaces: [],
  output: undefined,
  rotation: undefined,
  write: undefined,
  store: undefined,
  anonymize: false,
  anonymizeKey: undefined,
  format: FORMAT_DEFAULTS,
  count: Infinity,
  exitStatus: false,
  follow: false,
};

const FAILURES = OUTCOMES.filter((outcome) => outcome !== "established");

const GOOD: { args: string; expected: Partial<ReadOptions> }[] = [
  { args: "a.pcap", expected: {} },
  { args: "-", expected: { files: ["-"] } },
  { args: "a - b", expected: { files: ["a", "-", "b"] } },
  { args: "-- --json", expected: { files: ["--json"] } },
  { args: "--help", expected: { files: [], help: true } },
  { args: "a.pcap --write b.pcapng", expected: { write: "b.pcapng" } },
  { args: "a.pcap --anonymize", expected: { anonymize: true } },
  {
    args: "a.pcap --anonymize --anonymize-key k",
    expected: { anonymize: true, anonymizeKey: "k" },
  },
  {
    args: "a.pcap --output b --rotate-size 64K --rotate-keep 2",
    expected: {
      output: "b",
      rotation: { maxBytes: 64_000, keep: 2 },
    },
  },
  { args: "a.pcap --json", expected: { format: { ...DEFAULTS.format, json: true } } },
  {
    args: "a.pcap --table --port 80",
    expected: {
      filter: { ...DEFAULTS.filter, ports: [{ first: 80, last: 80 }] },
      format: { ...DEFAULTS.format, kind: "table" },
    },
  },
  {
    args: "a.pcap --stats --top 3 --ascii --count 9",
    expected: {
      format: { ...DEFAULTS.format, kind: "statistics", top: 3, ascii: true },
      count: 9,
    },
  },
  { args: "a.pcap --csv", expected: { format: { ...DEFAULTS.format, kind: "csv" } } },
  {
    args: "a.pcap --fields v",
    expected: { format: { ...DEFAULTS.format, fields: FIELDS.slice(0, 1) } },
  },
  {
    args: "a.pcap --columns v",
    expected: { format: { ...DEFAULTS.format, columns: FIELDS.slice(0, 1) } },
  },
  { args: "a.pcap --wide", expected: { format: { ...DEFAULTS.format, wide: true } } },
  { args: "a.pcap --local-time", expected: { format: { ...DEFAULTS.format, localTime: true } } },
  { args: "a.pcap --colour never", expected: { format: { ...DEFAULTS.format, colour: "never" } } },
  { args: "a.pcap --color always", expected: { format: { ...DEFAULTS.format, colour: "always" } } },
  {
    args: "a.pcap --failed --exit-status",
    expected: { filter: { ...DEFAULTS.filter, outcomes: FAILURES }, exitStatus: true },
  },
  {
    args: "a.pcap --not-port 22",
    expected: { filter: { ...DEFAULTS.filter, notPorts: [{ first: 22, last: 22 }] } },
  },
  {
    args: "a.pcap --server-port 8000-8999 --slower-than 10ms --leg total",
    expected: {
      filter: {
        ...DEFAULTS.filter,
        serverPorts: [{ first: 8_000, last: 8_999 }],
        slowerThan: { leg: "total", ns: 10_000_000 },
      },
    },
  },
  {
    args: "a.pcap --not-host ::1 --not-comm nc --user 33 --cgroup /system.slice " +
      "--container web --not-container db",
    expected: {
      filter: {
        ...DEFAULTS.filter,
        notNetworks: [{ words: Uint32Array.of(0, 0, 0, 1), bits: 128 }],
        notComms: ["nc"],
        uids: [33],
        cgroups: ["/system.slice"],
        containers: ["web"],
        notContainers: ["db"],
      },
    },
  },
  { args: "a.pcap --sample 1/10", expected: { filter: { ...DEFAULTS.filter, sample: 10 } } },
  {
    args: "a.pcap --not-outcome established --reason ECONNREFUSED",
    expected: { filter: { ...DEFAULTS.filter, outcomes: FAILURES, reasons: ["ECONNREFUSED"] } },
  },
  { args: "--count 3 a.pcap", expected: { count: 3 } },
  { args: "--follow a.pcap", expected: { follow: true } },
  { args: "a.pcap --interface eth0,lo", expected: { interfaces: ["eth0", "lo"] } },
  {
    args: "a.pcap --port 80",
    expected: { filter: { ...DEFAULTS.filter, ports: [{ first: 80, last: 80 }] } },
  },
  {
    args: "a.pcap --outcome refused",
    expected: { filter: { ...DEFAULTS.filter, outcomes: ["refused"] } },
  },
  {
    args: "a.pcap --traced-on web1,web2 --role client --comm curl --pid 7",
    expected: {
      filter: {
        ...DEFAULTS.filter,
        tracedOn: ["web1", "web2"],
        roles: ["client"],
        comms: ["curl"],
        pids: [7],
      },
    },
  },
  {
    args: "a.pcap --since 2026-11-23T01:02:03Z --until 2026-11-23T01:02:04Z",
    expected: {
      filter: {
        ...DEFAULTS.filter,
        since: { seconds: 1_795_395_723, ns: 0 },
        until: { seconds: 1_795_395_724, ns: 0 },
      },
    },
  },
  {
    args: "a.pcap --host ::1",
    expected: {
      filter: {
        ...DEFAULTS.filter,
        networks: [{ words: Uint32Array.of(0, 0, 0, 1), bits: 128 }],
      },
    },
  },
];

for (const { args, expected } of GOOD) {
  Deno.test(`parseReadOptions reads "${args}"`, () => {
    assertEquals(parseReadOptions(args.split(" ")), { ...DEFAULTS, ...expected });
  });
}

const BAD: { args: string[]; says: string }[] = [
  {
    args: [],
    says: "Cannot read nothing: give a FILE (pcap, pcapng or NDJSON), or - for standard input",
  },
  { args: ["--json"], says: "Cannot read nothing" },
  { args: ["-", "-"], says: 'Cannot read "-" twice: standard input ends once' },
  { args: ["--follow", "-"], says: "Cannot use --follow here: it takes one FILE" },
  { args: ["--follow", "a", "b"], says: "Cannot use --follow here: it takes one FILE" },
  { args: ["a", "--count", "0"], says: 'Cannot use --count "0"' },
  { args: ["a", "--table", "--json"], says: "Cannot use --table with --json" },
  { args: ["a", "--top", "3"], says: "Cannot use --top without --stats" },
  { args: ["a", "--netns", "web"], says: 'Unknown flag "--netns"' },
  { args: ["a", "--outcome", "good"], says: 'Cannot use --outcome "good"' },
];

for (const { args, says } of BAD) {
  Deno.test(`parseReadOptions refuses "${args.join(" ")}"`, () => {
    const { message } = assertThrows(() => parseReadOptions(args), UsageError);
    assertStringIncludes(message, says);
    assertEquals(message.includes("\n"), false);
  });
}

Deno.test("READ_FLAGS have a test each, and a line of help", () => {
  // As one line: the help wraps what is long.
  const help = formatFlags(READ_FLAGS).replace(/\s+/g, " ");
  for (const { name, meaning } of READ_FLAGS) {
    assertStringIncludes(help, meaning);
    assertEquals(GOOD.some(({ args }) => args.includes(`--${name}`)), true, name);
  }
});
