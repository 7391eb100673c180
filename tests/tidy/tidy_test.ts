// The rules of the house, held against the repository itself.
import { assertEquals, assertGreater } from "@std/assert";
import * as rules from "./rules.ts";

const ROOT = `${import.meta.dirname}/../..`;

/** Folders and files that are not written by hand or not part of the repository. */
const LEFT_OUT = new Set([".git", "coverage", "node_modules", "vendor", "deno.lock"]);

/** Bytes that are no text, such as captures, are in the map by name, without their content. */
function readText(path: string): string {
  const bytes = Deno.readFileSync(path);
  return bytes.includes(0) ? "" : new TextDecoder().decode(bytes);
}

function readFolder(folder: string, files: Map<string, string>): void {
  for (const entry of Deno.readDirSync(`${ROOT}/${folder}`)) {
    const path = folder === "" ? entry.name : `${folder}/${entry.name}`;
    if (LEFT_OUT.has(entry.name) || path.endsWith(".log")) continue;
    if (entry.isDirectory) readFolder(path, files);
    else if (entry.isFile) files.set(path, readText(`${ROOT}/${path}`));
  }
}

const files = new Map<string, string>();
readFolder("", files);

Deno.test("tidy sees the repository", () => {
  const sources = [...files.keys()].filter((path) => path.startsWith("src/"));
  assertGreater(sources.length, 0);
  assertEquals(files.has("deno.json"), true);
});

const RULES: { name: string; rule: (files: rules.Files) => string[] }[] = [
  { name: "pure folders import only what they build on", rule: rules.importRules },
  { name: "only the edge uses Deno", rule: rules.denoOnlyAtTheEdge },
  { name: "folders do not import each other in a circle", rule: rules.importCycles },
  { name: "every source file has a test", rule: rules.untestedFiles },
  { name: "every golden file is used", rule: rules.unusedGoldens },
  { name: "documents name what is there", rule: rules.documentPaths },
  { name: "every bpftrace script opens with its header", rule: rules.scriptHeaders },
  { name: "no file is too long", rule: rules.longFiles },
  { name: "a start of read loads no more than a capture needs", rule: rules.startOfRead },
  { name: "tasks of the tool look up no name", rule: rules.toolTasks },
  { name: "the top holds nothing else", rule: rules.topLevel },
  { name: "the changelog tells of each version", rule: rules.changelog },
  { name: "the stand-ins hold what is used", rule: rules.unusedStandIns },
  { name: "there is one gate, and .ci/run is it", rule: rules.oneGate },
  { name: "no file names a path of one machine", rule: rules.machinePaths },
];

for (const { name, rule } of RULES) {
  Deno.test(`tidy: ${name}`, () => {
    assertEquals(rule(files), []);
  });
}
