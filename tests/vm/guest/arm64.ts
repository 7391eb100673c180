/**
 * What is tested in an arm64 guest: run there by `deno test`, with the kernel's release as argument. Of
 * every mechanism a few connections, for what differs between architectures is registers, page sizes
 * and numbers of system calls, not handshakes.
 *
 * @module
 */
import { assert, assertEquals, assertLess, assertLessOrEqual } from "@std/assert";
import { MECHANISMS } from "../../../src/kernel/choose_probes.ts";
import { Namespace, until } from "../../netns/namespace.ts";
import { MAIN, Tracer } from "../../netns/tracer.ts";

const [PORT, CLOSED_PORT] = [4451, 4452];
const OURS = ["--json", "--port", `${PORT},${CLOSED_PORT}`];
/** Connections of each version of IP that are taken, and that nobody takes. */
const [TAKEN, REFUSED] = [10, 2];
const ALL = 2 * (TAKEN + REFUSED);
const CONNECT = `
  for (const hostname of ["127.0.0.1", "::1"]) {
    const listener = Deno.listen({ hostname, port: ${PORT} });
    for (let each = 0; each < ${TAKEN}; each++) {
      const [taken, made] = await Promise.all([
        listener.accept(),
        Deno.connect({ hostname, port: ${PORT} }),
      ]);
      taken.close();
      made.close();
    }
    listener.close();
    for (let each = 0; each < ${REFUSED}; each++) {
      await Deno.connect({ hostname, port: ${CLOSED_PORT} }).catch(() => {});
    }
  }
`;
/** Emulated. */
const READY_MS = 620_000;

Deno.test("doctor finds everything", async () => {
  const { code, stdout } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "--quiet", "--no-check", "-A", MAIN, "doctor", "--json"],
    stdin: "null",
    stderr: "inherit",
  }).output();
  const { facts, plan } = JSON.parse(new TextDecoder().decode(stdout));
  assertEquals([facts.architecture, facts.release], ["aarch64", Deno.args[0]]);
  assertEquals(facts.sockAddressesFit, true);
  assertEquals([facts.capture, facts.foreignMaps], [{ filter: "ebpf" }, { open: true }]);
  assert(plan.startsWith("a trace uses packets and kernel events through fentry probes"), plan);
  assertEquals(code, 0);
});

for (const mechanism of MECHANISMS) {
  Deno.test(`trace through ${mechanism} tells all that it saw of ${ALL} connections`, async () => {
    await using namespace = await Namespace.create();
    const tracer = await Tracer.start(namespace, [...OURS, "--probes", mechanism]);
    const ready = () => tracer.stderr.some((line) => /kernel events come from|alone/.test(line));
    await until("bpftrace is attached", ready, READY_MS);
    await namespace.script(CONNECT);
    await tracer.wrote(ALL);
    const { records, summary, stderr } = await tracer.stop();
    // Emulated, a program runs for so long that the kernel skips some that would run meanwhile. It counts
    // them, and no more may be lacking than that.
    const missed = summary!.losses.recursion_misses!;
    assertLess(missed, ALL / 2, stderr.join("\n"));
    const { both, kernel_only } = summary!.by_evidence;
    assertEquals([kernel_only, summary!.losses.kernel_map_records], [0, 0]);
    let lacking = ALL - both;
    const [taken, refused] = [PORT, CLOSED_PORT].map((number) =>
      records.filter(({ server }) => server.port === number)
    );
    assertEquals([taken.length, refused.length], [2 * TAKEN, 2 * REFUSED]);
    for (const { outcome, evidence, client, server, times } of taken) {
      assertEquals(outcome, "established");
      if (evidence.length < 2) continue;
      // Function probes alone see it.
      if (mechanism === "tracepoint") assertEquals(times?.syn_received_ns, undefined);
      else if (times?.syn_received_ns === undefined) lacking++;
      for (const { process } of [client, server]) {
        if (process === undefined) lacking++;
        else assertEquals(process.comm, "deno");
      }
    }
    for (const { outcome, evidence, client, drop } of refused) {
      assertEquals(outcome, "refused");
      if (evidence.length === 2) assertEquals(client.process?.comm, "deno");
      if (drop === undefined) lacking++;
      else assertEquals(drop.reason, "NO_SOCKET");
    }
    assertLessOrEqual(lacking, missed);
  });
}
