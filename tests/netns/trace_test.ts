// Covers src/cli/trace.ts
// Covers src/cli/trace_session.ts
// Covers src/cli/flags/capture_options.ts
// Covers src/pipeline/live_source.ts
// Covers src/linux/netns/local_addresses.ts
// Covers src/linux/capture/wire_source.ts
import { assert, assertEquals, assertLess } from "@std/assert";
import { inspectProbes } from "../../src/linux/probes/inspect_kernel.ts";
import type { HandshakeRecord } from "../../src/record/record.ts";
import { lineReader } from "../line_reader.ts";
import { compileC } from "./compile.ts";
import { Namespace, namespaceTest, until } from "./namespace.ts";
import { handshakeKey, Oracle, type OracleHandshake, recordTimeNs } from "./oracle.ts";
import { Tracer } from "./tracer.ts";

const PORT = 4433;
/** The kernel tells of connections in every namespace of the machine: only these are the tests'. */
const OURS = ["--json", "--host", "127.0.0.1,::1,10.77.0.0/24", "--port", `${PORT},80,81`];
const folder = await Deno.makeTempDir({ prefix: "synsnoop-trace-" });
globalThis.addEventListener("unload", () => Deno.removeSync(folder, { recursive: true }));
const connectLoad = await compileC(new URL("connect_load.c", import.meta.url), folder);

/** What the firewall does to a SYN-ACK, in the kernel's words. */
const DROPPED = ["NETFILTER_DROP", "syn_ack"];

/** Two programs that stamp one packet one after the other differ by what lies between them. */
const TAP_MEDIAN_NS = 1_000;

function oracleKey({ client, server }: HandshakeRecord): string {
  return handshakeKey(client.address, client.port, server.port, client.isn!);
}

function median(values: number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)];
}

/** Holds established records against tcpdump's: numbers exactly, times to the microsecond. */
function assertEqualToOracle(
  records: HandshakeRecord[],
  oracle: Map<string, OracleHandshake>,
): void {
  const clientErrorsNs: number[] = [];
  const serverErrorsNs: number[] = [];
  const timeErrorsNs: number[] = [];
  for (const record of records) {
    const expected = oracle.get(oracleKey(record));
    assert(expected, `tcpdump saw no ${oracleKey(record)}`);
    assertEquals(record.client.isn, expected.clientIsn);
    assertEquals(record.server.isn, expected.serverIsn);
    const clientNs = Number(expected.synAckNs! - expected.synNs);
    const serverNs = Number(expected.ackNs! - expected.synAckNs!);
    clientErrorsNs.push(Math.abs(record.rtt.client_ns! - clientNs));
    serverErrorsNs.push(Math.abs(record.rtt.server_ns! - serverNs));
    timeErrorsNs.push(Math.abs(Number(recordTimeNs(record.time) - expected.synNs)));
  }
  assertLess(median(clientErrorsNs), TAP_MEDIAN_NS, "median error of client RTTs");
  assertLess(median(serverErrorsNs), TAP_MEDIAN_NS, "median error of server RTTs");
  assertLess(median(timeErrorsNs), 2 * TAP_MEDIAN_NS, "median error of SYN times");
}

function assertWholeLocalRecord(record: HandshakeRecord, comm: string): void {
  assertEquals(record.role, "local");
  assertEquals(record.outcome, "established");
  assertEquals(record.reason, null);
  assertEquals(record.evidence, ["wire", "kernel"]);
  assertEquals(record.client.process?.comm, comm);
  assertEquals(record.server.process?.comm, comm);
  assertEquals(record.packets, { syn: 1, syn_ack: 1, rst: 0 });
  assertEquals(record.checks, {
    syn_ack_acknowledges_syn: true,
    ack_sequence: true,
    ack_acknowledges_syn_ack: true,
  });
}

/** Of probes that the kernel skipped, on the whole machine, the records themselves tell whether they matter. */
function assertNothingLost(losses: Record<string, number | undefined>): void {
  for (const [place, count] of Object.entries(losses)) {
    if (/^(late|unexpected|recursion_misses)/.test(place)) continue;
    assertEquals(count, 0, place);
  }
}

await namespaceTest("trace reports 1,000 loopback handshakes as tcpdump saw them", async () => {
  await using namespace = await Namespace.create();
  const tracer = await Tracer.ready(namespace, OURS);
  await using oracle = await Oracle.start(namespace, "lo");
  await namespace.run(connectLoad, "127.0.0.1", String(PORT), "500");
  await namespace.run(connectLoad, "::1", String(PORT), "500");
  await tracer.wrote(1_000);
  const { records, summary, status } = await tracer.stop();
  assertEquals(status.code, 0);
  assertEquals(records.length, 1_000);
  for (const record of records) {
    assertWholeLocalRecord(record, "connect_load");
    assertEquals(record.network.interface, "lo");
    assertEquals(record.client.process?.pid, record.server.process?.pid);
  }
  assertEquals(records.filter((record) => record.network.type === "ipv6").length, 500);
  assertEquals(new Set(records.map((record) => record.client.isn)).size, 1_000);
  assertEqualToOracle(records, await oracle.handshakes(1_000));
  assertEquals(summary?.handshakes, 1_000);
  assertEquals(summary?.outcomes, { established: 1_000 });
  assertNothingLost(summary!.losses);
});

await namespaceTest("trace joins both ends in two namespaces from one of them", async () => {
  await using clientSide = await Namespace.create();
  await using serverSide = await Namespace.create();
  const addresses = { here: "10.77.0.1/24", there: "10.77.0.2/24" };
  const [interfaceName] = await clientSide.connect(serverSide, addresses);
  const tracer = await Tracer.ready(clientSide, OURS);
  await using oracle = await Oracle.start(clientSide, interfaceName);
  const server = serverSide.spawn(
    [connectLoad, "10.77.0.2", String(PORT), "100", "--serve"],
    { stdout: "piped" },
  );
  await lineReader(server.stdout).read();
  await clientSide.run(connectLoad, "10.77.0.2", String(PORT), "100", "--connect");
  await tracer.wrote(100);
  const { records, summary } = await tracer.stop();
  assertEquals(records.length, 100);
  for (const record of records) {
    assertWholeLocalRecord(record, "connect_load");
    assertEquals(record.network.interface, interfaceName);
    assert(record.client.process?.pid !== record.server.process?.pid);
  }
  assertEqualToOracle(records, await oracle.handshakes(100));
  assertNothingLost(summary!.losses);
});

await namespaceTest("trace names the process of a listener that was there before it", async () => {
  await using namespace = await Namespace.create();
  const address = ["127.0.0.1", String(PORT), "5"];
  const server = namespace.spawn([connectLoad, ...address, "--serve", "older"], {
    stdout: "piped",
  });
  await lineReader(server.stdout).read();
  const tracer = await Tracer.ready(namespace, OURS);
  await namespace.run(connectLoad, ...address, "--connect", "younger");
  await tracer.wrote(5);
  const { records } = await tracer.stop();
  for (const { client, server } of records) {
    assertEquals([client.process?.comm, server.process?.comm], ["younger", "older"]);
  }
});

await namespaceTest("trace reports every one of 20,000 handshakes made at full speed", async () => {
  await using namespace = await Namespace.create();
  const tracer = await Tracer.ready(namespace, OURS);
  await namespace.run(connectLoad, "127.0.0.1", String(PORT), "20000");
  await tracer.wrote(20_000);
  const { records, summary } = await tracer.stop();
  assertEquals(records.length, 20_000);
  assert(records.every((record) => record.outcome === "established" && record.role === "local"));
  // What the wire missed must be counted as dropped by the ring, what the kernel missed as its loss.
  const { by_evidence, losses } = summary!;
  const lostPackets = losses.ring_packets!;
  const lostRecords = losses.kernel_map_records! + losses.recursion_misses!;
  assert(
    by_evidence.kernel_only <= lostPackets,
    `${by_evidence.kernel_only} of ${lostPackets} packets`,
  );
  assert(
    by_evidence.wire_only <= lostRecords,
    `${by_evidence.wire_only} of ${lostRecords} records`,
  );
});

await namespaceTest("trace tells refused, timed out, aborted and unanswered apart", async () => {
  await using clientSide = await Namespace.create();
  await using serverSide = await Namespace.create();
  await clientSide.connect(serverSide, { here: "10.77.0.1/24", there: "10.77.0.2/24" });
  // One repeated SYN instead of six: a timeout after 3 s instead of 127 s.
  await clientSide.run("sysctl", "-qw", "net.ipv4.tcp_syn_retries=1");
  await clientSide.run("sysctl", "-eqw", "net.ipv4.tcp_syn_linear_timeouts=0");
  await dropIncoming(serverSide, "tcp dport 81");
  const tracer = await Tracer.ready(clientSide, OURS);
  // Refused at 80; at 81 the firewall drops: one client waits for its timeout, one gives up.
  await clientSide.run("python3", "-c", CLIENTS);
  await tracer.wrote(3);
  const { records } = await tracer.stop();
  assertEquals(records.length, 3);
  const byOutcome = new Map(records.map((record) => [record.outcome, record]));
  const refused = byOutcome.get("refused")!;
  assertEquals(refused.reason, "ECONNREFUSED");
  assertEquals(refused.packets, { syn: 1, syn_ack: 0, rst: 1 });
  assertEquals(refused.rtt, { ambiguous: false });
  assertEquals(refused.client.process?.comm, "python3");
  const timeout = byOutcome.get("timeout")!;
  assertEquals(timeout.reason, "ETIMEDOUT");
  assertEquals(timeout.packets, { syn: 2, syn_ack: 0, rst: 0 });
  const aborted = byOutcome.get("aborted")!;
  assertEquals(aborted.reason, null);
  assertEquals(aborted.packets, { syn: 1, syn_ack: 0, rst: 0 });
  for (const record of [timeout, aborted]) assertEquals(record.server.port, 81);
  for (const record of records) assertEquals(record.evidence, ["wire", "kernel"]);
});

await namespaceTest("trace reports a SYN-ACK without an ACK as half_open", async () => {
  await using server = await Namespace.create();
  await using client = await Namespace.create();
  await server.connect(client, { here: "10.77.0.1/24", there: "10.77.0.2/24" });
  // The client never sees the SYN-ACK, as if it had never meant to answer it.
  await dropIncoming(client, "tcp sport 4433");
  const listener = server.spawn([connectLoad, "10.77.0.1", String(PORT), "1", "--serve"], {
    stdout: "piped",
  });
  await lineReader(listener.stdout).read();
  const tracer = await Tracer.ready(server, OURS);
  client.spawn([connectLoad, "10.77.0.1", String(PORT), "1", "--connect"]);
  await until(
    "the server waits for the ACK",
    async () => (await server.run("ss", "-Htn", "state", "syn-recv")).includes("10.77.0.2"),
  );
  const { records } = await tracer.stop();
  assertEquals(records.length, 1);
  const [record] = records;
  assertEquals(record.outcome, "half_open");
  assertEquals(record.role, "server");
  // It is a packet of this machine's kernel too, which says what became of it, since Linux 5.17.
  const told = (await inspectProbes()).facts.dropTracepoint === "reason";
  assertEquals(record.evidence, told ? ["wire", "kernel"] : ["wire"]);
  assertEquals([record.drop?.reason, record.drop?.packet], told ? DROPPED : [undefined, undefined]);
  assertEquals(record.flags, ["trace_ended"]);
  assertEquals(record.checks, { syn_ack_acknowledges_syn: true });
  assertEquals(record.rtt.server_ns, undefined);
});

/** Three connections to 10.77.0.2: one refused, one that times out, one given up after its SYN. */
const CLIENTS = `
import errno, socket
def outcome(port):
    with socket.socket() as s:
        try:
            s.connect(("10.77.0.2", port))
        except OSError as e:
            return errno.errorcode[e.errno]
assert outcome(80) == "ECONNREFUSED"
assert outcome(81) == "ETIMEDOUT"
with socket.socket() as s:
    s.setblocking(False)
    assert s.connect_ex(("10.77.0.2", 81)) == errno.EINPROGRESS
`;

/** Makes a namespace's firewall drop what comes in and fits an nft expression. */
async function dropIncoming(namespace: Namespace, expression: string): Promise<void> {
  await namespace.run(
    "nft",
    "add table inet t; add chain inet t in { type filter hook input priority 0; }; " +
      `add rule inet t in ${expression} drop`,
  );
}
