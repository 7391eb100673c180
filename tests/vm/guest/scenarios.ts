/**
 * What is tested in a guest, whatever its kernel: run there by `deno test`, with the folder of the
 * compiled helpers, how the kernel's release begins and how bpftrace's version begins as arguments.
 *
 * @module
 */
import { assert, assertEquals, assertLess } from "@std/assert";
import type { HandshakeRecord } from "../../../src/report/record.ts";
import { until } from "../../netns/namespace.ts";
import { MAIN } from "../../netns/tracer.ts";
import { ADDRESSES, DELAY_MS, DelayedNetwork, PORTS } from "./delayed_network.ts";
import { connectionKey, PacketLog } from "./packet_log.ts";

const [helpers, kernel, bpftrace] = Deno.args;
const connectLoad = `${helpers}/connect_load`;

/** Handshakes of each IP version. */
const EACH = 20;
const DELAY_NS = DELAY_MS * 1e6;
/** What an emulated machine needs for a few hundred packets' worth of code; no delay is so short. */
const EMULATION_NS = 8e6;
/** The kernel's samples are whole microseconds. */
const MICROSECOND_NS = 1e3;

function median(values: number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)];
}

/** Holds round trips against what delayed them: never less, and seldom much more. */
function assertDelayed(rttsNs: (number | undefined)[], delayNs: number, what: string): void {
  for (const rttNs of rttsNs) assert(rttNs! >= delayNs, `${what} ${rttNs} is below ${delayNs}`);
  assertLess(median(rttsNs as number[]) - delayNs, EMULATION_NS, `${what}, median excess`);
}

/** Holds the kernel's samples against the wire's: they begin before and end after the packets pass. */
function assertAgreeing(records: HandshakeRecord[], end: "client" | "server"): void {
  const excessesNs = records.map(({ rtt }) => {
    const [wireNs, kernelNs] = end === "client"
      ? [rtt.client_ns!, rtt.kernel_client_ns!]
      : [rtt.server_ns!, rtt.kernel_server_ns!];
    return kernelNs - wireNs;
  });
  const words = `kernel above wire at the ${end}: ${excessesNs}`;
  for (const excessNs of excessesNs) assert(excessNs >= -MICROSECOND_NS, words);
  assertLess(median(excessesNs), EMULATION_NS, words);
}

/**
 * Those that both sources saw. Emulated, the kernel's event may come later after its packet than the
 * tracer waits for it; that must stay rare.
 */
function seenByBoth(records: HandshakeRecord[]): HandshakeRecord[] {
  const both = records.filter(({ evidence }) => evidence.length === 2);
  assert(both.length >= 0.9 * records.length, `${both.length} of ${records.length} seen by both`);
  return both;
}

Deno.test("doctor finds everything", async () => {
  const { code, stdout } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "--quiet", "--no-check", "-A", MAIN, "doctor", "--json"],
    stdin: "null",
    stderr: "inherit",
  }).output();
  const { facts, plan } = JSON.parse(new TextDecoder().decode(stdout));
  assert(facts.release.startsWith(kernel), facts.release);
  assert(facts.bpftrace.version.startsWith(`bpftrace v${bpftrace}`), facts.bpftrace.version);
  assertEquals(facts.btf, true);
  assertEquals(facts.tracefs, "mounted");
  assertEquals(facts.setStateTracepoint, true);
  assertEquals(facts.capture, { filter: "ebpf" });
  assertEquals(facts.foreignMaps, true);
  assertEquals(plan, "a trace uses packets and the kernel's tracepoint");
  assertEquals(code, 0);
});

Deno.test("trace", async (context) => {
  await using network = await DelayedNetwork.create();
  // Each end must know the other's hardware address: else the first SYN waits for it, unseen.
  await connectOnce(network);
  await network.trace();
  // What runs for the first time is translated by the emulator, which takes tens of milliseconds.
  await connectOnce(network);
  await network.reports(PORTS.first, 2);
  const step = (name: string, test: (network: DelayedNetwork) => Promise<void>) =>
    context.step(name, () => test(network));
  await step("shows the network's delay to each end as its own round trip", delayTest);
  await step("agrees with ss on the round trip of an open connection", openConnectionTest);
  await step("tells refused and timed out apart with IPv4 and IPv6", failureTest);
});

async function delayTest(network: DelayedNetwork): Promise<void> {
  const log = await PacketLog.start(network.client, network.interfaceName);
  for (const { server } of Object.values(ADDRESSES)) {
    const address = [server, String(PORTS.many), String(EACH)];
    await serve(network, [...address, "--serve", "taker"]);
    await network.client.run(connectLoad, ...address, "--connect", "caller");
  }
  const { client: atClient, server: atServer } = await network.reports(PORTS.many, 2 * EACH);
  await until("tcpdump printed all", () => log.complete >= 2 * EACH);
  for (const records of [atClient, atServer]) {
    assertEquals(records.length, 2 * EACH);
    for (const record of records) {
      assertEquals(record.outcome, "established");
      assertEquals(record.network.interface, network.interfaceName);
      assertEquals(record.packets, { syn: 1, syn_ack: 1, rst: 0 });
      const isns = log.isns.get(connectionKey(record.client, record.server));
      assertEquals({ client: record.client.isn, server: record.server.isn }, isns);
    }
    for (const record of seenByBoth(records)) {
      assertEquals(record.client.process?.comm, "caller");
      assertEquals(record.server.process?.comm, "taker");
    }
    assertEquals(records.filter(({ network }) => network.type === "ipv6").length, EACH);
  }
  assertDelayed(atClient.map(({ rtt }) => rtt.client_ns), DELAY_NS, "client RTT at the client");
  assertDelayed(atClient.map(({ rtt }) => rtt.server_ns), 0, "server RTT at the client");
  assertDelayed(atServer.map(({ rtt }) => rtt.client_ns), 0, "client RTT at the server");
  assertDelayed(atServer.map(({ rtt }) => rtt.server_ns), DELAY_NS, "server RTT at the server");
  assertAgreeing(seenByBoth(atClient), "client");
  assertAgreeing(seenByBoth(atServer), "server");
}

async function openConnectionTest(network: DelayedNetwork): Promise<void> {
  for (const { server } of Object.values(ADDRESSES)) {
    const address = [server, String(PORTS.held), "1"];
    const serving = await serve(network, [...address, "--serve"]);
    const holder = network.client.spawn(
      ["python3", "-c", HOLD, server, String(PORTS.held)],
      { stdin: "piped", stdout: "piped" },
    );
    await firstOutput(holder);
    const shown = {
      client: await shownRttNs(network.client, `dport = :${PORTS.held}`),
      server: await shownRttNs(network.server, `sport = :${PORTS.held}`),
    };
    // The end of its input ends it, and the end of the connection the server.
    await holder.stdin.close();
    await holder.status;
    await serving.status;
    const count = server === ADDRESSES.ipv4.server ? 1 : 2;
    const { client, server: atServer } = await network.reports(PORTS.held, count);
    for (const records of [client, atServer]) {
      const { rtt } = records[count - 1];
      assertEquals({ client: rtt.kernel_client_ns, server: rtt.kernel_server_ns }, shown);
    }
  }
}

async function failureTest(network: DelayedNetwork): Promise<void> {
  // One repeated SYN instead of six: a timeout after 3 s instead of 127 s.
  await network.client.run("sysctl", "-qw", "net.ipv4.tcp_syn_retries=1");
  await network.client.run("sysctl", "-eqw", "net.ipv4.tcp_syn_linear_timeouts=0");
  await network.server.run(
    "nft",
    "add table inet t; add chain inet t in { type filter hook input priority 0; }; " +
      `add rule inet t in tcp dport ${PORTS.silent} drop`,
  );
  const servers = Object.values(ADDRESSES).map(({ server }) => server);
  const ends = await network.client.run("python3", "-c", FAIL, ...servers);
  assertEquals(ends.trim().split("\n"), [
    "ECONNREFUSED",
    "ETIMEDOUT",
    "ECONNREFUSED",
    "ETIMEDOUT",
  ]);
  const refused = await network.reports(PORTS.refusing, 2);
  const silent = await network.reports(PORTS.silent, 2);
  const expected = [
    { reports: refused, outcome: "refused", reason: "ECONNREFUSED", syn: 1, rst: 1 },
    { reports: silent, outcome: "timeout", reason: "ETIMEDOUT", syn: 2, rst: 0 },
  ];
  for (const { reports, outcome, reason, syn, rst } of expected) {
    for (const records of Object.values(reports)) {
      assertEquals(records.map(({ network }) => network.type).toSorted(), ["ipv4", "ipv6"]);
      for (const record of records) {
        assertEquals(record.outcome, outcome);
        assertEquals(record.reason, reason);
        assertEquals(record.evidence, ["wire", "kernel"]);
        assertEquals(record.client.process?.comm, "python3");
        assertEquals(record.packets, { syn, syn_ack: 0, rst });
        assertEquals(record.rtt.client_ns, undefined);
      }
    }
  }
}

/** Connects, says so, and holds the connection until its input ends. */
const HOLD = `
import socket, sys
connection = socket.create_connection((sys.argv[1], int(sys.argv[2])))
print("connected", flush=True)
sys.stdin.read()
`;

/** Connects to each address at the two ports where that fails, and prints how it did. */
const FAIL = `
import errno, socket, sys
for address in sys.argv[1:]:
    for port in (${PORTS.refusing}, ${PORTS.silent}):
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        with socket.socket(family) as connection:
            print(errno.errorcode[connection.connect_ex((address, port))])
`;

/** Connects once with each IP version. */
async function connectOnce(network: DelayedNetwork): Promise<void> {
  for (const { server } of Object.values(ADDRESSES)) {
    const address = [server, String(PORTS.first), "1"];
    const serving = await serve(network, [...address, "--serve"]);
    await network.client.run(connectLoad, ...address, "--connect");
    await serving.status;
  }
}

/** Starts `connect_load` at the server and waits until it listens. */
async function serve(network: DelayedNetwork, args: string[]): Promise<Deno.ChildProcess> {
  const child = network.server.spawn([connectLoad, ...args], { stdout: "piped" });
  await firstOutput(child);
  return child;
}

/** Waits until a process has written something. */
async function firstOutput({ stdout }: Deno.ChildProcess): Promise<void> {
  const reader = stdout.getReader();
  const { done } = await reader.read();
  assert(!done, "it ended before it said anything");
  await reader.cancel();
}

/** The round trip that `ss` shows of the one connection that fits a filter, in nanoseconds. */
async function shownRttNs(namespace: DelayedNetwork["client"], filter: string): Promise<number> {
  const text = await namespace.run("ss", "-Htin", "state", "established", `( ${filter} )`);
  const shown = Array.from(text.matchAll(/ rtt:([\d.]+)\//g), ([, ms]) => Number(ms));
  assertEquals(shown.length, 1, text);
  return Math.round(shown[0] * 1e6);
}
