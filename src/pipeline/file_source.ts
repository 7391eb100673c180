/**
 * Capture files as a source of handshakes.
 *
 * @module
 */
import type { Matcher } from "../match/matcher.ts";
import { CaptureAxis } from "../pcap/capture_axis.ts";
import { CapturePlaces } from "../pcap/capture_places.ts";
import { CaptureReader } from "../pcap/capture_reader.ts";
import type { CapturedPacket } from "../pcap/captured_packet.ts";
import { copyToKeep } from "../pcap/kept_packets.ts";
import { copyCaptured, isAbsurd } from "../pcap/leap.ts";
import {
  DISORDER_MAX_NS,
  ORDERED_NS,
  ORDERED_USUAL_NS,
  PacketClock,
} from "../pcap/packet_clock.ts";
import {
  beginsCutOff,
  beginsHandshake,
  beginsMistimed,
  directionOf,
  notePassage,
} from "../pcap/pcapng_option.ts";
import type { RecordContext } from "../record/record_context.ts";
import { ChecksumJudge } from "../wire/checksum_judge.ts";
import { type AssembledPacket, FragmentAssembler } from "../wire/fragment_assembler.ts";
import { decodeFrame, decodePacket, FrameVerdict } from "../wire/frame.ts";
import { HandshakeGate } from "../wire/handshake_gate.ts";
import { IcmpError } from "../wire/icmp.ts";
import { readIcmpError } from "../wire/icmp_message.ts";
import { TcpFlag } from "../wire/segment.ts";
import { VerdictCounts } from "../wire/unread.ts";
import { countReasons, type Losses } from "./losses.ts";
import type { Pipeline } from "./pipeline.ts";
import type { Source, SourceCounters, TraceSpan } from "./sink.ts";
import { type HeldPacket, TimeOrder } from "./time_order.ts";

/** What to read of the files, and where to. */
export interface FileSourceOptions {
  /** Names of interfaces whose packets are taken; none: all. */
  interfaces: readonly string[];
  /** Name of the host, as records carry it. */
  host: string;
  /** Where what comes of them goes to. */
  pipeline: Pipeline;
}

/** A time in which nothing came. */
export interface Silence {
  /** Since when: milliseconds of Unix time. */
  sinceMs: number;
  /** How long, nanoseconds, of which this process could have read all. */
  ns: number;
}

/**
 * A packet whose time is so near to when it came was captured then, here or by a clock that is as good:
 * time goes by for the capture as it does here. Of others nobody knows what was captured meanwhile.
 */
const LIVE_MAX_MS = 5_000;
/**
 * How much later than it was captured a packet may come: the kernel hands a block that is not full to
 * tcpdump after a second, and a busy host takes some time itself.
 */
const LATE_MAX_NS = 1.2e9;
/** How far the time of the file moves before what has waited long enough is reported. */
const ADVANCE_STEP_NS = 10e6;
/** Longer than the matcher waits for other sources, of which a file has none. */
const SETTLED_AFTER_NS = 100e6;
/**
 * So many packets at the begin of a file, and after one that stands behind newer ones, are all decoded: what
 * the gate holds back may be of a handshake whose SYN is still to come.
 */
const DECODED_FIRST = 64;
const DECODED_AFTER_DISORDER = 65_536;
const SYN_OR_RST = TcpFlag.SYN | TcpFlag.RST;

/**
 * Capture files: several are one capture, read in order. Time is that of the packets; nothing depends
 * on how fast or in which pieces the bytes come.
 */
export class FileSource implements Source {
  /** Packets read so far. */
  packets = 0;
  /** Whether nothing more is needed: set by who has enough. */
  done = false;
  /** Files that begin before what was read before them ends. */
  earlyFiles = 0;
  readonly context: RecordContext;
  readonly #interfaces: readonly string[];
  readonly #pipeline: Pipeline;
  readonly #axis = new CaptureAxis();
  readonly #clock = new PacketClock();
  readonly #places = new CapturePlaces();
  readonly #gate = new HandshakeGate();
  #icmpError = new IcmpError();
  readonly #order = new TimeOrder((held) => this.#match(held));
  readonly #judge = new ChecksumJudge();
  readonly #fragments = new FragmentAssembler();
  readonly #verdicts = new VerdictCounts();
  #reader: CaptureReader | undefined;
  #matcher: Matcher | undefined;
  #dropped = 0;
  #untimed = 0;
  #isConcluded = false;
  /** Whether no packet of the file at hand has told when it begins. */
  #isFileNew = false;
  /** What the last file says of when its capture ended. */
  #untilNs = -Infinity;
  #startNs = Infinity;
  #endNs = -Infinity;
  /** Up to here the matcher was told that every packet has come. */
  #completeNs = -Infinity;
  /** From here on it is to be told more. */
  #dueNs = -Infinity;
  /** The newest time when a segment was taken last. */
  #takenUntilNs = -Infinity;
  /**
   * The rows of handshakes that stand together in the file at hand, as synsnoop wrote it, and whether its
   * end cut them off.
   */
  readonly #isCutOff = new Map<number, boolean>();
  /** A packet whose time the next one is to prove. */
  #waiting: CapturedPacket | undefined;
  /** Up to this number of packets the gate is not asked, and more is waited for. */
  #allUntil = 0;

  /** Reads nothing yet; the pipeline is still to be told of its source. */
  constructor({ interfaces, host, pipeline }: FileSourceOptions) {
    this.#interfaces = interfaces;
    this.#pipeline = pipeline;
    this.context = { host, interfaceName: (place) => this.#places.nameOf(place) };
  }

  /** See {@link Source.epochSeconds}. */
  get epochSeconds(): number {
    return this.#axis.epochFor(0);
  }

  /** See {@link Source.interfaceInFile}. */
  interfaceInFile(place: number): string | undefined {
    return this.#places.nameOf(place);
  }

  /** See {@link Source.hidesData}. */
  hidesData(place: number): boolean {
    return this.#places.hidesData(place);
  }

  /** Begins with the next file. @returns What takes its bytes. */
  beginFile(): CaptureReader {
    this.#takeWaiting();
    this.#order.handOnAll();
    this.#allUntil = this.packets + DECODED_FIRST;
    this.#takeDrops();
    // Its times may lie before those of the last file: what waits for an answer from there waits on.
    this.#extendSpan();
    this.#clock.reset();
    this.#isFileNew = true;
    this.#isCutOff.clear();
    this.#completeNs = this.#dueNs = this.#takenUntilNs = -Infinity;
    this.#reader = new CaptureReader(this.#axis, this.#onPacket);
    return this.#reader;
  }

  /**
   * Reports what is complete though no later packet has come, as at the end of a file that is being
   * written. Who waits for an answer waits on, unless the capture is made now: then time goes by.
   *
   * @param silence How long no bytes came; absent: that is not known.
   */
  rest(silence?: Silence): void {
    this.#takeWaiting();
    this.#order.handOn(Infinity);
    const settledNs = this.#clock.newestNs + SETTLED_AFTER_NS;
    this.#advance(Math.max(this.#completeNs, settledNs, this.#passedNs(silence)));
    this.#pipeline.flush();
  }

  /** Up to when every packet has come by how long none came; -Infinity where that does not tell. */
  #passedNs(silence: Silence | undefined): number {
    // Who writes when a buffer is full does so inside of a packet, and holds the next ones back.
    if (silence === undefined || this.#reader === undefined || this.#reader.isTorn) {
      return -Infinity;
    }
    const { newestNs } = this.#clock;
    const newestMs = this.epochSeconds * 1e3 + newestNs / 1e6;
    const isLive = Math.abs(silence.sinceMs - newestMs) <= LIVE_MAX_MS;
    return isLive ? newestNs + silence.ns - LATE_MAX_NS : -Infinity;
  }

  /** Reports everything that is under way: nothing more is read. */
  conclude(): void {
    if (this.#isConcluded) return;
    this.#isConcluded = true;
    this.#takeWaiting();
    this.#order.handOnAll();
    // What was waited for long enough before the capture ended is not cut off by that end.
    this.#untilNs = Math.max(this.#clock.newestNs, this.#reader?.capturedUntilNs ?? -Infinity);
    if (this.#untilNs > this.#completeNs) this.#advance(this.#untilNs);
    this.#takeDrops();
    this.#extendSpan();
    this.#matcher?.flush();
    this.#pipeline.flush();
  }

  /** See {@link Source.counters}. */
  counters(): SourceCounters {
    const undecoded = this.undecoded();
    const span = this.#span();
    return {
      span,
      capturedUntilNs: Math.max(span.endNs, this.#untilNs),
      losses: this.#losses(undecoded),
      undecoded,
    };
  }

  #span(): TraceSpan {
    const { epochSeconds } = this;
    const endNs = Math.max(this.#endNs, this.#clock.newestNs);
    const isEmpty = this.#startNs > endNs;
    return {
      epochSeconds,
      startNs: isEmpty ? 0 : this.#startNs,
      endNs: isEmpty ? 0 : endNs,
    };
  }

  /** How often the clock of the host that captured was set back. */
  get clockSteps(): number {
    return this.#clock.steps;
  }

  #losses(undecoded: Readonly<Record<string, number>>): Losses {
    const counters = this.#matcher?.counters;
    return {
      capture_packets: this.#dropped,
      half_open_evicted: counters?.evicted ?? 0,
      same_tuple_evicted: counters?.crowded ?? 0,
      unexpected_packets: counters?.unexpected ?? 0,
      ...countReasons(undecoded),
      untimed_packets: this.#untimed,
      disordered_packets: this.#clock.disordered + this.#order.late,
    };
  }

  /** Packets that were not decoded, by reason. */
  undecoded(): Record<string, number> {
    return this.#verdicts.byReason(this.#fragments.alone);
  }

  readonly #onPacket = (packet: CapturedPacket): void => {
    if (this.done) return;
    this.packets++;
    // Nearly every packet is in order and none of a handshake, and nothing is due.
    const isNext = packet.timeNs < this.#dueNs && this.#clock.isNext(packet);
    if (isNext || this.#follow(packet)) this.#sift(packet);
  };

  /** Decodes a packet if it may be of a handshake. */
  #sift(packet: CapturedPacket): void {
    const { linkType } = packet.interface;
    const { view, start, end } = packet;
    const isTaken = this.packets < this.#allUntil || this.#gate.passes(view, start, end, linkType);
    if (isTaken) this.#take(packet);
  }

  /**
   * Follows the time of the capture. A packet whose time is far away waits for the next one: one absurd
   * time costs that packet's handshake its durations, and nobody else's.
   *
   * @returns Whether the packet is to be taken now.
   */
  #follow(packet: CapturedPacket): boolean {
    const { epochSeconds } = this.#axis;
    const waiting = this.#waiting;
    if (waiting !== undefined) {
      const absurd = isAbsurd(waiting, packet, this.#clock.newestNs, this.#axis.epochFor(0));
      this.#takeWaiting(absurd);
      const isMoved = epochSeconds !== this.#axis.epochSeconds;
      if (isMoved && packet.timeNs < Infinity) packet.timeNs += this.#movedNs(epochSeconds);
    }
    if (packet.timed && packet.timeNs === Infinity && !this.#axis.isFar(packet.farSeconds)) {
      packet.timeNs = (packet.farSeconds - this.#axis.epochFor(0)) * 1e9 + packet.farNs;
    }
    if (this.#clock.isLeap(packet)) {
      this.#waiting = copyCaptured(packet);
      // The next one must come here, too.
      this.#dueNs = -Infinity;
      return false;
    }
    if (packet.timed && packet.timeNs === Infinity) this.#moveAxis(packet);
    this.#keepTime(packet);
    return true;
  }

  /** Takes the packet that waits. @param absurd Whether its time is wrong. */
  #takeWaiting(absurd = false): void {
    const waiting = this.#waiting;
    if (waiting === undefined) return;
    this.#waiting = undefined;
    if (absurd) waiting.timed = false;
    else if (waiting.timeNs === Infinity) this.#moveAxis(waiting);
    this.#keepTime(waiting);
    this.#sift(waiting);
  }

  /** Moves the axis to where a packet's time has an exact place. No handshake lasts so long. */
  #moveAxis(packet: CapturedPacket): void {
    const from = this.#axis.epochFor(packet.farSeconds);
    this.#order.handOnAll();
    this.#extendSpan();
    // What waits for an answer has waited long, or is cut off where the time goes back.
    if (packet.farSeconds < from) this.#matcher?.flush();
    this.#matcher?.advance(Number.MAX_SAFE_INTEGER);
    this.#pipeline.flush();
    this.#axis.epochSeconds = packet.farSeconds;
    packet.timeNs = packet.farNs;
    const movedNs = this.#movedNs(from);
    this.#startNs += movedNs;
    this.#endNs += movedNs;
    if (packet.farSeconds < from && this.#clock.newestNs > -Infinity) this.#clock.steps++;
    this.#clock.reset();
    this.#completeNs = this.#dueNs = -Infinity;
    if (this.#matcher) this.#matcher.epochSeconds = packet.farSeconds;
  }

  /** What is to be added to a time of the axis as it was. */
  #movedNs(epochSeconds: number): number {
    return (epochSeconds - this.#axis.epochFor(0)) * 1e9;
  }

  /** Takes a packet's time, and tells the matcher how far the capture is. */
  #keepTime(packet: CapturedPacket): void {
    if (!packet.timed) {
      this.#untimed++;
      // As near as its place in the file tells.
      if (this.#clock.newestNs > -Infinity) packet.timeNs = this.#clock.newestNs;
      else if (packet.timeNs === Infinity) packet.timeNs = 0;
    }
    const { timeNs, timed } = packet;
    this.#extendSpan();
    if (timed && this.#isFileNew) {
      this.#isFileNew = false;
      // In a file that synsnoop wrote each handshake stands where it ended.
      if (timeNs < this.#endNs - DISORDER_MAX_NS && !beginsHandshake(packet)) this.earlyFiles++;
    }
    const { behind } = this.#clock;
    const jumpNs = this.#clock.see(packet);
    if (this.#clock.behind > behind) this.#allUntil = this.packets + DECODED_AFTER_DISORDER;
    if (jumpNs !== 0) {
      this.#order.handOnAll();
      this.#matcher?.clockStep(jumpNs);
    }
    if (timed && timeNs < this.#startNs) this.#startNs = timeNs;
    const completeNs = this.#clock.newestNs - DISORDER_MAX_NS;
    if (jumpNs !== 0 || completeNs - this.#completeNs > ADVANCE_STEP_NS) this.#advance(completeNs);
  }

  /** Takes the newest time into the span of all files, before the clock forgets it. */
  #extendSpan(): void {
    this.#endNs = Math.max(this.#endNs, this.#clock.newestNs);
  }

  /** Takes a packet that may belong to a handshake. */
  #take(packet: CapturedPacket): void {
    const { view, start, end, originalLength } = packet;
    const { linkType, name } = packet.interface;
    if (!this.#isWanted(name)) return;
    const held = this.#order.next;
    const { segment } = held;
    const verdict = decodeFrame(view, start, end, originalLength, linkType, segment);
    switch (verdict) {
      case FrameVerdict.Tcp:
        this.#takeSegment(packet, view, held);
        break;
      case FrameVerdict.FirstFragment:
      case FrameVerdict.LaterFragment:
        this.#takeFragment(packet, held);
        break;
      case FrameVerdict.IcmpError:
        if (readIcmpError(view, segment, this.#icmpError)) {
          held.icmpError = this.#icmpError;
          this.#icmpError = new IcmpError();
          this.#hold(packet, held, this.#places.of(packet));
          break;
        }
        // falls through
      default:
        this.#verdicts.add(verdict, segment);
    }
  }

  /**
   * Takes the segment that was decoded.
   *
   * @param view The bytes that it was decoded from. @param whole Where they were put together.
   */
  #takeSegment(
    packet: CapturedPacket,
    view: DataView,
    held: HeldPacket,
    whole?: AssembledPacket,
  ): void {
    const { segment } = held;
    const place = this.#places.of(packet);
    notePassage(segment, directionOf(packet));
    const verdict = this.#judge.judge(view, segment, place);
    if (verdict !== FrameVerdict.Tcp) {
      this.#verdicts.add(verdict, segment);
      return;
    }
    if ((segment.flags & TcpFlag.SYN) !== 0) this.#gate.open(segment);
    else if ((segment.flags & SYN_OR_RST) === 0) this.#gate.close(segment);
    held.icmpError = undefined;
    this.#hold(packet, held, place, whole);
  }

  /** Holds what was decoded until it is its turn. */
  #hold(packet: CapturedPacket, held: HeldPacket, place: number, whole?: AssembledPacket): void {
    const { timed } = packet;
    const { timeNs } = whole ?? packet;
    const { newestNs } = this.#clock;
    held.timeNs = timeNs;
    held.place = place;
    held.isMistimed = !timed || beginsMistimed(packet);
    held.hidesData = packet.interface.hidesData;
    held.isFirst = held.icmpError === undefined && beginsHandshake(packet);
    if (this.#pipeline.keepsPackets) held.kept = copyToKeep(packet, place, whole);
    if (held.isFirst) {
      held.isCutOff = beginsCutOff(packet);
      held.isApart = timeNs <= this.#takenUntilNs;
      this.#order.handOnAll();
    }
    if (held.icmpError === undefined) this.#takenUntilNs = newestNs;
    this.#order.put(newestNs, this.#boundNs);
  }

  /** How far behind the newest packet one may still come. */
  get #boundNs(): number {
    return this.packets < this.#allUntil ? ORDERED_NS : ORDERED_USUAL_NS;
  }

  /** Has the matcher take a packet: it is its turn. */
  #match(held: HeldPacket): void {
    const { segment, icmpError, timeNs, place, kept } = held;
    const matcher = this.#matcher ??= this.#pipeline.createMatcher(this.#axis.epochFor(0));
    if (icmpError !== undefined) {
      const row = matcher.icmpError(icmpError, timeNs);
      if (row >= 0 && kept !== undefined) this.#pipeline.keep(row, kept);
      return;
    }
    matcher.seesServerData = !held.hidesData;
    // What stands before it between the same ends is no part of the handshake that synsnoop wrote.
    if (held.isFirst && held.isApart) matcher.part(segment, (row) => this.#isCutOff.get(row));
    const row = matcher.packet(segment, timeNs, place);
    if (row < 0) return;
    if (held.isFirst) this.#isCutOff.set(row, held.isCutOff);
    if (held.isMistimed) matcher.withhold(row);
    if (kept !== undefined) this.#pipeline.keep(row, kept);
  }

  /** Takes the fragment that a packet is; with the last one the whole packet. */
  #takeFragment(packet: CapturedPacket, held: HeldPacket): void {
    const { segment } = held;
    const place = this.#places.of(packet);
    const whole = this.#fragments.take(packet.view, segment, place, packet.timeNs);
    if (whole === undefined) return;
    const { view, capturedLength, originalLength } = whole;
    const { passage } = segment;
    const verdict = decodePacket(view, 0, capturedLength, originalLength, segment);
    segment.passage = passage;
    segment.vlan = whole.vlan;
    segment.tunnels = whole.tunnels;
    if (verdict === FrameVerdict.Tcp) this.#takeSegment(packet, view, held, whole);
    else this.#verdicts.add(verdict, segment);
  }

  #isWanted(interfaceName: string | undefined): boolean {
    const interfaces = this.#interfaces;
    return interfaces.length === 0 ||
      interfaceName !== undefined && interfaces.includes(interfaceName);
  }

  #advance(completeNs: number): void {
    this.#completeNs = completeNs;
    this.#dueNs = completeNs + DISORDER_MAX_NS + ADVANCE_STEP_NS;
    this.#gate.nowNs = completeNs;
    this.#order.handOn(Math.max(completeNs, this.#clock.newestNs - this.#boundNs));
    this.#matcher?.advance(completeNs);
  }

  #takeDrops(): void {
    this.#dropped += this.#reader?.dropped ?? 0;
    this.#reader = undefined;
  }
}
