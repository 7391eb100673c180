// A client behind a router that hides it, and traces on all three: pairs joins the client with the server,
// whatever the router saw of it.
import { assertEquals } from "@std/assert";
import { findPairs } from "../../src/store/pairs/find_pairs.ts";
import { PAIR_COLUMNS } from "../../src/store/pairs/found_pairs.ts";
import { Folder } from "../folder.ts";
import { buildHosts } from "./lab/lab.ts";
import { namespaceTest, until } from "./namespace.ts";
import { Tracer } from "./tracer.ts";

const PORT = 24_031;
/** Where nobody answers: its SYNs pass the router and are dropped by the server's firewall. */
const SILENT_PORT = 24_032;
const CONNECTIONS = 20;
const SILENT = 3;

const MASQUERADE = `table inet hide {
  chain after { type nat hook postrouting priority 100; tcp dport { ${PORT}, ${SILENT_PORT} } masquerade; }
}`;

/** What a tracer wrote, as if it had been on a machine of that name: here all are on one. */
function renamed(lines: readonly string[], host: string): string {
  return lines.map((line) => {
    const { host_id: _, ...rest } = JSON.parse(line);
    return JSON.stringify({ ...rest, host }) + "\n";
  }).join("");
}

const VIEWS: { at: string; args: string[]; silent?: Record<string, number> }[] = [
  { at: "both of its interfaces", args: [] },
  {
    at: "the outer one",
    args: ["--interface", "veth1"],
    // Without an answer nothing tells whose end is the client's own.
    silent: {
      "inside server  server_end_not_seen": SILENT,
      "router server 1 dropped_by_server": SILENT,
    },
  },
  { at: "the inner one", args: ["--interface", "veth0"] },
];

await namespaceTest(
  "pairs joins ends through a router that hides the client and is traced too",
  async (t) => {
    await using stack = new AsyncDisposableStack();
    const { client, router, server } = await buildHosts(stack);
    await router.nft(MASQUERADE);
    await server.block(SILENT_PORT);
    await client.sysctl("net.ipv4.tcp_syn_retries", 1);
    // Kernel events would be those of all three.
    const ends = ["--json", "--probes", "none", "--port", `${PORT},${SILENT_PORT}`];
    const [atClient, atServer] = await Promise.all([
      Tracer.start(client.namespace, ends),
      Tracer.start(server.namespace, ends),
    ]);
    const atRouter = await Promise.all(
      VIEWS.map(({ args }) => Tracer.start(router.namespace, [...ends, ...args])),
    );
    server.listen(PORT, { backlog: 100 });
    for (let at = 0; at < CONNECTIONS; at++) client.connect(server.address, PORT);
    for (let at = 0; at < SILENT; at++) client.connect(server.address, SILENT_PORT);
    const recordsOf = ({ lines }: Tracer) =>
      lines.filter((line) => line.includes('"event":"handshake"')).length;
    const all = [atClient, atServer, ...atRouter];
    await until("all are told", () => all.every((tracer) => recordsOf(tracer) >= CONNECTIONS));
    for (const tracer of all) await tracer.stop();
    const nothing = () => {};
    for (const [at, { at: where, silent }] of VIEWS.entries()) {
      await t.step(`traced at ${where}`, async () => {
        using folder = new Folder();
        const inputs = [["inside", atClient], ["server", atServer], [
          "router",
          atRouter[at],
        ]] as const;
        const options = {
          inputs: inputs.map(([host, { lines }]) => folder.write(host, renamed(lines, host))),
          ...{ filter: {}, memoryBytes: 512e6 },
          ...{ onFetch: nothing, onBegin: nothing, onProgress: nothing },
        };
        const pairs = await findPairs(
          options,
          async (found) => (await Array.fromAsync(found.pairs())).flat(),
        );
        const of = (row: typeof pairs[number], name: typeof PAIR_COLUMNS[number]) =>
          row[PAIR_COLUMNS.indexOf(name)];
        const told = pairs.map((row) =>
          [of(row, "client_host"), of(row, "server_host"), of(row, "tier"), of(row, "verdict")]
            .join(" ")
        );
        const counts = Object.fromEntries(
          [...Map.groupBy(told, (each) => each)].map(([each, all]) => [each, all.length]),
        );
        assertEquals(counts, {
          "inside server 2 established": CONNECTIONS,
          ...silent ?? { "inside server 3 dropped_by_server": SILENT },
        });
      });
    }
  },
);
