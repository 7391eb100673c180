/**
 * The lab: a client, a router and a server, each in a namespace of its own, cables between them,
 * and tracers that run over many scenarios.
 *
 * @module
 */
import type { HandshakeRecord } from "../../../src/record/record.ts";
import { Namespace, until } from "../namespace.ts";
import { Tracer, type TraceResult } from "../tracer.ts";
import { CLIENT_NETWORK, GATEWAY, Host, ipv4, ipv6, LAB_NETWORKS, SERVER_NETWORK } from "./host.ts";
import type { Scenario } from "./scenario.ts";
import type { Topology } from "./topology.ts";

/** The hosts of a lab. */
export interface Hosts {
  client: Host;
  /** Between the two, with an interface to each; forwards. */
  router: Host;
  server: Host;
}

/** What a scenario's traffic is made with. */
export interface Stage extends Hosts {
  /** The first of {@link PORTS_EACH} ports that are this scenario's own, by convention the server's. */
  port: number;
  /** Resolves when every tracer traces; before the traffic begins unless it begins before the trace. */
  traceBegan: Promise<void>;
  /** Waits until every tracer has written so many records of this scenario's server port. */
  reported(count: number): Promise<void>;
}

/** What came of a scenario: its records by the name of the tracer, or why it could not be played. */
export type Played = { records: Map<string, HandshakeRecord[]> } | { error: unknown };

/** What came of playing scenarios in one topology. */
export interface Performance {
  played: Map<Scenario, Played>;
  /** The first port of each scenario. */
  ports: Map<Scenario, number>;
  /** How each tracer ended, by its name. */
  results: Map<string, TraceResult>;
  /** For how long this process, which makes the traffic, did not get on at most, ms. */
  stalledMs: number;
}

/** Ports from the first one of a scenario on that belong to it. Below those that the kernel chooses. */
export const PORTS_EACH = 10;
const PORTS_FROM = 20_000;
const WATCH_MS = 20;
/** Scenarios under way at the same time; most of the time they wait. */
const AT_ONCE = 8;

/**
 * Plays scenarios in a topology of their own and takes what the tracers there reported.
 *
 * @param beside Starts what is to run as long as the tracers do.
 */
export async function play(
  topology: Topology,
  scenarios: readonly Scenario[],
  beside?: (hosts: Hosts) => Promise<AsyncDisposable>,
): Promise<Performance> {
  await using stack = new AsyncDisposableStack();
  const hosts = await buildHosts(stack);
  await topology.prepare?.(hosts);
  const traceBegan = Promise.withResolvers<void>();
  const ports = new Map(
    scenarios.map((scenario, index) => [scenario, PORTS_FROM + index * PORTS_EACH]),
  );
  const errors = new Map<Scenario, unknown>();
  const tracers = new Map<string, Tracer>();
  const run = async (scenario: Scenario) => {
    const port = ports.get(scenario)!;
    const recordsOf = ({ lines }: Tracer) =>
      lines.filter((line) => line.includes(`"port":${port}`));
    const reported = (count: number) =>
      until(
        `${count} records of port ${port} from every tracer`,
        () => [...tracers.values()].every((tracer) => recordsOf(tracer).length >= count),
      );
    const stage = { ...hosts, port, traceBegan: traceBegan.promise, reported };
    try {
      await scenario.traffic(stage);
    } catch (error) {
      errors.set(scenario, error);
    }
  };
  const early = scenarios.filter((scenario) => scenario.beginsBeforeTrace).map(run);
  await using _running = await beside?.(hosts);
  await Promise.all(
    Object.entries(topology.views).map(async ([name, { host, args = [] }]) => {
      const filter = ["--json", "--host", LAB_NETWORKS.join(","), ...args];
      const start = args.includes("none") ? Tracer.start : Tracer.ready;
      tracers.set(name, await start(hosts[host].namespace, filter));
    }),
  );
  traceBegan.resolve();
  const waiting = scenarios.filter((scenario) => !scenario.beginsBeforeTrace);
  const runNext = async () => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) await run(next);
  };
  const stopped = watchStalls();
  await Promise.all([...early, ...Array.from({ length: AT_ONCE }, runNext)]);
  const stalledMs = stopped();

  const results = await Promise.all(
    [...tracers].map(async ([name, tracer]) => [name, await tracer.stop()] as const),
  );
  const recordsOf = (scenario: Scenario) => {
    const from = ports.get(scenario)!;
    const isOurs = (port: number) => port >= from && port < from + PORTS_EACH;
    return new Map(results.map(([name, { records }]) => [
      name,
      records.filter(({ client, server }) => isOurs(client.port) || isOurs(server.port))
        .toSorted((a, b) => a.time < b.time ? -1 : 1),
    ]));
  };
  return {
    played: new Map(
      scenarios.map((scenario) => [
        scenario,
        errors.has(scenario) ? { error: errors.get(scenario) } : { records: recordsOf(scenario) },
      ]),
    ),
    ports,
    results: new Map(results),
    stalledMs,
  };
}

/** Looks whether timers come late. @returns Ends that, and tells by how many ms one did at most. */
function watchStalls(): () => number {
  let stalledMs = 0;
  let lastMs = performance.now();
  const timer = setInterval(() => {
    const nowMs = performance.now();
    stalledMs = Math.max(stalledMs, nowMs - lastMs - WATCH_MS);
    lastMs = nowMs;
  }, WATCH_MS);
  return () => {
    clearInterval(timer);
    return stalledMs;
  };
}

/** Lays the cables of a lab; the stack takes it down. */
export async function buildHosts(stack: AsyncDisposableStack): Promise<Hosts> {
  const host = async (network: number, last?: number) =>
    stack.use(new Host(await Namespace.create(), network, last));
  const client = await host(CLIENT_NETWORK);
  const router = await host(CLIENT_NETWORK, GATEWAY);
  const server = await host(SERVER_NETWORK);
  await router.sysctl("net.ipv4.ip_forward", 1);
  await router.sysctl("net.ipv6.conf.all.forwarding", 1);
  // Each SYN that cannot be delivered gets its answer, however many scenarios there are.
  await router.sysctl("net.ipv4.icmp_ratelimit", 0);
  await router.sysctl("net.ipv6.icmp.ratelimit", 0);
  // A SYN is sent again after 1 s and 3 s, and as often as TCP_SYNCNT says; 6.5 and later ask.
  await client.namespace.run("sysctl", "-eqw", "net.ipv4.tcp_syn_linear_timeouts=0");
  await server.sysctl("net.ipv4.tcp_fastopen", 3);
  await cable(client, router, CLIENT_NETWORK);
  await cable(server, router, SERVER_NETWORK);
  // The router asks for an address nobody has for half a second, not for three.
  await router.sysctl("net.ipv4.neigh.veth1.retrans_time_ms", 150);
  for (const each of [client, router, server]) await each.raiseFirewall();
  return { client, router, server };
}

/** Lays the cable of a host to the router, where its ghost is known too. */
async function cable(end: Host, router: Host, network: number): Promise<void> {
  const [here, there] = await end.namespace.connect(router.namespace, {
    here: `${end.address}/24`,
    there: `${ipv4(network, GATEWAY)}/24`,
  });
  const { namespace } = end;
  await namespace.ip("address", "add", `${end.address6}/64`, "dev", here, "nodad");
  const gateway6 = `${ipv6(network, GATEWAY)}/64`;
  await router.namespace.ip("address", "add", gateway6, "dev", there, "nodad");
  await namespace.ip("route", "add", "default", "via", ipv4(network, GATEWAY));
  await namespace.ip("-6", "route", "add", "default", "via", ipv6(network, GATEWAY));
  const [own] = JSON.parse(await namespace.ip("-j", "link", "show", here));
  const [far] = JSON.parse(await router.namespace.ip("-j", "link", "show", there));
  for (const address of [end.ghostAddress, end.ghostAddress6]) {
    await router.namespace.ip(
      ...["neighbor", "add", address, "lladdr", own.address, "dev", there, "nud", "permanent"],
    );
  }
  end.link = {
    interfaceIndex: own.ifindex,
    routerMac: Uint8Array.from(far.address.split(":"), (byte: string) => parseInt(byte, 16)),
  };
}
