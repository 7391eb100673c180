/**
 * The right answer to each question that has a name, counted while records are made and without any
 * database.
 *
 * @module
 */
import type { Endpoint, Handshake } from "../../src/match/handshake.ts";
import { hostTimeNs, networkRttNs } from "../../src/match/legs.ts";
import { formatAddress } from "../../src/wire/address.ts";
import { EPOCH_SECONDS } from "../unit/record/sample_handshakes.ts";
import { containerOf, HOSTS, type Made, SERVER_PORTS } from "./made_records.ts";

/** A row of an answer, by the names of its columns. */
export type TruthRow = Record<string, string | number | null>;

/** Rows of the slowest. */
const SLOWEST = 20;
/** Seconds of a row of `over-time`. */
const BUCKET_SECONDS = 60;

/** Numbers, as many as come. */
class Numbers {
  count = 0;
  #all = new Float64Array(16);

  add(value: number | undefined): void {
    if (value === undefined) return;
    if (this.count === this.#all.length) {
      const more = new Float64Array(2 * this.count);
      more.set(this.#all);
      this.#all = more;
    }
    this.#all[this.count++] = value;
  }

  at(place: number): number {
    return this.#all[place];
  }

  /** From the least to the greatest, in its own place. */
  sort(): Float64Array {
    return this.#all.subarray(0, this.count).sort();
  }

  /** How many differ. */
  different(): number {
    const all = this.sort();
    return all.reduce((sum, value, at) => sum + Number(at === 0 || all[at - 1] !== value), 0);
  }

  /** The least that a share of all do not exceed. */
  quantile(share: number): number | null {
    return this.count === 0 ? null : this.sort()[Math.max(0, Math.ceil(this.count * share) - 1)];
  }
}

class Group {
  #handshakes = 0;
  #failed = 0;
  readonly #network = new Numbers();
  readonly #host = new Numbers();

  take(handshake: Handshake): void {
    this.#handshakes++;
    if (isFailed(handshake)) this.#failed++;
    this.#network.add(networkRttNs(handshake));
    this.#host.add(hostTimeNs(handshake));
  }

  row(): TruthRow {
    return {
      handshakes: this.#handshakes,
      failed: this.#failed,
      failed_share: this.#failed / this.#handshakes,
      network_rtt_p50_ns: this.#network.quantile(0.5),
      network_rtt_p99_ns: this.#network.quantile(0.99),
      host_time_p50_ns: this.#host.quantile(0.5),
      host_time_p99_ns: this.#host.quantile(0.99),
    };
  }
}

/** What becomes a row of each of the questions that count handshakes by something. */
const GROUPED: Readonly<Record<string, (handshake: Handshake) => TruthRow | undefined>> = {
  servers: (it) => ({ server: serverOf(it) }),
  clients: (it) => ({ client: formatAddress(it.client.address) }),
  processes: (it) => named("process", ownProcess(it)?.comm),
  containers: (it) => named("container", containerAt(it)),
  "over-time": ({ timeNs, role }) => ({
    begin: unixText(Math.floor(secondOf(timeNs) / BUCKET_SECONDS) * BUCKET_SECONDS, 0),
    role,
  }),
};

/** The right answers of all handshakes that it was given. */
export class Truth {
  /** Handshakes, and records of them. */
  handshakes = 0;
  records = 0;
  readonly #groups = new Map(Object.keys(GROUPED).map((name) => [name, new Map<string, Group>()]));
  readonly #failures = new Map<string, { failures: number; firstNs: number; lastNs: number }>();
  readonly #repeated = new Map<string, number[]>();
  #slowest: { made: Made; ns: number }[] = [];
  readonly #chosen = new ChosenNumbers();
  readonly #lastWords = new Map<string, Status>();

  /** Takes what was made. */
  take(all: readonly Made[]): void {
    for (const made of all) this.#take(made);
  }

  #take(made: Made): void {
    const { handshake } = made;
    this.handshakes++;
    this.records += made.lines.size;
    for (const [question, key] of Object.entries(GROUPED)) {
      const row = key(handshake);
      if (row !== undefined) {
        valueOf(this.#groups.get(question)!, JSON.stringify(row), () => new Group()).take(
          handshake,
        );
      }
    }
    this.#takeFailure(handshake);
    const { synCount, synAckCount } = handshake;
    const counts = valueOf(this.#repeated, serverOf(handshake), () => [0, 0, 0, 0, 0]);
    [synCount > 0, synCount > 1, synAckCount > 0, synAckCount > 1, synCount > 1 || synAckCount > 1]
      .forEach((isSo, at) => counts[at] += Number(isSo));
    this.#takeSlow(made);
    this.#chosen.take(handshake);
  }

  #takeFailure(handshake: Handshake): void {
    if (!isFailed(handshake)) return;
    const { outcome, reason, timeNs } = handshake;
    const key = JSON.stringify({ outcome, reason: reason ?? null, server: serverOf(handshake) });
    const row = valueOf(
      this.#failures,
      key,
      () => ({ failures: 0, firstNs: timeNs, lastNs: timeNs }),
    );
    row.failures++;
    row.firstNs = Math.min(row.firstNs, timeNs);
    row.lastNs = Math.max(row.lastNs, timeNs);
  }

  #takeSlow(made: Made): void {
    const ns = networkRttNs(made.handshake);
    if (ns === undefined || ns < (this.#slowest[SLOWEST - 1]?.ns ?? 0)) return;
    this.#slowest.push({ made, ns });
    this.#slowest.sort((one, other) =>
      other.ns - one.ns || one.made.handshake.timeNs - other.made.handshake.timeNs
    );
    this.#slowest.splice(SLOWEST);
  }

  /** Takes the words of a tracer about itself: the latest count. */
  takeStatus(status: Status): void {
    const key = `${status.host} ${status.tracer}`;
    if (status.seconds > (this.#lastWords.get(key)?.seconds ?? -1)) {
      this.#lastWords.set(key, status);
    }
  }

  /** The questions that it can answer. */
  get questions(): string[] {
    return [...this.#groups.keys(), "failures", "slow", "retransmissions", "losses", "isn"];
  }

  /** The rows of an answer, in any order. */
  answer(question: string): TruthRow[] {
    const groups = this.#groups.get(question);
    if (groups !== undefined) {
      return [...groups].map(([key, group]) => ({ ...JSON.parse(key), ...group.row() }));
    }
    switch (question) {
      case "failures":
        return [...this.#failures].map(([key, { failures, firstNs, lastNs }]) => ({
          ...JSON.parse(key),
          failures,
          first: timeText(firstNs),
          last: timeText(lastNs),
        }));
      case "slow":
        return this.#slowest.map(slowRow);
      case "retransmissions":
        return [...this.#repeated].filter(([, counts]) => counts[4] > 0).map(([server, counts]) => {
          const [syn, synAgain, synAck, synAckAgain] = counts;
          return {
            server,
            syn,
            syn_repeated: synAgain,
            syn_repeated_share: share(synAgain, syn),
            syn_ack: synAck,
            syn_ack_repeated: synAckAgain,
            syn_ack_repeated_share: share(synAckAgain, synAck),
          };
        });
      case "losses":
        return [...this.#lastWords.values()].flatMap(lossRows);
      case "isn":
        return this.#chosen.rows();
      default:
        throw new Error(`Nobody knows the right answer of "${question}"`);
    }
  }

  /**
   * Holds an answer against the right one.
   *
   * @param rows Of the command, as objects. @returns What differs first; undefined: nothing.
   */
  difference(question: string, rows: readonly unknown[]): string | undefined {
    const right = this.answer(question).map(canonical).sort();
    const given = rows.map(canonical).sort();
    if (right.length !== given.length) return `${given.length} rows, not ${right.length}`;
    const at = right.findIndex((row, each) => row !== given[each]);
    return at < 0 ? undefined : `${given[at]}, not ${right[at]}`;
  }
}

/** What a tracer said of itself. */
export interface Status {
  host: string;
  tracer: string;
  /** When, after the second that all begin at. */
  seconds: number;
  handshakes: number;
  losses: Record<string, number>;
}

/** What a tracer of a made-up host says after some of its records. @param number Of those. */
export function makeStatus(host: string, number: number): Status {
  return {
    host,
    tracer: `${1 + number % 3}-1`,
    seconds: 10_000 - number,
    handshakes: 10 * number,
    losses: { ring: number, frames: 0 },
  };
}

/** Its line, as a trace writes it. */
export function statusLine({ host, tracer, seconds, handshakes, losses }: Status): string {
  return JSON.stringify({
    v: 1,
    event: "status",
    time: timeText(seconds * 1e9),
    host,
    tracer,
    since: timeText(0),
    handshakes,
    losses,
  }) + "\n";
}

function lossRows({ host, tracer, seconds, handshakes, losses }: Status): TruthRow[] {
  return Object.entries(losses).map(([place, lost]) => ({
    host,
    tracer,
    since: timeText(0),
    until: timeText(seconds * 1e9),
    handshakes,
    place,
    lost,
  }));
}

function slowRow({ made: { handshake, lines }, ns }: { made: Made; ns: number }): TruthRow {
  return {
    time: timeText(handshake.timeNs),
    host: HOSTS.find((host) => lines.has(host))!,
    role: handshake.role,
    client: formatAddress(handshake.client.address),
    server: serverOf(handshake),
    process: ownProcess(handshake)?.comm ?? null,
    outcome: handshake.outcome,
    network_rtt_ns: ns,
    host_time_ns: hostTimeNs(handshake) ?? null,
    syn: handshake.synCount,
    syn_ack: handshake.synAckCount,
  };
}

const ENDS = ["client", "server"] as const;
const PORTS = 2 ** 16;
const PLACES = 2 ** 23;
const SLACK_NS = 2e6;

/** The initial sequence numbers that were chosen, and which came before which. */
class ChosenNumbers {
  readonly #chosen = new Map<string, Numbers>();
  readonly #pairs: string[][] = [];
  readonly #pairNumbers = new Map<string, number>();
  /** Of each handshake its tuple and place, as one number: sorted, those of one tuple stand together. */
  readonly #tuples = new Numbers();
  /** Of each handshake when each end chose which. */
  readonly #ends = ENDS.map(() => ({ atNs: new Numbers(), isn: new Numbers() }));

  take({ timeNs, synAckNs, client, server }: Handshake): void {
    const names = [client, server].map(({ address }) => formatAddress(address));
    const isn = [client.isn!, server.isn!];
    ENDS.forEach((end, at) => {
      valueOf(this.#chosen, keyOf(names[at], end), () => new Numbers()).add(isn[at]);
      this.#ends[at].isn.add(isn[at]);
      this.#ends[at].atNs.add(timeNs + (at === 0 ? 0 : synAckNs ?? 0));
    });
    const pair = valueOf(this.#pairNumbers, names.join(), () => this.#pairs.push(names) - 1);
    const ports = client.port * SERVER_PORTS.length + SERVER_PORTS.indexOf(server.port);
    const tuple = (pair * PORTS * SERVER_PORTS.length + ports) * PLACES + this.#tuples.count;
    if (!Number.isSafeInteger(tuple)) throw new RangeError("Cannot keep so many");
    this.#tuples.add(tuple);
  }

  rows(): TruthRow[] {
    const facts = this.#facts();
    return [...this.#chosen].map(([key, numbers]) => ({
      ...JSON.parse(key),
      numbers: numbers.count,
      different: numbers.different(),
      ...facts.get(key)!,
    }));
  }

  #facts(): Map<string, Record<string, number>> {
    const none = { returns: 0, by_4us_clock: 0, by_64ns_clock: 0, unchanged: 0 };
    const facts = new Map([...this.#chosen.keys()].map((key) => [key, { ...none }]));
    for (const { tuple, before, after } of this.#returns()) {
      const names = this.#pairs[Math.floor(tuple / (PORTS * SERVER_PORTS.length))];
      ENDS.forEach((end, at) => {
        const { isn, atNs } = this.#ends[at];
        const fact = facts.get(keyOf(names[at], end))!;
        const advanced = isn.at(after) - isn.at(before);
        const waitedNs = atNs.at(after) - atNs.at(before);
        fact.returns++;
        fact.by_4us_clock += Number(isTicked(advanced, waitedNs, 4_000));
        fact.by_64ns_clock += Number(isTicked(advanced, waitedNs, 64));
        fact.unchanged += Number(advanced === 0);
      });
    }
    return facts;
  }

  /** The places of two that follow one another in a tuple. */
  *#returns(): Generator<{ tuple: number; before: number; after: number }> {
    const sorted = this.#tuples.sort();
    const tupleAt = (at: number) => Math.floor(sorted[at] / PLACES);
    for (let from = 0, to = 1; from < sorted.length; from = to) {
      for (to = from + 1; to < sorted.length && tupleAt(to) === tupleAt(from);) to++;
      const those = Array.from(sorted.subarray(from, to), (each) => each % PLACES);
      those.sort((one, other) => this.#ends[0].atNs.at(one) - this.#ends[0].atNs.at(other));
      for (let next = 1; next < those.length; next++) {
        yield { tuple: tupleAt(from), before: those[next - 1], after: those[next] };
      }
    }
  }
}

/** Whether a number advanced by the ticks of a clock, as exactly as packets are captured. */
function isTicked(advanced: number, waitedNs: number, tickNs: number): boolean {
  const off = (advanced - Math.trunc(waitedNs / tickNs)) % 2 ** 32;
  return Math.min(Math.abs(off), 2 ** 32 - Math.abs(off)) <= Math.ceil(SLACK_NS / tickNs);
}

function keyOf(address: string, end: typeof ENDS[number]): string {
  return JSON.stringify({ address, chosen_as: end });
}

function isFailed({ outcome }: Handshake): boolean {
  return outcome !== "established";
}

function serverOf({ server, ipv4 }: Handshake): string {
  const address = formatAddress(server.address);
  return `${ipv4 ? address : `[${address}]`}:${server.port}`;
}

/** What is known of this host's end; of both where both are here, or neither, the server's first. */
function atOwnEnd<T>({ role, client, server }: Handshake, of: (end: Endpoint) => T | undefined) {
  if (role === "client") return of(client);
  return role === "server" ? of(server) : of(server) ?? of(client);
}

function ownProcess(handshake: Handshake) {
  return atOwnEnd(handshake, ({ process }) => process);
}

function containerAt(handshake: Handshake): string | undefined {
  return atOwnEnd(handshake, ({ process }) => process && containerOf(process.cgroup!));
}

function named(column: string, name: string | undefined): TruthRow | undefined {
  return name === undefined ? undefined : { [column]: name };
}

function share(part: number, all: number): number | null {
  return all === 0 ? null : part / all;
}

/** A time of the fleet, as records have it. */
function timeText(ns: number): string {
  return unixText(secondOf(ns), ns % 1e9);
}

function secondOf(ns: number): number {
  return EPOCH_SECONDS + Math.floor(ns / 1e9);
}

function unixText(seconds: number, ns: number): string {
  const second = new Date(seconds * 1_000).toISOString().slice(0, 19);
  return `${second}.${String(ns).padStart(9, "0")}Z`;
}

function valueOf<K, V>(map: Map<K, V>, key: K, make: () => V): V {
  const found = map.get(key);
  if (found !== undefined) return found;
  const made = make();
  map.set(key, made);
  return made;
}

function canonical(row: unknown): string {
  return JSON.stringify(Object.fromEntries(Object.entries(row as TruthRow).sort()));
}
