/**
 * One handshake as a lesson: the values that the text, the picture and the Markdown are drawn from.
 *
 * @module
 */
import type { Endpoint, Handshake, Tuple } from "../match/handshake.ts";
import { formatEndpoint } from "../wire/address.ts";
import { escapeText } from "../text/escape.ts";
import { formatTime } from "../text/time.ts";
import { dropStep, icmpStep, kernelSteps, resetStep } from "./kernel_steps.ts";
import { chooseUnit, formatWithDecimal, type TimeUnit } from "./numbers.ts";
import { choosePlace } from "./one_place.ts";
import { packetSteps } from "./packet_steps.ts";
import { makeRelations, type Relation } from "./relations.ts";
import { type RoundTrip, roundTrips } from "./round_trips.ts";
import type { SeenPacket } from "./seen_packet.ts";
import type { KernelStep, PacketStep, Step, ToldStep } from "./step.ts";
import { toldRelations, toldSteps } from "./told_steps.ts";
import { explainFlag, explainOutcome, explainReason } from "./words.ts";

/** Something named and what there is to say of it. */
export interface Fact {
  /** One or two words. */
  name: string;
  /** The rest. */
  text: string;
}

/** A handshake as it is explained. Every text is safe to print, and plain: no markup of any kind. */
export interface Story {
  /** What it was. */
  title: string;
  /** Whether two hosts tell it: then its steps have times of both, each by its own clock. */
  isOfBothEnds?: boolean;
  /** When, who, where seen. */
  facts: Fact[];
  /** Address and port of either end. */
  client: string;
  server: string;
  /** The unit that all of its times are readable in. */
  unit: TimeUnit;
  /** Packets and events, in their order. */
  steps: Step[];
  relations: Relation[];
  roundTrips: RoundTrip[];
  /** What the outcome means. */
  outcome: string;
  /** Flags of the record, other copies, what is missing: a sentence or two each. */
  remarks: string[];
  /** Shifts of the windows that both sides agreed on; undefined where they did not or it is not known. */
  windowShifts: { client: number; server: number } | undefined;
}

/** What a story needs beyond the handshake. */
export interface StoryContext {
  /** Its captured packets, also those captured at several places; in any order. */
  packets: readonly SeenPacket[];
  /** Whether those are all: false where some were no longer kept. */
  complete: boolean;
  /** Whether it was read from a record, which has no packets. */
  recorded?: boolean;
  /** Name of the interface of a place, undefined where it is unknown. */
  interfaceName(place: number): string | undefined;
  /** Name, else id, of the container that a cgroup belongs to; undefined where none is known. */
  container?(cgroup: number): string | undefined;
}

/**
 * Tells a handshake. Nothing of the object is kept.
 *
 * @param handshake The handshake, an object that may be reused afterwards.
 */
export function tellStory(handshake: Handshake, context: StoryContext): Story {
  const { packets, copies } = choosePlace(handshake, context.packets);
  const ofPackets = packetSteps(handshake, packets);
  markPlaces(ofPackets, handshake.place, context);
  const arrows = context.recorded ? toldSteps(handshake) : ofPackets;
  const trips = roundTrips(handshake, arrows);
  const steps = inOrder(arrows, kernelSteps(handshake), handshake);
  const timesNs = [...steps.map(({ timeNs }) => timeNs), ...trips.map(({ ns }) => ns)]
    .filter((ns) => ns !== undefined);
  return {
    title: `TCP handshake: ${handshake.outcome}`,
    facts: factsOf(handshake, context),
    client: formatEndpoint(handshake.client),
    server: formatEndpoint(handshake.server),
    unit: chooseUnit(timesNs),
    steps,
    relations: context.recorded ? toldRelations(handshake) : makeRelations(handshake, ofPackets),
    roundTrips: trips,
    outcome: explainOutcome(handshake),
    remarks: remarksOf(handshake, copies, context),
    windowShifts: shiftsOf(handshake),
  };
}

function factsOf(handshake: Handshake, context: StoryContext): Fact[] {
  const { epochSeconds, timeNs, client, server, reason, synNs, synAckNs, wire, translated } =
    handshake;
  const origin = synNs === 0
    ? "the first SYN"
    : synAckNs === 0
    ? "the first SYN-ACK"
    : wire
    ? undefined
    : "the first event";
  const counted = origin ? `, ${origin}: 0 on the ladder` : "";
  return [
    { name: "time", text: formatTime(epochSeconds, timeNs) + counted },
    { name: "client", text: formatEndpoint(client) + formatProcess(client, context) },
    { name: "server", text: formatEndpoint(server) + formatProcess(server, context) },
    ...isnFacts(client.isn, server.isn),
    ...(translated === undefined ? [] : [{ name: "NAT", text: sayTranslated(translated) }]),
    { name: "seen", text: whereSeen(handshake, context) },
    ...(reason === undefined ? [] : [{ name: "reason", text: explainReason(reason) }]),
  ];
}

/** The initial sequence numbers in decimal too, as records and Wireshark give them. */
function isnFacts(client: number | undefined, server: number | undefined): Fact[] {
  const numbers = [["client", client], ["server", server]] as const;
  const text = numbers.flatMap(([side, isn]) =>
    isn === undefined ? [] : [`${side} ${formatWithDecimal(isn)}`]
  ).join(", ");
  return text === "" ? [] : [{ name: "ISNs", text }];
}

function sayTranslated({ client, server }: Tuple): string {
  return `on its other side ${formatEndpoint(client)} to ${formatEndpoint(server)}: ` +
    "this host translates addresses";
}

const SEEN_BY = {
  client: "this host is the client",
  server: "this host is the server",
  local: "both ends are on this host",
  observer: "neither end is known to be this host",
} as const;

function whereSeen(
  { wire, kernel, place, role }: Handshake,
  context: StoryContext,
): string {
  const name = nameOf(place, context);
  const sources = [
    ...(wire ? [name ? `its packets on ${name}` : "its packets"] : []),
    ...(kernel ? ["events of this host's kernel"] : []),
  ];
  return `${sources.join(" and ")}; ${SEEN_BY[role]}`;
}

function formatProcess({ process }: Endpoint, context: StoryContext): string {
  if (process === undefined) return "";
  const { pid, comm, uid, cgroup } = process;
  const container = cgroup === undefined ? undefined : context.container?.(cgroup);
  const inside = container === undefined ? "" : `, container ${escapeText(container)}`;
  return `, ${escapeText(comm)} (process ${pid}, user ${uid}${inside})`;
}

function nameOf(place: number, { interfaceName }: StoryContext): string | undefined {
  const name = place === 0 ? undefined : interfaceName(place);
  return name === undefined ? undefined : escapeText(name);
}

/** Says of packets that did not pass the place whose times count where they were captured. */
function markPlaces(steps: PacketStep[], place: number, context: StoryContext): void {
  for (const { packet, remarks } of steps) {
    if (packet.tunnels > 0) remarks.push("It came wrapped in a tunnel or behind a tag.");
    if (place === 0 || packet.place === place) continue;
    remarks.push(`Captured on ${nameOf(packet.place, context) ?? "another interface"} only.`);
  }
}

/** By their times; what has none stands behind the packet that it is about. */
function inOrder(
  packets: readonly (PacketStep | ToldStep)[],
  events: readonly KernelStep[],
  handshake: Handshake,
): Step[] {
  const drop = dropStep(handshake);
  const reset = resetStep(handshake);
  const icmp = icmpStep(handshake);
  const timed = [...events, drop, reset, icmp].filter((event): event is KernelStep =>
    event?.timeNs !== undefined
  );
  const steps: Step[] = [...packets, ...timed];
  // Without times the packets stay in their order; the RST that a record tells of came last.
  const timeOf = ({ kind, timeNs }: Step) => timeNs ?? (kind === "told" ? Infinity : 0);
  if (timed.length > 0) steps.sort((a, b) => timeOf(a) - timeOf(b));
  if (drop && drop.timeNs === undefined) {
    insertBehind(steps, drop, handshake.dropPacket === "syn_ack" ? "SYN-ACK" : "SYN");
  }
  if (reset && reset.timeNs === undefined) insertBehind(steps, reset, "RST");
  if (icmp && icmp.timeNs === undefined) insertBehind(steps, icmp, "SYN");
  return steps;
}

function insertBehind(steps: Step[], step: KernelStep, part: PacketStep["part"]): void {
  const at = steps.findLastIndex((each) => each.kind !== "kernel" && each.part === part);
  steps.splice(at < 0 ? steps.length : at + 1, 0, step);
}

function remarksOf(
  { flags, wire }: Handshake,
  copies: ReadonlyMap<number, number>,
  context: StoryContext,
): string[] {
  const remarks = flags.map(explainFlag);
  if (copies.size > 0) {
    const places = [...copies].map(([place, count]) =>
      `${nameOf(place, context) ?? "another interface"} (${count})`
    );
    remarks.push(
      `The same packets were also captured on ${places.join(", ")} on their way: ` +
        "those copies are not on the ladder, and were not sent again.",
    );
  }
  if (!wire) remarks.push("No packet of it was captured: all of this is what the kernel told.");
  else if (context.recorded) remarks.push(RECORDED);
  else if (!context.complete) {
    remarks.push("It has more packets than could be kept: the first ones are not on the ladder.");
  }
  return remarks;
}

const RECORDED =
  "All of this is what a record told, which has no packets: those that were sent again, " +
  "headers, data, and numbers other than the initial ones are not shown.";

function shiftsOf({ client, server }: Handshake): Story["windowShifts"] {
  if (client.windowScale === undefined || server.windowScale === undefined) return undefined;
  return { client: client.windowScale, server: server.windowScale };
}
