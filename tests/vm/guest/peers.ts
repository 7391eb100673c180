/**
 * Who connects through the delayed network, and who listens there: sockets of this process, and
 * programs where one must wait inside a call.
 *
 * @module
 */
import { CraftedEnd } from "../../netns/lab/crafted_end.ts";
import { TcpSocket } from "../../netns/lab/tcp_socket.ts";
import { ADDRESSES, type DelayedNetwork, SPOOFED } from "./delayed_network.ts";
import { Lines } from "./lines.ts";

/** Where the compiled programs are. */
const helpers = Deno.args[0];
const connectLoad = `${helpers}/connect_load`;
/** A program starts in a second. */
const STARTED_MS = 60_000;

/** Where SYNs from nobody come from, each from the next port. */
const SPOOFED_PORT = 1024;

/** The server's addresses, IPv4 first. */
export const SERVERS: readonly string[] = Object.values(ADDRESSES).map(({ server }) => server);

/** Starts a program that serves so many connections of an address, each until the client closes it. */
async function serve(
  network: DelayedNetwork,
  address: string,
  port: number,
  count: number,
): Promise<Deno.ChildProcess> {
  const child = network.server.spawn(
    [connectLoad, address, `${port}`, `${count}`, "--serve", "taker"],
    { stdout: "piped" },
  );
  await new Lines(child.stdout).until("the server listens", ({ length }) => length > 0, STARTED_MS);
  return child;
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

function connect(network: DelayedNetwork, address: string, port: number): TcpSocket {
  return TcpSocket.open(network.client, { ipv6: address.includes(":") }).connect(address, port);
}

/**
 * Connects so often at the same time with each address, and closes when all have ended.
 *
 * @returns How each ended, sorted.
 */
export async function connectAtOnce(
  network: DelayedNetwork,
  port: number,
  count: number,
): Promise<string[]> {
  using stack = new DisposableStack();
  const ends = SERVERS.flatMap((address) =>
    Array.from({ length: count }, async () => {
      const socket = stack.use(connect(network, address, port));
      return await socket.settled() ?? "connected";
    })
  );
  return (await Promise.all(ends)).toSorted();
}

/** Listens on an address of the server; who connects waits to be accepted. */
export function listen(
  network: DelayedNetwork,
  address: string,
  port: number,
  backlog: number,
): TcpSocket {
  const socket = TcpSocket.open(network.server, { ipv6: address.includes(":") });
  return socket.bind(address, port).listen(backlog);
}

/** An open connection with an address of the server; disposing closes both ends. */
export async function holdConnection(
  network: DelayedNetwork,
  address: string,
  port: number,
): Promise<Disposable> {
  using stack = new DisposableStack();
  const listener = stack.use(listen(network, address, port, 1));
  const client = stack.use(connect(network, address, port));
  await client.connected();
  stack.use(await listener.accept());
  return stack.move();
}

/** Sends SYNs over IPv4 from an address that nobody has, each from a port and with a number of its own. */
export async function sendSpoofedSyns(
  network: DelayedNetwork,
  port: number,
  count: number,
): Promise<void> {
  const { client, server, interfaces } = network;
  const [own] = JSON.parse(await client.ip("-j", "link", "show", interfaces.client));
  const [far] = JSON.parse(await server.ip("-j", "link", "show", interfaces.server));
  using end = new CraftedEnd({
    namespace: client,
    interfaceIndex: own.ifindex,
    nextHop: Uint8Array.from(far.address.split(":"), (byte: string) => parseInt(byte, 16)),
    address: SPOOFED,
    port: SPOOFED_PORT,
    peerAddress: ADDRESSES.ipv4.server,
    peerPort: port,
  });
  end.send(...Array.from({ length: count }, (_, index) => ({
    sourcePort: SPOOFED_PORT + index,
    sequence: 0x10000000 + index * 0x1000,
  })));
}
