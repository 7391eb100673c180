import type { Handshake, Outcome } from "../match/handshake.ts";
import { countOf } from "../text/count.ts";
import { jsonString, jsonText } from "../text/escape.ts";
import { RECORD_VERSION } from "../record/fields.ts";
import type { RecordContext } from "../record/record_context.ts";
import { formatDuration, formatTime } from "../text/time.ts";
import { Histogram } from "./histogram.ts";
import {
  describeLoss,
  encodeLosses,
  LOSS_PLACES,
  type Losses,
  splitReasons,
  type Undecoded,
} from "./losses.ts";

/** The quantiles that are told of a duration: name and share. */
export const QUANTILES = [["p50", 0.5], ["p90", 0.9], ["p99", 0.99]] as const;

/** Paths of the fields of a record that the summary reads. */
export const READ_BY_SUMMARY: readonly string[] = [
  ...["outcome", "evidence"],
  ...["rtt.client_ns", "rtt.server_ns", "rtt.kernel_client_ns", "rtt.kernel_server_ns"],
];

/** Which host and which run of the tool a line is of. */
export type EventContext = Pick<RecordContext, "host" | "hostId" | "tracer">;

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

  /** Takes some handshakes that a filter kept back. */
  recordFiltered(count = 1): void {
    this.#filtered += count;
  }

  /** Handshakes that a filter kept back. */
  get filtered(): number {
    return this.#filtered;
  }

  /**
   * Encodes the summary as the last line of NDJSON, `"event":"summary"`.
   *
   * @param startNs When the trace began on the axis. @param endNs When it ended.
   * @param losses Counts by place. @param undecoded Those of undecoded packets apart.
   */
  encode(
    context: EventContext,
    epochSeconds: number,
    startNs: number,
    endNs: number,
    losses: Losses,
    undecoded: Undecoded = {},
  ): string {
    return encodeEvent(
      "summary",
      context,
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
      losses: encodeLosses(losses),
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
      `${countOf(this.#handshakes, "handshake")}${
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

/** Encodes a line of NDJSON that tells of a whole trace. @param endNs Its time on the axis. */
export function encodeEvent(
  event: string,
  { host, hostId, tracer }: EventContext,
  epochSeconds: number,
  endNs: number,
  members: Record<string, unknown>,
): string {
  const head = `{"v":${RECORD_VERSION},"event":"${event}","time":"${
    formatTime(epochSeconds, endNs)
  }","host":${jsonString(host)},`;
  const told = { host_id: hostId, tracer, ...members };
  return head + jsonText(told).slice(1) + "\n";
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
    .map((place) =>
      `${place.isLoss ? "lost" : "set aside"}: ${describeLoss(place, losses[place.name]!)}`
    );
  const uncounted = LOSS_PLACES.filter(({ name, isLoss }) =>
    isLoss && name in losses && losses[name] === undefined
  );
  const isComplete = LOSS_PLACES.every(({ name, isLoss }) => !isLoss || !losses[name]);
  if (isComplete) lines.unshift("lost: nothing at any place that was counted");
  for (const { name } of uncounted) lines.push(`not counted: ${name}`);
  return lines;
}
