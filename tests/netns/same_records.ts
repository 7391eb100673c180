/**
 * Shows whether this version makes the same records as another one: of every scenario of the lab, or of the
 * files and folders that are named.
 *
 *     deno task same --against COMMIT [--filter TEXT] [--keep FOLDER] [--added FIELD,…]
 *     deno task same --against COMMIT [--added FIELD,…] FILE|FOLDER…
 *
 * In the lab both versions trace the same handshakes at the same time, and tcpdump beside them writes what
 * passed each host. Then both read those captures, and the records that the trace wrote. Of what was read
 * every value must be the same. Of what was traced times may differ a little: each trace is given its own.
 * What differs is played twice more, for the kernel skips a probe now and then. With `--keep` the files stay,
 * to be read again. `--added` names fields that this version may have where the other has none.
 *
 * Exit status: 0 all the same, 1 not, 2 wrong usage.
 *
 * @module
 */
import { parseArgs } from "@std/cli";
import { escapeText } from "../../src/text/escape.ts";
import { checkOut } from "../bench/checkout.ts";
import { HERE, taskCommand } from "../bench/task_command.ts";
import { capturesBelow } from "../capture/compare.ts";
import {
  type Change,
  formatChanges,
  isAdded,
  type Line,
  recordChanges,
} from "../capture/record_changes.ts";
import { Capture } from "./compare/capture.ts";
import { type Hosts, play, PORTS_EACH } from "./lab/lab.ts";
import { LAB_NETWORKS } from "./lab/host.ts";
import type { Scenario } from "./lab/scenario.ts";
import { SCENARIOS } from "./lab/scenarios.ts";
import type { Topology } from "./lab/topology.ts";
import { Tracer } from "./tracer.ts";

/** What the times of two traces may be apart: a processor may be taken away between them. */
const APART_NS = 50e6;
/** How often what differs is played at most. */
const ROUNDS = 3;

/** What came of a comparison. */
interface Compared {
  /** What was compared, for a reader. */
  what: string;
  records: number;
  changes: readonly Change[];
}

/** Reads a file by a version. */
async function read(file: string, root: string): Promise<{ text: string; lines: Line[] }> {
  const [program, ...args] = taskCommand("read", root);
  const child = new Deno.Command(program, { args: [...args, file], stdin: "null" });
  const { code, stdout } = await child.output();
  const text = new TextDecoder().decode(stdout);
  const lines = text.split("\n").filter((line) => line !== "").map((line) => JSON.parse(line));
  return { text, lines: [...lines, { event: "exit", status: code }] };
}

/** Compares what both versions read in a file. */
async function compareFile(file: string, root: string): Promise<Compared> {
  const [before, now] = await Promise.all([read(file, root), read(file, HERE)]);
  const changes = recordChanges(before.lines, now.lines);
  if (changes.length === 0 && before.text !== now.text) {
    changes.push({ key: "all lines", field: "order or form", before: "as it was", now: "another" });
  }
  return { what: file, records: countOf(now.lines), changes };
}

/** Plays a topology's scenarios under both versions. @param folder Where the files of it are kept. */
async function compareTopology(
  topology: Topology,
  scenarios: readonly Scenario[],
  root: string,
  folder: string,
): Promise<Map<Scenario, Compared>> {
  const name = topology.name.replaceAll(" ", "-");
  const others = new Map<string, Tracer>();
  const beside = async (hosts: Hosts): Promise<AsyncDisposable> => {
    const stack = new AsyncDisposableStack();
    for (const [host, { namespace }] of Object.entries(hosts)) {
      const file = `${folder}/${name}-${host}.pcap`;
      stack.use(await Capture.start(namespace, "any", file, "LINUX_SLL2"));
    }
    for (const [view, { host, args = [] }] of Object.entries(topology.views)) {
      const flags = ["--json", "--host", LAB_NETWORKS.join(","), ...args];
      const { namespace } = hosts[host];
      const main = `${root}/src/main.ts`;
      const other = await (args.includes("none")
        ? Tracer.start(namespace, flags, {}, [], main)
        : Tracer.ready(namespace, flags, [], main));
      others.set(view, other);
      stack.defer(async () =>
        void await other.stop()
      );
    }
    return stack;
  };
  const { results, played, ports } = await play(topology, scenarios, beside);
  for (const [view, { records }] of results) {
    const text = records.map((record) => JSON.stringify(record) + "\n").join("");
    await Deno.writeTextFile(`${folder}/${name}-${view.replaceAll(/\W+/g, "-")}.ndjson`, text);
  }
  return new Map(scenarios.map((scenario) => {
    const outcome = played.get(scenario)!;
    if ("error" in outcome) throw new Error(`Cannot play "${scenario.name}": ${outcome.error}`);
    const changes = [...outcome.records].flatMap(([view, now]) => {
      const before = others.get(view)!.lines.map((line) => JSON.parse(line)).filter((line) =>
        isOfPorts(line, ports.get(scenario)!)
      );
      return recordChanges(before, now as unknown as Line[], CLOSENESS)
        .map((change) => ({ ...change, key: `${view}: ${change.key}` }));
    });
    const records = [...outcome.records.values()].reduce((sum, { length }) => sum + length, 0);
    return [scenario, { what: `traced: ${scenario.name}`, records, changes }];
  }));
}

/** Whether a line is a record of the ports of a scenario. */
function isOfPorts({ event, client, server }: Record<string, unknown>, from: number): boolean {
  if (event !== "handshake") return false;
  return ([client, server] as Line[]).some(({ port }) =>
    Number(port) >= from && Number(port) < from + PORTS_EACH
  );
}

/** How near two traces of one handshake are. */
const CLOSENESS = { ignored: ["tracer"], near: { ns: APART_NS, isNear } } as const;

/** Times, which each of two traces is given or takes; of what its end cut off also counts. */
function isNear(field: string, { flags }: Line): boolean {
  if (field === "time" || /^(rtt|times)\./.test(field)) return true;
  return (flags as string[]).includes("trace_ended") && /^packets\.|^drop\.count$/.test(field);
}

/** Plays scenarios, those that differ again: kernels skip a probe now and then, for one of two traces. */
async function* compareScenarios(
  topology: Topology,
  scenarios: readonly Scenario[],
  root: string,
  folder: string,
  isExpected: (change: Change) => boolean,
): AsyncGenerator<Compared> {
  let rest = scenarios;
  for (let round = 1; rest.length > 0; round++) {
    const kept = round === 1 ? folder : `${folder}/again`;
    await Deno.mkdir(kept, { recursive: true });
    const compared = await compareTopology(topology, rest, root, kept);
    const isLast = round === ROUNDS;
    rest = rest.filter((scenario) => !isLast && !compared.get(scenario)!.changes.every(isExpected));
    for (const [scenario, each] of compared) if (!rest.includes(scenario)) yield each;
    if (round > 1) await Deno.remove(kept, { recursive: true });
  }
}

function countOf(lines: readonly Line[]): number {
  return lines.filter(({ event }) => event === "handshake").length;
}

/** Every file that can be read below some folders, or named. */
function filesBelow(paths: readonly string[]): string[] {
  return paths.flatMap((path) => {
    if (Deno.statSync(path).isFile) return [path];
    const names = [...Deno.readDirSync(path)].map(({ name }) => name).sort();
    const records = names.filter((name) => name.endsWith(".ndjson"));
    return [...capturesBelow([path]), ...records.map((name) => `${path}/${name}`)];
  });
}

async function main(args: readonly string[]): Promise<number> {
  const flags = parseArgs(args as string[], { string: ["against", "filter", "keep", "added"] });
  const { against, filter = "", keep } = flags;
  const added = flags.added?.split(",") ?? [];
  const paths = flags._.map(String);
  if (against === undefined || against === "") {
    console.error("Cannot compare with nothing: name a version by --against COMMIT");
    return 2;
  }
  const folder = await Deno.makeTempDir({ prefix: "synsnoop-same-" });
  try {
    const root = `${folder}/before`;
    await checkOut(against, root);
    const all: Compared[] = [];
    const isExpected = (change: Change) => isAdded(change, added);
    const show = (compared: Compared) => {
      const { what, records, changes } = compared;
      all.push(compared);
      const found = changes.filter((change) => !isExpected(change));
      const verdict = found.length === 0 ? "the same" : `${found.length} differences`;
      const expected = changes.length - found.length;
      const beside = expected === 0 ? "" : `, ${expected} values new as expected`;
      console.log(escapeText(`${what}: ${records} records, ${verdict}${beside}`));
      for (const line of formatChanges(found)) console.log(`  ${escapeText(line)}`);
    };
    let files = filesBelow(paths);
    if (paths.length === 0) {
      const kept = keep ?? `${folder}/lab`;
      await Deno.mkdir(kept, { recursive: true });
      const scenarios = SCENARIOS.filter(({ name }) => name.includes(filter));
      for (const topology of new Set(scenarios.map((scenario) => scenario.topology))) {
        // What began before a trace shows each of two as much as was left when it began.
        const here = scenarios.filter((scenario) =>
          scenario.topology === topology && !scenario.beginsBeforeTrace
        );
        for await (const each of compareScenarios(topology, here, root, kept, isExpected)) {
          show(each);
        }
      }
      files = filesBelow([kept]);
    }
    for (const file of files) show(await compareFile(file, root));
    const changed = all.flatMap(({ changes }) => changes).filter((each) => !isExpected(each));
    const records = all.reduce((sum, each) => sum + each.records, 0);
    console.log(`${all.length} comparisons, ${records} records, ${changed.length} differences`);
    return changed.length === 0 ? 0 : 1;
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

if (import.meta.main) Deno.exit(await main(Deno.args));
