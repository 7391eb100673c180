/**
 * The comparison, run in a guest: starts every tool, lets one program connect in four ways while all
 * of them watch, and prints what each told as a table.
 *
 * @module
 */
import type { HandshakeRecord } from "../../../src/record/record.ts";
import { Namespace, until } from "../../netns/namespace.ts";
import { Lines } from "../guest/lines.ts";
import { connectionKey, PacketLog } from "../guest/packet_log.ts";
import {
  type ComparedTool,
  comparedTools,
  type Sighting,
  type ToolPaths,
} from "./compared_tools.ts";

const ADDRESSES = { ipv4: ["10.77.0.1", "10.77.0.2"], ipv6: ["fd77::1", "fd77::2"] } as const;
/** The four ways, what becomes of them and how often. */
const WAYS = [
  { port: 5001, count: 100, title: "established", end: "ok" },
  { port: 5002, count: 50, title: "refused", end: "ECONNREFUSED" },
  { port: 5003, count: 20, title: "timed out", end: "ETIMEDOUT" },
  { port: 5004, count: 30, title: "established, non-blocking", end: "ok" },
] as const;
const SILENT_PORT = WAYS[2].port;
const LAST_PORT = 5009;
const PORTS = [...WAYS.map(({ port }) => port), LAST_PORT];
const TOTAL = WAYS.reduce((sum, { count }) => sum + count, 0);
const FOUR_WAYS = new URL("four_ways.py", import.meta.url).pathname;

/** bpftrace takes minutes to attach a whole script where the processor is emulated. */
const READY_MS = 600_000;
/** What a tool takes to tell what it saw. */
const TOLD_MS = 60_000;

/** A tool that watches. */
class Watcher implements AsyncDisposable {
  readonly tool: ComparedTool;
  readonly said: Lines;
  readonly #child: Deno.ChildProcess;

  private constructor(tool: ComparedTool) {
    this.tool = tool;
    const [program, ...args] = tool.command;
    this.#child = new Deno.Command(program, { args, stdout: "piped", stderr: "piped" }).spawn();
    this.said = new Lines(this.#child.stdout, this.#child.stderr);
  }

  /** Starts a tool and waits until it is attached. */
  static async start(tool: ComparedTool): Promise<Watcher> {
    const watcher = new Watcher(tool);
    const began = performance.now();
    const attached = (lines: readonly string[]) => lines.some((line) => tool.ready.test(line));
    await watcher.said.until(`${tool.name} is attached`, attached, READY_MS);
    const seconds = ((performance.now() - began) / 1000).toFixed(1);
    const word = watcher.said.all.find((line) => tool.ready.test(line));
    console.error(`${tool.name}: attached after ${seconds} s: ${word}`);
    return watcher;
  }

  get sightings(): Sighting[] {
    return this.said.all.map((line) => this.tool.read(line)).filter((each) => each !== undefined);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    try {
      this.#child.kill("SIGKILL");
    } catch (error) {
      // Ended already.
      if (!(error instanceof TypeError)) throw error;
    }
    await this.#child.status;
  }
}

/** One tool's row: what it reported of each way, and what that is worth. */
function row(watcher: Watcher, pids: Record<Sighting["end"], number>, log: PacketLog): string[] {
  const sightings = watcher.sightings.filter(({ serverPort }) => serverPort !== LAST_PORT);
  const names = { client: "caller", server: "taker" };
  const right = sightings.filter(({ end, pid, comm }) => pid === pids[end] && comm === names[end]);
  const numbered = sightings.filter(({ record }) => record && isnsRight(record, log));
  const told = sightings.filter(({ serverPort, record }) =>
    record?.outcome === WAYS.find(({ port }) => port === serverPort)!.title.split(",")[0]
      .replace("timed out", "timeout")
  );
  const failures = WAYS.filter(({ end }) => end !== "ok");
  const latencies = failures.map(({ port, title }) => {
    const given = sightings.filter(({ serverPort, latency }) => serverPort === port && latency);
    return `${given.length} ${title}`;
  });
  return [
    watcher.tool.name,
    ...WAYS.map(({ port }) =>
      String(sightings.filter(({ serverPort }) => serverPort === port).length)
    ),
    `${right.length} of ${sightings.length}`,
    String(numbered.length),
    String(told.length),
    latencies.join(", "),
  ];
}

/** Whether a record has the numbers that tcpdump saw. */
function isnsRight({ client, server }: HandshakeRecord, log: PacketLog): boolean {
  const seen = log.handshakes.get(connectionKey(client, server));
  return seen !== undefined && seen.clientIsn === client.isn && seen.serverIsn === server.isn;
}

async function main(paths: ToolPaths): Promise<void> {
  await using resources = new AsyncDisposableStack();
  const client = resources.use(await Namespace.create());
  const server = resources.use(await Namespace.create());
  const [here, there] = ADDRESSES.ipv4;
  const [name] = await client.connect(server, { here: `${here}/24`, there: `${there}/24` });
  for (const [index, namespace] of [client, server].entries()) {
    const address = `${ADDRESSES.ipv6[index]}/64`;
    await namespace.ip("address", "add", address, "dev", name, "nodad");
  }
  await client.run("sysctl", "-qw", "net.ipv4.tcp_syn_retries=1");
  await client.run("sysctl", "-eqw", "net.ipv4.tcp_syn_linear_timeouts=0");
  await server.run(
    "nft",
    "add table inet t; add chain inet t in { type filter hook input priority 0; }; " +
      `add rule inet t in tcp dport ${SILENT_PORT} drop`,
  );
  const addresses = [ADDRESSES.ipv4[1], ADDRESSES.ipv6[1]];
  const program = ["python3", "-I", "-S", FOUR_WAYS, ...PORTS.map(String)];
  const inClient = ["ip", "netns", "exec", client.name];
  const synsnoop = [...inClient, ...paths.synsnoop];
  const watchers: Watcher[] = [];
  for (const tool of comparedTools({ ...paths, synsnoop }, PORTS)) {
    watchers.push(resources.use(await Watcher.start(tool)));
  }
  const log = await PacketLog.start(client, name);
  // Not before: an accept() that waits already is seen by no tool that looks at its return.
  const serving = server.spawn([...program, "serve", ...addresses], { stdout: "piped" });
  const said = new Lines(serving.stdout);
  await said.until("the server listens", ({ length }) => length > 0, TOLD_MS);
  const counts = WAYS.map(({ count }) => count).join(",");
  const { pid, ends } = JSON.parse(await client.run(...program, counts, ...addresses));
  for (const { port, count, end } of WAYS) {
    if (ends[port][end] !== count) throw new Error(`Cannot compare: ${JSON.stringify(ends)}`);
  }
  for (const watcher of watchers) {
    await watcher.said.until(
      `${watcher.tool.name} tells of the last connection`,
      () => watcher.sightings.some(({ serverPort }) => serverPort === LAST_PORT),
      TOLD_MS,
    );
  }
  await until("tcpdump printed all", () => log.handshakes.size > TOTAL);
  const heads = [
    "tool",
    ...WAYS.map(({ title, count }) => `${title} (${count})`),
    "right pid and comm",
    "right ISNs",
    "right outcome",
    "failures given a duration",
  ];
  const pids = { client: pid, server: Number(said.all[0]) };
  const rows = [heads, heads.map(() => "---"), ...watchers.map((each) => row(each, pids, log))];
  for (const cells of rows) console.log(`| ${cells.join(" | ")} |`);
}

await main(JSON.parse(Deno.args[0]));
