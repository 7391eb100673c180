import { assert, assertEquals, assertLess } from "@std/assert";
import { readRetrySettings } from "../../src/linux/retry_settings.ts";
import { lineReader } from "../line_reader.ts";
import { compileC } from "./compile.ts";
import { inNamespace, Namespace, namespaceTest } from "./namespace.ts";
import { Tracer } from "./tracer.ts";

const SERVER = "10.83.0.2";
const folder = await Deno.makeTempDir({ prefix: "synsnoop-retries-" });
globalThis.addEventListener("unload", () => Deno.removeSync(folder, { recursive: true }));
const connectLoad = await compileC(new URL("connect_load.c", import.meta.url), folder);
/** Longer than the settings of the test say, 3 s, and far shorter than the usual ones, a minute and more. */
const SOON_NS = 20e9;

async function set(namespace: Namespace, name: string, value: number): Promise<void> {
  await namespace.run("sysctl", "-qw", `net.ipv4.${name}=${value}`);
}

await namespaceTest("readRetrySettings reads those of the network namespace", async () => {
  await using namespace = await Namespace.create();
  await set(namespace, "tcp_syn_retries", 3);
  await set(namespace, "tcp_synack_retries", 2);
  const { synRetries, synAckRetries, rtoMaxMs } = inNamespace(namespace.name, readRetrySettings);
  assertEquals([synRetries, synAckRetries], [3, 2]);
  assert(rtoMaxMs >= 1_000);
});

await namespaceTest(
  "trace waits for an answer as long as the host's own retries go on",
  async () => {
    await using client = await Namespace.create();
    await using server = await Namespace.create();
    await client.connect(server, { here: "10.83.0.1/24", there: `${SERVER}/24` });
    await set(client, "tcp_syn_retries", 1);
    await set(client, "tcp_syn_linear_timeouts", 0);
    await set(server, "tcp_synack_retries", 1);
    // What the client sends after its SYN stays inside it, and the server takes no SYN for the other port.
    for (
      const [namespace, hook, rule] of [
        [client, "output", "tcp dport 80 tcp flags & syn == 0 drop"],
        [server, "input", "tcp dport 81 drop"],
      ] as const
    ) {
      const chain = `chain c {\ntype filter hook ${hook} priority 0;\n${rule}\n}`;
      await namespace.run("nft", `table inet t {\n${chain}\n}`);
    }
    const filter = ["--json", "--probes", "none", "--host", SERVER];
    const clientTracer = await Tracer.start(client, [...filter, "--port", "81"]);
    const serverTracer = await Tracer.start(server, [...filter, "--port", "80"]);
    const listener = server.spawn([connectLoad, SERVER, "80", "1", "--serve"], { stdout: "piped" });
    await lineReader(listener.stdout).read();
    for (const port of ["80", "81"]) {
      client.spawn([connectLoad, SERVER, port, "1", "--connect"], {
        stdout: "null",
        stderr: "null",
      });
    }
    await Promise.all([clientTracer.wrote(1), serverTracer.wrote(1)]);
    const writtenMs = Date.now();
    const [unanswered] = (await clientTracer.stop()).records;
    const [halfOpen] = (await serverTracer.stop()).records;
    assertEquals([unanswered.outcome, unanswered.packets.syn], ["unanswered", 2]);
    assertEquals([halfOpen.outcome, halfOpen.packets.syn_ack], ["half_open", 2]);
    for (const { flags, time } of [unanswered, halfOpen]) {
      assertEquals(flags.includes("trace_ended"), false);
      assertLess((writtenMs - Date.parse(time)) * 1e6, SOON_NS, "reported soon");
    }
  },
);
