/**
 * Records of a made-up fleet, by a seed, with the truth beside them.
 *
 * @module
 */
import { type Handshake, type Outcome, OUTCOMES } from "../../src/match/handshake.ts";
import { encodeHandshake } from "../../src/record/ndjson.ts";
import { makeHandshake } from "../unit/record/sample_handshakes.ts";

/** A handshake of the fleet, and what its hosts wrote of it. */
export interface Made {
  /** As the host tells it whose file is read first. */
  handshake: Handshake;
  /** Line of each host that saw it, by its name. */
  lines: Map<string, string>;
}

/** In the order in which their files are read. */
export const HOSTS = ["api1", "web1"] as const;
const ADDRESSES = { web1: "10.0.0.10", api1: "2001:db8::10" };
/** Ticks of the clocks that some make their initial sequence numbers of, nanoseconds. */
const RFC_TICK_NS = 4_000;
const LINUX_TICK_NS = 64;
export const SERVER_PORTS: readonly number[] = [80, 443, 8_080];
const COMMS = ["nginx", "java", '"quoted"', "=cmd", "\x1b[2J"];
const REASONS: Partial<Record<Outcome, string>> = {
  refused: "ECONNREFUSED",
  timeout: "ETIMEDOUT",
  dropped: "LISTEN_OVERFLOWS",
};

/** Numbers from 0 up to a bound, the same ones for a seed (Lehmer's generator, MINSTD). */
function makeDice(seed: number): (below: number) => number {
  let state = seed % 2_147_483_646 + 1;
  return (below) => {
    state = state * 48_271 % 2_147_483_647;
    return state % below;
  };
}

/** Makes so many handshakes within three hours; a third was seen by both hosts. */
export function makeRecords(count: number, seed: number): Made[] {
  const dice = makeDice(seed);
  return Array.from({ length: count }, (_, at) => makeOne(at, dice));
}

function makeOne(at: number, dice: (below: number) => number): Made {
  const isBetween = dice(3) === 0;
  const role = isBetween ? "client" : (["client", "server", "local", "observer"] as const)[dice(4)];
  const outcome = dice(4) > 0 ? "established" : OUTCOMES[dice(OUTCOMES.length)];
  const isIpv6 = isBetween ? false : dice(2) === 0;
  const number = 1 + dice(20);
  const [client, server] = isIpv6
    ? [`2001:db8::${number}`, ADDRESSES.api1]
    : [`10.0.${dice(3)}.${number}`, ADDRESSES.web1];
  const isEstablished = outcome === "established";
  const timeNs = dice(10_800) * 1e9 + dice(1e9);
  const isn = clientIsn(number, timeNs) ?? dice(2 ** 31 - 1) * 2 + (at & 1);
  const clientRttNs = isEstablished ? 10_000 + dice(1e7) : undefined;
  const serverRttNs = isEstablished && dice(10) > 0 ? 5_000 + dice(1e5) : undefined;
  const serverPort = SERVER_PORTS[dice(3)];
  const serverIsn = serverPort === 443 && clientRttNs !== undefined
    ? Math.floor((timeNs + clientRttNs) / LINUX_TICK_NS) % 2 ** 32
    : at;
  const process = () =>
    dice(5) === 0
      ? undefined
      : { pid: 1 + dice(4_000), comm: COMMS[dice(5)], uid: dice(3), cgroup: 1 + dice(4) };
  const handshake = makeHandshake({
    timeNs,
    role,
    outcome,
    reason: REASONS[outcome],
    wire: true,
    synNs: 0,
    synAckNs: clientRttNs,
    clientRttNs,
    serverRttNs,
    totalNs: clientRttNs !== undefined && serverRttNs !== undefined
      ? clientRttNs + serverRttNs
      : undefined,
    synCount: 1 + (dice(20) === 0 ? dice(4) : 0),
    synAckCount: isEstablished ? 1 + (dice(30) === 0 ? 1 : 0) : 0,
    client: { address: client, port: 1_024 + at % 60_000, isn, process: process() },
    server: { address: server, port: serverPort, isn: serverIsn, process: process() },
  });
  const [first, second] = HOSTS;
  // One that never changes its number: told by two, one could not be told from the next.
  const teller = number === CONSTANT ? first : HOSTS[at % 2];
  if (!isBetween || number === CONSTANT) {
    return { handshake, lines: new Map<string, string>([[teller, encode(handshake, teller)]]) };
  }
  const other = Object.assign(
    makeHandshake({
      client: { address: client, port: handshake.client.port, isn },
      server: { address: server, port: handshake.server.port, isn: serverIsn },
    }),
    { role: "server", outcome: "established", wire: true, timeNs: timeNs + 40e6 },
  );
  const lines = new Map<string, string>([
    [first, encode(handshake, first)],
    [second, encode(other, second)],
  ]);
  return { handshake, lines };
}

/** The number of the clients whose initial sequence number is always the same. */
const CONSTANT = 3;

/** How a client chooses its number: undefined where it does so at random. */
function clientIsn(client: number, timeNs: number): number | undefined {
  if (client === 1) return Math.floor(timeNs / RFC_TICK_NS) % 2 ** 32;
  if (client === 2) return Math.floor(timeNs / LINUX_TICK_NS) % 2 ** 32;
  return client === CONSTANT ? 0x1234_5678 : undefined;
}

/** The name of the container of a cgroup. */
export function containerOf(cgroup: number): string | undefined {
  return cgroup === 4 ? undefined : `shop${cgroup}`;
}

function encode(handshake: Handshake, host: string): string {
  return encodeHandshake(handshake, {
    host,
    interfaceName: () => undefined,
    container: (cgroup) => {
      const name = containerOf(cgroup);
      return name === undefined ? undefined : { id: String(cgroup).repeat(64), name };
    },
  });
}

/** The lines of a host, in the order of their making. */
export function linesOf(records: readonly Made[], host: string): string {
  return records.map(({ lines }) => lines.get(host) ?? "").join("");
}
