import type { Handshake, Outcome } from "../match/handshake.ts";
import { DISCARD_NAMES } from "../wire/verdict.ts";
import { jsonString } from "../text/escape.ts";
import { RECORD_VERSION } from "../record/fields.ts";
import { Histogram } from "./histogram.ts";
import { formatDuration, formatTime } from "../text/time.ts";

/** A place where something can be lost or set aside, and what it means there. */
export interface LossPlace {
  /** Its name in the summary's JSON. */
  name: string;
  /** Said for a person after the count. */
  meaning: string;
  /** Whether it means that a handshake or a part of one may be missing from the output. */
  isLoss: boolean;
}

/** Every place, in the order in which a packet or record passes them. */
export const LOSS_PLACES: readonly LossPlace[] = [
  {
    name: "capture_packets",
    meaning: "packets that the capturing host dropped, as the file says",
    isLoss: true,
  },
  {
    name: "ring_packets",
    meaning: "packets dropped because the capture ring was full",
    isLoss: true,
  },
  {
    name: "interface_gaps",
    meaning: "gaps in the capture on an interface: it was down, gone or made again",
    isLoss: true,
  },
  {
    name: "refused_namespaces",
    meaning: "network namespaces whose packets could not be captured",
    isLoss: true,
  },
  {
    name: "recursion_misses",
    meaning: "runs of a probe that the kernel skipped: one was under way on that CPU already",
    isLoss: true,
  },
  {
    name: "kernel_map_records",
    meaning: "kernel records dropped because the map was full",
    isLoss: true,
  },
  { name: "kernel_lines", meaning: "kernel lines that bpftrace dropped", isLoss: true },
  {
    name: "kernel_away_ms",
    meaning: "ms without kernel events, while bpftrace was not attached",
    isLoss: true,
  },
  {
    name: "half_open_evicted",
    meaning: "half-open handshakes given up because the table was full",
    isLoss: true,
  },
  {
    name: "same_tuple_evicted",
    meaning: "half-open handshakes given up because too many had the same addresses and ports",
    isLoss: true,
  },
  {
    name: "contradicted_handshakes",
    meaning: "handshakes reported as failed that the kernel called established later",
    isLoss: true,
  },
  { name: "output_records", meaning: "records that could not be written", isLoss: true },
  {
    name: "kept_handshakes",
    meaning: "handshakes of which --write lacks the first packets: they were kept too long",
    isLoss: true,
  },
  { name: "written_packets", meaning: "packets that --write could not write", isLoss: true },
  {
    name: "rotated_records",
    meaning: "records that rotation removed with old files, as --rotate-keep asks",
    isLoss: false,
  },
  {
    name: "uncaptured_handshakes",
    meaning: "handshakes in network namespaces that were not captured: the kernel alone saw them",
    isLoss: false,
  },
  {
    name: "late_kernel_records",
    meaning: "kernel records that came after their handshake was reported",
    isLoss: false,
  },
  {
    name: "late_accepts",
    meaning: "accept() calls that came after their handshake was reported",
    isLoss: false,
  },
  {
    name: "filter_half_open",
    meaning:
      "half-open flows that the packet filter gave up: a later ACK of theirs was not captured",
    isLoss: false,
  },
  {
    name: "unexpected_packets",
    meaning: "packets whose numbers fit no handshake under way",
    isLoss: false,
  },
  { name: "undecoded_packets", meaning: "packets that could not be decoded", isLoss: false },
  {
    name: "discarded_packets",
    meaning: "packets that decide nothing: the host that receives them throws them away",
    isLoss: false,
  },
  { name: "untimed_packets", meaning: "packets without a valid time in the file", isLoss: false },
  {
    name: "disordered_packets",
    meaning: "packets older than one before them in the file",
    isLoss: false,
  },
];

/**
 * Counts by the names of {@link LOSS_PLACES}: undefined where a place could not be counted, absent
 * where there was no such place.
 */
export type Losses = Readonly<Record<string, number | undefined>>;

/**
 * Packets that were not decoded, or that the receiving host throws away, by reason: the names that
 * `VerdictCounts` gives.
 */
export type Undecoded = Readonly<Record<string, number>>;

/** Packets by reason: those that the receiving host throws away, and those not decoded. */
function splitReasons(reasons: Undecoded): { undecoded: Undecoded; discarded: Undecoded } {
  const entries = Object.entries(reasons);
  const isDiscard = ([reason]: [string, number]) => DISCARD_NAMES.has(reason);
  return {
    undecoded: Object.fromEntries(entries.filter((entry) => !isDiscard(entry))),
    discarded: Object.fromEntries(entries.filter(isDiscard)),
  };
}

/** How many packets were not decoded, and how many are thrown away, as losses. */
export function countReasons(reasons: Undecoded): Losses {
  const { undecoded, discarded } = splitReasons(reasons);
  const sum = (counts: Undecoded) => Object.values(counts).reduce((all, count) => all + count, 0);
  return { undecoded_packets: sum(undecoded), discarded_packets: sum(discarded) };
}

/** Says how many packets decide nothing and why; undefined where there are none. */
export function describeDiscarded(reasons: Undecoded): string | undefined {
  const counts = Object.entries(splitReasons(reasons).discarded);
  if (counts.length === 0) return undefined;
  const sum = counts.reduce((all, [, count]) => all + count, 0);
  const packets = sum === 1 ? "1 packet decides" : `${sum} packets decide`;
  const list = counts.map(([reason, count]) => `${count} ${reason}`).join(", ");
  return `${packets} nothing: the host that receives ${
    sum === 1 ? "it throws it" : "them throws them"
  } away (${list})`;
}

/** The quantiles that are told of a duration: name and share. */
export const QUANTILES = [["p50", 0.5], ["p90", 0.9], ["p99", 0.99]] as const;

/** Counts what was reported, for the words at the end of a trace. */
export class Summary {
  #handshakes = 0;
  #filtered = 0;
  readonly #outcomes = new Map<Outcome, number>();
  readonly #byEvidence = { both: 0, wire_only: 0, kernel_only: 0 };
  readonly #clientRtt = new Histogram();
  readonly #serverRtt = new Histogram();
  /** The kernel's own samples, of handshakes whose packets were not captured. */
  readonly #kernelClientRtt = new Histogram();
  readonly #kernelServerRtt = new Histogram();

  /** Handshakes counted. */
  get handshakes(): number {
    return this.#handshakes;
  }

  /** Takes a handshake that was reported. */
  record(handshake: Handshake): void {
    this.#handshakes++;
    this.#outcomes.set(handshake.outcome, (this.#outcomes.get(handshake.outcome) ?? 0) + 1);
    if (!handshake.kernel) this.#byEvidence.wire_only++;
    else if (!handshake.wire) this.#byEvidence.kernel_only++;
    else this.#byEvidence.both++;
    if (handshake.clientRttNs !== undefined) this.#clientRtt.record(handshake.clientRttNs);
    if (handshake.serverRttNs !== undefined) this.#serverRtt.record(handshake.serverRttNs);
    if (handshake.wire) return;
    const { kernelClientRttNs, kernelServerRttNs } = handshake;
    if (kernelClientRttNs !== undefined) this.#kernelClientRtt.record(kernelClientRttNs);
    if (kernelServerRttNs !== undefined) this.#kernelServerRtt.record(kernelServerRttNs);
  }

  /** Takes a handshake that a filter kept back. */
  recordFiltered(): void {
    this.#filtered++;
  }

  /**
   * Encodes the summary as the last line of NDJSON, `"event":"summary"`.
   *
   * @param startNs When the trace began on the axis. @param endNs When it ended.
   * @param losses Counts by place. @param undecoded Those of undecoded packets apart.
   */
  encode(
    host: string,
    epochSeconds: number,
    startNs: number,
    endNs: number,
    losses: Losses,
    undecoded: Undecoded = {},
  ): string {
    return encodeEvent(
      "summary",
      host,
      epochSeconds,
      endNs,
      this.members(startNs, endNs, losses, undecoded),
    );
  }

  /** What stands in the summary's line behind its head. */
  members(
    startNs: number,
    endNs: number,
    losses: Losses,
    undecoded: Undecoded = {},
  ): Record<string, unknown> {
    const rtt = (histogram: Histogram) => ({
      count: histogram.count,
      ...encodeQuantiles(histogram),
    });
    return {
      duration_ns: endNs - startNs,
      handshakes: this.#handshakes,
      filtered: this.#filtered,
      outcomes: Object.fromEntries([...this.#outcomes].sort()),
      by_evidence: this.#byEvidence,
      rtt: {
        client: rtt(this.#clientRtt),
        server: rtt(this.#serverRtt),
        kernel_client: rtt(this.#kernelClientRtt),
        kernel_server: rtt(this.#kernelServerRtt),
      },
      losses: Object.fromEntries(LOSS_PLACES.map(({ name }) => [name, losses[name]])),
      ...splitReasons(undecoded),
    };
  }

  /** Writes the summary for a person, several lines. */
  format(losses: Losses, undecoded: Undecoded = {}): string {
    const outcomes = [...this.#outcomes].sort((a, b) => b[1] - a[1])
      .map(([outcome, count]) => `${count} ${outcome}`);
    const { both, wire_only, kernel_only } = this.#byEvidence;
    const filtered = this.#filtered > 0 ? ` (${this.#filtered} more kept back by filters)` : "";
    const lines = [
      `${this.#handshakes} ${this.#handshakes === 1 ? "handshake" : "handshakes"}${
        outcomes.length > 0 ? ": " + outcomes.join(", ") : ""
      }` +
      filtered,
      `evidence: ${both} wire and kernel, ${wire_only} wire only, ${kernel_only} kernel only`,
      formatRtt("client RTT", this.#clientRtt),
      formatRtt("server RTT", this.#serverRtt),
      ...[["client", this.#kernelClientRtt] as const, ["server", this.#kernelServerRtt] as const]
        .filter(([, histogram]) => histogram.count > 0)
        .map(([leg, each]) => formatRtt(`${leg} RTT by the kernel, without packets`, each)),
      ...formatLosses(losses),
      ...formatReasons(undecoded),
    ];
    return lines.join("\n") + "\n";
  }
}

/** Quantiles as members of JSON: `p50_ns` and so on, absent where nothing was measured. */
export function encodeQuantiles(histogram: Histogram): Record<string, number | undefined> {
  return Object.fromEntries(
    QUANTILES.map(([name, share]) => [`${name}_ns`, histogram.quantile(share)]),
  );
}

/** Encodes a line of NDJSON that tells of the whole trace, at its end. */
export function encodeEvent(
  event: string,
  host: string,
  epochSeconds: number,
  endNs: number,
  members: Record<string, unknown>,
): string {
  const head = `{"v":${RECORD_VERSION},"event":"${event}","time":"${
    formatTime(epochSeconds, endNs)
  }","host":${jsonString(host)},`;
  return head + JSON.stringify(members).slice(1) + "\n";
}

function formatRtt(name: string, histogram: Histogram): string {
  if (histogram.count === 0) return `${name}: none`;
  const parts = QUANTILES.map(([quantile, share]) =>
    `${quantile} ${formatDuration(histogram.quantile(share)!)}`
  );
  return `${name}: ${parts.join(", ")} (${histogram.count} measured)`;
}

function formatReasons(reasons: Undecoded): string[] {
  const { undecoded, discarded } = splitReasons(reasons);
  return [["not decoded", undecoded], ["thrown away", discarded]].flatMap(([words, counts]) => {
    const list = Object.entries(counts).map(([reason, count]) => `${count} ${reason}`);
    return list.length > 0 ? [`${words}: ${list.join(", ")}`] : [];
  });
}

function formatLosses(losses: Losses): string[] {
  const lines = LOSS_PLACES.filter(({ name }) => (losses[name] ?? 0) > 0)
    .map(({ name, meaning, isLoss }) =>
      `${isLoss ? "lost" : "set aside"}: ${losses[name]} ${meaning}`
    );
  const uncounted = LOSS_PLACES.filter(({ name, isLoss }) =>
    isLoss && name in losses && losses[name] === undefined
  );
  const isComplete = LOSS_PLACES.every(({ name, isLoss }) => !isLoss || !losses[name]);
  if (isComplete) lines.unshift("lost: nothing at any place that was counted");
  for (const { name } of uncounted) lines.push(`not counted: ${name}`);
  return lines;
}
