import type { Address, Handshake } from "../match/handshake.ts";
import { formatAddress } from "../wire/address.ts";
import { TUNNEL_NAMES, type TunnelName } from "../wire/tunnel.ts";
import { communityIdOf } from "./community_id.ts";
import { setAddress } from "./endpoint_fields.ts";
import { type Field, integer, isComputed, LastingTexts, text, texts, UINT16 } from "./field.ts";

const TRANSLATED = "network.translated";
/** Interfaces of a handshake that are told at most. */
const INTERFACES_MAX = 8;
/** The place of an interface whose name nobody knows. */
const NOWHERE = 0;

const lastingNames = new LastingTexts();

/** The fields of what lies below TCP. */
export const NETWORK_FIELDS: readonly Field[] = [
  text("network.type", "IP version of the packets", (it) => it.ipv4 ? "ipv4" : "ipv6", {
    values: ["ipv4", "ipv6"],
    always: true,
    set: (it, type: string) => {
      it.ipv4 = type === "ipv4";
    },
  }),
  text(
    "network.interface",
    "Interface whose packet times are given",
    (it, context) => context.interfaceName(it.place),
    {
      set: (it, name: string, context) => {
        it.place = context.placeOf(name);
      },
    },
  ),
  texts(
    "network.interfaces",
    "Where it was seen on several: all interfaces that a SYN or SYN-ACK passed, first to last, at " +
      "most eight",
    ({ interfaces }, context) => {
      if (interfaces.length < 2) return undefined;
      const names = interfaces.map((place) => context.interfaceName(place))
        .filter((name) => name !== undefined);
      return names.length > 0 ? lastingNames.of(names) : undefined;
    },
    {
      judges: true,
      set: ({ interfaces }, names: readonly string[], context) => {
        if (names.length > INTERFACES_MAX) return false;
        interfaces.push(...names.map((name) => context.placeOf(name)));
        // Those whose names were not known are missing in the list.
        while (interfaces.length < 2) interfaces.push(NOWHERE);
      },
    },
  ),
  integer(
    "network.vlan",
    "VLAN id of the outermost tag, where its packets carried one",
    (it) => it.vlan,
    { range: UINT16 },
  ),
  texts(
    "network.tunnels",
    "What is around its packets, the outermost first: tunnels, tags other than VLAN, some links",
    ({ tunnels }) => tunnels.length > 0 ? tunnels : undefined,
    {
      values: TUNNEL_NAMES,
      set: (it, names: readonly TunnelName[]) => {
        it.tunnels = names;
      },
    },
  ),
  integer(
    "network.netns",
    "Inode number of the network namespace of the client's socket, else the server's, " +
      "else of the interface",
    (it, context) => it.netns ?? context.netnsOf?.(it.place),
    {
      set: (it, netns: number) => {
        it.netns = netns;
      },
    },
  ),
  text(
    "network.community_id",
    "Community ID v1 flow hash, as in Zeek, Suricata and Wireshark",
    communityIdOf,
    {
      varies: true,
      needs: [
        ...["network.type", "evidence", "client.isn"],
        ...["client.address", "client.port", "server.address", "server.port"],
      ],
      set: isComputed,
    },
  ),
  ...(["client", "server"] as const).flatMap((end): Field[] => [
    text(
      `${TRANSLATED}.${end}.address`,
      `IP address of the ${end} in the other tuple, where this host translates (NAT)`,
      ({ translated }) => translated && formatAddress(translated[end].address),
      {
        always: TRANSLATED,
        judges: true,
        set: (it, address: string) => setAddress(translatedOf(it)[end].address, address),
      },
    ),
    integer(
      `${TRANSLATED}.${end}.port`,
      `TCP port of the ${end} in the other tuple`,
      ({ translated }) => translated?.[end].port,
      { always: TRANSLATED, range: UINT16 },
    ),
  ]),
];

function translatedOf(handshake: Handshake): NonNullable<Handshake["translated"]> {
  const nowhere = (): Address => ({ address: new Uint32Array(4), port: 0 });
  return handshake.translated ??= { client: nowhere(), server: nowhere() };
}
