/**
 * The matcher once more, plain and slow: every packet of every attempt is kept in arrays, and what
 * a record says is worked out from them when it is due. Shares nothing with the real one but types.
 *
 * @module
 */

import type {
  KernelAccept,
  KernelDrop,
  KernelHalf,
  KernelListener,
  KernelRecord,
  KernelReset,
  Process,
} from "../../../src/kernel/kernel_record.ts";
import type { MatcherCounters } from "../../../src/match/options.ts";
import type { Outcome, Role } from "../../../src/match/handshake.ts";
import { formatAddress } from "../../../src/wire/address.ts";
import { type EcnSetup, ecnSetup, TcpFlag } from "../../../src/wire/segment.ts";
import {
  type End,
  type EndpointSnapshot,
  EPOCH_SECONDS,
  type Event,
  formatEnd,
  type Icmp,
  type Packet,
  type Snapshot,
} from "./traffic.ts";

/** A packet as it was seen, and as the how manieth. */
interface Seen {
  packet: Packet;
  timeNs: number;
  interfaceIndex: number;
  order: number;
}

/** A tuple. */
interface Ends {
  client: End;
  server: End;
}

type State = "syn_sent" | "answered" | "settled" | "doubted" | "reported";

/** One attempt of a client: a tuple and an initial sequence number. */
interface Attempt {
  client: End;
  server: End;
  /** The other tuple that it goes by, and whether that is the one of its packets. */
  other: Ends | undefined;
  packetsUseOther: boolean;
  /** Where SYNs and SYN-ACKs of it were seen. */
  places: number[];
  clientIsn: number;
  state: State;
  touchedNs: number;
  syns: Seen[];
  synAcks: Seen[];
  /** Its VLAN: of the first packet that tells the network. */
  vlan: number;
  ack: Seen | undefined;
  acknowledgedIsn: number | undefined;
  /** An ACK with the third one's Seq of which it is not known what it acknowledges. */
  held: Seen | undefined;
  /** Whether it is the third packet though it was captured before what it acknowledges. */
  isBackwards: boolean;
  /** How far the server got from each of its numbers, in octets, by segments behind its SYN-ACK. */
  sent: Map<number, number>;
  /** Whether the server acknowledged more than the SYN. */
  isProven: boolean;
  /** Whether a RST came after the SYN-ACK. */
  answerReset: boolean;
  serverResets: number;
  clientResets: number;
  /** When a RST came and no SYN-ACK before it; when the kernel told of one. */
  refusedNs: number | undefined;
  kernelRefusedNs: number | undefined;
  /** The number of the server's own SYN, where it sent one; whether the client answered that. */
  serverSynIsn: number | undefined;
  answeredToo: boolean;
  wrongSynAckAck: boolean;
  /** What is wrong with the first third packet that did not fit. */
  misfit: { sequence: boolean; acknowledgment: boolean } | undefined;
  clientHalf: KernelHalf | undefined;
  serverHalf: KernelHalf | undefined;
  accept: KernelAccept | undefined;
  drops: KernelDrop[];
  kernelResets: KernelReset[];
  /** Whether it was reported as not established. */
  wasFailed: boolean;
  /** ICMP errors that quote the SYN and say that it reached nobody. */
  icmps: { symbol: string; reporter: Uint32Array; timeNs: number }[];
}

/** What the model is told of its surroundings and limits. */
export interface ModelOptions {
  capacity: number;
  joinNs: number;
  unansweredNs: number;
  halfOpenNs: number;
  rememberNs: number;
  doubtNs: number;
  seesServerData: boolean;
  isLocal(address: Uint32Array): boolean;
  hasServer(address: Uint32Array): boolean;
  listenerOf(server: KernelHalf): Process | undefined;
}

const MODULUS = 1n << 32n;
const EARLY_DATA_MAX = 1 << 20;

/** Octets from one sequence number on to another, 0 to 2^32 - 1. */
function ahead(from: number, to: number): number {
  return Number((BigInt(to) - BigInt(from) + MODULUS) % MODULUS);
}

function tupleOf(client: End, server: End): string {
  return `${client.address} ${client.port} ${server.address} ${server.port}`;
}

function has(packet: Packet, flag: number): boolean {
  return (packet.flags & flag) !== 0;
}

/** Whether a number is that after the SYN, or after some of the data that the SYN carried. */
function followsSyn(attempt: Attempt, number: number): boolean {
  const data = attempt.syns[0]?.packet.payloadLength ?? 0;
  const octets = ahead(attempt.clientIsn, number);
  return octets >= 1 && octets <= 1 + data;
}

function usesFastOpen(attempt: Attempt): boolean {
  const [syn] = attempt.syns;
  const [synAck] = attempt.synAcks;
  return syn !== undefined &&
      (syn.packet.fastOpenCookieLength !== undefined || (syn.packet.payloadLength ?? 0) > 0) ||
    synAck?.packet.fastOpenCookieLength !== undefined;
}

/** The server's initial sequence numbers that are kept: the first, and the last that is another. */
function serverIsns(attempt: Attempt): number[] {
  const all = synAcksOf(attempt).map(({ packet }) => packet.sequence);
  return [...all.slice(0, 1), ...all.filter((isn) => isn !== all[0]).slice(-1)];
}

/** Those of them that can be the connection's, as far as the packets up to the ACK tell. */
function possibleIsns(attempt: Attempt): number[] {
  const { ack, acknowledgedIsn } = attempt;
  if (ack === undefined) return serverIsns(attempt);
  const all = synAcksOf(attempt).filter(({ order }) => order < ack.order)
    .map(({ packet }) => packet.sequence);
  if (acknowledgedIsn !== all[0]) return [acknowledgedIsn!];
  return [all[0], ...all.filter((isn) => isn !== all[0]).slice(-1)];
}

/** Octets that the server was seen to send from a number on, its SYN included. */
function seenOctets(attempt: Attempt, isn: number): number {
  const inSynAcks = synAcksOf(attempt).filter(({ packet }) => packet.sequence === isn)
    .map(({ packet }) => 1 + (packet.payloadLength ?? 0));
  return Math.max(...inSynAcks, attempt.sent.get(isn) ?? 0);
}

/** Whether nothing can make the attempt more than it is. */
function isComplete({ state, ack, isProven }: Attempt): boolean {
  return state === "reported" || ack !== undefined || isProven;
}

/** Whether no packet ended the attempt yet. */
function isOpen(attempt: Attempt): boolean {
  return !isComplete(attempt) && attempt.serverResets + attempt.clientResets === 0;
}

/** Whether an ACK tells of an answer that was not seen. */
function isOneSided({ held, ack, synAcks, serverResets, ...attempt }: Attempt): boolean {
  return held !== undefined && ack === undefined && !attempt.answeredToo &&
    !attempt.wrongSynAckAck &&
    synAcks.length + serverResets === 0;
}

/** Whether a packet's VLAN can be the attempt's. */
function isOfVlan(attempt: Attempt, packet: Packet): boolean {
  const tags = [attempt.vlan, packet.vlan ?? -1].filter((vlan) => vlan > 0);
  return new Set(tags).size < 2;
}

/** Whether one of two packets is a copy that another tap made. */
function areCopies(one: Seen, other: Seen): boolean {
  return Math.abs(one.timeNs - other.timeNs) <= 100_000_000 &&
    one.packet.checksum !== undefined &&
    one.packet.identification === other.packet.identification &&
    one.packet.checksum === other.packet.checksum;
}

/**
 * The SYN-ACKs, each once. Only times of one place may be subtracted: each has that of the SYN's
 * place if it came by there. They are counted where the first was seen that did not come so far, or
 * at the SYN's place.
 */
function synAcksOf({ syns: [syn], synAcks: [first, ...more], ack }: Attempt): Seen[] {
  if (first === undefined) return [];
  const counted = [first];
  let place = first.interfaceIndex;
  for (const seen of more) {
    const inTime = syn !== undefined && syn.order < seen.order &&
      (ack === undefined || seen.order < ack.order);
    if (seen.interfaceIndex === place) {
      counted.push(seen);
    } else if (
      inTime && seen.interfaceIndex === syn.interfaceIndex &&
      seen.packet.sequence === counted.at(-1)!.packet.sequence
    ) {
      const last = counted.pop()!;
      counted.push({ ...last, timeNs: seen.timeNs });
      if (counted.length === 1) place = seen.interfaceIndex;
    }
  }
  counted[0] = { ...counted[0], interfaceIndex: place };
  return counted;
}

/** Whether the same end, or the same other end, is in both tuples. */
function sharesEnd(attempt: Attempt, { client, server }: Ends): boolean {
  return formatEnd(attempt.client) === formatEnd(client) ||
    formatEnd(attempt.server) === formatEnd(server);
}

/** The tuple that its packets had where they were seen first. */
function endsOfPackets({ client, server, other, packetsUseOther }: Attempt): Ends {
  return packetsUseOther && other ? other : { client, server };
}

/** Takes where a SYN or SYN-ACK was seen, and of the first of all by which tuple it went. */
function see(attempt: Attempt, client: End, server: End, { interfaceIndex }: Seen): void {
  const { places, other } = attempt;
  if (other && !hasPackets(attempt)) {
    attempt.packetsUseOther = tupleOf(other.client, other.server) === tupleOf(client, server);
  }
  if (interfaceIndex === 0 || places.length === 8 || places.includes(interfaceIndex)) return;
  places.push(interfaceIndex);
}

/** Takes the VLAN of the SYN, or of the SYN-ACK where no SYN was seen. */
function tellVlan(attempt: Attempt, { vlan = -1 }: Packet): void {
  attempt.vlan = vlan;
}

/** Whether a packet of it was seen. */
function hasPackets({ syns, synAcks, serverSynIsn, ...attempt }: Attempt): boolean {
  return syns.length + synAcks.length + attempt.serverResets + attempt.clientResets > 0 ||
    attempt.wrongSynAckAck || serverSynIsn !== undefined;
}

/** How late a record of a SYN may be that was refused, and how far clocks are apart. */
const REFUSAL_SLACK_NS = 200_000_000;

/** Whether the kernel can tell of the attempt what began at a time: not after its RST. */
function canGoOnAt({ syns, synAcks, ...attempt }: Attempt, timeNs: number): boolean {
  if (synAcks.length > 0) return true;
  if (attempt.serverResets > 0) return timeNs <= attempt.refusedNs!;
  if (syns.length > 0 || attempt.kernelRefusedNs === undefined) return true;
  return timeNs <= attempt.kernelRefusedNs;
}

/** Of two attempts that are one, that of the first SYN goes on. */
function firstOf(answered: Attempt, own: Attempt): [kept: Attempt, joined: Attempt] {
  const isAnswered = answered.state !== "reported" &&
    answered.syns[0]?.timeNs <= own.syns[0].timeNs;
  return isAnswered ? [answered, own] : [own, answered];
}

/** The reference: feed it what the matcher is fed. */
export class ReferenceModel {
  readonly records: Snapshot[] = [];
  readonly counters: MatcherCounters = {
    evicted: 0,
    crowded: 0,
    contradicted: 0,
    lateKernelRecords: 0,
    lateAccepts: 0,
    unexpected: 0,
  };

  /** Remembered attempts in the order they began. */
  #attempts: Attempt[] = [];
  /** The tuples they go by, in the order in which that became known. */
  #tuples: { tuple: string; attempt: Attempt }[] = [];
  /** The same in the order they were touched. */
  #byTouch: Attempt[] = [];
  #order = 0;

  constructor(readonly options: ModelOptions) {}

  /** Attempts begun and not reported. */
  get pending(): number {
    return this.#attempts.filter(({ state }) => state !== "reported").length;
  }

  feed(event: Event): void {
    if ("record" in event) return this.#kernelRecord(event.record);
    if ("jumpNs" in event) throw new Error("The model knows no clock that is set");
    if ("completeNs" in event) return this.#advance(event.completeNs);
    if ("icmp" in event) return this.#icmpError(event.icmp, event.timeNs);
    const seen = { ...event, order: this.#order++ };
    const { packet } = event;
    if (has(packet, TcpFlag.RST)) this.#reset(seen);
    else if (has(packet, TcpFlag.SYN) && has(packet, TcpFlag.ACK)) this.#synAck(seen);
    else if (has(packet, TcpFlag.SYN)) this.#syn(seen);
    else if (has(packet, TcpFlag.ACK)) this.#thirdPacket(seen);
  }

  flush(): void {
    for (const state of ["doubted", "settled", "answered", "syn_sent"] as const) {
      for (let [next] = this.#in(state); next; [next] = this.#in(state)) {
        this.#report(next, true, next.touchedNs);
      }
    }
  }

  /** Attempts of a tuple, the newest first. */
  #of(client: End, server: End): Attempt[] {
    const tuple = tupleOf(client, server);
    return this.#tuples.filter((each) => each.tuple === tuple).reverse()
      .map(({ attempt }) => attempt);
  }

  /** Attempts of a state, the one longest untouched first. */
  #in(state: State): Attempt[] {
    return this.#byTouch.filter((attempt) => attempt.state === state);
  }

  #begin(client: End, server: End, clientIsn: number, state: State, nowNs: number): Attempt {
    if (this.#attempts.length >= this.options.capacity) this.#makeRoom();
    const attempt: Attempt = {
      client,
      server,
      other: undefined,
      packetsUseOther: false,
      places: [],
      clientIsn,
      state,
      touchedNs: nowNs,
      syns: [],
      synAcks: [],
      vlan: -1,
      ack: undefined,
      acknowledgedIsn: undefined,
      held: undefined,
      isBackwards: false,
      sent: new Map(),
      isProven: false,
      answerReset: false,
      serverResets: 0,
      clientResets: 0,
      refusedNs: undefined,
      kernelRefusedNs: undefined,
      serverSynIsn: undefined,
      answeredToo: false,
      wrongSynAckAck: false,
      misfit: undefined,
      wasFailed: false,
      clientHalf: undefined,
      serverHalf: undefined,
      accept: undefined,
      drops: [],
      kernelResets: [],
      icmps: [],
    };
    this.#attempts.push(attempt);
    this.#tuples.push({ tuple: tupleOf(client, server), attempt });
    this.#byTouch.push(attempt);
    return attempt;
  }

  /** The attempt that goes by another tuple too, of those with one number; it does from now on. */
  #translated(
    clientIsn: number,
    ends: Ends,
    isSame: (attempt: Attempt) => boolean,
  ): Attempt | undefined {
    const tuple = tupleOf(ends.client, ends.server);
    const attempt = this.#attempts.filter((each) => each.clientIsn === clientIsn).reverse()
      .slice(0, 8)
      .find((each) =>
        each.state !== "reported" && each.other === undefined &&
        tupleOf(each.client, each.server) !== tuple && isSame(each)
      );
    if (attempt) {
      attempt.other = ends;
      this.#tuples.push({ tuple, attempt });
    }
    return attempt;
  }

  /** What went on through the host, translated, as the same SYN, or what the kernel told of it. */
  #ofTranslatedSyn({ packet, timeNs, interfaceIndex }: Seen): Attempt | undefined {
    const ends = { client: packet.from, server: packet.to };
    return this.#translated(packet.sequence, ends, (attempt) => {
      const { syns, synAcks, clientHalf, serverHalf, places } = attempt;
      const half = clientHalf ?? serverHalf;
      if (hasPackets(attempt)) {
        const isUnanswered = synAcks.length + attempt.serverResets + attempt.clientResets === 0;
        if (syns.length === 0 || !isUnanswered) return false;
        const last = syns.at(-1)!;
        const sameOptions = (["window", "windowScale"] as const).every((option) =>
          syns[0].packet[option] === packet[option]
        );
        const sameTimestamp = `${last.packet.timestamps}` === `${packet.timestamps}`;
        return sameOptions && sameTimestamp && !places.includes(interfaceIndex) &&
          Math.abs(timeNs - last.timeNs) <= (packet.timestamps ? 1_000_000_000 : 50_000_000);
      }
      if (half) {
        const sinceNs = half.synSentNs ?? half.connectNs ?? half.endNs - 10_000_000_000;
        return (half.newState === 1 || sharesEnd(attempt, ends)) &&
          timeNs >= sinceNs - 1_000_000 && timeNs <= half.endNs + 1_000_000;
      }
      return false;
    });
  }

  /** What the other side of the translation is, or the packets of this one. */
  #ofTranslatedHalf(record: KernelHalf, ends: Ends, clientIsn: number): Attempt | undefined {
    const isClient = record.kind === "client";
    const serverIsn = isClient ? record.irs : record.iss;
    return this.#translated(clientIsn, ends, (attempt) => {
      const { syns, clientHalf, serverHalf } = attempt;
      if ((isClient ? clientHalf : serverHalf) !== undefined) return false;
      const known = attempt.synAcks.length > 0
        ? possibleIsns(attempt)
        : isClient && serverHalf
        ? [serverHalf.iss]
        : !isClient && clientHalf
        ? [clientHalf.irs]
        : undefined;
      if (known !== undefined && serverIsn !== undefined) return known.includes(serverIsn);
      if (syns.length === 0 || !sharesEnd(attempt, ends)) return false;
      const [{ timeNs }] = syns;
      return timeNs <= record.endNs + 1_000_000 &&
        timeNs >= (record.synSentNs ?? record.connectNs ?? -Infinity) - 1_000_000;
    });
  }

  /** What the kernel did with a SYN behind a translation and that SYN: what is reported takes it. */
  #joinFate(attempt: Attempt, nowNs: number): "joined" | "goes on" {
    const isWord = (each: Attempt) =>
      !hasPackets(each) && each.other === undefined &&
      [each.clientHalf, each.serverHalf, each.accept].every((it) => it === undefined) &&
      each.drops.length + each.kernelResets.length > 0;
    const isUnexplained = (each: Attempt) =>
      each.syns.length > 0 && each.synAcks.length === 0 && each.other === undefined &&
      each.drops.length + each.kernelResets.length === 0;
    const isFate = isWord(attempt);
    if (!isFate && !isUnexplained(attempt)) return "goes on";
    const tuple = tupleOf(attempt.client, attempt.server);
    const found = this.#attempts.filter(({ clientIsn }) => clientIsn === attempt.clientIsn)
      .reverse().slice(0, 8).find((each) => {
        const [syn, fate] = isFate ? [each, attempt] : [attempt, each];
        if (each.state === "reported" || tupleOf(each.client, each.server) === tuple) return false;
        if (!isUnexplained(syn) || !isWord(fate) || !sharesEnd(syn, fate)) return false;
        const toldNs = fate.kernelResets.at(-1)?.endNs ?? lastDropOf(fate)!.endNs;
        return Math.abs(toldNs - syn.syns.at(-1)!.timeNs) <= REFUSAL_SLACK_NS;
      });
    if (found === undefined) return "goes on";
    const [syn, fate] = isFate ? [found, attempt] : [attempt, found];
    syn.other = { client: fate.client, server: fate.server };
    this.#tuples.push({ tuple: tupleOf(fate.client, fate.server), attempt: syn });
    syn.drops = fate.drops;
    syn.kernelResets = fate.kernelResets;
    syn.kernelRefusedNs = fate.kernelRefusedNs;
    if (fate.state === "settled") this.#settle(syn, nowNs);
    this.#touch(fate, "reported", nowNs);
    this.#forgetKernel(fate);
    return isFate ? "joined" : "goes on";
  }

  #makeRoom(): void {
    const [reported] = this.#in("reported");
    if (reported) return this.#forget(reported);
    const [halfOpen] = [...this.#in("syn_sent").slice(0, 1), ...this.#in("answered").slice(0, 1)]
      .sort((a, b) => a.touchedNs - b.touchedNs);
    if (halfOpen) {
      this.counters.evicted++;
      return this.#forget(halfOpen);
    }
    const [known] = [...this.#in("doubted"), ...this.#in("settled")];
    this.#report(known, false, known.touchedNs);
    this.#forget(known);
  }

  #forget(attempt: Attempt): void {
    this.#attempts = this.#attempts.filter((other) => other !== attempt);
    this.#tuples = this.#tuples.filter((each) => each.attempt !== attempt);
    this.#byTouch = this.#byTouch.filter((other) => other !== attempt);
  }

  #touch(attempt: Attempt, state: State, nowNs: number): void {
    this.#byTouch = this.#byTouch.filter((other) => other !== attempt);
    this.#byTouch.push(attempt);
    attempt.state = state;
    attempt.touchedNs = nowNs;
  }

  #syn(seen: Seen): void {
    const { from, to, sequence } = seen.packet;
    const attempt = this.#ofSyn(seen) ?? this.#ofTranslatedSyn(seen) ??
      this.#begin(from, to, sequence, "syn_sent", seen.timeNs);
    if (attempt.state === "reported") return;
    see(attempt, from, to, seen);
    const [first] = attempt.syns;
    if (first && first.interfaceIndex !== seen.interfaceIndex) return;
    if (first && areCopies(attempt.syns.at(-1)!, seen)) return;
    if (first === undefined) tellVlan(attempt, seen.packet);
    attempt.syns.push(seen);
    if (first && attempt.state !== "settled") this.#touch(attempt, attempt.state, seen.timeNs);
  }

  #ofSyn(seen: Seen): Attempt | undefined {
    const { packet, timeNs, interfaceIndex } = seen;
    const same = this.#of(packet.from, packet.to)
      .filter(({ clientIsn }) => clientIsn === packet.sequence);
    const [newest, ...older] = same;
    if (newest === undefined) return undefined;
    const earlier = older.filter(({ serverResets, refusedNs, kernelRefusedNs }) => {
      if (serverResets > 0 && refusedNs !== undefined) return timeNs <= refusedNs;
      return kernelRefusedNs !== undefined && timeNs <= kernelRefusedNs + REFUSAL_SLACK_NS;
    });
    const attempt = newest.syns.length > 0 ? newest : earlier.at(-1) ?? newest;
    const { syns, synAcks, serverResets } = attempt;
    if (syns[0]?.interfaceIndex !== interfaceIndex) return attempt;
    if (areCopies(syns.at(-1)!, seen)) return attempt;
    if (serverResets > 0 && synAcks.length === 0) return undefined;
    return same.slice(same.indexOf(attempt)).find((each) => isOfVlan(each, packet));
  }

  /** The attempt with an initial sequence number, of several the one that a kernel's record fits. */
  #at(client: End, server: End, isn: number, timeNs: number, sinceNs: number): Attempt | undefined {
    const same = this.#of(client, server).filter(({ clientIsn }) => clientIsn === isn);
    const index = same.findIndex(({ syns }) => syns.length === 0 || syns[0].timeNs <= timeNs);
    if (index < 0) return same.at(-1);
    return canGoOnAt(same[index], sinceNs) ? same[index] : same[index - 1];
  }

  #synAck(seen: Seen): void {
    const { from: server, to: client, acknowledgment = 0 } = seen.packet;
    const attempts = this.#of(client, server);
    const answered = attempts.filter((each) => followsSyn(each, acknowledgment));
    let attempt = answered.find((each) => isOfVlan(each, seen.packet)) ?? answered[0];
    if (attempt === undefined) {
      const [newest] = attempts;
      if (newest && isOpen(newest)) {
        if (newest.synAcks.length === 0) newest.wrongSynAckAck = true;
        this.counters.unexpected++;
        return;
      }
      const isn = ahead(1, acknowledgment);
      attempt = this.#begin(client, server, isn, "answered", seen.timeNs);
    }
    if (attempt.synAcks.length === 0) {
      const own = this.#of(server, client).find(({ clientIsn }) =>
        clientIsn === seen.packet.sequence
      );
      if (own && this.#areOne(attempt, own)) {
        const [kept, joined] = firstOf(attempt, own);
        kept.serverSynIsn = joined.clientIsn;
        if (joined.state !== "reported") {
          if (kept.drops.length === 0) kept.drops = joined.drops;
          const { clientHalf } = joined;
          this.#touch(joined, "reported", seen.timeNs);
          this.#forgetKernel(joined);
          if (clientHalf) {
            kept.serverHalf ??= clientHalf;
            this.#settle(kept, seen.timeNs);
          }
        }
        if (kept === own) {
          see(kept, server, client, seen);
          kept.answeredToo = true;
          if (kept.synAcks.length > 0) this.#settle(kept, seen.timeNs);
          else this.#answer(kept, seen.timeNs);
          return;
        }
      }
    }
    if (attempt.state === "reported") return;
    see(attempt, client, server, seen);
    // The other way round it is established already.
    if (attempt.ack && attempt.synAcks.length === 0) return;
    const counted = synAcksOf(attempt);
    const place = counted[0]?.interfaceIndex;
    if (seen.interfaceIndex === place && areCopies(counted.at(-1)!, seen)) return;
    if (attempt.syns.length + attempt.synAcks.length === 0) tellVlan(attempt, seen.packet);
    attempt.synAcks.push(seen);
    const isFirst = attempt.synAcks.length === 1;
    if (isFirst) this.#answer(attempt, seen.timeNs);
    const isns = serverIsns(attempt);
    for (const isn of attempt.sent.keys()) if (!isns.includes(isn)) attempt.sent.delete(isn);
    if ((isFirst || seen.interfaceIndex === place) && attempt.ack === undefined) {
      if (this.#acceptsHeld(attempt) && !attempt.answerReset && !attempt.isProven) {
        attempt.isBackwards = true;
        this.#completeHeld(attempt, seen.timeNs);
      } else if (isFirst && attempt.held) {
        this.counters.unexpected++;
        attempt.misfit ??= { sequence: false, acknowledgment: true };
      }
    }
    if (!isFirst && seen.interfaceIndex === place && attempt.state !== "settled") {
      this.#touch(attempt, attempt.state, seen.timeNs);
    }
    if (attempt.synAcks.length > 1 || !attempt.answeredToo) return;
    if (attempt.serverSynIsn === seen.packet.sequence) this.#settle(attempt, seen.timeNs);
    else attempt.answeredToo = false;
  }

  /** Whether the attempt that a SYN-ACK answers and that of its sender are a simultaneous open. */
  #areOne(answered: Attempt, own: Attempt): boolean {
    if (own === answered || own.state === "reported" || own.syns.length === 0) return false;
    if (own.serverResets + own.clientResets > 0) return false;
    if (own.serverSynIsn !== undefined) {
      const isn = own.acknowledgedIsn ?? own.synAcks[0]?.packet.sequence ?? own.serverSynIsn;
      return isn === answered.clientIsn;
    }
    return own.synAcks.length === 0;
  }

  /** Takes that a SYN was answered: the ACK is waited for, whatever RST came before. */
  #answer(attempt: Attempt, timeNs: number): void {
    if (attempt.ack || attempt.state === "answered") return;
    if (attempt.state === "settled" && isTold(attempt)) return;
    this.#touch(attempt, "answered", timeNs);
  }

  #hasServer(attempt: Attempt): boolean {
    return this.options.hasServer(endsOfPackets(attempt).server.address);
  }

  #isHere(attempt: Attempt, end: "client" | "server"): boolean {
    return [{ client: attempt.client, server: attempt.server }, attempt.other]
      .every((each) => each === undefined || this.options.isLocal(each[end].address));
  }

  /** Octets that the server can have sent from a number on. */
  #sentMax(attempt: Attempt, isn: number): number {
    if (usesFastOpen(attempt)) return EARLY_DATA_MAX;
    if (this.options.seesServerData) return seenOctets(attempt, isn);
    return 1 + (attempt.syns.length > 0 ? attempt.syns[0].packet.window ?? 0 : 65535);
  }

  /** The server's initial sequence number that an Ack acknowledges, of those it sent. */
  #acknowledgedIsn(
    attempt: Attempt,
    acknowledgment: number,
    isns = serverIsns(attempt),
  ): number | undefined {
    return isns.find((isn) => ahead(isn, acknowledgment) === 1) ?? isns.find((isn) => {
      const octets = ahead(isn, acknowledgment);
      return octets >= 1 && octets <= this.#sentMax(attempt, isn);
    });
  }

  /** Whether an ACK can be the third packet; once that was seen, only one that acknowledges as much. */
  #canBeThird(attempt: Attempt, sequence: number, acknowledgment: number): boolean {
    if (!followsSyn(attempt, sequence)) return false;
    if (attempt.ack === undefined || attempt.acknowledgedIsn === undefined) return true;
    return this.#acknowledgedIsn(attempt, acknowledgment, [attempt.acknowledgedIsn]) !== undefined;
  }

  #acceptsHeld(attempt: Attempt): boolean {
    return attempt.held !== undefined && attempt.synAcks.length > 0 &&
      this.#acknowledgedIsn(attempt, attempt.held.packet.acknowledgment ?? 0) !== undefined;
  }

  #completeHeld(attempt: Attempt, timeNs: number): void {
    // What was sent in the meantime counts as sent before it.
    this.#complete(attempt, { ...attempt.held!, order: this.#order }, timeNs);
  }

  #complete(attempt: Attempt, ack: Seen, timeNs: number): void {
    attempt.acknowledgedIsn = this.#acknowledgedIsn(attempt, ack.packet.acknowledgment ?? 0);
    attempt.ack = ack;
    this.#established(attempt, timeNs);
  }

  #established(attempt: Attempt, timeNs: number): void {
    if (isTold(attempt) || !this.#hasServer(attempt)) this.#settle(attempt, timeNs);
    else if (attempt.state !== "settled") this.#touch(attempt, "answered", timeNs);
  }

  #thirdPacket(seen: Seen): void {
    const { packet } = seen;
    const { from, to, sequence, acknowledgment = 0 } = packet;
    const own = this.#of(from, to);
    const answered = own.filter((attempt) => !isComplete(attempt) && attempt.synAcks.length > 0);
    const waiting = answered.filter(({ answerReset }) => !answerReset);
    const fitting = waiting.filter((attempt) =>
      followsSyn(attempt, sequence) && this.#acknowledgedIsn(attempt, acknowledgment) !== undefined
    );
    const third = fitting.find((each) => isOfVlan(each, packet)) ?? fitting[0];
    if (third) return this.#complete(third, seen, seen.timeNs);
    if (this.#serverSegment(seen)) return;
    const early = own.find((attempt) =>
      isOpen(attempt) && attempt.syns.length > 0 && attempt.synAcks.length === 0 &&
      followsSyn(attempt, sequence)
    );
    const ended = answered.find((each) => each.answerReset && followsSyn(each, sequence));
    const isOfEnded = ended && isOfVlan(ended, packet);
    if (early && !(isOfEnded && !isOfVlan(early, packet))) {
      early.held ??= seen;
      const isLikely = isOneSided(early) && !this.#isHere(early, "server");
      if (isLikely) this.#doubt(early, seen.timeNs);
      return;
    }
    const [newest] = waiting;
    const fitsSequence = newest !== undefined && followsSyn(newest, sequence);
    if (ended && !fitsSequence) {
      ended.held ??= seen;
      return;
    }
    if (newest === undefined) return;
    this.counters.unexpected++;
    if (fitsSequence) newest.held ??= seen;
    newest.misfit ??= {
      sequence: !fitsSequence,
      acknowledgment: this.#acknowledgedIsn(newest, acknowledgment) === undefined,
    };
  }

  /** @returns Whether it is of a server that an attempt waits for. */
  #serverSegment(seen: Seen): boolean {
    const { from, to, sequence, acknowledgment = 0, payloadLength = 0, flags } = seen.packet;
    const length = payloadLength + ((flags & TcpFlag.FIN) === 0 ? 0 : 1);
    for (const attempt of this.#of(to, from)) {
      const { synAcks, answeredToo, serverSynIsn } = attempt;
      if (answeredToo && synAcks.length === 0 && isOpen(attempt)) {
        if (ahead(serverSynIsn!, sequence) !== 1 || !followsSyn(attempt, acknowledgment)) continue;
        attempt.ack = seen;
        this.#settle(attempt, seen.timeNs);
        return true;
      }
      if (isComplete(attempt) || synAcks.length === 0) continue;
      const isns = serverIsns(attempt).filter((isn) => {
        const distance = ahead(isn, sequence);
        return distance >= 1 && distance <= 65536;
      });
      if (isns.length === 0) continue;
      for (const isn of isns) {
        const octets = Math.min(ahead(isn, sequence) + length, EARLY_DATA_MAX);
        attempt.sent.set(isn, Math.max(octets, attempt.sent.get(isn) ?? 0));
      }
      const acknowledged = ahead(attempt.clientIsn, acknowledgment);
      const isProof = acknowledged > 1 + (attempt.syns[0]?.packet.payloadLength ?? 0) &&
        acknowledged <= EARLY_DATA_MAX;
      if (this.#acceptsHeld(attempt) && (isProof || !attempt.answerReset)) {
        this.#completeHeld(attempt, seen.timeNs);
      } else if (isProof) {
        attempt.isProven = true;
        this.#established(attempt, seen.timeNs);
      }
      return true;
    }
    return false;
  }

  #reset(seen: Seen): void {
    const { packet } = seen;
    const { from, to, sequence, acknowledgment = 0 } = packet;
    const asServer = this.#of(to, from).filter(isOpen);
    const answered = asServer.filter((attempt) =>
      attempt.synAcks.length > 0
        ? serverIsns(attempt).some((isn) => {
          const octets = ahead(isn, sequence);
          return octets >= 1 && octets <= seenOctets(attempt, isn);
        })
        : has(packet, TcpFlag.ACK) && followsSyn(attempt, acknowledgment)
    );
    const refused = answered.find(({ syns }) => syns.length > 0) ??
      answered.findLast(({ clientIsn }) => clientIsn === answered[0].clientIsn);
    const isCopy = refused?.syns.length === 0 &&
      this.#of(to, from).some((other) =>
        other.clientIsn === refused.clientIsn && other.serverResets > 0
      );
    if (isCopy) return;
    const asClient = this.#of(from, to).filter(isOpen);
    const aborted = asClient.find((attempt) =>
      !isOneSided(attempt) && followsSyn(attempt, sequence)
    );
    const ended = refused ?? aborted;
    if (ended === undefined) {
      if (asServer.length + asClient.length > 0) this.counters.unexpected++;
      return;
    }
    if (ended === refused) {
      ended.serverResets++;
      ended.refusedNs = ended.synAcks.length > 0 ? ended.kernelRefusedNs : seen.timeNs;
    } else ended.clientResets++;
    ended.answerReset = ended.synAcks.length > 0;
    this.#doubt(ended, seen.timeNs);
  }

  /** What packets tell, later ones may tell otherwise, but not of this host's own stack. */
  #doubt(attempt: Attempt, timeNs: number): void {
    const isOwn = this.#isHere(attempt, "client") || this.#isHere(attempt, "server");
    const isSure = isOwn && !this.#hasServer(attempt) || isTold(attempt);
    if (isSure) this.#settle(attempt, timeNs);
    else if (attempt.state !== "settled") this.#touch(attempt, "doubted", timeNs);
  }

  #icmpError({ isIpv6, type, code, reporter, quoted }: Icmp, timeNs: number): void {
    const names = (isIpv6 ? ICMPV6 : ICMP)[type];
    const symbol = names?.[code];
    if (!symbol || has(quoted, TcpFlag.ACK)) return;
    const attempt = this.#of(quoted.from, quoted.to)
      .find(({ clientIsn }) => clientIsn === quoted.sequence);
    if (attempt === undefined || attempt.state === "reported") return;
    attempt.icmps.push({ symbol, reporter, timeNs });
    if (attempt.state !== "settled") this.#touch(attempt, attempt.state, timeNs);
  }

  #kernelRecord(record: Exclude<KernelRecord, KernelListener>): void {
    if (record.kind === "accepted") this.#accept(record);
    else if (record.kind === "dropped") this.#drop(record);
    else if (record.kind === "reset") this.#kernelReset(record);
    else this.#half(record);
  }

  #accept(record: KernelAccept): void {
    const client = { address: record.remote, port: record.remotePort };
    const server = { address: record.local, port: record.localPort };
    const { irs, endNs } = record;
    const attempt = this.#at(client, server, irs, endNs, endNs);
    if (attempt === undefined || attempt.state === "reported") this.counters.lateAccepts++;
    else if (attempt.accept) this.counters.lateKernelRecords++;
    else {
      attempt.accept = record;
      if (attempt.ack) this.#settle(attempt, endNs);
    }
  }

  #drop(record: KernelDrop): void {
    const { flags, sequence, acknowledgment, endNs } = record;
    const [from, to] = endsOf(record);
    let attempt: Attempt | undefined;
    if (flags === TcpFlag.SYN) {
      attempt = this.#at(from, to, sequence, endNs, endNs - REFUSAL_SLACK_NS) ??
        this.#begin(from, to, sequence, "syn_sent", endNs);
    } else if (flags === (TcpFlag.SYN | TcpFlag.ACK)) {
      const attempts = this.#of(to, from);
      attempt = attempts.find((each) => followsSyn(each, acknowledgment) && canGoOnAt(each, endNs));
      const [newest] = attempts;
      const isForeign = newest && (isOpen(newest) && newest.synAcks.length === 0 ||
        newest.syns[0]?.timeNs <= endNs && endNs < synAcksOf(newest)[0]?.timeNs);
      if (attempt === undefined && !isForeign) {
        attempt = this.#begin(to, from, ahead(1, acknowledgment), "answered", endNs);
      }
    }
    if (attempt === undefined) {
      this.counters.unexpected++;
    } else if (attempt.state === "reported") {
      this.counters.lateKernelRecords++;
    } else {
      attempt.drops.push(record);
      const isAnswer = flags !== TcpFlag.SYN;
      const last = lastDropOf(attempt)!;
      if (last.reason === "NO_SOCKET" && last.flags === TcpFlag.SYN) {
        attempt.kernelRefusedNs = endNs;
        this.#settle(attempt, endNs);
      } else if (attempt.state === "syn_sent" && isAnswer) {
        this.#touch(attempt, "answered", endNs);
      } else if (attempt.state !== "settled") this.#touch(attempt, attempt.state, endNs);
    }
  }

  #kernelReset(record: KernelReset): void {
    const { flags, sequence, acknowledgment, endNs } = record;
    const [from, to] = endsOf(record);
    let attempt: Attempt | undefined;
    if (flags === TcpFlag.SYN) {
      attempt = this.#at(from, to, sequence, endNs, endNs - REFUSAL_SLACK_NS);
    } else if (flags === TcpFlag.ACK) {
      attempt = this.#of(from, to).find((each) => this.#canBeThird(each, sequence, acknowledgment));
    } else {
      attempt = this.#of(to, from).find((each) => followsSyn(each, acknowledgment));
    }
    if (attempt === undefined && flags === TcpFlag.SYN) {
      attempt = this.#begin(from, to, sequence, "syn_sent", record.endNs);
    }
    if (attempt?.state === "reported") {
      this.counters.lateKernelRecords++;
    } else if (attempt) {
      attempt.kernelResets.push(record);
      if (flags === TcpFlag.SYN) {
        attempt.kernelRefusedNs = endNs;
        this.#settle(attempt, endNs);
      }
    }
  }

  #half(record: KernelHalf): void {
    const local = { address: record.local, port: record.localPort };
    const remote = { address: record.remote, port: record.remotePort };
    const isClient = record.kind === "client";
    const [client, server] = isClient ? [local, remote] : [remote, local];
    const isn = (isClient ? record.iss : record.irs) ?? 0;
    const half = isClient ? "clientHalf" : "serverHalf";
    const failed = record.newState !== 1;
    const begunNs = isClient && failed
      ? record.synSentNs ?? record.connectNs ?? -Infinity
      : record.endNs;
    let attempt = isClient && failed && (local.port === 0 || record.iss === 0)
      ? undefined
      : this.#at(client, server, isn, record.endNs, begunNs) ??
        this.#ofTranslatedHalf(record, { client, server }, isn);
    if (attempt?.state === "reported" || attempt?.[half] !== undefined) {
      const [kept] = this.#of(server, client).filter((each) => each.clientIsn === record.irs);
      const isServersOwn = isClient && kept?.state !== "reported" &&
        kept?.serverSynIsn !== undefined && kept.serverHalf === undefined &&
        (kept.acknowledgedIsn ?? kept.synAcks[0]?.packet.sequence ?? kept.serverSynIsn) === isn;
      if (isServersOwn) {
        kept.serverHalf = record;
        return this.#settle(kept, record.endNs);
      }
      const isWrong = attempt?.state === "reported" && attempt.wasFailed && !failed;
      this.counters[isWrong ? "contradicted" : "lateKernelRecords"]++;
      return;
    }
    if (attempt === undefined) {
      attempt = this.#begin(client, server, isn, "settled", record.endNs);
    }
    attempt[half] = record;
    this.#settle(attempt, record.endNs);
  }

  #settle(attempt: Attempt, nowNs: number): void {
    if (attempt.state !== "settled") this.#touch(attempt, "settled", nowNs);
  }

  #advance(completeNs: number): void {
    const { joinNs, doubtNs, unansweredNs, halfOpenNs, rememberNs } = this.options;
    const limits: [State, number][] = [
      ["settled", joinNs],
      ["doubted", doubtNs],
      ["syn_sent", unansweredNs],
      ["answered", halfOpenNs],
    ];
    for (const [state, limitNs] of limits) {
      const untilNs = completeNs - limitNs;
      for (let [next] = this.#in(state); next?.touchedNs <= untilNs; [next] = this.#in(state)) {
        this.#report(next, false, completeNs);
      }
    }
    for (const attempt of this.#in("reported")) {
      if (attempt.touchedNs > completeNs - rememberNs) break;
      this.#forget(attempt);
    }
  }

  #report(attempt: Attempt, traceEnded: boolean, nowNs: number): void {
    if (this.#joinFate(attempt, nowNs) === "joined") return;
    if (isOneSided(attempt) && !this.#isHere(attempt, "server")) {
      attempt.ack = attempt.held;
    }
    const record = this.#conclude(attempt, traceEnded);
    this.records.push(record);
    attempt.wasFailed = record.outcome !== "established";
    this.#touch(attempt, "reported", nowNs);
    this.#forgetKernel(attempt);
  }

  #forgetKernel(attempt: Attempt): void {
    attempt.clientHalf = attempt.serverHalf = attempt.accept = undefined;
    attempt.drops = [];
    attempt.kernelResets = [];
    attempt.icmps = [];
  }

  #conclude(attempt: Attempt, traceEnded: boolean): Snapshot {
    const own = { client: attempt.client, server: attempt.server };
    const { client, server } = endsOfPackets(attempt);
    const translated = attempt.packetsUseOther ? own : attempt.other;
    const { syns, synAcks, ack, clientHalf, serverHalf, accept, drops } = attempt;
    const established = clientHalf?.newState === 1 ? clientHalf.endNs : undefined;
    const serverEstablished = serverHalf?.newState === 1 ? serverHalf.endNs : undefined;
    const synNs = syns[0]?.timeNs;
    const counted = synAcksOf(attempt);
    const place = counted[0]?.interfaceIndex;
    const synAckNs = counted[0]?.timeNs;
    const kernelTimes = [
      clientHalf?.connectNs,
      clientHalf?.synSentNs,
      clientHalf?.endNs,
      ...drops.map(({ endNs }) => endNs),
      attempt.kernelResets.at(-1)?.endNs,
      serverHalf?.synReceivedNs,
      serverHalf?.endNs,
    ].filter((time) => time !== undefined);
    const timeNs = synNs ?? synAckNs ?? Math.min(...kernelTimes);
    const since = (time: number | undefined) => time === undefined ? undefined : time - timeNs;
    const outcome = outcomeOf(attempt, this.#hasServer(attempt));
    const wire = hasPackets(attempt);
    const { misfit } = attempt;
    const hasAnswer = synAcks.length > 0 || attempt.answeredToo;
    const lastDrop = lastDropOf(attempt);
    const droppedSynAck = drops.find(({ flags }) => flags !== TcpFlag.SYN);
    const refusal = drops.find(({ netns }) => netns !== undefined);
    const resetReason = attempt.kernelResets.at(-1)?.reason;
    return {
      epochSeconds: EPOCH_SECONDS,
      timeNs,
      role: this.#role(attempt),
      outcome,
      reason: reasonOf(outcome, attempt, lastDrop, resetReason),
      wire,
      kernel: [clientHalf, serverHalf, accept, lastDrop, resetReason].some((it) =>
        it !== undefined
      ),
      ipv4: [client, server].every(({ address }) => formatAddress(address).includes(".")),
      interfaceIndex: syns[0]?.interfaceIndex ?? place ?? 0,
      interfaces: attempt.places,
      translated: translated &&
        `${formatEnd(translated.client)} > ${formatEnd(translated.server)}`,
      vlan: attempt.vlan > 0 ? attempt.vlan : undefined,
      tunnels: [],
      netns: clientHalf?.netns ?? serverHalf?.netns ?? accept?.netns ?? refusal?.netns,
      client: {
        ...described(client, syns[0]?.packet, clientHalf, serverHalf),
        isn: client.port === 0 ? undefined : attempt.clientIsn,
        process: clientHalf && clientHalf.pid !== 0 ? processOf(clientHalf) : undefined,
      },
      server: {
        ...described(server, synAcks[0]?.packet, serverHalf, clientHalf),
        isn: attempt.acknowledgedIsn ?? synAcks[0]?.packet.sequence ?? attempt.serverSynIsn ??
          serverHalf?.iss ?? clientHalf?.irs ?? droppedSynAck?.sequence,
        process: this.#listening(serverHalf) ??
          (accept && accept.pid !== 0 ? processOf(accept) : undefined),
      },
      ...rtts(syns, counted, ack, attempt.acknowledgedIsn, attempt.isBackwards),
      kernelClientRttNs: kernelRtt(clientHalf),
      kernelServerRttNs: kernelRtt(serverHalf),
      synCount: syns.length,
      synAckCount: counted.length,
      rstCount: attempt.serverResets + attempt.clientResets,
      connectNs: since(clientHalf?.connectNs),
      synSentNs: since(clientHalf?.synSentNs),
      synNs: since(synNs),
      synReceivedNs: since(serverHalf?.synReceivedNs),
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
      flags: flagsOf(attempt, outcome, wire, traceEnded, this.options.seesServerData),
    };
  }

  #listening(half: KernelHalf | undefined): Process | undefined {
    if (half?.kind !== "client") return half && this.options.listenerOf(half);
    return half.pid !== 0 ? processOf(half) : undefined;
  }

  #role(attempt: Attempt): Role {
    const { clientHalf, serverHalf, accept, drops } = attempt;
    const clientHere = clientHalf !== undefined || this.#isHere(attempt, "client");
    const refusedHere = drops.some(({ netns }) => netns !== undefined);
    const serverHere = serverHalf !== undefined || accept !== undefined || refusedHere ||
      this.#isHere(attempt, "server");
    if (clientHere && serverHere) return "local";
    if (clientHere) return "client";
    return serverHere ? "server" : "observer";
  }
}

/** Names of ICMP errors that say that a packet reached nobody, by type and code. */
const ICMP: Readonly<Record<number, readonly string[]>> = {
  3: ["ICMP_NET_UNREACH", "ICMP_HOST_UNREACH", "ICMP_PROT_UNREACH", "ICMP_PORT_UNREACH", ""],
  11: ["ICMP_EXC_TTL"],
};
const ICMPV6: Readonly<Record<number, readonly string[]>> = { 1: ["ICMPV6_NOROUTE"] };

const ERRNO = new Map([
  [104, "ECONNRESET"],
  [110, "ETIMEDOUT"],
  [111, "ECONNREFUSED"],
  [113, "EHOSTUNREACH"],
  [101, "ENETUNREACH"],
  [99, "EADDRNOTAVAIL"],
]);

/** Whether the kernel told of it: of an end, of accept(), of a RST. */
function isTold({ clientHalf, serverHalf, accept, kernelResets }: Attempt): boolean {
  return kernelResets.length > 0 ||
    [clientHalf, serverHalf, accept].some((it) => it !== undefined);
}

function outcomeOf(attempt: Attempt, hasServer: boolean): Outcome {
  const { clientHalf, serverHalf, accept } = attempt;
  const bothAnswered = attempt.answeredToo && attempt.synAcks.length > 0;
  if (bothAnswered || clientHalf?.newState === 1 || serverHalf?.newState === 1) {
    return "established";
  }
  if ((attempt.ack || attempt.isProven) && (accept || !hasServer)) return "established";
  if (attempt.serverResets > 0 || clientHalf?.error === 111) return "refused";
  if (clientHalf?.error === 110) return "timeout";
  if (clientHalf?.error === 113 || clientHalf?.error === 101) return "unreachable";
  if (clientHalf || attempt.clientResets > 0) return "aborted";
  const droppedSynAck = attempt.drops.some(({ flags }) => flags !== TcpFlag.SYN);
  const answered = attempt.synAcks.length > 0 || attempt.answeredToo;
  if (answered || serverHalf || droppedSynAck) return "half_open";
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

/** The last by its time; of equal times the one told of last. */
function lastDropOf({ drops }: Attempt): KernelDrop | undefined {
  return drops.toSorted((a, b) => a.endNs - b.endNs).at(-1);
}

function reasonOf(
  outcome: Outcome,
  { clientHalf, icmps: [icmp] }: Attempt,
  drop: KernelDrop | undefined,
  resetReason: string | undefined,
): string | undefined {
  if (outcome === "established") return undefined;
  if (clientHalf && clientHalf.error !== 0) return ERRNO.get(clientHalf.error);
  if (outcome === "unreachable") return icmp?.symbol;
  if (outcome === "refused") return resetReason ?? drop?.reason ?? icmp?.symbol;
  return outcome === "dropped" ? drop?.reason : undefined;
}

function processOf({ pid, comm, uid, cgroup }: KernelHalf | KernelAccept): Process {
  return { pid, comm, uid, cgroup };
}

/** Where a packet that the kernel tells of came from, and where it went. */
function endsOf(record: KernelDrop | KernelReset): [from: End, to: End] {
  return [
    { address: record.source, port: record.sourcePort },
    { address: record.destination, port: record.destinationPort },
  ];
}

function flagsOf(
  attempt: Attempt,
  outcome: Outcome,
  wire: boolean,
  traceEnded: boolean,
  seesData: boolean,
): Snapshot["flags"] {
  const { client, server } = endsOfPackets(attempt);
  const { syns, synAcks, clientHalf, serverHalf } = attempt;
  const flags: Snapshot["flags"][number][] = [];
  const [syn] = syns;
  const [synAck] = synAcks;
  if (usesFastOpen(attempt) || clientHalf?.options?.synData) flags.push("tcp_fast_open");
  if (syn?.packet.mptcpSubtype !== undefined || synAck?.packet.mptcpSubtype !== undefined) {
    flags.push("mptcp");
  }
  const ecn = agreedEcn(syn?.packet, synAck?.packet);
  if (ecn) flags.push(ecn);
  if (
    client.port !== 0 && `${client.address}:${client.port}` === `${server.address}:${server.port}`
  ) {
    flags.push("self_connect");
  } else if (clientHalf?.oldState === 3 || attempt.serverSynIsn !== undefined) {
    flags.push("simultaneous_open");
  }
  if (serverHalf?.synCookie) flags.push("syn_cookie");
  const synMissing = synAck !== undefined && syn === undefined;
  const answerMissing = wire && outcome === "established" && synAck === undefined &&
    !attempt.answeredToo;
  const thirdMissing = seesData && outcome === "established" && attempt.isProven &&
    attempt.ack === undefined && attempt.held === undefined && attempt.misfit === undefined;
  if (synMissing || answerMissing || thirdMissing) flags.push("one_sided");
  const open = ["unanswered", "half_open", "dropped"].includes(outcome);
  if (traceEnded && open && !serverHalf) flags.push("trace_ended");
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
  own: KernelHalf | undefined,
  peer: KernelHalf | undefined,
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

function kernelRtt(half: KernelHalf | undefined): number | undefined {
  if (half === undefined || half.newState !== 1 || half.rttMinUs === undefined) return undefined;
  const wholeMs = half.rttMinUs % 1000 === 0;
  if (half.retransmits > 0 && wholeMs) return undefined;
  if (half.kind === "server" && (half.synCookie ?? wholeMs)) return undefined;
  return half.rttMinUs * 1000;
}

function rtts(
  syns: Seen[],
  synAcks: Seen[],
  ack: Seen | undefined,
  serverIsn: number | undefined,
  isBackwards: boolean,
) {
  const [synAck] = synAcks;
  const forClient = synAck && syns.filter(({ order }) => order < synAck.order);
  const forServer = ack && synAcks.filter(({ order }) => order < ack.order);
  const client = leg(forClient?.length === 0 ? syns.slice(0, 1) : forClient ?? [], synAck);
  const carriers = (forServer ?? []).filter(({ packet }) => packet.sequence === serverIsn);
  // Of a third number on nobody keeps which came again.
  const isns = new Set(forServer?.map(({ packet }) => packet.sequence));
  const isKept = isns.size <= 2 || serverIsn === forServer?.[0].packet.sequence;
  const server = leg(isBackwards ? [] : forServer ?? [], ack, carriers, isKept);
  return {
    clientRttNs: client.rttNs,
    serverRttNs: server.rttNs,
    totalNs: elapsed(syns[0], ack),
    ambiguous: client.ambiguous || server.ambiguous,
    firstSynToSynAckNs: client.firstNs,
    lastSynToSynAckNs: client.lastNs,
    firstSynAckToAckNs: server.firstNs,
    lastSynAckToAckNs: server.lastNs,
  };
}

/**
 * The time from one of several packets to their answer: of which one is known or not.
 *
 * @param carriers Those whose number the answer acknowledges.
 * @param isKept Whether one carrier is known to be the only one.
 */
function leg(sent: Seen[], answer: Seen | undefined, carriers = sent, isKept = true) {
  const unknown = { rttNs: undefined, firstNs: undefined, lastNs: undefined, ambiguous: false };
  const first = sent[0];
  const last = sent.at(-1);
  if (answer === undefined || first === undefined || last === undefined) return unknown;
  if (sent.length === 1) return { ...unknown, rttNs: elapsed(first, answer) };
  const echo = answer.packet.timestamps?.[1];
  const values = sent.map(({ packet }) => packet.timestamps?.[0] ?? 0);
  // Who echoes an earlier one may only not have taken the timestamp of a later one. One that is not
  // after all before it may be that of any of them.
  const isTold = echo !== undefined && isNewest(values) && values.at(-1) === echo &&
    last.packet.timestamps !== undefined && first.packet.timestamps !== undefined;
  const answered = carriers.length === 1 && isKept
    ? carriers[0]
    : isTold && carriers.includes(last)
    ? last
    : undefined;
  return {
    rttNs: elapsed(answered, answer),
    firstNs: elapsed(first, answer),
    lastNs: elapsed(last, answer),
    ambiguous: answered === undefined,
  };
}

/** Whether the last of some timestamps is after all before it. */
function isNewest(values: readonly number[]): boolean {
  let newest = values[0];
  let isAfter = true;
  for (const value of values.slice(1)) {
    const octets = ahead(newest, value);
    isAfter = octets > 0 && octets < 2 ** 31;
    if (isAfter) newest = value;
  }
  return isAfter;
}

function elapsed(from: Seen | undefined, to: Seen | undefined): number | undefined {
  if (from === undefined || to === undefined || to.timeNs < from.timeNs) return undefined;
  return to.timeNs - from.timeNs;
}
