/**
 * Handshakes between the hosts of a made-up fleet, as both ends record them, with the truth beside them.
 *
 * @module
 */
import type { Outcome } from "../../src/match/handshake.ts";
import { encodeHandshake } from "../../src/record/ndjson.ts";
import { formatTime } from "../../src/text/time.ts";
import type { Verdict } from "../../src/match/both_ends.ts";
import { EPOCH_SECONDS, makeHandshake } from "../unit/record/sample_handshakes.ts";

/** A host of the fleet. */
export interface Host {
  name: string;
  address: string;
  /** How far its clock is ahead of the true time, nanoseconds, and how fast that grows, ppb. */
  aheadNs: number;
  driftPpb: number;
  /** When its clock is set, seconds after the start by the true time, and by how much; absent: never. */
  step?: { atSeconds: number; byNs: number };
}

/** What the truth is of one of them. */
export interface Fate {
  client: string;
  server: string;
  isn: number;
  /** The client's own port. */
  port: number;
  /** When each end's record begins, by its own clock, nanoseconds after the second that all begin at. */
  clientNs: number;
  serverNs: number | undefined;
  verdict: Verdict;
  /** Whether the way leads through a NAT. */
  isTranslated: boolean;
  synsLost: number | undefined;
  synAcksLost: number | undefined;
  /** There and back, of the first SYN and the SYN-ACK; undefined where no clockless round trip is known. */
  networkRttNs: number | undefined;
}

/** What becomes of it: [part of 100, verdict, outcomes of both ends, SYNs and SYN-ACKs of both ends]. */
const FATES: readonly [
  share: number,
  verdict: Verdict,
  client: Outcome,
  server: Outcome | undefined,
  syns: [client: number, server: number],
  synAcks: [client: number, server: number],
][] = [
  [70, "established", "established", "established", [1, 1], [1, 1]],
  [5, "established", "established", "established", [2, 1], [1, 1]],
  [4, "established", "established", "established", [2, 2], [1, 2]],
  // The ACK was lost: the server sent its SYN-ACK again, which the client answered again.
  [1, "established", "established", "established", [1, 1], [1, 2]],
  [4, "refused_by_server", "refused", "refused", [1, 1], [0, 0]],
  [4, "dropped_by_server", "timeout", "dropped", [7, 7], [0, 0]],
  [4, "answer_lost", "timeout", "half_open", [7, 7], [0, 6]],
  [3, "ack_lost", "established", "half_open", [1, 1], [1, 6]],
  [3, "syn_lost", "timeout", undefined, [7, 0], [0, 0]],
  [2, "refused_on_the_way", "refused", undefined, [1, 0], [0, 0]],
];

/** How far the clock of a host is ahead of the true time, so many nanoseconds after the start of all. */
export function aheadOf({ aheadNs, driftPpb, step }: Host, trueNs: number): number {
  const setBy = step !== undefined && trueNs >= step.atSeconds * 1e9 ? step.byNs : 0;
  return aheadNs + driftPpb * trueNs / 1e9 + setBy;
}

/** A handshake: the truth, and the line of each end that told of it. */
export interface MadePair {
  fate: Fate;
  clientLine: string;
  serverLine: string | undefined;
}

/** Makes handshakes in the order of their true times; the same for the same seed (MINSTD). */
export function* generatePairs(
  hosts: readonly Host[],
  count: number,
  seconds: number,
  seed = 42,
): Generator<MadePair> {
  let state = seed;
  const dice = (below: number) => {
    state = state * 48_271 % 2_147_483_647;
    return state % below;
  };
  for (let at = 0; at < count; at++) {
    const from = dice(hosts.length);
    const [client, server] = [
      hosts[from],
      hosts[(from + 1 + dice(hosts.length - 1)) % hosts.length],
    ];
    let part = dice(100);
    const [, verdict, clientOutcome, serverOutcome, syns, synAcks] = FATES.find(([share]) =>
      (part -= share) < 0
    )!;
    const isTranslated = dice(10) === 0;
    const isn = dice(2 ** 31 - 2) * 2 + (at & 1);
    const serverIsn = dice(2 ** 31 - 2) * 2;
    const port = 1_024 + at % 60_000;
    const seenFrom = isTranslated
      ? { address: "192.0.2.1", port: 1_024 + dice(60_000) }
      : { address: client.address, port };
    const hasAnswer = clientOutcome === "established";
    // True nanoseconds of the six moments; a packet waits a little in each direction.
    const [there, back] = [200_000 + 40_000 * from + dice(50_000), 150_000 + dice(50_000)];
    const t1 = Math.floor(at * seconds * 1e9 / count);
    const t2 = t1 + (syns[0] > syns[1] ? 1_020_000_000 : 0) + there;
    const t3 = t2 + 10_000 + dice(5_000);
    const isAckLost = hasAnswer && synAcks[1] > synAcks[0] && syns[0] === 1;
    const t4 = t3 + (synAcks[1] > synAcks[0] && !isAckLost ? 1_010_000_000 : 0) + back;
    const t5 = t4 + 8_000;
    const t6 = t5 + (isAckLost ? 1_003_000_000 : 0) + 200_000 + 40_000 * from + dice(50_000);
    const on = (host: Host) => (t: number) => Math.round(t + aheadOf(host, t));
    const [clientTime, serverTime] = [on(client), on(server)];
    const clientRtt = clientTime(t4) - clientTime(t1);
    const serverRtt = serverTime(t3) - serverTime(t2);
    const isPlain = syns[0] === 1 && syns[1] === 1 && synAcks[0] === 1 && synAcks[1] === 1;
    const clientLine = encodeHandshake(
      makeHandshake({
        timeNs: clientTime(t1),
        role: "client",
        outcome: clientOutcome,
        wire: true,
        synCount: syns[0],
        synAckCount: synAcks[0],
        // By their timestamps, as of most hosts: also where packets were sent again.
        clientRttNs: hasAnswer ? clientRtt : undefined,
        synNs: 0,
        synAckNs: hasAnswer ? clientRtt : undefined,
        ackNs: hasAnswer ? clientTime(t5) - clientTime(t1) : undefined,
        client: { address: client.address, port, isn },
        server: { address: server.address, port: 443, isn: hasAnswer ? serverIsn : undefined },
      }),
      { host: client.name, interfaceName: () => "eth0" },
    );
    const answers = synAcks[1] > 0;
    const serverLine = serverOutcome === undefined ? undefined : encodeHandshake(
      makeHandshake({
        timeNs: serverTime(t2),
        role: "server",
        outcome: serverOutcome,
        wire: true,
        synCount: syns[1],
        synAckCount: synAcks[1],
        clientRttNs: answers ? serverRtt : undefined,
        synNs: 0,
        synAckNs: answers ? serverRtt : undefined,
        ackNs: serverOutcome === "established" ? serverTime(t6) - serverTime(t2) : undefined,
        client: { ...seenFrom, isn },
        server: { address: server.address, port: 443, isn: answers ? serverIsn : undefined },
      }),
      { host: server.name, interfaceName: () => "eth0" },
    );
    const fate = {
      client: client.name,
      server: server.name,
      isn,
      port,
      clientNs: clientTime(t1),
      serverNs: serverLine === undefined ? undefined : serverTime(t2),
      verdict,
      isTranslated,
      synsLost: serverOutcome === undefined && verdict !== "syn_lost"
        ? undefined
        : Math.max(0, syns[0] - syns[1]),
      synAcksLost: serverOutcome === undefined || isAckLost
        ? undefined
        : Math.max(0, synAcks[1] - synAcks[0]),
      networkRttNs: isPlain ? clientRtt - serverRtt : undefined,
    };
    yield { fate, clientLine, serverLine };
  }
}

/** What the hosts wrote, by name, and the truth. */
export function makePairs(hosts: readonly Host[], count: number, seconds: number) {
  const lines = new Map(hosts.map(({ name }) => [name, [] as string[]]));
  const fates: Fate[] = [];
  for (const { fate, clientLine, serverLine } of generatePairs(hosts, count, seconds)) {
    fates.push(fate);
    lines.get(fate.client)!.push(clientLine);
    if (serverLine !== undefined) lines.get(fate.server)!.push(serverLine);
  }
  return {
    fates,
    textOf: (name: string) => lines.get(name)!.join(""),
    statusOf: (host: Host, more: Record<string, unknown> = {}) => statusOf(host, seconds, more),
  };
}

/** A status line that says the host was watching from well before until well after. */
export function statusOf(
  { name, aheadNs }: Host,
  seconds: number,
  more: Record<string, unknown> = {},
): string {
  return JSON.stringify({
    v: 1,
    event: "status",
    time: formatTime(EPOCH_SECONDS, aheadNs + (seconds + 300) * 1e9),
    host: name,
    tracer: "1-1",
    since: formatTime(EPOCH_SECONDS, aheadNs - 60e9),
    filters: [],
    sample: 1,
    sources: { wire: [{ netns: 1, interface: "eth0", up: true }], kernel: "fentry" },
    handshakes: 1,
    written: 1,
    losses: {},
    ...more,
  }) + "\n";
}
