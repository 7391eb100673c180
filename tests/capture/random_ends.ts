/**
 * Ends of handshakes of a few hosts that share addresses, ports and numbers as chance has it: what can
 * belong together in several ways, and what cannot.
 *
 * @module
 */
import { OUTCOMES } from "../../src/match/handshake.ts";
import { encodeHandshake } from "../../src/record/ndjson.ts";
import { EPOCH_SECONDS, makeHandshake } from "../unit/record/sample_handshakes.ts";
import { formatTime } from "../../src/text/time.ts";

const HOSTS = ["a", "b", "c", "d"];
const ADDRESSES = ["10.0.0.1", "10.0.0.2", "2001:db8::3", "192.0.2.9"];

/** What is made. */
export interface RandomEnds {
  count: number;
  /** So many initial sequence numbers there are: the fewer, the more can be told of one. */
  numbers: number;
  /** Tracers of a host; with several, one end may be told twice. */
  tracers: number;
  seed: number;
}

/** Makes the lines of all hosts, with status lines of some of them; the same for the same seed (MINSTD). */
export function randomEnds({ count, numbers, tracers, seed }: RandomEnds): string[] {
  let state = seed;
  const dice = (below: number) => {
    state = state * 48_271 % 2_147_483_647;
    return state % below;
  };
  const one = <T>(of: readonly T[]) => of[dice(of.length)];
  // Every second end is of the handshake of the one before, or nearly so.
  let [client, server, isn, serverIsn, ports] = [0, 0, 0, 0, [0, 0]];
  const lines = Array.from({ length: count }, (_, at) => {
    const isClient = dice(2) === 0;
    if (at % 2 === 0 || dice(6) === 0) {
      [client, server] = [dice(ADDRESSES.length), dice(ADDRESSES.length)];
      [isn, serverIsn, ports] = [dice(numbers), dice(3), [dice(2), dice(2)]];
    }
    const hasAnswer = dice(3) > 0;
    const seenFrom = dice(6) === 0 ? dice(ADDRESSES.length) : client;
    const host = isClient ? seenFrom : server;
    // Some seconds apart, of one second, or minutes; no two at one time.
    const timeNs = one([1e9, 30e9, 400e9]) * dice(4) + dice(3) * 4e8 + at;
    const sent = { syn: 1 + dice(2), synAck: dice(3) };
    return encodeHandshake(
      makeHandshake({
        timeNs,
        role: isClient ? "client" : "server",
        outcome: one([...OUTCOMES, "established", "established", "timeout", "half_open"]),
        wire: true,
        synCount: sent.syn,
        synAckCount: sent.synAck,
        clientRttNs: dice(2) === 0 ? undefined : 1_000 + dice(900_000),
        synNs: 0,
        synAckNs: dice(2) === 0 ? undefined : 1_000 + dice(900_000),
        ackNs: dice(3) === 0 ? undefined : 1_000_000 + dice(2_000_000_000),
        client: { address: ADDRESSES[seenFrom], port: 1_000 + ports[0], isn },
        server: {
          address: ADDRESSES[server],
          port: 443 + ports[1],
          isn: hasAnswer ? serverIsn : undefined,
        },
      }),
      {
        host: HOSTS[host],
        hostId: host === 0 ? "f".repeat(32) : undefined,
        tracer: `${dice(tracers)}-1`,
        interfaceName: () => "eth0",
      },
    );
  });
  return [...lines, ...[0, 1].map((host) => statusOf(HOSTS[host], host))];
}

function statusOf(host: string, at: number): string {
  return JSON.stringify({
    ...{ v: 1, event: "status", time: formatTime(EPOCH_SECONDS, 900e9), host, tracer: "0-1" },
    ...at === 0 && { host_id: "f".repeat(32) },
    ...{ since: formatTime(EPOCH_SECONDS, -60e9), filters: [], sample: 1 },
    ...{
      sources: { wire: [{ netns: 1, interface: "eth0", up: true }] },
      handshakes: 1,
      written: 1,
    },
    losses: {},
  }) + "\n";
}
