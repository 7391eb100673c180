import type {
  KernelAccept,
  KernelDrop,
  KernelEnd,
  KernelListener,
  KernelPacket,
  KernelRecord,
  KernelReset,
} from "../kernel/kernel_record.ts";
import { TcpState } from "../kernel/tcp_state.ts";
import { sequenceAdd } from "../wire/sequence.ts";
import { TcpFlag } from "../wire/tcp_flags.ts";
import type { Attempts } from "./attempts.ts";
import { addDrop, isRefusal } from "./drops.ts";
import {
  awaitedSynAck,
  findAnswered,
  findAttemptAt,
  findByCookie,
  findJoined,
  findRefusedAt,
  findReset,
  isSyn,
  REFUSAL_SLACK_NS,
} from "./find_attempt.ts";
import { findTranslatedHalf } from "./find_translated.ts";
import { Mark, WireFact } from "./facts.ts";
import { FlowKey } from "./flow_key.ts";
import { FlowState, type FlowTable } from "./flow_table.ts";
import { Fate } from "./remembered.ts";
import type { MatcherCounters } from "./options.ts";

/** In the place of a row: what the kernel tells of fits none, or one that was reported long ago. */
const UNEXPECTED = -1;
const REMEMBERED = -2;

/** Gives what the kernel says to the handshakes that it says it of. */
export class KernelSide {
  readonly #attempts: Attempts;
  readonly #table: FlowTable;
  readonly #counters: MatcherCounters;
  /** The tuple of the record at hand. */
  readonly #key = new FlowKey();

  /** @param attempts The handshakes under way. @param counters Where what is of no use is counted. */
  constructor(attempts: Attempts, counters: MatcherCounters) {
    this.#attempts = attempts;
    this.#table = attempts.table;
    this.#counters = counters;
  }

  /** See `Matcher.kernelRecord`. */
  take(record: Exclude<KernelRecord, KernelListener>): void {
    switch (record.kind) {
      case "client":
      case "server":
        return this.#takeEnd(record);
      case "accepted":
        return this.#accept(record);
      case "dropped":
        return this.#drop(record);
      case "reset":
        return this.#reset(record);
    }
  }

  #takeEnd(record: KernelEnd): void {
    const table = this.#table;
    const isClient = record.kind === "client";
    const { local, localPort, remote, remotePort } = record;
    const key = isClient
      ? this.#key.set(local, localPort, remote, remotePort)
      : this.#key.set(remote, remotePort, local, localPort);
    const clientIsn = (isClient ? record.iss : record.irs) ?? 0;
    const halves = isClient ? table.clientKernel : table.serverKernel;
    // A connect() that failed before it chose port and number sent nothing another source could see.
    const sentNothing = isClient && record.newState !== TcpState.Established &&
      (record.localPort === 0 || record.iss === 0);
    // What ended a client's attempt may be the very RST; nothing else comes of one after it.
    const begunNs = isClient && record.newState !== TcpState.Established
      ? record.synSentNs ?? record.connectNs ?? -Infinity
      : record.endNs;
    let row = sentNothing ? -1 : findAttemptAt(table, key, clientIsn, record.endNs, begunNs);
    if (row < 0 && !sentNothing) {
      const fate = this.#attempts.fateOf(key, clientIsn, record.endNs);
      if (fate !== 0 && fate !== Fate.Refused) {
        return this.#countLate(fate === Fate.Failed, record);
      }
    }
    if (row < 0 && !isClient) row = findByCookie(table, key, clientIsn, record.iss);
    if (row < 0 && !sentNothing && table.findIsn(clientIsn) >= 0) {
      row = findTranslatedHalf(table, key, clientIsn, record);
      if (row >= 0) table.translate(row, key);
    }
    if (row >= 0 && (table.state[row] === FlowState.Reported || halves[row] !== undefined)) {
      const joined = isClient ? findJoined(table, record) : -1;
      if (joined >= 0) {
        table.serverKernel[joined] = record;
        this.#attempts.settle(joined, record.endNs);
        return;
      }
      const wasFailed = table.isMarked(row, Mark.ReportedFailed) &&
        table.state[row] === FlowState.Reported;
      this.#countLate(wasFailed, record);
      return;
    }
    if (row < 0) {
      row = this.#attempts.begin(key, clientIsn, FlowState.Settled, record.endNs);
    }
    halves[row] = record;
    this.#attempts.settle(row, record.endNs);
  }

  /** A handshake that was reported is not reported again, but that it was reported wrongly is told. */
  #countLate(wasFailed: boolean, { newState }: KernelEnd): void {
    if (wasFailed && newState === TcpState.Established) this.#counters.contradicted++;
    else this.#counters.lateKernelRecords++;
  }

  #accept(record: KernelAccept): void {
    const table = this.#table;
    const { remote, local, irs, endNs } = record;
    const key = this.#key.set(remote, record.remotePort, local, record.localPort);
    const row = findAttemptAt(table, key, irs, endNs, endNs);
    if (row < 0 || table.state[row] === FlowState.Reported) this.#counters.lateAccepts++;
    else if (table.accept[row] !== undefined) this.#counters.lateKernelRecords++;
    else {
      table.accept[row] = record;
      // Who waited for the kernel's word has it.
      if (table.has(row, WireFact.Ack)) this.#attempts.settle(row, endNs);
    }
  }

  /** Unless refused, the handshake goes on: the client sends its SYN again, the server its SYN-ACK. */
  #drop(record: KernelDrop): void {
    const table = this.#table;
    // Like a packet with RST on the wire, a SYN with RST begins nothing.
    if ((record.flags & (TcpFlag.SYN | TcpFlag.RST)) !== TcpFlag.SYN) {
      this.#counters.unexpected++;
      return;
    }
    const isSynAck = (record.flags & TcpFlag.ACK) !== 0;
    const row = isSynAck ? this.#rowOfDroppedSynAck(record) : this.#rowOfDroppedSyn(record);
    if (row === UNEXPECTED) {
      this.#counters.unexpected++;
      return;
    }
    if (row === REMEMBERED || table.state[row] === FlowState.Reported) {
      this.#counters.lateKernelRecords++;
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
    const { sequence, endNs, reason } = record;
    const key = this.#key.sentByClient(record);
    const row = isRefusal({ packet: "syn", reason })
      ? findRefusedAt(this.#table, key, sequence, endNs)
      : findAttemptAt(this.#table, key, sequence, endNs, endNs - REFUSAL_SLACK_NS);
    return row >= 0 ? row : this.#beginBySyn(record);
  }

  /** @returns The row; {@link REMEMBERED} where it began long ago and was reported. */
  #beginBySyn(record: KernelPacket): number {
    const key = this.#key.sentByClient(record);
    const fate = this.#attempts.fateOf(key, record.sequence, record.endNs);
    if (fate !== 0 && fate !== Fate.Refused) return REMEMBERED;
    return this.#attempts.begin(key, record.sequence, FlowState.SynSent, record.endNs);
  }

  /**
   * @returns The row; {@link UNEXPECTED} where the SYN-ACK does not answer the SYN that waits for an
   * answer; {@link REMEMBERED} where it answers one that was reported.
   */
  #rowOfDroppedSynAck(record: KernelDrop): number {
    const table = this.#table;
    const { acknowledgment, endNs } = record;
    const key = this.#key.sentByServer(record);
    const row = findAnswered(table, key, acknowledgment, endNs);
    if (row >= 0) return row;
    const clientIsn = sequenceAdd(acknowledgment, -1);
    if (this.#attempts.fateOf(key, clientIsn, endNs) !== 0) return REMEMBERED;
    const newest = table.find(key);
    if (newest >= 0 && awaitedSynAck(table, newest, endNs)) return UNEXPECTED;
    return this.#attempts.begin(key, clientIsn, FlowState.Answered, endNs);
  }

  /** Tells why, no more: that there was a RST, and what it ended, the wire says. */
  #reset(record: KernelReset): void {
    const table = this.#table;
    let row = findReset(table, record);
    if (row < 0 && isSyn(record)) row = this.#beginBySyn(record);
    if (row === UNEXPECTED) return;
    if (row === REMEMBERED || table.state[row] === FlowState.Reported) {
      this.#counters.lateKernelRecords++;
      return;
    }
    table.reset[row] = record;
    if (isSyn(record)) this.#refuse(row, record.endNs);
  }

  /** Takes the kernel's word that a RST refused an attempt; when, the RST itself tells better. */
  #refuse(row: number, timeNs: number): void {
    const table = this.#table;
    if (!table.has(row, WireFact.ServerReset)) table.refusedNs[row] = timeNs;
    this.#attempts.settle(row, timeNs);
  }
}
