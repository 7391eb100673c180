import { countOf } from "../text/count.ts";
import { formatHexadecimal } from "../text/hexadecimal.ts";
import type { Handshake } from "../match/handshake.ts";
import { sequenceDistance } from "../wire/sequence.ts";
import { ExpectedNumbers } from "./expected_numbers.ts";
import { formatSum } from "./numbers.ts";
import type { PacketStep, Part } from "./step.ts";

/** One of the relations that the numbers of a handshake must hold. */
export interface Relation {
  /** What must hold. */
  claim: string;
  /** Whether it did; undefined where a packet is missing. */
  verdict: boolean | undefined;
  /** The sum in numbers, what it must be by the packet before; undefined where that is missing. */
  sum: string | undefined;
  /** The number found instead, what made the sum longer, or why there is no verdict; "" nothing. */
  comment: string;
}

const MEANS = {
  synAckAck:
    "The answer is to another SYN: an old packet come late, or somebody who guesses. The client " +
    "answers it with a RST and goes on waiting.",
  ackSequence:
    "The packet does not go on where this SYN ended: it is of an older connection on the same ports, " +
    "or its number was changed on the way. It completes nothing.",
  behind:
    "The packet stands behind the third one, which was not captured: a server that lost that takes it " +
    "in its place. When the SYN-ACK was answered is not known.",
  before:
    "The packet begins before the third one, which was not captured, and reaches past where that begins: a " +
    "server that lost that takes it in its place. When the SYN-ACK was answered is not known.",
  ackAck:
    "The packet acknowledges a SYN-ACK that the server did not send now. It completes nothing, and " +
    "the server answers it with a RST.",
};

/**
 * Makes the relations of a handshake, with their numbers. Whether each held is what the handshake says.
 *
 * @param steps Its packets.
 */
export function makeRelations(handshake: Handshake, steps: readonly PacketStep[]): Relation[] {
  const expected = new ExpectedNumbers(handshake, steps.map(({ packet }) => packet));
  const first = synAckRelation(handshake, steps, expected);
  const refusal = refusalRelation(steps, expected);
  if (refusal) return first.verdict === undefined ? [refusal] : [refusal, first];
  const simultaneous = answersToServer(handshake, steps);
  const split = splitRelation(steps, expected);
  if (simultaneous) return split ? [simultaneous, split] : [first, simultaneous];
  return [
    first,
    ackSequenceRelation(handshake, steps, expected),
    ackRelation(handshake, steps, expected),
  ];
}

function synAckRelation(
  { synAckAcknowledgesSyn: verdict, flags }: Handshake,
  steps: readonly PacketStep[],
  expected: ExpectedNumbers,
): Relation {
  const claim = "the SYN-ACK's Ack is the SYN's Seq + 1";
  const synAcks = steps.filter(({ part, from }) => part === "SYN-ACK" && from === "server");
  const found = pick(synAcks, verdict, ({ fits }) => fits)?.packet.acknowledgment;
  if (verdict === undefined) {
    const missing = synAcks.length === 0
      ? "SYN-ACK"
      : flags.includes("one_sided")
      ? "SYN"
      : "packet";
    return notCaptured(claim, missing);
  }
  const { clientIsn, synData } = expected;
  if (clientIsn === undefined || found === undefined) return withoutPackets(claim, verdict);
  if (!verdict) {
    return failed(claim, clientIsn, synData, "the SYN-ACK's Ack", found, MEANS.synAckAck);
  }
  const accepted = sequenceDistance(clientIsn, found) - 1;
  return {
    claim: accepted > 0 ? `${claim}, plus data taken from it` : claim,
    verdict,
    sum: formatSum(clientIsn, 1, accepted),
    comment: accepted > 0
      ? `+ ${accepted}: the server took ${accepted} of the ${
        countOf(synData, "byte")
      } of data in the SYN.`
      : synData > 0
      ? `The server took none of the ${
        countOf(synData, "byte")
      } of data in the SYN: they are sent again.`
      : "",
  };
}

function ackSequenceRelation(
  { ackSequence: verdict }: Handshake,
  steps: readonly PacketStep[],
  expected: ExpectedNumbers,
): Relation {
  const claim = "the ACK's Seq is the SYN's Seq + 1";
  const acks = acksOf(steps);
  const judged = pick(acks, verdict, ({ seqFits }) => seqFits)?.packet;
  const found = judged?.sequence;
  if (verdict === undefined) return notCaptured(claim, "ACK");
  const { clientIsn, synData } = expected;
  if (clientIsn === undefined || found === undefined) return withoutPackets(claim, verdict);
  if (!verdict) {
    const means = MEANS[expected.standsForThird(judged!) ?? "ackSequence"];
    return failed(claim, clientIsn, synData, "the packet's Seq", found, means);
  }
  const sent = sequenceDistance(clientIsn, found) - 1;
  return {
    claim: sent > 0 ? `${claim}, plus data sent in it` : claim,
    verdict,
    sum: formatSum(clientIsn, 1, sent),
    comment: sent > 0 ? `+ ${sent}: that much data was sent in the SYN already.` : "",
  };
}

function ackRelation(
  { ackAcknowledgesSynAck: verdict, server }: Handshake,
  steps: readonly PacketStep[],
  expected: ExpectedNumbers,
): Relation {
  const claim = "the ACK's Ack is the SYN-ACK's Seq + 1";
  const acks = acksOf(steps);
  const found = pick(acks, verdict, ({ ackFits }) => ackFits)?.packet.acknowledgment;
  if (verdict === undefined) return notCaptured(claim, acks.length > 0 ? "SYN-ACK" : "ACK");
  if (server.isn === undefined || found === undefined) return withoutPackets(claim, verdict);
  if (!verdict) return failed(claim, server.isn, 0, "the packet's Ack", found, MEANS.ackAck);
  const isn = expected.synAckBefore(found) ?? server.isn;
  const early = sequenceDistance(isn, found) - 1;
  return {
    claim: early > 0 ? `${claim}, plus data behind it` : claim,
    verdict,
    sum: formatSum(isn, 1, early),
    comment: early > 0 ? `+ ${early}: the server sent that much data before the ACK.` : "",
  };
}

/** Of a SYN that a RST refused: what makes the RST believed; undefined of any other. */
function refusalRelation(
  steps: readonly PacketStep[],
  { clientIsn, synData }: ExpectedNumbers,
): Relation | undefined {
  const reset = steps.find(({ part, from, fits }) => part === "RST" && from === "server" && fits);
  const isAnswered = steps.some(({ part, fits }) => part === "SYN-ACK" && fits);
  if (clientIsn === undefined || reset === undefined || isAnswered) return undefined;
  const extra = sequenceDistance(clientIsn, reset.packet.acknowledgment) - 1;
  return {
    claim: `the RST's Ack is the SYN's Seq + 1${extra > 0 ? ", plus data in it" : ""}`,
    verdict: true,
    sum: formatSum(clientIsn, 1, extra),
    comment: "Whoever sent the RST saw the SYN: one with another Ack would refuse nothing." +
      (synData > 0 ? ` The SYN carried ${countOf(synData, "byte")} of data.` : ""),
  };
}

/** Of a simultaneous open: that the client answered the server's SYN; undefined of any other. */
function answersToServer(
  { flags }: Handshake,
  steps: readonly PacketStep[],
): Relation | undefined {
  if (!flags.includes("simultaneous_open")) return undefined;
  const syn = steps.find(({ part, from }) => part === "SYN" && from === "server");
  const answers = steps.filter(({ part, from }) => part === "SYN-ACK" && from === "client");
  const answer = answers.find(({ fits }) => fits) ?? answers.at(-1);
  const claim = "the other SYN-ACK's Ack is the other SYN's Seq + 1";
  if (syn === undefined || answer === undefined) {
    const missing = syn === undefined ? "SYN of the other end" : "SYN-ACK of this end";
    return notCaptured(claim, missing);
  }
  const { sequence, payloadLength } = syn.packet;
  const { acknowledgment } = answer.packet;
  if (!answer.fits) {
    const what = "the SYN-ACK's Ack";
    return failed(claim, sequence, payloadLength, what, acknowledgment, MEANS.synAckAck);
  }
  const accepted = sequenceDistance(sequence, acknowledgment) - 1;
  return {
    claim: accepted > 0 ? `${claim}, plus data taken from it` : claim,
    verdict: true,
    sum: formatSum(sequence, 1, accepted),
    comment: "",
  };
}

/** Of a simultaneous open that the server's ACK completed: what that acknowledges; else undefined. */
function splitRelation(
  steps: readonly PacketStep[],
  expected: ExpectedNumbers,
): Relation | undefined {
  const third = steps.find(({ packet }) => expected.isThird(packet));
  if (third?.from !== "server" || expected.clientIsn === undefined) return undefined;
  const extra = sequenceDistance(expected.clientIsn, third.packet.acknowledgment) - 1;
  return {
    claim: `the other ACK's Ack is the SYN's Seq + 1${extra > 0 ? ", plus data in it" : ""}`,
    verdict: true,
    sum: formatSum(expected.clientIsn, 1, extra),
    comment: "The other end sends no SYN-ACK: its ACK answers the one of this end.",
  };
}

function acksOf(steps: readonly PacketStep[]): PacketStep[] {
  const part: Part = "ACK";
  return steps.filter((step) => step.part === part && step.from === "client");
}

/** The packet that a verdict is about: the first good one, or the last that does not fit. */
function pick(
  steps: readonly PacketStep[],
  verdict: boolean | undefined,
  isRight: (step: PacketStep) => boolean,
): PacketStep | undefined {
  if (!verdict) return steps.findLast((step) => !isRight(step));
  // Of two right numbers that of the packet that completes it.
  return steps.find((step) => step.fits && isRight(step)) ?? steps.findLast(isRight);
}

function failed(
  claim: string,
  isn: number,
  dataMax: number,
  what: string,
  found: number,
  means: string,
): Relation {
  const data = dataMax > 0 ? ` (or up to ${dataMax} more, for the data in the SYN)` : "";
  return {
    claim,
    verdict: false,
    sum: formatSum(isn, 1),
    comment: `But ${what} is ${formatHexadecimal(found)}${data}. ${means}`,
  };
}

function notCaptured(claim: string, missing: string): Relation {
  const reason = `no ${missing} was captured`;
  return { claim: `${claim}: ${reason}`, verdict: undefined, sum: undefined, comment: "" };
}

function withoutPackets(claim: string, verdict: boolean): Relation {
  return {
    claim,
    verdict,
    sum: undefined,
    comment: "The packets that were kept do not show its numbers.",
  };
}
