import type { ClockBounds } from "../../explain/both_ends.ts";
import type { SeenDelay } from "../../explain/moments.ts";
import { StoryTeller } from "../../explain/teller.ts";
import {
  LEGEND,
  LEGEND_OF_BOTH_ENDS,
  NUMBERS_HEADING,
  ROUND_TRIPS_HEADING,
} from "../../explain/words.ts";
import { copyHandshake } from "../../match/copy_handshake.ts";
import { type Handshake, OUTCOMES } from "../../match/handshake.ts";
import { NO_ROW, type Sink, type Source, type TraceState } from "../../pipeline/sink.ts";
import { CurrentContext, type RecordContext } from "../../record/record_context.ts";
import { formatTime } from "../../text/time.ts";
import { allNamesOf } from "../statistics/groupings.ts";
import { Statistics } from "../statistics/statistics.ts";
import { formatStatistics } from "../statistics/text.ts";
import { describeMissing, describeNumbers, describeRows, describeSource } from "./about.ts";
import { BothSeen } from "./both_seen.ts";
import { ClockGaps } from "./clock_gaps.ts";
import { Coverage } from "./coverage.ts";
import { type BothViews, type HandshakeView, keyOfHost, viewOf } from "./handshake_view.ts";
import { KeptRows } from "./kept_rows.ts";
import { Kinds } from "./kinds.ts";
import { NumberFacts } from "./number_facts.ts";
import {
  kindsData,
  legsData,
  type PageData,
  PARTS,
  rankingsData,
  rowsData,
  TextTable,
} from "./page_data.ts";
import { RewrittenNumbers, type TellingHost } from "./rewritten_numbers.ts";
import { TimedNames } from "./timed_names.ts";
import { Timeline } from "./timeline.ts";

/** Names of each kind in the tables of a page. */
const TOP = 15;
/** How wide the numbers are for who runs no script: a screen, or a page of paper. */
const PLAIN_COLUMNS = 110;
/** How often it is looked what a live trace can see. */
const COVERAGE_MS = 10_000;

/** What a report is to tell beyond what comes through the pipeline. */
export interface ReportOptions {
  /** Version of this tool. */
  version: string;
  /** The flags that say which handshakes come, as given. */
  filters: readonly string[];
  /** Whether packets, which tell real addresses, are not to be shown: then ladders are as of records. */
  hidesPackets?: boolean;
  /** One of how many handshakes comes, of a live trace; absent: each. */
  sample?: number;
  /** Whether a part of what was given was left unread, at the end; absent: it never is. */
  isPart?(): boolean;
  /** What bounds how far the clock of one host is ahead of another's, of a minute of both; absent: nothing. */
  boundClocks?(delays: readonly SeenDelay[]): ClockBounds | undefined;
  /** Writes the page, at the end. Nothing is written where no handshake came. @returns Whether it could. */
  write(data: PageData): Promise<boolean>;
}

/**
 * Gathers what a report tells, in one pass and bounded memory. It reads whole records: any may become a
 * row, whose story is told of all that it says.
 */
export class ReportSink implements Sink {
  readonly label = "the report";
  readonly reportMs = COVERAGE_MS;
  /** See {@link Sink.keepPackets}: for the ladders. */
  readonly keepPackets: Sink["keepPackets"];
  readonly #options: ReportOptions;
  readonly #teller = new StoryTeller();
  readonly #statistics = new Statistics();
  readonly #kinds = new Kinds();
  readonly #timeline = new Timeline();
  readonly #names = new TimedNames();
  readonly #rows = new KeptRows();
  readonly #coverage = new Coverage();
  readonly #clocks = new ClockGaps();
  readonly #seen = new BothSeen();
  readonly #rewritten = new RewrittenNumbers();
  readonly #facts = new NumberFacts();
  #source: Source | undefined;
  #written: Promise<void> | undefined;
  /** Whether the page could not be written. */
  failed = false;

  /** Has taken nothing yet. */
  constructor(options: ReportOptions) {
    this.#options = options;
    if (!options.hidesPackets) this.keepPackets = (rows) => this.#teller.keepPackets(rows);
  }

  /** See {@link Sink.begin}. */
  begin(source: Source): void {
    this.#source = source;
    this.#teller.begin(source);
  }

  /** See {@link Sink.take}. */
  take(handshake: Handshake, keptRow: number): void {
    const row = this.#options.hidesPackets ? NO_ROW : keptRow;
    const { context } = this.#source!;
    const names = allNamesOf(handshake, context);
    const kind = this.#kinds.take(handshake, names.reason);
    this.#statistics.record(handshake, context, names);
    this.#timeline.take(handshake, kind, this.#names.numbersOf(names));
    this.#facts.take(handshake);
    this.#coverage.count(context.host);
    const host = hostOf(context);
    this.#seen.take(handshake, host.key);
    this.#rewritten.take(handshake, host);
    this.#rows.take(handshake, kind, () => this.#view(handshake, row));
  }

  /** See {@link Sink.takeAgain}. */
  takeAgain(handshake: Handshake): void {
    const { context } = this.#source!;
    const host = hostOf(context);
    this.#seen.take(handshake, host.key);
    this.#rewritten.takeAgain(handshake, host);
    const row = this.#rows.takeAgain(handshake, () => this.#view(handshake, NO_ROW));
    if (row === undefined) return;
    const [first] = row.views;
    const { epochSeconds, timeNs } = handshake;
    this.#clocks.take(first.host, first.time, context.host, { epochSeconds, timeNs });
  }

  /** See {@link Sink.takeEvent}. */
  takeEvent(event: string, members: Readonly<Record<string, unknown>>): void {
    this.#coverage.take(event, members);
  }

  /** Notes what a live trace can see now, as its status lines do for who reads later. */
  report({ delivering, span, context }: TraceState): void {
    if (delivering === undefined) return;
    const { filters, sample = 1 } = this.#options;
    const { epochSeconds, startNs, endNs } = span;
    this.#coverage.take("status", {
      host: context.host,
      tracer: context.tracer,
      since: formatTime(epochSeconds, startNs),
      time: formatTime(epochSeconds, endNs),
      filters,
      sample,
      sources: delivering,
    });
  }

  /** Nothing: a page is made as a whole. */
  flush(): void {}

  /** Has the page written, see {@link settle}. */
  end(state: TraceState): void {
    if (this.#statistics.handshakes === 0) return;
    const writing = this.#options.write(this.data(state));
    this.#written = writing.then((isWritten) => void (this.failed ||= !isWritten));
  }

  /** See {@link Sink.settle}. */
  async settle(): Promise<void> {
    await this.#written;
  }

  /** What the page shows, by how it went. */
  data(state: TraceState): PageData {
    const { version, filters } = this.#options;
    const isPart = this.#options.isPart?.() ?? false;
    const span = this.#timeline.span();
    const { rows, keptOfKind, translated } = this.#rows.list((views) => this.#boundClocks(views));
    const texts = new TextTable();
    const startMs = span?.startMs ?? state.span.epochSeconds * 1e3;
    return {
      version,
      handshakes: this.#statistics.handshakes,
      missing: [
        ...isPart ? ["Reading was interrupted: this is a part of what was given."] : [],
        ...describeMissing(state.losses, this.#coverage),
        ...this.#clocks.describe(),
        ...this.#rewritten.describe(),
      ],
      about: describeSource(state, this.#coverage, filters),
      outcomes: OUTCOMES,
      startMs,
      widthMs: span?.widthMs ?? 1,
      buckets: span?.buckets.length ?? 0,
      parts: PARTS,
      kinds: kindsData(this.#kinds.list, span, keptOfKind),
      legs: legsData(span),
      rankings: rankingsData(this.#statistics, TOP, this.#names, span),
      sections: describeNumbers(this.#statistics, this.#facts),
      tableNote: describeRows(rows.length, this.#statistics.handshakes, translated),
      ladderWords: {
        legend: LEGEND,
        legendOfBothEnds: LEGEND_OF_BOTH_ENDS,
        numbers: NUMBERS_HEADING,
        trips: ROUND_TRIPS_HEADING,
      },
      rows: rowsData(rows, startMs, texts),
      texts: texts.texts,
      statistics: formatStatistics(this.#statistics, state.span, {
        top: TOP,
        ascii: false,
        width: PLAIN_COLUMNS,
      }),
    };
  }

  #boundClocks({ client, server }: BothViews): ClockBounds | undefined {
    const delays = this.#seen.delays(client.hostKey, server.hostKey, client.end!.atNs);
    return this.#options.boundClocks?.(delays);
  }

  #view(handshake: Handshake, row: number): HandshakeView {
    const { context } = this.#source!;
    if (row !== NO_ROW || !(context instanceof CurrentContext)) {
      const story = this.#teller.tell(handshake, row);
      return viewOf(() => story, handshake, context, row === NO_ROW);
    }
    // What a record says stays as it is: most of those kept make room for others before they are shown.
    const [copy, said] = [copyHandshake(handshake), context.now];
    return viewOf(() => this.#teller.tell(copy, NO_ROW, said), copy, said);
  }
}

function hostOf(context: RecordContext): TellingHost {
  return { key: keyOfHost(context), name: context.host };
}
