// Why this host's kernel drops a SYN or answers with a RST, as the records tell it.
import { assert, assertEquals, assertGreaterOrEqual } from "@std/assert";
import { inspectProbes } from "../../src/linux/probes/inspect_kernel.ts";
import { compileC } from "./compile.ts";
import { Namespace, reasonAgainstNamespaces, skippableTest, until } from "./namespace.ts";
import { Tracer } from "./tracer.ts";

const PORT = 4438;
/** The kernel tells of connections in every namespace of the machine: only these are the tests'. */
const OURS = ["--json", "--port", String(PORT)];
const folder = await Deno.makeTempDir({ prefix: "synsnoop-drops-" });
globalThis.addEventListener("unload", () => Deno.removeSync(folder, { recursive: true }));
const connectLoad = await compileC(new URL("connect_load.c", import.meta.url), folder);

const { facts } = await inspectProbes();
const skipReason = await reasonAgainstNamespaces() ??
  (facts.resetTracepoint === "reason" ? undefined : "the kernel does not tell why (Linux 6.10)");

/** Two hosts with a cable between them, the second of which drops what comes to the port. */
async function withFirewall(
  body: (client: Namespace, server: Namespace) => Promise<void>,
): Promise<void> {
  await using client = await Namespace.create();
  await using server = await Namespace.create();
  await client.connect(server, { here: "10.79.0.1/24", there: "10.79.0.2/24" });
  await server.run(
    "nft",
    "add table inet t; add chain inet t in { type filter hook input priority 0; }; " +
      `add rule inet t in tcp dport ${PORT} counter drop`,
  );
  await body(client, server);
}

async function droppedBy(firewall: Namespace): Promise<number> {
  const rules = await firewall.run("nft", "list", "ruleset");
  return Number(/counter packets (\d+)/.exec(rules)?.[1]);
}

skippableTest(
  "trace tells a SYN that the firewall drops, and the kernel's word",
  skipReason,
  () =>
    withFirewall(async (client, server) => {
      const tracer = await Tracer.ready(server, OURS);
      // Its end would be one more thing that the kernel tells: it is still trying when the trace ends.
      client.spawn([connectLoad, "10.79.0.2", String(PORT), "1", "--connect"], { stderr: "null" });
      await until("the firewall dropped it", async () => await droppedBy(server) > 0);
      const { records, summary } = await tracer.stop();
      assertEquals(records.length, 1);
      const [{ outcome, reason, drop, evidence, role, client: from }] = records;
      assertEquals([outcome, reason], ["dropped", "NETFILTER_DROP"]);
      assertEquals([role, evidence], ["server", ["wire", "kernel"]]);
      assertEquals(from.address, "10.79.0.1");
      assertEquals([drop?.reason, drop?.packet], ["NETFILTER_DROP", "syn"]);
      assertGreaterOrEqual(drop!.count!, 1);
      assertEquals(summary?.outcomes, { dropped: 1 });
    }),
);

skippableTest(
  "trace joins the firewall's word to the client's own end",
  skipReason,
  () =>
    withFirewall(async (client, server) => {
      // One repeated SYN instead of six: a timeout after 3 s instead of 127 s.
      await client.run("sysctl", "-qw", "net.ipv4.tcp_syn_retries=1");
      await client.run("sysctl", "-eqw", "net.ipv4.tcp_syn_linear_timeouts=0");
      const tracer = await Tracer.ready(client, OURS);
      const child = client.spawn([connectLoad, "10.79.0.2", String(PORT), "1", "--connect"], {
        stdout: "null",
        stderr: "null",
      });
      await child.status;
      await tracer.wrote(1);
      const { records, summary } = await tracer.stop();
      assertEquals(records.length, 1);
      const [{ outcome, reason, drop, packets, client: from }] = records;
      // The client's own word stands before what another host of this machine did with its packets.
      assertEquals([outcome, reason], ["timeout", "ETIMEDOUT"]);
      assertEquals(from.process?.comm, "connect_load");
      assertEquals(packets.syn, 2);
      assertEquals([drop?.reason, drop?.packet], ["NETFILTER_DROP", "syn"]);
      // The kernel may skip a probe, and counts that.
      const unseen = await droppedBy(server) - drop!.count!;
      const missed = summary!.losses.recursion_misses!;
      assert(unseen >= 0 && unseen <= missed, `${unseen} drops not seen, ${missed} probes missed`);
    }),
);

for (const address of ["127.0.0.1", "::1"]) {
  skippableTest(`trace tells why a closed port of ${address} refuses`, skipReason, async () => {
    await using namespace = await Namespace.create();
    const tracer = await Tracer.ready(namespace, OURS);
    const child = namespace.spawn([connectLoad, address, String(PORT), "1", "--connect"], {
      stdout: "null",
      stderr: "null",
    });
    await child.status;
    await tracer.wrote(1);
    const { records } = await tracer.stop();
    assertEquals(records.length, 1);
    const [{ outcome, reason, drop, reset, packets }] = records;
    assertEquals([outcome, reason], ["refused", "ECONNREFUSED"]);
    assertEquals(reset, { reason: "NO_SOCKET" });
    assert(drop?.reason === "NO_SOCKET" && drop.packet === "syn" && drop.count === 1);
    assertEquals(packets, { syn: 1, syn_ack: 0, rst: 1 });
  });
}
