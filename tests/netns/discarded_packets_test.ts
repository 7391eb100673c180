// Packets that the server's kernel throws away, against what accept() says: nothing that the tracer
// reports is decided by one. And packets of one direction that pass a host which is neither end.
// Covers src/linux/netns/source_route_settings.ts
import { assertEquals } from "@std/assert";
import { interfaceIndex } from "../../src/linux/netns/interfaces.ts";
import { TcpFlag } from "../../src/wire/tcp_flags.ts";
import { CraftedEnd, type CraftedSegment, layGhostCable, macOf } from "./lab/crafted_end.ts";
import { TcpSocket } from "./lab/tcp_socket.ts";
import { inNamespace, Namespace, namespaceTest } from "./namespace.ts";
import { Tracer } from "./tracer.ts";

const { SYN, ACK, RST } = TcpFlag;
const SERVER = "10.77.0.2";
const GHOST = "10.77.0.50";
const PORT = 7777;
const ISN = 1000;

/** Numbers that are none of a handshake's: each lies beyond any window. */
const GUESSES = Array.from({ length: 100 }, (_, index) => 0x1000_0000 + index * 0x0010_0007);
const GUESSED_PORT = 21_000;

interface Case {
  name: string;
  /** What is wrong with the third packet, or with a RST in its place. */
  wrong: CraftedSegment;
  reason: string;
}

const elsewhere = new Uint8Array([2, 0, 0, 0, 0, 0x99]);
/** A loose source route over one more address. */
const route = new Uint8Array([131, 7, 4, 1, 2, 3, 4]);

const CASES: readonly Case[] = [
  { name: "TCP checksum", wrong: { badChecksum: true }, reason: "bad_tcp_checksum" },
  { name: "IP checksum", wrong: { badIpChecksum: true }, reason: "bad_ip_checksum" },
  { name: "another host's address", wrong: { to: elsewhere }, reason: "other_host" },
  { name: "a lone fragment", wrong: { ip: { moreFragments: true } }, reason: "lone_fragment" },
  { name: "IP length", wrong: { ip: { totalLength: 1000 } }, reason: "ip_length_beyond_packet" },
  { name: "a source route", wrong: { ip: { options: route } }, reason: "source_route" },
  {
    name: "a RST's checksum",
    wrong: { flags: RST, acknowledgment: 0, badChecksum: true },
    reason: "bad_tcp_checksum",
  },
  {
    name: "a RST in a lone fragment",
    wrong: { flags: RST, acknowledgment: 0, ip: { moreFragments: true } },
    reason: "lone_fragment",
  },
];

for (const filter of ["ebpf", "classic"] as const) {
  await namespaceTest(
    `trace believes no packet that the kernel throws away, ${filter}`,
    async () => {
      await using client = await Namespace.create();
      await using server = await Namespace.create();
      const cable = await layGhostCable(client, server, GHOST, SERVER);
      using listener = TcpSocket.open(server).bind(SERVER, PORT).listen(64);
      const ports = ["--port", String(PORT)];
      const tracer = await Tracer.start(
        server,
        ["--json", "--probes", "none", "--packet-filter", filter, ...ports],
      );
      const end = (port: number) =>
        new CraftedEnd({
          ...cable,
          address: GHOST,
          port,
          peerAddress: SERVER,
          peerPort: PORT,
        });
      const begin = async (port: number) => {
        const ghost = end(port);
        ghost.send({ flags: SYN, sequence: ISN });
        const { sequence } = await ghost.receive(SYN | ACK);
        const third = { flags: ACK, sequence: ISN + 1, acknowledgment: sequence + 1 };
        return { ghost, third };
      };
      const sent = CASES.map((each, index) => ({ ...each, port: 20_000 + index }));
      // Alone: accept() does not return, and no record may say otherwise.
      for (const { port, wrong } of sent) {
        const { ghost, third } = await begin(port);
        ghost.send({ ...third, ...wrong });
        ghost[Symbol.dispose]();
      }
      // Before the true one, which accept() takes.
      for (const { port, wrong } of sent) {
        const { ghost, third } = await begin(port + 100);
        ghost.send({ ...third, ...wrong }, third);
        const accepted = await listener.accept();
        accepted[Symbol.dispose]();
        ghost[Symbol.dispose]();
      }
      // Before the true one, what somebody guesses who knows the tuple alone.
      const { ghost, third } = await begin(GUESSED_PORT);
      for (const flags of [ACK, RST]) {
        ghost.send(
          ...GUESSES.map((sequence) => ({ ...third, flags, sequence, acknowledgment: 7 })),
        );
      }
      ghost.send(third);
      (await listener.accept())[Symbol.dispose]();
      ghost[Symbol.dispose]();
      await tracer.wrote(CASES.length + 1);
      const { records, summary } = await tracer.stop();
      const guessed = records.filter((record) => record.client.port === GUESSED_PORT);
      assertEquals(
        guessed.map(({ outcome, packets, checks }) => ({ outcome, packets, checks })),
        [{
          outcome: "established",
          packets: { syn: 1, syn_ack: 1, rst: 0 },
          checks: {
            syn_ack_acknowledges_syn: true,
            ack_sequence: true,
            ack_acknowledges_syn_ack: true,
          },
        }],
      );
      const outcomeOf = (port: number) =>
        records.filter((record) => record.client.port === port).map(({ outcome }) => outcome);
      for (const { port, name } of sent) {
        assertEquals(outcomeOf(port), ["half_open"], name);
        assertEquals(outcomeOf(port + 100), ["established"], name);
      }
      const expected: Record<string, number> = {};
      for (const { reason } of CASES) {
        // By its length it is no empty ACK, so the classic filter does not pass it.
        if (filter === "classic" && reason === "ip_length_beyond_packet") continue;
        expected[reason] = (expected[reason] ?? 0) + 2;
      }
      assertEquals(summary?.discarded, expected);
    },
  );
}

await namespaceTest("trace believes a source route where the host takes it", async () => {
  await using client = await Namespace.create();
  await using server = await Namespace.create();
  const addresses = { here: "10.77.0.1/24", there: `${SERVER}/24` };
  const [here, there] = await client.connect(server, addresses);
  for (const name of ["all", there]) {
    await server.run("sh", "-c", `echo 1 >/proc/sys/net/ipv4/conf/${name}/accept_source_route`);
  }
  const index = inNamespace(client.name, () => interfaceIndex(here)!);
  using ghost = new CraftedEnd({
    namespace: client,
    interfaceIndex: index,
    nextHop: await macOf(server, there),
    address: GHOST,
    port: 20_000,
    peerAddress: SERVER,
    peerPort: PORT,
  });
  const tracer = await Tracer.start(
    server,
    ["--json", "--probes", "none", "--count", "1", "--port", String(PORT)],
  );
  // A route that is done; what answers and what follows needs no kernel.
  const done = new Uint8Array([131, 7, 8, 10, 77, 0, 1]);
  const numbers = { flags: RST | ACK, sequence: 0, acknowledgment: ISN + 1 };
  using refusing = new CraftedEnd({
    namespace: client,
    interfaceIndex: index,
    nextHop: await macOf(server, there),
    address: SERVER,
    port: PORT,
    peerAddress: GHOST,
    peerPort: 20_000,
  });
  ghost.send({ flags: SYN, sequence: ISN, ip: { options: done } });
  refusing.send(numbers);
  const { records, summary } = await tracer.ended();
  assertEquals(records.map(({ outcome }) => outcome), ["refused"]);
  assertEquals(summary?.discarded, {});
});

/** A filter that waits for a SYN-ACK lets no ACK through where that takes another way. */
const ONE_WAY = [
  { filter: "ebpf", outcome: "unanswered", flags: ["trace_ended"] },
  { filter: "classic", outcome: "established", flags: ["one_sided"] },
];

for (const { filter, outcome, flags } of ONE_WAY) {
  await namespaceTest(`trace of one direction in passing, ${filter}: ${outcome}`, async () => {
    await using client = await Namespace.create();
    await using passing = await Namespace.create();
    const addresses = { here: "10.77.0.1/24", there: `${SERVER}/24` };
    const [here, there] = await client.connect(passing, addresses);
    using ghost = new CraftedEnd({
      namespace: client,
      interfaceIndex: inNamespace(client.name, () => interfaceIndex(here)!),
      nextHop: await macOf(passing, there),
      address: GHOST,
      port: 20_000,
      peerAddress: "198.51.100.7",
      peerPort: PORT,
    });
    const tracer = await Tracer.start(
      passing,
      ["--json", "--probes", "none", "--packet-filter", filter, "--port", String(PORT)],
    );
    const third = { flags: ACK, sequence: ISN + 1, acknowledgment: 5001 };
    ghost.send({ flags: SYN, sequence: ISN }, third);
    // Another that is known when it is over, so that both packets came.
    const refused = { flags: SYN, sequence: 2 * ISN };
    ghost.send(refused, { flags: RST, sequence: 2 * ISN + 1, acknowledgment: 0 });
    await tracer.wrote(1);
    const { records } = await tracer.stop();
    const record = records.find(({ client }) => client.isn === ISN);
    assertEquals([record?.outcome, record?.flags], [outcome, flags]);
  });
}

/** Answers that the client's kernel throws away. */
const ANSWERS: readonly { name: string; wrong: CraftedSegment; reason: string }[] = [
  { name: "TCP checksum", wrong: { badChecksum: true }, reason: "bad_tcp_checksum" },
  { name: "IP checksum", wrong: { badIpChecksum: true }, reason: "bad_ip_checksum" },
  { name: "another host's address", wrong: { to: elsewhere }, reason: "other_host" },
  { name: "a lone fragment", wrong: { ip: { moreFragments: true } }, reason: "lone_fragment" },
  {
    name: "a RST's checksum",
    wrong: { flags: RST | ACK, sequence: 0, badChecksum: true },
    reason: "bad_tcp_checksum",
  },
];

for (const filter of ["ebpf", "classic"] as const) {
  await namespaceTest(
    `trace believes no answer that the client throws away, ${filter}`,
    async () => {
      await using client = await Namespace.create();
      await using server = await Namespace.create();
      const addresses = { here: "10.77.0.1/24", there: `${SERVER}/24` };
      const [here, there] = await client.connect(server, addresses);
      const serverMac = await macOf(server, there);
      const text = [...serverMac].map((byte) => byte.toString(16).padStart(2, "0")).join(":");
      await client.ip("neigh", "replace", GHOST, "lladdr", text, "dev", here);
      const nextHop = await macOf(client, here);
      const index = inNamespace(server.name, () => interfaceIndex(there)!);
      const tracer = await Tracer.start(
        client,
        ["--json", "--probes", "none", "--packet-filter", filter, "--port", String(PORT)],
      );
      const begin = async (port: number) => {
        const ghost = new CraftedEnd({
          namespace: server,
          interfaceIndex: index,
          nextHop,
          address: GHOST,
          port: PORT,
          peerAddress: "10.77.0.1",
          peerPort: port,
        });
        const socket = TcpSocket.open(client).bind("10.77.0.1", port).connect(GHOST, PORT);
        const { sequence } = await ghost.receive(SYN);
        const answer = { flags: SYN | ACK, sequence: ISN, acknowledgment: sequence + 1 };
        return { ghost, socket, answer };
      };
      for (const [at, { wrong }] of ANSWERS.entries()) {
        // Alone: the client goes on waiting.
        const { ghost, socket, answer } = await begin(20_000 + at);
        ghost.send({ ...answer, ...wrong });
        socket[Symbol.dispose]();
        ghost[Symbol.dispose]();
        // Before the true one, which the client takes.
        const other = await begin(20_100 + at);
        other.ghost.send({ ...other.answer, sequence: 9 * ISN, ...wrong }, other.answer);
        await other.socket.connected();
        await other.ghost.receive(ACK);
        other.socket[Symbol.dispose]();
        other.ghost[Symbol.dispose]();
      }
      await tracer.wrote(ANSWERS.length);
      const { records, summary } = await tracer.stop();
      const of = (port: number) => records.filter((record) => record.client.port === port);
      for (const [at, { name }] of ANSWERS.entries()) {
        assertEquals(of(20_000 + at).map(({ outcome }) => outcome), ["unanswered"], name);
        const known = of(20_100 + at).map((
          { outcome, server, packets },
        ) => [outcome, server.isn, packets.syn_ack, packets.rst]);
        assertEquals(known, [["established", ISN, 1, 0]], name);
      }
      const expected: Record<string, number> = {};
      for (const { reason } of ANSWERS) expected[reason] = (expected[reason] ?? 0) + 2;
      assertEquals(summary?.discarded, expected);
    },
  );
}
