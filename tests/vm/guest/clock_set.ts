/**
 * The wall clock set while tracing, which only a machine of one's own allows. Packets carry its
 * time, the kernel's events the boot clock's.
 *
 * @module
 */
import { assert, assertEquals, assertGreater, assertGreaterOrEqual, assertLess } from "@std/assert";
import type { HandshakeRecord } from "../../../src/record/record.ts";
import { ALL_HOLD } from "../../netns/lab/expectations.ts";
import type { Hosts } from "../../netns/lab/lab.ts";
import { until } from "../../netns/namespace.ts";
import { recordTimeNs } from "../../netns/oracle.ts";
import { DELAY_MS, type DelayedNetwork, portsOf } from "./delayed_network.ts";
import { connectionKey, type HandshakeSeen, PacketLog } from "./packet_log.ts";
import { connectAndServe, SERVERS } from "./peers.ts";

/** Forward, and back to the right time. */
const HOURS = [1, -1];
/** Connections of each IP version after the clock was set. */
const EACH = 3;
/** `date` reads the clock before it sets it, so it sets it by a little less. */
const SET_BY_AN_HOUR = /clock was set by -?(3599|3600)\.\d+ s/;
/**
 * How far two sniffers' times of a packet, and the kernel's of the same moment, may differ: emulated
 * on a busy machine up to 16 ms. An hour is far from that.
 */
const AGREE_NS = 50e6;

/**
 * Sets the guest's clock while a SYN waits for its answer, then connects again.
 *
 * @param hosts The lab, whose client's namespace is the network's server's.
 */
export async function testClockSet(
  network: DelayedNetwork,
  { client, router, server }: Hosts,
  attempt: number,
): Promise<void> {
  const log = await PacketLog.start(network.server, "any");
  const seen = ({ client, server }: HandshakeRecord) =>
    log.handshakes.get(connectionKey(client, server))!;
  for (const [index, hours] of HOURS.entries()) {
    const across = portsOf("clock")[attempt] + 2 * index;
    const after = across + 1;
    await router.block(across);
    // Closed at once: the next mechanism listens at the same port.
    using listener = server.listen(across);
    using socket = client.connect(server.address, across);
    await network.server.run("date", `--set=${hours} hour`);
    await router.unblock(across);
    await socket.connected();
    using _accepted = await listener.accept();
    const [record] = await network.reports("server", across, 1);
    assertWithoutDurations(record);
    // By the clock as it was: what the SYN was stamped with.
    assertAgree("time", Number(recordTimeNs(record.time) - seen(record).synNs!), 0);

    await connectAndServe(network, after, EACH);
    const records = await network.reports("server", after, EACH * SERVERS.length);
    assertEquals(records.length, EACH * SERVERS.length);
    await until("tcpdump printed all", () => records.every((each) => seen(each)?.ackNs));
    for (const each of records) assertTimed(each, seen(each));
  }
  const said = network.serverTracer.stderr.filter((line) => SET_BY_AN_HOUR.test(line));
  assertGreaterOrEqual(said.length, HOURS.length);
}

function assertAgree(what: string, actualNs: number | undefined, expectedNs: number): void {
  assert(actualNs !== undefined, `${what} is absent`);
  assertLess(Math.abs(actualNs - expectedNs), AGREE_NS, what);
}

/** What began by one clock and ended by another. */
function assertWithoutDurations(record: HandshakeRecord): void {
  const { outcome, evidence, packets, checks, flags, rtt, times, drop } = record;
  assertEquals({ outcome, evidence, flags }, {
    outcome: "established",
    evidence: ["wire", "kernel"],
    flags: ["clock_set"],
  });
  assertGreater(packets.syn, 1);
  assertEquals(checks, ALL_HOLD);
  assertEquals(drop, { reason: "NETFILTER_DROP", packet: "syn", count: packets.syn - 1 });
  // The kernel's own samples are by a clock that nobody sets.
  const durations = Object.keys(rtt).filter((name) => !/^(ambiguous|kernel_)/.test(name));
  assertEquals([...durations, ...Object.keys(times ?? {})], []);
}

/** What began and ended by the new clock. */
function assertTimed(record: HandshakeRecord, seen: HandshakeSeen): void {
  const { outcome, evidence, flags, rtt, times } = record;
  assertEquals({ outcome, evidence, flags }, {
    outcome: "established",
    evidence: ["wire", "kernel"],
    flags: [],
  });
  assertAgree("time", Number(recordTimeNs(record.time) - seen.synNs!), 0);
  assertAgree("rtt.client_ns", rtt.client_ns, Number(seen.synAckNs! - seen.synNs!));
  assertAgree("rtt.server_ns", rtt.server_ns, Number(seen.ackNs! - seen.synAckNs!));
  assertGreaterOrEqual(rtt.server_ns!, DELAY_MS * 1e6);
  assertAgree("times.server_established_ns", times!.server_established_ns, rtt.total_ns!);
}
