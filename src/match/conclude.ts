import type { KernelAccept, KernelEnd, KernelReset, Process } from "../kernel/kernel_record.ts";
import { TcpState } from "../kernel/tcp_state.ts";
import { sequenceDistance } from "../wire/sequence.ts";
import { tunnelNames } from "../wire/tunnel.ts";
import type { Drops, Refusal } from "./drops.ts";
import { Mark, WireFact } from "./facts.ts";
import { type FlowTable, Mistimed } from "./flow_table.ts";
import type { Address, Endpoint, Handshake, Outcome, Role, Tuple } from "./handshake.ts";
import { elapsed, toAck, totalOf } from "./keep_packet.ts";
import { outcomeOf, reasonOf } from "./outcome.ts";

/** What the matcher cannot know by itself. */
export interface HostContext {
  /** Whether an address (four words of a column from an index on) belongs to this host. */
  isLocalAddress?(words: Uint32Array, at: number): boolean;
  /**
   * Whether a socket of this host listens at an address and port whose handshakes the kernel tells of:
   * then its word decides, not an ACK that it may not have taken.
   */
  hasServer?(words: Uint32Array, at: number, port: number, timeNs: number): boolean;
  /** The process that listened where this server side was established. */
  listenerOf?(server: KernelEnd): Process | undefined;
  /** Whether that process is not known yet and being looked for. */
  isListenerSought?(server: KernelEnd): boolean;
  /** Whether the name of the container of a process at either end is being looked for. */
  isContainerSought?(end: KernelEnd): boolean;
  /**
   * The process that listened where a SYN came to, by what packets and drops tell.
   *
   * @param server Where it came to. @param timeNs When.
   * @param places Where its packets were seen. @param refusal What refused it, where that is known.
   */
  listenerAt?(
    server: Address,
    timeNs: number,
    places: readonly number[],
    refusal: Refusal | undefined,
  ): Process | undefined;
}

/**
 * Draws the conclusions from all that is known of a handshake: the definitions of outcome, RTTs and
 * checks are here and nowhere else.
 *
 * @param table The table of flows. @param row The handshake's row.
 * @param hostContext What tells this host's part.
 * @param traceEnded Whether the end of the trace cut it off.
 * @param into The handshake to fill: every field is set.
 */
export function conclude(
  table: FlowTable,
  row: number,
  hostContext: HostContext,
  traceEnded: boolean,
  into: Handshake,
): void {
  const facts = table.facts[row];
  const client = table.clientKernel[row];
  const server = table.serverKernel[row];
  const accept = table.accept[row];
  const drops = table.drops[row];
  const reset = table.reset[row];
  into.wire = facts !== 0;
  into.kernel = client !== undefined || server !== undefined || accept !== undefined ||
    drops !== undefined || reset !== undefined;
  into.place = table.synPlace[row] || table.synAckPlace[row];
  table.placesOf(row, into.interfaces);
  // 0 is a tag with a priority alone (IEEE 802.1Q §9.6).
  into.vlan = table.vlan[row] > 0 ? table.vlan[row] : undefined;
  into.tunnels = tunnelNames(table.tunnels[row]);
  into.netns = client?.netns ?? server?.netns ?? accept?.netns ?? drops?.refusal?.netns;
  fillEndpoints(table, row, into);
  into.ipv4 = isIpv4(into.client.address) && isIpv4(into.server.address);
  into.client.process = client && client.pid !== 0
    ? processOf(client, into.client.process)
    : undefined;
  into.role = roleOf(table, row, hostContext);
  into.icmp = table.icmp[row];
  into.outcome = outcomeOf(table, row, hostContext);
  into.reason = reasonOf(into, client, drops, reset);
  into.dropCount = drops?.count;
  into.dropReason = drops?.reason;
  into.dropPacket = drops?.packet;
  into.dropQueue = drops?.queue;
  into.resetReason = reset?.reason;
  fillTimes(table, row, into);
  into.server.process = serverProcess(server, drops, hostContext, into) ??
    (accept && accept.pid !== 0 && !accept.isKernel
      ? processOf(accept, into.server.process)
      : undefined);
  fillRtts(table, row, into);
  into.synCount = table.syns[row];
  into.synAckCount = table.synAcks[row];
  into.rstCount = table.resets[row];
  into.synAckAcknowledgesSyn = verdict(
    facts,
    table.has(row, WireFact.Syn) ? WireFact.SynAck : 0,
    WireFact.WrongSynAckAck,
  );
  // Of a third packet with one number wrong the other is right, else both facts were there.
  into.ackSequence = verdict(
    facts,
    WireFact.Ack,
    WireFact.WrongAckSequence,
    WireFact.WrongAckAck,
  );
  // Of an answer that was not seen nobody knows which Ack it asked for.
  const hasAnswer = table.has(row, WireFact.SynAck | WireFact.SimultaneousSynAck);
  into.ackAcknowledgesSynAck = verdict(
    facts,
    hasAnswer ? WireFact.Ack : 0,
    WireFact.WrongAckAck,
    WireFact.WrongAckSequence,
  );
  fillFlags(facts, client, server, into);
  if (isOneSided(table, row, into)) into.flags.push("one_sided");
  if (traceEnded && isOpen(into.outcome) && !server) into.flags.push("trace_ended");
  if (table.mistimed[row] === Mistimed.Yes) withholdDurations(into);
}

function roleOf(table: FlowTable, row: number, hostContext: HostContext): Role {
  const clientHere = table.clientKernel[row] !== undefined ||
    isHere(table, row, table.clientAddress, hostContext);
  // A listener that refused the SYN, and whoever accepted, are here whatever their addresses are.
  const serverHere = table.serverKernel[row] !== undefined || table.accept[row] !== undefined ||
    table.drops[row]?.refusal !== undefined ||
    isHere(table, row, table.serverAddress, hostContext);
  if (clientHere) return serverHere ? "local" : "client";
  return serverHere ? "server" : "observer";
}

/** Whether an end is this host. Its address in one tuple alone is that of the translation. */
export function isHere(
  table: FlowTable,
  row: number,
  addresses: Uint32Array,
  { isLocalAddress }: HostContext,
): boolean {
  const otherAt = table.otherTupleAt(row);
  return isLocalAddress !== undefined && isLocalAddress(addresses, table.tupleAt(row) * 4) &&
    (otherAt < 0 || isLocalAddress(addresses, otherAt * 4));
}

/**
 * True where the good packet came, false where only one came that does not fit, true again where
 * one came that is wrong in another relation alone.
 */
function verdict(
  facts: number,
  good: number,
  wrong: number,
  wrongElsewhere = 0,
): boolean | undefined {
  if ((facts & good) !== 0) return true;
  if ((facts & wrong) !== 0) return false;
  return (facts & wrongElsewhere) !== 0 ? true : undefined;
}

/** Who listens; of a simultaneous open the server's end is a client too. */
function serverProcess(
  server: KernelEnd | undefined,
  drops: Drops | undefined,
  hostContext: HostContext,
  handshake: Handshake,
): Process | undefined {
  if (server?.kind === "client") return server.pid !== 0 ? processOf(server) : undefined;
  if (server) return hostContext.listenerOf?.(server);
  const { role, translated } = handshake;
  if (role !== "server" && role !== "local") return undefined;
  const one = listenerAt(handshake.server, drops, hostContext, handshake);
  if (translated === undefined) return one;
  // Only one of both is where it came to, but a proxy may listen at the other.
  const other = listenerAt(translated.server, drops, hostContext, handshake);
  return one && other && one.pid !== other.pid ? undefined : one ?? other;
}

function listenerAt(
  at: Address,
  drops: Drops | undefined,
  hostContext: HostContext,
  { timeNs, interfaces }: Handshake,
): Process | undefined {
  return hostContext.listenerAt?.(at, timeNs, interfaces, drops?.refusal);
}

/** @param last Of the handshake before, which most often is of the same process: then it serves again. */
function processOf(record: KernelEnd | KernelAccept, last?: Process): Process {
  const { pid, comm, uid, cgroup, thread, isKernel } = record;
  const isSame = last !== undefined && last.pid === pid && last.comm === comm &&
    last.uid === uid && last.cgroup === cgroup && last.thread === thread &&
    (last.kernel ?? false) === isKernel;
  if (isSame) return last;
  const process: Process = { pid, comm, uid, cgroup };
  if (thread) process.thread = thread;
  if (isKernel) process.kernel = true;
  return process;
}

function fillEndpoints(table: FlowTable, row: number, into: Handshake): void {
  const facts = table.facts[row];
  const clientKernel = table.clientKernel[row];
  const serverKernel = table.serverKernel[row];
  const drops = table.drops[row];
  const { client, server } = into;
  fillTuple(table, table.tupleAt(row), into);
  const otherAt = table.otherTupleAt(row);
  into.translated = otherAt < 0 ? undefined : fillTuple(table, otherAt, {
    client: { address: new Uint32Array(4), port: 0 },
    server: { address: new Uint32Array(4), port: 0 },
  });
  // A connect() that failed before it chose a number sent no SYN.
  const sentNothing = facts === 0 && drops === undefined && table.clientIsn[row] === 0;
  client.isn = sentNothing ? undefined : table.clientIsn[row];
  server.isn = table.has(row, WireFact.SynAck | WireFact.SimultaneousSyn)
    ? table.serverIsn[row]
    : serverKernel?.iss ?? clientKernel?.irs ?? drops?.serverIsn;
  fillFromKernel(client, clientKernel, serverKernel);
  fillFromKernel(server, serverKernel, clientKernel);
  if (table.has(row, WireFact.Syn)) {
    const isCut = table.has(row, WireFact.SynOptionsCut);
    const { windowScale, sackPermitted, timestamps } = client;
    client.mss = present(table.clientMss[row]);
    client.window = table.clientWindow[row];
    client.windowScale = present(table.clientWindowScale[row]) ?? (isCut ? windowScale : undefined);
    client.sackPermitted = table.has(row, WireFact.SynSackPermitted) || isCut && sackPermitted;
    client.timestamps = table.has(row, WireFact.SynTimestamps) || isCut && timestamps;
  }
  if (table.has(row, WireFact.SynAck)) {
    const isCut = table.has(row, WireFact.SynAckOptionsCut);
    const { windowScale, sackPermitted, timestamps } = server;
    server.mss = present(table.serverMss[row]);
    server.window = table.serverWindow[row];
    server.windowScale = present(table.serverWindowScale[row]) ?? (isCut ? windowScale : undefined);
    server.sackPermitted = table.has(row, WireFact.SynAckSackPermitted) || isCut && sackPermitted;
    server.timestamps = table.has(row, WireFact.SynAckTimestamps) || isCut && timestamps;
  }
}

function fillTuple(table: FlowTable, at: number, into: Tuple): Tuple {
  const { client, server } = into;
  for (let word = 0; word < 4; word++) {
    client.address[word] = table.clientAddress[at * 4 + word];
    server.address[word] = table.serverAddress[at * 4 + word];
  }
  client.port = table.ports[at] >>> 16;
  server.port = table.ports[at] & 0xffff;
  return into;
}

/**
 * What the kernel's side proves of an end whose packet was not seen, or not to its end: an option that
 * was agreed on was announced by both; one that was not says nothing of either.
 */
function fillFromKernel(
  endpoint: Endpoint,
  own: KernelEnd | undefined,
  peer: KernelEnd | undefined,
): void {
  const options = own?.options ?? peer?.options;
  endpoint.mss = undefined;
  endpoint.window = undefined;
  endpoint.windowScale = !options?.windowScale
    ? undefined
    : own?.options
    ? options.ownWindowScale
    : options.peerWindowScale;
  endpoint.sackPermitted = options?.sackPermitted || undefined;
  endpoint.timestamps = options?.timestamps || undefined;
}

function fillTimes(table: FlowTable, row: number, into: Handshake): void {
  const client = table.clientKernel[row];
  const server = table.serverKernel[row];
  const syn = table.has(row, WireFact.Syn) ? table.firstSynNs[row] : undefined;
  const synAck = table.has(row, WireFact.SynAck) ? table.firstSynAckNs[row] : undefined;
  const ack = table.has(row, WireFact.Ack) ? table.ackNs[row] : undefined;
  const origin = syn ?? synAck ?? firstKernelNs(client, server, table.drops[row], table.reset[row]);
  const established = client?.newState === TcpState.Established ? client.endNs : undefined;
  const serverEstablished = server?.newState === TcpState.Established ? server.endNs : undefined;
  into.timeNs = origin;
  into.connectNs = since(origin, client?.connectNs);
  into.synSentNs = since(origin, client?.synSentNs);
  into.synNs = since(origin, syn);
  into.synReceivedNs = since(origin, server?.synReceivedNs);
  into.synAckNs = since(origin, synAck);
  into.ackNs = since(origin, ack);
  into.establishedNs = since(origin, established ?? serverEstablished);
  into.serverEstablishedNs = established === undefined
    ? undefined
    : since(origin, serverEstablished);
  into.acceptedNs = since(origin, table.accept[row]?.endNs);
  into.icmpNs = since(origin, table.icmp[row] && table.icmpNs[row]);
  into.droppedNs = since(origin, table.drops[row]?.lastNs);
  into.resetSentNs = since(origin, table.reset[row]?.endNs);
}

/** The first time the kernel gave; there is one, since a row without packets has one of these. */
function firstKernelNs(
  client: KernelEnd | undefined,
  server: KernelEnd | undefined,
  drops: Drops | undefined,
  reset: KernelReset | undefined,
): number {
  return Math.min(
    client?.connectNs ?? client?.synSentNs ?? client?.endNs ?? Infinity,
    server?.synReceivedNs ?? server?.endNs ?? Infinity,
    drops?.firstNs ?? Infinity,
    reset?.endNs ?? Infinity,
  );
}

/**
 * Only times of one place are subtracted, of those where both packets were seen. Where no place saw both, the packets
 * of one direction go another way than those of the other: then it is the time between the two of this host.
 */
function fillRtts(table: FlowTable, row: number, into: Handshake): void {
  const hasSyn = table.has(row, WireFact.Syn);
  const hasSynAck = table.has(row, WireFact.SynAck);
  const hasAck = table.has(row, WireFact.Ack);
  into.clientRttNs = into.serverRttNs = into.totalNs = undefined;
  into.firstSynToSynAckNs = into.lastSynToSynAckNs = undefined;
  into.firstSynAckToAckNs = into.lastSynAckToAckNs = undefined;
  into.ambiguous = false;
  if (hasSyn && hasSynAck) fillClientRtt(table, row, into);
  // An ACK that was captured before the SYN-ACK is known, not when it came.
  if (hasSynAck && hasAck && table.synAcksBeforeAck[row] > 0) fillServerRtt(table, row, into);
  if (hasSyn && hasAck) into.totalNs = totalOf(table, row);
  into.kernelClientRttNs = kernelRtt(table.clientKernel[row]);
  into.kernelServerRttNs = kernelRtt(table.serverKernel[row]);
}

function fillClientRtt(table: FlowTable, row: number, into: Handshake): void {
  const firstSyn = table.firstSynNs[row];
  const firstSynAck = table.firstSynAckNs[row];
  const answerPlace = table.synAckPlace[row];
  const isHere = answerPlace === table.synPlace[row];
  // The answer may not have come as far as where the SYN came first.
  const isElsewhere = !isHere && answerPlace === table.synElsewherePlace[row];
  if (!isHere && !isElsewhere && table.isMarked(row, Mark.BothPassed)) return;
  const lastSyn = isElsewhere ? table.synElsewhereNs[row] : table.lastSynNs[row];
  let answered: number | undefined = isElsewhere ? lastSyn : firstSyn;
  const carried = WireFact.SynTimestamps | WireFact.SynAckTimestamps;
  const hasEcho = table.hasAll(row, carried);
  if (
    table.synsBeforeAnswer[row] > 1 ||
    hasEcho && provesUnseen(table.synAckEcho[row], table.lastSynTimestamp[row])
  ) {
    if (!isElsewhere) into.firstSynToSynAckNs = elapsed(firstSyn, firstSynAck);
    into.lastSynToSynAckNs = elapsed(lastSyn, firstSynAck);
    const isTold = hasEcho &&
      !table.has(row, WireFact.LastSynTimestampShared) &&
      provesLast(table.synAckEcho[row], table.lastSynTimestamp[row]);
    answered = isTold ? lastSyn : undefined;
  }
  if (answered === undefined) into.ambiguous = true;
  else into.clientRttNs = elapsed(answered, firstSynAck);
}

function fillServerRtt(table: FlowTable, row: number, into: Handshake): void {
  const firstPlace = table.synAckPlace[row];
  const firstToAck = toAck(table, row, table.firstSynAckNs[row], firstPlace);
  if (table.synAcksBeforeAck[row] === 1) {
    into.serverRttNs = firstToAck;
    return;
  }
  const lastPlace = placeOfAnswer(table, row, Mark.LastAtSyn);
  const lastToAck = toAck(table, row, table.lastSynAckNs[row], lastPlace);
  into.firstSynAckToAckNs = firstToAck;
  into.lastSynAckToAckNs = lastToAck;
  const carried = WireFact.SynAckTimestamps | WireFact.AckTimestamps;
  const isTold = table.hasAll(row, carried) &&
    !table.has(row, WireFact.LastSynAckTimestampShared) &&
    provesLast(table.ackEcho[row], table.lastSynAckTimestamp[row]);
  const onlyNs = table.acknowledgedNs[row];
  if (Number.isNaN(onlyNs)) {
    if (isTold) into.serverRttNs = lastToAck;
    else into.ambiguous = true;
    return;
  }
  const isOther = table.has(row, WireFact.OtherServerIsn) &&
    table.serverIsn[row] === table.otherServerIsn[row];
  const place = isOther ? placeOfAnswer(table, row, Mark.OtherAtSyn) : firstPlace;
  into.serverRttNs = toAck(table, row, onlyNs, place);
}

/** Where a SYN-ACK has its time. @param moved Tells whether that is where the SYN was seen first. */
function placeOfAnswer(table: FlowTable, row: number, moved: number): number {
  return table.isMarked(row, moved) ? table.synPlace[row] : table.synAckPlace[row];
}

/**
 * Whether an echo proves which of several SYNs or SYN-ACKs was answered (RFC 7323 section 4.3). Only
 * that of the last does: Linux goes on echoing the one that it took first, in a SYN-ACK sent again
 * for a later SYN (`tcp_check_req`) as in the ACK of a later SYN-ACK (`tcp_validate_incoming`).
 */
function provesLast(echo: number, lastTimestamp: number): boolean {
  return echo === lastTimestamp;
}

/**
 * Whether an echo proves that a SYN was answered which this place did not see: its timestamp is after
 * that of each SYN seen. 0 is what those write who keep none.
 */
function provesUnseen(echo: number, lastTimestamp: number): boolean {
  return echo !== 0 && sequenceDistance(lastTimestamp, echo) > 0;
}

/**
 * The kernel's RTT sample of one side, where it is a measurement. After a retransmission, and on a
 * server after a SYN cookie, the kernel samples the timestamp option's clock, whose steps are 1 ms
 * (and with cookies its low bits hold options): such a sample is a whole number of milliseconds.
 */
function kernelRtt(end: KernelEnd | undefined): number | undefined {
  if (end?.rttMinUs === undefined || end.newState !== TcpState.Established) return undefined;
  if (end.synCookie === true) return undefined;
  const mayBeCookie = end.kind === "server" && end.synCookie === undefined;
  const fromTimestamps = end.rttMinUs % 1000 === 0;
  if (fromTimestamps && (mayBeCookie || end.retransmits > 0)) return undefined;
  return end.rttMinUs * 1000;
}

function fillFlags(
  facts: number,
  client: KernelEnd | undefined,
  server: KernelEnd | undefined,
  into: Handshake,
): void {
  const { flags } = into;
  // As in `FlowTable.placesOf`: to set the length costs more than all that is done with it.
  while (flags.length > 0) flags.pop();
  const isFastOpen = (facts & WireFact.FastOpen) !== 0 || client?.options?.synData === true;
  if (isFastOpen) flags.push("tcp_fast_open");
  if ((facts & WireFact.Mptcp) !== 0) flags.push("mptcp");
  // An AccECN client falls back to classic ECN (RFC 9768 table 2).
  const asked = facts & (WireFact.SynEcn | WireFact.SynAccEcn);
  if (asked !== 0 && (facts & WireFact.SynAckEcn) !== 0) flags.push("ecn");
  const accEcn = WireFact.SynAccEcn | WireFact.SynAckAccEcn;
  if ((facts & accEcn) === accEcn) flags.push("accecn");
  const selfConnect = into.client.port === into.server.port && into.client.port !== 0 &&
    into.client.address.every((word, index) => word === into.server.address[index]);
  if (selfConnect) flags.push("self_connect");
  else if (
    (facts & WireFact.SimultaneousSyn) !== 0 || client?.oldState === TcpState.SynReceived
  ) flags.push("simultaneous_open");
  if (server?.synCookie === true) flags.push("syn_cookie");
}

/**
 * Whether packets of one direction are missing: the SYN of a SYN-ACK, the SYN-ACK of what was
 * established, or all that the client sent behind its SYN though the server acknowledges that.
 */
function isOneSided(table: FlowTable, row: number, { wire, outcome }: Handshake): boolean {
  const { Syn, SynAck, SimultaneousSynAck, Ack, WrongAckSequence, WrongAckAck } = WireFact;
  if (table.has(row, SynAck) && !table.has(row, Syn)) return true;
  if (!wire || outcome !== "established") return false;
  if (!table.has(row, SynAck | SimultaneousSynAck)) return true;
  // A filter that keeps data back keeps back an ACK with data on it, too.
  const { Proven, AckHeld, DataHidden } = Mark;
  const isSilent = !table.has(row, Ack | WrongAckSequence | WrongAckAck);
  return isSilent && (table.marks[row] & (Proven | AckHeld | DataHidden)) === Proven;
}

function isOpen(outcome: Outcome): boolean {
  return outcome === "unanswered" || outcome === "half_open" || outcome === "dropped";
}

/** No two times of a handshake can be subtracted when the clock was set between them. */
function withholdDurations(into: Handshake): void {
  into.clientRttNs = into.serverRttNs = into.totalNs = undefined;
  into.firstSynToSynAckNs = into.lastSynToSynAckNs = undefined;
  into.firstSynAckToAckNs = into.lastSynAckToAckNs = undefined;
  into.connectNs =
    into.synSentNs =
    into.synNs =
    into.synReceivedNs =
    into.synAckNs =
    into.ackNs =
      undefined;
  into.establishedNs = into.serverEstablishedNs = into.acceptedNs = undefined;
  into.icmpNs = into.droppedNs = into.resetSentNs = undefined;
  into.flags.push("clock_set");
}

function since(originNs: number, timeNs: number | undefined): number | undefined {
  return timeNs === undefined ? undefined : timeNs - originNs;
}

function present(value: number): number | undefined {
  return value < 0 ? undefined : value;
}

function isIpv4(words: Uint32Array): boolean {
  return words[0] === 0 && words[1] === 0 && words[2] === 0xffff;
}
