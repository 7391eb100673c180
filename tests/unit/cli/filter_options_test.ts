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
  };
  assertEquals(Object.keys(args).sort(), Object.keys(FILTER_FLAG).sort());
  assertEquals(parse(...Object.entries(args).map(([name, value]) => `--${name}=${value}`)), {
    ports: [80, 443],
    networks: [{ words: Uint32Array.of(0, 0, 0xffff, 0xc0000201), bits: 128 }],
    roles: ["observer"],
    outcomes: ["refused", "timeout"],
    comms: ["curl"],
    pids: [7],
  });
});

Deno.test("parseFilter lets all pass where nothing is asked", () => {
  assertEquals(Object.values(parse()), new Array(FLAGS.length).fill(undefined));
});

Deno.test("parseFilter refuses a value that a flag cannot have", () => {
  for (const arg of ["--port=0", "--host=x", "--role=x", "--outcome=x", "--pid=0"]) {
    assertThrows(() => parse(arg), UsageError, `Cannot use ${arg.split("=")[0]}`);
  }
});
