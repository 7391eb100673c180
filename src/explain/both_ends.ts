/**
 * A handshake as its two hosts tell it together: one story, of which each step has the times of both.
 *
 * @module
 */
import { synAcksLost, type Verdict, verdictOf } from "../match/both_ends.ts";
import { escapeText } from "../text/escape.ts";
import { bothSteps } from "./both_steps.ts";
import type { EndTold } from "./end_told.ts";
import { chooseUnit, formatExact } from "./numbers.ts";
import type { RoundTrip } from "./round_trips.ts";
import type { Step } from "./step.ts";
import type { Fact, Story } from "./story.ts";
import { explainReason } from "./words.ts";

/** How far the server's clock is ahead of the client's, nanoseconds, by all that both hosts tell. */
export interface ClockBounds {
  offsetNs: number;
  uncertaintyNs: number;
}

/** What is known beyond what the two ends say. */
export interface BothEndsContext {
  /** By what they belong together; see `tierOf`. */
  tier: 1 | 2 | 3;
  /** By other handshakes of these hosts in the same minute; undefined: nothing is known by those. */
  clock?: ClockBounds;
  /** What else is to be said, sentences. */
  remarks?: readonly string[];
}

/** Tells a handshake by both of its ends. */
export function tellBothEnds(
  client: EndTold,
  server: EndTold,
  { tier, clock, remarks = [] }: BothEndsContext,
): Story {
  const steps = bothSteps(client, server);
  const trips = waysOf(client, server, clock);
  const verdict = verdictOf(client.outcome, server.outcome);
  const timesNs = [
    ...steps.flatMap(({ timeNs, serverNs }) => [timeNs, serverNs]),
    ...trips.map(({ ns }) => ns),
  ].filter((ns) => ns !== undefined);
  const unit = chooseUnit(timesNs);
  return {
    title: `TCP handshake of two hosts: ${verdict}`,
    isOfBothEnds: true,
    facts: factsOf(client, server, tier),
    client: client.story.client,
    server: server.story.server,
    unit,
    steps,
    relations: relationsOf(client, server),
    roundTrips: trips,
    outcome: explainVerdict(verdict, client, server, hasLost(client, server, steps)),
    remarks: [...new Set([...remarks, ...client.story.remarks, ...server.story.remarks])],
    windowShifts: client.story.windowShifts ?? server.story.windowShifts,
  };
}

/** Where a packet did not come to the client's host, the server's host has the numbers that it sent. */
function relationsOf(client: EndTold, server: EndTold): Story["relations"] {
  const known = server.story.relations.filter(({ verdict }) => verdict !== undefined);
  return client.story.relations.map((relation) =>
    relation.verdict === undefined
      // Why there is none stands behind what must hold.
      ? known.find(({ claim }) => relation.claim.startsWith(claim)) ?? relation
      : relation
  );
}

/** Whether a packet is known to have been lost on the way. */
function hasLost(client: EndTold, server: EndTold, steps: readonly Step[]): boolean {
  return client.synCount > server.synCount || (synAcksLost(client, server) ?? 0) > 0 ||
    steps.some((step) => step.kind !== "kernel" && step.isLost);
}

const TIERS: Readonly<Record<BothEndsContext["tier"], string>> = {
  1: "by the same addresses, ports and initial sequence number of the client",
  2: "by both initial sequence numbers: addresses were changed on the way (NAT)",
  3: "by the client's initial sequence number and the server's address and port: one end saw no " +
    "answer, and addresses were changed on the way (NAT)",
};

function factsOf(client: EndTold, server: EndTold, tier: BothEndsContext["tier"]): Fact[] {
  const [ofClient, ofServer] = [client, server].map(({ story }) => (name: string) =>
    story.facts.find((fact) => fact.name === name)?.text
  );
  const facts: [name: string, text: string | undefined][] = [
    ["time", `${timeOf(ofClient)} at the client's host, ${timeOf(ofServer)} at the server's`],
    ["client", `${ofClient("client")}, on ${client.host}`],
    ["server", `${ofServer("server")}, on ${server.host}`],
    ["ISNs", longer(ofClient("ISNs"), ofServer("ISNs"))],
    ["joined", TIERS[tier]],
    ["NAT", natOf(client, server)],
    ["ends", `${client.host}: ${describe(client)}; ${server.host}: ${describe(server)}`],
  ];
  return facts.flatMap(([name, text]) => text === undefined ? [] : [{ name, text }]);
}

function timeOf(factOf: (name: string) => string | undefined): string {
  return factOf("time")!.split(",")[0];
}

function longer(one: string | undefined, other: string | undefined): string | undefined {
  return (other?.length ?? 0) > (one?.length ?? 0) ? other : one;
}

function natOf(client: EndTold, server: EndTold): string | undefined {
  const [one, other] = [client.identity, server.identity];
  const seen = [
    ...one.client === other.client ? [] : [`the server's host sees the client as ${other.client}`],
    ...one.server === other.server ? [] : [`the client's host sees the server as ${one.server}`],
  ];
  return seen.length === 0 ? undefined : seen.join(", ");
}

/** How it ended at an end, and why. */
function describe({ outcome, reason }: EndTold): string {
  return reason === undefined ? outcome : `${outcome}, ${explainReason(reason)}`;
}

/** How long packets were under way, and how long the hosts took. */
function waysOf(client: EndTold, server: EndTold, clock: ClockBounds | undefined): RoundTrip[] {
  const trips: RoundTrip[] = [networkTrip(client, server)];
  const [there, back] = [
    apart(server, server.synNs, client, client.synNs),
    apart(client, client.synAckNs, server, server.synAckNs),
  ];
  const isPlain = client.isPlain && server.isPlain;
  const bounds = isPlain ? boundsOf(there, back, clock) : undefined;
  const unknown = client.synAckNs === undefined ? UNANSWERED : isPlain ? UNBOUNDED : REPEATED;
  for (
    const [name, ns, sign, packet] of [
      ["way there", there, -1, "SYN"],
      ["way back", back, 1, "SYN-ACK"],
    ] as const
  ) trips.push(oneWay(name, packet, ns, sign, bounds) ?? { name, ns: undefined, text: unknown });
  const ofClient = client.story.roundTrips.find((trip) => trip.name === "server RTT");
  const ofServer = server.story.roundTrips.find((trip) => trip.name === "client RTT");
  trips.push(
    { name: "server", ns: ofServer?.ns, text: "SYN to SYN-ACK on the server's host" },
    { name: "client", ns: ofClient?.ns, text: "SYN-ACK to ACK on the client's host" },
  );
  return trips;
}

const UNANSWERED = "none: no SYN-ACK came to the client's host";
const REPEATED =
  "not known: packets were sent again or lost, and which of them was answered differs";
const UNBOUNDED =
  "not known: nothing here bounds how far the clocks of both hosts are apart in that minute";

function networkTrip(client: EndTold, server: EndTold): RoundTrip {
  const name = "network RTT";
  if (client.synAckNs === undefined) return { name, ns: undefined, text: UNANSWERED };
  if (!client.isPlain || !server.isPlain) {
    return { name, ns: undefined, text: REPEATED };
  }
  const { clientRttNs } = client;
  if (clientRttNs === undefined || server.clientRttNs === undefined) {
    return { name, ns: undefined, text: "not known: an end has no time of SYN or SYN-ACK" };
  }
  const text = "there and back, without the server's host: it needs no clock";
  return { name, ns: clientRttNs - server.clientRttNs, text };
}

/** From a moment of one end to one of the other, by their clocks. */
function apart(
  later: EndTold,
  laterNs: number | undefined,
  earlier: EndTold,
  earlierNs: number | undefined,
): number | undefined {
  if (laterNs === undefined || earlierNs === undefined) return undefined;
  return Number(later.atNs - earlier.atNs) + laterNs - earlierNs;
}

/** The least and the most that the server's clock is ahead: no packet is there before it was sent. */
function boundsOf(
  there: number | undefined,
  back: number | undefined,
  clock: ClockBounds | undefined,
): [least: number, most: number] | undefined {
  if (there === undefined || back === undefined || clock === undefined) return undefined;
  const { offsetNs, uncertaintyNs } = clock;
  const least = Math.max(-back, offsetNs - uncertaintyNs);
  const most = Math.min(there, offsetNs + uncertaintyNs);
  // They contradict where a clock was set within the minute.
  return least <= most ? [least, most] : undefined;
}

function oneWay(
  name: string,
  packet: string,
  apartNs: number | undefined,
  sign: 1 | -1,
  bounds: [least: number, most: number] | undefined,
): RoundTrip | undefined {
  if (apartNs === undefined || bounds === undefined) return undefined;
  const [least, most] = bounds;
  const middle = (least + most) / 2;
  const offNs = Math.round((most - least) / 2);
  const ns = Math.round(apartNs + sign * middle);
  const give = formatExact(offNs, chooseUnit([offNs]));
  return {
    name,
    ns,
    text:
      `${packet}, give or take ${give}: as far as the clocks are bounded by all handshakes of ` +
      "both hosts in that minute",
  };
}

/** Says where on the way it failed. */
function explainVerdict(
  verdict: Verdict,
  client: EndTold,
  server: EndTold,
  isRepaired: boolean,
): string {
  const [one, other] = [client.host, server.host];
  const reason = server.reason === undefined ? "" : `: ${explainReason(server.reason)}`;
  switch (verdict) {
    case "established":
      return isRepaired
        ? "Both ends are established: what was lost on the way was sent again."
        : "Both ends are established.";
    case "ack_lost":
      return `The way from ${one} to ${other} lost the ACK: ${one} is established and sends data, ` +
        `${other} goes on waiting.`;
    case "answer_lost":
      return `The way back lost it: ${other} answered, and no answer came to ${one}.`;
    case "dropped_by_server":
      return client.outcome === "established"
        ? `${other} threw the ACK away${reason}. ${one} is established and does not know.`
        : `The way is good: the SYN came to ${other}, which did not answer${reason}.`;
    case "refused_by_server":
      return `${other} itself refused: it sent the RST that came to ${one}.`;
    case "refused_on_the_way":
      return `${one} got a RST that ${other} did not send: something on the way refused, such as a ` +
        "firewall.";
    case "unreachable":
      return `The network answered ${one} with an error, or it has no way to ${other}, where the SYN ` +
        "was seen nevertheless.";
    case "aborted":
      return "One end gave up before it was complete.";
    case "syn_lost":
    case "server_end_not_seen":
    case "client_end_not_seen":
      throw new RangeError(`Cannot say ${escapeText(verdict)} of two ends`);
  }
}
