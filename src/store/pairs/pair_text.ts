/**
 * Pairs and clocks as NDJSON, and as tables for people.
 *
 * @module
 */
import { RECORD_VERSION } from "../../record/fields.ts";
import { jsonText } from "../../text/escape.ts";
import { formatTime } from "../../text/time.ts";
import { type Answer, formatTable } from "../query/answer_text.ts";
import type { Value } from "../query/duckdb.ts";
import type { AnswerColumn, AnswerKind } from "../query/questions.ts";
import type { ClockWindow } from "./clocks.ts";
import type { DelayChange } from "./delay_changes.ts";
import { type Clocks, isUnjoined, PAIR_COLUMNS, type Path } from "./found_pairs.ts";
import { compare } from "./hosts.ts";

/** Writes a row of a pair as a line, `"event":"pair"`. */
export function pairLine(row: readonly Value[]): string {
  const of = Object.fromEntries(PAIR_COLUMNS.map((name, at) => [name, row[at]]));
  const end = (side: "client" | "server") => ({
    address: of[`${side}_address`],
    port: of[`${side}_port`],
    isn: of[side === "client" ? "x" : "y"] ?? undefined,
    ...of[`${side}_outcome`] !== null && {
      host: of[`${side}_host`],
      time: formatMoment(of[`${side}_t`]),
      outcome: of[`${side}_outcome`],
      reason: of[`${side}_reason`] ?? undefined,
      syn: of[`${side}_syn`],
      syn_ack: of[`${side}_syn_ack`],
    },
  });
  return jsonText({
    v: RECORD_VERSION,
    event: "pair",
    time: formatMoment(of.client_t ?? of.server_t),
    tier: of.tier ?? undefined,
    verdict: of.verdict,
    client: end("client"),
    server: end("server"),
    syns_lost: of.syns_lost ?? undefined,
    syn_acks_lost: of.syn_acks_lost ?? undefined,
    network_rtt_ns: of.network_rtt_ns ?? undefined,
  }) + "\n";
}

/** Writes the minutes of two clocks as lines, `"event":"clock"`, and `"delay_change"` of their ways. */
export function clockLines({ one, other, windows, changes }: Clocks): string {
  const minutes = windows.map((window) =>
    jsonText({
      v: RECORD_VERSION,
      event: "clock",
      time: formatMoment(String(window.atNs)),
      host: one,
      other_host: other,
      // Where a clock was set within the minute, nothing is known of it but that.
      ...window.uncertaintyNs >= 0 && {
        offset_ns: window.offsetNs,
        uncertainty_ns: window.uncertaintyNs,
      },
      drift_ppb: window.driftPpb,
      stepped: window.stepped,
      packets_seen: window.packets,
    }) + "\n"
  );
  const delays = changes.map(({ atNs, isToOther, byNs }) =>
    jsonText({
      v: RECORD_VERSION,
      event: "delay_change",
      time: formatMoment(String(atNs)),
      host: isToOther ? one : other,
      to_host: isToOther ? other : one,
      by_ns: byNs,
    }) + "\n"
  );
  return [...minutes, ...delays].join("");
}

/** What a table shows of two clocks, however many minutes there are. */
export interface LastOfClocks {
  one: string;
  other: string;
  /** The last minute that has bounds, else the last one; undefined: there is none. */
  window: ClockWindow | undefined;
  /** How often one was set. */
  steps: number;
  changes: readonly DelayChange[];
}

/** Takes of clocks what a table shows of them. */
export function lastOfClocks({ one, other, windows, changes }: Clocks): LastOfClocks {
  const window = windows.findLast(({ uncertaintyNs }) => uncertaintyNs >= 0) ?? windows.at(-1);
  return { one, other, window, steps: windows.filter(({ stepped }) => stepped).length, changes };
}

/**
 * Says of which two hosts nothing could be joined though each told of handshakes with the other: what is
 * lost between them is not known, for it may have come with other numbers.
 */
export function describeUnjoined(paths: readonly Path[]): string[] {
  return paths.filter(isUnjoined).map(({ clientHost, serverHost, handshakes, verdicts }) => {
    const ofServer = new Map(verdicts).get("client_end_not_seen") ?? 0;
    return `${clientHost} told of ${handshakes - ofServer} handshakes with ${serverHost}, ` +
      `${serverHost} of ${ofServer}, and no two fit: a firewall or proxy on the way may rewrite initial ` +
      "sequence numbers, so that what was lost between them is not known";
  });
}

/** Tables of paths, of verdicts and of clocks. */
export function pairTables(paths: readonly Path[], told: readonly LastOfClocks[]): string {
  const clocks = told.toSorted((a, b) => compare(a.one, b.one) || compare(a.other, b.other));
  const windows = windowTable(clocks);
  const tables = [pathTable(paths), verdictTable(paths), windows, changeTable(clocks)];
  const text = tables.filter((table) => table !== undefined).join("\n");
  return windows === undefined ? text : `${text}\n${ALWAYS_THERE}\n`;
}

function pathTable(paths: readonly Path[]): string {
  return table(
    paths.map((path) => [
      path.clientHost,
      path.serverHost,
      path.handshakes,
      path.paired,
      path.synsLost,
      path.synAcksLost,
      path.networkRttP50Ns,
      path.networkRttP99Ns,
      path.forwardWaitP99Ns,
      path.backWaitP99Ns,
    ]),
    ["client", "text"],
    ["server", "text"],
    ["handshakes", "count"],
    ["paired", "count"],
    ["syns_lost", "count"],
    ["syn_acks_lost", "count"],
    ["network_rtt_p50_ns", "ns"],
    ["p99_ns", "ns"],
    ["wait_there_p99_ns", "ns"],
    ["wait_back_p99_ns", "ns"],
  );
}

function verdictTable(paths: readonly Path[]): string {
  return table(
    paths.flatMap(({ clientHost, serverHost, verdicts }) =>
      verdicts.map(([verdict, count]) => [clientHost, serverHost, verdict, count])
    ),
    ["client", "text"],
    ["server", "text"],
    ["verdict", "text"],
    ["handshakes", "count"],
  );
}

/** How far clocks are apart; undefined where there is none of which that is told. */
function windowTable(clocks: readonly LastOfClocks[]): string | undefined {
  const last = clocks.flatMap(({ one, other, window, steps }) =>
    window === undefined ? [] : [[
      other,
      one,
      formatMoment(String(window.atNs)),
      window.uncertaintyNs < 0 ? null : window.offsetNs,
      window.uncertaintyNs < 0 ? null : window.uncertaintyNs,
      window.driftPpb === undefined ? null : window.driftPpb / 1_000,
      steps,
    ]]
  );
  if (last.length === 0) return undefined;
  return table(
    last,
    ["clock_of", "text"],
    ["ahead_of", "text"],
    ["at", "time"],
    ["by_ns", "ns"],
    ["give_or_take_ns", "ns"],
    ["drift_ppm", "number"],
    ["steps", "count"],
  );
}

/** Ways that take longer or less long since some moment; undefined where there is none. */
function changeTable(clocks: readonly LastOfClocks[]): string | undefined {
  const changes = clocks.flatMap(({ one, other, changes }) =>
    changes.map(({ atNs, isToOther, byNs }) => [
      ...isToOther ? [one, other] : [other, one],
      formatMoment(String(atNs)),
      byNs < 0 ? "less long" : "longer",
      Math.abs(byNs),
    ])
  );
  if (changes.length === 0) return undefined;
  return table(
    changes,
    ["way_from", "text"],
    ["to", "text"],
    ["since", "time"],
    ["takes", "text"],
    ["by_ns", "ns"],
  );
}

/** What no clocks tell. */
const ALWAYS_THERE =
  "A delay of one direction that was always there cannot be told from the clocks: it is within give " +
  "or take.";

function table(
  rows: Answer["rows"],
  ...columns: readonly (readonly [name: string, kind: AnswerKind])[]
): string {
  return formatTable({
    columns: columns.map(([name, kind]): AnswerColumn => ({ name, kind })),
    rows,
  });
}

/** A moment of nanoseconds since 1970, which may come as text: a number does not hold all of them. */
export function formatMoment(ns: Value): string {
  const whole = BigInt(typeof ns === "string" ? ns : Math.round(Number(ns)));
  return formatTime(Number(whole / 1_000_000_000n), Number(whole % 1_000_000_000n));
}
