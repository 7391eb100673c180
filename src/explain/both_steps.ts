/**
 * The steps of a handshake that two hosts tell: each packet once, with when either of them had it.
 *
 * @module
 */
import { synAcksLost } from "../match/both_ends.ts";
import type { EndTold } from "./end_told.ts";
import type { Arrow, End, KernelStep, PacketStep, Part, Step, ToldStep } from "./step.ts";
import { REPEATED_IN_RECORD } from "./told_steps.ts";

type Packet = PacketStep | ToldStep;

/** Bits of a timestamp's value in the options of a packet (RFC 7323 section 3.2). */
const TIMESTAMPS_KIND = 8;
const TIMESTAMPS_LENGTH = 10;
const NO_OPERATION = 1;
/** Where options begin in the TCP header (RFC 9293 section 3.1). */
const OPTIONS_AT = 20;

/** The packets between two ends, in the order in which they were sent, and what the kernels told. */
export function bothSteps(client: EndTold, server: EndTold): Step[] {
  const placed: { step: Step; at: number }[] = [];
  const parts: readonly [Part, End][] = [
    ["SYN", "client"],
    ["SYN", "server"],
    ["SYN-ACK", "server"],
    ["SYN-ACK", "client"],
    ["ACK", "client"],
    ["ACK", "server"],
    ["RST", "client"],
    ["RST", "server"],
  ];
  const origins = new Map<Step, End>();
  const arrows = parts.flatMap(([part, from]) => {
    const { told, strangers } = joinPart(client, server, part, from);
    for (const step of told) origins.set(step, from);
    for (const step of strangers) origins.set(step, from === "client" ? "server" : "client");
    return [...told, ...strangers];
  });
  // A packet that both had places one clock on the other well enough to put all in an order.
  const known = arrows.find(({ timeNs, serverNs }) =>
    timeNs !== undefined && serverNs !== undefined
  );
  const aheadNs = known === undefined ? 0 : known.serverNs! - known.timeNs!;
  const clientNs = (serverNs: number | undefined) =>
    serverNs === undefined ? undefined : serverNs - aheadNs;
  for (const [order, step] of arrows.entries()) {
    const sent = step.from === "client" ? step.timeNs : clientNs(step.serverNs);
    const seen = step.from === "client" ? clientNs(step.serverNs) : step.timeNs;
    placed.push({ step, at: sent ?? seen ?? Infinity + order });
  }
  for (const step of kernelSteps(client)) placed.push({ step, at: step.timeNs ?? Infinity });
  for (const step of kernelSteps(server)) {
    const ofServer: KernelStep = { ...step, timeNs: undefined, serverNs: step.timeNs };
    placed.push({ step: ofServer, at: clientNs(step.timeNs) ?? Infinity });
  }
  const steps = placed.toSorted((one, other) => one.at === other.at ? 0 : one.at - other.at).map((
    { step },
  ) => step);
  // Remarks point to packets by the numbers that they have in the story of one end.
  const numbers = { client: new Map<number, number>(), server: new Map<number, number>() };
  let number = 0;
  for (const step of steps) {
    if (step.kind !== "kernel") numbers[origins.get(step)!].set(step.number, ++number);
  }
  return steps.map((step) => {
    if (step.kind === "kernel") return step;
    const known = numbers[origins.get(step)!];
    return {
      ...step,
      number: known.get(step.number)!,
      remarks: step.remarks.map((remark) => renumbered(remark, known)),
    };
  });
}

/** What a remark says of packets, by their numbers on this ladder. */
function renumbered(remark: string, numbers: ReadonlyMap<number, number>): string {
  return remark.replace(
    /\bpacket (\d+)/g,
    (whole, number) =>
      numbers.has(Number(number)) ? `packet ${numbers.get(Number(number))}` : whole,
  );
}

function kernelSteps({ story }: EndTold): KernelStep[] {
  return story.steps.filter((step) => step.kind === "kernel");
}

function packetsOf({ story }: EndTold, part: Part, from: End): Packet[] {
  return story.steps.filter((step) =>
    step.kind !== "kernel" && step.part === part && step.from === from
  ) as Packet[];
}

/** The packets of one part from one end. */
function joinPart(client: EndTold, server: EndTold, part: Part, from: End): Joined {
  const [sender, receiver] = from === "client" ? [client, server] : [server, client];
  const [sent, seen] = [sender, receiver].map((end) => packetsOf(end, part, from));
  const way: Way = { sender, receiver, from, part, synAcksLost: synAcksLost(client, server) };
  return sender.hasPackets && receiver.hasPackets
    ? joinEach(sent, seen, way)
    : joinCounted(sent, seen, way);
}

/** Packets that an end sent, and those that the other end alone has. */
interface Joined {
  told: Packet[];
  strangers: Packet[];
}

/** Packets of a part on their way from one end to the other. */
interface Way {
  sender: EndTold;
  receiver: EndTold;
  from: End;
  part: Part;
  /** See `synAcksLost` of `match/both_ends`. */
  synAcksLost: number | undefined;
}

/** Where both ends have each packet: by their bytes, and of equal ones in their order. */
function joinEach(sent: readonly Packet[], seen: readonly Packet[], way: Way): Joined {
  const left = [...seen];
  const partners = sent.map((each) => {
    const at = left.findIndex((other) => keyOf(other) === keyOf(each));
    return at < 0 ? undefined : left.splice(at, 1)[0];
  });
  const lastThatCame = partners.findLastIndex((partner) => partner !== undefined);
  const joined = sent.map((each, at): Packet => {
    const isEqual = (other: Packet) => keyOf(other) === keyOf(each);
    const [alike, came] = [sent.filter(isEqual).length, seen.filter(isEqual).length];
    if (came > 0 && came < alike) {
      const remark = `Of ${alike} equal packets ${came} came; which, their bytes do not tell.`;
      return remarked(placed(each, undefined, way), remark);
    }
    if (partners[at] !== undefined) return placed(each, partners[at], way);
    const isLate = way.receiver.endedBefore(way.part) && at > lastThatCame;
    return isLate
      ? remarked(placed(each, undefined, way), "Whether it came is not known: that end was done.")
      : lost(each, way);
  });
  return { told: joined, strangers: left.map((each) => strange(each, way)) };
}

/** Where an end has a record, which has the first of each part, and how many there were. */
function joinCounted(sent: readonly Packet[], seen: readonly Packet[], way: Way): Joined {
  const { sender, receiver, part } = way;
  const [first, ...rest] = sent.map((each): Packet => ({ ...each, remarks: own(each) }));
  if (first === undefined) return { told: [], strangers: seen.map((each) => strange(each, way)) };
  const sentCount = Math.max(sender.count(part), sent.length);
  if (seen.length === 0) {
    // Of an end that saw no packets, or knows by its kernel that they came, nothing follows.
    const isLost = receiver.sawPackets && !receiver.endedBefore(part);
    const tell = (each: Packet) => isLost ? lost(each, way) : placed(each, undefined, way);
    const all = isLost && sentCount > sent.length ? [`All ${sentCount} of them were lost.`] : [];
    return { told: [remarked(tell(first), ...all), ...rest.map(tell)], strangers: [] };
  }
  const told = placed(first, seen[0], way);
  const others = rest.map((each) => placed(each, undefined, way));
  if (sentCount === 1) return { told: [told], strangers: [] };
  const lostCount = part === "SYN-ACK" ? way.synAcksLost : sentCount - receiver.count(part);
  const counts = `${sentCount} were sent and ${receiver.count(part)} came`;
  const remark = lostCount === undefined
    ? `${counts}: the others came after that end was done, or were lost.`
    : lostCount > 0
    ? `${counts}: ${lostCount} lost on the way. Times are of the first sent and the first that came.`
    : `${sentCount} were sent, and all came. Times are of the first.`;
  const counted: Packet = { ...remarked(told, remark), tone: "repeated" };
  return { told: [counted, ...others], strangers: [] };
}

/** The remarks of a packet without what a record says of its repetitions: both ends know more. */
function own({ remarks }: Arrow): string[] {
  return remarks.filter((remark) => !remark.startsWith(REPEATED_IN_RECORD));
}

function remarked(step: Packet, ...more: readonly string[]): Packet {
  return { ...step, remarks: [...step.remarks, ...more] };
}

/** A packet with when it was sent, and when the other end had it. */
function placed(sent: Packet, seen: Packet | undefined, { from }: Way): Packet {
  return from === "client"
    ? { ...sent, serverNs: seen?.timeNs }
    : { ...sent, timeNs: seen?.timeNs, serverNs: sent.timeNs };
}

function lost(sent: Packet, way: Way): Packet {
  return { ...placed(sent, undefined, way), isLost: true };
}

/** One that came and that the other end did not send, or whose capture there missed it. */
function strange(seen: Packet, { sender, from }: Way): Packet {
  const remark = sender.sawPackets
    ? `The ${from}'s host did not send it, as far as its packets tell.`
    : `Whether the ${from}'s host sent it is not known: it has no packets of it.`;
  return {
    ...seen,
    ...from === "client"
      ? { timeNs: undefined, serverNs: seen.timeNs }
      : { timeNs: seen.timeNs, serverNs: undefined },
    tone: sender.sawPackets ? "bad" : seen.tone,
    remarks: [...seen.remarks, remark],
  };
}

/** What stays the same on the way: middleboxes change addresses, windows and options, not numbers. */
function keyOf(step: Packet): string {
  if (step.kind === "told") return step.label;
  const { flags, sequence, acknowledgment, payloadLength, header } = step.packet;
  return [flags, sequence, acknowledgment, payloadLength, timestampOf(header)].join();
}

/** The value of the timestamps option; undefined: there is none. */
function timestampOf(header: Uint8Array): number | undefined {
  for (let at = OPTIONS_AT; at < header.length;) {
    const kind = header[at];
    if (kind === NO_OPERATION) {
      at++;
      continue;
    }
    if (kind === TIMESTAMPS_KIND && at + TIMESTAMPS_LENGTH <= header.length) {
      return new DataView(header.buffer, header.byteOffset + at + 2).getUint32(0);
    }
    if (kind === 0 || !(header[at + 1] >= 2)) return undefined;
    at += header[at + 1];
  }
  return undefined;
}
