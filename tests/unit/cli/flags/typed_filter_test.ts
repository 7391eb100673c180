import { assert, assertEquals } from "@std/assert";
import { parseTypedFilter } from "../../../../src/cli/flags/typed_filter.ts";
import { sampleHandshake } from "../../output/top/sample_top.ts";
import { CONTEXT } from "../../record/sample_handshakes.ts";

const GROUND = {
  nowMs: 1_795_395_723_000,
  uidOf: (name: string) => name === "www" ? 33 : undefined,
};

Deno.test("parseTypedFilter takes the flags of the command line and words of names", () => {
  const samples = [
    sampleHandshake({ comm: "curl", port: 443 }),
    sampleHandshake({ comm: "curl", port: 80, outcome: "refused" }),
    sampleHandshake({ comm: "nginx", port: 443, outcome: "timeout" }),
  ];
  const passing = (text: string) => {
    const parsed = parseTypedFilter(text, GROUND);
    assert("passes" in parsed, text);
    return samples.flatMap((each, at) => parsed.passes(each, CONTEXT) ? [at] : []);
  };
  const cases: [string, number[]][] = [
    ["", [0, 1, 2]],
    ["--port 443", [0, 2]],
    ["--failed", [1, 2]],
    ["curl", [0, 1]],
    ["--failed CURL", [1]],
    [":443 ngin", [2]],
    ["--user www", []],
  ];
  for (const [text, wanted] of cases) assertEquals(passing(text), wanted, text);
});

Deno.test("parseTypedFilter says what is wrong with what is not complete yet", () => {
  const cases: [string, string][] = [
    ["--por", 'Unknown flag "--por": did you mean --port?'],
    ["--port", 'Cannot use "--port" without a value: give --port PORT'],
    ["--user w", 'no user is called "w"'],
  ];
  for (const [text, fault] of cases) assertEquals(parseTypedFilter(text, GROUND), { fault }, text);
});
