import type { Handshake, Role } from "../match/handshake.ts";
import { chooseUnit, formatExact } from "./numbers.ts";
import { nameStep, type PacketStep, type Part, type ToldStep } from "./step.ts";

type Packet = PacketStep | ToldStep;

/** A duration of a handshake. */
export interface RoundTrip {
  /** What it is called. */
  name: string;
  /** Nanoseconds; undefined where it is not known. */
  ns: number | undefined;
  /** Between which packets, what it measures, or why it is not known. */
  text: string;
}

/** What a leg measures depends on where the packets were captured. */
const CLIENT_RTT: Readonly<Record<Role, string>> = {
  client: "the way to the server and back, with the time that its kernel took to answer",
  server: "the time that this host's own kernel took to answer: the network is not in it",
  local: "the time that this host's kernel took to answer: both ends are here",
  observer: "from the place of capture to the server and back",
};
const SERVER_RTT: Readonly<Record<Role, string>> = {
  client: "the time that this host's own kernel took to answer: the network is not in it",
  server: "the way to the client and back, with the time that its kernel took to answer",
  local: "the time that this host's kernel took to answer: both ends are here",
  observer: "from the place of capture to the client and back",
};

/** The durations of a handshake: both legs, the whole, and the kernel's own samples. */
export function roundTrips(handshake: Handshake, steps: readonly Packet[]): RoundTrip[] {
  const { totalNs, kernelClientRttNs, kernelServerRttNs } = handshake;
  const trips = [clientTrip(handshake, steps), serverTrip(handshake, steps)];
  if (totalNs !== undefined) {
    const [syn, ack] = [
      nameAt(steps, "SYN", handshake.synNs),
      nameAt(steps, "ACK", handshake.ackNs),
    ];
    trips.push({ name: "total", ns: totalNs, text: `first ${syn} to ${ack}` });
  }
  for (
    const [ns, end, what] of [
      [kernelClientRttNs, "client", "SYN to SYN-ACK"],
      [kernelServerRttNs, "server", "SYN-ACK to ACK"],
    ] as const
  ) {
    if (ns === undefined) continue;
    const text = `the ${end} kernel's own sample of ${what}, in whole microseconds`;
    trips.push({ name: `${end} kernel`, ns, text });
  }
  return trips;
}

/** One of the two legs: from a packet that may have been sent several times to its answer. */
interface Leg {
  name: string;
  asked: Part;
  answer: Part;
  ns: number | undefined;
  /** Since the first and the last of the repeated packets; undefined where there was one. */
  firstNs: number | undefined;
  lastNs: number | undefined;
  /** When the answer came. */
  answerNs: number | undefined;
  measures: string;
}

function clientTrip(handshake: Handshake, steps: readonly Packet[]): RoundTrip {
  return tripOf(handshake, steps, {
    name: "client RTT",
    asked: "SYN",
    answer: "SYN-ACK",
    ns: handshake.clientRttNs,
    firstNs: handshake.firstSynToSynAckNs,
    lastNs: handshake.lastSynToSynAckNs,
    answerNs: handshake.synAckNs,
    measures: CLIENT_RTT[handshake.role],
  });
}

function serverTrip(handshake: Handshake, steps: readonly Packet[]): RoundTrip {
  return tripOf(handshake, steps, {
    name: "server RTT",
    asked: "SYN-ACK",
    answer: "ACK",
    ns: handshake.serverRttNs,
    firstNs: handshake.firstSynAckToAckNs,
    lastNs: handshake.lastSynAckToAckNs,
    answerNs: handshake.ackNs,
    measures: SERVER_RTT[handshake.role],
  });
}

function tripOf(handshake: Handshake, steps: readonly Packet[], leg: Leg): RoundTrip {
  const { name, ns } = leg;
  if (ns === undefined) return { name, ns, text: whyUnknown(handshake, steps, leg) };
  const { asked, answer, answerNs } = leg;
  const from = nameAt(steps, asked, answerNs === undefined ? undefined : answerNs - ns);
  const text = `${from} to ${nameAt(steps, answer, answerNs)}: ${leg.measures}${
    howTold(steps, leg)
  }`;
  return { name, ns, text };
}

function nameAt(steps: readonly Packet[], part: Part, timeNs: number | undefined): string {
  const step = steps.find((each) => each.part === part && each.fits && each.timeNs === timeNs);
  return step ? nameStep(step) : part;
}

/** Where the packet was sent several times: how it is known which one was answered. */
function howTold(steps: readonly Packet[], { asked, ns, firstNs, lastNs }: Leg): string {
  if (firstNs === undefined) return "";
  const answers = steps.filter(({ part, fits }) => part === "SYN-ACK" && fits);
  const isns = new Set(answers.map((step) => step.kind === "packet" ? step.packet.sequence : NaN));
  // A record does not tell how it was known.
  if (isns.has(NaN)) return "";
  const byNumber = asked === "SYN-ACK" && isns.size > 1;
  if (byNumber) return `. The ACK's Ack tells which ${asked} it answers: their numbers differ`;
  return ns === lastNs
    ? `. There were several; the echoed timestamp is that of the last ${asked}`
    : "";
}

function whyUnknown(handshake: Handshake, steps: readonly Packet[], leg: Leg): string {
  const { asked, answer, firstNs, lastNs } = leg;
  if (handshake.flags.includes("clock_set")) return "unknown: the times cannot be subtracted";
  if (firstNs !== undefined && lastNs !== undefined) {
    const unit = chooseUnit([firstNs, lastNs]);
    if (asked === "SYN" && handshake.synCount === 1) {
      return `ambiguous: ${
        formatExact(firstNs, unit)
      } since the SYN that was seen. The ${answer} echoes ` +
        "the timestamp of a later one, which was not captured here";
    }
    return `ambiguous: ${formatExact(lastNs, unit)} since the last ${asked}, ` +
      `${formatExact(firstNs, unit)} since the first. The ${answer} fits each of them, and no ` +
      "echoed timestamp tells which one it answers, so there is no honest number (Karn's rule)";
  }
  if (asked === "SYN-ACK" && handshake.flags.includes("simultaneous_open")) {
    return "none: a simultaneous open needs no third packet";
  }
  const has = (name: Part) =>
    steps.some(({ part, from, fits }) =>
      part === name && fits &&
      (name === "RST" || from === (name === "SYN-ACK" ? "server" : "client"))
    );
  const missing = [asked, answer].filter((name) => !has(name));
  if (missing.length === 0) return "unknown: the packets were captured in the wrong order";
  const reset = answer === "SYN-ACK" && has("RST")
    ? ", and a RST is no round trip: anything on the way may have sent it"
    : "";
  return `none: no ${missing.join(" and no ")} that fits was seen${reset}`;
}
