import { assertEquals } from "@std/assert";
import { parseArgs, type ParseOptions } from "@std/cli";

const CASES: { name: string; args: string[]; options?: ParseOptions; expected: unknown }[] = [
  { name: "nothing", args: [], expected: { _: [] } },
  { name: "--name", args: ["--x"], expected: { _: [], x: true } },
  { name: "--name=value", args: ["--x=1", "--y=a=b"], expected: { _: [], x: 1, y: "a=b" } },
  { name: "--name value", args: ["--x", "a", "b"], expected: { _: ["b"], x: "a" } },
  {
    name: "a flag after a flag",
    args: ["--x", "--y"],
    expected: { _: [], x: true, y: true },
  },
  {
    name: "a flag after a string option as a flag",
    args: ["--x", "--y"],
    options: { string: "x" },
    expected: { _: [], x: "", y: true },
  },
  {
    name: "numbers",
    args: ["-a", "5.67", "-b", "1e7", "-c", "10f", "--hex", "0xff", "--neg=-3", "789"],
    expected: { _: [789], a: 5.67, b: 1e7, c: "10f", hex: 255, neg: -3 },
  },
  {
    name: "numbers of string options as strings",
    args: ["--s", "0012", "007"],
    options: { string: ["s", "_"] },
    expected: { _: ["007"], s: "0012" },
  },
  { name: "-abc", args: ["-abc"], expected: { _: [], a: true, b: true, c: true } },
  {
    name: "-abc value",
    args: ["-ab", "-cd", "v"],
    expected: { _: [], a: true, b: true, c: true, d: "v" },
  },
  { name: "-n5", args: ["-n5", "-m-7"], expected: { _: [], n: 5, m: -7 } },
  { name: "-n=5", args: ["-n=5", "-f=a=b", "-e=="], expected: { _: [], n: 5, f: "a=b", e: "=" } },
  { name: "digits as letters", args: ["-123", "4"], expected: { _: [], 1: true, 2: true, 3: 4 } },
  { name: "-I/path", args: ["-I/a/b", "-xz/c"], expected: { _: [], I: "/a/b", x: true, z: "/c" } },
  {
    name: "string letters",
    args: ["-art"],
    options: { string: ["a", "t"] },
    expected: { _: [], a: "", r: true, t: "" },
  },
  { name: "a lone -", args: ["-"], expected: { _: ["-"] } },
  { name: "a lone - as the value of a letter", args: ["-n", "-"], expected: { _: [], n: "-" } },
  { name: "-f-", args: ["-f-"], expected: { _: [], f: "-" } },
  {
    name: "a lone - after a boolean letter",
    args: ["-b", "-"],
    options: { boolean: "b" },
    expected: { _: ["-"], b: true },
  },
  {
    name: "a lone - after =",
    args: ["--out=-"],
    options: { string: "out" },
    expected: { _: [], out: "-" },
  },
  { name: "--", args: ["--a", "--", "--b", "1"], expected: { _: ["--b", "1"], a: true } },
  {
    name: "-- into its own list",
    args: ["--name", "J", "before", "--", "after", "--"],
    options: { "--": true },
    expected: { _: ["before"], name: "J", "--": ["after", "--"] },
  },
  {
    name: "no -- into an empty list",
    args: ["a"],
    options: { "--": true },
    expected: { _: ["a"], "--": [] },
  },
  {
    name: "booleans",
    args: ["-x", "one", "--verbose", "two"],
    options: { boolean: ["x", "y", "verbose"] },
    expected: { _: ["one", "two"], x: true, y: false, verbose: true },
  },
  {
    name: "booleans with true and false",
    args: ["--a", "false", "-b", "true", "--c=false", "--d=true"],
    options: { boolean: ["a", "b", "c", "d"], default: { a: true } },
    expected: { _: [], a: false, b: true, c: false, d: true },
  },
  {
    name: "all as booleans",
    args: ["a", "--honk", "b", "-p", "55", "--t=good"],
    options: { boolean: true },
    expected: { _: ["a", "b"], honk: true, p: 55, t: "good" },
  },
  {
    name: "repeated options, the last counts",
    args: ["-v", "a", "-v", "b"],
    expected: { _: [], v: "b" },
  },
  {
    name: "collected options",
    args: ["--s", "a", "--s=2", "--b", "--b", "--u", "1"],
    options: { string: ["s", "none"], boolean: ["b", "c"], collect: ["s", "b", "c", "u", "none"] },
    expected: { _: [], s: ["a", "2"], b: [true, true], c: [], u: [1], none: [] },
  },
  {
    name: "collected defaults",
    args: [],
    options: { string: "s", collect: "s", default: { s: ["a"] } },
    expected: { _: [], s: ["a"] },
  },
  {
    name: "negation",
    args: ["--no-a", "--no-b", "--c", "--no-c", "--no-d", "--d"],
    options: { boolean: ["a", "c", "d"], negatable: ["a", "c", "d"] },
    expected: { _: [], a: false, "no-b": true, c: false, d: true },
  },
  {
    name: "negation of a collected option",
    args: ["--foo", "1", "-f", "2", "--no-foo"],
    options: { string: "foo", collect: "foo", negatable: "foo", alias: { foo: "f" } },
    expected: { _: [], foo: false, f: false },
  },
  {
    name: "aliases",
    args: ["-p", "0443", "--verbose"],
    options: { string: "port", boolean: "v", alias: { port: "p", v: ["verbose", "loud"] } },
    expected: { _: [], port: "0443", p: "0443", v: true, verbose: true, loud: true },
  },
  {
    name: "aliases of absent options",
    args: [],
    options: {
      boolean: ["bar"],
      string: ["foo"],
      alias: { bar: "b", size: "s" },
      default: { size: 3 },
    },
    expected: { _: [], bar: false, b: false, size: 3, s: 3 },
  },
  {
    name: "defaults",
    args: ["--b", "2"],
    options: { default: { a: 1, b: 1, c: null } },
    expected: { _: [], a: 1, b: 2, c: null },
  },
  {
    name: "stopEarly",
    args: ["--a", "b", "c", "--d", "--", "e"],
    options: { stopEarly: true },
    expected: { _: ["c", "--d", "e"], a: "b" },
  },
  {
    name: "line breaks in values",
    args: ["--s=X\nX", "-t", "Y\nY"],
    expected: { _: [], s: "X\nX", t: "Y\nY" },
  },
  {
    name: "names of built-in properties",
    args: ["--toString", "--valueOf", "x", "--constructor=1"],
    options: { collect: "constructor" },
    expected: { _: [], toString: true, valueOf: "x", constructor: [1] },
  },
];

for (const { name, args, options, expected } of CASES) {
  Deno.test(`parseArgs takes ${name}`, () => {
    assertEquals<unknown>(parseArgs(args, options), expected);
  });
}

Deno.test("parseArgs hands to unknown what nothing declares", () => {
  const seen: unknown[][] = [];
  const result = parseArgs(["-h", "a", "--derp", "b", "bare", "--port=1", "-q", "--empty="], {
    string: ["h", "port"],
    boolean: ["q"],
    alias: { h: "help" },
    unknown: (...found) => {
      seen.push(found);
      return false;
    },
  });
  assertEquals(seen, [["--derp", "derp", "b"], ["bare"], ["--empty=", "empty=", true]]);
  assertEquals<unknown>(result, { _: [], h: "a", help: "a", port: "1", q: true });
});

Deno.test("parseArgs keeps what unknown does not refuse", () => {
  assertEquals<unknown>(parseArgs(["--x=1", "y"], { unknown: () => undefined }), {
    _: ["y"],
    x: 1,
  });
});

Deno.test("parseArgs gives declared options their types", () => {
  const args = parseArgs(["--json", "--port", "1", "--host", "a"], {
    boolean: ["json", "color"],
    string: ["port", "host", "name"],
    collect: ["host"],
    negatable: ["color"],
    default: { color: true, name: "n" },
    "--": true,
  });
  // Each line compiles only when the static type is this one.
  const json: boolean = args.json;
  const color: boolean = args.color;
  const port: string | undefined = args.port;
  const name: string = args.name;
  const host: string[] = args.host;
  const rest: string[] = args["--"];
  // @ts-expect-error a string option may be absent
  const certain: string = args.port;
  assertEquals({ json, color, port, name, host, rest, certain }, {
    json: true,
    color: true,
    port: "1",
    name: "n",
    host: ["a"],
    rest: [],
    certain: "1",
  });
});
