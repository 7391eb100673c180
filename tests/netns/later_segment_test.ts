// A client's segment behind a third packet that never came, against what `ss` and accept() say of it.
import { assert, assertEquals } from "@std/assert";
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
  ["one beyond the window", { sequence: THIRD + BEYOND }],
  ["a keep-alive", { sequence: ISN }],
  ["a keep-alive with an octet", { sequence: ISN, payload: new Uint8Array(1) }],
];

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
      const isTaken = cookies ? at === 0 : at < 4;
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
    await tracer.wrote(CASES.length - (cookies ? 0 : 3));
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
    assert(kernel[0] && kernel[1] !== cookies && !kernel[4]);
  });
}
