import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { askNearest, nearestWords } from "../../../../src/cli/flags/nearest.ts";
import { READ_FLAGS } from "../../../../src/cli/flags/read_options.ts";
import { TRACE_FLAGS } from "../../../../src/cli/flags/trace_options.ts";
import { OUTCOMES } from "../../../../src/match/handshake.ts";

const FLAGS = TRACE_FLAGS.map(({ name }) => name);

const CASES: { text: string; words: readonly string[]; expected: string[] }[] = [
  { text: "prot", words: FLAGS, expected: ["port"] },
  { text: "por", words: FLAGS, expected: ["port"] },
  { text: "ports", words: FLAGS, expected: ["port"] },
  { text: "PORT", words: FLAGS, expected: ["port"] },
  { text: "ouptut", words: FLAGS, expected: ["output"] },
  { text: "interfce", words: FLAGS, expected: ["interface"] },
  { text: "interfaces", words: FLAGS, expected: ["interface"] },
  { text: "packetfilter", words: FLAGS, expected: ["packet-filter"] },
  { text: "rotate_size", words: FLAGS, expected: ["rotate-size"] },
  { text: "rotate", words: FLAGS, expected: ["rotate-size", "rotate-keep"] },
  { text: "out", words: FLAGS, expected: ["outcome", "output"] },
  { text: "h", words: FLAGS, expected: ["host", "help"] },
  { text: "p", words: FLAGS, expected: [] },
  { text: "x", words: FLAGS, expected: [] },
  { text: "nope", words: FLAGS, expected: [] },
  { text: "verbose", words: FLAGS, expected: [] },
  { text: "dst", words: FLAGS, expected: [] },
  { text: "", words: FLAGS, expected: [] },
  { text: "port".repeat(9), words: FLAGS, expected: [] },
  { text: "refuse", words: OUTCOMES, expected: ["refused"] },
  { text: "half-open", words: OUTCOMES, expected: ["half_open"] },
  { text: "un", words: OUTCOMES, expected: ["unreachable", "unanswered"] },
  { text: "time out", words: OUTCOMES, expected: ["timeout"] },
  { text: "ok", words: OUTCOMES, expected: [] },
  { text: "trce", words: ["trace", "read"], expected: ["trace"] },
  { text: "a", words: [], expected: [] },
];

for (const { text, words, expected } of CASES) {
  Deno.test(`nearestWords of ${JSON.stringify(text)} among ${words.slice(0, 3)} …`, () => {
    assertEquals(nearestWords(text, words).toSorted(), expected.toSorted());
  });
}

Deno.test("nearestWords finds a flag again behind any slip of one letter", () => {
  const names = READ_FLAGS.map(({ name }) => name).filter((name) => name.length > 3);
  const slip = fc.record({
    name: fc.constantFrom(...names),
    at: fc.nat(),
    kind: fc.constantFrom("add", "leave out", "replace", "swap"),
  });
  fc.assert(fc.property(slip, ({ name, at, kind }) => {
    const place = at % (name.length - 1);
    const [begin, end] = [name.slice(0, place), name.slice(place)];
    const typed = {
      add: `${begin}#${end}`,
      "leave out": begin + end.slice(1),
      replace: `${begin}#${end.slice(1)}`,
      swap: begin + end[1] + end[0] + end.slice(2),
    }[kind]!;
    // One letter makes another flag of some, or its start: `--colour` and `--color`, `--user` and
    // `--server-port`.
    fc.pre(!names.some((other) => other.startsWith(typed)));
    assert(nearestWords(typed, names).includes(name), `${typed} for ${name}`);
  }));
});

Deno.test("nearestWords takes any text", () => {
  fc.assert(fc.property(fc.string(), (text) => {
    const near = nearestWords(text, FLAGS);
    assert(near.length <= 3);
    for (const word of near) assert(FLAGS.includes(word));
  }));
});

Deno.test("askNearest asks for one word or several, or for none", () => {
  assertEquals(askNearest("prot", FLAGS, "--"), "did you mean --port?");
  assertEquals(askNearest("un", OUTCOMES), "did you mean unreachable or unanswered?");
  assertEquals(askNearest("a", ["ab", "ac", "ad"]), "did you mean ab, ac or ad?");
  assertEquals(askNearest("verbose", FLAGS, "--"), undefined);
});
