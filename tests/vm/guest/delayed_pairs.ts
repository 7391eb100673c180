/**
 * Tracers at both ends of a network that delays what the server sends, and after a while what the client
 * sends too: run in a guest by `deno test`, with the folder of the compiled helpers as its argument,
 * where it leaves what both wrote, as if they had been on two machines, and when the delay began.
 */
import { assertEquals } from "@std/assert";
import { Namespace } from "../../netns/namespace.ts";
import { Tracer } from "../../netns/tracer.ts";
import { DelayedNetwork, PORTS } from "./delayed_network.ts";
import { connectAndServe } from "./peers.ts";

const [shared] = Deno.args;
const TRACE = ["--probes", "none", "--status-interval", "1s"];
/** What the client's packets take longer, and for how long it is traced before and after. */
const ADDED_MS = 5;
const PHASE_MS = 40_000;
const AT_ONCE = 10;

Deno.test("tracers at both ends of a way that becomes slower", async () => {
  const network = await DelayedNetwork.create(await Namespace.create());
  // Each end must know the other's hardware address: else the first SYN waits for it, unseen.
  await connectAndServe(network, PORTS.first, 1);
  const tracers = [];
  for (const namespace of [network.client, network.server]) {
    tracers.push(await Tracer.start(namespace, TRACE));
  }
  const connect = async () => {
    const end = performance.now() + PHASE_MS;
    while (performance.now() < end) await connectAndServe(network, PORTS.many, AT_ONCE);
  };
  await connect();
  await network.delayThere(ADDED_MS);
  const addedAtMs = Date.now();
  await connect();
  for (const [at, host] of ["client", "server"].entries()) {
    const { status } = await tracers[at].stop();
    assertEquals(status.code, 0, tracers[at].stderr.join("\n"));
    const lines = tracers[at].lines.map((line) => {
      const { host_id: _, ...rest } = JSON.parse(line);
      return JSON.stringify({ ...rest, host }) + "\n";
    });
    await Deno.writeTextFile(`${shared}/${host}.ndjson`, lines.join(""));
  }
  await Deno.writeTextFile(
    `${shared}/added.json`,
    JSON.stringify({ addedAtMs, addedMs: ADDED_MS }),
  );
});
