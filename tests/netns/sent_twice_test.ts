// What a server sends twice at once, against tcpdump on every host that it passes.
import { assertEquals } from "@std/assert";
import type { HandshakeRecord } from "../../src/record/record.ts";
import { TcpFlag } from "../../src/wire/tcp_flags.ts";
import { runRead } from "../capture/read_tool.ts";
import { makeFolder } from "./disk.ts";
import { buildHosts } from "./lab/lab.ts";
import { namespaceTest } from "./namespace.ts";
import { Oracle } from "./oracle.ts";
import { Tracer } from "./tracer.ts";

const PORT = 24_031;
const CLIENT_PORT = 40_000;
const SYN_ACK = TcpFlag.SYN | TcpFlag.ACK;

/** What was counted of the handshakes over IPv4 and over IPv6. */
const counts = (records: readonly HandshakeRecord[]) => records.map(({ packets }) => packets);

await namespaceTest("a SYN-ACK sent twice at once is two, wherever it passes by", async () => {
  await using stack = new AsyncDisposableStack();
  using folder = makeFolder();
  const hosts = await buildHosts(stack);
  const { client, server } = hosts;
  server.listen(PORT, { ipv6: true });
  const places = await Promise.all(
    Object.entries(hosts).map(async ([name, { namespace }]) => {
      const written = `${folder.path}/${name}.pcapng`;
      const flags = ["--json", "--probes", "none", "--port", String(PORT), "--write", written];
      const tracer = await Tracer.start(namespace, flags);
      return { name, written, tracer, oracle: stack.use(await Oracle.start(namespace, "any")) };
    }),
  );

  for (const address of [server.address, server.address6]) {
    const ghost = client.ghost(CLIENT_PORT, address, PORT);
    // Without timestamps the answers to both are the same, bit for bit.
    const syn = { flags: TcpFlag.SYN, sequence: 1_000 };
    ghost.send(syn, syn);
    const answer = await ghost.receive(SYN_ACK);
    assertEquals(await ghost.receive(SYN_ACK), answer);
    const acknowledgment = (answer.sequence + 1) >>> 0;
    ghost.send({ flags: TcpFlag.ACK, sequence: 1_001, acknowledgment });
  }

  for (const { name, written, tracer, oracle } of places) {
    await tracer.wrote(2);
    await oracle.handshakes(2);
    const { records, status } = await tracer.stop();
    assertEquals(status.code, 0, name);
    const expected = await Promise.all(["ip", "ip6"].map(async (version) => {
      const lines = await oracle.lines(version);
      // The router shows each as it comes in and as it leaves.
      const seen = (flags: string) =>
        Math.max(
          ...["In", "Out"].map((way) =>
            lines.filter((line) => line.includes(` ${way} `) && line.includes(`Flags [${flags}],`))
              .length
          ),
        );
      const [syn, syn_ack] = ["S", "S."].map(seen);
      return { syn, syn_ack, rst: 0 };
    }));
    assertEquals(expected.map(({ syn_ack }) => syn_ack), [2, 2], name);
    assertEquals(counts(records), expected, name);
    for (const file of [written, oracle.file]) {
      assertEquals(counts((await runRead([file])).records), expected, `${name}, ${file}`);
    }
  }
});
