/**
 * What `pairs --json` says of a made-up fleet, held against the truth of it.
 *
 * @module
 */
import type { Verdict } from "../../src/match/both_ends.ts";
import { formatTime } from "../../src/text/time.ts";
import { EPOCH_SECONDS } from "../unit/record/sample_handshakes.ts";
import { aheadOf, type Fate, type Host } from "./made_pairs.ts";

/** A line of `pairs --json`: of a pair, else of a clock. */
export interface PairLine {
  event: "pair" | "clock" | "delay_change";
  time: string;
  tier?: number;
  verdict: Verdict;
  client: EndLine;
  server: EndLine;
  syns_lost?: number;
  syn_acks_lost?: number;
  network_rtt_ns?: number;
  host: string;
  other_host: string;
  offset_ns: number | undefined;
  uncertainty_ns: number;
  drift_ppb: number;
  stepped: boolean;
}

interface EndLine {
  isn: number;
  port: number;
  host?: string;
  time?: string;
  syn: number;
  syn_ack: number;
}

/** Verdicts that claim nothing. */
const WITHHELD: readonly Verdict[] = ["server_end_not_seen", "client_end_not_seen"];
/** What rounding of the two clocks and of the middle of the bounds may add, nanoseconds. */
const ROUNDING_NS = 3;
const MINUTE_NS = 60e9;

/** How an answer differs from the truth. */
export interface PairFaults {
  /** Pairs that both ends told of, and that were found. */
  truePairs: number;
  found: number;
  /** Pairs of two records that are not one handshake, and pairs that were not found. */
  wrong: number;
  missed: number;
  /** Handshakes with another verdict than theirs, those with none, lost packets and round trips that differ. */
  wrongVerdicts: number;
  withheld: number;
  wrongLosses: number;
  wrongRoundTrips: number;
  /** Minutes of two clocks, those without bounds, and those whose bounds do not hold the truth. */
  windows: number;
  unknownWindows: number;
  wrongWindows: number;
  /** Steps that were told at two clocks, by their names, with how far the minute's start is from the truth. */
  steps: { hosts: string; secondsOff: number }[];
  /** Ways that are said to have changed: none does. */
  changes: number;
}

/** The truth of many handshakes, as numbers: objects of a million would take too much memory. */
export class PairTruth {
  readonly #hosts: readonly Host[];
  readonly #places = new Map<number, number[]>();
  readonly #fates: Fate[] = [];

  constructor(hosts: readonly Host[]) {
    this.#hosts = hosts;
  }

  /** Adds a handshake. */
  add(fate: Fate): void {
    const key = keyOf(fate);
    const places = this.#places.get(key);
    if (places === undefined) this.#places.set(key, [this.#fates.length]);
    else places.push(this.#fates.length);
    this.#fates.push(fate);
  }

  /** Holds the lines of an answer against it. */
  async check(lines: AsyncIterable<string>): Promise<PairFaults> {
    const faults: PairFaults = {
      truePairs: this.#fates.filter(({ serverNs }) => serverNs !== undefined).length,
      ...{ found: 0, wrong: 0, missed: 0, wrongVerdicts: 0, withheld: 0, wrongLosses: 0 },
      ...{
        wrongRoundTrips: 0,
        windows: 0,
        unknownWindows: 0,
        wrongWindows: 0,
        steps: [],
        changes: 0,
      },
    };
    for await (const line of lines) {
      const told = JSON.parse(line);
      if (told.event === "clock") this.#checkWindow(told, faults);
      else if (told.event === "delay_change") faults.changes++;
      else this.#checkPair(told, faults);
    }
    faults.missed = faults.truePairs - faults.found;
    return faults;
  }

  #checkPair(told: PairLine, faults: PairFaults): void {
    const { client, server, verdict } = told;
    if (WITHHELD.includes(verdict)) {
      faults.withheld++;
      return;
    }
    const places = this.#places.get(keyOf(client)) ?? [];
    const fate = places.map((at) => this.#fates[at]).find(({ clientNs }) =>
      formatTime(EPOCH_SECONDS, clientNs) === client.time
    );
    const serverTime = fate?.serverNs === undefined
      ? undefined
      : formatTime(EPOCH_SECONDS, fate.serverNs);
    const isRight = fate !== undefined && fate.client === client.host &&
      serverTime === server.time && (serverTime === undefined || fate.server === server.host);
    if (told.tier !== undefined) faults[isRight ? "found" : "wrong"]++;
    if (fate?.verdict !== verdict) faults.wrongVerdicts++;
    if (!isRight) return;
    if (told.syns_lost !== fate.synsLost || told.syn_acks_lost !== fate.synAcksLost) {
      faults.wrongLosses++;
    }
    if (told.tier !== undefined && fate.networkRttNs !== told.network_rtt_ns) {
      faults.wrongRoundTrips++;
    }
  }

  #checkWindow(
    { time, host, other_host, offset_ns, uncertainty_ns, stepped }: PairLine,
    faults: PairFaults,
  ) {
    const [one, other] = [host, other_host].map((name) =>
      this.#hosts.find((each) => each.name === name)!
    );
    const clockNs = sinceEpochNs(time);
    faults.windows++;
    if (stepped) {
      const at = one.step?.atSeconds ?? other.step?.atSeconds ?? NaN;
      const secondsOff = Math.round((clockNs - aheadOf(one, clockNs)) / 1e9 - at);
      faults.steps.push({ hosts: `${host} ${other_host}`, secondsOff });
    }
    if (offset_ns === undefined) {
      faults.unknownWindows++;
      return;
    }
    // The first host's clock is not the true time, but near enough to look up how far both are ahead.
    const trueNs = clockNs - aheadOf(one, clockNs);
    const aheadNs = aheadOf(other, trueNs) - aheadOf(one, trueNs);
    if (Math.abs(aheadNs - offset_ns) > uncertainty_ns + ROUNDING_NS) faults.wrongWindows++;
  }
}

/** Whether a step was told once at each two hosts of which one's clock was set, in its minute or the next. */
export function tellsSteps(hosts: readonly Host[], { steps }: Pick<PairFaults, "steps">): boolean {
  const expected =
    hosts.flatMap((one, at) =>
      hosts.slice(at + 1).filter((other) => one.step !== undefined || other.step !== undefined)
    ).length;
  return steps.length === expected &&
    new Set(steps.map((step) => step.hosts)).size === expected &&
    steps.every(({ secondsOff }) => Math.abs(secondsOff) <= 2 * MINUTE_NS / 1e9);
}

function keyOf({ isn, port }: { isn: number; port: number }): number {
  return isn * 0x1_0000 + port;
}

/** Nanoseconds after the second that all begin at, of a time as records have it. */
function sinceEpochNs(time: string): number {
  const [seconds, fraction] = time.slice(0, -1).split(".");
  return (Date.parse(`${seconds}Z`) / 1_000 - EPOCH_SECONDS) * 1e9 + Number(fraction);
}
