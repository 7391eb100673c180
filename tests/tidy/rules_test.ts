// Each rule is shown to find what it forbids and to pass what it allows.
import { assertEquals } from "@std/assert";
import * as rules from "./rules.ts";
import { importsOf, stripSource } from "./source_text.ts";

type Rule = (files: rules.Files) => string[];

const WIRE = "src/wire/tcp.ts";
const HEADER = "/* Purpose Probes Fields Kernels Cost\n * Sample output */\nBEGIN {}";
const RUN =
  "#!/usr/bin/env bash\nexport CI=true\n\nexec npx -y deno@2.9.6 task --quiet ok </dev/null\n";

/** A deno.json whose tasks make the gate, but for `changes`. */
function gate(changes: Record<string, string> = {}): string {
  const commands = {
    check: "deno fmt --check && deno lint && deno check && deno doc --lint mod.ts",
    test: "deno run --quiet -A tests/run.ts",
    ok: "deno task --quiet check && deno task --quiet test",
    ...changes,
  };
  const tasks = Object.entries(commands).map(([name, command]) => [name, { command }]);
  return JSON.stringify({ tasks: Object.fromEntries(tasks) });
}

const CASES: { name: string; rule: Rule; files: Record<string, string>; findings: number }[] = [
  {
    name: "a pure folder may import itself and what it builds on",
    rule: rules.importRules,
    files: {
      [WIRE]: 'import { a } from "./a.ts";',
      "src/match/m.ts": 'import type { T } from "../wire/tcp.ts";\nimport "../kernel/k.ts";',
      "src/record/r.ts": 'import { m } from "../match/m.ts";',
      "src/cli/c.ts": 'import { parseArgs } from "@std/cli";',
    },
    findings: 0,
  },
  {
    name: "a pure folder imports neither other folders nor packages",
    rule: rules.importRules,
    files: {
      [WIRE]: 'import { a } from "../match/a.ts";\nimport "node:util";\nexport * from "@std/cli";',
      "src/kernel/k.ts": 'import type { T } from "../match/m.ts";',
      "src/match/m.ts": 'const t = await import("../record/r.ts");',
      "src/record/r.ts": 'import {\n  a,\n  b,\n} from "../linux/i.ts";',
    },
    findings: 6,
  },
  {
    name: "only the edge uses Deno.",
    rule: rules.denoOnlyAtTheEdge,
    files: {
      "src/linux/a.ts": "Deno.exit()",
      "src/main.ts": "Deno.args",
      "src/setup/setup.ts": "Deno.args",
      [WIRE]: '// Deno.args\nconst a = "Deno.args"; /* Deno.x */',
      "src/cli/b.ts":
        "const x = 1;\nDeno.args;\n`${Deno.args}`;\nglobalThis.Deno?.args;\nconst DenoX = { a: Deno };",
    },
    findings: 4,
  },
  {
    name: "folders import each other in one direction",
    rule: rules.importCycles,
    files: {
      "src/a/a.ts": 'import "../b/b.ts"; import "./c.ts"',
      "src/a/c.ts": 'import "./a.ts"',
      "src/b/b.ts": 'import "../c/c.ts"; import "../d/d.ts"',
      "src/c/c.ts": 'import "../d/d.ts"',
      "src/d/d.ts": "",
    },
    findings: 0,
  },
  {
    name: "a circle of folders",
    rule: rules.importCycles,
    files: {
      "src/a/a.ts": 'import "../b/b.ts"',
      "src/b/b.ts": 'import "../c/c.ts"',
      "src/c/c.ts": 'import type { A } from "../a/a.ts"',
    },
    findings: 1,
  },
  {
    name: "a file with a test",
    rule: rules.untestedFiles,
    files: {
      [WIRE]: "",
      "tests/unit/wire/tcp_test.ts": "",
      "src/linux/ring.ts": "",
      "tests/netns/ring_test.ts": 'import { Ring } from "../../src/linux/ring.ts";',
      "src/main.ts": "",
      "src/wire/mod.ts": "",
      "src/std/cli/parse_args.ts": "",
    },
    findings: 0,
  },
  {
    name: "a file without a test",
    rule: rules.untestedFiles,
    files: {
      [WIRE]: "",
      "src/linux/tcp.ts": "",
      "tests/unit/tcp_test.ts": 'import "../../src/linux/tcp.ts"',
    },
    findings: 2,
  },
  {
    name: "goldens with and without a test",
    rule: rules.unusedGoldens,
    files: {
      "tests/golden/a.pcap": "",
      "tests/golden/b.out.txt": "",
      "tests/golden/g_test.ts": 'read("a.pcap")',
    },
    findings: 1,
  },
  {
    name: "a document names files as from src, from tests, from its folder or in full",
    rule: rules.documentPaths,
    files: {
      "src/README.md": "`wire/a.ts`, `unit/a_test.ts`, `src/wire/a.ts`, [room](wire/README.md)",
      "src/wire/README.md": "[map](../README.md#places), [site](https://example.org/x.md)",
      "src/wire/a.ts": "",
      "tests/unit/a_test.ts": "",
    },
    findings: 0,
  },
  {
    name: "a document names and links to what is not there",
    rule: rules.documentPaths,
    files: { "README.md": "`src/a.ts`, [b](b.md), [c](src/c)" },
    findings: 3,
  },
  {
    name: "a script with its header",
    rule: rules.scriptHeaders,
    files: { "bpf/a.bt": HEADER },
    findings: 0,
  },
  {
    name: "a script with its header in line comments",
    rule: rules.scriptHeaders,
    files: {
      "bpf/a.bt":
        "#!/usr/bin/env bpftrace\n// Purpose: x\n// Probes, record, kernels\n// Cost. Sample output:\n",
    },
    findings: 0,
  },
  {
    name: "a script whose header lacks something, or comes late",
    rule: rules.scriptHeaders,
    files: { "bpf/a.bt": HEADER.replace("Cost", ""), "bpf/b.bt": `BEGIN {}\n${HEADER}` },
    findings: 2,
  },
  {
    name: "long and short files",
    rule: rules.longFiles,
    files: {
      [WIRE]: "x\n".repeat(rules.MAX_LINES),
      "src/wire/long.ts": "x\n".repeat(rules.MAX_LINES + 1),
      "tests/a_test.ts": "x\n".repeat(rules.MAX_TEST_LINES),
      "tests/long_test.ts": "x\n".repeat(rules.MAX_TEST_LINES + 1),
    },
    findings: 2,
  },
  {
    name: "a start that loads too much, types and what nobody imports aside",
    rule: rules.startOfRead,
    files: {
      "src/main.ts": 'import "./cli/read.ts";',
      "src/cli/read.ts": 'import type { A } from "../wire/a.ts";\n' +
        Array.from(
          { length: rules.MAX_MODULES_OF_READ - 1 },
          (_, at) => `export * from "./${at}.ts";`,
        )
          .join("\n"),
      ...Object.fromEntries(
        Array.from({ length: rules.MAX_MODULES_OF_READ - 1 }, (_, at) => [`src/cli/${at}.ts`, ""]),
      ),
      "src/wire/a.ts": "",
      "src/cli/other.ts": "",
    },
    findings: 1,
  },
  {
    name: "tasks of the tool",
    rule: rules.toolTasks,
    files: {
      "deno.json": JSON.stringify({
        tasks: {
          trace: { command: "deno run src/main.ts trace", dependencies: ["setup"] },
          read: { command: "DENO_NO_UPDATE_CHECK=1 deno run src/main.ts read" },
          check: { command: "deno lint", dependencies: ["setup"] },
        },
      }),
    },
    findings: 2,
  },
  {
    name: "the top of a repository",
    rule: rules.topLevel,
    files: { "README.md": "", ".ci/run": "", "src/main.ts": "", "docs/a.md": "", "notes.txt": "" },
    findings: 2,
  },
  {
    name: "a changelog that tells of the version",
    rule: rules.changelog,
    files: {
      "deno.json": '{"version":"0.1.0"}',
      "CHANGELOG.md": "# Changelog\n\n## [Unreleased]\n\n## [0.1.0] - 2026-11-23\n",
    },
    findings: 0,
  },
  {
    name: "a changelog that is behind",
    rule: rules.changelog,
    files: { "deno.json": '{"version":"0.2.0"}', "CHANGELOG.md": "## [0.1.0] - 2026-11-23\n" },
    findings: 2,
  },
  {
    name: "a stand-in of which a part is used",
    rule: rules.unusedStandIns,
    files: {
      "src/std/cli/a.ts": "export function used() {}\nexport class Lone {}\nexport type T = 1;",
      "tests/unit/std/cli/a_test.ts": 'import { Lone } from "@std/cli";',
      "src/cli/c.ts": 'import { used } from "@std/cli";',
    },
    findings: 1,
  },
  {
    name: "a gate that runs all there is",
    rule: rules.oneGate,
    files: { "deno.json": gate(), ".ci/run": RUN },
    findings: 0,
  },
  {
    name: "a gate that leaves something out",
    rule: rules.oneGate,
    files: {
      "deno.json": gate({ ok: "deno task check", check: "deno fmt --check && deno lint" }),
      ".ci/run": RUN,
    },
    findings: 3,
  },
  {
    name: "a second gate",
    rule: rules.oneGate,
    files: { "deno.json": gate(), ".ci/run": `${RUN}npx -y deno@2.9.6 task test\n` },
    findings: 1,
  },
  {
    name: "paths of one machine",
    rule: rules.machinePaths,
    files: {
      "a.md": ["", "work", "x"].join("/"),
      "b.md": `see ${["", "home", "me"].join("/")} and\n${["", "tmp", "my-spike.ts"].join("/")}`,
      "c.md": "https://example.org/" + ["work", "x"].join("/") + " and /usr/lib, net" + "work/x",
    },
    findings: 3,
  },
];

for (const { name, rule, files, findings } of CASES) {
  Deno.test(`${rule.name} judges ${name}`, () => {
    const found = rule(new Map(Object.entries(files)));
    assertEquals(found.length, findings, found.join("\n"));
  });
}

Deno.test("stripSource blanks out comments, strings, templates and regular expressions", () => {
  const cases = [
    { input: "a // b\nc", code: "a     \nc" },
    { input: "a /* b\n */ c", code: "a     \n    c" },
    { input: 'f("a\\"//b") // x', code: 'f("      ")     ' },
    { input: "f('/*') + g", code: "f('  ') + g" },
    { input: "`a${b + `c${d}` + {e: 1}.e}f` + g", code: "` ${b + ` ${d}` + {e: 1}.e} ` + g" },
    { input: "`a$b\\`c` + d", code: "`      ` + d" },
    { input: "x = /[/\"]'/g; y", code: "x =         ; y" },
    { input: "a / b / c", code: "a / b / c" },
    { input: "`open ${", code: "`     ${" },
    { input: "/* open", code: "       " },
  ];
  for (const { input, code } of cases) assertEquals(stripSource(input).code, code, input);
});

Deno.test("importsOf finds imports and re-exports, and none in comments or strings", () => {
  const text = `
import a from "./a.ts";
import type { B } from "./b.ts";
import {
  c, // from "./no.ts"
  d as e,
} from "./c.ts";
import "./d.ts";
export * from "./e.ts";
export type { F } from "./f.ts";
const g = await import("./g.ts");
/** import "./no.ts" */
const h = 'import x from "./no.ts"';
export const from = "./no.ts";
`;
  const types = 'import type { A } from "./a.ts"; let b: typeof import("./b.ts");';
  assertEquals(importsOf(types, { types: false }), []);
  assertEquals(importsOf(text), ["a", "b", "c", "d", "e", "f", "g"].map((name) => `./${name}.ts`));
});
