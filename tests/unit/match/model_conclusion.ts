/** What the plain model of the matcher says of an attempt in the end. */
import type {
  KernelAccept,
  KernelDrop,
  KernelEnd,
  Process,
} from "../../../src/kernel/kernel_record.ts";
import type { Outcome, Role } from "../../../src/match/handshake.ts";
import { formatAddress } from "../../../src/wire/address.ts";
import { type EcnSetup, ecnSetup, TcpFlag } from "../../../src/wire/tcp_flags.ts";
import {
  ahead,
  type Attempt,
  endsOfPackets,
  hasPackets,
  isNewest,
  lastDropOf,
  type ModelOptions,
  type Seen,
  synAcksOf,
  usesFastOpen,
} from "./model_attempt.ts";
import {
  type End,
  type EndpointSnapshot,
  EPOCH_SECONDS,
  formatEnd,
  type Packet,
  type Snapshot,
} from "./traffic.ts";

/** What a record says of an attempt, worked out from all that was seen of it. */
export function conclude(attempt: Attempt, traceEnded: boolean, options: ModelOptions): Snapshot {
  const own = { client: attempt.client, server: attempt.server };
  const { client, server } = endsOfPackets(attempt);
  const translated = attempt.packetsUseOther ? own : attempt.other;
  const { syns, synAcks, ack, clientKernel, serverKernel, accept, drops } = attempt;
  const established = clientKernel?.newState === 1 ? clientKernel.endNs : undefined;
  const serverEstablished = serverKernel?.newState === 1 ? serverKernel.endNs : undefined;
  const synNs = syns[0]?.timeNs;
  const counted = synAcksOf(attempt);
  const place = counted[0]?.place;
  const synAckNs = counted[0]?.timeNs;
  const kernelTimes = [
    clientKernel?.connectNs,
    clientKernel?.synSentNs,
    clientKernel?.endNs,
    ...drops.map(({ endNs }) => endNs),
    attempt.kernelResets.at(-1)?.endNs,
    serverKernel?.synReceivedNs,
    serverKernel?.endNs,
  ].filter((time) => time !== undefined);
  const timeNs = synNs ?? synAckNs ?? Math.min(...kernelTimes);
  const since = (time: number | undefined) => time === undefined ? undefined : time - timeNs;
  const outcome = outcomeOf(attempt, hasServer(attempt, options));
  const wire = hasPackets(attempt);
  const { misfit } = attempt;
  const hasAnswer = synAcks.length > 0 || attempt.answeredToo;
  const lastDrop = lastDropOf(attempt);
  const droppedSynAck = drops.find(({ flags }) => flags !== TcpFlag.SYN);
  const refusal = drops.find(({ netns }) => netns !== undefined);
  const resetReason = attempt.kernelResets.at(-1)?.reason;
  const snapshot: Snapshot = {
    epochSeconds: EPOCH_SECONDS,
    timeNs,
    role: roleOf(attempt, options),
    outcome,
    reason: reasonOf(outcome, attempt, lastDrop, resetReason),
    wire,
    kernel: [clientKernel, serverKernel, accept, lastDrop, resetReason].some((it) =>
      it !== undefined
    ),
    ipv4: [client, server].every(({ address }) => formatAddress(address).includes(".")),
    place: syns[0]?.place ?? place ?? 0,
    interfaces: attempt.places,
    translated: translated &&
      `${formatEnd(translated.client)} > ${formatEnd(translated.server)}`,
    vlan: attempt.vlan > 0 ? attempt.vlan : undefined,
    tunnels: [],
    netns: clientKernel?.netns ?? serverKernel?.netns ?? accept?.netns ?? refusal?.netns,
    client: {
      ...described(client, syns[0]?.packet, clientKernel, serverKernel),
      isn: client.port === 0 ? undefined : attempt.clientIsn,
      process: clientKernel && clientKernel.pid !== 0 ? processOf(clientKernel) : undefined,
    },
    server: {
      ...described(server, synAcks[0]?.packet, serverKernel, clientKernel),
      isn: attempt.acknowledgedIsn ?? synAcks[0]?.packet.sequence ?? attempt.serverSynIsn ??
        serverKernel?.iss ?? clientKernel?.irs ?? droppedSynAck?.sequence,
      process: listening(serverKernel, options) ??
        (accept && accept.pid !== 0 ? processOf(accept) : undefined),
    },
    ...rtts(attempt, counted),
    kernelClientRttNs: kernelRtt(clientKernel),
    kernelServerRttNs: kernelRtt(serverKernel),
    synCount: syns.length,
    synAckCount: counted.length,
    rstCount: attempt.serverResets + attempt.clientResets,
    connectNs: since(clientKernel?.connectNs),
    synSentNs: since(clientKernel?.synSentNs),
    synNs: since(synNs),
    synReceivedNs: since(serverKernel?.synReceivedNs),
    synAckNs: since(synAckNs),
    ackNs: since(ack?.timeNs),
    establishedNs: since(established ?? serverEstablished),
    serverEstablishedNs: established === undefined ? undefined : since(serverEstablished),
    acceptedNs: since(accept?.endNs),
    icmpNs: since(attempt.icmps[0]?.timeNs),
    icmp: attempt.icmps[0] &&
      { symbol: attempt.icmps[0].symbol, reporter: attempt.icmps[0].reporter },
    droppedNs: since(lastDrop?.endNs),
    resetSentNs: since(attempt.kernelResets.at(-1)?.endNs),
    dropCount: drops.length > 0 ? drops.length : undefined,
    dropReason: lastDrop?.reason,
    dropPacket: lastDrop && (lastDrop.flags === TcpFlag.SYN ? "syn" : "syn_ack"),
    dropQueue: lastDrop?.queue,
    resetReason,
    synAckAcknowledgesSyn: syns.length > 0 && synAcks.length > 0
      ? true
      : attempt.wrongSynAckAck
      ? false
      : undefined,
    ackSequence: ack ? true : misfit && !misfit.sequence,
    ackAcknowledgesSynAck: ack && hasAnswer ? true : misfit && !misfit.acknowledgment,
    flags: flagsOf(attempt, outcome, wire, traceEnded, options.seesServerData),
  };
  return attempt.isMistimed ? withoutDurations(snapshot) : snapshot;
}

/** What is left where the times of packets contradict their order. */
function withoutDurations(snapshot: Snapshot): Snapshot {
  const isDuration = (name: string) => name.endsWith("Ns") && !/^(timeNs|kernel)/.test(name);
  const left = Object.entries(snapshot).map(([name, value]) =>
    [name, isDuration(name) ? undefined : value] as const
  );
  return { ...snapshot, ...Object.fromEntries(left), flags: [...snapshot.flags, "clock_set"] };
}

function listening(half: KernelEnd | undefined, options: ModelOptions): Process | undefined {
  if (half?.kind !== "client") return half && options.listenerOf(half);
  return half.pid !== 0 ? processOf(half) : undefined;
}

function roleOf(attempt: Attempt, options: ModelOptions): Role {
  const { clientKernel, serverKernel, accept, drops } = attempt;
  const clientHere = clientKernel !== undefined || isHere(attempt, "client", options);
  const refusedHere = drops.some(({ netns }) => netns !== undefined);
  const serverHere = serverKernel !== undefined || accept !== undefined || refusedHere ||
    isHere(attempt, "server", options);
  if (clientHere && serverHere) return "local";
  if (clientHere) return "client";
  return serverHere ? "server" : "observer";
}

/** Whether somebody is known to listen at the server, so that the kernel decides. */
export function hasServer(attempt: Attempt, options: ModelOptions): boolean {
  return options.hasServer(endsOfPackets(attempt).server.address);
}

/** Whether an end is on this host, by each tuple that the attempt goes by. */
export function isHere(
  attempt: Attempt,
  end: "client" | "server",
  options: ModelOptions,
): boolean {
  return [{ client: attempt.client, server: attempt.server }, attempt.other]
    .every((each) => each === undefined || options.isLocal(each[end].address));
}

const ERRNO = new Map([
  [104, "ECONNRESET"],
  [110, "ETIMEDOUT"],
  [111, "ECONNREFUSED"],
  [113, "EHOSTUNREACH"],
  [101, "ENETUNREACH"],
  [99, "EADDRNOTAVAIL"],
]);

function outcomeOf(attempt: Attempt, hasServer: boolean): Outcome {
  const { clientKernel, serverKernel, accept } = attempt;
  const bothAnswered = attempt.answeredToo && attempt.synAcks.length > 0;
  if (bothAnswered || clientKernel?.newState === 1 || serverKernel?.newState === 1) {
    return "established";
  }
  const wentOn = attempt.wentOn && attempt.serverResets === 0;
  if ((attempt.ack || attempt.isProven || wentOn) && (accept || !hasServer)) return "established";
  if (attempt.serverResets > 0 || clientKernel?.error === 111) return "refused";
  if (clientKernel?.error === 110) return "timeout";
  if (clientKernel?.error === 113 || clientKernel?.error === 101) return "unreachable";
  if (clientKernel || attempt.clientResets > 0) return "aborted";
  const droppedSynAck = attempt.drops.some(({ flags }) => flags !== TcpFlag.SYN);
  const answered = attempt.synAcks.length > 0 || attempt.answeredToo;
  if (answered || serverKernel || droppedSynAck) return "half_open";
  const [icmp] = attempt.icmps;
  if (icmp) {
    const { server } = endsOfPackets(attempt);
    const isServers = formatAddress(icmp.reporter) === formatAddress(server.address);
    return isServers && icmp.symbol.endsWith("PORT_UNREACH") ? "refused" : "unreachable";
  }
  if (attempt.kernelResets.at(-1)?.flags === TcpFlag.SYN) return "refused";
  const lastDrop = lastDropOf(attempt);
  if (lastDrop === undefined) return "unanswered";
  return lastDrop.reason === "NO_SOCKET" ? "refused" : "dropped";
}

function reasonOf(
  outcome: Outcome,
  { clientKernel, icmps: [icmp] }: Attempt,
  drop: KernelDrop | undefined,
  resetReason: string | undefined,
): string | undefined {
  if (outcome === "established") return undefined;
  if (clientKernel && clientKernel.error !== 0) return ERRNO.get(clientKernel.error);
  if (outcome === "unreachable") return icmp?.symbol;
  if (outcome === "refused") return resetReason ?? drop?.reason ?? icmp?.symbol;
  return outcome === "dropped" ? drop?.reason : undefined;
}

function processOf({ pid, comm, uid, cgroup }: KernelEnd | KernelAccept): Process {
  return { pid, comm, uid, cgroup };
}

function flagsOf(
  attempt: Attempt,
  outcome: Outcome,
  wire: boolean,
  traceEnded: boolean,
  seesData: boolean,
): Snapshot["flags"] {
  const { client, server } = endsOfPackets(attempt);
  const { syns, synAcks, clientKernel, serverKernel } = attempt;
  const flags: Snapshot["flags"][number][] = [];
  const [syn] = syns;
  const [synAck] = synAcks;
  if (usesFastOpen(attempt) || clientKernel?.options?.synData) flags.push("tcp_fast_open");
  if (syn?.packet.mptcpSubtype !== undefined || synAck?.packet.mptcpSubtype !== undefined) {
    flags.push("mptcp");
  }
  const ecn = agreedEcn(syn?.packet, synAck?.packet);
  if (ecn) flags.push(ecn);
  if (
    client.port !== 0 && `${client.address}:${client.port}` === `${server.address}:${server.port}`
  ) {
    flags.push("self_connect");
  } else if (clientKernel?.oldState === 3 || attempt.serverSynIsn !== undefined) {
    flags.push("simultaneous_open");
  }
  if (serverKernel?.synCookie) flags.push("syn_cookie");
  const synMissing = synAck !== undefined && syn === undefined;
  const answerMissing = wire && outcome === "established" && synAck === undefined &&
    !attempt.answeredToo;
  const thirdMissing = seesData && outcome === "established" && attempt.isProven &&
    attempt.ack === undefined && attempt.held === undefined && attempt.misfit === undefined;
  if (synMissing || answerMissing || thirdMissing) flags.push("one_sided");
  const open = ["unanswered", "half_open", "dropped"].includes(outcome);
  if (traceEnded && open && !serverKernel) flags.push("trace_ended");
  return flags;
}

/** RFC 3168 section 6.1.1; an AccECN client falls back to it, RFC 9768 table 2. */
function agreedEcn(syn: Packet | undefined, synAck: Packet | undefined): EcnSetup | undefined {
  if (syn === undefined || synAck === undefined) return undefined;
  const asked = ecnSetup(syn.flags);
  const agreed = ecnSetup(synAck.flags);
  return asked !== undefined && (agreed === "ecn" || agreed === asked) ? agreed : undefined;
}

function described(
  { address, port }: End,
  packet: Packet | undefined,
  own: KernelEnd | undefined,
  peer: KernelEnd | undefined,
): Omit<EndpointSnapshot, "isn" | "process"> {
  const end = { address: formatAddress(address), port };
  // Only the whole packet says that an option was not there.
  const isWhole = packet !== undefined && !packet.optionsCut;
  const agreed = isWhole ? undefined : own?.options ?? peer?.options;
  const shift = own?.options ? own.options.ownWindowScale : peer?.options?.peerWindowScale;
  const otherwise = isWhole ? false : undefined;
  return {
    ...end,
    mss: packet?.mss,
    window: packet && (packet.window ?? 0),
    windowScale: packet?.windowScale ?? (agreed?.windowScale ? shift : undefined),
    sackPermitted: packet?.sackPermitted || agreed?.sackPermitted || otherwise,
    timestamps: packet?.timestamps !== undefined || agreed?.timestamps || otherwise,
  };
}

function kernelRtt(half: KernelEnd | undefined): number | undefined {
  if (half === undefined || half.newState !== 1 || half.rttMinUs === undefined) return undefined;
  const wholeMs = half.rttMinUs % 1000 === 0;
  if (half.retransmits > 0 && wholeMs) return undefined;
  if (half.kind === "server" && (half.synCookie ?? wholeMs)) return undefined;
  return half.rttMinUs * 1000;
}

function rtts(attempt: Attempt, synAcks: Seen[]) {
  const { syns, synElsewhere, answeredSyns, ack, acknowledgedIsn: serverIsn } = attempt;
  const [synAck] = synAcks;
  const isBefore = ({ order }: Seen) => synAck === undefined || order < synAck.order;
  const before = answeredSyns ?? syns.filter(isBefore);
  const seen = before.length === 0 ? syns.slice(0, 1) : before;
  const forServer = ack && synAcks.filter(({ order }) => order < ack.order);
  // Times of one place are subtracted: of the one where the answer was seen.
  const isHere = synAck?.place === syns[0]?.place;
  const isElsewhere = synAck !== undefined && !isHere && synAck.place === synElsewhere?.place;
  const asked = isElsewhere && seen.length > 0
    ? seen.with(-1, { ...seen.at(-1)!, timeNs: synElsewhere.timeNs })
    : seen;
  const isNowhere = !isHere && !isElsewhere && attempt.bothPassed;
  const client = leg(isNowhere ? [] : asked, synAck, asked, true, answersUnseen(asked, synAck));
  const carriers = (forServer ?? []).filter(({ packet }) => packet.sequence === serverIsn);
  // Of a third number on nobody keeps which came again.
  const isns = new Set(forServer?.map(({ packet }) => packet.sequence));
  const isKept = isns.size <= 2 || serverIsn === forServer?.[0].packet.sequence;
  const acks = [ack, attempt.ackElsewhere].filter((each) => each !== undefined);
  // Only where no place saw packets of both directions the way of each tells nothing of the other.
  const isMoved = (forServer ?? []).some(({ place }) => place !== synAck?.place);
  const areApart = !attempt.bothPassed && !isMoved && (syns[0]?.place ?? 0) !== synAck?.place;
  const ackAt = (place: number) =>
    acks.find((each) => each.place === place) ?? (areApart ? ack : undefined);
  const answered = attempt.isBackwards ? [] : forServer ?? [];
  const server = leg(answered, ack, carriers, isKept, false, ({ place }) => ackAt(place));
  return {
    clientRttNs: client.rttNs,
    serverRttNs: server.rttNs,
    totalNs: ack && syns[0] && totalNs(attempt, ack, seen.length),
    ambiguous: client.ambiguous || server.ambiguous,
    firstSynToSynAckNs: isElsewhere ? undefined : client.firstNs,
    lastSynToSynAckNs: client.lastNs,
    firstSynAckToAckNs: server.firstNs,
    lastSynAckToAckNs: server.lastNs,
  };
}

function totalNs(
  { syns, synElsewhere, ackElsewhere, places }: Attempt,
  ack: Seen,
  synCount: number,
): number | undefined {
  if (ack.place === syns[0].place) return elapsed(syns[0], ack);
  const passed = [ack, ackElsewhere].find((each) =>
    each !== undefined && each.place === synElsewhere?.place
  );
  if (passed && synCount === 1) return elapsed(synElsewhere, passed);
  return places.includes(ack.place) ? undefined : elapsed(syns[0], ack);
}

/**
 * The time from one of several packets to their answer: of which one is known or not.
 *
 * @param carriers Those whose number the answer acknowledges.
 * @param isKept Whether one carrier is known to be the only one.
 * @param isOfUnseen Whether it answers a packet that was not seen.
 */
function leg(
  sent: Seen[],
  answer: Seen | undefined,
  carriers = sent,
  isKept = true,
  isOfUnseen = false,
  answerTo = (_sent: Seen): Seen | undefined => answer,
) {
  const unknown = { rttNs: undefined, firstNs: undefined, lastNs: undefined, ambiguous: false };
  const first = sent[0];
  const last = sent.at(-1);
  if (answer === undefined || first === undefined || last === undefined) return unknown;
  if (sent.length === 1 && !isOfUnseen) {
    return { ...unknown, rttNs: elapsed(first, answerTo(first)) };
  }
  const echo = answer.packet.timestamps?.[1];
  const values = sent.map(({ packet }) => packet.timestamps?.[0] ?? 0);
  // Who echoes an earlier one may only not have taken the timestamp of a later one. One that is not
  // after all before it may be that of any of them.
  const isTold = echo !== undefined && isNewest(values) && values.at(-1) === echo &&
    last.packet.timestamps !== undefined && first.packet.timestamps !== undefined;
  const answered = isOfUnseen
    ? undefined
    : carriers.length === 1 && isKept
    ? carriers[0]
    : isTold && carriers.includes(last)
    ? last
    : undefined;
  return {
    rttNs: answered && elapsed(answered, answerTo(answered)),
    firstNs: elapsed(first, answerTo(first)),
    lastNs: elapsed(last, answerTo(last)),
    ambiguous: answered === undefined,
  };
}

/** Whether a SYN-ACK echoes a timestamp that is after that of the only SYN: it answers a later one. */
function answersUnseen(syns: Seen[], synAck: Seen | undefined): boolean {
  const value = syns[0]?.packet.timestamps?.[0];
  const echo = synAck?.packet.timestamps?.[1] ?? 0;
  if (syns.length !== 1 || value === undefined || echo === 0) return false;
  const octets = ahead(value, echo);
  return octets > 0 && octets < 2 ** 31;
}

function elapsed(from: Seen | undefined, to: Seen | undefined): number | undefined {
  if (from === undefined || to === undefined || to.timeNs < from.timeNs) return undefined;
  return to.timeNs - from.timeNs;
}
