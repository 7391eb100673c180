// Tracers at both ends of a lossy way through a NAT: what pairs says of it is what the router counted.
import { assert, assertEquals, assertGreater } from "@std/assert";
import { findPairs } from "../../src/store/pairs/find_pairs.ts";
import { PAIR_COLUMNS } from "../../src/store/pairs/found_pairs.ts";
import type { Verdict } from "../../src/match/both_ends.ts";
import { Folder } from "../folder.ts";
import { lineReader } from "../line_reader.ts";
import { buildHosts } from "./lab/lab.ts";
import { namespaceTest, until } from "./namespace.ts";
import { Oracle } from "./oracle.ts";
import { Tracer } from "./tracer.ts";

const PORT = 24_021;
const CONNECTIONS = 300;
/** To this one no packet but the SYN comes through. */
const ACKLESS_PORT = 24_022;
const ACKLESS = 10;
const TRACE = ["--probes", "none", "--status-interval", "1s"];
/** One in so many of each kind is dropped. */
const SHARE = 10;

/** The router hides the client, drops at random, and counts what it drops. */
const ROUTER = `table inet lossy {
  counter syn {}
  counter syn_ack {}
  counter ack {}
  chain drops { type filter hook forward priority 0;
    tcp flags & (syn|ack) == syn tcp dport ${PORT} numgen random mod ${SHARE} == 0 counter name syn drop
    tcp flags & (syn|ack) == syn|ack tcp sport ${PORT} numgen random mod ${SHARE} == 0 counter name syn_ack drop
    tcp flags & (syn|ack|psh|rst|fin) == ack tcp dport ${PORT} numgen random mod ${SHARE} == 0 counter name ack drop
    tcp dport ${ACKLESS_PORT} tcp flags & syn == 0 drop
  }
  chain after { type nat hook postrouting priority 100; tcp dport { ${PORT}, ${ACKLESS_PORT} } masquerade; }
}`;

/** Connects so many times, some at a time, sends a byte and waits for the end, or not for long. */
const CLIENT = `import asyncio, sys
async def one(gate, port, patience):
    async with gate:
        try:
            reader, writer = await asyncio.open_connection(sys.argv[1], port)
            writer.write(b"x")
            try:
                await asyncio.wait_for(reader.read(), patience)
            except asyncio.TimeoutError:
                writer.transport.abort()
            writer.close()
        except OSError:
            pass
async def all():
    gate = asyncio.Semaphore(50)
    often = [(${PORT}, None)] * ${CONNECTIONS} + [(${ACKLESS_PORT}, 0.5)] * ${ACKLESS}
    await asyncio.gather(*(one(gate, *each) for each in often))
asyncio.run(all())`;

const SERVER = `import asyncio
async def serve(reader, writer):
    await reader.read(1)
    writer.close()
async def main():
    ports = (${PORT}, ${ACKLESS_PORT})
    servers = [await asyncio.start_server(serve, "0.0.0.0", port, backlog=1024) for port in ports]
    print("listening", flush=True)
    await asyncio.gather(*(server.serve_forever() for server in servers))
asyncio.run(main())`;

/** What tcpdump has of a handshake at one end. */
interface Seen {
  syn: number;
  synAck: number;
  /** Packets of the client that acknowledge the SYN-ACK. */
  ack: number;
}

const [SYN, ACK] = [0x02, 0x10];

/** What a capture has of each handshake, by the client's initial sequence number. */
async function seenIn({ file }: Oracle): Promise<Map<number, Seen>> {
  const fields = ["tcp.srcport", "tcp.dstport", "tcp.flags", "tcp.seq_raw", "tcp.ack_raw"];
  const { stdout } = await new Deno.Command("tshark", {
    args: ["-r", file, "-T", "fields", ...fields.flatMap((field) => ["-e", field])],
    ...{ stdin: "null", stderr: "null" },
  }).output();
  const seen = new Map<number, Seen>();
  const ofPort = new Map<number, number>();
  for (const line of new TextDecoder().decode(stdout).trim().split("\n")) {
    const [from, to, flags, sequence, acknowledged] = line.split("\t").map(Number);
    const isToServer = [PORT, ACKLESS_PORT].includes(to);
    const client = isToServer ? from : to;
    const part = (flags & SYN) === 0 ? "ack" : (flags & ACK) === 0 ? "syn" : "synAck";
    if (part === "syn") ofPort.set(client, sequence);
    const isn = part === "synAck" ? (acknowledged - 1) >>> 0 : ofPort.get(client);
    if (isn === undefined || part === "ack" && (!isToServer || (flags & ACK) === 0)) continue;
    const own = seen.get(isn) ?? { syn: 0, synAck: 0, ack: 0 };
    seen.set(isn, own);
    own[part]++;
  }
  return seen;
}

/** Where it failed, by what came at either end. */
function verdictBy(client: Seen, server: Seen | undefined): Verdict {
  if (client.synAck > 0 && client.ack > 0) return server!.ack > 0 ? "established" : "ack_lost";
  return server === undefined ? "syn_lost" : "answer_lost";
}

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
  assertEquals((await lineReader(listening.stdout).read()).value, "listening");
  const oracles = [];
  for (const { namespace } of [client, server]) {
    oracles.push(stack.use(await Oracle.start(namespace, "any")));
  }
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
  await until("the client's end of each is told", () => counted(atClient) >= CONNECTIONS + ACKLESS);
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
      clocks: await Array.fromAsync(found.clocks()),
    }),
  );

  const of = (name: typeof PAIR_COLUMNS[number]) => {
    const at = PAIR_COLUMNS.indexOf(name);
    return pairs.map((row) => row[at]);
  };
  const sum = (values: readonly unknown[]) =>
    values.reduce((total: number, each) => total + Number(each ?? 0), 0);
  assertEquals(pairs.length, CONNECTIONS + ACKLESS);
  const [syns, synAcks] = await Promise.all([
    dropped(router.namespace, "syn"),
    dropped(router.namespace, "syn_ack"),
  ]);
  assertGreater(Math.min(syns, synAcks), 0);
  assertEquals(sum(of("syns_lost")), syns);
  assertEquals(sum(of("syn_acks_lost")), synAcks);

  const [seenAtClient, seenAtServer] = await Promise.all(oracles.map(seenIn));
  const verdicts = of("verdict") as Verdict[];
  const isns = of("x").map(Number);
  for (const [at, verdict] of verdicts.entries()) {
    const [one, other] = [seenAtClient.get(isns[at])!, seenAtServer.get(isns[at])];
    assertEquals(verdict, verdictBy(one, other), JSON.stringify([one, other]));
  }
  assertEquals(verdicts.filter((verdict) => verdict === "ack_lost").length, ACKLESS);
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
});

/** How many packets a counter of the router has. */
async function dropped(namespace: { run(...command: string[]): Promise<string> }, name: string) {
  const text = await namespace.run("nft", "list", "counter", "inet", "lossy", name);
  return Number(/packets (\d+)/.exec(text)![1]);
}
