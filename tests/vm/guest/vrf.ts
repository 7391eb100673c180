/**
 * A server within a VRF (virtual routing and forwarding): there packets pass the interface and the VRF
 * itself, both of which a capture on all interfaces sees.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import { Namespace } from "../../netns/namespace.ts";
import { type DelayedNetwork, portsOf } from "./delayed_network.ts";
import { Lines } from "./lines.ts";

/** Within what the tracers tell of; the VRF has routes of its own. */
const ADDRESSES = { client: "10.77.0.129", server: "10.77.0.130" };
const COUNT = 3;
/** A program starts in a second. */
const STARTED_MS = 60_000;

const LISTEN = `import socket, sys
server = socket.socket()
server.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, b"blue")
server.bind(("${ADDRESSES.server}", int(sys.argv[1])))
server.listen()
print("ready", flush=True)
for _ in range(${COUNT}): server.accept()[0].recv(1)`;

const CONNECT = `import socket, sys
for _ in range(${COUNT}): socket.create_connection(("${ADDRESSES.server}", int(sys.argv[1]))).close()`;

/** Each handshake is one record, its packets counted once, with the process that listens in the VRF. */
export async function testVrf(network: DelayedNetwork, attempt: number): Promise<void> {
  const { server } = network;
  const port = portsOf("vrf")[attempt];
  await using client = await Namespace.create();
  const [, end] = await client.connect(server, {
    here: `${ADDRESSES.client}/25`,
    there: `${ADDRESSES.server}/25`,
  });
  try {
    await server.ip("link", "add", "blue", "type", "vrf", "table", "10");
    await server.ip("link", "set", "blue", "up");
    await server.ip("link", "set", end, "master", "blue");
    const serving = server.spawn(["python3", "-c", LISTEN, `${port}`], { stdout: "piped" });
    await new Lines(serving.stdout).until("it listens", ({ length }) => length > 0, STARTED_MS);
    await client.run("python3", "-c", CONNECT, `${port}`);
    await serving.status;
  } finally {
    await server.run("sh", "-c", "! ip link show blue || ip link delete blue");
  }
  const records = await network.reports("server", port, COUNT);
  assertEquals(records.length, COUNT);
  for (const { outcome, evidence, packets, rtt, server } of records) {
    assertEquals([outcome, evidence], ["established", ["wire", "kernel"]]);
    assertEquals([packets.syn, packets.syn_ack], [1, 1]);
    assert(rtt.client_ns! > 0 && rtt.server_ns! > 0);
    assertEquals(server.process?.comm, "python3");
  }
}
