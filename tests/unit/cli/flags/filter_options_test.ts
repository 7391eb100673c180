import { assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import {
  FILTER_FLAGS,
  FILTERS_BY_PROCESS,
  FILTERS_OF_FILES,
  formatFilter,
  parseFilter,
} from "../../../../src/cli/flags/filter_options.ts";
import { parseFlags } from "../../../../src/cli/flags/flags.ts";
import { UsageError } from "../../../../src/cli/usage.ts";
import { NO_FILTER } from "../no_filter.ts";

const NOW_MS = 1_795_395_723_250;
const UIDS = new Map([["www-data", 33], ["root", 0]]);

function parse(...args: string[]) {
  const ground = { nowMs: NOW_MS, uidOf: (name: string) => UIDS.get(name) };
  return parseFilter(parseFlags(args, FILTER_FLAGS), ground);
}

/** One value for each flag, none for a switch; together they do not contradict each other. */
const EACH: Readonly<Record<string, string | undefined>> = {
  port: "80,8000-8999",
  "not-port": "22",
  "server-port": "443,1-65535",
  host: "192.0.2.1",
  "not-host": "::1",
  role: "observer",
  failed: undefined,
  outcome: "refused,timeout,established",
  "not-outcome": "timeout",
  reason: "econnrefused,ACCEPT_QUEUE_FULL",
  "slower-than": "1.5ms",
  leg: "server",
  comm: "curl",
  "not-comm": "nc,ncat",
  pid: "7",
  user: "www-data,1000,root",
  cgroup: "/system.slice/,/",
  container: "web,3f9a",
  "not-container": "shop/web-7d4b9c/nginx",
  sample: "1/100",
  since: "2026-11-23T01:02:03Z",
  until: "2026-11-23t02:02:03.5+01:00",
  "traced-on": "web1,web2",
};

const ALL = Object.entries(EACH)
  .map(([name, value]) => value === undefined ? `--${name}` : `--${name}=${value}`);

Deno.test("parseFilter reads every flag of FILTER_FLAGS", () => {
  assertEquals(Object.keys(EACH), FILTER_FLAGS.map(({ name }) => name));
  assertEquals(parse(...ALL), {
    ports: [{ first: 80, last: 80 }, { first: 8_000, last: 8_999 }],
    notPorts: [{ first: 22, last: 22 }],
    serverPorts: [{ first: 443, last: 443 }, { first: 1, last: 65_535 }],
    networks: [{ words: Uint32Array.of(0, 0, 0xffff, 0xc0000201), bits: 128 }],
    notNetworks: [{ words: Uint32Array.of(0, 0, 0, 1), bits: 128 }],
    roles: ["observer"],
    // What all three flags about it leave.
    outcomes: ["refused"],
    reasons: ["ECONNREFUSED", "ACCEPT_QUEUE_FULL"],
    slowerThan: { leg: "server", ns: 1_500_000 },
    comms: ["curl"],
    notComms: ["nc", "ncat"],
    pids: [7],
    uids: [33, 1_000, 0],
    cgroups: ["/system.slice", ""],
    containers: ["web", "3f9a"],
    notContainers: ["shop/web-7d4b9c/nginx"],
    since: { seconds: 1_795_395_723, ns: 0 },
    until: { seconds: 1_795_395_723, ns: 500_000_000 },
    tracedOn: ["web1", "web2"],
    sample: 100,
  });
});

Deno.test("formatFilter writes every flag as it was given", () => {
  const given = parseFlags(ALL, FILTER_FLAGS);
  assertEquals(
    formatFilter(given),
    Object.entries(EACH).map(([name, value]) =>
      `--${name}${value === undefined ? "" : ` ${value}`}`
    ),
  );
  assertEquals(formatFilter(parseFlags([], FILTER_FLAGS)), []);
});

Deno.test("FILTERS_OF_FILES and FILTERS_BY_PROCESS are flags that filter", () => {
  const names = FILTER_FLAGS.map(({ name }) => name);
  for (const name of [...FILTERS_OF_FILES, ...FILTERS_BY_PROCESS]) {
    assertEquals(names.includes(name), true, name);
  }
});

Deno.test("parseFilter lets all pass where nothing is asked", () => {
  assertEquals(parse(), NO_FILTER);
});

Deno.test("parseFilter takes --failed and --not-outcome for the outcomes that they leave", () => {
  const rest = [
    "refused",
    "timeout",
    "unreachable",
    "aborted",
    "half_open",
    "dropped",
    "unanswered",
  ];
  assertEquals(parse("--failed").outcomes as unknown, rest);
  assertEquals(parse("--not-outcome", "established").outcomes as unknown, rest);
  assertEquals(parse("--failed", "--outcome", "established,refused").outcomes, ["refused"]);
  assertEquals(parse("--failed", "--not-outcome", rest.slice(1).join()).outcomes, ["refused"]);
});

Deno.test("parseFilter takes the network's round trip where no leg is named", () => {
  assertEquals(parse("--slower-than", "10ms").slowerThan, { leg: "network", ns: 10_000_000 });
  const { message } = assertThrows(() => parse("--leg", "total"), UsageError);
  assertStringIncludes(message, "Cannot use --leg without --slower-than");
});

Deno.test("parseFilter has nobody pass for a name that no user has", () => {
  assertEquals(parse("--user", "nobody-yet").uids, []);
  assertEquals(parse("--user", "nobody-yet,root").uids, [0]);
});

Deno.test("parseFilter counts a time back from now", () => {
  assertEquals(parse("--since", "1h").since, { seconds: 1_795_392_123, ns: 250_000_000 });
  assertEquals(parse("--until", "7d").until, { seconds: 1_794_790_923, ns: 250_000_000 });
  assertEquals(parse("--since", "90s", "--until", "30s").until!.seconds, 1_795_395_693);
});

Deno.test("parseFilter refuses a value that a flag cannot have", () => {
  for (
    const arg of [
      "--port=0",
      "--port=80-",
      "--port=90-80",
      "--not-port=x",
      "--server-port=65536",
      "--host=x",
      "--not-host=10.0.0.0/33",
      "--role=x",
      "--outcome=x",
      "--not-outcome=x",
      "--reason=-",
      "--slower-than=10",
      "--leg=x",
      "--pid=0",
      "--user=4294967295",
      "--cgroup=ssh.service",
      "--since=x",
      "--until=1",
    ]
  ) {
    assertThrows(() => parse(arg), UsageError, `Cannot use ${arg.split("=")[0]} "`);
  }
});
