// The very SYN again at once after each RST: what the kernel did with one is told of that one.
import { assertEquals } from "@std/assert";
import { TcpFlag } from "../../src/wire/tcp_flags.ts";
import { CraftedEnd, layGhostCable } from "./lab/crafted_end.ts";
import { Namespace, namespaceTest } from "./namespace.ts";
import { Tracer } from "./tracer.ts";

const SERVER = "10.77.0.2";
const GHOST = "10.77.0.50";
const PORT = 7777;
const FIRST_PORT = 20_000;
const CLIENTS = 30;
const TIMES = 3;

await namespaceTest("trace tells each refusal of one SYN its own drop and reset", async () => {
  await using client = await Namespace.create();
  await using server = await Namespace.create();
  const cable = await layGhostCable(client, server, GHOST, SERVER);
  const tracer = await Tracer.ready(server, ["--json", "--port", String(PORT)]);
  for (let at = 0; at < CLIENTS; at++) {
    using ghost = new CraftedEnd({
      ...cable,
      address: GHOST,
      port: FIRST_PORT + at,
      peerAddress: SERVER,
      peerPort: PORT,
    });
    for (let time = 0; time < TIMES; time++) {
      ghost.send({ sequence: 1000 });
      await ghost.receive(TcpFlag.RST);
    }
  }
  await tracer.wrote(CLIENTS * TIMES);
  const { records } = await tracer.stop();
  const told = records.map(({ outcome, drop, reset }) => [outcome, drop?.count, reset?.reason]);
  assertEquals(told, Array(CLIENTS * TIMES).fill(["refused", 1, "NO_SOCKET"]));
  for (const { times, packets } of records) {
    assertEquals(packets, { syn: 1, syn_ack: 0, rst: 1 });
    // Within its own attempt, which took microseconds; nobody stopped the machine for so long.
    assertEquals([times?.dropped_ns, times?.reset_sent_ns].every((it) => it! < 0.2e9), true);
  }
});
