import { assert, assertEquals, assertThrows } from "@std/assert";
import { mergeReports, replaceCosts } from "../bench/cost_document.ts";
import type { Answer, Report } from "../bench/report.ts";

const BENCH = `${import.meta.dirname}/../bench`;

/** The names and titles of the rows, from their sources: to import them needs rights. */
function rowsOfSources(): [name: string, title: string][] {
  return [...Deno.readDirSync(`${BENCH}/rows`)].map(({ name: file }) => {
    const text = Deno.readTextFileSync(`${BENCH}/rows/${file}`);
    const found = /: Row = \{\s+name: "(.*)",\s+title:\s+"(.*)",\n/.exec(text);
    assert(found !== null, `rows/${file} has no row with a name and a title`);
    return [found[1], found[2]];
  });
}

function costs(): Report {
  return JSON.parse(Deno.readTextFileSync(`${BENCH}/costs.json`));
}

Deno.test("the document of the costs has exactly the rows of the benchmark", () => {
  const measured = costs().answers.map(({ name, title }) => [name, title]);
  assertEquals(measured.toSorted(), rowsOfSources().toSorted());
});

Deno.test("the tables of the document are those of costs.json", () => {
  const document = Deno.readTextFileSync(`${BENCH}/README.md`);
  assertEquals(document, replaceCosts(document, costs()), "run tests/bench/write_costs.ts");
});

const MACHINE = { ...costs().machine, cpu: "Some CPU" };

function reportOf(...answers: Partial<Answer>[]): Report {
  const usual = { title: "", version: "1", date: "", load: 0, seconds: 0, figures: [] };
  return {
    machine: MACHINE,
    length: "whole",
    answers: answers.map((answer) => ({ ...usual, name: "cpu", ...answer })),
  };
}

Deno.test("mergeReports takes the latest of each row, in the order of the benchmark", () => {
  const merged = mergeReports([
    reportOf({ name: "start" }, { name: "cpu" }, { name: "was once" }),
    reportOf({ name: "cpu", version: "2" }),
    reportOf({ name: "start", version: "2", failure: "it failed" }),
  ], ["cpu", "start", "flood"].map((name) => ({ name, title: "" })));
  assertEquals(
    merged.answers.map(({ name, version }) => [name, version]),
    [["cpu", "2"], ["start", "1"], ["flood", "none"]],
  );
  assertEquals(merged.answers[2].failure, "it is not in the runs that these tables are made of");
});

Deno.test("mergeReports refuses what does not belong together", () => {
  const other = { ...reportOf(), machine: { ...MACHINE, cpu: "Another" } };
  assertThrows(() => mergeReports([reportOf(), other], []), Error, "two machines");
  const quick: Report = { ...reportOf(), length: "quick" };
  assertThrows(() => mergeReports([quick], []), Error, "quick");
  const compared = { ...reportOf(), against: "main" };
  assertThrows(() => mergeReports([compared], []), Error, "comparison");
});

Deno.test("replaceCosts leaves what is around the tables, and refuses where there is no place", () => {
  const document = "before\n<!-- costs -->\nold\n<!-- /costs -->\nafter\n";
  const replaced = replaceCosts(document, reportOf({ title: "New" }));
  assert(replaced.startsWith("before\n<!-- costs -->\n"), replaced);
  assert(replaced.endsWith("\n<!-- /costs -->\nafter\n"), replaced);
  assert(replaced.includes("**New**") && !replaced.includes("old"), replaced);
  assertEquals(replaceCosts(replaced, reportOf({ title: "New" })), replaced);
  assertThrows(() => replaceCosts("nothing", reportOf({})), Error, "<!-- costs -->");
});
