/**
 * Handshakes that succeed: their numbers against a sniffer's, their round trips against the delay of
 * the network, on the wire, in the kernel and in `ss`, and the moments that only function probes see.
 *
 * @module
 */
import { assert, assertEquals, assertGreater, assertGreaterOrEqual, assertLess } from "@std/assert";
import type { Mechanism } from "../../../src/kernel/choose_probes.ts";
import type { HandshakeRecord } from "../../../src/record/record.ts";
import { until } from "../../netns/namespace.ts";
import { DELAY_MS, type DelayedNetwork, portsOf } from "./delayed_network.ts";
import { connectionKey, PacketLog } from "./packet_log.ts";
import { connectAndServe, holdConnection, SERVERS } from "./peers.ts";

/** Handshakes of each IP version. */
const EACH = 20;
const DELAY_NS = DELAY_MS * 1e6;
/** What an emulated machine needs for a few hundred packets' worth of code; no delay is so short. */
const EMULATION_NS = 15e6;
/** The kernel's samples are whole microseconds. */
const MICROSECOND_NS = 1e3;
/** Packets carry the wall clock's time, probes the boot clock's: what placing one on the other may miss. */
const CLOCKS_NS = 1e6;

function median(values: number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)];
}

/** Holds durations against what delayed them: never less, and seldom much more. */
function assertDelayed(
  durationsNs: (number | undefined)[],
  delayNs: number,
  what: string,
  errorNs = 0,
): void {
  for (const ns of durationsNs) {
    assert(ns! >= delayNs - errorNs, `${what} ${ns} is below ${delayNs}`);
  }
  assertLess(median(durationsNs as number[]) - delayNs, EMULATION_NS, `${what}, median excess`);
}

/** Holds the kernel's samples against the wire's: they begin before and end after the packets pass. */
function assertAgreeing(pairsNs: [wireNs: number, kernelNs: number][], end: string): void {
  const excessesNs = pairsNs.map(([wireNs, kernelNs]) => kernelNs - wireNs);
  const words = `kernel above wire at the ${end}: ${excessesNs}`;
  for (const excessNs of excessesNs) assertGreaterOrEqual(excessNs, -MICROSECOND_NS, words);
  assertLess(median(excessesNs), EMULATION_NS, words);
}

/**
 * Those of which every probe told. Emulated, the kernel skips some (see `tried`), and its event may
 * come later after its packet than the tracer waits for it.
 */
function toldByAll(records: HandshakeRecord[], mechanism: Mechanism): HandshakeRecord[] {
  const whole = records.filter(({ evidence, client, times }) =>
    evidence.length === 2 && client.process !== undefined &&
    times!.server_established_ns !== undefined &&
    (mechanism === "tracepoint" ||
      times!.syn_sent_ns !== undefined && times!.syn_received_ns !== undefined)
  );
  const words = `${whole.length} of ${records.length} told of by every probe`;
  console.error(words);
  assert(whole.length >= 0.75 * records.length, words);
  return whole;
}

function keyOf({ client, server }: HandshakeRecord): string {
  return connectionKey(client, server);
}

/** Both ends' round trips. @returns What the server's tracer said of those that all probes told of. */
export async function testDelay(
  network: DelayedNetwork,
  mechanism: Mechanism,
  attempt: number,
): Promise<HandshakeRecord[]> {
  const port = portsOf("many")[attempt];
  const log = await PacketLog.start(network.client, network.interfaces.client);
  await connectAndServe(network, port, EACH);
  const atClient = await network.reports("client", port, 2 * EACH);
  const atServer = await network.reports("server", port, 2 * EACH);
  await until("tcpdump printed all", () => log.complete >= 2 * EACH);
  for (const [end, records] of [["client", atClient], ["server", atServer]] as const) {
    assertEquals(records.length, 2 * EACH);
    for (const record of records) {
      assertEquals(record.outcome, "established");
      assertEquals(record.network.interface, network.interfaces[end]);
      assertEquals(record.packets, { syn: 1, syn_ack: 1, rst: 0 });
      assertEquals(record.flags, []);
      const { clientIsn, serverIsn } = log.handshakes.get(keyOf(record))!;
      assertEquals([record.client.isn, record.server.isn], [clientIsn, serverIsn]);
    }
    assertEquals(records.filter(({ network }) => network.type === "ipv6").length, EACH);
  }
  for (const { role, evidence } of atClient) {
    assertEquals({ role, evidence }, { role: "client", evidence: ["wire"] });
  }
  const both = toldByAll(atServer, mechanism);
  for (const { role, client, server } of both) {
    // The kernel tells of every namespace, so of the client too.
    assertEquals(role, "local");
    assertEquals(client.process?.comm, "caller");
    if (server.process) assertEquals(server.process.comm, "taker");
  }
  // Emulated, to look for it takes longer than a record waits more often than not.
  const served = both.filter(({ server }) => server.process).length;
  console.error(`${served} of ${both.length} with the server's process`);
  assertGreater(served, 0);
  assertDelayed(atClient.map(({ rtt }) => rtt.client_ns), DELAY_NS, "client RTT at the client");
  assertDelayed(atClient.map(({ rtt }) => rtt.server_ns), 0, "server RTT at the client");
  assertDelayed(atServer.map(({ rtt }) => rtt.client_ns), 0, "client RTT at the server");
  assertDelayed(atServer.map(({ rtt }) => rtt.server_ns), DELAY_NS, "server RTT at the server");
  const clientRtts = new Map(atClient.map((record) => [keyOf(record), record.rtt.client_ns!]));
  assertAgreeing(
    both.map((record) => [clientRtts.get(keyOf(record))!, record.rtt.kernel_client_ns!]),
    "client",
  );
  // A sample of whole milliseconds is not believed; one in a thousand is that by chance.
  const sampled = both.filter(({ rtt }) => rtt.kernel_server_ns !== undefined);
  assertGreaterOrEqual(sampled.length, 0.9 * both.length, "samples at the server");
  assertAgreeing(sampled.map(({ rtt }) => [rtt.server_ns!, rtt.kernel_server_ns!]), "server");
  assertMoments(both, mechanism);
  return both;
}

/** The kernel's moments: in order, next to the packets they belong to, absent where not probed. */
function assertMoments(records: HandshakeRecord[], mechanism: Mechanism): void {
  if (mechanism === "tracepoint") {
    for (const { times } of records) {
      assertLess(times!.connect_ns!, times!.syn_ns!);
      assertEquals(times!.syn_sent_ns, undefined);
      assertEquals(times!.syn_received_ns, undefined);
      assertEquals(times!.accepted_ns, undefined);
    }
    return;
  }
  for (const { times } of records) assertEquals(times!.connect_ns, undefined);
  // All at the server's interface: the SYN comes there at once, the SYN-ACK is not delayed yet.
  const between = (
    what: string,
    from: (times: Times) => number | undefined,
    to: (times: Times) => number | undefined,
  ) => assertDelayed(records.map(({ times }) => to(times!)! - from(times!)!), 0, what, CLOCKS_NS);
  between("SYN sent to SYN", (it) => it.syn_sent_ns, (it) => it.syn_ns);
  between("SYN to SYN received", (it) => it.syn_ns, (it) => it.syn_received_ns);
  between("SYN received to SYN-ACK", (it) => it.syn_received_ns, (it) => it.syn_ack_ns);
  // Emulated, few of the server's accept() come before the record is written.
  const accepted = records.filter(({ times }) => times!.accepted_ns !== undefined);
  assertGreater(accepted.length, 0, "accepted in time");
  for (const { times } of accepted) {
    assertLess(times!.server_established_ns!, times!.accepted_ns!);
  }
}

type Times = NonNullable<HandshakeRecord["times"]>;

/** The kernel's samples are those that `ss` shows while the connection is open. */
export async function testOpenConnection(
  network: DelayedNetwork,
  attempt: number,
): Promise<void> {
  const port = portsOf("held")[attempt];
  for (const [index, address] of SERVERS.entries()) {
    let shown;
    {
      using _connection = await holdConnection(network, address, port);
      shown = {
        client: await shownRttNs(network.client, `dport = :${port}`),
        server: await shownRttNs(network.server, `sport = :${port}`),
      };
    }
    const { rtt, times } = (await network.reports("server", port, index + 1))[index];
    assertEquals(rtt.kernel_client_ns, shown.client);
    assert(times!.server_established_ns !== undefined, "the server's side was missed");
    // As above: whole milliseconds may not be believed.
    if (rtt.kernel_server_ns === undefined) assertEquals(shown.server % 1e6, 0);
    else assertEquals(rtt.kernel_server_ns, shown.server);
  }
}

/** The round trip that `ss` shows of the one connection that fits a filter, in nanoseconds. */
async function shownRttNs(namespace: DelayedNetwork["client"], filter: string): Promise<number> {
  const text = await namespace.run("ss", "-Htin", "state", "established", `( ${filter} )`);
  const shown = Array.from(text.matchAll(/ rtt:([\d.]+)\//g), ([, ms]) => Number(ms));
  assertEquals(shown.length, 1, text);
  return Math.round(shown[0] * 1e6);
}
