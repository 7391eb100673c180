import { escapeText } from "../../text/escape.ts";
import { shorten } from "../../text/shorten.ts";

/** Runs of a tracer that are told apart; those beyond are counted. */
const RUNS_MAX = 64;
const HOSTS_MAX = 256;
/** Names and flags that are told of one run, and characters of each. */
const NAMES_MAX = 8;
const NAME_LENGTH_MAX = 120;
const KEY_LENGTH_MAX = 400;

/** What one run of a tracer could see, by its own status lines. */
export interface Run {
  host: string;
  /** When it began, and when it told that last: RFC 3339, or what stood there. */
  since: string;
  until: string;
  filters: readonly string[];
  /** One of how many handshakes was reported. */
  sample: number;
  /** Status lines, and those of them in which the kernel told nothing. */
  lines: number;
  withoutKernel: number;
  /** What hooked the kernel at times. */
  readonly kernels: Set<string>;
  /** Interfaces that were down in a line. */
  readonly down: Set<string>;
}

/** Hosts and what their tracers could see; all that is taken is untrusted, all that is told safe to print. */
export class Coverage {
  /** Runs that were too many to be told apart. */
  moreRuns = 0;
  readonly #hosts = new Map<string, number>();
  readonly #runs = new Map<string, Run>();

  /** Counts a handshake that a host told. */
  count(host: string): void {
    const short = shorten(host, NAME_LENGTH_MAX);
    const isTold = this.#hosts.has(short) || this.#hosts.size < HOSTS_MAX;
    const name = isTold ? short : OTHER_HOSTS;
    this.#hosts.set(name, (this.#hosts.get(name) ?? 0) + 1);
  }

  /** Takes a line of NDJSON that is no handshake. */
  take(event: string, members: Readonly<Record<string, unknown>>): void {
    if (event !== "status") return;
    const { host, tracer, since, time, filters, sample, sources } = members;
    const key = shorten(`${members.host_id ?? host} ${tracer}`, KEY_LENGTH_MAX);
    let run = this.#runs.get(key);
    if (run === undefined) {
      if (this.#runs.size >= RUNS_MAX) {
        this.moreRuns++;
        return;
      }
      run = newRun(nameOf(host), nameOf(since));
      this.#runs.set(key, run);
    }
    run.until = nameOf(time);
    run.filters = stringsOf(filters).slice(0, NAMES_MAX);
    if (typeof sample === "number" && Number.isSafeInteger(sample) && sample > 0) {
      run.sample = sample;
    }
    run.lines++;
    if (isObject(sources)) takeSources(run, sources);
  }

  /** Hosts and the handshakes that each told, the most first. */
  hosts(): [host: string, handshakes: number][] {
    return [...this.#hosts].map(([host, count]): [string, number] => [escapeText(host), count])
      .sort((one, other) => other[1] - one[1]);
  }

  /** What tracers could see. */
  runs(): Run[] {
    return [...this.#runs.values()];
  }
}

const OTHER_HOSTS = "(other hosts)";

function newRun(host: string, since: string): Run {
  return {
    host,
    since,
    until: since,
    filters: [],
    sample: 1,
    lines: 0,
    withoutKernel: 0,
    kernels: new Set(),
    down: new Set(),
  };
}

function takeSources(run: Run, { kernel, wire }: Record<string, unknown>): void {
  if (kernel === "none") run.withoutKernel++;
  else if (typeof kernel === "string") addName(run.kernels, kernel);
  for (const each of Array.isArray(wire) ? wire : []) {
    if (isObject(each) && each.up === false) addName(run.down, each.interface);
  }
}

function addName(names: Set<string>, name: unknown): void {
  if (names.size < NAMES_MAX) names.add(nameOf(name));
}

function nameOf(value: unknown): string {
  return typeof value === "string" ? escapeText(shorten(value, NAME_LENGTH_MAX)) : "(unknown)";
}

function stringsOf(value: unknown): string[] {
  return Array.isArray(value) ? value.filter((each) => typeof each === "string").map(nameOf) : [];
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null;
}
