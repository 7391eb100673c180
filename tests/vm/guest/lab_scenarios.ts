/**
 * Scenarios of the lab in a guest: those in which the kernel has most to tell. The tracer stands
 * where the lab has its "client"; what function probes add to that view is said here.
 *
 * @module
 */
import type { Mechanism } from "../../../src/kernel/choose_probes.ts";
import { established } from "../../netns/lab/established.ts";
import { all } from "../../netns/lab/expectations.ts";
import { floods } from "../../netns/lab/floods.ts";
import { givesUp } from "../../netns/lab/gives_up.ts";
import { type Hosts, type Performance, type Played, PORTS_EACH } from "../../netns/lab/lab.ts";
import { losses } from "../../netns/lab/losses.ts";
import { options } from "../../netns/lab/options.ts";
import { refusedAndUnreachable } from "../../netns/lab/refused_and_unreachable.ts";
import { reuse } from "../../netns/lab/reuse.ts";
import {
  anything,
  between,
  type ExpectedRecord,
  Matcher,
  present,
  type Scenario,
} from "../../netns/lab/scenario.ts";
import { until } from "../../netns/namespace.ts";
import type { Tracer } from "../../netns/tracer.ts";

/** Function probes see when a SYN leaves, and not the call of connect() before it. */
const SYN_SENT: ExpectedRecord = { times: { connect_ns: undefined, syn_sent_ns: present } };
const SYN_RECEIVED: ExpectedRecord = { times: { syn_received_ns: present } };
const BOTH_MOMENTS = all(SYN_SENT, SYN_RECEIVED);
/** What the lab's firewalls do, as every mechanism tells it. */
const filtered = (count: number | Matcher): ExpectedRecord => ({
  drop: { reason: "NETFILTER_DROP", packet: "syn", count },
});

/** Where both ends send again, the client drops what it needs no more, for a reason of its own. */
const SYN_ACK_FILTERED: ExpectedRecord = {
  drop: { reason: present, packet: "syn_ack", count: between(1, 2) },
};
/** Emulated, to look for the process takes longer than a record waits more often than not. */
const SERVER_PERHAPS: ExpectedRecord = { server: { process: anything } };
/** Emulated, a program takes long to start and to end. */
const KILLED_LATE = all({ packets: { syn: between(1, 5) } }, filtered(between(1, 5)));

/** What each of a scenario's records holds here beyond what the lab says of it. */
interface Addition {
  /** By every mechanism. */
  always?: ExpectedRecord;
  /** By function probes; absent by the tracepoint alone. */
  functions?: ExpectedRecord;
  /** The last record, by function probes. */
  lastByFunctions?: ExpectedRecord;
}

const QUEUE_FULL: ExpectedRecord = {
  drop: { reason: "ACCEPT_QUEUE_FULL", packet: "syn", count: 1, queue_length: 2, queue_limit: 1 },
};

/** The scenarios by their names. */
const ADDITIONS: Readonly<Record<string, Addition>> = {
  "established over IPv4 by IPv6 sockets": { always: SERVER_PERHAPS, functions: BOTH_MOMENTS },
  "refused by the router's firewall": { always: filtered(1) },
  "host unreachable": { functions: SYN_SENT },
  "network unreachable over IPv6": { functions: SYN_SENT },
  "prohibited by the router's firewall": { functions: SYN_SENT },
  "timeout after three SYNs": { always: filtered(3), functions: SYN_SENT },
  "timeout behind the client's firewall": { always: filtered(2), functions: SYN_SENT },
  "closed while its SYN is unanswered": { always: filtered(1), functions: SYN_SENT },
  "killed while its SYN is unanswered": { always: KILLED_LATE, functions: SYN_SENT },
  "the first SYN is lost": { always: filtered(1), functions: BOTH_MOMENTS },
  "the first two SYNs are lost": { always: filtered(2), functions: BOTH_MOMENTS },
  "the first SYN-ACK is lost": { always: SYN_ACK_FILTERED, functions: BOTH_MOMENTS },
  "the third ACK is lost, data follows": { functions: BOTH_MOMENTS },
  "the third ACK is lost, nothing follows": { functions: SYN_SENT },
  "accept queue full": { functions: BOTH_MOMENTS, lastByFunctions: QUEUE_FULL },
  "a port reused within TIME_WAIT": { functions: BOTH_MOMENTS },
  "TCP Fast Open: data in the SYN": { functions: BOTH_MOMENTS },
  "Multipath TCP": { functions: BOTH_MOMENTS },
  "simultaneous open": { functions: SYN_SENT },
  "self-connect": { functions: SYN_SENT },
  "data in the third packet": { functions: SYN_RECEIVED },
};

const LAB = [established, refusedAndUnreachable, givesUp, losses, floods, reuse, options].flat();

/** The scenarios as a mechanism must tell them, with one view: the tracer that runs already. */
export function scenariosFor(mechanism: Mechanism): Scenario[] {
  return Object.entries(ADDITIONS).map(([name, addition]) => {
    const { always = {}, functions = {}, lastByFunctions = {} } = addition;
    const scenario = LAB.find((each) => each.name === name);
    if (scenario === undefined) throw new Error(`Cannot play "${name}": the lab has none`);
    const told = mechanism === "tracepoint" ? without : (expected: ExpectedRecord) => expected;
    return {
      ...scenario,
      topology: { name: "guest", views: { client: { host: "client" } } },
      expected: (port) => {
        const { expected } = scenario;
        const { client } = typeof expected === "function" ? expected(port) : expected;
        const records = client.map((record) => all(record, always, told(functions)));
        return { client: [...records.slice(0, -1), all(records.at(-1)!, told(lastByFunctions))] };
      },
    };
  });
}

/** The members that are there, each to be absent. */
function without(expected: ExpectedRecord): ExpectedRecord {
  const emptied = (value: unknown): unknown =>
    value instanceof Matcher || typeof value !== "object" ? undefined : Object.fromEntries(
      Object.entries(value!).filter(([, each]) => each !== undefined)
        .map(([key, each]) => [key, emptied(each)]),
    );
  return emptied(expected) as ExpectedRecord;
}

/** Scenarios under way at the same time: each waits most of the time, but the processor is one. */
const AT_ONCE = 4;
/** Below those that the kernel chooses, above those of the other tests. */
let nextPort = 20_000;

/** Plays scenarios before the tracer and takes what it reports of them. */
export async function perform(
  hosts: Hosts,
  tracer: Tracer,
  scenarios: readonly Scenario[],
): Promise<Performance> {
  const ports = new Map(scenarios.map((scenario) => {
    const port = nextPort;
    nextPort += PORTS_EACH;
    return [scenario, port];
  }));
  const played = new Map<Scenario, Played>();
  const recordsOf = (scenario: Scenario) => {
    const from = ports.get(scenario)!;
    const isOurs = (port: number) => port >= from && port < from + PORTS_EACH;
    return tracer.lines.map((line) => JSON.parse(line))
      .filter(({ event }) => event === "handshake")
      .filter(({ client, server }) => isOurs(client.port) || isOurs(server.port))
      .toSorted((a, b) => a.time < b.time ? -1 : 1);
  };
  const run = async (scenario: Scenario) => {
    const port = ports.get(scenario)!;
    const { expected } = scenario;
    const { client } = typeof expected === "function" ? expected(port) : expected;
    const reported = (count: number) =>
      until(`${count} records of "${scenario.name}"`, () => recordsOf(scenario).length >= count);
    const traceBegan = Promise.resolve();
    try {
      await scenario.traffic({ ...hosts, port, traceBegan, reported });
      await reported(client.length);
      played.set(scenario, { records: new Map() });
    } catch (error) {
      played.set(scenario, { error });
    }
  };
  const waiting = [...scenarios];
  const runNext = async () => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) await run(next);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, runNext));
  // Not before all have ended: what one must not report would come late.
  for (const [scenario, each] of played) {
    if ("records" in each) each.records.set("client", recordsOf(scenario));
  }
  return { played, ports, results: new Map(), stalledMs: 0 };
}
