// What a trace with --anonymize writes of what happens: nothing by which one could tell whose it is.
import { assert, assertEquals, assertMatch } from "@std/assert";
import { lineReader } from "../line_reader.ts";
import { Namespace, namespaceTest } from "./namespace.ts";
import { Tracer } from "./tracer.ts";

const PORT = 4475;
const SCRIPT = `
const listener = Deno.listen({ hostname: "10.78.6.2", port: ${PORT} });
const accepting = listener.accept();
const client = await Deno.connect({ hostname: "10.78.6.2", port: ${PORT} });
(await accepting).close();
client.close();
`;

/** Runs what follows on a host of a name that stands nowhere else. */
const NAMED = ["unshare", "--uts", "sh", "-c", 'hostname secret-host && exec "$@"', "sh"];

/** Appends the bodies of requests to a file. */
const COLLECTOR = `
const [folder] = Deno.args;
const onListen = () => console.log("ready");
Deno.serve({ hostname: "127.0.0.1", port: 4318, onListen }, async (request) => {
  const body = request.body.pipeThrough(new DecompressionStream("gzip"));
  Deno.writeTextFileSync(folder + "/pushed", await new Response(body).text(), { append: true });
  return new Response("{}");
});
`;

await namespaceTest(
  "trace --anonymize hides whose it is, the same way for all that have its key",
  async () => {
    const folder = await Deno.makeTempDir({ prefix: "synsnoop-anonymize-" });
    try {
      await using here = await Namespace.create();
      await using there = await Namespace.create();
      await here.connect(there, { here: "10.78.6.1/24", there: "10.78.6.2/24" });
      const key = `${folder}/key`;
      await Deno.writeTextFile(key, "5a".repeat(32), { mode: 0o600 });
      const hiding = ["--anonymize", "--anonymize-key", key];
      const ours = ["--host", "10.78.6.2", "--server-port", String(PORT), "--not-comm", "nobody"];
      const plain = await Tracer.ready(there, ["--json", ...ours], NAMED);
      const onCable = ["--json", "--interface", "veth0"];
      const first = await Tracer.ready(there, [...onCable, ...ours, ...hiding], NAMED);
      // A collector in the namespace writes down what is pushed to it.
      const collector = there.spawn([Deno.execPath(), "eval", "--quiet", COLLECTOR, folder], {
        stdout: "piped",
      });
      await lineReader(collector.stdout).read();
      const metrics = ["--metrics-file", `${folder}/a.prom`, "--otlp", "http://127.0.0.1:4318"];
      const outputs = ["--store", `${folder}/store`, ...metrics];
      const second = await Tracer.ready(there, [...outputs, ...ours, ...hiding], NAMED);
      // From the namespace itself it goes over the loopback; from the other over the cable.
      await there.script(SCRIPT);
      await here.script(
        `await Deno.connect({ hostname: "10.78.6.2", port: ${PORT} }).catch(() => {});`,
      );
      await plain.wrote(2);
      await first.wrote(1);
      const real = await plain.stop();
      const hidden = await first.stop();
      await second.stop();
      assertEquals(real.records.map(({ outcome }) => outcome), ["established", "refused"]);
      const refused = real.records[1];
      const [record] = hidden.records;
      assertEquals([record.outcome, record.reason], [refused.outcome, refused.reason]);
      assertEquals(
        [record.client.port, record.client.isn, record.server.port],
        [refused.client.port, refused.client.isn, PORT],
      );
      assertMatch(record.network.interface!, /^if-[0-9a-f]{10}$/);
      // Both addresses are of one network still.
      const [client, server] = [record.client, record.server].map(({ address }) => address);
      assertEquals(client.split(".").slice(0, 3), server.split(".").slice(0, 3));
      // What stands in the store fits it, by its name, too.
      const segments = await Array.fromAsync(Deno.readDir(`${folder}/store`));
      const [segment] = segments.filter(({ name }) => name.endsWith(".ndjson"));
      const stored = await Deno.readTextFile(`${folder}/store/${segment.name}`);
      assert(stored.includes(`"address":"${client}"`), stored);
      const [, storedHost] = segment.name.split(".");
      assertEquals(storedHost, record.host_id ?? storedHost);
      const status = stored.split("\n").find((line) => line.includes('"event":"status"'));
      assertEquals(JSON.parse(status!).filters, [
        `--server-port ${PORT}`,
        "--host ...",
        "--not-comm ...",
      ]);
      const { host, host_id: hostId = host } = refused;
      assertEquals(host, "secret-host");
      const secrets = ["10.78.6.", host, hostId, "veth0", refused.network.community_id!, "nobody"];
      const [pushed, prom] = await Promise.all(
        ["pushed", "a.prom"].map((name) => Deno.readTextFile(`${folder}/${name}`)),
      );
      for (const text of [pushed, prom]) assert(text.includes(server), text);
      assert(pushed.includes("host.name"), pushed);
      const texts = [stored, segment.name, pushed, prom].map((text) => text.split("\n"));
      for (const output of [first.lines, second.lines, ...texts]) {
        for (const line of output) {
          for (const secret of secrets) assert(!line.includes(secret), `${secret} in ${line}`);
        }
      }
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  },
);
