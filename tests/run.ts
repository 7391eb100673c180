/**
 * Runs the tests, one tier after another, each with no more permission than it needs. The last line
 * counts what passed, failed and was skipped; before it every failure is told once more, since logs
 * are cut at their beginning. Every skip is named with its reason.
 *
 * The exit status is 1 when a test failed, when none passed, or when a tier that this machine can
 * run ran no test; 2 for a wrong argument.
 */
import { parseArgs } from "@std/cli";
import { findExecutable } from "../src/linux/host.ts";
import { noBrowser } from "./browser/chromium.ts";
import { parseJunitReport, skipReason } from "./junit_report.ts";
import { reasonAgainstGuests } from "./vm/vm.ts";

const ROOT = `${import.meta.dirname}/../`;
const USAGE = "deno task test [--tier NAME]… [--filter TEXT]";

interface Tier {
  readonly name: string;
  readonly permissions: readonly string[];
  /** What `deno test` is given; the tier's folder under tests unless told. */
  readonly targets?: readonly string[];
  /** Whether its files run at the same time: for long tests that do not share anything. */
  readonly parallel?: boolean;
  /** Why this machine cannot run the tier; undefined where it can. */
  readonly obstacle?: () => Promise<string | undefined>;
}

const TIERS: readonly Tier[] = [
  { name: "unit", permissions: [] },
  // The examples in the documentation of the exports.
  {
    name: "examples",
    permissions: [],
    targets: ["--doc", "mod.ts", "src/wire", "src/pcap", "src/kernel", "src/match", "src/record"],
  },
  { name: "tidy", permissions: ["--allow-read"] },
  { name: "golden", permissions: ["--allow-read"] },
  { name: "capture", permissions: ["--allow-all"] },
  { name: "browser", permissions: ["--allow-all"], obstacle: noBrowser },
  { name: "netns", permissions: ["--allow-all"], obstacle: noNamespaces },
  { name: "vm", permissions: ["--allow-all"], parallel: true, obstacle: reasonAgainstGuests },
];

interface Count {
  passed: number;
  failed: number;
  skipped: number;
  /** What failed, each with what it said. */
  readonly failures: string[];
}

/** Namespaces are tried, not guessed: a container may forbid them to its root. */
async function noNamespaces(): Promise<string | undefined> {
  if (Deno.uid() !== 0) return "not root";
  const ip = findExecutable("ip");
  if (ip === undefined) return 'no "ip" (package iproute2)';
  const name = `synsnoop-try-${Deno.pid}`;
  const netns = (action: string) =>
    new Deno.Command(ip, { args: ["netns", action, name], stdin: "null" }).output();
  const made = await netns("add");
  if (made.success) await netns("del");
  const reason = new TextDecoder().decode(made.stderr).trim();
  return made.success ? undefined : `network namespaces cannot be made: ${reason}`;
}

function exists(path: string): boolean {
  try {
    Deno.statSync(path);
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

async function runTier(tier: Tier, filter: string | undefined, report: string): Promise<Count> {
  const count: Count = { passed: 0, failed: 0, skipped: 0, failures: [] };
  const skip = (test: string, reason: string) => {
    count.skipped++;
    console.log(`skipped: ${test}: ${reason}`);
  };
  const fail = (test: string, reason: string) => {
    count.failed++;
    count.failures.push(`${test}: ${reason}`);
  };
  console.log(`== ${tier.name}`);
  const obstacle = await tier.obstacle?.();
  if (obstacle !== undefined) {
    skip(`${tier.name} tier`, obstacle);
    return count;
  }
  const { code } = await new Deno.Command(Deno.execPath(), {
    args: [
      "test",
      "--no-prompt",
      ...exists(`${ROOT}deno.lock`) ? ["--frozen"] : [],
      ...tier.permissions,
      ...tier.parallel ? ["--parallel"] : [],
      `--junit-path=${report}`,
      ...filter === undefined ? [] : [`--filter=${filter}`],
      ...tier.targets ?? [`tests/${tier.name}`],
    ],
    cwd: ROOT,
    stdin: "null",
  }).spawn().status;
  // No report: a test file could not be loaded.
  const cases = exists(report) ? parseJunitReport(Deno.readTextFileSync(report)) : [];
  for (const { name, result, failure } of cases) {
    if (result === "passed") count.passed++;
    else if (result === "failed") fail(`${tier.name}: ${name}`, failure ?? "");
    else {
      const { test, reason } = skipReason(name);
      skip(test, reason);
    }
  }
  if (code !== 0 && count.failed === 0) fail(`${tier.name} tier`, `deno test ended with ${code}`);
  const ran = count.passed + count.failed;
  if (ran === 0 && filter === undefined) {
    fail(`${tier.name} tier`, "this machine can run it, but no test ran");
  }
  return count;
}

/** The tiers the arguments ask for and the filter, or what is wrong with the arguments. */
function readArguments(args: string[]): { tiers: readonly Tier[]; filter?: string } | string {
  const wrong: string[] = [];
  const { tier: names, filter } = parseArgs(args, {
    string: ["tier", "filter"],
    collect: ["tier"],
    unknown: (arg) => {
      wrong.push(`unknown argument "${arg}"`);
      return false;
    },
  });
  if (filter === "") wrong.push('"--filter" needs a text');
  const known = TIERS.map((tier) => tier.name);
  for (const name of names) {
    if (!known.includes(name)) wrong.push(`no tier "${name}", there are ${known.join(", ")}`);
  }
  if (wrong.length > 0) return wrong[0];
  const tiers = names.length > 0 ? TIERS.filter((tier) => names.includes(tier.name)) : TIERS;
  return { tiers, filter };
}

async function main(): Promise<number> {
  const asked = readArguments(Deno.args);
  if (typeof asked === "string") {
    console.error(`Cannot run the tests: ${asked}\n${USAGE}`);
    return 2;
  }
  const total: Count = { passed: 0, failed: 0, skipped: 0, failures: [] };
  const folder = Deno.makeTempDirSync({ prefix: "synsnoop-tests-" });
  try {
    for (const tier of asked.tiers) {
      const count = await runTier(tier, asked.filter, `${folder}/${tier.name}.xml`);
      total.passed += count.passed;
      total.failed += count.failed;
      total.skipped += count.skipped;
      total.failures.push(...count.failures);
    }
  } finally {
    Deno.removeSync(folder, { recursive: true });
  }
  for (const failure of total.failures) {
    console.log(`failed: ${failure.replaceAll("\n", "\n    ")}`);
  }
  console.log(`${total.passed} passed, ${total.failed} failed, ${total.skipped} skipped`);
  return total.failed > 0 || total.passed === 0 ? 1 : 0;
}

Deno.exitCode = await main();
