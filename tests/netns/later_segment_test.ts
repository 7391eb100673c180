// A client's segment behind a third packet that never came, or across it, against what `ss` and accept() say of it.
import { assertEquals } from "@std/assert";
import { TcpFlag } from "../../src/wire/tcp_flags.ts";
import { tcpOption, u16 } from "../unit/wire/build_frame.ts";
import { CraftedEnd, type CraftedSegment, layGhostCable } from "./lab/crafted_end.ts";
import { TcpSocket } from "./lab/tcp_socket.ts";
import { Namespace, namespaceTest } from "./namespace.ts";
import { Tracer } from "./tracer.ts";

const { SYN, ACK, PSH, FIN, RST } = TcpFlag;
const SERVER = "10.77.0.2";
const GHOST = "10.77.0.50";
const PORT = 7777;
const FIRST_PORT = 20_000;
const ISN = 1000;
const THIRD = ISN + 1;
/** The last one that a cookie can tell: with another one it fits the Seq before, too. */
const MSS = tcpOption(2, u16(1460));
/** More than a window that is not scaled can be. */
const BEYOND = 70_000;

const CASES: readonly (readonly [name: string, segment: CraftedSegment])[] = [
  ["the third packet", { sequence: THIRD }],
  ["an empty one", { sequence: THIRD + 100 }],
  ["data", { sequence: THIRD + 100, flags: ACK | PSH, payload: new Uint8Array(100) }],
  ["a FIN", { sequence: THIRD + 100, flags: ACK | FIN }],
  ["data that begins before it", { sequence: ISN - 9, payload: new Uint8Array(100) }],
  ["data that ends an octet behind it", { sequence: ISN - 9, payload: new Uint8Array(11) }],
  ["a FIN across it", { sequence: ISN, flags: ACK | FIN, payload: new Uint8Array(1) }],
  ["one beyond the window", { sequence: THIRD + BEYOND }],
  ["a keep-alive", { sequence: ISN }],
  ["data that ends with it", { sequence: ISN - 9, payload: new Uint8Array(10) }],
  ["a keep-alive with an octet", { sequence: ISN, payload: new Uint8Array(1) }],
];

/** How many of them the kernel takes without cookies, from the first on. */
const TAKEN = 7;

for (const cookies of [false, true]) {
  const title = `trace takes a later segment as the kernel does${cookies ? ", SYN cookies" : ""}`;
  await namespaceTest(title, async () => {
    await using client = await Namespace.create();
    await using server = await Namespace.create();
    const cable = await layGhostCable(client, server, GHOST, SERVER);
    await server.run("sysctl", "-qw", `net.ipv4.tcp_syncookies=${cookies ? 2 : 1}`);
    using listener = TcpSocket.open(server).bind(SERVER, PORT).listen(64);
    const tracer = await Tracer.start(server, ["--json", "--probes", "none"]);
    using taken = new DisposableStack();
    for (const [at, [, segment]] of CASES.entries()) {
      using ghost = new CraftedEnd({
        ...cable,
        address: GHOST,
        port: FIRST_PORT + at,
        peerAddress: SERVER,
        peerPort: PORT,
      });
      ghost.send({ flags: SYN, sequence: ISN, options: MSS });
      const { sequence } = await ghost.receive(SYN | ACK);
      ghost.send({ flags: ACK, acknowledgment: sequence + 1, ...segment });
      const isTaken = cookies ? at === 0 : at < TAKEN;
      if (isTaken) taken.use(await listener.accept());
      // A cookie fits one Seq alone: the kernel knows nothing of the rest.
      else await ghost.receive(cookies ? RST : ACK);
    }
    const states = await server.run("ss", "-Htan");
    const kernel = CASES.map((_, at) => {
      const line = states.split("\n").find((each) => each.includes(`:${FIRST_PORT + at}`));
      return ["ESTAB", "CLOSE-WAIT"].includes(line?.split(/\s+/)[0] ?? "");
    });
    const isEstablished = (line: { outcome: string }) => line.outcome === "established";
    await tracer.wrote(cookies ? CASES.length : TAKEN);
    const { records } = await tracer.stop();
    for (const [at, [name]] of CASES.entries()) {
      const told = records.filter(({ client }) => client.port === FIRST_PORT + at);
      assertEquals(told.map(isEstablished), [kernel[at]], name);
      const [{ rtt, checks, times }] = told;
      // When the SYN-ACK was answered is known of the third packet alone.
      const isThird = at === 0;
      assertEquals(rtt.server_ns !== undefined, isThird, name);
      assertEquals([rtt.total_ns, times?.ack_ns].every((it) => it !== undefined), isThird, name);
      assertEquals(checks?.ack_sequence, isThird, name);
    }
    assertEquals(kernel, CASES.map((_, at) => at < (cookies ? 1 : TAKEN)));
  });
}

await namespaceTest("trace hears of a keep-alive that completes by a SYN cookie", async () => {
  await using client = await Namespace.create();
  await using server = await Namespace.create();
  const cable = await layGhostCable(client, server, GHOST, SERVER);
  await server.run("sysctl", "-qw", "net.ipv4.tcp_syncookies=2");
  using listener = TcpSocket.open(server).bind(SERVER, PORT).listen(64);
  const filter = ["--json", "--port", String(PORT)];
  const packets = await Tracer.start(server, [...filter, "--probes", "none"]);
  const traced = await Tracer.ready(server, filter);
  using ghost = new CraftedEnd({
    ...cable,
    address: GHOST,
    port: FIRST_PORT,
    peerAddress: SERVER,
    peerPort: PORT,
  });
  // The first of the four that a cookie can tell: with the second it fits the Seq before.
  ghost.send({ flags: SYN, sequence: ISN, options: tcpOption(2, u16(536)) });
  const { sequence } = await ghost.receive(SYN | ACK);
  ghost.send({ flags: ACK, sequence: ISN, acknowledgment: sequence + 1 });
  using _taken = await listener.accept();
  await traced.wrote(1);
  const outcomes = async (tracer: Tracer) =>
    (await tracer.stop()).records.map(({ outcome }) => outcome);
  assertEquals(await outcomes(traced), ["established"]);
  // Packets do not tell that it was a cookie.
  assertEquals(await outcomes(packets), ["half_open"]);
});
