/**
 * Measures what tracing costs, and says whether each aim is reached. Needs root; everything runs in
 * network namespaces of its own. What another program is missing for is told in its line.
 *
 *     deno task bench [--row NAME]… [--quick | --long] [--against COMMIT] [--output FOLDER]
 *
 * All rows take about half an hour; `--quick` runs each shortly, only to see that it works, and
 * `--long` goes on for as long as the rows need that ask for what only comes with time. `--against`
 * measures this version beside another, in the rows that can: twenty pairs of runs each.
 *
 * Prints the table in Markdown and writes it with every value as `bench.md` and `bench.json`, of which
 * `write_costs.ts` makes the tables of the document. The exit
 * status is 1 when a row failed, which is told at once and again at the end, not when an aim is missed;
 * 2 for a wrong argument.
 */
import { parseArgs } from "@std/cli";
import { findExecutable } from "../../src/linux/host.ts";
import { messageOf } from "../../src/text/message.ts";
import { reasonAgainstNamespaces } from "../netns/namespace.ts";
import { hookedPrograms } from "./bpf_run_time.ts";
import { checkOut } from "./checkout.ts";
import {
  type Answer,
  formatJson,
  formatMarkdown,
  type Machine,
  type Report,
  type Run,
} from "./report.ts";
import { Bench, type Length, missingProgram, type Row } from "./row.ts";
import { ROWS } from "./rows.ts";
import { query } from "./rows/query.ts";
import { readSpeed } from "./rows/read_speed.ts";
import { report as reportPage } from "./rows/report.ts";
import { HERE } from "./task_command.ts";

const USAGE =
  "deno task bench [--row NAME]… [--quick | --long] [--against COMMIT] [--output FOLDER]";

/** Those whose comparison needs no namespace, and no root. */
const OF_FILES: ReadonlySet<string> = new Set([readSpeed.name, reportPage.name, query.name]);

interface Options {
  rows: readonly Row[];
  length: Length;
  against: string | undefined;
  output: string | undefined;
}

/** What the arguments ask for, or what is wrong with them. */
function readArguments(args: string[]): Options | string {
  const wrong: string[] = [];
  const { row: names, quick, long, against, output } = parseArgs(args, {
    string: ["row", "against", "output"],
    boolean: ["quick", "long"],
    collect: ["row"],
    unknown: (arg) => {
      wrong.push(`unknown argument "${arg}"`);
      return false;
    },
  });
  if (output === "") wrong.push('"--output" needs a folder');
  if (against === "") wrong.push('"--against" needs a commit');
  if (quick && long) wrong.push('"--quick" and "--long" exclude each other');
  const able = against === undefined ? ROWS : ROWS.filter(({ compare }) => compare !== undefined);
  const known = able.map(({ name }) => name);
  const what = against === undefined ? "row" : "row that compares versions is";
  for (const name of names) {
    if (!known.includes(name)) wrong.push(`no ${what} "${name}", there are ${known.join(", ")}`);
  }
  if (wrong.length > 0) return wrong[0];
  const rows = names.length > 0 ? able.filter(({ name }) => names.includes(name)) : able;
  return { rows, length: quick ? "quick" : long ? "long" : "whole", against, output };
}

/** @param other Folder of the version to compare with, if any. */
async function answer(row: Row, bench: Bench, run: Run, other?: string): Promise<Answer> {
  console.error(`== ${row.name}`);
  const begin = performance.now();
  const answer: Answer = {
    name: row.name,
    title: row.title,
    ...run,
    seconds: 0,
    figures: [],
  };
  const missing = missingProgram(row.needs);
  if (missing !== undefined) {
    answer.failure = `${missing} is not installed`;
  } else {
    try {
      answer.figures = await (other ? row.compare!(bench, other) : row.measure(bench));
    } catch (error) {
      answer.failure = messageOf(error).trim();
      Deno.exitCode = 1;
      console.error(error);
    }
  }
  answer.seconds = (performance.now() - begin) / 1e3;
  return answer;
}

/** What all rows have in common that are measured by one call. */
async function describeRun(): Promise<Run> {
  const date = new Date().toISOString().slice(0, 10);
  return { version: await versionAtHand(), date, load: Deno.loadavg()[0] };
}

/** What git calls the version at hand; with `-dirty` where it was changed since. */
async function versionAtHand(): Promise<string> {
  const args = ["-C", HERE, "describe", "--always", "--dirty", "--abbrev=7"];
  try {
    const { success, stdout } = await new Deno.Command("git", { args, stderr: "null" }).output();
    if (success) return new TextDecoder().decode(stdout).trim();
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
  return "unknown";
}

async function describeMachine(): Promise<Machine> {
  const cpuInfo = await Deno.readTextFile("/proc/cpuinfo");
  const tools: Record<string, string> = {};
  for (const name of ["bpftrace", "tcpdump", "tshark", "nginx", "iperf3"]) {
    const path = findExecutable(name);
    if (path === undefined) continue;
    const version = name === "nginx" ? "-v" : "--version";
    const { stdout, stderr } = await new Deno.Command(path, { args: [version] }).output();
    const said = new TextDecoder().decode(stdout) + new TextDecoder().decode(stderr);
    tools[name] = `${name} ${/\d+(?:\.\d+)+/.exec(said)?.[0] ?? "of unknown version"}`;
  }
  return {
    kernel: Deno.osRelease(),
    cpu: /^model name\s*: (.*)/m.exec(cpuInfo)?.[1] ?? Deno.build.arch,
    cores: navigator.hardwareConcurrency,
    deno: Deno.version.deno,
    hookedPrograms: hookedPrograms(),
    tools,
  };
}

async function main(): Promise<void> {
  const options = readArguments(Deno.args);
  if (typeof options === "string") {
    console.error(`Cannot run the benchmark: ${options}\n${USAGE}`);
    Deno.exitCode = 2;
    return;
  }
  const { against } = options;
  // Files are read by anybody.
  const needsNamespaces = against === undefined ||
    options.rows.some(({ name }) => !OF_FILES.has(name));
  const obstacle = needsNamespaces ? await reasonAgainstNamespaces() : undefined;
  if (obstacle !== undefined) {
    console.error(`Cannot run the benchmark: ${obstacle}; run it as root`);
    Deno.exitCode = 1;
    return;
  }
  const folder = await Deno.makeTempDir({ prefix: "synsnoop-bench-" });
  try {
    const output = options.output ?? await Deno.makeTempDir({ prefix: "synsnoop-bench-results-" });
    await Deno.mkdir(output, { recursive: true });
    const other = against && `${folder}/other`;
    if (other) await checkOut(against, other);
    const machine = await describeMachine();
    const run = await describeRun();
    const report: Report = { machine, length: options.length, against, answers: [] };
    for (const row of options.rows) {
      // Its own: no two rows can mean the same file, and one fills no disk for the next.
      const files = await Deno.makeTempDir({ dir: folder, prefix: `${row.name}-` });
      report.answers.push(await answer(row, new Bench(files, options.length), run, other));
      await Deno.remove(files, { recursive: true });
      // After each: what was measured is not lost with what comes after it.
      await Deno.writeTextFile(`${output}/bench.json`, formatJson(report));
      await Deno.writeTextFile(`${output}/bench.md`, formatMarkdown(report));
    }
    console.log(formatMarkdown(report));
    for (const { name, failure } of report.answers) {
      if (failure !== undefined) console.error(`Row "${name}" was not measured: ${failure}`);
    }
    console.error(`Written to ${output}/bench.md and ${output}/bench.json`);
  } catch (error) {
    console.error(messageOf(error));
    Deno.exitCode = 1;
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

await main();
