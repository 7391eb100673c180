/**
 * The rules of the house, as pure functions: each takes files by their path in the repository and
 * returns its findings, one line each, none where the rule holds.
 */
import { dirname, join } from "node:path/posix";
import { importsOf, stripSource } from "./source_text.ts";

/** The text of files by their path from the root of the repository, such as `src/main.ts`. */
export type Files = ReadonlyMap<string, string>;

/**
 * The rooms that may import only these rooms, themselves included, and these packages: what knows the
 * host is not known to what decides, and neither knows how it is shown.
 */
const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  "src/text": ["src/text"],
  "src/wire": ["src/wire"],
  "src/pcap": ["src/text", "src/wire", "src/pcap"],
  "src/kernel": ["src/wire", "src/kernel"],
  "src/match": ["src/wire", "src/kernel", "src/match"],
  "src/record": ["src/text", "src/wire", "src/kernel", "src/match", "src/record"],
  "src/linux": [
    "bpf/handshake_filter.json",
    "@std/streams",
    "node:process",
    "src/text",
    "src/wire",
    "src/pcap",
    "src/kernel",
    "src/match",
    "src/linux",
  ],
  "src/files": [
    "node:fs",
    "node:stream",
    "node:zlib",
    "src/text",
    "src/pcap",
    "src/linux",
    "src/files",
  ],
  "src/store": [
    "@duckdb/node-api",
    "node:buffer",
    "node:fs",
    "node:stream/promises",
    "node:zlib",
    "src/text",
    "src/wire",
    "src/match",
    "src/record",
    "src/files",
    "src/pipeline",
    "src/output",
    "src/store",
  ],
  // It is given pages and bodies, and knows no view.
  "src/http": ["src/text", "src/wire", "src/linux", "src/files", "src/http"],
  "src/pipeline": [
    "src/text",
    "src/wire",
    "src/pcap",
    "src/kernel",
    "src/match",
    "src/record",
    "src/linux",
    "src/setup",
    "src/pipeline",
  ],
  "src/anonymize": [
    "node:crypto",
    "src/text",
    "src/wire",
    "src/kernel",
    "src/match",
    "src/record",
    "src/pipeline",
    "src/anonymize",
  ],
  "src/output": [
    "src/text",
    "src/wire",
    "src/pcap",
    "src/match",
    "src/record",
    "src/files",
    "src/pipeline",
    "src/explain",
    "src/output",
  ],
  "src/explain": ["src/text", "src/wire", "src/pcap", "src/match", "src/pipeline", "src/explain"],
};

/** Where `Deno` may be used: what touches the host, files, the network, the terminal and the process. */
const EDGE = /^src\/(?:linux|files|http|store|setup|install|cli\/process)\/|^src\/main\.ts$/;

/** The most lines a file under src may have, and one under tests. */
export const MAX_LINES = 500;
export const MAX_TEST_LINES = 800;

/** The most modules that a start of `read` may load. */
export const MAX_MODULES_OF_READ = 145;

/** What the comment that opens a bpftrace script names. */
const SCRIPT_HEADINGS = [
  /\bpurpose\b/i,
  /\bprobes?\b/i,
  /\b(?:record|fields?)\b/i,
  /\bkernels?\b/i,
  /\bcost\b/i,
  /\bsample output\b/i,
];

// The brackets keep these lines from finding themselves.
const FORBIDDEN_WORDS = [
  /(?<![\w.])\/[w]ork\//,
  /(?<![\w.])\/[f]arm\//,
  /(?<![\w.])\/[h]ome\/\w+/,
  /(?<![\w.])\/[r]oot\/\.?\w+/,
  /\/[t]mp\/\S*spike/,
  /\.\.\/[s]hared\/(?:design|facts|style|corpus|lab)/,
];

function isTypeScript(path: string): boolean {
  return path.endsWith(".ts");
}

function sources(files: Files): [path: string, text: string][] {
  return [...files].filter(([path]) => path.startsWith("src/") && isTypeScript(path));
}

/** The path of an imported file, or undefined for an import from a package. */
function resolve(from: string, specifier: string): string | undefined {
  return specifier.startsWith(".") ? join(dirname(from), specifier) : undefined;
}

/** The folder under src a path is in; for a file directly in src, the file. */
function room(path: string): string {
  return path.split("/").slice(0, 2).join("/");
}

/** Finds imports that leave the folders a pure folder may import. */
export function importRules(files: Files): string[] {
  const findings: string[] = [];
  for (const [path, text] of sources(files)) {
    const allowed = MAY_IMPORT[room(path)];
    if (allowed === undefined) continue;
    for (const specifier of importsOf(text)) {
      const target = resolve(path, specifier);
      if (allowed.includes(target === undefined ? specifier : room(target))) continue;
      findings.push(`${path} imports "${specifier}", but may import only ${allowed.join(", ")}`);
    }
  }
  return findings;
}

/**
 * Finds whether a start of `read` loads too much: each module is 0.1 ms of it, and most captures are
 * short. What a capture alone does not need is loaded where it is needed.
 */
export function startOfRead(files: Files): string[] {
  const loaded = new Set<string>();
  const load = (path: string) => {
    const text = files.get(path);
    if (text === undefined || loaded.has(path)) return;
    loaded.add(path);
    for (const specifier of importsOf(text, { types: false })) {
      const target = resolve(path, specifier);
      if (target !== undefined) load(target);
    }
  };
  for (const path of ["src/main.ts", "src/cli/read.ts"]) load(path);
  return loaded.size <= MAX_MODULES_OF_READ
    ? []
    : [`a start of read loads ${loaded.size} modules, more than ${MAX_MODULES_OF_READ}`];
}

/** Finds uses of `Deno` outside the edge. */
export function denoOnlyAtTheEdge(files: Files): string[] {
  const findings: string[] = [];
  for (const [path, text] of sources(files)) {
    if (EDGE.test(path)) continue;
    for (const [index, line] of stripSource(text).code.split("\n").entries()) {
      if (/\bDeno\b/.test(line)) findings.push(`${path}:${index + 1} uses "Deno"`);
    }
  }
  return findings;
}

/** Finds folders under src that import each other in a circle. */
export function importCycles(files: Files): string[] {
  const edges = new Map<string, Set<string>>();
  for (const [path, text] of sources(files)) {
    const from = room(path);
    const targets = edges.get(from) ?? new Set();
    edges.set(from, targets);
    for (const specifier of importsOf(text)) {
      const target = resolve(path, specifier);
      if (target?.startsWith("src/") && room(target) !== from) targets.add(room(target));
    }
  }
  const findings = new Set<string>();
  const done = new Set<string>();
  const visit = (node: string, trail: string[]) => {
    const start = trail.indexOf(node);
    if (start !== -1) {
      findings.add(`folders import each other: ${[...trail.slice(start), node].join(" -> ")}`);
      return;
    }
    if (done.has(node)) return;
    for (const next of edges.get(node) ?? []) visit(next, [...trail, node]);
    done.add(node);
  };
  for (const node of edges.keys()) visit(node, []);
  return [...findings];
}

/**
 * Finds files under src that no test mirrors in tests/unit and no test in tests/netns or tests/capture
 * imports, or says it covers: one that runs the tool as a process imports nothing of it.
 */
export function untestedFiles(files: Files): string[] {
  const imported = new Set<string>();
  for (const [path, text] of files) {
    if (!/^tests\/(?:netns|capture)\//.test(path) || !isTypeScript(path)) continue;
    for (const specifier of importsOf(text)) imported.add(resolve(path, specifier) ?? specifier);
    for (const [, covered] of text.matchAll(/^\/\/ Covers (src\/\S+\.ts)$/gm)) {
      imported.add(covered);
    }
  }
  const findings: string[] = [];
  for (const [path] of sources(files)) {
    if (path === "src/main.ts" || path.endsWith("/mod.ts") || room(path) === "src/std") continue;
    const mirror = path.replace(/^src\//, "tests/unit/").replace(/\.ts$/, "_test.ts");
    if (files.has(mirror) || imported.has(path)) continue;
    findings.push(`${path} has no ${mirror} and no test in tests/netns or tests/capture covers it`);
  }
  return findings;
}

/** Finds golden files whose name no test holds. */
export function unusedGoldens(files: Files): string[] {
  const tests = [...files].filter(([path]) => path.startsWith("tests/") && isTypeScript(path));
  const goldens = [...files.keys()].filter((path) =>
    path.startsWith("tests/golden/") && !isTypeScript(path) && !path.endsWith("README.md")
  );
  return goldens
    .filter((path) =>
      !tests.some(([, text]) => text.includes(path.slice(path.lastIndexOf("/") + 1)))
    )
    .map((path) => `${path}: no test names it`);
}

/** Finds what documents name or link to and the repository has not. */
export function documentPaths(files: Files): string[] {
  const findings: string[] = [];
  const folders = new Set([...files.keys()].map((path) => dirname(path)));
  const exists = (path: string) => files.has(path) || folders.has(path.replace(/\/$/, ""));
  for (const [path, text] of files) {
    if (!path.endsWith(".md")) continue;
    // A room is named as from src, a test as from tests, a neighbour as from its own folder.
    const bases = ["", "src", "tests", dirname(path)];
    for (const [, named] of text.matchAll(/`([\w./-]+\/[\w.-]+\.(?:ts|py|bt|c|md))`/g)) {
      if (!bases.some((base) => exists(join(base, named)))) {
        findings.push(`${path} names ${named}, which is not there`);
      }
    }
    for (const [, link] of text.matchAll(/\]\(([^)#:]+)(?:#[^)]*)?\)/g)) {
      if (!exists(join(dirname(path), link))) {
        findings.push(`${path} links to ${link}, which is not there`);
      }
    }
  }
  return findings;
}

/** Finds bpftrace scripts whose opening comment lacks a heading. */
export function scriptHeaders(files: Files): string[] {
  const findings: string[] = [];
  for (const [path, text] of files) {
    if (!path.endsWith(".bt")) continue;
    const header = /^(?:#!.*\n)?\s*(\/\*[^]*?\*\/|(?:\/\/.*(?:\n|$))+)/.exec(text)?.[1] ?? "";
    const missing = SCRIPT_HEADINGS.filter((heading) => !heading.test(header));
    if (missing.length > 0) {
      findings.push(`${path}: its opening comment lacks ${missing.map(String).join(", ")}`);
    }
  }
  return findings;
}

/** Finds files with more than {@linkcode MAX_LINES} or {@linkcode MAX_TEST_LINES} lines. */
export function longFiles(files: Files): string[] {
  return [...files].filter(([path]) => isTypeScript(path)).flatMap(([path, text]) => {
    const most = path.startsWith("tests/") ? MAX_TEST_LINES : MAX_LINES;
    const lines = text.trimEnd().split("\n").length;
    return lines > most ? [`${path} has ${lines} lines, more than ${most}`] : [];
  });
}

/** Finds paths of one machine, which mean nothing on another. */
export function machinePaths(files: Files): string[] {
  const findings: string[] = [];
  for (const [path, text] of files) {
    for (const [index, line] of text.split("\n").entries()) {
      const word = FORBIDDEN_WORDS.map((each) => each.exec(line)?.[0]).find((found) => found);
      if (word !== undefined) findings.push(`${path}:${index + 1} names "${word}"`);
    }
  }
  return findings;
}

/** Finds tasks that start the tool and let Deno look for its updates, or run another task before. */
export function toolTasks(files: Files): string[] {
  const { tasks } = JSON.parse(files.get("deno.json") ?? '{"tasks":{}}');
  return Object.entries<{ command: string; dependencies?: string[] }>(tasks).flatMap(
    ([name, { command, dependencies }]) => {
      if (!command.includes("src/main.ts")) return [];
      return [
        ...command.startsWith("DENO_NO_UPDATE_CHECK=1 ")
          ? []
          : [`the task ${name} does not set DENO_NO_UPDATE_CHECK`],
        ...dependencies === undefined ? [] : [`the task ${name} runs another one first`],
      ];
    },
  );
}

/** The checks that stand before the tests in the one gate, `deno task ok`. */
const CHECKS = ["deno fmt --check", "deno lint", "deno check", "deno doc --lint mod.ts"];

/** Finds what the gate, `deno task ok`, leaves out, and a `.ci/run` that runs anything else. */
export function oneGate(files: Files): string[] {
  const { tasks } = JSON.parse(files.get("deno.json") ?? '{"tasks":{}}');
  const steps = (name: string): string[] =>
    (tasks[name]?.command ?? "").replaceAll(" --quiet", "").split(" && ");
  const lacking = (name: string, wanted: readonly string[]) =>
    wanted.filter((step) => !steps(name).includes(step))
      .map((step) => `the task ${name} does not run "${step}"`);
  const [, run = ""] = (files.get(".ci/run") ?? "").split("export CI=true\n");
  return [
    ...lacking("ok", ["deno task check", "deno task test"]),
    ...lacking("check", CHECKS),
    ...lacking("test", ["deno run -A tests/run.ts"]),
    ...run.trim().match(/^exec npx -y deno@[\d.]+ task --quiet ok <\/dev\/null$/)
      ? []
      : ['.ci/run runs something else than "deno task ok"'],
  ];
}

/** Finds what a stand-in under src/std exports and no other file uses, its own test apart. */
export function unusedStandIns(files: Files): string[] {
  const users = [...files].filter(([path]) =>
    isTypeScript(path) && !path.startsWith("tests/unit/std/")
  );
  return sources(files).flatMap(([path, text]) => {
    if (room(path) !== "src/std") return [];
    const names = text.matchAll(/^export (?:async )?(?:function|class) (\w+)/gm);
    return [...new Set([...names].map(([, name]) => name))]
      .filter((name) => {
        const word = new RegExp(`\\b${name}\\b`);
        return !users.some(([user, text]) => user !== path && word.test(text));
      })
      .map((name) => `${path} exports ${name}, which nothing uses`);
  });
}

/** What stands at the top of the repository, beside files whose name begins with a dot. */
const TOP = [
  ...["README.md", "CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md", "LICENSE"],
  ...["deno.json", "deno.lock", "mod.ts", "src", "bpf", "tests"],
];

/** Finds what stands at the top and does not belong there. */
export function topLevel(files: Files): string[] {
  const top = new Set([...files.keys()].map((path) => path.split("/")[0]));
  return [...top].filter((name) => !name.startsWith(".") && !TOP.includes(name))
    .map((name) => `${name} does not belong at the top, where there are ${TOP.join(", ")}`);
}

/** Finds a changelog without its part for what comes, or for the version that deno.json has. */
export function changelog(files: Files): string[] {
  const { version } = JSON.parse(files.get("deno.json") ?? "{}");
  const headings = (files.get("CHANGELOG.md") ?? "").match(/^## .*$/gm) ?? [];
  return [
    ...headings[0] === "## [Unreleased]" ? [] : ["CHANGELOG.md does not begin with Unreleased"],
    ...headings.some((heading) => heading.startsWith(`## [${version}] - `))
      ? []
      : [`CHANGELOG.md does not tell of ${version}, the version in deno.json`],
  ];
}
