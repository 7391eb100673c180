/**
 * The programs at both ends of the network.
 *
 * @module
 */
import { Lines } from "./lines.ts";
import { ADDRESSES, type DelayedNetwork } from "./delayed_network.ts";

/** Where the compiled programs are. */
const helpers = Deno.args[0];
const connectLoad = `${helpers}/connect_load`;
/** A program in Python starts in seconds. */
const STARTED_MS = 60_000;

/** The server's addresses, IPv4 first. */
export const SERVERS: readonly string[] = Object.values(ADDRESSES).map(({ server }) => server);

/** Without what this machine's packages add to its start: emulated, that takes seconds. */
const PYTHON = ["python3", "-I", "-S"] as const;

function python(name: string, ...args: (string | number)[]): string[] {
  return [...PYTHON, new URL(`../peers/${name}.py`, import.meta.url).pathname, ...args.map(String)];
}

/** Starts a program at the server and waits for its first line. */
async function serving(
  network: DelayedNetwork,
  command: readonly string[],
): Promise<Deno.ChildProcess> {
  const child = network.server.spawn(command, { stdout: "piped" });
  await new Lines(child.stdout).until("the server listens", ({ length }) => length > 0, STARTED_MS);
  return child;
}

/** Serves so many connections of an address, each until the client closes it. */
export function serve(
  network: DelayedNetwork,
  address: string,
  port: number,
  count: number,
): Promise<Deno.ChildProcess> {
  return serving(network, [connectLoad, address, `${port}`, `${count}`, "--serve", "taker"]);
}

/** Connects so often, one after another, each time accepted: with every address of the server. */
export async function connectAndServe(
  network: DelayedNetwork,
  port: number,
  count: number,
): Promise<void> {
  for (const address of SERVERS) {
    const server = await serve(network, address, port, count);
    const args = [address, `${port}`, `${count}`, "--connect", "caller"];
    await network.client.run(connectLoad, ...args);
    await server.status;
  }
}

/** Connects so often at the same time with each address. @returns How each ended, sorted. */
export async function connectAtOnce(
  network: DelayedNetwork,
  port: number,
  count: number,
): Promise<string[]> {
  const ends = await network.client.run(...python("callers", port, count, ...SERVERS));
  return ends.trim().split(" ");
}

/** Listens on every address of the server and never accepts. */
export async function listenIdly(
  network: DelayedNetwork,
  port: number,
  backlog: number,
): Promise<void> {
  await serving(network, python("idle_listener", backlog, port, ...SERVERS));
}

/** Sends SYNs from IPv4 addresses that nobody has. */
export async function sendSpoofedSyns(
  network: DelayedNetwork,
  port: number,
  count: number,
): Promise<void> {
  await network.client.run(...python("syn_flood", ADDRESSES.ipv4.server, port, count));
}

/** Connects, says so, and holds the connection until its input ends. */
const HOLD = `
import socket, sys
connection = socket.create_connection((sys.argv[1], int(sys.argv[2])))
print("connected", flush=True)
sys.stdin.read()
`;

/** An open connection; disposing closes both ends. */
export async function holdConnection(
  network: DelayedNetwork,
  address: string,
  port: number,
): Promise<AsyncDisposable> {
  const server = await serve(network, address, port, 1);
  const holder = network.client.spawn(
    [...PYTHON, "-c", HOLD, address, String(port)],
    { stdin: "piped", stdout: "piped" },
  );
  const said = new Lines(holder.stdout);
  await said.until("the client is connected", ({ length }) => length > 0, STARTED_MS);
  return {
    async [Symbol.asyncDispose]() {
      // The end of its input ends it, and the end of the connection the server.
      await holder.stdin.close();
      await holder.status;
      await server.status;
    },
  };
}
