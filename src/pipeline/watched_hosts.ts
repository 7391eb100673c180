/**
 * When each host was watching every handshake, by the status lines of its tracers.
 *
 * @module
 */
import { parseTime } from "../text/time.ts";

/** Runs of tracers that are remembered at most. */
const RUNS_MAX = 4_096;
/** How long before and after a moment a tracer must have been watching, whatever its clock says. */
const MARGIN_NS = 5_000_000_000n;

interface Run {
  key: string;
  sinceNs: bigint;
  untilNs: bigint;
}

/** Takes status lines, and knows who was watching when: without a filter or a sample, at some interface. */
export class WatchedHosts {
  readonly #runs = new Map<string, Run>();

  /** Takes a line of NDJSON that is no handshake: untrusted. */
  take(event: string, members: Readonly<Record<string, unknown>>): void {
    if (event !== "status") return;
    const { host, host_id, tracer, since, time, filters, sample = 1, sources } = members;
    const isWhole = Array.isArray(filters) && filters.length === 0 && sample === 1;
    if (!isWhole || !watchesWire(sources)) return;
    const [sinceNs, untilNs] = [nsOf(since), nsOf(time)];
    if (sinceNs === undefined || untilNs === undefined) return;
    const key = String(host_id ?? host);
    const name = `${key} ${tracer}`;
    const run = this.#runs.get(name);
    if (run !== undefined) {
      if (untilNs > run.untilNs) run.untilNs = untilNs;
      if (sinceNs < run.sinceNs) run.sinceNs = sinceNs;
    } else if (this.#runs.size < RUNS_MAX) this.#runs.set(name, { key, sinceNs, untilNs });
  }

  /** Whether a host was watching at a moment of its clock. @param key Its id, else its name. */
  isWatched(key: string, atNs: bigint): boolean {
    return this.#runs.values().some((run) =>
      run.key === key && run.sinceNs + MARGIN_NS <= atNs && run.untilNs - MARGIN_NS >= atNs
    );
  }
}

function watchesWire(sources: unknown): boolean {
  return typeof sources === "object" && sources !== null && "wire" in sources &&
    Array.isArray(sources.wire) && sources.wire.length > 0;
}

function nsOf(time: unknown): bigint | undefined {
  const moment = typeof time === "string" ? parseTime(time) : undefined;
  return moment && BigInt(moment.seconds) * 1_000_000_000n + BigInt(moment.ns);
}
