import type { KernelRecord } from "../kernel/kernel_record.ts";
import { TcpState } from "../kernel/tcp_state.ts";
import type { Segment } from "../wire/segment.ts";
import { sequenceAdd, sequenceDistance } from "../wire/sequence.ts";
import { ecnSetup, TcpFlag } from "../wire/tcp_flags.ts";
import { conclude, type Surroundings } from "./conclude.ts";
import { FlowState, FlowTable, WireFact } from "./flow_table.ts";
import { Handshake } from "./handshake.ts";

/** Settings of a {@link Matcher}; each has a default. */
export interface MatcherOptions extends Surroundings {
  /** Handshakes under way at the most: beyond it the half-open one untouched longest is given up. */
  capacity?: number;
  /** How long a handshake whose end is known waits for the other sources, nanoseconds. */
  joinNs?: number;
  /** How long a SYN without an answer is waited for after the last one. */
  unansweredNs?: number;
  /** How long a SYN-ACK without an ACK is waited for after the last one. */
  halfOpenNs?: number;
  /** How long a reported handshake is remembered, so that stragglers make no second record. */
  rememberNs?: number;
}

/** What a matcher could not use, by place. Each is a packet or record, not a handshake. */
export interface MatcherCounters {
  /** Half-open handshakes given up because the table was full. */
  evicted: number;
  /** Kernel records that came after their handshake was reported, or a second time. */
  lateKernelRecords: number;
  /** SYN-ACKs, third packets and RSTs whose numbers fit no handshake under way. */
  unexpected: number;
}

const DEFAULTS = {
  capacity: 65_536,
  joinNs: 40e6,
  // Linux sends a SYN 6 times again and gives up 64 s after the last, a SYN-ACK 5 times and 32 s
  // (tcp_syn_retries, tcp_synack_retries).
  unansweredNs: 70e9,
  halfOpenNs: 40e9,
  rememberNs: 60e9,
};

/** Data that a server may send before the third ACK, which that ACK may acknowledge too. */
const EARLY_DATA_MAX = 1 << 20;

/**
 * Puts packets and kernel records together into handshakes, each handed out once.
 *
 * Reads no clock: {@link advance} tells it up to when every source has delivered. All times are
 * integer nanoseconds on one axis (see `ClockAxis`).
 */
export class Matcher {
  /** What could not be used so far. */
  readonly counters: MatcherCounters = { evicted: 0, lateKernelRecords: 0, unexpected: 0 };

  readonly #table: FlowTable;
  readonly #surroundings: Surroundings;
  readonly #joinNs: number;
  readonly #unansweredNs: number;
  readonly #halfOpenNs: number;
  readonly #rememberNs: number;
  readonly #onHandshake: (handshake: Handshake) => void;
  readonly #handshake = new Handshake();
  /** Until every source has delivered up to here, what begins may carry the time of a clock since set. */
  #mistimedUntilNs = -Infinity;

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
    this.#table = new FlowTable(options.capacity ?? DEFAULTS.capacity);
    this.#surroundings = options;
    this.#joinNs = options.joinNs ?? DEFAULTS.joinNs;
    this.#unansweredNs = options.unansweredNs ?? DEFAULTS.unansweredNs;
    this.#halfOpenNs = options.halfOpenNs ?? DEFAULTS.halfOpenNs;
    this.#rememberNs = options.rememberNs ?? DEFAULTS.rememberNs;
    this.#onHandshake = onHandshake;
    this.#handshake.epochSeconds = epochSeconds;
  }

  /** Handshakes begun and not yet reported. */
  get pending(): number {
    const table = this.#table;
    return table.count(FlowState.SynSent) + table.count(FlowState.Answered) +
      table.count(FlowState.Settled);
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
    let row = this.#findAttempt(source, destination, ports, segment.sequence);
    if (row < 0) {
      row = this.#begin(
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
    if ((facts & WireFact.Syn) !== 0) {
      if (interfaceIndex !== table.synInterface[row]) return;
      table.syns[row]++;
      if ((facts & WireFact.SynAck) === 0) {
        table.repeatSyn(row, timeNs, segment.options.timestampValue);
      }
      this.#touch(row, timeNs);
      return;
    }
    const { options } = segment;
    const ecn = ecnSetup(segment.flags);
    table.facts[row] = facts | WireFact.Syn |
      (options.timestamps ? WireFact.SynTimestamps : 0) |
      (options.sackPermitted ? WireFact.SynSackPermitted : 0) |
      (options.fastOpenCookieLength >= 0 || segment.payloadLength > 0 ? WireFact.FastOpen : 0) |
      (options.mptcpSubtype >= 0 ? WireFact.Mptcp : 0) |
      (ecn === "ecn" ? WireFact.SynEcn : 0) | (ecn === "accecn" ? WireFact.SynAccEcn : 0);
    table.syns[row] = table.synsBeforeAnswer[row] = 1;
    table.firstSynNs[row] = table.lastSynNs[row] = timeNs;
    table.firstSynTimestamp[row] = table.lastSynTimestamp[row] = options.timestampValue;
    table.synPayloadLength[row] = segment.payloadLength;
    table.clientMss[row] = options.mss;
    table.clientWindow[row] = segment.window;
    table.clientWindowScale[row] = options.windowScale;
    table.synInterface[row] = interfaceIndex;
  }

  #synAck(segment: Segment, timeNs: number, interfaceIndex: number): void {
    const table = this.#table;
    const { source, destination, acknowledgment } = segment;
    const ports = joinPorts(segment.destinationPort, segment.sourcePort);
    const newest = table.find(destination, source, ports);
    let row = newest;
    while (row >= 0 && !this.#acknowledgesSyn(row, acknowledgment)) {
      row = table.older(row, destination, source, ports);
    }
    if (row < 0) {
      if (newest >= 0 && this.#isOpen(newest) && (table.facts[newest] & WireFact.SynAck) === 0) {
        // Not in the window of the SYN that waits for an answer: it completes nothing.
        table.facts[newest] |= WireFact.WrongSynAckAck;
        this.counters.unexpected++;
        return;
      }
      row = this.#begin(
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
    const { options } = segment;
    if ((facts & WireFact.SynAck) !== 0) {
      if (interfaceIndex === table.synAckInterface[row]) {
        table.synAcks[row]++;
        if ((facts & WireFact.Ack) === 0) {
          if (segment.sequence !== table.serverIsn[row]) {
            // The server forgot the first, or made a SYN cookie: the ACK tells which one counts.
            table.facts[row] |= WireFact.OtherServerIsn;
            table.otherServerIsn[row] = segment.sequence;
          }
          table.repeatSynAck(row, timeNs, options.timestampValue);
        }
        this.#touch(row, timeNs);
      } else if (interfaceIndex === table.synInterface[row] && (facts & WireFact.Ack) === 0) {
        // The same packet where the SYN was seen: only times of one place may be subtracted.
        table.firstSynAckNs[row] = table.lastSynAckNs[row] = timeNs;
        table.synAckInterface[row] = interfaceIndex;
      }
      return;
    }
    const ecn = ecnSetup(segment.flags);
    table.facts[row] = facts | WireFact.SynAck |
      (options.timestamps ? WireFact.SynAckTimestamps : 0) |
      (options.sackPermitted ? WireFact.SynAckSackPermitted : 0) |
      (options.fastOpenCookieLength >= 0 ? WireFact.FastOpen : 0) |
      (options.mptcpSubtype >= 0 ? WireFact.Mptcp : 0) |
      (ecn === "ecn" ? WireFact.SynAckEcn : 0) | (ecn === "accecn" ? WireFact.SynAckAccEcn : 0);
    table.synAcks[row] = table.synAcksBeforeAck[row] = 1;
    table.serverIsn[row] = segment.sequence;
    table.firstSynAckNs[row] = table.lastSynAckNs[row] = timeNs;
    table.firstSynAckTimestamp[row] = options.timestampValue;
    table.lastSynAckTimestamp[row] = options.timestampValue;
    table.synAckEcho[row] = options.timestampEcho;
    table.serverMss[row] = options.mss;
    table.serverWindow[row] = segment.window;
    table.serverWindowScale[row] = options.windowScale;
    table.synAckInterface[row] = interfaceIndex;
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
      if (!this.#awaitsAck(row)) continue;
      if (newest < 0) newest = row;
      if (this.#fitsAckSequence(row, sequence) && this.#acknowledgesSynAck(row, acknowledgment)) {
        break;
      }
    }
    if (row < 0) {
      if (newest < 0) return;
      if (!this.#fitsAckSequence(newest, sequence)) {
        table.facts[newest] |= WireFact.WrongAckSequence;
      }
      if (!this.#acknowledgesSynAck(newest, acknowledgment)) {
        table.facts[newest] |= WireFact.WrongAckAck;
      }
      this.counters.unexpected++;
      return;
    }
    if (!this.#acknowledgesIsn(row, table.serverIsn[row], acknowledgment)) {
      table.serverIsn[row] = table.otherServerIsn[row];
    }
    table.facts[row] |= WireFact.Ack | (segment.options.timestamps ? WireFact.AckTimestamps : 0);
    table.ackNs[row] = timeNs;
    table.ackEcho[row] = segment.options.timestampEcho;
    this.#settle(row, timeNs);
  }

  #reset(segment: Segment, timeNs: number): void {
    const table = this.#table;
    const { source, destination } = segment;
    const fromServer = joinPorts(segment.destinationPort, segment.sourcePort);
    let anyOpen = false;
    let row = table.find(destination, source, fromServer);
    while (row >= 0 && !this.#isServerReset(row, segment)) {
      anyOpen ||= this.#isOpen(row);
      row = table.older(row, destination, source, fromServer);
    }
    if (row >= 0) {
      table.resets[row]++;
      table.facts[row] |= WireFact.ServerReset;
      this.#settle(row, timeNs);
      return;
    }
    const fromClient = joinPorts(segment.sourcePort, segment.destinationPort);
    row = table.find(source, destination, fromClient);
    while (row >= 0 && !(this.#isOpen(row) && this.#fitsAckSequence(row, segment.sequence))) {
      anyOpen ||= this.#isOpen(row);
      row = table.older(row, source, destination, fromClient);
    }
    if (row < 0) {
      if (anyOpen) this.counters.unexpected++;
      return;
    }
    table.resets[row]++;
    table.facts[row] |= WireFact.ClientReset;
    this.#settle(row, timeNs);
  }

  /**
   * Takes one side of a handshake from the kernel. Listeners are not the matcher's: they go to
   * `Listeners`.
   */
  kernelRecord(record: KernelRecord): void {
    const table = this.#table;
    const isClient = record.side === "client";
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
    let row = sentNothing ? -1 : this.#findAttempt(client, server, ports, clientIsn);
    if (row >= 0 && (table.state[row] === FlowState.Reported || halves[row] !== undefined)) {
      this.counters.lateKernelRecords++;
      return;
    }
    if (row < 0) {
      row = this.#begin(client, server, ports, clientIsn, FlowState.Settled, record.endNs);
    }
    halves[row] = record;
    this.#settle(row, record.endNs);
  }

  #begin(
    client: Uint32Array,
    server: Uint32Array,
    ports: number,
    clientIsn: number,
    state: FlowState,
    timeNs: number,
  ): number {
    this.#makeRoom();
    const row = this.#table.insert(client, server, ports, clientIsn, state, timeNs);
    this.#table.mistimed[row] = this.#mistimedUntilNs > -Infinity ? 1 : 0;
    return row;
  }

  /**
   * Takes that the clock of the axis was set: what was seen before and after it cannot be subtracted,
   * so the handshakes under way give no durations, and their waiting goes on in the new time.
   *
   * @param jumpNs By how much, negative: back.
   * @param nowNs Now, in the new time. What is captured but not delivered yet carries the old one.
   */
  clockSet(jumpNs: number, nowNs: number): void {
    this.#table.shiftTimes(jumpNs);
    this.#mistimedUntilNs = nowNs;
  }

  /**
   * Reports what has waited long enough.
   *
   * @param completeNs Up to this moment every source has delivered all it has.
   */
  advance(completeNs: number): void {
    const table = this.#table;
    this.#reportUntil(FlowState.Settled, completeNs - this.#joinNs, completeNs);
    this.#reportUntil(FlowState.SynSent, completeNs - this.#unansweredNs, completeNs);
    this.#reportUntil(FlowState.Answered, completeNs - this.#halfOpenNs, completeNs);
    if (completeNs > this.#mistimedUntilNs) this.#mistimedUntilNs = -Infinity;
    const forgetNs = completeNs - this.#rememberNs;
    for (;;) {
      const row = table.oldest(FlowState.Reported);
      if (row < 0 || table.touchedNs[row] > forgetNs) return;
      table.remove(row);
    }
  }

  /** Reports everything that is under way, as at the end of a trace or of a file. */
  flush(): void {
    for (const state of [FlowState.Settled, FlowState.Answered, FlowState.SynSent]) {
      for (let row = this.#table.oldest(state); row >= 0; row = this.#table.oldest(state)) {
        this.#report(row, true, this.#table.touchedNs[row]);
      }
    }
  }

  #reportUntil(state: FlowState, untilNs: number, nowNs: number): void {
    const table = this.#table;
    for (;;) {
      const row = table.oldest(state);
      if (row < 0 || table.touchedNs[row] > untilNs) return;
      this.#report(row, false, nowNs);
    }
  }

  #report(row: number, traceEnded: boolean, nowNs: number): void {
    const table = this.#table;
    conclude(table, row, this.#surroundings, traceEnded, this.#handshake);
    table.move(row, FlowState.Reported, nowNs);
    table.forgetHalves(row);
    this.#onHandshake(this.#handshake);
  }

  /**
   * The end of a handshake is known. It waits even where nothing more about it can come: who listened
   * may be known only a moment later.
   */
  #settle(row: number, timeNs: number): void {
    const table = this.#table;
    if (table.state[row] !== FlowState.Settled) table.move(row, FlowState.Settled, timeNs);
  }

  #touch(row: number, timeNs: number): void {
    const state = this.#table.state[row] as FlowState;
    if (state !== FlowState.Settled) this.#table.move(row, state, timeNs);
  }

  /** Frees a row where none is: a reported one, else a half-open one, else one that only waits. */
  #makeRoom(): void {
    const table = this.#table;
    if (!table.full) return;
    const reported = table.oldest(FlowState.Reported);
    if (reported >= 0) {
      table.remove(reported);
      return;
    }
    const unanswered = table.oldest(FlowState.SynSent);
    const answered = table.oldest(FlowState.Answered);
    let row = unanswered >= 0 ? unanswered : answered;
    if (answered >= 0 && table.touchedNs[answered] < table.touchedNs[row]) row = answered;
    if (row >= 0) {
      this.counters.evicted++;
    } else {
      row = table.oldest(FlowState.Settled);
      this.#report(row, false, table.touchedNs[row]);
    }
    table.remove(row);
  }

  /** The row of one attempt, told by its client's initial sequence number, -1 where there is none. */
  #findAttempt(
    client: Uint32Array,
    server: Uint32Array,
    ports: number,
    clientIsn: number,
  ): number {
    const table = this.#table;
    let row = table.find(client, server, ports);
    while (row >= 0 && table.clientIsn[row] !== clientIsn) {
      row = table.older(row, client, server, ports);
    }
    return row;
  }

  /** Whether a SYN-ACK's or RST's Ack lies in a SYN's window: ISN + 1, plus data sent in the SYN. */
  #acknowledgesSyn(row: number, acknowledgment: number): boolean {
    const distance = sequenceDistance(this.#table.clientIsn[row], acknowledgment);
    const dataMax = (this.#table.facts[row] & WireFact.Syn) !== 0
      ? this.#table.synPayloadLength[row]
      : 0;
    return distance >= 1 && distance <= 1 + dataMax;
  }

  /** Whether Seq is where the client stands after its SYN: ISN + 1, plus data sent in the SYN. */
  #fitsAckSequence(row: number, sequence: number): boolean {
    return this.#acknowledgesSyn(row, sequence);
  }

  /** Whether an Ack acknowledges a SYN-ACK of the row. */
  #acknowledgesSynAck(row: number, acknowledgment: number): boolean {
    const table = this.#table;
    return this.#acknowledgesIsn(row, table.serverIsn[row], acknowledgment) ||
      (table.facts[row] & WireFact.OtherServerIsn) !== 0 &&
        this.#acknowledgesIsn(row, table.otherServerIsn[row], acknowledgment);
  }

  #acknowledgesIsn(row: number, serverIsn: number, acknowledgment: number): boolean {
    const distance = sequenceDistance(serverIsn, acknowledgment);
    // With TCP Fast Open the server may have sent data already, which the ACK then covers.
    const fastOpen = (this.#table.facts[row] & WireFact.FastOpen) !== 0;
    return distance >= 1 && distance <= (fastOpen ? EARLY_DATA_MAX : 1);
  }

  /** Whether no packet ended the handshake yet. */
  #isOpen(row: number): boolean {
    const ended = WireFact.Ack | WireFact.ServerReset | WireFact.ClientReset;
    return this.#table.state[row] !== FlowState.Reported && (this.#table.facts[row] & ended) === 0;
  }

  #awaitsAck(row: number): boolean {
    return this.#isOpen(row) && (this.#table.facts[row] & WireFact.SynAck) !== 0;
  }

  /**
   * Whether a RST refuses an attempt: in answer to the SYN it must acknowledge it (RFC 9293
   * section 3.10.7.3), after the SYN-ACK its Seq must be the next one of the server.
   */
  #isServerReset(row: number, segment: Segment): boolean {
    if (!this.#isOpen(row)) return false;
    const table = this.#table;
    if ((table.facts[row] & WireFact.SynAck) !== 0) {
      return segment.sequence === sequenceAdd(table.serverIsn[row], 1) ||
        (table.facts[row] & WireFact.OtherServerIsn) !== 0 &&
          segment.sequence === sequenceAdd(table.otherServerIsn[row], 1);
    }
    return (segment.flags & TcpFlag.ACK) !== 0 &&
      this.#acknowledgesSyn(row, segment.acknowledgment);
  }
}

function joinPorts(clientPort: number, serverPort: number): number {
  return (clientPort * 65536 + serverPort) >>> 0;
}
