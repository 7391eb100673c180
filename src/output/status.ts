import { encodeLosses } from "../pipeline/losses.ts";
import type { TraceState } from "../pipeline/sink.ts";
import { encodeEvent } from "../pipeline/summary.ts";
import { formatTime } from "../text/time.ts";

/** What a status line tells beyond what is counted. */
export interface StatusOptions {
  /** How often a line is written, milliseconds. */
  intervalMs: number;
  /** Version of the tool. */
  version: string;
  /** The flags that say which handshakes are reported, as given: untrusted text. */
  filters: readonly string[];
  /** One of how many handshakes is reported; absent: each. */
  sample?: number;
}

/**
 * Encodes a line of NDJSON, `"event":"status"`, by which who reads later knows what the tracer could see
 * then: which filters it had, what delivered, and what was lost so far.
 *
 * @param written Records that were written here.
 */
export function encodeStatus(
  { summary, context, span, losses, delivering, processes }: TraceState,
  written: number,
  { version, filters, sample = 1 }: StatusOptions,
): string {
  const { epochSeconds, startNs, endNs } = span;
  return encodeEvent("status", context, epochSeconds, endNs, {
    version,
    since: formatTime(epochSeconds, startNs),
    filters,
    sample,
    sources: delivering,
    handshakes: summary.handshakes,
    written,
    losses: encodeLosses(losses),
    processes: processes && {
      synsnoop: encodeUse(processes.synsnoop),
      bpftrace: processes.bpftrace && encodeUse(processes.bpftrace),
    },
  });
}

type ProcessUse = NonNullable<TraceState["processes"]>["synsnoop"];

function encodeUse({ cpuSeconds, residentBytes }: ProcessUse): Record<string, number> {
  return { cpu_ms: Math.round(cpuSeconds * 1_000), resident_bytes: residentBytes };
}
