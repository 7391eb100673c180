import type { CaptureScope } from "../linux/capture/capture_scope.ts";
import { CgroupPaths } from "../linux/cgroup_paths.ts";
import { Containers } from "../linux/containers.ts";
import { sampleClocks } from "../linux/clocks.ts";
import { inspectProbes, type ProbeInspection } from "../linux/probes/inspect_kernel.ts";
import { type KernelLosses, KernelSource, mayLack } from "../linux/probes/kernel_source.ts";
import type { KernelSourceState } from "../linux/probes/kernel_source.ts";
import { clockNs } from "../linux/libc.ts";
import { ListenerWatch } from "../linux/listeners/listener_watch.ts";
import { NetnsNames } from "../linux/netns/netns_names.ts";
import { LocalAddresses } from "../linux/netns/local_addresses.ts";
import { TraceProcessWatch } from "../linux/process_figures.ts";
import { Places } from "../linux/capture/places.ts";
import type { PacketRingOptions } from "../linux/capture/packet_ring.ts";
import { type ProbeProgram, readProbePrograms } from "../linux/probes/probe_programs.ts";
import { readRetrySettings } from "../linux/retry_settings.ts";
import { setUpTrace } from "../setup/set_up.ts";
import { WireSource, type WireStatistics } from "../linux/capture/wire_source.ts";
import { chooseProbes, type Mechanism } from "../kernel/choose_probes.ts";
import type { KernelRecord } from "../kernel/kernel_record.ts";
import { dropReasonName, reasonName } from "../kernel/reason_names.ts";
import { TcpState } from "../kernel/tcp_state.ts";
import { ClockAxis } from "../match/clock.ts";
import { EarlyWords } from "../match/early_words.ts";
import type { Matcher } from "../match/matcher.ts";
import type { MatcherOptions } from "../match/options.ts";
import { LINUX_RETRY_SETTINGS, retryWaits } from "../match/retry_waits.ts";
import { ServedPorts } from "../match/served_ports.ts";
import type { RecordContext } from "../record/record_context.ts";
import { messageOf } from "../text/message.ts";
import { countReasons, type Losses } from "./losses.ts";
import type { Pipeline } from "./pipeline.ts";
import type { Delivering, Source, SourceCounters, Supervisor } from "./sink.ts";
import { nextTickMs } from "./tick.ts";

/** What of this host to trace, how, and where to. */
export interface LiveSourceOptions {
  /** Where to capture. */
  scope: CaptureScope;
  packetFilter: NonNullable<PacketRingOptions["filter"]>;
  /** How to hook the kernel. */
  probes: Mechanism | "auto" | "none";
  /** Which host this is, and which run of the tool, as records carry it. */
  identity: Pick<RecordContext, "host" | "hostId" | "tracer">;
  pipeline: Pipeline;
  supervisor: Supervisor;
  /**
   * Called once, when each part delivers or is known not to.
   *
   * @param hasKernel Whether kernel events come.
   */
  onReady(hasKernel: boolean): void;
  /** Says in one sentence what is worth knowing. Untrusted text. */
  onNote(sentence: string): void;
}

/** Well below what counts as a step of the clock (`STEP_NS`), so that no interruption looks like one. */
const SAMPLE_WIDTH_MAX_NS = 200_000;
/** How long a block may take to be handed over that should have been after 20 ms. */
const RETIRED_MAX_MS = 2_000;
/**
 * Packets after which the kernel's records are fetched again. A handshake that waits for the kernel's word
 * is one of those that a flood pushes out of the matcher's table, and after a stall a ring holds more SYNs
 * than that has rows.
 */
const UNTOLD_MAX = 8_192;
/** How long bpftrace, which is killed after 10 s, and many rings may take to end. */
const STOP_MAX_MS = 20_000;

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
 * This host as a source of handshakes: fetches packets and kernel records on a timer and hands them to
 * the matcher.
 */
export class LiveSource implements Source {
  readonly context: RecordContext;
  readonly #options: LiveSourceOptions;
  readonly #supervisor: Supervisor;
  readonly #pipeline: Pipeline;
  readonly #axis = new ClockAxis(Number(clockNs("realtime") / 1_000_000_000n));
  readonly #wire: WireSource;
  #kernel: KernelSource | undefined;
  #kernelState: KernelSourceState = "off";
  /** Aborted once nothing more is to be begun. */
  readonly #over = new AbortController();
  readonly #servedPorts = new ServedPorts();
  readonly #matcher: Matcher;
  readonly #earlyWords = new EarlyWords((word) => this.#matcher.kernelRecord(word));
  readonly #startNs: number;
  readonly #scope: CaptureScope;
  readonly #localAddresses = new LocalAddresses();
  readonly #places = new Places((netns) => this.#localAddresses.markStale(netns));
  readonly #listeners = new ListenerWatch({
    nowNs: () => this.#onAxis(clockNs("boottime")),
    places: this.#places,
    addresses: this.#localAddresses,
    onFailure: (error) => this.#supervisor.fail("looking for who listens", error),
  });
  readonly #netnsNames = new NetnsNames();
  readonly #cgroups = new CgroupPaths();
  /** By the tick's clock: each kernel record asks, and to read a clock takes longer than to answer. */
  readonly #containers = new Containers(
    (cgroup) => this.#cgroups.of(cgroup),
    undefined,
    () => this.#tickMs,
  );
  #sampled = false;
  #steppedNs = 0;
  /** Packets and kernel records fetched in this tick. */
  #fetched = 0;
  /** Packets fetched since the last kernel records. */
  #untold = 0;
  /** What was counted last. */
  #kernelLosses: Partial<KernelLosses> | undefined;
  #wireStatistics: WireStatistics | undefined;
  /** When the last tick began, on the axis and by `performance.now()`. */
  #tickNs: number;
  #tickMs = performance.now();
  #timer: ReturnType<typeof setTimeout> | undefined;
  #isReady = false;
  /** When it was ended, and what delivered then. */
  #endNs: number | undefined;
  #delivered: Delivering | undefined;
  readonly #processes = new TraceProcessWatch();

  /**
   * Begins to capture, then starts the kernel's side.
   *
   * @throws {SystemCallError} EPERM without the right to capture.
   */
  constructor(options: LiveSourceOptions) {
    this.#options = options;
    this.#supervisor = options.supervisor;
    const { scope, pipeline } = options;
    this.#scope = scope;
    this.#pipeline = pipeline;
    this.context = {
      ...options.identity,
      interfaceName: (place) => this.#places.nameOf(place),
      netnsOf: (place) => this.#places.netnsOf(place),
      netnsName: (netns) => netns === this.#scope.ownNetns ? "" : this.#netnsNames.of(netns),
      cgroupPath: (id) => this.#cgroups.of(id),
      container: (cgroup) => this.#containers.of(cgroup),
    };
    this.#startNs = this.#tickNs = this.#sampleClocks();
    this.#matcher = pipeline.createMatcher(this.#axis.epochSeconds, {
      isLocalAddress: (words, at) => this.#localAddresses.has(words, at),
      hasServer: (words, at, port, timeNs) =>
        this.#servedPorts.has(port, timeNs) && this.#localAddresses.has(words, at),
      listenerOf: (server) => this.#listeners.find(server),
      isListenerSought: (server) => this.#listeners.isSought(server),
      isContainerSought: ({ cgroup }) => this.#containers.isSought(cgroup),
      listenerAt: (...server) => this.#listeners.at(...server),
      seesServerData: false,
      ...ownWaits(options.probes !== "none"),
    });
    this.#wire = new WireSource({
      scope,
      filter: options.packetFilter,
      axis: this.#axis,
      places: this.#places,
      addresses: this.#localAddresses,
      keepsPackets: pipeline.keepsPackets,
      onSegment: (segment, packet) => {
        this.#fetched++;
        const row = this.#matcher.packet(segment, packet.timeNs, packet.place);
        if (row >= 0) pipeline.keep(row, packet);
        if (++this.#untold >= UNTOLD_MAX) this.#drainKernel();
      },
      onIcmpError: (error, packet) => {
        this.#fetched++;
        const row = this.#matcher.icmpError(error, packet.timeNs);
        if (row >= 0) pipeline.keep(row, packet);
      },
      onNote: options.onNote,
    });
    pipeline.begin(this);
    this.#sayCapturing();
    this.#tick();
    const { probes } = options;
    if (probes === "none") this.#beReady();
    else this.#startKernel(probes);
  }

  /** See {@link Source.epochSeconds}. */
  get epochSeconds(): number {
    return this.#axis.epochSeconds;
  }

  /** Who reads the file tells interfaces apart by their names: most containers have an eth0. */
  interfaceInFile(place: number): string | undefined {
    const name = this.#places.nameOf(place);
    const netns = this.#places.netnsOf(place);
    if (name === undefined || netns === undefined || netns === this.#scope.ownNetns) return name;
    return `${name}@${netns}`;
  }

  /** See {@link Source.hidesData}: the socket's filter does. */
  hidesData(): boolean {
    return true;
  }

  #sayCapturing(): void {
    const { filter } = this.#wire;
    const why = filter.why === undefined ? "" : ` (${filter.why})`;
    const through = filter.kind === "ebpf" ? "the eBPF filter" : `the classic filter${why}`;
    const asked = this.#options.probes === "none" ? "; no kernel events, as asked" : "";
    this.#options.onNote(`capturing packets through ${through}${asked}`);
  }

  /** Looks at what the kernel offers while packets come already, then starts what fits it. */
  async #startKernel(probes: Mechanism | "auto"): Promise<void> {
    const { signal } = this.#over;
    try {
      await setUpTrace(signal, this.#options.onNote);
      const inspection = await inspectProbes(signal);
      const choice = chooseProbes(inspection.facts, probes);
      const { bpftrace } = inspection.facts;
      if (choice.impossible !== undefined || !bpftrace) {
        return this.#goOnAlone(`no kernel events: ${choice.impossible}`);
      }
      const programs = await readProbePrograms(choice.mechanisms, choice.fragments);
      if (signal.aborted) return;
      this.#kernelState = "starting";
      this.#kernel = this.#openKernel(inspection, bpftrace.path, programs);
    } catch (error) {
      const reason = messageOf(error);
      this.#goOnAlone(`Cannot start the kernel's side: ${reason}`);
    }
  }

  #openKernel(
    { dropReasons, resetReasons, optionPlaces }: ProbeInspection,
    executable: string,
    programs: readonly ProbeProgram[],
  ): KernelSource {
    return new KernelSource({
      executable,
      programs,
      optionPlaces,
      decoding: {
        placeBoottime: (high, low) => this.#axis.fromBoottime(high, low),
        dropReason: (number) => dropReasonName(dropReasons, number),
        resetReason: (number) => reasonName(resetReasons, number),
      },
      onRecord: (record) => this.#onKernelRecord(record),
      onChange: (state, sentence) => this.#onKernelChange(state, sentence),
      onNote: this.#options.onNote,
    });
  }

  #goOnAlone(sentence: string): void {
    // What ends because the trace does is no news.
    if (this.#over.signal.aborted) return;
    this.#options.onNote(`${sentence}; going on with packets alone`);
    this.#beReady();
  }

  async #onKernelChange(state: KernelSourceState, sentence: string): Promise<void> {
    this.#kernelState = state;
    this.#servedPorts.toldFrom(Infinity);
    this.#matcher.kernelFellSilent(this.#sampleClocks());
    if (state === "map" || state === "lines") {
      // Not before the script is attached: what begins to listen from then on, it sees itself.
      try {
        await this.#listeners.begin();
        for (const port of this.#listeners.ports()) this.#servedPorts.add(port);
        const isTold = this.#kernelState === state && this.#kernel?.isSilenceTold;
        if (isTold) this.#servedPorts.toldFrom(this.#sampleClocks());
      } catch (error) {
        this.#supervisor.fail("looking for who listens", error);
      }
    }
    if (state === "off") return this.#goOnAlone(sentence);
    this.#options.onNote(sentence);
    if (state !== "starting") this.#beReady();
  }

  #beReady(): void {
    if (this.#isReady) return;
    this.#isReady = true;
    this.#options.onReady(this.#kernelState === "map" || this.#kernelState === "lines");
  }

  #onKernelRecord(record: KernelRecord): void {
    try {
      this.#takeKernelRecord(record);
    } catch (error) {
      this.#supervisor.fail("taking a kernel record", error);
    }
  }

  #takeKernelRecord(record: KernelRecord): void {
    this.#fetched++;
    const { kind } = record;
    if (kind !== "reset" && record.netns !== undefined) this.#scope.hintNamespace(record.netns);
    // Now, for a container's cgroup may be gone when the handshake is reported.
    if (kind !== "reset" && kind !== "dropped") this.#containers.of(record.cgroup);
    if (kind === "listener") {
      this.#listeners.take(record, record.newState === TcpState.Listen);
      this.#servedPorts.add(record.localPort);
    } else {
      if (kind === "server") this.#listeners.use(record);
      this.#earlyWords.take(record);
    }
  }

  /** Fetches, matches and writes once, and plans the next time. What throws ends the trace. */
  #tick(): void {
    let doing = "reading the clocks";
    try {
      // What every source has delivered when this tick is over reaches at least to its start.
      const nowNs = this.#sampleClocks();
      this.#tickMs = performance.now();
      this.#fetched = 0;
      this.#followClock(nowNs);
      doing = "following interfaces and namespaces";
      this.#wire.follow(nowNs);
      this.#listeners.tick(this.#tickMs);
      this.#localAddresses.refresh();
      doing = "fetching packets";
      this.#wire.drain(nowNs);
      doing = "fetching kernel records";
      this.#drainKernel();
      doing = "matching";
      const completeNs = this.#deliveredUntil(nowNs);
      this.#earlyWords.takeUntil(completeNs);
      this.#matcher.advance(completeNs);
      doing = "writing";
      this.#pipeline.flush();
      const waitMs = nextTickMs(this.#fetched, nowNs - this.#tickNs, this.#matcher.concluded);
      this.#tickNs = nowNs;
      this.#timer = setTimeout(() => this.#tick(), waitMs);
    } catch (error) {
      this.#supervisor.fail(doing, error);
    }
  }

  /** Where the kernel's word may be among what was lost, packets decide. */
  #drainKernel(): void {
    this.#untold = 0;
    if (!this.#kernel?.drain()) return;
    const nowNs = this.#sampleClocks();
    this.#servedPorts.lostUntil(nowNs);
    this.#matcher.kernelFellSilent(nowNs);
  }

  /** Packets carry the wall clock's time: the matcher must know when that was set. */
  #followClock(nowNs: number): void {
    const jumpNs = this.#axis.steppedNs - this.#steppedNs;
    if (jumpNs === 0) return;
    this.#steppedNs = this.#axis.steppedNs;
    // What the old time is on, before the matcher hears of the new one.
    this.#wire.drain(Infinity);
    this.#earlyWords.takeUntil(Infinity);
    this.#matcher.clockSet(jumpNs, nowNs);
    this.#listeners.clockSet(jumpNs);
    this.#options.onNote(
      `the system's clock was set by ${(jumpNs / 1e9).toFixed(3)} s: ` +
        "handshakes across that give no durations",
    );
  }

  /** Up to when every source has delivered what it had at a moment. */
  #deliveredUntil(nowNs: number): number {
    const capturedNs = nowNs - this.#wire.delayMs * 1e6;
    return Math.min(capturedNs, this.#kernel?.toldUntil(nowNs) ?? Infinity);
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
   * Takes what is left and ends everything that delivers. Each part is done whatever becomes of the
   * others.
   */
  async finish(): Promise<void> {
    const supervisor = this.#supervisor;
    this.#over.abort();
    clearTimeout(this.#timer);
    this.#delivered = this.#delivering();
    this.#processes.lookLast(this.#kernel?.pid);
    this.#pipeline.hasten();
    await supervisor.attempt("fetching packets", () => this.#drainWhatCame());
    this.#endNs = this.#tickNs;
    await supervisor.attempt("reading the clocks", () => void (this.#endNs = this.#sampleClocks()));
    await supervisor.attempt("fetching kernel records", () => this.#drainKernel());
    await supervisor.attempt("stopping bpftrace", async () => {
      if (this.#kernel === undefined) return;
      this.#kernelLosses = {}; // as long as they are not known
      this.#kernelLosses = await this.#kernel.stop();
    }, STOP_MAX_MS);
    await supervisor.attempt("looking for names of containers", () => this.#containers.settle());
    if (mayLack(this.#kernelLosses)) this.#servedPorts.lostUntil(this.#sampleClocks());
    await supervisor.attempt("matching", () => this.#earlyWords.takeUntil(Infinity));
    await supervisor.attempt("matching", () => this.#matcher.flush());
    this.#pipeline.flush();
    this.#wireStatistics = undefined; // as long as they are not known
    await supervisor.attempt("counting packets", () => {
      this.#wireStatistics = this.#wire.statistics(true);
    });
    await supervisor.attempt("ending the capture", () => this.#wire.close(), STOP_MAX_MS);
    await supervisor.attempt("ending the search for who listens", () => this.#listeners.close());
    await supervisor.attempt("ending the look at cgroups", () => {
      this.#containers.close();
      this.#cgroups[Symbol.dispose]();
    });
  }

  /** Takes each packet that is in a ring by now: a busy machine hands its block over late. */
  async #drainWhatCame(): Promise<void> {
    const { packets, drops } = this.#wire.statistics(true);
    const untilMs = performance.now() + RETIRED_MAX_MS;
    do {
      await new Promise((resolve) => setTimeout(resolve, this.#wire.retireTimeoutMs * 2));
      this.#wire.drain(Infinity);
    } while (this.#wire.taken < packets - drops && performance.now() < untilMs);
  }

  /** See {@link Source.counters}. */
  counters(fresh: boolean): SourceCounters {
    if (this.#endNs === undefined) {
      this.#kernelLosses = fresh ? this.#kernel?.countLosses() : this.#kernel?.losses;
      this.#wireStatistics = this.#wire.statistics(fresh);
    }
    return {
      span: {
        epochSeconds: this.#axis.epochSeconds,
        startNs: this.#startNs,
        endNs: this.#endNs ?? this.#onAxis(clockNs("boottime")),
      },
      losses: this.#losses(),
      undecoded: this.#wireStatistics?.undecoded ?? {},
      underWay: this.#matcher.pending - this.#matcher.concluded,
      delivering: this.#delivered ?? this.#delivering(),
      processes: this.#processes.look(this.#kernel?.pid),
    };
  }

  #delivering(): Delivering {
    return { wire: this.#scope.captured, kernel: this.#kernel?.mechanism ?? "none" };
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
      late_kernel_records: counters.lateKernelRecords,
      late_accepts: counters.lateAccepts,
      ...(wire?.filterHalfOpen !== undefined && { filter_half_open: wire.filterHalfOpen }),
      unexpected_packets: counters.unexpected,
      ...(wire && countReasons(wire.undecoded)),
    };
  }

  /** Whether kernel events came, or were to come. */
  get hasKernel(): boolean {
    return this.#kernelLosses !== undefined;
  }

  /** Ends the kernel's side at once. */
  kill(): void {
    this.#over.abort();
    this.#kernel?.kill();
  }
}
