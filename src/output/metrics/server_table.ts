import type { Handshake } from "../../match/handshake.ts";
import type { RecordContext } from "../../record/record_context.ts";
import { escapeText } from "../../text/escape.ts";
import { formatAddress, isIpv4Mapped } from "../../wire/address.ts";
import { FrequentNames, type Weighed } from "../statistics/frequent_names.ts";
import type { ExtraLabel } from "./choices.ts";
import type { Labels } from "./names.ts";
import { REASONS_MAX, ServerCounts } from "./server_counts.ts";

/** How long a server must have been idle before another may have its label, milliseconds. */
export const IDLE_MS = 600_000;
/** With how many handshakes a newcomer qualifies, none of them {@link IDLE_MS} after the one before. */
export const QUALIFYING = 10;
/** Newcomers that are watched at a time. */
const NEWCOMERS_MAX = 4_096;

/** Stands for the address of all servers without labels of their own. */
export const OTHER = "other";
/** Stands for the address of those that lost their labels. */
export const IDLE = "idle";

/** Addresses are mixed with it, so that nobody can choose some that one bucket of a map holds. */
const [SECRET] = crypto.getRandomValues(new Uint32Array(1));

const NO_EXTRA: readonly string[] = [];

/** A server with labels of its own. */
interface Labelled {
  counts: ServerCounts;
  /** When it last had a handshake. */
  lastMs: number;
}

interface Newcomer extends Weighed {
  handshakes: number;
  lastMs: number;
}

/** What a {@link ServerTable} goes by. */
export interface ServerTableOptions {
  /** Servers with labels of their own at most. */
  serversMax: number;
  /** What their labels name beside address and port. */
  extraLabels: readonly ExtraLabel[];
  /** Of buckets, nanoseconds. */
  bounds: readonly number[];
}

/**
 * Which servers have labels of their own, at most so many:
 *
 * - Half of the labels go to whoever has the first established handshake, the others to who had
 *   {@link QUALIFYING} handshakes: destinations of a scan, of which each is seen once or twice, have none.
 * - Until a server qualifies its handshakes count under {@link OTHER}, and stay there.
 * - A label is kept, and its counter exact, for as long as no ten minutes pass without a handshake.
 *   After that another server that qualifies may take its place: what was counted moves to {@link IDLE},
 *   so that the sum of all labels is that of all handshakes and never falls.
 */
export class ServerTable {
  readonly #options: ServerTableOptions;
  readonly #labelled = new Map<number | string, Labelled>();
  readonly #newcomers = new FrequentNames<number | string, Newcomer>(NEWCOMERS_MAX);
  readonly #other: ServerCounts;
  readonly #idle: ServerCounts;
  /** Nobody has been idle for long enough before then. */
  #nobodyIdleBeforeMs = -Infinity;

  /** @param nowMs Now, milliseconds of Unix time. */
  constructor(options: ServerTableOptions, nowMs: number) {
    this.#options = options;
    const extra = Object.fromEntries(options.extraLabels.map((label) => [label, ""]));
    const countsOfMany = (address: string) => {
      const labels = { server_address: address, server_port: "", ...extra };
      return new ServerCounts(labels, nowMs, options.bounds, REASONS_MAX.many);
    };
    this.#other = countsOfMany(OTHER);
    this.#idle = countsOfMany(IDLE);
  }

  /** Servers with labels of their own. */
  get size(): number {
    return this.#labelled.size;
  }

  /** The counts of all labels. */
  all(): ServerCounts[] {
    const labelled = [...this.#labelled.values()].map(({ counts }) => counts);
    return [...labelled, this.#other, this.#idle];
  }

  /** Where a handshake counts. @param nowMs Now, milliseconds of Unix time; never falls. */
  of(
    handshake: Handshake,
    context: Pick<RecordContext, "cgroupPath">,
    nowMs: number,
  ): ServerCounts {
    const { extraLabels } = this.#options;
    const extra = extraLabels.length === 0
      ? NO_EXTRA
      : extraLabels.map((label) => extraValue(label, handshake, context));
    const key = keyOf(handshake, extra);
    const labelled = this.#labelled.get(key);
    if (labelled !== undefined) {
      labelled.lastMs = nowMs;
      return labelled.counts;
    }
    if (!this.#qualifies(key, handshake, nowMs) || !this.#hasPlace(nowMs)) return this.#other;
    this.#newcomers.delete(key);
    const { server } = handshake;
    const labels: Labels = {
      server_address: formatAddress(server.address),
      server_port: `${server.port}`,
      ...Object.fromEntries(extraLabels.map((label, at) => [label, extra[at]])),
    };
    const counts = new ServerCounts(labels, nowMs, this.#options.bounds);
    this.#labelled.set(key, { counts, lastMs: nowMs });
    return counts;
  }

  #qualifies(key: number | string, { outcome }: Handshake, nowMs: number): boolean {
    const isRoomy = this.#labelled.size * 2 < this.#options.serversMax;
    if (isRoomy && outcome === "established") return true;
    const newcomer = this.#newcomers.take(key, () => ({ weight: 0, handshakes: 0, lastMs: nowMs }));
    if (nowMs - newcomer.lastMs >= IDLE_MS) newcomer.handshakes = 0;
    newcomer.lastMs = nowMs;
    return ++newcomer.handshakes >= QUALIFYING;
  }

  /** Whether there is a label for one more, be it that of one that was idle. */
  #hasPlace(nowMs: number): boolean {
    if (this.#labelled.size < this.#options.serversMax) return true;
    if (nowMs < this.#nobodyIdleBeforeMs) return false;
    let oldest: number | string | undefined;
    let oldestMs = Infinity;
    for (const [key, { lastMs }] of this.#labelled) {
      if (lastMs < oldestMs) [oldest, oldestMs] = [key, lastMs];
    }
    this.#nobodyIdleBeforeMs = oldestMs + IDLE_MS;
    if (oldest === undefined || nowMs < this.#nobodyIdleBeforeMs) return false;
    this.#idle.add(this.#labelled.get(oldest)!.counts);
    this.#labelled.delete(oldest);
    return true;
  }
}

/** A number for an IPv4 server without more labels: those are looked up the fastest. */
function keyOf(
  { server: { address, port } }: Handshake,
  extra: readonly string[],
): number | string {
  const number = ((address[3] ^ SECRET) >>> 0) * 0x1_0000 + port;
  if (isIpv4Mapped(address) && extra.length === 0) return number;
  return [...address, port, ...extra].join("\0");
}

/** The longest value of a label. */
const VALUE_MAX = 200;

/** What is known of the process at this host's end: the client's, where both ends are here. */
function extraValue(
  label: ExtraLabel,
  { role, client, server }: Handshake,
  context: Pick<RecordContext, "cgroupPath">,
): string {
  const { comm, cgroup } = (role === "server" ? server.process : client.process) ?? {};
  const path = cgroup === undefined ? undefined : context.cgroupPath?.(cgroup);
  return escapeText((label === "process" ? comm : path) ?? "").slice(0, VALUE_MAX);
}
