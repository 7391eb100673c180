/**
 * What SYNs can carry or be beyond the usual: facts that the record names and that are no error.
 *
 * @module
 */
import { TcpFlag } from "../../../src/wire/tcp_flags.ts";
import { linuxSynOptions } from "../../unit/wire/build_frame.ts";
import { until } from "../namespace.ts";
import {
  all,
  AT_CLIENT,
  BETWEEN_GHOSTS,
  BOTH_ENDS,
  ESTABLISHED,
  IN_THE_MIDDLE,
} from "./expectations.ts";
import { ipv4, SERVER_NETWORK } from "./host.ts";
import type { Stage } from "./lab.ts";
import { present, type Scenario } from "./scenario.ts";
import { TcpOption } from "./tcp_socket.ts";
import { ROUTED } from "./topology.ts";

const SYN_ACK = TcpFlag.SYN | TcpFlag.ACK;
const FAST_OPEN = { flags: ["tcp_fast_open"] } as const;
const TEXT = "fast open data";
const LISTEN_FAST_OPEN = [[TcpOption.FASTOPEN, 16]] as const;
const NO_COOKIE = [[TcpOption.FASTOPEN_NO_COOKIE, 1]] as const;

/** A real client sends data in its SYN to a hand-made server, which takes so many bytes of it. */
async function fastOpenTaking(bytes: number, { client, server, port }: Stage): Promise<void> {
  const ghost = server.ghost(port, client.address, port + 1);
  const socket = client.socket({ ownPort: port + 1, tcp: NO_COOKIE });
  socket.connectWithData(server.ghostAddress, port, TEXT);
  const { sequence, timestamp } = await ghost.receive(TcpFlag.SYN);
  ghost.send({
    flags: SYN_ACK,
    sequence: 7000,
    acknowledgment: sequence + 1 + bytes,
    options: linuxSynOptions({ timestampEcho: timestamp }),
  });
  await socket.connected();
  await ghost.receive(TcpFlag.ACK);
}

export const options: readonly Scenario[] = [
  {
    name: "TCP Fast Open: the cookie",
    says: "The first connection asks for a cookie and gets it; no data yet.",
    topology: ROUTED,
    traffic: async ({ client, server, port }) => {
      const listener = server.listen(port, { tcp: LISTEN_FAST_OPEN });
      const socket = client.socket();
      const taken = socket.connectWithData(server.address, port, TEXT);
      if (taken > 0) throw new Error("Cannot go on: there was a cookie already");
      await socket.connected();
      await listener.accept();
    },
    expected: {
      client: [all(ESTABLISHED, BOTH_ENDS, FAST_OPEN)],
      router: [all(ESTABLISHED, IN_THE_MIDDLE, FAST_OPEN)],
      server: [all(ESTABLISHED, BOTH_ENDS, FAST_OPEN)],
    },
  },
  {
    name: "TCP Fast Open: no cookie granted",
    says: "The server does not know the option and leaves it out of its SYN-ACK.",
    topology: ROUTED,
    traffic: async ({ client, server, port }) => {
      const address = ipv4(SERVER_NETWORK, 13);
      await server.namespace.ip("address", "add", `${address}/24`, "dev", "veth0");
      const listener = server.listen(port, { address });
      const socket = client.socket();
      socket.connectWithData(address, port, TEXT);
      await socket.connected();
      await listener.accept();
    },
    expected: {
      client: [all(ESTABLISHED, BOTH_ENDS, FAST_OPEN)],
      router: [all(ESTABLISHED, IN_THE_MIDDLE, FAST_OPEN)],
      server: [all(ESTABLISHED, BOTH_ENDS, FAST_OPEN)],
    },
  },
  {
    name: "TCP Fast Open: data in the SYN",
    says:
      "With the cookie data goes into the SYN, and the SYN-ACK acknowledges it: Ack = x + 1 + bytes.",
    topology: ROUTED,
    traffic: async ({ client, server, port }) => {
      const listener = server.listen(port, { ipv6: true, tcp: LISTEN_FAST_OPEN });
      for (let time = 0; time < 2; time++) {
        const socket = client.socket({ ipv6: true });
        const taken = socket.connectWithData(server.address6, port, TEXT);
        await socket.connected();
        const accepted = await listener.accept();
        if (time === 0) continue;
        if (taken < TEXT.length) throw new Error("Cannot go on: no data went into the SYN");
        await accepted.readable();
      }
    },
    expected: {
      client: Array(2).fill(all(ESTABLISHED, BOTH_ENDS, FAST_OPEN)),
      router: Array(2).fill(all(ESTABLISHED, IN_THE_MIDDLE, FAST_OPEN)),
      server: Array(2).fill(all(ESTABLISHED, BOTH_ENDS, FAST_OPEN)),
    },
  },
  {
    name: "TCP Fast Open: the data refused",
    says:
      "The SYN-ACK acknowledges the SYN alone, the client sends its data again after the handshake.",
    topology: ROUTED,
    traffic: (stage) => fastOpenTaking(0, stage),
    expected: {
      client: [all(ESTABLISHED, AT_CLIENT, FAST_OPEN)],
      router: [all(ESTABLISHED, IN_THE_MIDDLE, FAST_OPEN)],
      server: [all(ESTABLISHED, AT_CLIENT, FAST_OPEN)],
    },
  },
  {
    name: "TCP Fast Open: part of the data taken",
    says: "The SYN-ACK acknowledges four bytes of the data in the SYN.",
    topology: ROUTED,
    traffic: (stage) => fastOpenTaking(4, stage),
    expected: {
      client: [all(ESTABLISHED, AT_CLIENT, FAST_OPEN)],
      router: [all(ESTABLISHED, IN_THE_MIDDLE, FAST_OPEN)],
      server: [all(ESTABLISHED, AT_CLIENT, FAST_OPEN)],
    },
  },
  {
    name: "TCP Fast Open: all of the data taken",
    says: "The SYN-ACK acknowledges every byte of the data in the SYN.",
    topology: ROUTED,
    traffic: (stage) => fastOpenTaking(TEXT.length, stage),
    expected: {
      client: [all(ESTABLISHED, AT_CLIENT, FAST_OPEN)],
      router: [all(ESTABLISHED, IN_THE_MIDDLE, FAST_OPEN)],
      server: [all(ESTABLISHED, AT_CLIENT, FAST_OPEN)],
    },
  },
  {
    name: "Multipath TCP",
    says:
      "MP_CAPABLE on SYN and SYN-ACK; when it is established, the client joins a second path: " +
      "a handshake of its own.",
    topology: ROUTED,
    traffic: async ({ client, server, port }) => {
      const listener = server.listen(port, { mptcp: true });
      await client.socket({ mptcp: true }).connect(server.address, port).connected();
      const accepted = await listener.accept();
      accepted.send("hello");
      await until(
        "the second path is joined",
        async () => {
          const established = await server.namespace.run(
            ...["ss", "-Htn", "state", "established", "sport", `= :${port}`],
          );
          return established.trim().split("\n").length === 2;
        },
      );
    },
    expected: {
      client: Array(2).fill(all(ESTABLISHED, BOTH_ENDS, { flags: ["mptcp"] })),
      router: Array(2).fill(all(ESTABLISHED, IN_THE_MIDDLE, { flags: ["mptcp"] })),
      server: Array(2).fill(all(ESTABLISHED, BOTH_ENDS, { flags: ["mptcp"] })),
    },
  },
  {
    name: "ECN",
    says: "The client's route asks for ECN, the server agrees (RFC 3168 section 6.1.1).",
    topology: ROUTED,
    traffic: async ({ client, server, port }) => {
      const address = ipv4(SERVER_NETWORK, 11);
      await server.namespace.ip("address", "add", `${address}/24`, "dev", "veth0");
      const gateway = ipv4(1, 254);
      await client.namespace.ip("route", "add", address, "via", gateway, "features", "ecn");
      const listener = server.listen(port);
      await client.connect(address, port).connected();
      await listener.accept();
    },
    expected: {
      client: [all(ESTABLISHED, BOTH_ENDS, { flags: ["ecn"] })],
      router: [all(ESTABLISHED, IN_THE_MIDDLE, { flags: ["ecn"] })],
      server: [all(ESTABLISHED, BOTH_ENDS, { flags: ["ecn"] })],
    },
  },
  {
    name: "ECN asked for and not granted",
    says: "The server does not answer the question, so there is no ECN and no flag.",
    topology: ROUTED,
    traffic: async ({ client, server, port }) => {
      const here = client.ghost(port + 1, server.ghostAddress, port);
      const there = server.ghost(port, client.ghostAddress, port + 1);
      here.send({ flags: TcpFlag.SYN | TcpFlag.ECE | TcpFlag.CWR, sequence: 1000 });
      await there.receive(TcpFlag.SYN);
      there.send({ flags: SYN_ACK, sequence: 7000, acknowledgment: 1001 });
      await here.receive(SYN_ACK);
      here.send({ flags: TcpFlag.ACK, sequence: 1001, acknowledgment: 7001 });
      await there.receive(TcpFlag.ACK);
    },
    expected: {
      client: [all(ESTABLISHED, BETWEEN_GHOSTS)],
      router: [all(ESTABLISHED, IN_THE_MIDDLE)],
      server: [all(ESTABLISHED, BETWEEN_GHOSTS)],
    },
  },
  {
    name: "AccECN",
    says: "AE, CWR and ECE on the SYN, CWR alone on the SYN-ACK: accurate ECN (RFC 9768 table 2).",
    topology: ROUTED,
    traffic: async ({ client, server, port }) => {
      const here = client.ghost(port + 1, server.ghostAddress, port);
      const there = server.ghost(port, client.ghostAddress, port + 1);
      const { AE, CWR, ECE } = TcpFlag;
      here.send({ flags: TcpFlag.SYN | AE | CWR | ECE, sequence: 1000 });
      await there.receive(TcpFlag.SYN);
      there.send({ flags: SYN_ACK | CWR, sequence: 7000, acknowledgment: 1001 });
      await here.receive(SYN_ACK);
      here.send({ flags: TcpFlag.ACK | CWR, sequence: 1001, acknowledgment: 7001 });
      await there.receive(TcpFlag.ACK);
    },
    expected: {
      client: [all(ESTABLISHED, BETWEEN_GHOSTS, { flags: ["accecn"] })],
      router: [all(ESTABLISHED, IN_THE_MIDDLE, { flags: ["accecn"] })],
      server: [all(ESTABLISHED, BETWEEN_GHOSTS, { flags: ["accecn"] })],
    },
  },
  {
    name: "simultaneous open",
    says:
      "The peer sends a SYN instead of a SYN-ACK, both answer with SYN-ACKs (RFC 9293 figure 7): " +
      "one connection, one record.",
    topology: ROUTED,
    traffic: async ({ client, server, port }) => {
      const ghost = server.ghost(port, client.address, port + 1);
      const socket = client.connect(server.ghostAddress, port, { ownPort: port + 1 });
      const { sequence } = await ghost.receive(TcpFlag.SYN);
      ghost.send({ sequence: 7000 });
      const answer = await ghost.receive(SYN_ACK);
      if (answer.sequence !== sequence) {
        throw new Error("Cannot go on: that SYN-ACK is not the SYN's");
      }
      ghost.send({ flags: SYN_ACK, sequence: 7000, acknowledgment: sequence + 1 });
      await socket.connected();
    },
    expected: {
      client: [
        all(AT_CLIENT, {
          outcome: "established",
          client: { address: present, isn: present },
          server: { isn: 7000 },
          flags: ["simultaneous_open"],
        }),
      ],
      router: [{ role: "observer", outcome: "established", flags: ["simultaneous_open"] }],
      server: [all(AT_CLIENT, { outcome: "established", flags: ["simultaneous_open"] })],
    },
  },
  {
    name: "self-connect",
    says: "A socket connects to its own address and port: its SYN answers itself.",
    topology: ROUTED,
    traffic: async ({ client, port }) => {
      await client.socket({ ownPort: port }).connect(client.address, port).connected();
    },
    expected: {
      client: [
        all(BOTH_ENDS, {
          outcome: "established",
          reason: null,
          network: { interface: "lo" },
          client: { isn: present, process: { pid: Deno.pid } },
          server: { isn: present },
          flags: ["self_connect"],
        }),
      ],
      router: [],
      server: [{ outcome: "established", evidence: ["kernel"], flags: ["self_connect"] }],
    },
  },
];
