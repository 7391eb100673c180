import type { TraceState } from "../../pipeline/sink.ts";
import { encodeEvent, encodeQuantiles } from "../../pipeline/summary.ts";
import { type Ranking, type Repetition, RTTS, type Statistics } from "./statistics.ts";
import type { Tally } from "./tally.ts";

/**
 * Encodes statistics as one line of NDJSON, `"event":"statistics"`: what the summary's line holds,
 * and more.
 *
 * @param top Names of each kind to tell.
 */
export function encodeStatistics(
  statistics: Statistics,
  { summary, context, span, losses, undecoded }: TraceState,
  top: number,
): string {
  const { epochSeconds, startNs, endNs } = span;
  return encodeEvent("statistics", context, epochSeconds, endNs, {
    ...summary.members(startNs, endNs, losses, undecoded),
    rtt: Object.fromEntries(RTTS.map((name) => [name, encodeRtt(statistics, name)])),
    repeated: {
      syn: encodeRepetition(statistics.syn),
      syn_ack: encodeRepetition(statistics.synAck),
    },
    servers: encodeRanking("server", statistics.servers(top)),
    clients: encodeRanking("client", statistics.clients(top)),
    processes: encodeRanking("process", statistics.processes(top)),
    containers: encodeRanking("container", statistics.containers(top)),
    cgroups: encodeRanking("cgroup", statistics.cgroups(top)),
    reasons: encodeRanking("reason", statistics.reasons(top)),
  });
}

function encodeRtt(statistics: Statistics, name: typeof RTTS[number]): Record<string, unknown> {
  const { quantiles, buckets } = statistics.rtt(name);
  return {
    count: quantiles.count,
    ...encodeQuantiles(quantiles),
    max_ns: quantiles.max,
    buckets: buckets.map(({ fromNs, toNs, count }) => ({ from_ns: fromNs, to_ns: toNs, count })),
  };
}

function encodeRepetition({ captured, repeated }: Repetition): Record<string, number> {
  return { captured, repeated };
}

function encodeRanking(kind: string, { top, others, names }: Ranking): Record<string, unknown> {
  return {
    different: names,
    top: top.map(({ name, tally, missedMax }) => ({
      [kind]: name,
      ...encodeTally(tally),
      missed_max: missedMax,
    })),
    others: encodeTally(others),
  };
}

function encodeTally(tally: Tally): Record<string, unknown> {
  const { handshakes, established, failures, captured, repeated, clientRtt } = tally;
  return {
    handshakes,
    established,
    failures: Object.fromEntries([...failures].sort()),
    captured,
    repeated,
    client_rtt: { count: clientRtt.count, ...encodeQuantiles(clientRtt) },
  };
}
