/**
 * Handshakes that fail, and those that a server under load saves: each must be told with its cause,
 * and how often must be what the kernel itself counted.
 *
 * @module
 */
import {
  assert,
  assertEquals,
  assertGreater,
  assertGreaterOrEqual,
  assertLess,
  assertLessOrEqual,
} from "@std/assert";
import type { Mechanism } from "../../../src/kernel/choose_probes.ts";
import { isRelease } from "../../../src/kernel/release.ts";
import type { HandshakeRecord } from "../../../src/record/record.ts";
import { ADDRESSES, type DelayedNetwork, PORTS, portsOf, SPOOFED } from "./delayed_network.ts";
import { connectAndServe, connectAtOnce, listen, sendSpoofedSyns, SERVERS } from "./peers.ts";

/** Connections with each address at the same time. */
const AT_ONCE = 3;
/** A SYN and its one repetition. */
const SYNS = 2;
/** SYNs of the flood, and the queue they fill. */
const FLOOD = 300;
const FLOODED_BACKLOG = 16;
/** SYNs from nobody to a port that is closed, and to one behind a firewall. */
const SPOOFED_SYNS = 10;

/** Events that a probe may miss in a whole trace: more from Linux 7 on, where others preempt a tracepoint's. */
const MISSED_MAX = isRelease(Deno.osRelease(), 7, 0) ? 60 : 15;

/** Whether a mechanism sees what a listener does with a SYN. */
function seesListeners(mechanism: Mechanism): boolean {
  return mechanism !== "tracepoint";
}

/** Makes SYNs be repeated once instead of six times: a timeout after 3 s instead of 127 s. */
export async function shortenTimeouts(network: DelayedNetwork): Promise<void> {
  await network.client.run("sysctl", "-qw", "net.ipv4.tcp_syn_retries=1");
  await network.client.run("sysctl", "-eqw", "net.ipv4.tcp_syn_linear_timeouts=0");
}

/** Makes the server drop what comes to a port. */
export async function raiseFirewall(network: DelayedNetwork): Promise<void> {
  await network.server.run(
    "nft",
    "add table inet t; add chain inet t in { type filter hook input priority 0; }; " +
      `add rule inet t in tcp dport { ${portsOf("silent")} } drop`,
  );
}

/** A closed port and a firewall, with IPv4 and IPv6. @returns What the server's tracer said. */
export async function testRefusedAndTimedOut(
  network: DelayedNetwork,
  resetReasons: boolean,
  attempt: number,
): Promise<HandshakeRecord[]> {
  const count = SERVERS.length;
  const [refusing, silentPort] = [portsOf("refusing")[attempt], portsOf("silent")[attempt]];
  assertEquals(await connectAtOnce(network, refusing, 1), Array(count).fill("ECONNREFUSED"));
  assertEquals(await connectAtOnce(network, silentPort, 1), Array(count).fill("ETIMEDOUT"));
  const refused = await network.reports("server", refusing, count);
  const silent = await network.reports("server", silentPort, count);
  for (const records of [refused, silent]) {
    assertEquals(records.map(({ network }) => network.type).toSorted(), ["ipv4", "ipv6"]);
    for (const record of records) {
      assertEquals(record.evidence, ["wire", "kernel"]);
      assertEquals(record.client.process?.pid, Deno.pid);
      assertEquals(record.rtt.client_ns, undefined);
    }
  }
  for (const { outcome, reason, packets, drop, reset } of refused) {
    assertEquals({ outcome, reason }, { outcome: "refused", reason: "ECONNREFUSED" });
    assertEquals(packets, { syn: 1, syn_ack: 0, rst: 1 });
    assertEquals(drop, { reason: "NO_SOCKET", packet: "syn", count: 1 });
    assertEquals(reset, resetReasons ? { reason: "NO_SOCKET" } : undefined);
  }
  for (const { outcome, reason, packets, drop, reset } of silent) {
    assertEquals({ outcome, reason }, { outcome: "timeout", reason: "ETIMEDOUT" });
    assertEquals(packets, { syn: SYNS, syn_ack: 0, rst: 0 });
    assertEquals(drop, { reason: "NETFILTER_DROP", packet: "syn", count: SYNS });
    assertEquals(reset, undefined);
  }
  const atClient = await network.reports("client", refusing, count);
  for (const { outcome, reason, evidence } of atClient) {
    assertEquals({ outcome, reason, evidence }, {
      outcome: "refused",
      reason: null,
      evidence: ["wire"],
    });
  }
  return [...refused, ...silent];
}

/** A listener whose accept queue is full lets SYNs fall. */
export async function testFullAcceptQueue(
  network: DelayedNetwork,
  mechanism: Mechanism,
  attempt: number,
): Promise<void> {
  const port = portsOf("full")[attempt];
  // The queue takes one more than the backlog.
  const backlog = AT_ONCE - 1;
  const count = AT_ONCE * SERVERS.length;
  using listeners = new DisposableStack();
  for (const address of SERVERS) listeners.use(listen(network, address, port, backlog));
  const queued = await connectAtOnce(network, port, AT_ONCE);
  assertEquals(queued, Array(count).fill("connected"));
  const before = await network.counters();
  const refused = await connectAtOnce(network, port, AT_ONCE);
  assertEquals(refused, Array(count).fill("ETIMEDOUT"));
  const overflows = (await network.counters()).ListenOverflows - before.ListenOverflows;
  assertEquals(overflows, count * SYNS);

  const records = await network.reports("server", port, 2 * count);
  const established = records.filter(({ outcome }) => outcome === "established");
  assertEquals(established.length, count);
  for (const { times, drop } of established) {
    assertEquals(times!.accepted_ns, undefined);
    assertEquals(drop, undefined);
  }
  const timedOut = records.filter(({ outcome }) => outcome === "timeout");
  assertEquals(timedOut.length, count);
  for (const { reason, packets, drop } of timedOut) {
    assertEquals(reason, "ETIMEDOUT");
    assertEquals(packets, { syn: SYNS, syn_ack: 0, rst: 0 });
    if (!seesListeners(mechanism)) {
      assertEquals(drop, undefined);
      continue;
    }
    assertEquals(drop, {
      reason: "ACCEPT_QUEUE_FULL",
      packet: "syn",
      count: SYNS,
      queue_length: backlog + 1,
      queue_limit: backlog,
    });
  }
}

/** A connect() that fails before there is a SYN, because its addresses and ports have a connection. */
export async function testFailureBeforeSyn(
  network: DelayedNetwork,
  attempt: number,
): Promise<void> {
  const port = portsOf("taken")[attempt];
  for (const address of SERVERS) {
    const errno = await network.server.run("python3", "-c", CONNECT_TWICE, address, `${port}`);
    assertEquals(errno.trim(), "EADDRNOTAVAIL");
  }
  const records = await network.reports("server", port, 2 * SERVERS.length);
  const failed = records.filter(({ outcome }) => outcome !== "established");
  assertEquals(failed.map(({ network }) => network.type).toSorted(), ["ipv4", "ipv6"]);
  for (const { outcome, evidence, packets, client, server, times } of failed) {
    assertEquals(client.address, server.address);
    assertEquals([outcome, evidence, packets.syn], ["aborted", ["kernel"], 0]);
    assertEquals(client.process?.comm, "python3");
    assertEquals(times?.syn_sent_ns, undefined);
  }
}

const CONNECT_TWICE = `
import errno, socket, sys
address, port = sys.argv[1], int(sys.argv[2])
family = socket.AF_INET6 if ":" in address else socket.AF_INET
listener = socket.create_server((address, port), family=family)
ends = [socket.socket(family) for _ in range(2)]
for end in ends:
    end.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    end.bind((address, port + 100))
ends[0].connect((address, port))
print(errno.errorcode[ends[1].connect_ex((address, port))])
`;

/** Connections that the client resets before anybody accepts them, all by one program of the server. */
export async function testResetBeforeAccept(
  network: DelayedNetwork,
  mechanism: Mechanism,
  attempt: number,
): Promise<void> {
  const port = portsOf("reset")[attempt];
  for (const address of SERVERS) {
    await network.server.run("python3", "-c", RESET_THEN_ACCEPT, address, `${port}`, `${RESETS}`);
  }
  const records = await network.reports("server", port, RESETS * SERVERS.length);
  for (const { role, outcome, times } of records) {
    assertEquals([role, outcome], ["local", "established"]);
    assertEquals(times!.accepted_ns !== undefined, seesListeners(mechanism));
    if (seesListeners(mechanism)) assertLess(times!.server_established_ns!, times!.accepted_ns!);
  }
}

const RESETS = 10;
const RESET_THEN_ACCEPT = `
import socket, struct, sys
address, port, count = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
family = socket.AF_INET6 if ":" in address else socket.AF_INET
listener = socket.create_server((address, port), family=family)
for _ in range(count):
    client = socket.create_connection((address, port))
    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    client.close()
    listener.accept()[0].close()
`;

/** A server that answers every SYN with a cookie. */
export async function testCookies(
  network: DelayedNetwork,
  mechanism: Mechanism,
  attempt: number,
): Promise<void> {
  const port = portsOf("cookies")[attempt];
  await network.server.run("sysctl", "-qw", "net.ipv4.tcp_syncookies=2");
  const before = await network.counters();
  await connectAndServe(network, port, AT_ONCE);
  const count = AT_ONCE * SERVERS.length;
  const records = await network.reports("server", port, count);
  const after = await network.counters();
  assertEquals(after.SyncookiesSent - before.SyncookiesSent, count);
  assertEquals(after.SyncookiesRecv - before.SyncookiesRecv, count);
  assertEquals(records.length, count);
  for (const { outcome, flags, times } of records) {
    assertEquals(outcome, "established");
    assertEquals(flags, seesListeners(mechanism) ? ["syn_cookie"] : []);
    assertEquals(times!.syn_received_ns !== undefined, seesListeners(mechanism));
  }
}

/**
 * SYNs from an address that nobody has: to a closed port, to one behind a firewall, and so many to a
 * listener without cookies that its queue of half-open connections is full. Ends the tracer, which
 * then reports what still waits.
 */
export async function testFlood(
  network: DelayedNetwork,
  mechanism: Mechanism,
  resetReasons: boolean,
): Promise<void> {
  await network.server.run("sysctl", "-qw", "net.ipv4.tcp_syncookies=0");
  using _listener = listen(network, ADDRESSES.ipv4.server, PORTS.flooded, FLOODED_BACKLOG);
  const before = await network.counters();
  await sendSpoofedSyns(network, PORTS.refusing, SPOOFED_SYNS);
  await sendSpoofedSyns(network, PORTS.silent, SPOOFED_SYNS);
  await sendSpoofedSyns(network, PORTS.flooded, FLOOD);
  const { records, summary, stderr } = await network.stop("server");
  const refusals = (await network.counters()).TCPReqQFullDrop - before.TCPReqQFullDrop;
  await network.server.run("sysctl", "-qw", "net.ipv4.tcp_syncookies=1");
  const to = (port: number, count: number) => {
    const sent = records.filter(({ client, server }) =>
      server.port === port && client.address === SPOOFED
    );
    assertEquals(sent.length, count, JSON.stringify(sent));
    return sent;
  };

  // What a probe missed is told as a loss, by kernels that count it.
  const missed = summary!.losses.recursion_misses ?? MISSED_MAX;
  const hasDrop = ({ drop }: HandshakeRecord) => drop !== undefined;
  const closed = to(PORTS.refusing, SPOOFED_SYNS);
  const silent = to(PORTS.silent, SPOOFED_SYNS);
  for (const { role, outcome } of closed) {
    assertEquals({ role, outcome }, { role: "server", outcome: "refused" });
  }
  for (const { reason, evidence, drop, reset } of closed.filter(hasDrop)) {
    assertEquals({ reason, evidence }, { reason: "NO_SOCKET", evidence: ["wire", "kernel"] });
    assertEquals(drop, { reason: "NO_SOCKET", packet: "syn", count: 1 });
    assertEquals(reset?.reason, resetReasons ? "NO_SOCKET" : undefined);
  }
  for (const { role, outcome, reason, evidence } of silent.filter(hasDrop)) {
    assertEquals({ role, outcome, reason }, {
      role: "server",
      outcome: "dropped",
      reason: "NETFILTER_DROP",
    });
    assertEquals(evidence, ["wire", "kernel"]);
  }
  const told = [...closed, ...silent].filter(hasDrop).length;
  assertGreaterOrEqual(told, 2 * SPOOFED_SYNS - missed);

  const flood = to(PORTS.flooded, FLOOD);
  assertGreater(refusals, FLOOD / 2);
  const answered = flood.filter(({ packets }) => packets.syn_ack > 0);
  const unanswered = flood.filter(({ packets }) => packets.syn_ack === 0);
  assertEquals(unanswered.length, refusals);
  for (const { outcome, drop } of answered) {
    assertEquals(outcome, "half_open");
    assert(drop?.packet !== "syn");
  }
  const refused = unanswered.filter(({ drop }) => drop !== undefined);
  const untold = unanswered.filter(({ drop }) => drop === undefined);
  for (const { role } of unanswered) assertEquals(role, "server");
  for (const { outcome } of untold) assertEquals(outcome, "unanswered");
  console.error(
    `flood: ${2 * SPOOFED_SYNS - told + (seesListeners(mechanism) ? untold.length : 0)} untold; ` +
      `the kernel counts ${summary!.losses.recursion_misses} missed`,
  );
  if (seesListeners(mechanism)) assertLessOrEqual(untold.length, missed);
  else assertEquals(refused, []);
  for (const { outcome, reason, drop } of refused) {
    assertEquals({ outcome, reason }, { outcome: "dropped", reason: "SYN_QUEUE_FULL" });
    assertEquals(drop!.count, 1);
    assertEquals(drop!.queue_limit, FLOODED_BACKLOG);
    assertGreaterOrEqual(drop!.queue_length!, FLOODED_BACKLOG);
  }
  assertLessOrEqual(missed, MISSED_MAX, "events that probes missed");
  const alone = records.filter(({ evidence }) => !evidence.includes("wire"));
  const toldAlone = alone.map((record) => JSON.stringify(record)).join("\n");
  for (const [place, count] of Object.entries(summary!.losses)) {
    if (/^(late|unexpected|recursion_misses)/.test(place)) continue;
    assertEquals(
      count,
      0,
      `${place}\n${stderr.join("\n")}\nthe kernel alone told of:\n${toldAlone}`,
    );
  }
}
