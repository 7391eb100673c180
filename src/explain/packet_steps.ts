import { countOf } from "../text/count.ts";
import { formatHexadecimal } from "../text/hexadecimal.ts";
import type { Handshake } from "../match/handshake.ts";
import { TcpFlag } from "../wire/tcp_flags.ts";
import { ExpectedNumbers } from "./expected_numbers.ts";
import { formatBoth, formatFlagNames } from "./numbers.ts";
import { nameOption, wholeOptions } from "./option_words.ts";
import type { SeenPacket } from "./seen_packet.ts";
import { senderOf } from "./sender.ts";
import type { PacketStep, Part } from "./step.ts";

const { SYN, ACK, RST } = TcpFlag;
/** Where the window stands in the TCP header (RFC 9293 section 3.1). */
const WINDOW = 14;
/** See {@link ExpectedNumbers.standsForThird}. */
const STANDS_FOR_THIRD = {
  behind: "It stands behind the third packet, which was not captured",
  before:
    "It begins before the third packet, which was not captured, and reaches past where that begins",
};

/**
 * Makes the steps of a handshake's packets, in their order: which part each one plays, and what is
 * worth saying of it.
 */
export function packetSteps(handshake: Handshake, packets: readonly SeenPacket[]): PacketStep[] {
  const expected = new ExpectedNumbers(handshake, packets);
  const hasTimes = !handshake.flags.includes("clock_set");
  const steps: PacketStep[] = [];
  for (const packet of packets) {
    const step: PacketStep = {
      kind: "packet",
      number: steps.length + 1,
      timeNs: hasTimes ? packet.timeNs - handshake.timeNs : undefined,
      from: senderOf(handshake, packet),
      part: partOf(packet),
      tone: "usual",
      label: labelOf(handshake, packet),
      remarks: [],
      packet,
      seqFits: true,
      ackFits: true,
      fits: true,
    };
    judge(step, steps, expected, handshake);
    if ((packet.flags & SYN) !== 0 && step.tone !== "repeated") {
      step.remarks.push(announced(packet));
    }
    steps.push(step);
  }
  return steps;
}

function partOf({ flags }: SeenPacket): Part {
  if ((flags & RST) !== 0) return "RST";
  if ((flags & SYN) === 0) return "ACK";
  return (flags & ACK) === 0 ? "SYN" : "SYN-ACK";
}

function labelOf(handshake: Handshake, packet: SeenPacket): string {
  const { client, server } = handshake;
  const { flags, sequence, acknowledgment, payloadLength } = packet;
  const [own, peer] = senderOf(handshake, packet) === "client"
    ? [client, server]
    : [server, client];
  // A SYN's Seq is the initial one by definition, also of a second SYN-ACK with another number.
  const isn = (flags & SYN) !== 0 ? sequence : own.isn;
  const ack = (flags & ACK) !== 0 ? ` Ack=${formatBoth(acknowledgment, peer.isn)}` : "";
  const data = payloadLength > 0 ? ` Len=${payloadLength}` : "";
  return `[${formatFlagNames(flags)}] Seq=${formatBoth(sequence, isn)}${ack}${data}`;
}

/** Says whether a packet fits, was sent before, or is another one's. */
function judge(
  step: PacketStep,
  before: readonly PacketStep[],
  expected: ExpectedNumbers,
  handshake: Handshake,
): void {
  switch (step.part) {
    case "SYN":
      return judgeSyn(step, before);
    case "SYN-ACK":
      return judgeSynAck(step, before, expected);
    case "ACK":
      return judgeAck(step, before, expected, handshake);
    case "RST":
      return judgeReset(step, before, expected, handshake);
  }
}

function judgeSyn(step: PacketStep, before: readonly PacketStep[]): void {
  const same = before.filter(({ part, from }) => part === "SYN" && from === step.from);
  if (same.length > 0) {
    repeat(step, same);
  } else if (step.from === "server") {
    step.remarks.push("The other end sends a SYN too: a simultaneous open.");
  }
  if (step.packet.payloadLength > 0) {
    step.remarks.push(
      `Carries ${countOf(step.packet.payloadLength, "byte")} of data: TCP Fast Open.`,
    );
  }
}

function judgeSynAck(
  step: PacketStep,
  before: readonly PacketStep[],
  expected: ExpectedNumbers,
): void {
  const { packet, from } = step;
  const answers = from === "server"
    ? expected.followsSyn(packet.acknowledgment)
    : expected.followsServerSyn(packet.acknowledgment);
  if (!answers) {
    misfit(step, "Its Ack is not what follows the SYN: it answers another one, or none.");
    return;
  }
  const good = before.filter((each) => each.part === "SYN-ACK" && each.from === from && each.fits);
  const same = good.filter((each) => each.packet.sequence === packet.sequence);
  if (same.length > 0) {
    repeat(step, same);
  } else if (good.length > 0) {
    step.tone = "repeated";
    step.remarks.push(
      `Another SYN-ACK with another initial sequence number, ${
        formatHexadecimal(packet.sequence)
      }: ` +
        "the server forgot the first, or makes SYN cookies. The ACK tells which one counts.",
    );
  }
  if (before.some(({ part, fits }) => part === "ACK" && fits) && good.length > 0) {
    step.remarks.push("The ACK had not come to the server yet, or was lost on the way.");
  }
}

function judgeAck(
  step: PacketStep,
  before: readonly PacketStep[],
  expected: ExpectedNumbers,
  handshake: Handshake,
): void {
  if (step.from === "server") return judgeServerAck(step, before, expected);
  const { sequence, acknowledgment } = step.packet;
  const answers = answersIn(before);
  if (expected.isThird(step.packet)) {
    if (answers.length === 0) step.remarks.push(beforeAnswer(handshake));
    return;
  }
  // The first that does not fit is the one that the verdicts are about, unless another completes it.
  const others = before.filter(({ part, from }) => part === "ACK" && from === "client");
  const isJudged = handshake.ackNs === undefined && others.length === 0 && answers.length > 0;
  step.seqFits = isJudged ? handshake.ackSequence !== false : expected.followsSyn(sequence);
  step.ackFits = isJudged
    ? handshake.ackAcknowledgesSynAck !== false
    : expected.isOfServer(acknowledgment, serverPackets(before));
  const wrong = [
    ...(step.seqFits ? [] : ["its Seq does not follow the SYN"]),
    ...(step.ackFits ? [] : ["its Ack does not follow the SYN-ACK"]),
  ];
  const isEnded = before.some(({ part, fits }) => part === "RST" && fits);
  const standsFor = expected.standsForThird(step.packet);
  misfit(
    step,
    isJudged && standsFor !== undefined
      ? `${STANDS_FOR_THIRD[standsFor]}: a server that lost that takes it in its place.`
      : wrong.length > 0
      ? `It completes nothing: ${wrong.join(", and ")}.`
      : isEnded
      ? "It completes nothing: a RST came before."
      : "It completes nothing: no SYN-ACK that it answers came.",
  );
}

/** Of the packet that completed a handshake before its SYN-ACK was captured, or without. */
function beforeAnswer({ flags }: Handshake): string {
  return flags.includes("one_sided")
    ? "It answers a SYN-ACK that was not captured: its Seq is the next after the SYN."
    : "Captured before the SYN-ACK that it acknowledges.";
}

/** Says what a segment of the server shows before the third packet came. */
function judgeServerAck(
  step: PacketStep,
  before: readonly PacketStep[],
  expected: ExpectedNumbers,
): void {
  const { packet } = step;
  if (expected.isThird(packet)) {
    step.remarks.push("It acknowledges the client's SYN-ACK: the numbers fit the other way round.");
    return;
  }
  if (before.some(({ part, from, fits }) => part === "ACK" && from === "client" && fits)) return;
  if (packet.payloadLength > 0) {
    step.remarks.push(
      `${countOf(packet.payloadLength, "byte")} that the server sends before the ACK came.`,
    );
  }
  if (answersIn(before).length > 0 && expected.isBeyondSyn(packet.acknowledgment)) {
    step.remarks.push(
      "It acknowledges data of the client: the ACK came to the server, though it was not captured.",
    );
  }
}

/** What the server sent so far. */
function serverPackets(before: readonly PacketStep[]): SeenPacket[] {
  return before.filter(({ from }) => from === "server").map(({ packet }) => packet);
}

/** The SYN-ACKs that answered the SYN so far. */
function answersIn(before: readonly PacketStep[]): PacketStep[] {
  return before.filter(({ part, from, fits }) => part === "SYN-ACK" && from === "server" && fits);
}

/**
 * Whether the client sent its ACK, by what was captured so far: one that fits, or one without any
 * SYN-ACK, whose answer was not captured.
 */
function sentAck(before: readonly PacketStep[]): boolean {
  const isAnswered = answersIn(before).length > 0;
  const isOneSided = before.every(({ part }) => part !== "SYN-ACK");
  return before.some(({ part, from, fits, seqFits }) =>
    part === "ACK" && from === "client" && (isAnswered && fits || isOneSided && seqFits)
  );
}

function judgeReset(
  step: PacketStep,
  before: readonly PacketStep[],
  expected: ExpectedNumbers,
  handshake: Handshake,
): void {
  const { sequence, acknowledgment, flags } = step.packet;
  const answers = answersIn(before);
  const isEstablished = handshake.outcome === "established";
  step.tone = "bad";
  if (before.some(({ part, fits }) => part === "RST" && fits)) {
    misfit(step, "Another RST ended it already.");
    return;
  }
  if (step.from === "client") {
    if (sentAck(before)) {
      misfit(step, "The client sent its ACK before: this ends a connection, not the handshake.");
      return;
    }
    step.fits = expected.followsSyn(sequence);
    const refused = before.findLast(({ part, packet }) =>
      part === "SYN-ACK" && packet.acknowledgment === sequence
    );
    if (refused) {
      const then = refused.fits ? "the client gives up" : "the client goes on waiting";
      step.remarks.push(`It refuses packet ${refused.number}: its Seq is the Ack there; ${then}.`);
      return;
    }
  } else if (answers.length > 0) {
    step.fits = expected.isOfServer(sequence, serverPackets(before));
  } else {
    step.fits = (flags & ACK) !== 0 && expected.followsSyn(acknowledgment);
    if (step.fits && !isEstablished) {
      step.remarks.push("It acknowledges the SYN, so it is believed: refused.");
    }
  }
  if (step.fits && isEstablished) {
    step.remarks.push(
      "Its numbers fit, but the connection survives it: whoever sent it was not the other end, or it " +
        "did not come that far.",
    );
  }
  if (!step.fits) misfit(step, "Its numbers are not those of this handshake: it ends nothing.");
}

function repeat(step: PacketStep, same: readonly PacketStep[]): void {
  step.tone = "repeated";
  step.remarks.push(`Sent again: the same Seq as packet ${same[0].number}.`);
}

function misfit(step: PacketStep, remark: string): void {
  step.fits = false;
  step.tone = "bad";
  step.remarks.push(remark);
}

/** What a SYN or SYN-ACK announces: its window and its options. */
function announced({ header }: SeenPacket): string {
  const window = header[WINDOW] << 8 | header[WINDOW + 1];
  const { options, isCut } = wholeOptions(header);
  const names = options.map(nameOption).filter((name) => name !== undefined);
  const rest = isCut ? ["and more that was not captured"] : [];
  return [`Window ${window}`, ...names, ...rest].join(", ");
}
