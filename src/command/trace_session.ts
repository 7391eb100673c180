import { sampleClocks } from "../io/clocks.ts";
import { findListeners } from "../io/find_listeners.ts";
import { interfaceName, localAddresses } from "../io/interfaces.ts";
import { KernelSource, type KernelSourceState } from "../io/kernel_source.ts";
import { clockNs } from "../io/libc.ts";
import { findExecutable } from "../io/packages.ts";
import type { LineOutput } from "../io/stream_output.ts";
import { hostName, sayNote } from "../io/terminal.ts";
import { WireSource } from "../io/wire_source.ts";
import type { KernelRecord } from "../kernel/kernel_record.ts";
import { Listeners } from "../kernel/listeners.ts";
import { TcpState } from "../kernel/tcp_state.ts";
import { ClockAxis } from "../match/clock.ts";
import type { Handshake } from "../match/handshake.ts";
import { Matcher } from "../match/matcher.ts";
import type { RecordContext } from "../report/fields.ts";
import { formatHandshake, formatHeading } from "../report/line.ts";
import { encodeHandshake } from "../report/ndjson.ts";
import { type Losses, Summary } from "../report/summary.ts";
import { parseAddress } from "../wire/address.ts";
import { type HandshakeFilter, passes } from "./filter.ts";
import type { TraceOptions } from "./trace_options.ts";

/** What a session needs beside the options. */
export interface TraceSessionOptions {
  options: TraceOptions;
  /** Indices of the interfaces named; none: all. */
  interfaces: readonly number[];
  output: LineOutput;
  /** Lines for a terminal instead of NDJSON. */
  asText: boolean;
  /** Called when the count or the duration asked for is reached. */
  onDone(): void;
}

/** How often packets and kernel records are fetched. */
const TICK_MS = 20;
/** Beyond the ring's own delay: softirqs and the timer that retires its blocks are late under load. */
const WIRE_MARGIN_MS = 20;
/** Printed lines pass through bpftrace and a pipe. */
const LINES_DELAY_MS = 100;
/** How often the host's own addresses are looked up anew. */
const ADDRESSES_MS = 5_000;
const SCRIPT = new URL("../../bpf/handshake.tracepoint.bt", import.meta.url).pathname;

/**
 * One trace from its first packet to its summary: fetches packets and kernel records on a timer,
 * hands them to the matcher, and writes what comes out.
 */
export class TraceSession {
  readonly #options: TraceOptions;
  readonly #filter: HandshakeFilter;
  readonly #output: LineOutput;
  readonly #asText: boolean;
  readonly #onDone: () => void;
  readonly #axis = new ClockAxis(Number(clockNs("realtime") / 1_000_000_000n));
  readonly #wire: WireSource;
  readonly #kernel: KernelSource | undefined;
  #kernelState: KernelSourceState = "off";
  readonly #listeners = new Listeners();
  readonly #matcher: Matcher;
  readonly #summary = new Summary();
  readonly #context: RecordContext = { host: hostName(), interfaceName };
  readonly #startNs: number;
  #localAddresses = new Set<string>();
  #addressesAtNs = -Infinity;
  #lines = "";
  #lineCount = 0;
  #headingWritten = false;
  #clockSteps = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #durationTimer: ReturnType<typeof setTimeout> | undefined;

  /**
   * Begins to capture, then starts the kernel's side.
   *
   * @throws {SystemCallError} EPERM without the right to capture.
   */
  constructor(session: TraceSessionOptions) {
    this.#options = session.options;
    this.#filter = {
      ...session.options.filter,
      interfaces: session.interfaces.length > 0 ? session.interfaces : undefined,
    };
    this.#output = session.output;
    this.#asText = session.asText;
    this.#onDone = session.onDone;
    this.#startNs = this.#sampleClocks();
    this.#matcher = new Matcher(
      this.#axis.epochSeconds,
      (handshake) => this.#onHandshake(handshake),
      {
        isLocalAddress: (words, at) => this.#isLocalAddress(words, at),
        listenerOf: (server) => this.#listeners.find(server),
      },
    );
    this.#wire = new WireSource({
      interfaces: session.interfaces,
      filter: session.options.packetFilter,
      axis: this.#axis,
      onSegment: (segment, timeNs, index) => this.#matcher.packet(segment, timeNs, index),
    });
    this.#kernel = this.#startKernel();
    this.#tick();
    if (!this.#kernel) this.#onReady();
  }

  #startKernel(): KernelSource | undefined {
    const { filter } = this.#wire;
    const why = filter.why === undefined ? "" : ` (${filter.why})`;
    const capturing = filter.kind === "ebpf"
      ? "capturing packets through the eBPF filter"
      : `capturing packets through the classic filter${why}`;
    if (this.#options.probes === "none") {
      sayNote(`${capturing}; no kernel events, as asked`);
      return undefined;
    }
    const executable = findExecutable("bpftrace");
    if (executable === undefined) {
      sayNote(`${capturing}; no kernel events, because bpftrace is not installed`);
      return undefined;
    }
    sayNote(`${capturing}; waiting for bpftrace to attach its tracepoint`);
    this.#kernelState = "starting";
    return new KernelSource({
      executable,
      script: SCRIPT,
      placeBoottime: (high, low) => this.#axis.fromBoottime(high, low),
      onRecord: (record) => this.#onKernelRecord(record),
      onChange: (state, sentence) => this.#onKernelChange(state, sentence),
    });
  }

  async #onKernelChange(state: KernelSourceState, sentence: string): Promise<void> {
    this.#kernelState = state;
    if (state === "map" || state === "lines") {
      // Not before the script is attached: what begins to listen from then on, it sees itself.
      for (const listener of await findListeners()) this.#listeners.add(listener);
    }
    sayNote(state === "off" ? `${sentence}; going on with packets alone` : sentence);
    if (state !== "starting") this.#onReady();
  }

  /** Every source delivers, or is known not to. */
  #onReady(): void {
    const { durationMs } = this.#options;
    if (this.#durationTimer !== undefined || durationMs === Infinity) return;
    this.#durationTimer = setTimeout(this.#onDone, durationMs);
  }

  #onKernelRecord(record: KernelRecord): void {
    if (record.side === "listener") {
      this.#listeners.take(record, record.newState === TcpState.Listen);
    } else {
      this.#matcher.kernelRecord(record);
    }
  }

  #onHandshake(handshake: Handshake): void {
    if (!passes(this.#filter, handshake)) {
      this.#summary.recordFiltered();
      return;
    }
    if (this.#summary.handshakes >= this.#options.count) return;
    this.#summary.record(handshake);
    if (this.#asText) {
      if (!this.#headingWritten) this.#lines += formatHeading();
      this.#headingWritten = true;
      this.#lines += formatHandshake(handshake);
    } else {
      this.#lines += encodeHandshake(handshake, this.#context);
    }
    this.#lineCount++;
    if (this.#summary.handshakes === this.#options.count) this.#onDone();
  }

  /** Fetches, matches and writes once, and plans the next time. */
  #tick(): void {
    // What every source has delivered when this tick is over reaches at least to its begin.
    const nowNs = this.#sampleClocks();
    this.#refreshAddresses(nowNs);
    this.#fetch();
    this.#matcher.advance(nowNs - this.#delayMs() * 1e6);
    this.#writeLines();
    for (const error of this.#wire.takeErrors()) sayNote(error);
    this.#sayClockSteps();
    this.#timer = setTimeout(() => this.#tick(), TICK_MS);
  }

  /** Packets carry the wall clock's time, so what is under way when it is set has a wrong duration. */
  #sayClockSteps(): void {
    if (this.#axis.steps === this.#clockSteps) return;
    this.#clockSteps = this.#axis.steps;
    const seconds = (this.#axis.steppedNs / 1e9).toFixed(3);
    sayNote(
      `the system's clock was set, by ${seconds} s in all: handshakes across it are mistimed`,
    );
  }

  #fetch(): void {
    this.#wire.drain();
    this.#kernel?.drain();
  }

  #delayMs(): number {
    const wireMs = this.#wire.retireTimeoutMs + WIRE_MARGIN_MS;
    return this.#kernelState === "lines" ? Math.max(wireMs, LINES_DELAY_MS) : wireMs;
  }

  #writeLines(): void {
    if (this.#lines === "") return;
    this.#output.write(this.#lines, this.#lineCount);
    this.#lines = "";
    this.#lineCount = 0;
  }

  /** @returns Now on the axis. */
  #sampleClocks(): number {
    const sample = sampleClocks();
    if (sample) this.#axis.sample(sample.realtimeNs, sample.boottimeNs);
    const boottimeNs = clockNs("boottime");
    return this.#axis.fromBoottime(Number(boottimeNs >> 32n), Number(boottimeNs & 0xffffffffn));
  }

  #isLocalAddress(words: Uint32Array, at: number): boolean {
    if (isLoopback(words, at)) return true;
    return this.#localAddresses.has(words.subarray(at, at + 4).join());
  }

  #refreshAddresses(nowNs: number): void {
    if (nowNs - this.#addressesAtNs < ADDRESSES_MS * 1e6) return;
    this.#addressesAtNs = nowNs;
    this.#localAddresses = new Set(
      [...localAddresses()].flatMap((text) => parseAddress(text)?.join() ?? []),
    );
  }

  /** Takes what is left, ends everything, and writes the summary. @returns It for a person. */
  async finish(): Promise<string> {
    clearTimeout(this.#timer);
    clearTimeout(this.#durationTimer);
    // A packet that is in the ring by now can be drained after this.
    await new Promise((resolve) => setTimeout(resolve, this.#wire.retireTimeoutMs * 2));
    const endNs = this.#sampleClocks();
    this.#fetch();
    const kernelLosses = await this.#kernel?.stop();
    this.#matcher.flush();
    this.#writeLines();
    const wire = this.#wire.statistics();
    this.#wire[Symbol.dispose]();
    await this.#output.flush();
    const { counters } = this.#matcher;
    const losses: Losses = {
      ring_packets: wire.drops,
      ...(kernelLosses && {
        kernel_missed_probes: kernelLosses.missedProbes,
        kernel_map_records: kernelLosses.mapRecords,
        kernel_lines: kernelLosses.lines,
      }),
      half_open_evicted: counters.evicted,
      output_records: this.#output.lost,
      late_kernel_records: counters.lateKernelRecords,
      ...(wire.filterHalfOpen !== undefined && { filter_half_open: wire.filterHalfOpen }),
      unexpected_packets: counters.unexpected,
      undecoded_packets: Object.values(wire.undecoded).reduce((sum, count) => sum + count, 0),
    };
    if (!this.#asText) {
      const { host } = this.#context;
      const { epochSeconds } = this.#axis;
      this.#output.write(
        this.#summary.encode(host, epochSeconds, this.#startNs, endNs, losses),
        0,
      );
    }
    return this.#summary.format(losses);
  }

  /** Ends the kernel's side at once. */
  kill(): void {
    this.#kernel?.kill();
  }
}

/** 127.0.0.0/8 and ::1, which need not be on any interface. */
function isLoopback(words: Uint32Array, at: number): boolean {
  if (words[at] !== 0 || words[at + 1] !== 0) return false;
  return words[at + 2] === 0
    ? words[at + 3] === 1
    : words[at + 2] === 0xffff && words[at + 3] >>> 24 === 127;
}
