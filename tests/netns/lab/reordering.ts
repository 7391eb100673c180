/**
 * Packets out of order or more than once, between two ends made by hand: no kernel tells of them.
 *
 * @module
 */
import { TcpFlag } from "../../../src/wire/tcp_flags.ts";
import { linuxSynOptions } from "../../unit/wire/build_frame.ts";
import { timestamps } from "./crafted_end.ts";
import { all, BETWEEN_GHOSTS, ESTABLISHED } from "./expectations.ts";
import type { Stage } from "./lab.ts";
import { present, type Scenario } from "./scenario.ts";
import { ROUTED } from "./topology.ts";

const SYN_ACK = TcpFlag.SYN | TcpFlag.ACK;
const syn = { sequence: 1000, options: linuxSynOptions({ timestampValue: 10 }) };
const synAck = {
  flags: SYN_ACK,
  sequence: 7000,
  acknowledgment: 1001,
  options: linuxSynOptions({ timestampValue: 20, timestampEcho: 10 }),
};
const ack = {
  flags: TcpFlag.ACK,
  sequence: 1001,
  acknowledgment: 7001,
  options: timestamps(11, 20),
};

function ends({ client, server, port }: Stage) {
  return {
    here: client.ghost(port + 1, server.ghostAddress, port),
    there: server.ghost(port, client.ghostAddress, port + 1),
  };
}

const NUMBERS = { client: { isn: 1000 }, server: { isn: 7000 } } as const;
const everywhere = (...records: ReturnType<typeof all>[]) => ({
  client: records,
  router: records,
  server: records,
});

export const reordering: readonly Scenario[] = [
  {
    name: "the SYN-ACK before the SYN",
    says: "A capture that shows the SYN-ACK first still has one handshake; its times contradict " +
      "each other, and none is told.",
    topology: ROUTED,
    traffic: async (stage) => {
      const { here, there } = ends(stage);
      there.send(synAck);
      await here.receive(SYN_ACK);
      here.send(syn, ack);
      await there.receive(TcpFlag.SYN);
      await there.receive(TcpFlag.ACK);
    },
    expected: everywhere(
      all(ESTABLISHED, BETWEEN_GHOSTS, NUMBERS, {
        flags: ["clock_set"],
        rtt: { client_ns: undefined, server_ns: undefined, total_ns: undefined },
        times: undefined,
      }),
    ),
  },
  {
    name: "every packet twice",
    says:
      "Packets are counted as they came. Both SYNs carry one timestamp, so its echo does not tell " +
      "which was answered.",
    topology: ROUTED,
    traffic: async (stage) => {
      const { here, there } = ends(stage);
      here.send(syn, syn);
      await there.receive(TcpFlag.SYN);
      await there.receive(TcpFlag.SYN);
      there.send(synAck, synAck);
      await here.receive(SYN_ACK);
      await here.receive(SYN_ACK);
      here.send(ack, ack);
      await there.receive(TcpFlag.ACK);
      await there.receive(TcpFlag.ACK);
    },
    expected: everywhere(
      all(ESTABLISHED, BETWEEN_GHOSTS, NUMBERS, {
        packets: { syn: 2, syn_ack: 2 },
        rtt: {
          client_ns: undefined,
          server_ns: undefined,
          ambiguous: true,
          first_syn_to_syn_ack_ns: present,
          last_syn_to_syn_ack_ns: present,
          first_syn_ack_to_ack_ns: present,
          last_syn_ack_to_ack_ns: present,
        },
      }),
    ),
  },
  {
    name: "a SYN again after the SYN-ACK",
    says: "A SYN that comes when the answer was sent already cannot be what was answered.",
    topology: ROUTED,
    traffic: async (stage) => {
      const { here, there } = ends(stage);
      here.send(syn);
      await there.receive(TcpFlag.SYN);
      there.send(synAck);
      await here.receive(SYN_ACK);
      here.send({ ...syn, options: linuxSynOptions({ timestampValue: 12 }) }, ack);
      await there.receive(TcpFlag.ACK);
    },
    expected: everywhere(
      all(ESTABLISHED, BETWEEN_GHOSTS, NUMBERS, {
        packets: { syn: 2 },
        rtt: { client_ns: present },
      }),
    ),
  },
  {
    name: "the SYN-ACK again with another number",
    says:
      "A server that forgot its first SYN-ACK makes up another number; the ACK tells which counts.",
    topology: ROUTED,
    traffic: async (stage) => {
      const { here, there } = ends(stage);
      here.send(syn);
      await there.receive(TcpFlag.SYN);
      there.send(synAck, { ...synAck, sequence: 9000 });
      await here.receive(SYN_ACK);
      await here.receive(SYN_ACK);
      here.send({ ...ack, acknowledgment: 9001 });
      await there.receive(TcpFlag.ACK);
    },
    expected: everywhere(
      all(ESTABLISHED, BETWEEN_GHOSTS, {
        client: { isn: 1000 },
        server: { isn: 9000 },
        packets: { syn_ack: 2 },
        // The ACK acknowledges the second SYN-ACK's number, so that one was answered.
        rtt: {
          server_ns: present,
          ambiguous: false,
          first_syn_ack_to_ack_ns: present,
          last_syn_ack_to_ack_ns: present,
        },
      }),
    ),
  },
  {
    name: "a third packet with a wrong Ack",
    says: "An ACK of another number completes nothing; the check says which relation is broken.",
    topology: ROUTED,
    traffic: async (stage) => {
      const { here, there } = ends(stage);
      here.send(syn);
      await there.receive(TcpFlag.SYN);
      there.send(synAck);
      await here.receive(SYN_ACK);
      // More than the first window holds: no data that was not shown can be meant.
      here.send({ ...ack, acknowledgment: 7001 + 65_536 });
      await there.receive(TcpFlag.ACK);
    },
    expected: everywhere(
      all(BETWEEN_GHOSTS, NUMBERS, {
        outcome: "half_open",
        rtt: { client_ns: present, server_ns: undefined, total_ns: undefined },
        checks: {
          syn_ack_acknowledges_syn: true,
          ack_sequence: true,
          ack_acknowledges_syn_ack: false,
        },
      }),
    ),
  },
  {
    name: "a third packet with a wrong Seq",
    says: "The same with a sequence number beyond the window that the SYN-ACK gave.",
    topology: ROUTED,
    traffic: async (stage) => {
      const { here, there } = ends(stage);
      here.send(syn);
      await there.receive(TcpFlag.SYN);
      there.send(synAck);
      await here.receive(SYN_ACK);
      here.send({ ...ack, sequence: 1001 + 65_536 });
      await there.receive(TcpFlag.ACK);
    },
    expected: everywhere(
      all(BETWEEN_GHOSTS, NUMBERS, {
        outcome: "half_open",
        rtt: { client_ns: present, server_ns: undefined, total_ns: undefined },
        checks: {
          syn_ack_acknowledges_syn: true,
          ack_sequence: false,
          ack_acknowledges_syn_ack: true,
        },
      }),
    ),
  },
];
