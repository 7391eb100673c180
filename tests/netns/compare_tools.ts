/**
 * Plays the lab's scenarios with a capture and tcpstates beside the tracers, runs other tools on each
 * scenario's packets and prints a Markdown table of what they say, for tests/netns/README.md:
 *
 * `deno run -A tests/netns/compare_tools.ts [--filter TEXT]`; `--cases` prints the tables of the
 * cases instead. Needs tshark, tcptrace and what the tests of this tier need.
 *
 * @module
 */
import { parseArgs } from "@std/cli";
import type { HandshakeRecord } from "../../src/record/record.ts";
import { formatDuration } from "../../src/text/time.ts";
import { libbpfTools } from "../vm/compare/libbpf_tools.ts";
import { GUESTS } from "../vm/guest_files.ts";
import { Capture, slowedDown } from "./compare/capture.ts";
import { differences, type Sightings } from "./compare/differences.ts";
import { type LeftSynSent, TcpStates } from "./compare/tcpstates.ts";
import { tracedConnections } from "./compare/tcptrace.ts";
import { conversationsOf } from "./compare/wireshark.ts";
import { caseTables, markdownTable } from "./lab/case_table.ts";
import { play, PORTS_EACH } from "./lab/lab.ts";
import type { Scenario } from "./lab/scenario.ts";
import { SCENARIOS } from "./lab/scenarios.ts";
import type { Topology } from "./lab/topology.ts";

/** tcptrace prints tenths of a millisecond, the lab's round trips take microseconds. */
const SLOWER = 1000;
/** What tells nothing more of a handshake. */
const IN_BRACKETS = / \(SYNs: (\d)\) \(FINs: \d\)/;
/** Values listed one by one. */
const LISTED_MAX = 3;

/** What was seen in the capture where the clauses made by themselves do not say it. */
const SEEN: ReadonlyMap<string, string> = new Map([
  ["a SYN in two fragments", "Wireshark's SYN is the last fragment"],
  ["a SYN in two fragments over IPv6", "Wireshark's SYN is the last fragment"],
  ["tagged frames", "tcptrace reads the untagged one"],
]);

const HEADING = ["case", "synsnoop", "Wireshark", "tcptrace", "tcpstates", "where they differ"];

/** What came of a scenario. */
interface Compared extends Sightings {
  states: readonly LeftSynSent[];
}

async function compareTopology(
  topology: Topology,
  scenarios: readonly Scenario[],
  tcpStates: TcpStates,
  folder: string,
): Promise<Map<Scenario, Compared>> {
  // Where the client's packets pass; of a lab without that view, on the router.
  const [name, view] = Object.entries(topology.views)[0];
  const at = view.args?.indexOf("--interface") ?? -1;
  const interfaceName = at < 0 ? "any" : view.args![at + 1];
  const before = tcpStates.leftSynSent.length;
  const file = `${folder}/${topology.name}.pcap`;
  const performance = await play(
    topology,
    scenarios,
    (hosts) => Capture.start(hosts[view.host].namespace, interfaceName, file),
  );
  const conversations = await conversationsOf(file);
  await Deno.writeFile(`${file}.slow`, await slowedDown(file, SLOWER));
  const connections = await tracedConnections(`${file}.slow`, SLOWER);
  // The next topology uses the same ports again.
  const states = tcpStates.leftSynSent.slice(before);
  const compared = new Map<Scenario, Compared>();
  for (const scenario of scenarios) {
    const played = performance.played.get(scenario)!;
    if ("error" in played) throw played.error;
    const from = performance.ports.get(scenario)!;
    const isOurs = (port: number) => port >= from && port < from + PORTS_EACH;
    const hasOurs = (...endpoints: string[]) =>
      endpoints.some((endpoint) => isOurs(Number(endpoint.split(":").at(-1))));
    compared.set(scenario, {
      records: played.records.get(name)!.filter(({ evidence }) => evidence.includes("wire")),
      conversations: conversations.filter(({ packets: [first] }) =>
        hasOurs(first.source, first.destination)
      ),
      connections: connections.filter(({ a, b }) => hasOurs(a, b)),
      states: states.filter(({ localPort, remotePort }) => isOurs(localPort) || isOurs(remotePort)),
    });
  }
  return compared;
}

function row(scenario: Scenario, compared: Compared): string[] {
  const { records, conversations, connections, states } = compared;
  return [
    scenario.name,
    listed(records.map(ourWords)),
    listed(
      conversations.map(({ initialRttNs, completeness }) =>
        `${initialRttNs === undefined ? "no iRTT" : formatDuration(initialRttNs)}, ${completeness}`
      ),
    ),
    listed(
      connections.map(({ rttNs, complete }) =>
        `${rttNs.map((ns) => ns === 0 ? "-" : formatDuration(ns)).join(" / ")}, ${
          complete.replace(IN_BRACKETS, ", $1 SYN")
        }`
      ),
    ),
    listed(states.map(({ newState, ms }) => `${newState} ${ms} ms`)),
    [...differences(compared), SEEN.get(scenario.name) ?? []].flat().join("; "),
  ];
}

function ourWords({ outcome, rtt }: HandshakeRecord): string {
  const times = [rtt.client_ns, rtt.server_ns, rtt.total_ns];
  if (times.every((ns) => ns === undefined)) return outcome;
  return `${outcome}, ${
    times.map((ns) => ns === undefined ? "-" : formatDuration(ns)).join(" / ")
  }`;
}

/** A few values each, of many how many there are and the first. */
function listed(values: readonly string[]): string {
  if (values.length <= LISTED_MAX) return values.join("<br>");
  return `${values.length}, the first ${values[0]}`;
}

async function main(): Promise<void> {
  const { cases, filter = "" } = parseArgs(Deno.args, { boolean: ["cases"], string: ["filter"] });
  if (cases) return console.log(caseTables());
  const scenarios = SCENARIOS.filter(({ name }) => name.includes(filter));
  const folder = await Deno.makeTempDir({ prefix: "synsnoop-compare-" });
  try {
    await using tcpStates = await TcpStates.start(
      `${await libbpfTools(GUESTS.bookworm)}/tcpstates`,
    );
    const compared = new Map<Scenario, Compared>();
    for (const topology of new Set(scenarios.map((scenario) => scenario.topology))) {
      const here = scenarios.filter((scenario) => scenario.topology === topology);
      for (const entry of await compareTopology(topology, here, tcpStates, folder)) {
        compared.set(...entry);
      }
    }
    const rows = scenarios.map((scenario) => row(scenario, compared.get(scenario)!));
    console.log(markdownTable(HEADING, rows));
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

await main();
