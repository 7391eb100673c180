import { type Handshake, type Outcome, OUTCOMES, type Role, ROLES } from "../../match/handshake.ts";
import { networkRttNs } from "../../match/legs.ts";
import { BucketCounts } from "./bucket_counts.ts";
import type { Labels } from "./names.ts";

/** A counter of one set of labels. */
export interface Count {
  /** The same object for as long as it counts. */
  readonly labels: Labels;
  value: number;
}

/** The durations of one set of labels. */
export interface Durations {
  /** The same object for as long as they are counted. */
  readonly labels: Labels;
  readonly buckets: BucketCounts;
}

/** What is counted of one server in one role. */
interface RoleCounts {
  networkRtt: Durations;
  syn: Count;
  synAck: Count;
}

/** Reasons of one server beyond which others are counted as one, and those of many together. */
export const REASONS_MAX = { one: 16, many: 256 };
/** What reasons are; in a file anything may stand in their place. */
const REASON = /^[A-Z0-9_]{0,64}$/;
/** What stands for the others. */
const OTHER_REASON = "other";
/** Why the kernel drops a packet of a handshake that nobody accepts (`enum skb_drop_reason`). */
const ACCEPT_QUEUE_FULL = "ACCEPT_QUEUE_FULL";

/** What is counted of one server, or of many under one label. */
export class ServerCounts {
  /** Handshakes with a packet that a full accept queue cost. */
  readonly acceptQueueDrops: Count;
  /** Handshakes by reason, then by role and outcome. */
  readonly #outcomes = new Map<string, (Count | undefined)[]>();
  readonly #roles: (RoleCounts | undefined)[] = ROLES.map(() => undefined);
  readonly #bounds: readonly number[];
  readonly #reasonsMax: number;

  /**
   * Counts nothing yet.
   *
   * @param labels Of the server. @param startMs Since when, milliseconds of Unix time.
   * @param bounds Of buckets, nanoseconds. @param reasonsMax Reasons that are told apart.
   */
  constructor(
    readonly labels: Labels,
    readonly startMs: number,
    bounds: readonly number[],
    reasonsMax: number = REASONS_MAX.one,
  ) {
    this.#bounds = bounds;
    this.#reasonsMax = reasonsMax;
    this.acceptQueueDrops = { labels, value: 0 };
  }

  /** Handshakes by role, outcome and reason. */
  outcomes(): Count[] {
    return [...this.#outcomes.values()].flat().filter((count) => count !== undefined);
  }

  /** What is counted of each role that came. */
  roles(): RoleCounts[] {
    return this.#roles.filter((counts) => counts !== undefined);
  }

  /** Takes a handshake; nothing of the object is kept. @param timeMs Now, Unix time. */
  record(handshake: Handshake, timeMs: number): void {
    const { role, outcome, reason = "", synCount, synAckCount } = handshake;
    this.#count(role, outcome, reason).value++;
    const counts = this.#ofRole(role);
    if (synCount > 1) counts.syn.value += synCount - 1;
    if (synAckCount > 1) counts.synAck.value += synAckCount - 1;
    counts.networkRtt.buckets.record(networkRttNs(handshake), timeMs, handshake);
    if (handshake.dropReason === ACCEPT_QUEUE_FULL) this.acceptQueueDrops.value++;
  }

  /** Takes all that others counted. */
  add(others: ServerCounts): void {
    for (const { labels, value } of others.outcomes()) {
      const { role, outcome, reason } = labels;
      this.#count(role as Role, outcome as Outcome, reason!).value += value;
    }
    for (const { networkRtt, syn, synAck } of others.roles()) {
      const counts = this.#ofRole(networkRtt.labels.role as Role);
      counts.networkRtt.buckets.add(networkRtt.buckets);
      counts.syn.value += syn.value;
      counts.synAck.value += synAck.value;
    }
    this.acceptQueueDrops.value += others.acceptQueueDrops.value;
  }

  #count(role: Role, outcome: Outcome, reason: string): Count {
    let counts = this.#outcomes.get(reason);
    if (counts === undefined) {
      const isCounted = REASON.test(reason) && this.#outcomes.size < this.#reasonsMax;
      if (!isCounted && reason !== OTHER_REASON) {
        return this.#count(role, outcome, OTHER_REASON);
      }
      this.#outcomes.set(reason, counts = []);
    }
    const at = ROLES.indexOf(role) * OUTCOMES.length + OUTCOMES.indexOf(outcome);
    return counts[at] ??= { labels: { ...this.labels, role, outcome, reason }, value: 0 };
  }

  #ofRole(role: Role): RoleCounts {
    return this.#roles[ROLES.indexOf(role)] ??= newRoleCounts(
      { ...this.labels, role },
      this.#bounds,
    );
  }
}

function newRoleCounts(labels: Labels, bounds: readonly number[]): RoleCounts {
  return {
    networkRtt: { labels, buckets: new BucketCounts(bounds) },
    syn: { labels: { ...labels, packet: "syn" }, value: 0 },
    synAck: { labels: { ...labels, packet: "syn_ack" }, value: 0 },
  };
}
