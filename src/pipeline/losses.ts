/**
 * Where something can get lost or is set aside, and how it is counted.
 *
 * @module
 */
import { countOf } from "../text/count.ts";
import { DISCARD_NAMES } from "../wire/verdict.ts";

/** A place where something can be lost or set aside, and what it means there. */
export interface LossPlace {
  /** Its name in the summary's JSON. */
  name: string;
  /** Said for a person after the count. */
  meaning: string;
  /** The same after the count 1, where that reads otherwise. */
  one?: string;
  /** Whether it means that a handshake or a part of one may be missing from the output. */
  isLoss: boolean;
}

/** Every place, in the order in which a packet or record passes them. */
export const LOSS_PLACES = [
  {
    name: "capture_packets",
    one: "packet that the capturing host dropped, as the file says",
    meaning: "packets that the capturing host dropped, as the file says",
    isLoss: true,
  },
  {
    name: "ring_packets",
    one: "packet dropped because the capture ring was full",
    meaning: "packets dropped because the capture ring was full",
    isLoss: true,
  },
  {
    name: "interface_gaps",
    one: "gap in the capture on an interface: it was down, gone or made again",
    meaning: "gaps in the capture on an interface: it was down, gone or made again",
    isLoss: true,
  },
  {
    name: "refused_namespaces",
    one: "network namespace whose packets could not be captured",
    meaning: "network namespaces whose packets could not be captured",
    isLoss: true,
  },
  {
    name: "recursion_misses",
    one: "run of a probe that the kernel skipped: one was under way on that CPU already",
    meaning: "runs of a probe that the kernel skipped: one was under way on that CPU already",
    isLoss: true,
  },
  {
    name: "kernel_map_records",
    one: "kernel record dropped because the map was full",
    meaning: "kernel records dropped because the map was full",
    isLoss: true,
  },
  {
    name: "kernel_lines",
    one: "kernel line that bpftrace dropped",
    meaning: "kernel lines that bpftrace dropped",
    isLoss: true,
  },
  {
    name: "kernel_away_ms",
    meaning: "ms without kernel events, while bpftrace was not attached",
    isLoss: true,
  },
  {
    name: "half_open_evicted",
    one: "half-open handshake given up because the table was full",
    meaning: "half-open handshakes given up because the table was full",
    isLoss: true,
  },
  {
    name: "same_tuple_evicted",
    one: "half-open handshake given up because too many had the same addresses and ports",
    meaning: "half-open handshakes given up because too many had the same addresses and ports",
    isLoss: true,
  },
  {
    name: "contradicted_handshakes",
    one: "handshake reported as failed that the kernel called established later",
    meaning: "handshakes reported as failed that the kernel called established later",
    isLoss: true,
  },
  {
    name: "unread_lines",
    one: "line of NDJSON that is no record",
    meaning: "lines of NDJSON that are no records",
    isLoss: true,
  },
  {
    name: "output_records",
    one: "record that could not be written",
    meaning: "records that could not be written",
    isLoss: true,
  },
  {
    name: "kept_handshakes",
    one: "handshake of which --write lacks the first packets: they were kept too long",
    meaning: "handshakes of which --write lacks the first packets: they were kept too long",
    isLoss: true,
  },
  {
    name: "written_packets",
    one: "packet that --write could not write",
    meaning: "packets that --write could not write",
    isLoss: true,
  },
  {
    name: "rotated_records",
    one: "record that rotation removed with an old file, as --rotate-keep asks",
    meaning: "records that rotation removed with old files, as --rotate-keep asks",
    isLoss: false,
  },
  {
    name: "uncaptured_handshakes",
    one: "handshake in a network namespace that was not captured: the kernel alone saw it",
    meaning: "handshakes in network namespaces that were not captured: the kernel alone saw them",
    isLoss: false,
  },
  {
    name: "late_kernel_records",
    one: "kernel record that came after its handshake was reported",
    meaning: "kernel records that came after their handshake was reported",
    isLoss: false,
  },
  {
    name: "late_accepts",
    one: "accept() call that came after its handshake was reported",
    meaning: "accept() calls that came after their handshake was reported",
    isLoss: false,
  },
  {
    name: "filter_half_open",
    one: "half-open flow that the packet filter gave up: a later ACK of it was not captured",
    meaning:
      "half-open flows that the packet filter gave up: a later ACK of theirs was not captured",
    isLoss: false,
  },
  {
    name: "unexpected_packets",
    one: "packet whose numbers fit no handshake under way",
    meaning: "packets whose numbers fit no handshake under way",
    isLoss: false,
  },
  {
    name: "undecoded_packets",
    one: "packet that could not be decoded",
    meaning: "packets that could not be decoded",
    isLoss: false,
  },
  {
    name: "discarded_packets",
    one: "packet that decides nothing: the host that receives it throws it away",
    meaning: "packets that decide nothing: the host that receives them throws them away",
    isLoss: false,
  },
  {
    name: "untimed_packets",
    one: "packet without a valid time in the file",
    meaning: "packets without a valid time in the file",
    isLoss: false,
  },
  {
    name: "disordered_packets",
    one: "packet too far behind newer ones in the file to be put in its order",
    meaning: "packets too far behind newer ones in the file to be put in their order",
    isLoss: false,
  },
  {
    name: "repeated_records",
    one: "record of a handshake that another host's record told before",
    meaning: "records of handshakes that another host's record told before",
    isLoss: false,
  },
  {
    name: "uncompared_records",
    one: "record that was forgotten before those of other hosts came: there were too many",
    meaning: "records that were forgotten before those of other hosts came: there were too many",
    isLoss: false,
  },
] as const satisfies readonly LossPlace[];

/**
 * Says how much was lost or set aside at a place: `3 records that could not be written`.
 *
 * @param number How the number is written.
 */
export function describeLoss(
  { meaning, one }: LossPlace,
  count: number,
  number?: (count: number) => string,
): string {
  return countOf(count, one ?? meaning, meaning, number);
}

/** The name of one of {@link LOSS_PLACES}. */
export type LossName = typeof LOSS_PLACES[number]["name"];

/**
 * Counts by the names of {@link LOSS_PLACES}: undefined where a place could not be counted, absent
 * where there was no such place.
 */
export type Losses = Readonly<Partial<Record<LossName, number | undefined>>>;

/** Adds counts to others: a place that one could not count is not counted. */
export function addLosses(losses: Losses, more: Losses = {}): Losses {
  const sum: Partial<Record<LossName, number | undefined>> = { ...losses };
  for (const name of Object.keys(more) as LossName[]) {
    const [one, other] = [losses[name], more[name]];
    const isUncounted = other === undefined || name in losses && one === undefined;
    sum[name] = isUncounted ? undefined : (one ?? 0) + other;
  }
  return sum;
}

/** What came to some counts since `before`; not counted where one of both is not. */
export function subtractLosses(losses: Losses, before: Losses): Losses {
  const difference: Partial<Record<LossName, number | undefined>> = {};
  for (const name of Object.keys(losses) as LossName[]) {
    const [now, then] = [losses[name], name in before ? before[name] : 0];
    const isCounted = now !== undefined && then !== undefined;
    difference[name] = isCounted ? Math.max(0, now - then) : undefined;
  }
  return difference;
}

/** Counts as members of JSON, in the order of {@link LOSS_PLACES}. */
export function encodeLosses(losses: Losses): Losses {
  return Object.fromEntries(LOSS_PLACES.map(({ name }) => [name, losses[name]]));
}

/**
 * Packets that were not decoded, or that the receiving host throws away, by reason: the names that
 * `VerdictCounts` gives.
 */
export type Undecoded = Readonly<Record<string, number>>;

/** Packets by reason: those that the receiving host throws away, and those not decoded. */
export function splitReasons(reasons: Undecoded): { undecoded: Undecoded; discarded: Undecoded } {
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
  const packets = countOf(sum, "packet decides", "packets decide");
  const list = counts.map(([reason, count]) => `${count} ${reason}`).join(", ");
  return `${packets} nothing: the host that receives ${
    sum === 1 ? "it throws it" : "them throws them"
  } away (${list})`;
}
