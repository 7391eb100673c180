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
  isFirst?: boolean;
  isSecond?: boolean;
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
    try {
      const input = await HeldInput.take(isInput ? undefined : file, ending.asked);
      if (input === undefined) return undefined;
      held.set(file, input);
    } catch (error) {
      if (!(error instanceof InputError)) throw error;
      sayNote(`Cannot read ${isInput ? "standard input" : `"${file}"`}: ${error.message}`);
      return undefined;
    }
  }
  return held;
}

/**
 * Finds a handshake in the files and its other end, and tells it by both.
 *
 * @param files Captures, records and stores. @param held Of those that could be read once alone, see {@link holdInputs}.
 * @param ending Ends the reading. @returns The story; undefined: it was said why there is none.
 */
export async function explainPair(
  files: readonly string[],
  held: ReadonlyMap<string, HeldInput>,
  { filter, index, interfaces }: Pick<ExplainOptions, "filter" | "index" | "interfaces">,
  ending: Ending,
): Promise<FoundStory> {
  const progress = new ProgressLine();
  let hasFailed = false;
  const pass = async (
    take: (source: InputSource) => TakeEnd,
    { onEvent, hours = {}, isFirst = false, isSecond = false }: PassOptions = {},
  ) => {
    for (const file of files) {
      if (isFirst && search.picked !== undefined) return;
      let takeEnd: TakeEnd = () => {};
      const name = file === STANDARD_INPUT ? "standard input" : file;
      const sink = new EndsSink(name, (...told) => takeEnd(...told), onEvent);
      const pipeline = new Pipeline({ sinks: [sink], supervisor: ending });
      const source = new InputSource({ interfaces, host: "", pipeline });
      takeEnd = take(source);
      if (isFirst) stop = () => source.done = true;
      const reading = new Reading(source, pipeline, ending.asked, progress, hours);
      const input = held.get(file);
      const fault = await ending.attempt(
        "reading",
        () => input === undefined ? reading.read(file, false) : reading.readHeld(file, input),
      );
      await ending.attempt("matching", () => source.conclude());
      // What cannot be read is said once: the third pass reads all.
      if (fault === undefined || isSecond) continue;
      if (isFirst || !hasFailed) sayNote(fault);
      hasFailed = true;
    }
  };
  let stop = () => {};
  const search = new PairSearch(filter, index, () => stop());
  await pass(({ context }) => search.pick(context), { hours: filter, isFirst: true });
  if (search.picked === undefined) {
    sayNote("Cannot explain a pair: no handshake of a client or a server that matches is there");
    return { story: undefined, hasFailed };
  }
  await pass(() => search.gather, { hours: minuteOf(search.picked.end), isSecond: true });
  const watched = new WatchedHosts();
  await pass(() => search.match, { onEvent: (event, members) => watched.take(event, members) });
  const other = search.other();
  const story = other === undefined ? tellOneEnd(search, watched) : tellPair(search, other);
  return { story, hasFailed };
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
