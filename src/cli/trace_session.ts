import type { CaptureScope } from "../linux/capture/capture_scope.ts";
import { CgroupPaths } from "../linux/cgroup_paths.ts";
import { sampleClocks } from "../linux/clocks.ts";
import { inspectProbes, type ProbeInspection } from "../linux/probes/inspect_kernel.ts";
import { type KernelLosses, KernelSource, mayLack } from "../linux/probes/kernel_source.ts";
import type { KernelSourceState } from "../linux/probes/kernel_source.ts";
import { clockNs } from "../linux/libc.ts";
import { ListenerWatch } from "../linux/listeners/listener_watch.ts";
import { LocalAddresses } from "../linux/netns/local_addresses.ts";
import { Places } from "../linux/capture/places.ts";
import { readRetrySettings } from "../linux/retry_settings.ts";
import { type ProbeProgram, readProbePrograms } from "../linux/probes/probe_programs.ts";
import type { LineOutput } from "../files/stream_output.ts";
import { hostName } from "../linux/host.ts";
import { sayNote } from "./process/terminal.ts";
import { WireSource, type WireStatistics } from "../linux/capture/wire_source.ts";
import { chooseProbes, type Mechanism } from "../kernel/choose_probes.ts";
import type { KernelRecord } from "../kernel/kernel_record.ts";
import { dropReasonName, reasonName } from "../kernel/reason_names.ts";
import { TcpState } from "../kernel/tcp_state.ts";
import type { MatcherOptions, OnHandshake } from "../match/options.ts";
import { ClockAxis } from "../match/clock.ts";
import { Matcher } from "../match/matcher.ts";
import { LINUX_RETRY_SETTINGS, retryWaits } from "../match/retry_waits.ts";
import { ServedPorts } from "../match/served_ports.ts";
import type { KeptPackets } from "../pcap/kept_packets.ts";
import type { HandshakeFormat } from "../output/handshake_format.ts";
import { countReasons, type Losses } from "../output/summary.ts";
import { setUpTrace } from "../setup/set_up.ts";
import { Elsewhere } from "./elsewhere.ts";
import type { Ending } from "./ending.ts";
import type { HandshakePackets, MakeHandshakePackets } from "./handshake_packets.ts";
import { HandshakeWriter, rotatedAway } from "./handshake_writer.ts";
import { nextTickMs } from "./tick.ts";
import type { TraceOptions } from "./trace_options.ts";

/** What a session needs beside the options. */
export interface TraceSessionOptions {
  options: TraceOptions;
  /** Where to capture. */
  scope: CaptureScope;
  output: LineOutput;
  /** Makes what writes the packets of handshakes; undefined: they go nowhere. */
  keepPackets?: MakeHandshakePackets;
  format: HandshakeFormat;
  /** Asked when the count or the duration asked for is reached, and told what failed. */
  ending: Ending;
  /** Keeps the packets of the handshakes under way, each from its IP header on. */
  kept?: KeptPackets;
  /** Takes each handshake, also one that the filter does not let pass, with its row in `kept`. */
  onHandshake?: OnHandshake;
}

/** Well below what counts as a step of the clock (`STEP_NS`), so that no interruption looks like one. */
const SAMPLE_WIDTH_MAX_NS = 200_000;
/** How long a block may take to be handed over that should have been after 20 ms. */
const RETIRED_MAX_MS = 2_000;
/** How long bpftrace, which is killed after 10 s, and many rings may take to end. */
const STOP_MAX_MS = 20_000;
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
  readonly #ending: Ending;
  readonly #axis = new ClockAxis(Number(clockNs("realtime") / 1_000_000_000n));
  readonly #wire: WireSource;
  #kernel: KernelSource | undefined;
  #kernelState: KernelSourceState = "off";
  /** Aborted once nothing more is to be begun. */
  readonly #over = new AbortController();
  readonly #servedPorts = new ServedPorts();
  readonly #matcher: Matcher;
  readonly #startNs: number;
  readonly #scope: CaptureScope;
  readonly #localAddresses = new LocalAddresses();
  readonly #places = new Places((netns) => this.#localAddresses.suspect(netns));
  readonly #listeners = new ListenerWatch({
    nowNs: () => this.#onAxis(clockNs("boottime")),
    places: this.#places,
    addresses: this.#localAddresses,
    onFailure: (error) => this.#ending.fail("looking for who listens", error),
  });
  readonly #cgroups = new CgroupPaths();
  readonly #writer: HandshakeWriter;
  readonly #packets: HandshakePackets | undefined;
  readonly #elsewhere = new Elsewhere((netns) => this.#scope.captures(netns));
  #sampled = false;
  #steppedNs = 0;
  /** Packets and kernel records fetched in this tick. */
  #fetched = 0;
  /** What was counted last. */
  #kernelLosses: Partial<KernelLosses> | undefined;
  #wireStatistics: WireStatistics | undefined;
  /** When the last tick began. */
  #tickNs: number;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #durationTimer: ReturnType<typeof setTimeout> | undefined;

  /**
   * Begins to capture, then starts the kernel's side.
   * @throws {SystemCallError} EPERM without the right to capture.
   */
  constructor(session: TraceSessionOptions) {
    this.#options = session.options;
    this.#output = session.output;
    this.#ending = session.ending;
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
      onCount: session.ending.ask,
    });
    this.#packets = session.keepPackets?.({
      epochSeconds: () => this.#axis.epochSeconds,
      interfaceName: (place) => this.#nameInFile(place),
    });
    this.#startNs = this.#tickNs = this.#sampleClocks();
    this.#matcher = new Matcher(
      this.#axis.epochSeconds,
      (handshake, row) => {
        try {
          session.onHandshake?.(handshake, row);
          if (!this.#writer.take(handshake)) return;
          this.#elsewhere.take(handshake);
          this.#packets?.write(handshake, row);
        } catch (error) {
          // Not in the midst of the matcher's work.
          session.ending.fail("writing a handshake", error);
        }
      },
      {
        rowKeeper: this.#packets?.rowKeeper ?? session.kept,
        isLocalAddress: (words, at) => this.#localAddresses.has(words, at),
        hasServer: (words, at, port, timeNs) =>
          this.#servedPorts.has(port, timeNs) && this.#localAddresses.has(words, at),
        listenerOf: (server) => this.#listeners.find(server),
        listenerAt: (...server) => this.#listeners.at(...server),
        seesServerData: false,
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
    const { signal } = this.#over;
    try {
      await setUpTrace(signal, sayNote);
      const inspection = await inspectProbes(signal);
      const choice = chooseProbes(inspection.facts, probes);
      const { bpftrace } = inspection.facts;
      if (choice.impossible !== undefined || !bpftrace) {
        this.#goOnAlone(`no kernel events: ${choice.impossible}`);
        return;
      }
      const programs = await readProbePrograms(choice.mechanisms, choice.fragments);
      if (signal.aborted) return;
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
    // What ends because the trace does is no news.
    if (this.#over.signal.aborted) return;
    sayNote(`${sentence}; going on with packets alone`);
    this.#onReady();
  }

  async #onKernelChange(state: KernelSourceState, sentence: string): Promise<void> {
    this.#kernelState = state;
    this.#servedPorts.toldFrom(Infinity);
    if (state === "map" || state === "lines") {
      // Not before the script is attached: what begins to listen from then on, it sees itself.
      try {
        await this.#listeners.begin();
        for (const port of this.#listeners.ports()) this.#servedPorts.add(port);
        const isTold = this.#kernelState === state && this.#kernel?.isSilenceTold;
        if (isTold) this.#servedPorts.toldFrom(this.#sampleClocks());
      } catch (error) {
        this.#ending.fail("looking for who listens", error);
      }
    }
    if (state === "off") return this.#goOnAlone(sentence);
    sayNote(sentence);
    if (state !== "starting") this.#onReady();
  }

  /** Every source delivers, or is known not to. */
  #onReady(): void {
    const { durationMs } = this.#options;
    if (this.#durationTimer !== undefined || durationMs === Infinity) return;
    this.#durationTimer = setTimeout(this.#ending.ask, durationMs);
  }

  #onKernelRecord(record: KernelRecord): void {
    try {
      this.#takeKernelRecord(record);
    } catch (error) {
      this.#ending.fail("taking a kernel record", error);
    }
  }

  #takeKernelRecord(record: KernelRecord): void {
    this.#fetched++;
    if (record.kind !== "reset" && record.netns !== undefined) this.#scope.sighted(record.netns);
    // Now, for a container's cgroup may be gone when the handshake is reported.
    if ("cgroup" in record) this.#cgroups.of(record.cgroup);
    if (record.kind === "listener") {
      this.#listeners.take(record, record.newState === TcpState.Listen);
      this.#servedPorts.add(record.localPort);
    } else {
      if (record.kind === "server") this.#listeners.use(record);
      this.#matcher.kernelRecord(record);
    }
  }

  /** Fetches, matches and writes once, and plans the next time. What throws ends the trace. */
  #tick(): void {
    let doing = "reading the clocks";
    try {
      // What every source has delivered when this tick is over reaches at least to its begin.
      const nowNs = this.#sampleClocks();
      this.#fetched = 0;
      this.#followClock(nowNs);
      doing = "following interfaces and namespaces";
      this.#wire.follow(nowNs);
      this.#listeners.tick();
      this.#localAddresses.refresh();
      doing = "fetching packets";
      this.#wire.drain(nowNs);
      doing = "fetching kernel records";
      this.#drainKernel();
      doing = "matching";
      this.#matcher.advance(nowNs - this.#delayMs() * 1e6);
      doing = "writing";
      this.#writer.flush();
      this.#packets?.flush();
      this.#hint(nowNs);
      const waitMs = nextTickMs(this.#fetched, nowNs - this.#tickNs, this.#matcher.settled);
      this.#tickNs = nowNs;
      this.#timer = setTimeout(() => this.#tick(), waitMs);
    } catch (error) {
      this.#ending.fail(doing, error);
    }
  }

  /** Where the kernel's word may be among what was lost, packets decide. */
  #drainKernel(): void {
    if (this.#kernel?.drain()) this.#servedPorts.lostUntil(this.#sampleClocks());
  }

  /** Says once what is missed for want of a flag. */
  #hint(nowNs: number): void {
    const sentence = this.#elsewhere.hint(nowNs);
    // With `all`, a namespace has come and gone before it could be captured.
    if (sentence !== undefined && !this.#options.namespaces.includes("all")) sayNote(sentence);
  }

  /** Packets carry the wall clock's time: the matcher must know when that was set. */
  #followClock(nowNs: number): void {
    const jumpNs = this.#axis.steppedNs - this.#steppedNs;
    if (jumpNs === 0) return;
    this.#steppedNs = this.#axis.steppedNs;
    // What the old time is on, before the matcher hears of the new one.
    this.#wire.drain(Infinity);
    this.#matcher.clockSet(jumpNs, nowNs);
    this.#listeners.clockSet(jumpNs);
    sayNote(
      `the system's clock was set by ${(jumpNs / 1e9).toFixed(3)} s: ` +
        "handshakes across that give no durations",
    );
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
    return this.#onAxis(boottimeNs);
  }

  #onAxis(boottimeNs: bigint): number {
    return this.#axis.fromBoottime(Number(boottimeNs >> 32n), Number(boottimeNs & 0xffffffffn));
  }

  /**
   * Takes what is left, ends everything, and writes the summary. Each part is done whatever becomes of
   * the others.
   *
   * @returns It for a person; undefined where even that failed.
   */
  async finish(): Promise<string | undefined> {
    const ending = this.#ending;
    this.#over.abort();
    clearTimeout(this.#timer);
    clearTimeout(this.#durationTimer);
    await ending.attempt("writing", () => {
      this.#output.hasten?.();
      this.#packets?.hasten();
    });
    await ending.attempt("fetching packets", () => this.#drainWhatCame());
    let endNs = this.#tickNs;
    await ending.attempt("reading the clocks", () => void (endNs = this.#sampleClocks()));
    await ending.attempt("fetching kernel records", () => this.#drainKernel());
    await ending.attempt("stopping bpftrace", async () => {
      if (this.#kernel === undefined) return;
      this.#kernelLosses = {}; // as long as they are not known
      this.#kernelLosses = await this.#kernel.stop();
    }, STOP_MAX_MS);
    if (mayLack(this.#kernelLosses)) this.#servedPorts.lostUntil(this.#sampleClocks());
    await ending.attempt("matching", () => this.#matcher.flush());
    await ending.attempt("writing", () => this.#writer.flush());
    await ending.attempt("counting packets", () => {
      this.#wireStatistics = this.#wire.statistics();
    });
    await ending.attempt("ending the capture", () => this.#wire.close(), STOP_MAX_MS);
    await ending.attempt("ending the search for who listens", () => this.#listeners.close());
    await ending.attempt("ending the look at cgroups", () => this.#cgroups[Symbol.dispose]());
    const span = { epochSeconds: this.#axis.epochSeconds, startNs: this.#startNs, endNs };
    const { drops = 0, undecoded } = this.#wireStatistics ?? {};
    await ending.attempt("writing packets", async () => {
      this.#packets?.end(span, drops);
      await this.#packets?.settle();
    });
    await this.#flushOutput();
    await ending.attempt("writing", () => this.#writer.end(span, this.#losses(), undecoded));
    await this.#flushOutput();
    const summarize = () => this.#writer.summarize(this.#losses(), undecoded);
    return await ending.attempt("the summary", summarize);
  }

  /** Takes each packet that is in a ring by now: a busy machine hands its block over late. */
  async #drainWhatCame(): Promise<void> {
    const { packets, drops } = this.#wire.statistics();
    const untilMs = performance.now() + RETIRED_MAX_MS;
    do {
      await new Promise((resolve) => setTimeout(resolve, this.#wire.retireTimeoutMs * 2));
      this.#wire.drain(Infinity);
    } while (this.#wire.taken < packets - drops && performance.now() < untilMs);
  }

  async #flushOutput(): Promise<void> {
    await this.#ending.attempt("writing to standard output", () => this.#output.flush());
  }

  /** How it goes so far, for a person. */
  summarize(): string {
    this.#kernelLosses = this.#kernel?.countLosses();
    const { undecoded } = this.#wireStatistics = this.#wire.statistics();
    return this.#writer.summarize(this.#losses(), undecoded);
  }

  /** By what was counted last. */
  #losses(): Losses {
    const { counters } = this.#matcher;
    const wire = this.#wireStatistics;
    const kernel = this.#kernelLosses;
    return {
      ring_packets: wire?.drops,
      ...(wire?.interfaceGaps !== undefined && { interface_gaps: wire.interfaceGaps }),
      ...(this.#scope.hasOthers && { refused_namespaces: this.#scope.refusals }),
      ...(kernel && {
        recursion_misses: kernel.recursionMisses,
        kernel_map_records: kernel.mapRecords,
        kernel_lines: kernel.lines,
        kernel_away_ms: kernel.awayMs && Math.ceil(kernel.awayMs),
      }),
      half_open_evicted: counters.evicted,
      same_tuple_evicted: counters.crowded,
      contradicted_handshakes: counters.contradicted,
      output_records: this.#output.lost,
      ...this.#packets?.losses,
      ...rotatedAway(this.#output),
      ...(kernel && { uncaptured_handshakes: this.#elsewhere.handshakes }),
      late_kernel_records: counters.lateKernelRecords,
      late_accepts: counters.lateAccepts,
      ...(wire?.filterHalfOpen !== undefined && { filter_half_open: wire.filterHalfOpen }),
      unexpected_packets: counters.unexpected,
      ...(wire && countReasons(wire.undecoded)),
    };
  }

  /** Packets that were not decoded, or that decide nothing, by reason, as counted last. */
  undecoded(): Readonly<Record<string, number>> {
    return this.#wireStatistics?.undecoded ?? {};
  }

  /** Whether packets could not be written. */
  get packetsFailed(): boolean {
    return this.#packets?.failed ?? false;
  }

  /** Ends the kernel's side at once. */
  kill(): void {
    this.#over.abort();
    this.#kernel?.kill();
  }
}
