/**
 * What lies between the ends, or on the way up to TCP: fragments, tags, bridges, bad checksums.
 *
 * @module
 */
import { TcpFlag } from "../../../src/wire/tcp_flags.ts";
import { linuxSynOptions } from "../../unit/wire/build_frame.ts";
import {
  all,
  AT_SERVER,
  BOTH_ENDS,
  ESTABLISHED,
  IN_THE_MIDDLE,
  NO_ANSWER,
} from "./expectations.ts";
import { CLIENT_NETWORK, GATEWAY, ipv4, SERVER_NETWORK } from "./host.ts";
import type { Stage } from "./lab.ts";
import { present, type Scenario } from "./scenario.ts";
import { BRIDGED, BRIDGED_SERVER, ROUTED } from "./topology.ts";

const SYN_ACK = TcpFlag.SYN | TcpFlag.ACK;
/** The TCP header and the MSS option. */
const FIRST_FRAGMENT_BYTES = 24;
/** Initial sequence numbers of SYNs with one tag, with two, with none. */
const TAGGED = [1000, 2000, 3000];
const ROUTER = ipv4(CLIENT_NETWORK, GATEWAY);

/** Sends a SYN to a closed port, the same way as those before: its RST says that they arrived. */
async function refusedBehind({ client, server, port }: Stage): Promise<void> {
  const ghost = client.ghost(port + 1, server.address, port + 2);
  ghost.send({ sequence: 2000 });
  await ghost.receive(TcpFlag.RST);
}

function inTwoFragments(
  { name, says, isIpv6 }: { name: string; says: string; isIpv6: boolean },
): Scenario {
  const whole = { client: { isn: 1000, mss: 1460, sack_permitted: true, timestamps: true } };
  return {
    name,
    says,
    topology: ROUTED,
    traffic: async ({ client, server, port }) => {
      const listener = server.listen(port, { ipv6: isIpv6 });
      const address = isIpv6 ? server.address6 : server.address;
      const ghost = client.ghost(port + 1, address, port);
      ghost.send({
        sequence: 1000,
        options: linuxSynOptions(),
        firstFragmentBytes: FIRST_FRAGMENT_BYTES,
      });
      const { sequence } = await ghost.receive(SYN_ACK);
      ghost.send({ flags: TcpFlag.ACK, sequence: 1001, acknowledgment: sequence + 1 });
      await listener.accept();
    },
    expected: {
      client: [all(ESTABLISHED, AT_SERVER, whole)],
      router: [all(ESTABLISHED, IN_THE_MIDDLE, whole)],
      server: [all(ESTABLISHED, AT_SERVER, whole)],
    },
  };
}

export const middleboxes: readonly Scenario[] = [
  inTwoFragments({
    name: "a SYN in two fragments",
    says: "Both are put together as the server does: no option of the SYN is missing.",
    isIpv6: false,
  }),
  inTwoFragments({
    name: "a SYN in two fragments over IPv6",
    says: "The same behind IPv6's fragment header.",
    isIpv6: true,
  }),
  {
    name: "a SYN with a bad checksum",
    says:
      "The server's kernel throws it away and says so; on the way it is no SYN that anybody answers.",
    topology: ROUTED,
    traffic: async (stage) => {
      const { client, server, port } = stage;
      server.listen(port);
      const ghost = client.ghost(port + 1, server.address, port);
      ghost.send({ sequence: 1000, badChecksum: true });
      await refusedBehind(stage);
    },
    expected: {
      client: [
        all(NO_ANSWER, { outcome: "dropped", reason: "TCP_CSUM", packets: { syn: 0 } }),
        { outcome: "refused" },
      ],
      router: [{ outcome: "refused" }],
      server: [
        all(NO_ANSWER, { outcome: "dropped", reason: "TCP_CSUM", packets: { syn: 0 } }),
        { outcome: "refused" },
      ],
    },
  },
  {
    name: "a SYN dropped by the server's firewall",
    says: "The client is elsewhere, so what this host knows is that it dropped the SYN.",
    topology: ROUTED,
    traffic: async (stage) => {
      const { client, server, port } = stage;
      server.listen(port);
      await server.block(port);
      const ghost = client.ghost(port + 1, server.address, port);
      ghost.send({ sequence: 1000 });
      await refusedBehind(stage);
    },
    expected: {
      client: [
        all(NO_ANSWER, { outcome: "dropped", reason: "NETFILTER_DROP", packets: { syn: 1 } }),
        { outcome: "refused" },
      ],
      router: [
        all(NO_ANSWER, IN_THE_MIDDLE, { outcome: "unanswered", packets: { syn: 1 } }),
        { outcome: "refused" },
      ],
      server: [
        all(NO_ANSWER, { outcome: "dropped", reason: "NETFILTER_DROP", packets: { syn: 1 } }),
        { outcome: "refused" },
      ],
    },
  },
  {
    name: "tagged frames",
    says: "VLAN tags, one and two of them, do not hide a SYN.",
    topology: ROUTED,
    traffic: async ({ client, server, port }) => {
      const here = client.ghost(port + 1, server.ghostAddress, port);
      const there = server.ghost(port, client.ghostAddress, port + 1);
      const outer = { etherType: 0x88a8, tci: 7 };
      const inner = { etherType: 0x8100, tci: 100 };
      // Nobody takes what is tagged; what is not comes behind it and arrives.
      const [one, two, none] = TAGGED;
      here.send({ sequence: one, tags: [inner] });
      here.send({ sequence: two, tags: [outer, inner] });
      here.send({ sequence: none });
      await there.receive(TcpFlag.SYN);
    },
    expected: {
      client: TAGGED.map((isn, tags) =>
        all(NO_ANSWER, {
          // The kernel gives up two tags before it knows that it is IP.
          outcome: tags === 1 ? "unanswered" : "dropped",
          client: { isn },
          packets: { syn: 1 },
        })
      ),
      router: TAGGED.map((isn) =>
        all(NO_ANSWER, IN_THE_MIDDLE, {
          outcome: "unanswered",
          client: { isn },
          packets: { syn: 1 },
        })
      ),
      // The first one's end on the router is all that is heard of it here.
      server: [
        all(NO_ANSWER, { outcome: "dropped", evidence: ["kernel"], client: { isn: TAGGED[0] } }),
        all(NO_ANSWER, { outcome: "dropped", client: { isn: TAGGED[2] }, packets: { syn: 1 } }),
      ],
    },
  },
  {
    name: "through an interface on top of another",
    says: "A macvlan on top of the cable, as containers have: each packet passes both interfaces " +
      "and is counted once.",
    topology: ROUTED,
    traffic: async ({ client, server, port }) => {
      const [near, far] = [ipv4(CLIENT_NETWORK, 12), ipv4(SERVER_NETWORK, 12)];
      const { namespace } = client;
      await namespace.ip("link", "add", "macvlan0", "link", "veth0", "type", "macvlan");
      await namespace.ip("address", "add", near, "dev", "macvlan0");
      await namespace.ip("link", "set", "macvlan0", "up");
      const via = ["via", ROUTER, "dev", "macvlan0", "onlink", "src", near];
      await namespace.ip("route", "add", far, ...via);
      await server.namespace.ip("address", "add", `${far}/24`, "dev", "veth0");
      const listener = server.listen(port);
      await client.connect(far, port).connected();
      await listener.accept();
    },
    expected: {
      client: [
        all(ESTABLISHED, BOTH_ENDS, {
          network: { interface: "macvlan0", interfaces: ["macvlan0", "veth0"] },
        }),
      ],
      router: [all(ESTABLISHED, IN_THE_MIDDLE)],
      server: [all(ESTABLISHED, BOTH_ENDS)],
    },
  },
  {
    name: "through a bridge",
    says: "Each packet passes two ports of the bridge and is counted once.",
    topology: BRIDGED,
    traffic: async ({ client, server, port, reported }) => {
      const listener = server.listen(port);
      await client.connect(BRIDGED_SERVER, port).connected();
      await listener.accept();
      await reported(1);
    },
    expected: {
      router: [
        all(ESTABLISHED, IN_THE_MIDDLE, {
          network: { interface: "veth0", interfaces: ["veth0", "veth1"] },
        }),
      ],
    },
  },
  {
    name: "into a bridge and out of it again",
    says:
      "Routed between two networks on one bridge, each packet passes four taps, two of them on " +
      "one interface, and is counted once.",
    topology: BRIDGED,
    traffic: async ({ client, server, port, reported }) => {
      const listener = server.listen(port);
      await client.connect(server.address, port).connected();
      await listener.accept();
      await reported(1);
    },
    expected: {
      router: [
        all(ESTABLISHED, IN_THE_MIDDLE, {
          network: { interface: present, interfaces: ["veth0", "br0", "veth1"] },
        }),
      ],
    },
  },
];
