import { assertEquals, assertThrows } from "@std/assert";
import { parseQueryOptions, QUERY_FLAGS } from "../../../../src/cli/flags/query_options.ts";
import { UsageError } from "../../../../src/cli/usage.ts";
import { QUESTIONS } from "../../../../src/store/query/questions.ts";

function parse(args: string) {
  return parseQueryOptions(args.split(" ").filter((arg) => arg !== ""));
}

Deno.test("parseQueryOptions takes the last word for the question, the others for what is asked", () => {
  const { inputs, question, ask, format, memoryBytes } = parse("a b servers --json --memory 1G");
  assertEquals([inputs, question, format, memoryBytes], [
    ["a", "b"],
    QUESTIONS.servers,
    "json",
    1e9,
  ]);
  assertEquals(ask, { by: undefined, bucketSeconds: 60, limit: 20 });
});

Deno.test("parseQueryOptions reads keys, spans and rows", () => {
  const { ask } = parse("a over-time --by role,server-port --bucket 5m");
  assertEquals(ask, { by: ["role", "server-port"], bucketSeconds: 300, limit: 1_440 });
  assertEquals(parse("a slow --limit 3").ask.limit, 3);
  // Spans are whole seconds.
  assertEquals(parse("a over-time --bucket 100ms").ask.bucketSeconds, 1);
});

Deno.test("parseQueryOptions takes SQL instead of a question", () => {
  const { inputs, question } = parse("a b --sql SELECT");
  assertEquals([inputs, question], [["a", "b"], { sql: "SELECT" }]);
});

const BAD: [args: string, says: string][] = [
  ["", "Cannot ask nothing: give a store or FILEs, and a question: servers, clients"],
  ["--sql x", "Cannot ask nothing: give a store or FILEs"],
  ["servers", "Cannot ask servers of nothing: give a store or FILEs before it"],
  ["a server", 'Cannot ask "server": did you mean servers?'],
  ["a b", 'Cannot ask "b": ask servers, clients'],
  ["r.ndjson", 'Cannot ask nothing of "r.ndjson": give a question behind it: servers, clients'],
  ["folder", 'Cannot ask nothing of "folder": give a question behind it: servers, clients'],
  ["serverz", 'Cannot ask "serverz": did you mean servers?'],
  ["one.ndjson /two", 'Cannot ask nothing of "/two": give a question behind it: servers'],
  ["a constructor", 'Cannot ask "constructor": ask servers'],
  ["a slow --by host", "Cannot use --by with this question"],
  ["a servers --bucket 5m", "Cannot use --bucket with this question"],
  ["a --sql x --limit 5", "Cannot use --limit with --sql: say it in SQL"],
  ["a servers --by hots", 'Cannot use --by "hots": did you mean host?'],
  ["a servers --limit 0", 'Cannot use --limit "0": give a whole number'],
  ["a servers --json --csv", "Cannot use --json with --csv: give one"],
  ["a servers --memory 64M", 'Cannot use --memory "64M": give at least 350M'],
  ["a servers --port 80 --not-port 80", "--port"],
];

for (const [args, says] of BAD) {
  Deno.test(`parseQueryOptions refuses "${args}"`, () => {
    assertThrows(() => parse(args), UsageError, says);
  });
}

Deno.test("parseQueryOptions asks for nothing where it is to help", () => {
  assertEquals(parse("--help").help, true);
  assertEquals(QUERY_FLAGS.some(({ name }) => name === "since"), true);
});
