// What the published parseArgs does, as far as it is used here: the table holds for it, too.
import { assertEquals } from "@std/assert";
import { parseArgs } from "@std/cli";

const CASES: {
  name: string;
  args: string[];
  options?: { boolean?: string[]; string?: string[]; collect?: string[] };
  expected: unknown;
}[] = [
  { name: "nothing", args: [], expected: { _: [] } },
  { name: "--name", args: ["--x"], expected: { _: [], x: true } },
  { name: "--name=value", args: ["--x=1", "--y=a=b"], expected: { _: [], x: 1, y: "a=b" } },
  { name: "--name value", args: ["--x", "a", "b"], expected: { _: ["b"], x: "a" } },
  { name: "--name=", args: ["--x="], expected: { _: [], "x=": true } },
  {
    name: "an option after an option",
    args: ["--x", "--y"],
    expected: { _: [], x: true, y: true },
  },
  {
    name: "an option after a string option",
    args: ["--x", "--y"],
    options: { string: ["x"] },
    expected: { _: [], x: "", y: true },
  },
  {
    name: "a lone - after a string option",
    args: ["--x", "-"],
    options: { string: ["x", "_"] },
    expected: { _: ["-"], x: "" },
  },
  {
    name: "an empty text after a string option",
    args: ["--x", ""],
    options: { string: ["x"] },
    expected: { _: [""], x: "" },
  },
  { name: "a lone - after =", args: ["--x=-"], expected: { _: [], x: "-" } },
  {
    name: "numbers",
    args: ["--a", "5.67", "--b", "1e7", "--c", "10f", "--hex", "0xff", "--neg=-3", "789"],
    expected: { _: [789], a: 5.67, b: 1e7, c: "10f", hex: 255, neg: -3 },
  },
  {
    name: "numbers of string options as strings",
    args: ["--s", "0012", "007"],
    options: { string: ["s", "_"] },
    expected: { _: ["007"], s: "0012" },
  },
  { name: "a lone -", args: ["-"], expected: { _: ["-"] } },
  {
    name: "what follows --",
    args: ["--a", "--", "--b", "1"],
    expected: { _: ["--b", "1"], a: true },
  },
  {
    name: "booleans",
    args: ["--x", "one", "--verbose", "two"],
    options: { boolean: ["x", "y", "verbose"] },
    expected: { _: ["one", "two"], x: true, y: false, verbose: true },
  },
  {
    name: "true and false after booleans",
    args: ["--a", "false", "--b", "true", "--c=false", "--d=true", "--e=1"],
    options: { boolean: ["a", "b", "c", "d", "e"] },
    expected: { _: [], a: false, b: true, c: false, d: true, e: true },
  },
  { name: "a repeated option", args: ["--v", "a", "--v", "b"], expected: { _: [], v: "b" } },
  {
    name: "collected options",
    args: ["--s", "a", "--s=2", "--u", "1", "--u=b"],
    options: { string: ["s", "none"], collect: ["s", "u", "none", "absent"] },
    expected: { _: [], s: ["a", "2"], u: [1, "b"], none: [] },
  },
  {
    name: "--no-name as an option of that name, but with a value as --name",
    args: ["--no-a", "--no-b=1"],
    options: { boolean: ["a"] },
    expected: { _: [], a: false, "no-a": true, b: 1 },
  },
  {
    name: "line breaks in values",
    args: ["--s=X\nX", "--t", "Y\nY"],
    expected: { _: [], s: "X\nX", t: "Y\nY" },
  },
  {
    name: "names of built-in properties",
    args: ["--toString", "--valueOf", "x", "--constructor=1"],
    expected: { _: [], toString: true, valueOf: "x", constructor: 1 },
  },
];

for (const { name, args, options, expected } of CASES) {
  Deno.test(`parseArgs takes ${name}`, () => {
    assertEquals<unknown>(parseArgs(args, options), expected);
  });
}

Deno.test("parseArgs hands to unknown what nothing declares", () => {
  const seen: unknown[][] = [];
  const result = parseArgs(
    ["--q", "--derp", "b", "bare", "--port=1", "--empty=", "-x", "--no-q", "--no-x=1", "-", "--"],
    {
      string: ["port"],
      boolean: ["q"],
      unknown: (arg, key) => {
        seen.push(key === undefined ? [arg] : [arg, key]);
        return false;
      },
    },
  );
  assertEquals(seen, [
    ["--derp", "derp"],
    ["bare"],
    ["--empty=", "empty="],
    ["-x", "x"],
    ["--no-q", "no-q"],
    ["--no-x=1", "x"],
    ["-"],
  ]);
  assertEquals<unknown>(result, { _: [], port: "1", q: true });
});

Deno.test("parseArgs keeps what unknown does not refuse", () => {
  assertEquals<unknown>(parseArgs(["--x=1", "y"], { unknown: () => undefined }), {
    _: ["y"],
    x: 1,
  });
});

Deno.test("parseArgs gives declared options their types", () => {
  const args = parseArgs(["--json", "--port", "1", "--host", "a"], {
    boolean: ["json"],
    string: ["port", "host"],
    collect: ["host"],
  });
  // Each line compiles only when the static type is this one.
  const json: boolean = args.json;
  const port: string | undefined = args.port;
  const host: string[] = args.host;
  // @ts-expect-error a string option may be absent
  const certain: string = args.port;
  assertEquals({ json, port, host, certain }, {
    json: true,
    port: "1",
    host: ["a"],
    certain: "1",
  });
});
