import { type Handshake, ROLES } from "../../match/handshake.ts";
import { hostTimeNs } from "../../match/legs.ts";
import { LOSS_PLACES } from "../../pipeline/losses.ts";
import type { TraceState } from "../../pipeline/sink.ts";
import type { RecordContext } from "../../record/record_context.ts";
import { BucketCounts } from "./bucket_counts.ts";
import { type Labels, type MetricKey, type MetricName, METRICS } from "./names.ts";
import type { Count, Durations } from "./server_counts.ts";
import { ServerTable, type ServerTableOptions } from "./server_table.ts";

/** A number of one set of labels. */
export interface Point extends Readonly<Count> {
  /** Since when it is counted, milliseconds of Unix time. */
  startMs: number;
}

/** The durations of one set of labels. */
export interface DurationPoint extends Durations {
  /** Since when they are counted, milliseconds of Unix time. */
  startMs: number;
}

/** A metric with its values now. */
export interface Family {
  name: MetricName;
  /** The values of a counter or a gauge. */
  points: readonly Point[];
  /** Those of a histogram. */
  durations: readonly DurationPoint[];
}

/** What is known of the process that measures. */
export interface ProcessFigures {
  /** CPU time, seconds. */
  cpuSeconds?: number;
  /** Resident memory, bytes. */
  residentBytes?: number;
  openFiles?: number;
  /** When it began, seconds of Unix time. */
  startSeconds?: number;
}

/** Which sources deliver now. */
export interface SourcesUp {
  /** By name: `wire`, `kernel`, `input`. */
  sources: Readonly<Record<string, boolean>>;
  /** Places of capture that deliver, and that do not; absent where nothing is captured. */
  places?: { up: number; down: number };
}

/** What a {@link MetricsModel} is told when its values are asked for. */
export interface Moment {
  state: TraceState;
  up: SourcesUp;
  process: ProcessFigures;
}

/** What a {@link MetricsModel} goes by. */
export interface MetricsModelOptions extends ServerTableOptions {
  /** Version of the tool. */
  version: string;
  /** Now, milliseconds of Unix time; never falls. */
  now(): number;
}

/** Paths of the fields and levels of a record that are read. */
export const READ_BY_METRICS: readonly string[] = [
  ...["role", "outcome", "reason", "drop.reason", "server.address", "server.port"],
  ...["client.process", "server.process"].flatMap((process) => [
    ...[`${process}.comm`, `${process}.cgroup_path`],
  ]),
  ...["rtt.client_ns", "rtt.server_ns", "rtt.total_ns", "packets.syn", "packets.syn_ack"],
  // Of exemplars.
  "network.community_id",
];

const NO_LABELS: Labels = {};

/** Labels by their value, each the same object every time: a writer remembers what it made of them. */
class LabelsOf {
  readonly #name: keyof Labels;
  readonly #labels = new Map<string, Labels>();

  constructor(name: keyof Labels) {
    this.#name = name;
  }

  get(value: string): Labels {
    let labels = this.#labels.get(value);
    if (labels === undefined) this.#labels.set(value, labels = { [this.#name]: value });
    return labels;
  }
}

/** Everything that is measured of handshakes, in bounded memory. */
export class MetricsModel {
  readonly #options: MetricsModelOptions;
  readonly #servers: ServerTable;
  readonly #startMs: number;
  readonly #byRole: readonly { hostTime: Durations; duration: Durations }[];
  readonly #places = new LabelsOf("place");
  readonly #sources = new LabelsOf("source");
  readonly #states = new LabelsOf("state");
  readonly #version: Labels;
  #nowMs: number;

  /** Counts nothing yet. */
  constructor(options: MetricsModelOptions) {
    this.#options = options;
    this.#nowMs = this.#startMs = options.now();
    this.#servers = new ServerTable(options, this.#startMs);
    this.#version = { version: options.version };
    this.#byRole = ROLES.map((role) => ({
      hostTime: { labels: { role }, buckets: new BucketCounts(options.bounds) },
      duration: { labels: { role }, buckets: new BucketCounts(options.bounds) },
    }));
  }

  /** Asks for the time, which holds until it is asked for again. */
  tick(): void {
    this.#nowMs = this.#options.now();
  }

  /** Takes a handshake; nothing of the object is kept. @param context Knows the paths of cgroups. */
  record(handshake: Handshake, context: Pick<RecordContext, "cgroupPath">): void {
    const nowMs = this.#nowMs;
    this.#servers.of(handshake, context, nowMs).record(handshake, nowMs);
    const { hostTime, duration } = this.#byRole[ROLES.indexOf(handshake.role)];
    hostTime.buckets.record(hostTimeNs(handshake), nowMs, handshake);
    duration.buckets.record(handshake.totalNs, nowMs, handshake);
  }

  /** All metrics with their values now; those that nobody knows are absent. */
  families(moment: Moment): Family[] {
    return [...this.#ofHandshakes(), ...this.#ofTrace(moment), ...this.#ofProcess(moment.process)]
      .filter(({ points, durations }) => points.length + durations.length > 0);
  }

  #ofHandshakes(): Family[] {
    const outcomes: Point[] = [];
    const networkRtt: DurationPoint[] = [];
    const retransmissions: Point[] = [];
    const queueDrops: Point[] = [];
    for (const server of this.#servers.all()) {
      const { startMs } = server;
      for (const { labels, value } of server.outcomes()) outcomes.push({ labels, value, startMs });
      for (const role of server.roles()) {
        const { labels, buckets } = role.networkRtt;
        if (buckets.count > 0) networkRtt.push({ labels, buckets, startMs });
        for (const { labels, value } of [role.syn, role.synAck]) {
          retransmissions.push({ labels, value, startMs });
        }
      }
      const { labels, value } = server.acceptQueueDrops;
      if (value > 0) queueDrops.push({ labels, value, startMs });
    }
    const { hostTime, duration } = this.#ofRoles();
    return [
      family("handshakes", outcomes),
      family("networkRtt", [], networkRtt),
      family("hostTime", [], hostTime),
      family("duration", [], duration),
      family("retransmissions", retransmissions),
      family("acceptQueueDrops", queueDrops),
    ];
  }

  #ofRoles(): { hostTime: DurationPoint[]; duration: DurationPoint[] } {
    const startMs = this.#startMs;
    const known = (durations: readonly Durations[]) =>
      durations.filter(({ buckets }) => buckets.count > 0)
        .map(({ labels, buckets }) => ({ labels, buckets, startMs }));
    return {
      hostTime: known(this.#byRole.map(({ hostTime }) => hostTime)),
      duration: known(this.#byRole.map(({ duration }) => duration)),
    };
  }

  #ofTrace({ state, up }: Moment): Family[] {
    const { losses, summary, underWay, processes } = state;
    const bpftrace = processes?.bpftrace;
    const places = LOSS_PLACES.flatMap(({ name, isLoss }) => {
      const value = losses[name];
      return value === undefined
        ? []
        : [{ isLoss, point: this.#point(this.#places.get(name), value) }];
    });
    const lost = (wanted: boolean) =>
      places.filter(({ isLoss }) => isLoss === wanted).map(({ point }) => point);
    const { handshakes, filtered } = summary;
    const unwritten = losses.output_records;
    const written = unwritten === undefined ? undefined : handshakes - unwritten;
    return [
      family("halfOpen", this.#known(underWay)),
      family("lost", lost(true)),
      family("setAside", lost(false)),
      family(
        "sourceUp",
        Object.entries(up.sources)
          .map(([source, isUp]) => this.#point(this.#sources.get(source), isUp ? 1 : 0)),
      ),
      family(
        "capturePlaces",
        Object.entries(up.places ?? {})
          .map(([state, count]) => this.#point(this.#states.get(state), count)),
      ),
      family("recordsWritten", this.#known(written)),
      family("filtered", this.#known(filtered)),
      family("servers", this.#known(this.#servers.size)),
      family("serversMax", this.#known(this.#options.serversMax)),
      family("bpftraceCpu", this.#known(bpftrace?.cpuSeconds)),
      family("bpftraceMemory", this.#known(bpftrace?.residentBytes)),
      family("buildInfo", [this.#point(this.#version, 1)]),
    ];
  }

  #ofProcess({ cpuSeconds, residentBytes, openFiles, startSeconds }: ProcessFigures): Family[] {
    return [
      family("cpu", this.#known(cpuSeconds)),
      family("memory", this.#known(residentBytes)),
      family("openFiles", this.#known(openFiles)),
      family("startTime", this.#known(startSeconds)),
    ];
  }

  #point(labels: Labels, value: number): Point {
    return { labels, value, startMs: this.#startMs };
  }

  #known(value: number | undefined): Point[] {
    return value === undefined ? [] : [this.#point(NO_LABELS, value)];
  }
}

function family(
  key: MetricKey,
  points: readonly Point[],
  durations: readonly DurationPoint[] = [],
): Family {
  return { name: METRICS[key], points, durations };
}
