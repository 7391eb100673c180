/**
 * Counts what a connection costs under each of many tools, run in a guest that counts instructions:
 * there a nanosecond is one. Prints the figures as JSON.
 *
 * @module
 */
import type { Mechanism } from "../../src/kernel/choose_probes.ts";
import { Namespace } from "../netns/namespace.ts";
import type { BccTools } from "../vm/compare/bcc_tools.ts";
import { comparedTools, type Tool, type ToolPaths } from "../vm/compare/compared_tools.ts";
import { SHARED } from "../vm/vm.ts";
import { addedFigures, compare } from "./compare.ts";
import { pacedConnections } from "./paced.ts";
import { cpuNs, processTree } from "./process_cost.ts";
import { SCRIPT_PARTS } from "./script_parts.ts";
import {
  EMPTY_PROBE,
  scriptAlone,
  startProgram,
  tcpdump,
  trace,
  type Watcher,
  withTracefs,
} from "./watchers.ts";

/** What the guest is told. */
export interface Task {
  /** How this tool traces: values of `--probes`. */
  readonly probes: readonly (Mechanism | "none")[];
  /** Whether its scripts are measured alone too, and their parts. */
  readonly parts?: boolean;
  /** The most that each should add to a connect(), in thousand instructions, by the same values. */
  readonly aims?: Readonly<Record<string, number>>;
  /** Where its peers are, but for tcpdump; undefined: they are not compared. */
  readonly peers?: Omit<ToolPaths, "synsnoop"> & { readonly bcc: BccTools };
  /** The name of the only tool to compare of each collection; undefined: all. */
  readonly only?: string;
}

const PORT = 4440;
/** Connections a second. The processor, which executes 10^9 instructions in it, is idle in between. */
const RATE = 1_000;
const COUNT = 2_000;
/** What others do meanwhile, the server and the tool, is not in the time of connect(). */
const NOT_INTERRUPTED = ["chrt", "--fifo", "1"];
const UNIT = "thousand instructions";

/** A tool of a collection as a watcher. */
function toolWatcher({ name, command, ready }: Tool, collection: string): Watcher {
  return {
    name: `\`${name}\` of ${collection}`,
    start: (namespace) => startProgram(namespace, withTracefs(command), "stdout", ready),
  };
}

/** The tools of bcc, which compile themselves where they run. */
async function bccCommands({ interpreter, tools, headers }: BccTools): Promise<Tool[]> {
  const links = `/lib/modules/${Deno.osRelease()}`;
  await run("mount", "--bind", headers.source, "/usr/src");
  await run("mount", "-t", "overlay", "-o", `lowerdir=${headers.links}:${links}`, "bcc", links);
  return ["tcpconnlat", "tcptracer", "tcplife"].map((name) => ({
    name,
    command: [...interpreter, `${tools}/${name}-bpfcc`],
    ready: /^(?:T +)?PID\b/,
  }));
}

function nameOf(probes: string): string {
  return `\`trace --probes ${probes}\``;
}

function scriptsAlone(probes: Task["probes"]): Watcher[] {
  const scripts = probes.filter((each) => each !== "none")
    .map((mechanism) => scriptAlone(`the script of ${mechanism} alone`, mechanism));
  return [...scripts, EMPTY_PROBE, ...SCRIPT_PARTS];
}

/** Every watcher in the order of the table. */
async function watchers({ probes, parts, peers, only }: Task): Promise<Watcher[]> {
  const traces = probes.map((probes) =>
    trace(nameOf(probes), ["--port", String(PORT), "--probes", probes])
  );
  const ours = parts ? [...traces, ...scriptsAlone(probes)] : traces;
  if (peers === undefined) return [...ours, tcpdump("lo")];
  const isWanted = ({ name }: Tool) => only === undefined || name === only;
  const compared = comparedTools({ ...peers, synsnoop: [] }, [PORT])
    .filter((tool) => tool.name !== "synsnoop" && isWanted(tool));
  const fromBcc = (await bccCommands(peers.bcc)).filter(isWanted);
  return [
    ...ours,
    tcpdump("lo"),
    ...compared.map((tool) =>
      toolWatcher(tool, tool.name.endsWith(".bt") ? "bpftrace" : "libbpf-tools")
    ),
    ...fromBcc.map((tool) => toolWatcher(tool, "bcc")),
  ];
}

async function run(program: string, ...args: string[]): Promise<void> {
  const { success, stderr } = await new Deno.Command(program, { args, stdin: "null" }).output();
  if (!success) throw new Error(`${program} ${args}: ${new TextDecoder().decode(stderr)}`);
}

async function main(task: Task): Promise<void> {
  const bench = {
    say: (words: string) => console.error(words),
    // They have been compiled: here that would take long.
    program: (source: string) =>
      Promise.resolve(`${SHARED}/${source.split("/").at(-1)!.replace(/\.c$/, "")}`),
  };
  await using namespace = await Namespace.create();
  const connect = await pacedConnections(bench, namespace, PORT, RATE, COUNT, NOT_INTERRUPTED);
  /** The processes of the watcher at work. */
  let watching: number[] = [];
  const used = () => watching.reduce((sum, pid) => sum + cpuNs(pid), 0);
  /** The same watcher, whose processes are known while it works. */
  const noted = (watcher: Watcher): Watcher => ({
    ...watcher,
    start: async (namespace) => {
      const started = await watcher.start(namespace);
      watching = await processTree(started.pid);
      const stop = () => {
        watching = [];
        return started.stop();
      };
      return { ...started, stop };
    },
  });
  const compared = (await watchers(task)).map(noted);
  const [connecting, processes] = await compare(bench, namespace, compared, 1, async () => {
    const before = used();
    const { medianUs } = await connect();
    // What the last of them cost is spent a moment later.
    await new Promise((resolve) => setTimeout(resolve, 200));
    return [medianUs, (used() - before) / 1e3 / COUNT] as const;
  });
  const aims = Object.fromEntries(
    Object.entries(task.aims ?? {}).map(([probes, aim]) => [nameOf(probes), aim]),
  );
  console.log(JSON.stringify([
    ...addedFigures(connecting, { what: "connect()", unit: UNIT, aims }),
    ...addedFigures(processes, { what: "the tool's processes", unit: UNIT }).slice(1),
  ]));
}

if (import.meta.main) await main(JSON.parse(Deno.args[0]));
