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
import type { Segment } from "../wire/segment.ts";
import { sequenceAdd } from "../wire/sequence.ts";
import { TcpFlag } from "../wire/tcp_flags.ts";
import { Attempts, type MatcherCounters, type MatcherOptions } from "./attempts.ts";
import { addDrop, isRefusal } from "./drops.ts";
import {
  acknowledgesIsn,
  acknowledgesSynAck,
  awaitsAck,
  awaitsSynAck,
  findAnswered,
  findAttempt,
  findReset,
  fitsAckSequence,
  isOpen,
  isServerReset,
  isSyn,
  joinPorts,
} from "./find_attempt.ts";
import { FlowState, type FlowTable, WireFact } from "./flow_table.ts";
import type { Handshake } from "./handshake.ts";
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
   * @param onHandshake Called once for each handshake; the object is reused, see {@link Handshake}.
   * @param options Limits and what tells this host's part.
   */
  constructor(
    epochSeconds: number,
    onHandshake: (handshake: Handshake) => void,
    options: MatcherOptions = {},
  ) {
    this.#attempts = new Attempts(epochSeconds, onHandshake, options, this.counters);
    this.#table = this.#attempts.table;
  }

  /** Handshakes begun and not yet reported. */
  get pending(): number {
    return this.#attempts.pending;
  }

  /**
   * Takes one TCP segment.
   *
   * @param segment The segment; nothing of it is kept.
   * @param timeNs When it was captured.
   * @param interfaceIndex Where: a packet seen on several interfaces counts once.
   */
  packet(segment: Segment, timeNs: number, interfaceIndex: number): void {
    const { flags } = segment;
    if ((flags & TcpFlag.RST) !== 0) this.#reset(segment, timeNs);
    else if ((flags & TcpFlag.SYN) === 0) this.#acknowledgment(segment, timeNs);
    else if ((flags & TcpFlag.ACK) === 0) this.#syn(segment, timeNs, interfaceIndex);
    else this.#synAck(segment, timeNs, interfaceIndex);
  }

  #syn(segment: Segment, timeNs: number, interfaceIndex: number): void {
    const table = this.#table;
    const { source, destination } = segment;
    const ports = joinPorts(segment.sourcePort, segment.destinationPort);
    let row = findAttempt(table, source, destination, ports, segment.sequence);
    if (row < 0) {
      row = this.#attempts.begin(
        source,
        destination,
        ports,
        segment.sequence,
        FlowState.SynSent,
        timeNs,
      );
    }
    if (table.state[row] === FlowState.Reported) return;
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
  }

  #synAck(segment: Segment, timeNs: number, interfaceIndex: number): void {
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
        return;
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
    if (table.state[row] === FlowState.Reported) return;
    const facts = table.facts[row];
    if ((facts & WireFact.SynAck) !== 0) {
      if (interfaceIndex === table.synAckInterface[row]) {
        table.synAcks[row]++;
        if ((facts & WireFact.Ack) === 0) {
          if (segment.sequence !== table.serverIsn[row]) {
            // The server forgot the first, or made a SYN cookie: the ACK tells which one counts.
            table.facts[row] |= WireFact.OtherServerIsn;
            table.otherServerIsn[row] = segment.sequence;
          }
          table.repeatSynAck(row, timeNs, segment.options.timestampValue);
        }
        this.#attempts.touch(row, timeNs);
      } else if (interfaceIndex === table.synInterface[row] && (facts & WireFact.Ack) === 0) {
        // The same packet where the SYN was seen: only times of one place may be subtracted.
        table.firstSynAckNs[row] = table.lastSynAckNs[row] = timeNs;
        table.synAckInterface[row] = interfaceIndex;
      }
      return;
    }
    keepSynAck(table, row, segment, timeNs, interfaceIndex);
    if (table.state[row] === FlowState.SynSent) table.move(row, FlowState.Answered, timeNs);
  }

  /** A segment without SYN and RST: the third packet of the handshake it fits. */
  #acknowledgment(segment: Segment, timeNs: number): void {
    // Without the flag the acknowledgment number means nothing; such a segment completes nothing.
    if ((segment.flags & TcpFlag.ACK) === 0) return;
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
      if (newest < 0) return;
      if (!fitsAckSequence(table, newest, sequence)) {
        table.facts[newest] |= WireFact.WrongAckSequence;
      }
      if (!acknowledgesSynAck(table, newest, acknowledgment)) {
        table.facts[newest] |= WireFact.WrongAckAck;
      }
      this.counters.unexpected++;
      return;
    }
    if (!acknowledgesIsn(table, row, table.serverIsn[row], acknowledgment)) {
      table.serverIsn[row] = table.otherServerIsn[row];
    }
    table.facts[row] |= WireFact.Ack | (segment.options.timestamps ? WireFact.AckTimestamps : 0);
    table.ackNs[row] = timeNs;
    table.ackEcho[row] = segment.options.timestampEcho;
    this.#attempts.settle(row, timeNs);
  }

  #reset(segment: Segment, timeNs: number): void {
    const table = this.#table;
    const { source, destination } = segment;
    const fromServer = joinPorts(segment.destinationPort, segment.sourcePort);
    let anyOpen = false;
    let row = table.find(destination, source, fromServer);
    while (row >= 0 && !isServerReset(table, row, segment)) {
      anyOpen ||= isOpen(table, row);
      row = table.older(row, destination, source, fromServer);
    }
    if (row >= 0) {
      table.resets[row]++;
      table.facts[row] |= WireFact.ServerReset;
      this.#attempts.settle(row, timeNs);
      return;
    }
    const fromClient = joinPorts(segment.sourcePort, segment.destinationPort);
    row = table.find(source, destination, fromClient);
    while (row >= 0 && !(isOpen(table, row) && fitsAckSequence(table, row, segment.sequence))) {
      anyOpen ||= isOpen(table, row);
      row = table.older(row, source, destination, fromClient);
    }
    if (row < 0) {
      if (anyOpen) this.counters.unexpected++;
      return;
    }
    table.resets[row]++;
    table.facts[row] |= WireFact.ClientReset;
    this.#attempts.settle(row, timeNs);
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
    let row = sentNothing ? -1 : findAttempt(table, client, server, ports, clientIsn);
    if (row >= 0 && (table.state[row] === FlowState.Reported || halves[row] !== undefined)) {
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
    const ports = joinPorts(record.remotePort, record.localPort);
    const row = findAttempt(table, record.remote, record.local, ports, record.irs);
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
      this.#attempts.settle(row, record.endNs);
    } else if (isSynAck && table.state[row] === FlowState.SynSent) {
      table.move(row, FlowState.Answered, record.endNs);
    } else {
      this.#attempts.touch(row, record.endNs);
    }
  }

  #rowOfDroppedSyn(record: KernelDrop): number {
    const { source, destination, sequence } = record;
    const ports = joinPorts(record.sourcePort, record.destinationPort);
    const row = findAttempt(this.#table, source, destination, ports, sequence);
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
    const row = findAnswered(table, destination, source, ports, acknowledgment);
    if (row >= 0) return row;
    const newest = table.find(destination, source, ports);
    if (newest >= 0 && awaitsSynAck(table, newest)) return -1;
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
    if (isSyn(record)) this.#attempts.settle(row, record.endNs);
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
