import { assert, assertEquals } from "@std/assert";
import { TextLineStream } from "@std/streams";
import { lineReader } from "../line_reader.ts";
import { compileC } from "./compile.ts";
import { Namespace, namespaceTest } from "./namespace.ts";
import { Tracer } from "./tracer.ts";

/** Sixteen times as many as the tracer's table holds. */
const SYNS = 1_000_000;
const CONNECTIONS = 1000;
/**
 * The most that are sent a second, so that the tracer gets its share of a small machine and sees
 * every one. Making and answering them takes one processor 7 s.
 */
const SYNS_PER_SECOND = 100_000;
/** Half-open handshakes that a tracer waits for at the most; then the oldest is given up. */
const TABLE_ROWS = 65_536;
/** Half-open flows that the packet filter keeps. */
const FILTER_FLOWS = 131_072;
/**
 * What the tracer may grow by in a twentieth of the flood, in the median from its fifth part on: 10 bytes
 * a SYN. Measured: 10 to 150 kB.
 */
const STEP_KB_MAX = 500;
/**
 * And in all. Measured: 1 to 4 MB. The kernel tells of the whole machine, and what it tells is kept for a
 * while, in as many rows: where others made a flood too, the tracer grew by 107 MB, in a few steps.
 */
const GROWTH_KB_MAX = 160 * 1024;

const HOST = "198.51.100.2";
const PORT = 5000;
const NETWORKS = "198.51.100.0/24,198.18.0.0/15";

await namespaceTest("trace in a flood: every connection reported, all else counted", async () => {
  await using stack = new AsyncDisposableStack();
  const folder = await Deno.makeTempDir({ prefix: "synsnoop-flood-" });
  stack.defer(() => Deno.remove(folder, { recursive: true }));
  const build = (name: string) => compileC(new URL(name, import.meta.url), folder);
  const [synFlood, connectLoad] = [await build("syn_flood.c"), await build("connect_load.c")];
  const outside = stack.use(await Namespace.create());
  const host = stack.use(await Namespace.create());
  const mac = await connectHosts(outside, host);

  const serve = [connectLoad, HOST, String(PORT), String(CONNECTIONS), "--serve"];
  const server = host.spawn(serve, { stdout: "piped" });
  await lineReader(server.stdout).read();
  const tracer = await Tracer.ready(host, ["--json", "--host", NETWORKS]);
  // A SYN-ACK sent again after its handshake was given up would be counted as another's. Not before
  // the tracer has begun: it waits for as long as the host tries, and would report them all.
  await host.run("sysctl", "-qw", "net.ipv4.tcp_synack_retries=0");
  const numbers = [SYNS, CONNECTIONS, SYNS_PER_SECOND].map(String);
  const flood = outside.spawn([synFlood, "veth0", mac, HOST, String(PORT), ...numbers], {
    stdout: "piped",
  });
  const rssKb: number[] = [];
  let last = "";
  const lines = flood.stdout.pipeThrough(new TextDecoderStream());
  for await (const line of lines.pipeThrough(new TextLineStream())) {
    if (line.endsWith("%")) rssKb.push(await residentKb(tracer.pid));
    last = line;
  }
  assertEquals(last, `${SYNS} ${CONNECTIONS}`);
  const { records, summary, status, stderr } = await tracer.stop();
  assertEquals(status.code, 0, stderr.slice(-6).join("\n"));
  assert(summary, "the trace wrote no summary");

  const real = records.filter(({ client }) => client.address === "198.51.100.1");
  const distinct = new Set(real.map(({ client }) => `${client.port} ${client.isn}`));
  assertEquals([real.length, distinct.size], [CONNECTIONS, CONNECTIONS]);
  const { ring_packets: dropped = 0, half_open_evicted: evicted = 0 } = summary.losses;
  for (const { outcome, evidence } of real) {
    assertEquals(outcome, "established");
    if (dropped === 0) assertEquals(evidence, ["wire", "kernel"]);
  }
  // Each SYN became a record, once, or was given up and counted. Where the ring dropped packets, each
  // may have been one of those. Drops elsewhere on the machine are given up and counted too.
  const halfOpen = records.filter(({ outcome }) => outcome === "half_open");
  const told = `${halfOpen.length} half open, ${JSON.stringify(summary.losses)}`;
  assert(halfOpen.length <= TABLE_ROWS, told);
  assert(halfOpen.length + evicted >= SYNS - dropped, told);
  assertEquals(
    new Set(halfOpen.map(({ client: { address, port } }) => `${address} ${port}`)).size,
    halfOpen.length,
  );
  // The packet filter counts what passes before the ring, and in this namespace alone.
  const { filter_half_open: passedOver = 0 } = summary.losses;
  assert(passedOver >= SYNS - FILTER_FLOWS && passedOver <= SYNS, told);

  const grown = rssKb.slice(rssKb.length / 5);
  const steps = grown.slice(1).map((kb, index) => kb - grown[index]).sort((a, b) => a - b);
  const grew = `resident memory in kB: ${rssKb}`;
  assert(steps[steps.length >> 1] <= STEP_KB_MAX, grew);
  assert(grown.at(-1)! - grown[0] <= GROWTH_KB_MAX, grew);
});

/**
 * Lays a cable and makes the host's answers to the flood leave by an interface that throws them away
 * and asks nobody for an Ethernet address. @returns The host's.
 */
async function connectHosts(outside: Namespace, host: Namespace): Promise<string> {
  await outside.connect(host, { here: "198.51.100.1/24", there: `${HOST}/24` });
  await host.ip("link", "add", "ifb0", "type", "ifb");
  await host.ip("link", "set", "ifb0", "up");
  await host.ip("route", "add", "198.18.0.0/15", "dev", "ifb0");
  // What comes from the made-up sources does not come from where the route to them leads.
  await host.run(
    "sysctl",
    "-qw",
    "net.ipv4.conf.all.rp_filter=0",
    "net.ipv4.conf.veth0.rp_filter=0",
  );
  const [link] = JSON.parse(await host.ip("-j", "link", "show", "veth0"));
  return link.address;
}

/** What a process holds in memory. */
async function residentKb(pid: number): Promise<number> {
  const status = await Deno.readTextFile(`/proc/${pid}/status`);
  return Number(status.match(/^VmRSS:\s+(\d+) kB$/m)![1]);
}
