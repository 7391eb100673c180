import { assertEquals, assertThrows } from "@std/assert";
import { FILTER_FLAG, parseFilter } from "../../../src/cli/filter_options.ts";
import { parseFlags } from "../../../src/cli/flags.ts";
import { UsageError } from "../../../src/cli/usage.ts";

const FLAGS = Object.values(FILTER_FLAG);

function parse(...args: string[]) {
  return parseFilter(parseFlags(args, FLAGS));
}

Deno.test("parseFilter reads every flag of FILTER_FLAG", () => {
  const args = {
    port: "80,443",
    host: "192.0.2.1",
    role: "observer",
    outcome: "refused,timeout",
    comm: "curl",
    pid: "7",
    since: "2026-11-23T01:02:03Z",
    until: "2026-11-23t02:02:03.5+01:00",
    "traced-on": "web1,web2",
  };
  assertEquals(Object.keys(args).sort(), FLAGS.map(({ name }) => name).sort());
  assertEquals(parse(...Object.entries(args).map(([name, value]) => `--${name}=${value}`)), {
    ports: [80, 443],
    networks: [{ words: Uint32Array.of(0, 0, 0xffff, 0xc0000201), bits: 128 }],
    roles: ["observer"],
    outcomes: ["refused", "timeout"],
    comms: ["curl"],
    pids: [7],
    since: { seconds: 1_795_395_723, ns: 0 },
    until: { seconds: 1_795_395_723, ns: 500_000_000 },
    tracedOn: ["web1", "web2"],
  });
});

Deno.test("parseFilter lets all pass where nothing is asked", () => {
  assertEquals(Object.values(parse()), new Array(FLAGS.length).fill(undefined));
});

Deno.test("parseFilter counts a time back from now", () => {
  const nowMs = 1_795_395_723_250;
  const of = (...args: string[]) => parseFilter(parseFlags(args, FLAGS), nowMs);
  assertEquals(of("--since", "1h").since, { seconds: 1_795_392_123, ns: 250_000_000 });
  assertEquals(of("--until", "7d").until, { seconds: 1_794_790_923, ns: 250_000_000 });
  assertEquals(of("--since", "90s", "--until", "30s").until!.seconds, 1_795_395_693);
});

Deno.test("parseFilter refuses a span that nothing can be in", () => {
  for (
    const [since, until] of [
      ["1h", "2h"],
      ["1h", "1h"],
      ["2026-11-23T01:02:03Z", "2026-11-23T01:02:03Z"],
      ["2026-11-23T01:02:03.2Z", "2026-11-23T01:02:03.1Z"],
    ]
  ) {
    assertThrows(
      () => parse("--since", since, "--until", until),
      UsageError,
      `Cannot use --since "${since}" with --until "${until}"`,
    );
  }
});

Deno.test("parseFilter refuses a value that a flag cannot have", () => {
  for (
    const arg of [
      "--port=0",
      "--host=x",
      "--role=x",
      "--outcome=x",
      "--pid=0",
      "--since=x",
      "--until=1",
    ]
  ) {
    assertThrows(() => parse(arg), UsageError, `Cannot use ${arg.split("=")[0]}`);
  }
});
