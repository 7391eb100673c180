// Tracers at both ends of a lossy way through a NAT: what pairs says of it is what the router counted.
import { assert, assertEquals, assertGreater } from "@std/assert";
import { findPairs, PAIR_COLUMNS } from "../../src/store/pairs/find_pairs.ts";
import type { Verdict } from "../../src/match/both_ends.ts";
import { Folder } from "../folder.ts";
import { buildHosts } from "./lab/lab.ts";
import { namespaceTest, until } from "./namespace.ts";
import { Tracer } from "./tracer.ts";

const PORT = 24_021;
const CONNECTIONS = 300;
const TRACE = ["--probes", "none", "--status-interval", "1s"];
/** One in so many of each kind is dropped. */
const SHARE = 10;

/** The router hides the client, drops at random, and counts what it drops. */
const ROUTER = `table inet lossy {
  counter syn {}
  counter syn_ack {}
  counter ack {}
  chain drops { type filter hook forward priority 0;
    tcp flags & (syn|ack) == syn numgen random mod ${SHARE} == 0 counter name syn drop
    tcp flags & (syn|ack) == syn|ack numgen random mod ${SHARE} == 0 counter name syn_ack drop
    tcp flags & (syn|ack|psh|rst|fin) == ack tcp dport ${PORT} numgen random mod ${SHARE} == 0 counter name ack drop
  }
  chain after { type nat hook postrouting priority 100; tcp dport ${PORT} masquerade; }
}`;

/** Connects so many times, some at a time, sends a byte and waits for the end. */
const CLIENT = `import asyncio, sys
async def one(gate):
    async with gate:
        try:
            reader, writer = await asyncio.open_connection(sys.argv[1], ${PORT})
            writer.write(b"x")
            await reader.read()
            writer.close()
        except OSError:
            pass
async def all():
    gate = asyncio.Semaphore(50)
    await asyncio.gather(*(one(gate) for _ in range(${CONNECTIONS})))
asyncio.run(all())`;

const SERVER = `import asyncio
async def serve(reader, writer):
    await reader.read(1)
    writer.close()
async def main():
    server = await asyncio.start_server(serve, "0.0.0.0", ${PORT}, backlog=1024)
    print("listening", flush=True)
    await server.serve_forever()
asyncio.run(main())`;

/** What a tracer wrote, as if it had been on a machine of that name: here both are on one. */
function renamed(lines: readonly string[], host: string): string {
  return lines.map((line) => {
    const { host_id: _, ...rest } = JSON.parse(line);
    return JSON.stringify({ ...rest, host }) + "\n";
  }).join("");
}

await namespaceTest("what two ends say together is what the router between them did", async () => {
  await using stack = new AsyncDisposableStack();
  const { client, router, server } = await buildHosts(stack);
  await client.sysctl("net.ipv4.tcp_syn_retries", 3);
  await router.nft(ROUTER);
  const listening = server.namespace.spawn(["python3", "-c", SERVER], { stdout: "piped" });
  const output = listening.stdout.getReader();
  assert((await output.read()).value);
  const tracers = [client, server].map(({ namespace }) => Tracer.start(namespace, TRACE));
  const [atClient, atServer] = await Promise.all(tracers);

  const counted = (tracer: Tracer) =>
    tracer.lines.filter((line) => line.includes('"event":"handshake"')).length;
  const statusLines = (tracer: Tracer) =>
    tracer.lines.filter((line) => line.includes('"event":"status"')).length;
  // Who looks later must know that both were watching for seconds before and after.
  const watched = async () => {
    const before = [atClient, atServer].map(statusLines);
    await until(
      "both have been watching",
      () => [atClient, atServer].every((tracer, at) => statusLines(tracer) >= before[at] + 6),
    );
  };
  await watched();
  await client.namespace.run("python3", "-c", CLIENT, server.address);
  await until("the client's end of each is told", () => counted(atClient) >= CONNECTIONS);
  await watched();
  const results = [await atClient.stop(), await atServer.stop()];
  for (const { status, stderr } of results) assertEquals(status.code, 0, stderr.join("\n"));

  using folder = new Folder();
  const inputs = [[atClient, "client"], [atServer, "server"]].map(([tracer, host]) => {
    const path = `${folder.path}/${host}`;
    Deno.writeTextFileSync(path, renamed((tracer as Tracer).lines, host as string));
    return path;
  });
  const options = { inputs, filter: {}, memoryBytes: 512e6 };
  const nothing = () => {};
  const { pairs, clocks } = await findPairs(
    { ...options, onFetch: nothing, onBegin: nothing, onProgress: nothing },
    async (found) => ({
      pairs: (await Array.fromAsync(found.pairs())).flat(),
      clocks: found.clocks,
    }),
  );

  const of = (name: typeof PAIR_COLUMNS[number]) => {
    const at = PAIR_COLUMNS.indexOf(name);
    return pairs.map((row) => row[at]);
  };
  const missing = (sent: readonly unknown[], seen: readonly unknown[]) =>
    sent.reduce((sum: number, each, at) => sum + Math.max(0, Number(each) - Number(seen[at])), 0);
  assertEquals(pairs.length, CONNECTIONS);
  const [syns, synAcks] = await Promise.all([
    dropped(router.namespace, "syn"),
    dropped(router.namespace, "syn_ack"),
  ]);
  assertGreater(Math.min(syns, synAcks), 0);
  assertEquals(missing(of("client_syn"), of("server_syn")), syns);
  // A server repeats its answer by its own timer and for the client's repeated SYN, both after a second:
  // where these two have the same bytes, they count as one packet.
  const again = pairs.filter((row) => Number(row[PAIR_COLUMNS.indexOf("server_syn")]) > 1).length;
  const missed = missing(of("server_syn_ack"), of("client_syn_ack"));
  assert(missed <= synAcks && missed >= synAcks - again, `${missed} of ${synAcks}, ${again} again`);
  const verdicts = of("verdict") as Verdict[];
  const outcomes = of("client_outcome");
  for (const [at, verdict] of verdicts.entries()) {
    // With so many repetitions nearly all succeed; one of which every SYN was lost is known by one end.
    if (outcomes[at] === "established") assertEquals(verdict, "established");
    else assert(["syn_lost", "answer_lost"].includes(verdict), verdict);
  }
  assertEquals(
    of("tier").filter((tier) => tier !== 2 && tier !== null).length,
    verdicts.filter((verdict) => verdict === "answer_lost").length,
  );
  // One machine has one clock.
  assertGreater(clocks[0].windows.length, 0);
  for (const { offsetNs, uncertaintyNs, stepped } of clocks[0].windows) {
    assertEquals(stepped, false);
    assert(Math.abs(offsetNs) <= uncertaintyNs, `${offsetNs} ± ${uncertaintyNs}`);
  }
  await output.cancel();
});

/** How many packets a counter of the router has. */
async function dropped(namespace: { run(...command: string[]): Promise<string> }, name: string) {
  const text = await namespace.run("nft", "list", "counter", "inet", "lossy", name);
  return Number(/packets (\d+)/.exec(text)![1]);
}
