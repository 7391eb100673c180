/**
 * Both ends of a handshake in files of two hosts, for `explain --pair`.
 *
 * @module
 */
import { STANDARD_INPUT } from "./flags/read_options.ts";
import { InputError } from "../files/input_error.ts";
import { HeldInput, isReadOnce } from "../files/held_input.ts";
import { tellBothEnds } from "../explain/both_ends.ts";
import type { EndTold } from "../explain/end_told.ts";
import { EndsSink, type OtherEnd, PairSearch, type TakeEnd } from "../explain/pair_search.ts";
import type { Story } from "../explain/story.ts";
import { InputSource } from "../pipeline/input_source.ts";
import { Pipeline } from "../pipeline/pipeline.ts";
import type { Sink } from "../pipeline/sink.ts";
import { WatchedHosts } from "../pipeline/watched_hosts.ts";
import type { HourRange } from "../store/store_folder.ts";
import { boundClocks } from "./bound_clocks.ts";
import type { Ending } from "./ending.ts";
import type { ExplainOptions } from "./flags/explain_options.ts";
import { ProgressLine } from "./process/progress_line.ts";
import { sayNote } from "./process/terminal.ts";
import { Reading } from "./reading.ts";

/** What became of the search. */
export interface FoundStory {
  story: Story | undefined;
  hasFailed: boolean;
}

interface PassOptions {
  onEvent?: Sink["takeEvent"];
  /** Of a store only these hours are read. */
  hours?: HourRange;
}

/** The minute in which a handshake began, by the clock of who told it. */
function minuteOf({ atNs }: EndTold): HourRange {
  const seconds = Number(atNs / 60_000_000_000n) * 60;
  return { since: { seconds }, until: { seconds: seconds + 60 } };
}

/**
 * Reads what can be read once alone, for what is read three times.
 *
 * @returns By file; undefined where it was said why that is not possible, or it is to end.
 */
export async function holdInputs(
  files: readonly string[],
  ending: Ending,
): Promise<Map<string, HeldInput> | undefined> {
  const held = new Map<string, HeldInput>();
  for (const file of files) {
    const isInput = file === STANDARD_INPUT;
    if (!isInput && !isReadOnce(file)) continue;
    const name = isInput ? "standard input" : `"${file}"`;
    try {
      const input = await HeldInput.take(isInput ? undefined : file, ending.asked);
      if (input === undefined) {
        sayNote(`interrupted before ${name} ended, so that nothing can be told`);
        return undefined;
      }
      held.set(file, input);
    } catch (error) {
      if (!(error instanceof InputError)) throw error;
      sayNote(`Cannot read ${name}: ${error.message}`);
      return undefined;
    }
  }
  return held;
}

/** Reads all files, once in each pass. */
class Passes {
  /** Whether something could not be read, or an interruption came before all was. */
  hasFailed = false;
  isInterrupted = false;
  readonly #files: readonly string[];
  readonly #held: ReadonlyMap<string, HeldInput>;
  readonly #interfaces: readonly string[];
  readonly #ending: Ending;
  readonly #progress = new ProgressLine();
  readonly #said = new Set<string>();

  constructor(
    files: readonly string[],
    held: ReadonlyMap<string, HeldInput>,
    interfaces: readonly string[],
    ending: Ending,
  ) {
    this.#files = files;
    this.#held = held;
    this.#interfaces = interfaces;
    this.#ending = ending;
  }

  /** One pass. @param take What takes the handshakes of a source; {@link Source.done} ends the pass. */
  async read(
    take: (source: InputSource) => TakeEnd,
    { onEvent, hours = {} }: PassOptions = {},
  ): Promise<void> {
    const ending = this.#ending;
    for (const file of this.#files) {
      if (this.isInterrupted) return;
      let takeEnd: TakeEnd = () => {};
      const name = file === STANDARD_INPUT ? "standard input" : file;
      const sink = new EndsSink(name, (...told) => takeEnd(...told), onEvent);
      const pipeline = new Pipeline({ sinks: [sink], supervisor: ending });
      const source = new InputSource({ interfaces: this.#interfaces, host: "", pipeline });
      takeEnd = take(source);
      const reading = new Reading(source, pipeline, ending.asked, this.#progress, hours);
      const held = this.#held.get(file);
      const fault = await ending.attempt(
        "reading",
        () => held === undefined ? reading.read(file, false) : reading.readHeld(file, held),
      );
      const interruption = reading.describeInterruption();
      if (interruption !== undefined) {
        // An other end that was not looked for in all is not known to be absent.
        sayNote(`${interruption}, so that nothing can be told`);
        this.hasFailed = this.isInterrupted = true;
        return;
      }
      await ending.attempt("matching", () => source.conclude());
      if (fault !== undefined) this.#sayOnce(fault);
      if (source.done) return;
    }
  }

  /** What cannot be read, each pass finds again. */
  #sayOnce(fault: string): void {
    if (!this.#said.has(fault)) sayNote(fault);
    this.#said.add(fault);
    this.hasFailed = true;
  }
}

/**
 * Finds a handshake in the files and its other end, and tells it by both.
 *
 * @param files Captures, records and stores.
 * @param held Those that could be read once alone, see {@link holdInputs}.
 * @param ending Ends the reading. @returns The story; undefined: it was said why there is none.
 */
export async function explainPair(
  files: readonly string[],
  held: ReadonlyMap<string, HeldInput>,
  { filter, index, interfaces }: Pick<ExplainOptions, "filter" | "index" | "interfaces">,
  ending: Ending,
): Promise<FoundStory> {
  const passes = new Passes(files, held, interfaces, ending);
  let stop = () => {};
  const search = new PairSearch(filter, index, () => stop());
  await passes.read((source) => {
    stop = () => source.done = true;
    return search.pick(source.context);
  }, { hours: filter });
  if (search.picked === undefined) {
    if (!passes.isInterrupted) {
      sayNote("Cannot explain a pair: no handshake of a client or a server that matches is there");
    }
    return { story: undefined, hasFailed: passes.hasFailed };
  }
  await passes.read(() => search.gather, { hours: minuteOf(search.picked.end) });
  const watched = new WatchedHosts();
  await passes.read(() => search.match, {
    onEvent: (event, members) => watched.take(event, members),
  });
  const other = search.other();
  const story = passes.isInterrupted
    ? undefined
    : other === undefined
    ? tellOneEnd(search, watched)
    : tellPair(search, other);
  return { story, hasFailed: passes.hasFailed };
}

function tellPair(search: PairSearch, other: OtherEnd): Story {
  const { end } = search.picked!;
  const [client, server] = other.isClient ? [other.end, end] : [end, other.end];
  const remarks = other.isGuessed
    ? [
      "Which capture is nearer to the client, the packets do not tell: the one that was given first " +
      "is taken for it.",
    ]
    : [];
  const bounds = boundClocks(search.delaysOf(other.teller));
  const clock = bounds && {
    ...bounds,
    offsetNs: other.isClient ? -bounds.offsetNs : bounds.offsetNs,
  };
  return tellBothEnds(client, server, { tier: other.tier, clock, remarks });
}

/** A story of one end, with what is known of the other. */
function tellOneEnd(search: PairSearch, watched: WatchedHosts): Story {
  const { end, role } = search.picked!;
  return {
    ...end.story,
    remarks: [describeOther(search, end, role, watched), ...end.story.remarks],
  };
}

function describeOther(
  search: PairSearch,
  end: EndTold,
  role: string,
  watched: WatchedHosts,
): string {
  if (search.candidates > 0) {
    return `What other hosts told fits ${search.candidates} times: which one is its other end cannot ` +
      "be said, so that where it failed is not known.";
  }
  const only = `Only ${end.host} told of it`;
  if (search.rewritten !== undefined) {
    return `${only} with this initial sequence number. ${search.rewritten.name} told of one with the same ` +
      "addresses and ports, at that time, and another number: where a firewall or proxy on the way " +
      "rewrites these numbers, nothing tells which ends belong together.";
  }
  if (role !== "client") return `${only}: the other end is not in what was read.`;
  const { outcome } = end;
  const watcher = [...search.serverHosts].find((teller) => {
    const aheadNs = search.delaysOf(teller).find(({ isToOther }) => isToOther)?.delayNs ?? 0;
    return watched.isWatched(teller.key, end.atNs + BigInt(aheadNs));
  });
  if (watcher !== undefined && (outcome === "timeout" || outcome === "unanswered")) {
    return `${only}, and ${watcher.name} was watching and saw no SYN: it was lost ` +
      "on the way there (syn_lost).";
  }
  if (watcher !== undefined && outcome === "refused") {
    return `${only}, and ${watcher.name} was watching and saw nothing of it: ` +
      "something on the way refused (refused_on_the_way).";
  }
  const unknown = outcome === "established" ? "" : ", so that where it failed is not known";
  return `${only}: the server's end is not in what was read, or its host was not ` +
    `watching${unknown} (server_end_not_seen).`;
}
