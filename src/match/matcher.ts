import type {
  KernelAccept,
  KernelDrop,
  KernelHalf,
  KernelListener,
  KernelPacket,
  KernelRecord,
  KernelReset,
} from "../kernel/kernel_record.ts";
import { TcpState } from "../kernel/tcp_state.ts";
import { type IcmpError, unreachableSymbol } from "../wire/icmp.ts";
import type { Segment } from "../wire/segment.ts";
import { sequenceAdd } from "../wire/sequence.ts";
import { TcpFlag } from "../wire/tcp_flags.ts";
import {
  Attempts,
  type MatcherCounters,
  type MatcherOptions,
  type OnHandshake,
} from "./attempts.ts";
import { addDrop, isRefusal } from "./drops.ts";
import {
  acknowledgesIsn,
  acknowledgesSynAck,
  awaitedSynAck,
  awaitsAck,
  awaitsSynAck,
  beganFirst,
  findAnswered,
  findAttempt,
  findAttemptAt,
  findBegun,
  findJoined,
  findOpen,
  findRefused,
  findReset,
  findSimultaneous,
  fitsAckSequence,
  isOpen,
  isSyn,
  joinPorts,
  REFUSAL_SLACK_NS,
} from "./find_attempt.ts";
import { findTranslatedHalf, findTranslatedSyn, tupleOf } from "./find_translated.ts";
import { FlowState, type FlowTable, WireFact } from "./flow_table.ts";
import { keepSyn, keepSynAck } from "./keep_packet.ts";

/**
 * Puts packets and kernel records together into handshakes, each handed out once.
 *
 * Reads no clock: {@link advance} tells it up to when every source has delivered. All times are
 * integer nanoseconds on one axis (see `ClockAxis`).
 */
export class Matcher {
  /** What could not be used so far. */
  readonly counters: MatcherCounters = {
    evicted: 0,
    lateKernelRecords: 0,
    lateAccepts: 0,
    unexpected: 0,
  };

  readonly #attempts: Attempts;
  readonly #table: FlowTable;

  /**
   * Makes a matcher without handshakes.
   *
   * @param epochSeconds Whole seconds of Unix time at which the axis begins.
   * @param onHandshake Called once for each handshake; the object is reused, see `Handshake`.
   * @param options Limits and what tells this host's part.
   */
  constructor(
    epochSeconds: number,
    onHandshake: OnHandshake,
    options: MatcherOptions = {},
  ) {
    this.#attempts = new Attempts(epochSeconds, onHandshake, options, this.counters);
    this.#table = this.#attempts.table;
  }

  /** Handshakes begun and not yet reported. */
  get pending(): number {
    return this.#attempts.pending;
  }

  /** Of these the ones whose end is known, which are reported next. */
  get settled(): number {
    return this.#attempts.settled;
  }

  /**
   * Takes one TCP segment.
   *
   * @param segment The segment; nothing of it is kept.
   * @param timeNs When it was captured.
   * @param interfaceIndex Where: a packet seen on several interfaces counts once.
   * @returns The row of the handshake that it is a packet of, or that waited for one with other numbers;
   * -1 where there is none, or it was reported before.
   */
  packet(segment: Segment, timeNs: number, interfaceIndex: number): number {
    const { flags } = segment;
    if ((flags & TcpFlag.RST) !== 0) return this.#reset(segment, timeNs);
    if ((flags & TcpFlag.SYN) === 0) return this.#acknowledgment(segment, timeNs);
    if ((flags & TcpFlag.ACK) === 0) return this.#syn(segment, timeNs, interfaceIndex);
    return this.#synAck(segment, timeNs, interfaceIndex);
  }

  #syn(segment: Segment, timeNs: number, interfaceIndex: number): number {
    const table = this.#table;
    const { source, destination, sequence } = segment;
    const ports = joinPorts(segment.sourcePort, segment.destinationPort);
    let row = findBegun(table, segment, timeNs, interfaceIndex);
    if (row < 0) row = this.#translatedSyn(segment, timeNs, interfaceIndex);
    if (row < 0) {
      const state = FlowState.SynSent;
      row = this.#attempts.begin(source, destination, ports, sequence, state, timeNs);
    }
    if (table.state[row] === FlowState.Reported) return -1;
    table.see(row, source, destination, ports, interfaceIndex);
    const facts = table.facts[row];
    if ((facts & WireFact.Syn) === 0) {
      keepSyn(table, row, segment, timeNs, interfaceIndex);
    } else if (interfaceIndex === table.synInterface[row]) {
      table.syns[row]++;
      if ((facts & WireFact.SynAck) === 0) {
        table.repeatSyn(row, timeNs, segment.options.timestampValue);
      }
      this.#attempts.touch(row, timeNs);
    }
    return row;
  }

  /** Takes a SYN that an address translation made of another one. @returns The row, -1: it is none. */
  #translatedSyn(segment: Segment, timeNs: number, place: number): number {
    const table = this.#table;
    if (table.findIsn(segment.sequence) < 0) return -1;
    const tuple = tupleOf(segment);
    const row = findTranslatedSyn(table, tuple, segment, timeNs, place);
    if (row < 0) return -1;
    table.translate(row, tuple.client, tuple.server, tuple.ports);
    return row;
  }

  #synAck(segment: Segment, timeNs: number, interfaceIndex: number): number {
    const table = this.#table;
    const { source, destination, acknowledgment } = segment;
    const ports = joinPorts(segment.destinationPort, segment.sourcePort);
    let row = findAnswered(table, destination, source, ports, acknowledgment);
    if (row < 0) {
      const newest = table.find(destination, source, ports);
      if (newest >= 0 && awaitsSynAck(table, newest)) {
        // Not in the window of the SYN that waits for an answer: it completes nothing.
        table.facts[newest] |= WireFact.WrongSynAckAck;
        this.counters.unexpected++;
        return newest;
      }
      row = this.#attempts.begin(
        destination,
        source,
        ports,
        sequenceAdd(acknowledgment, -1),
        FlowState.Answered,
        timeNs,
      );
    }
    if ((table.facts[row] & WireFact.SynAck) === 0) {
      const reversed = joinPorts(segment.sourcePort, segment.destinationPort);
      const own = findSimultaneous(table, row, segment);
      if (own >= 0 && !beganFirst(table, row, own)) {
        table.see(own, source, destination, reversed, interfaceIndex);
        this.#answeredToo(own, row, timeNs);
        return own;
      }
      if (own >= 0) {
        table.facts[row] |= WireFact.SimultaneousSyn;
        table.serverIsn[row] = segment.sequence;
        this.#attempts.join(own, row, timeNs);
      }
    }
    if (table.state[row] === FlowState.Reported) return -1;
    table.see(row, destination, source, ports, interfaceIndex);
    const facts = table.facts[row];
    if ((facts & WireFact.SynAck) !== 0) {
      if (interfaceIndex === table.synAckInterface[row]) {
        table.synAcks[row]++;
        if ((facts & WireFact.Ack) === 0) {
          const { sequence, options } = segment;
          table.repeatSynAck(row, timeNs, sequence, options.timestampValue);
        }
        this.#attempts.touch(row, timeNs);
      } else if (
        interfaceIndex === table.synInterface[row] && (facts & WireFact.Ack) === 0 &&
        segment.sequence === table.lastServerIsn(row)
      ) {
        // The same packet where the SYN was seen: only times of one place may be subtracted. One
        // before it that did not come this far keeps the time of where it was seen.
        table.placeSynAck(row, timeNs, segment.sequence);
        if (table.synAcks[row] === 1) {
          table.firstSynAckNs[row] = timeNs;
          table.synAckInterface[row] = interfaceIndex;
        }
      }
      return row;
    }
    const isOtherIsn = segment.sequence !== table.serverIsn[row];
    keepSynAck(table, row, segment, timeNs, interfaceIndex);
    this.#attempts.answer(row, timeNs);
    if ((facts & WireFact.SimultaneousSynAck) === 0) return row;
    if (isOtherIsn) table.facts[row] &= ~WireFact.SimultaneousSynAck;
    else this.#attempts.settle(row, timeNs);
    return row;
  }

  /** The client of an attempt sent a SYN-ACK: it answers the SYN of the server, which has a row too. */
  #answeredToo(row: number, ofServer: number, timeNs: number): void {
    const table = this.#table;
    const facts = table.facts[row];
    table.facts[row] |= WireFact.SimultaneousSyn | WireFact.SimultaneousSynAck;
    table.serverIsn[row] = table.clientIsn[ofServer];
    this.#attempts.join(ofServer, row, timeNs);
    if ((facts & WireFact.SynAck) !== 0) this.#attempts.settle(row, timeNs);
    else this.#attempts.answer(row, timeNs);
  }

  /** A segment without SYN and RST: the third packet of the handshake it fits. */
  #acknowledgment(segment: Segment, timeNs: number): number {
    // Without the flag the acknowledgment number means nothing; such a segment completes nothing.
    if ((segment.flags & TcpFlag.ACK) === 0) return -1;
    const table = this.#table;
    const { source, destination, sequence, acknowledgment } = segment;
    const ports = joinPorts(segment.sourcePort, segment.destinationPort);
    let newest = -1;
    let row = table.find(source, destination, ports);
    for (; row >= 0; row = table.older(row, source, destination, ports)) {
      if (!awaitsAck(table, row)) continue;
      if (newest < 0) newest = row;
      if (fitsAckSequence(table, row, sequence) && acknowledgesSynAck(table, row, acknowledgment)) {
        break;
      }
    }
    if (row < 0) {
      if (newest < 0) return -1;
      if (!fitsAckSequence(table, newest, sequence)) {
        table.facts[newest] |= WireFact.WrongAckSequence;
      }
      if (!acknowledgesSynAck(table, newest, acknowledgment)) {
        table.facts[newest] |= WireFact.WrongAckAck;
      }
      this.counters.unexpected++;
      return newest;
    }
    table.acknowledge(row, !acknowledgesIsn(table, row, table.serverIsn[row], acknowledgment));
    table.facts[row] |= WireFact.Ack | (segment.options.timestamps ? WireFact.AckTimestamps : 0);
    table.ackNs[row] = timeNs;
    table.ackEcho[row] = segment.options.timestampEcho;
    this.#attempts.settle(row, timeNs);
    return row;
  }

  #reset(segment: Segment, timeNs: number): number {
    const table = this.#table;
    const { source, destination } = segment;
    let row = findRefused(table, segment);
    if (row >= 0) {
      if (!isOpen(table, row)) return -1;
      table.resets[row]++;
      if ((table.facts[row] & WireFact.SynAck) === 0) table.refusedNs[row] = timeNs;
      table.facts[row] |= WireFact.ServerReset;
      this.#attempts.settle(row, timeNs);
      return row;
    }
    const fromServer = joinPorts(segment.destinationPort, segment.sourcePort);
    const fromClient = joinPorts(segment.sourcePort, segment.destinationPort);
    let open = findOpen(table, destination, source, fromServer);
    row = table.find(source, destination, fromClient);
    while (row >= 0 && !(isOpen(table, row) && fitsAckSequence(table, row, segment.sequence))) {
      if (open < 0 && isOpen(table, row)) open = row;
      row = table.older(row, source, destination, fromClient);
    }
    if (row < 0) {
      if (open >= 0) this.counters.unexpected++;
      return open;
    }
    table.resets[row]++;
    table.facts[row] |= WireFact.ClientReset;
    this.#attempts.settle(row, timeNs);
    return row;
  }

  /**
   * Takes an ICMP error. One that quotes a SYN and says that it reached nobody answers that SYN, which
   * the client may send again all the same.
   *
   * @param error The error; nothing of it is kept.
   * @param timeNs When it was captured.
   * @returns The row of the handshake whose SYN it quotes; -1 where there is none, or it was reported
   * before.
   */
  icmpError(error: IcmpError, timeNs: number): number {
    const table = this.#table;
    const { source, destination, sourcePort, destinationPort, sequence, flags } = error.quoted;
    const symbol = unreachableSymbol(error);
    const mayBeSyn = flags === 0 || (flags & (TcpFlag.SYN | TcpFlag.ACK)) === TcpFlag.SYN;
    if (symbol === undefined || !mayBeSyn) return -1;
    const ports = joinPorts(sourcePort, destinationPort);
    const row = findAttempt(table, source, destination, ports, sequence);
    if (row < 0 || table.state[row] === FlowState.Reported) return -1;
    if (table.icmp[row] === undefined) {
      table.icmp[row] = { symbol, reporter: error.reporter.slice() };
      table.icmpNs[row] = timeNs;
    }
    this.#attempts.touch(row, timeNs);
    return row;
  }

  /**
   * Takes what the kernel says of a handshake. Listeners are not the matcher's: they go to
   * `Listeners`.
   */
  kernelRecord(record: Exclude<KernelRecord, KernelListener>): void {
    switch (record.kind) {
      case "client":
      case "server":
        return this.#kernelHalf(record);
      case "accepted":
        return this.#kernelAccept(record);
      case "dropped":
        return this.#kernelDrop(record);
      case "reset":
        return this.#kernelReset(record);
    }
  }

  #kernelHalf(record: KernelHalf): void {
    const table = this.#table;
    const isClient = record.kind === "client";
    const client = isClient ? record.local : record.remote;
    const server = isClient ? record.remote : record.local;
    const ports = isClient
      ? joinPorts(record.localPort, record.remotePort)
      : joinPorts(record.remotePort, record.localPort);
    const clientIsn = (isClient ? record.iss : record.irs) ?? 0;
    const halves = isClient ? table.clientHalf : table.serverHalf;
    // A connect() that failed before it chose port and number sent nothing another source could see.
    const sentNothing = isClient && record.newState !== TcpState.Established &&
      (record.localPort === 0 || record.iss === 0);
    // What ended a client's attempt may be the very RST; nothing else comes of one after it.
    const begunNs = isClient && record.newState !== TcpState.Established
      ? record.synSentNs ?? record.connectNs ?? -Infinity
      : record.endNs;
    let row = sentNothing
      ? -1
      : findAttemptAt(table, client, server, ports, clientIsn, record.endNs, begunNs);
    if (row < 0 && !sentNothing && table.findIsn(clientIsn) >= 0) {
      row = findTranslatedHalf(table, { client, server, ports }, clientIsn, record);
      if (row >= 0) table.translate(row, client, server, ports);
    }
    if (row >= 0 && (table.state[row] === FlowState.Reported || halves[row] !== undefined)) {
      const joined = isClient ? findJoined(table, record) : -1;
      if (joined >= 0) {
        table.serverHalf[joined] = record;
        this.#attempts.settle(joined, record.endNs);
        return;
      }
      this.counters.lateKernelRecords++;
      return;
    }
    if (row < 0) {
      row = this.#attempts.begin(client, server, ports, clientIsn, FlowState.Settled, record.endNs);
    }
    halves[row] = record;
    this.#attempts.settle(row, record.endNs);
  }

  #kernelAccept(record: KernelAccept): void {
    const table = this.#table;
    const { remote, local, irs, endNs } = record;
    const ports = joinPorts(record.remotePort, record.localPort);
    const row = findAttemptAt(table, remote, local, ports, irs, endNs, endNs);
    if (row < 0 || table.state[row] === FlowState.Reported) this.counters.lateAccepts++;
    else if (table.accept[row] !== undefined) this.counters.lateKernelRecords++;
    else table.accept[row] = record;
  }

  /** Unless refused, the handshake goes on: the client sends its SYN again, the server its SYN-ACK. */
  #kernelDrop(record: KernelDrop): void {
    const table = this.#table;
    // Like a packet with RST on the wire, a SYN with RST begins nothing.
    if ((record.flags & (TcpFlag.SYN | TcpFlag.RST)) !== TcpFlag.SYN) {
      this.counters.unexpected++;
      return;
    }
    const isSynAck = (record.flags & TcpFlag.ACK) !== 0;
    const row = isSynAck ? this.#rowOfDroppedSynAck(record) : this.#rowOfDroppedSyn(record);
    if (row < 0) {
      this.counters.unexpected++;
      return;
    }
    if (table.state[row] === FlowState.Reported) {
      this.counters.lateKernelRecords++;
      return;
    }
    const drops = table.drops[row] = addDrop(table.drops[row], record);
    if (isRefusal(drops)) {
      this.#refuse(row, record.endNs);
    } else if (isSynAck && table.state[row] === FlowState.SynSent) {
      this.#attempts.answer(row, record.endNs);
    } else {
      this.#attempts.touch(row, record.endNs);
    }
  }

  #rowOfDroppedSyn(record: KernelDrop): number {
    const { source, destination, sequence, endNs } = record;
    const ports = joinPorts(record.sourcePort, record.destinationPort);
    const sinceNs = endNs - REFUSAL_SLACK_NS;
    const row = findAttemptAt(
      this.#table,
      source,
      destination,
      ports,
      sequence,
      endNs,
      sinceNs,
    );
    return row >= 0 ? row : this.#beginBySyn(record);
  }

  #beginBySyn(record: KernelPacket): number {
    const { source, destination, sequence, endNs } = record;
    const ports = joinPorts(record.sourcePort, record.destinationPort);
    return this.#attempts.begin(source, destination, ports, sequence, FlowState.SynSent, endNs);
  }

  /** @returns The row; -1 where the SYN-ACK does not answer the SYN that waits for an answer. */
  #rowOfDroppedSynAck({ source, destination, ...record }: KernelDrop): number {
    const table = this.#table;
    const { acknowledgment, endNs } = record;
    const ports = joinPorts(record.destinationPort, record.sourcePort);
    const row = findAnswered(table, destination, source, ports, acknowledgment, endNs);
    if (row >= 0) return row;
    const newest = table.find(destination, source, ports);
    if (newest >= 0 && awaitedSynAck(table, newest, endNs)) return -1;
    const clientIsn = sequenceAdd(acknowledgment, -1);
    return this.#attempts.begin(destination, source, ports, clientIsn, FlowState.Answered, endNs);
  }

  /** Tells why, no more: that there was a RST, and what it ended, the wire says. */
  #kernelReset(record: KernelReset): void {
    const table = this.#table;
    let row = findReset(table, record);
    if (row < 0 && isSyn(record)) row = this.#beginBySyn(record);
    if (row < 0) return;
    if (table.state[row] === FlowState.Reported) {
      this.counters.lateKernelRecords++;
      return;
    }
    table.reset[row] = record;
    if (isSyn(record)) this.#refuse(row, record.endNs);
  }

  /** Takes the kernel's word that a RST refused an attempt; when, the RST itself tells better. */
  #refuse(row: number, timeNs: number): void {
    const table = this.#table;
    if ((table.facts[row] & WireFact.ServerReset) === 0) table.refusedNs[row] = timeNs;
    this.#attempts.settle(row, timeNs);
  }

  /**
   * Takes that the clock of the axis was set: what was seen before and after it cannot be subtracted,
   * so the handshakes under way give no durations, and their waiting goes on in the new time.
   *
   * @param jumpNs By how much, negative: back.
   * @param nowNs Now, in the new time. What is captured but not delivered yet carries the old one.
   */
  clockSet(jumpNs: number, nowNs: number): void {
    this.#attempts.clockSet(jumpNs, nowNs);
  }

  /**
   * Reports what has waited long enough.
   *
   * @param completeNs Up to this moment every source has delivered all it has.
   */
  advance(completeNs: number): void {
    this.#attempts.advance(completeNs);
  }

  /** Reports everything that is under way, as at the end of a trace or of a file. */
  flush(): void {
    this.#attempts.flush();
  }
}
