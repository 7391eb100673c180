import type { CaptureScope } from "../io/capture_scope.ts";
import { CgroupPaths } from "../io/cgroup_paths.ts";
import { sampleClocks } from "../io/clocks.ts";
import { findListeners } from "../io/find_listeners.ts";
import { inspectProbes, type ProbeInspection } from "../io/inspect_kernel.ts";
import { KernelSource, type KernelSourceState } from "../io/kernel_source.ts";
import { clockNs } from "../io/libc.ts";
import { LocalAddresses } from "../io/local_addresses.ts";
import { Places } from "../io/places.ts";
import { readRetrySettings } from "../io/retry_settings.ts";
import { type ProbeProgram, readProbePrograms } from "../io/probe_programs.ts";
import type { PacketOutput } from "../io/packet_output.ts";
import type { LineOutput } from "../io/stream_output.ts";
import { hostName, sayNote } from "../io/terminal.ts";
import { WireSource } from "../io/wire_source.ts";
import { chooseProbes, describeChoice, type Mechanism } from "../kernel/choose_probes.ts";
import type { KernelRecord } from "../kernel/kernel_record.ts";
import { Listeners } from "../kernel/listeners.ts";
import { dropReasonName, reasonName } from "../kernel/reason_names.ts";
import { TcpState } from "../kernel/tcp_state.ts";
import type { MatcherOptions, OnHandshake } from "../match/attempts.ts";
import { ClockAxis } from "../match/clock.ts";
import { Matcher } from "../match/matcher.ts";
import { LINUX_RETRY_SETTINGS, retryWaits } from "../match/retry_waits.ts";
import type { KeptPackets } from "../pcap/kept_packets.ts";
import type { HandshakeFormat } from "../report/handshake_format.ts";
import { countReasons, type Losses } from "../report/summary.ts";
import { HandshakePackets } from "./handshake_packets.ts";
import { HandshakeWriter, rotatedAway } from "./handshake_writer.ts";
import { nextTickMs } from "./tick.ts";
import type { TraceOptions } from "./trace_options.ts";

/** What a session needs beside the options. */
export interface TraceSessionOptions {
  options: TraceOptions;
  /** Where to capture. */
  scope: CaptureScope;
  output: LineOutput;
  /** Where the packets of handshakes go; undefined: nowhere. */
  packetOutput?: PacketOutput;
  format: HandshakeFormat;
  /** Called when the count or the duration asked for is reached. */
  onDone(): void;
  /** Keeps the packets of the handshakes under way, each from its IP header on. */
  kept?: KeptPackets;
  /** Takes each handshake, also one that the filter does not let pass, with its row in `kept`. */
  onHandshake?: OnHandshake;
}

/** Well below what counts as a step of the clock (`STEP_NS`), so that no interruption looks like one. */
const SAMPLE_WIDTH_MAX_NS = 200_000;
/** Printed lines pass through bpftrace and a pipe. */
const LINES_DELAY_MS = 100;

/** How long what this host sends again is waited for, by its own settings. */
function ownWaits(withKernel: boolean): MatcherOptions {
  const own = retryWaits(readRetrySettings());
  const usual = retryWaits(LINUX_RETRY_SETTINGS);
  return {
    // When a client here gives up, which its program may have chosen, the kernel tells itself.
    ownUnansweredNs: Math.max(own.unansweredNs, withKernel ? usual.unansweredNs : 0),
    ownHalfOpenNs: own.halfOpenNs,
  };
}

/**
 * One trace from its first packet to its summary: fetches packets and kernel records on a timer,
 * hands them to the matcher, and writes what comes out.
 */
export class TraceSession {
  readonly #options: TraceOptions;
  readonly #output: LineOutput;
  readonly #onDone: () => void;
  readonly #axis = new ClockAxis(Number(clockNs("realtime") / 1_000_000_000n));
  readonly #wire: WireSource;
  #kernel: KernelSource | undefined;
  #kernelState: KernelSourceState = "off";
  readonly #ending = new AbortController();
  readonly #listeners = new Listeners();
  readonly #matcher: Matcher;
  readonly #startNs: number;
  readonly #scope: CaptureScope;
  readonly #localAddresses = new LocalAddresses();
  readonly #places = new Places((netns) => this.#localAddresses.suspect(netns));
  readonly #cgroups = new CgroupPaths();
  readonly #writer: HandshakeWriter;
  readonly #packets: HandshakePackets | undefined;
  #sampled = false;
  #steppedNs = 0;
  /** Packets and kernel records fetched in this tick. */
  #fetched = 0;
  /** When the last tick began. */
  #tickNs: number;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #durationTimer: ReturnType<typeof setTimeout> | undefined;

  /**
   * Begins to capture, then starts the kernel's side.
   *
   * @throws {SystemCallError} EPERM without the right to capture.
   */
  constructor(session: TraceSessionOptions) {
    this.#options = session.options;
    this.#output = session.output;
    this.#onDone = session.onDone;
    this.#writer = new HandshakeWriter({
      filter: {
        ...session.options.filter,
        captured: session.scope.interfaces.length > 0,
      },
      count: session.options.count,
      output: session.output,
      format: session.format,
      context: {
        host: hostName(),
        interfaceName: (place) => this.#places.nameOf(place),
        netnsOf: (place) => this.#places.netnsOf(place),
        cgroupPath: (id) => this.#cgroups.of(id),
      },
      onCount: session.onDone,
    });
    this.#packets = session.packetOutput && new HandshakePackets(session.packetOutput, {
      epochSeconds: () => this.#axis.epochSeconds,
      interfaceName: (place) => this.#nameInFile(place),
    });
    this.#startNs = this.#tickNs = this.#sampleClocks();
    this.#matcher = new Matcher(
      this.#axis.epochSeconds,
      (handshake, row) => {
        session.onHandshake?.(handshake, row);
        if (this.#writer.take(handshake)) this.#packets?.write(handshake, row);
      },
      {
        rowKeeper: this.#packets?.rowKeeper ?? session.kept,
        isLocalAddress: (words, at) => this.#localAddresses.has(words, at),
        listenerOf: (server) => this.#listeners.find(server),
        ...ownWaits(session.options.probes !== "none"),
      },
    );
    this.#scope = session.scope;
    this.#wire = new WireSource({
      scope: session.scope,
      filter: session.options.packetFilter,
      axis: this.#axis,
      places: this.#places,
      addresses: this.#localAddresses,
      keepsPackets: (this.#packets ?? session.kept) !== undefined,
      onSegment: (segment, packet) => {
        this.#fetched++;
        const row = this.#matcher.packet(segment, packet.timeNs, packet.place);
        if (row >= 0) (this.#packets ?? session.kept)?.keep(row, packet);
      },
      onIcmpError: (error, packet) => {
        this.#fetched++;
        const row = this.#matcher.icmpError(error, packet.timeNs);
        if (row >= 0) (this.#packets ?? session.kept)?.keep(row, packet);
      },
      onNote: sayNote,
    });
    this.#sayCapturing();
    this.#tick();
    const { probes } = session.options;
    if (probes === "none") this.#onReady();
    else this.#startKernel(probes);
  }

  /** The name of the interface of a place where packets were captured; untrusted text. */
  interfaceName(place: number): string | undefined {
    return this.#places.nameOf(place);
  }

  /** Who reads the file tells interfaces apart by their names: most containers have an eth0. */
  #nameInFile(place: number): string | undefined {
    const name = this.#places.nameOf(place);
    const netns = this.#places.netnsOf(place);
    if (name === undefined || netns === undefined || netns === this.#scope.ownNetns) return name;
    return `${name}@${netns}`;
  }

  #sayCapturing(): void {
    const { filter } = this.#wire;
    const why = filter.why === undefined ? "" : ` (${filter.why})`;
    const through = filter.kind === "ebpf" ? "the eBPF filter" : `the classic filter${why}`;
    const asked = this.#options.probes === "none" ? "; no kernel events, as asked" : "";
    sayNote(`capturing packets through ${through}${asked}`);
  }

  /** Looks at what the kernel offers while packets come already, then starts what fits it. */
  async #startKernel(probes: Mechanism | "auto"): Promise<void> {
    try {
      const inspection = await inspectProbes(this.#ending.signal);
      const choice = chooseProbes(inspection.facts, probes);
      const { bpftrace } = inspection.facts;
      if (choice.impossible !== undefined || !bpftrace) {
        this.#goOnAlone(`no kernel events: ${choice.impossible}`);
        return;
      }
      const programs = await readProbePrograms(choice.mechanisms, choice.fragments);
      if (this.#ending.signal.aborted) return;
      sayNote(describeChoice(choice));
      this.#kernelState = "starting";
      this.#kernel = this.#openKernel(inspection, bpftrace.path, programs);
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      this.#goOnAlone(`Cannot start the kernel's side: ${reason}`);
    }
  }

  #openKernel(
    { dropReasons, resetReasons }: ProbeInspection,
    executable: string,
    programs: readonly ProbeProgram[],
  ): KernelSource {
    return new KernelSource({
      executable,
      programs,
      decoding: {
        placeBoottime: (high, low) => this.#axis.fromBoottime(high, low),
        dropReason: (number) => dropReasonName(dropReasons, number),
        resetReason: (number) => reasonName(resetReasons, number),
      },
      onRecord: (record) => this.#onKernelRecord(record),
      onChange: (state, sentence) => this.#onKernelChange(state, sentence),
      onNote: sayNote,
    });
  }

  #goOnAlone(sentence: string): void {
    sayNote(`${sentence}; going on with packets alone`);
    this.#onReady();
  }

  async #onKernelChange(state: KernelSourceState, sentence: string): Promise<void> {
    this.#kernelState = state;
    // Who began or ended to listen while no event came is not known: they are looked for again.
    if (state === "starting") this.#listeners.closeAll(this.#sampleClocks());
    if (state === "map" || state === "lines") {
      // Not before the script is attached: what begins to listen from then on, it sees itself.
      for (const listener of await findListeners()) this.#listeners.add(listener);
    }
    if (state === "off") return this.#goOnAlone(sentence);
    sayNote(sentence);
    if (state !== "starting") this.#onReady();
  }

  /** Every source delivers, or is known not to. */
  #onReady(): void {
    const { durationMs } = this.#options;
    if (this.#durationTimer !== undefined || durationMs === Infinity) return;
    this.#durationTimer = setTimeout(this.#onDone, durationMs);
  }

  #onKernelRecord(record: KernelRecord): void {
    this.#fetched++;
    if (record.kind !== "reset" && record.netns !== undefined) this.#scope.sighted(record.netns);
    // Now, for a container's cgroup may be gone when the handshake is reported.
    if ("cgroup" in record) this.#cgroups.of(record.cgroup);
    if (record.kind === "listener") {
      this.#listeners.take(record, record.newState === TcpState.Listen);
    } else {
      this.#matcher.kernelRecord(record);
    }
  }

  /** Fetches, matches and writes once, and plans the next time. */
  #tick(): void {
    // What every source has delivered when this tick is over reaches at least to its begin.
    const nowNs = this.#sampleClocks();
    this.#fetched = 0;
    this.#followClock(nowNs);
    this.#wire.follow();
    this.#localAddresses.refresh();
    this.#fetch(nowNs);
    this.#matcher.advance(nowNs - this.#delayMs() * 1e6);
    this.#writer.flush();
    this.#packets?.flush();
    for (const error of this.#wire.takeErrors()) sayNote(error);
    const waitMs = nextTickMs(this.#fetched, nowNs - this.#tickNs, this.#matcher.settled);
    this.#tickNs = nowNs;
    this.#timer = setTimeout(() => this.#tick(), waitMs);
  }

  /** Packets carry the wall clock's time: the matcher must know when that was set. */
  #followClock(nowNs: number): void {
    const jumpNs = this.#axis.steppedNs - this.#steppedNs;
    if (jumpNs === 0) return;
    this.#steppedNs = this.#axis.steppedNs;
    // What the old time is on, before the matcher hears of the new one.
    this.#wire.drain(Infinity);
    this.#matcher.clockSet(jumpNs, nowNs);
    sayNote(
      `the system's clock was set by ${(jumpNs / 1e9).toFixed(3)} s: ` +
        "handshakes across that give no durations",
    );
  }

  #fetch(nowNs: number): void {
    this.#wire.drain(nowNs);
    this.#kernel?.drain();
  }

  #delayMs(): number {
    const { delayMs } = this.#wire;
    return this.#kernelState === "lines" ? Math.max(delayMs, LINES_DELAY_MS) : delayMs;
  }

  /** @returns Now on the axis. */
  #sampleClocks(): number {
    const { realtimeNs, boottimeNs, widthNs } = sampleClocks();
    // An interrupted sample is worse than the last one; only the very first is better than none.
    if (!this.#sampled || widthNs <= SAMPLE_WIDTH_MAX_NS) this.#axis.sample(realtimeNs, boottimeNs);
    this.#sampled = true;
    return this.#axis.fromBoottime(Number(boottimeNs >> 32n), Number(boottimeNs & 0xffffffffn));
  }

  /** Takes what is left, ends everything, and writes the summary. @returns It for a person. */
  async finish(): Promise<string> {
    this.#ending.abort();
    clearTimeout(this.#timer);
    clearTimeout(this.#durationTimer);
    this.#output.hasten?.();
    this.#packets?.hasten();
    // A packet that is in the ring by now can be drained after this.
    await new Promise((resolve) => setTimeout(resolve, this.#wire.retireTimeoutMs * 2));
    const endNs = this.#sampleClocks();
    this.#fetch(Infinity);
    const kernelLosses = await this.#kernel?.stop();
    this.#matcher.flush();
    this.#writer.flush();
    const wire = this.#wire.statistics();
    await this.#wire.close();
    this.#cgroups[Symbol.dispose]();
    const span = { epochSeconds: this.#axis.epochSeconds, startNs: this.#startNs, endNs };
    this.#packets?.end(span, wire.drops);
    await Promise.all([this.#output.flush(), this.#packets?.settle()]);
    const { counters } = this.#matcher;
    const losses: Losses = {
      ring_packets: wire.drops,
      ...(this.#scope.hasOthers && { refused_namespaces: this.#scope.refusals }),
      ...(kernelLosses && {
        kernel_missed_probes: kernelLosses.missedProbes,
        kernel_map_records: kernelLosses.mapRecords,
        kernel_lines: kernelLosses.lines,
        kernel_away_ms: Math.ceil(kernelLosses.awayMs),
      }),
      half_open_evicted: counters.evicted,
      output_records: this.#output.lost,
      ...this.#packets?.losses,
      ...rotatedAway(this.#output),
      late_kernel_records: counters.lateKernelRecords,
      late_accepts: counters.lateAccepts,
      ...(wire.filterHalfOpen !== undefined && { filter_half_open: wire.filterHalfOpen }),
      unexpected_packets: counters.unexpected,
      ...countReasons(wire.undecoded),
    };
    this.#writer.end(span, losses, wire.undecoded);
    await this.#output.flush();
    const written = { ...losses, output_records: this.#output.lost };
    return this.#writer.summarize(written, wire.undecoded);
  }

  /** Whether packets could not be written. */
  get packetsFailed(): boolean {
    return this.#packets?.failed ?? false;
  }

  /** Ends the kernel's side at once. */
  kill(): void {
    this.#ending.abort();
    this.#kernel?.kill();
  }
}
