import { shorten } from "../text/shorten.ts";
import { addLosses, LOSS_PLACES, type Losses, type LossName } from "./losses.ts";

/** Traces of which it is remembered what they lost; those beyond are not told. */
const TRACES_MAX = 65_536;
/** Characters of what a trace is told apart by: its own are 60, those of others may fill a line. */
const NAME_LENGTH_MAX = 400;
/** Lines that say what a trace lost so far. */
const EVENTS: readonly string[] = ["status", "summary", "statistics"];

/** What the traces lost whose records are read, by what they say of it themselves. */
export class ToldLosses {
  /** By trace, what it lost so far. */
  readonly #losses = new Map<string, Losses>();

  /**
   * Takes a line that is no record. Of several lines of one trace the last one counts: they say what was
   * lost since it began.
   *
   * @param file Tells apart what names no trace. @param members What it holds: untrusted.
   */
  take(file: number, event: string, members: Readonly<Record<string, unknown>>): void {
    const { host_id: hostId, tracer, losses } = members;
    if (!EVENTS.includes(event) || typeof losses !== "object" || losses === null) return;
    const trace = typeof tracer === "string" ? nameTrace(String(hostId), tracer) : `file ${file}`;
    if (!this.#losses.has(trace) && this.#losses.size >= TRACES_MAX) return;
    this.#losses.set(trace, readLosses(losses as Record<string, unknown>));
  }

  /** All of it together. */
  sum(): Losses {
    let sum: Losses = {};
    for (const losses of this.#losses.values()) sum = addLosses(sum, losses);
    return sum;
  }
}

/** What a run of the tool on a host is told apart by, where untrusted text says which. */
export function nameTrace(hostId: string, tracer: string | undefined): string {
  return shorten(tracer === undefined ? hostId : `${hostId} ${tracer}`, NAME_LENGTH_MAX);
}

function readLosses(told: Readonly<Record<string, unknown>>): Losses {
  const losses: Partial<Record<LossName, number>> = {};
  for (const { name } of LOSS_PLACES) {
    const count = Object.hasOwn(told, name) ? told[name] : undefined;
    if (Number.isSafeInteger(count) && Number(count) >= 0) losses[name] = Number(count);
  }
  return losses;
}
