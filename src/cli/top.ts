import { drawLesson } from "../explain/lesson_text.ts";
import type { StoryContext } from "../explain/story.ts";
import { tellStory } from "../explain/story.ts";
import { storyNames, StoryTeller } from "../explain/teller.ts";
import { saveFile } from "../files/save_file.ts";
import { type ByteWriter, StreamOutput } from "../files/stream_output.ts";
import { PacketRing } from "../linux/capture/packet_ring.ts";
import { collectOnceStarted, handBackFreed } from "../linux/free_memory.ts";
import { hostName } from "../linux/host.ts";
import { SystemCallError } from "../linux/libc.ts";
import { type KeptHandshake, Latest } from "../output/top/kept_handshakes.ts";
import { PlainFormat } from "../output/top/plain_format.ts";
import type { ScreenLine } from "../output/top/screen_line.ts";
import { TopModel } from "../output/top/top_model.ts";
import { TopSink } from "../output/top/top_sink.ts";
import { TopView } from "../output/top/top_view.ts";
import { TextSink } from "../output/text_sink.ts";
import { Elsewhere } from "../pipeline/elsewhere.ts";
import { InputSource } from "../pipeline/input_source.ts";
import { LiveSource } from "../pipeline/live_source.ts";
import { Pipeline } from "../pipeline/pipeline.ts";
import type { Sink, TraceState } from "../pipeline/sink.ts";
import type { Command } from "./commands.ts";
import { openScope } from "./flags/capture_options.ts";
import { Ending } from "./ending.ts";
import { FILTERS_HELP } from "./flags/filter_options.ts";
import { formatHelp, type Help } from "./help.ts";
import { ProgressLine } from "./process/progress_line.ts";
import { NoTerminalError, ScreenTerminal } from "./process/screen_terminal.ts";
import { askToStop } from "./process/signals.ts";
import {
  isInputTerminal,
  outputSurface,
  printText,
  say,
  sayNote,
  sayOnScreen,
  terminalHasColours,
} from "./process/terminal.ts";
import { knownUid } from "./process/users.ts";
import { openDecoding, Reading, sayUnknown } from "./reading.ts";
import { STANDARD_INPUT } from "./flags/read_options.ts";
import { parseTopOptions, TOP_FLAGS, type TopOptions } from "./flags/top_options.ts";
import { TopScreen } from "./top_screen.ts";
import { parseTypedFilter } from "./flags/typed_filter.ts";
import { ExitStatus, UsageError } from "./usage.ts";

/** What `top --help` tells. */
export const TOP_HELP: Help = {
  summary: "Show in a terminal who fails, who is slow, and since when.",
  usage: [
    ["synsnoop top [flags]", "what happens on this host (root)"],
    ["synsnoop top [flags] FILE", "records, also while they are written, or a capture"],
    ["synsnoop top [flags] -", "what comes by standard input"],
  ],
  flags: TOP_FLAGS,
  headings: {
    group: "What is shown",
    interface: "Which handshakes",
    "interface-wait": "Of this host",
    help: "More",
  },
  examples: [
    ["synsnoop top --server-port 443 --group client", "who connects to HTTPS, as it happens"],
    ["synsnoop top /var/log/handshakes.ndjson", "what a service writes, without being root"],
    ["ssh web1 synsnoop trace --json | synsnoop top -", "another host"],
    ["synsnoop top --interval 10s --group reason", "why, as plain text every ten seconds"],
  ],
  paragraphs: [
    "Tab chooses by what handshakes are counted together: server, client, process, container, " +
    "cgroup or reason. Enter opens the handshakes of a row, and of one of them the ladder that " +
    "explain draws. ? shows every key.",
    "A FILE of records is followed by its name, as tail -F does: one that is rotated or cut short " +
    "goes on, and that is said. So is a store, whoever writes its hours. A capture is read to its " +
    "end; one that is being written can be piped. Two records of one handshake, by two hosts, count " +
    "once.",
    "/ filters while it is typed, with the flags below; words without dashes are looked for in " +
    `names and outcomes. ${FILTERS_HELP} --since, --until and --traced-on need a FILE or -.`,
    "NET is the round trip through the network, HOST the time of this host itself, as client (c) " +
    "or as server (s). Memory is bounded: 4,096 names of each kind, the latest 1,000 failures.",
    "The terminal is needed: it is where keys come from. Without one use --interval.",
  ],
  statuses: [
    [ExitStatus.Ok, "done"],
    [ExitStatus.Failed, "could not go on, or a file could not be read to its end"],
    [ExitStatus.Usage, "wrong usage, or there is no terminal"],
    [ExitStatus.NotPermitted, "not permitted (run as root)"],
    [ExitStatus.Interrupted, "interrupted twice"],
  ],
};

/** The command `top`. */
export const command: Command = { help: TOP_HELP, run: top };

/** Packets kept of handshakes under way: 19 MB, touched as they come. */
const PACKETS_MAX = 65_536;
/** How often is looked whether something is to be reported while nothing comes. */
const FLUSH_MS = 250;
/** Columns of a plain table in a pipe. */
const PLAIN_WIDTH = 100;

/** Lines that were said on a screen and are told once more behind it. */
const SAID_MAX = 100;

/** Where handshakes come from, and how that is called. */
interface Origin {
  /** In a few words, as long as it goes on. */
  name: string;
  /** Whether they are reported as they happen. */
  isLive: boolean;
}

/**
 * The command `top`.
 *
 * @param args What follows the command's name.
 * @param stdout Where plain tables and help go.
 * @returns The exit status.
 * @throws {UsageError} One line for the user.
 */
export async function top(args: readonly string[], stdout: ByteWriter): Promise<number> {
  const options = parseTopOptions(args);
  if (options.help) {
    return await printText(stdout, formatHelp(TOP_HELP)) ? ExitStatus.Ok : ExitStatus.Failed;
  }
  const { file } = options;
  if (file === STANDARD_INPUT && isInputTerminal()) {
    throw new UsageError(
      "Cannot read records from the terminal: pipe them, as in synsnoop trace --json | synsnoop top -",
    );
  }
  const origin: Origin = {
    name: file === undefined ? "live" : file === STANDARD_INPUT ? "standard input" : `"${file}"`,
    isLive: file === undefined,
  };
  using shown = options.intervalMs === undefined
    ? new OnTerminal(options, origin)
    : new AsText(options, origin, stdout, options.intervalMs);
  return file === undefined
    ? await showHost(options, shown)
    : await showFile(options, file, shown, origin);
}

/** How handshakes are shown. */
interface Shown extends Disposable {
  readonly sink: Sink;
  readonly ending: Ending;
  readonly model: TopModel;
  /** Begins, once everything that is needed is there. */
  start(handlers: { leave?: () => void; report(): string }): void;
  /** Settles when nothing more comes and it was looked at. */
  ended(): Promise<void>;
}

/** Gives back what must not outlive a command, and tells how it goes; later than signals are heard. */
class Late {
  leave = () => {};
  report = () => "nothing has begun";
}

/** As a screen, which keys change. */
class OnTerminal implements Shown {
  readonly sink: Sink;
  readonly ending: Ending;
  readonly model = new TopModel(Date.now);
  readonly #origin: Origin;
  readonly #quitsAtEnd: boolean;
  readonly #view: TopView;
  readonly #terminal: ScreenTerminal;
  readonly #screen: TopScreen;
  readonly #late = new Late();
  /** What was said while the screen was there, the last of it. */
  readonly #said: Latest<string> = new Latest(SAID_MAX);
  #isDisposed = false;

  constructor(options: TopOptions, origin: Origin) {
    const { utf8, colour } = terminalSurface(options);
    this.#quitsAtEnd = options.quitAtEnd;
    this.#origin = origin;
    const ascii = options.ascii || !utf8;
    const view = this.#view = new TopView(this.model, {
      ascii,
      localTime: options.localTime,
      table: options.table,
      parseFilter: (text) => parseTypedFilter(text, { nowMs: Date.now(), uidOf: knownUid }),
      ladder: (kept) => drawLadder(kept, ascii),
    });
    view.status = statusOf(origin, undefined);
    this.#terminal = openTerminal({
      onKeys: (bytes) => this.#screen.take(bytes),
      onChange: () => this.#screen.redraw(),
      onGone: () => this.ending.ask(),
    });
    const terminal = this.#terminal;
    this.#screen = new TopScreen(view, terminal, {
      colour,
      onQuit: () => this.ending.ask(),
      onSuspend: askToStop,
      save: saveFile,
    });
    this.ending = Ending.listen({
      leave: () => {
        this[Symbol.dispose]();
        this.#late.leave();
      },
      report: () => this.#late.report(),
      beforeStop: () => terminal.leave(),
    });
    const memory = new StoryTeller(PACKETS_MAX);
    this.sink = new TopSink(this.model, memory, (state) => view.status = statusOf(origin, state));
  }

  start(handlers: { leave?: () => void; report(): string }): void {
    Object.assign(this.#late, handlers);
    if (this.#origin.isLive) this.model.clock.start();
    sayOnScreen((lines) => {
      for (const line of lines.trimEnd().split("\n")) {
        this.#said.push(line);
        this.#view.say(line.replace(/^synsnoop: /, ""));
      }
      this.#screen.change();
    });
    this.#screen.start();
  }

  async ended(): Promise<void> {
    this.model.clock.stop();
    if (!this.#quitsAtEnd) await this.ending.asked;
  }

  [Symbol.dispose](): void {
    if (this.#isDisposed) return;
    this.#isDisposed = true;
    this.#screen.stop();
    this.#terminal[Symbol.dispose]();
    sayOnScreen(undefined);
    // What would stand there now, had there been no screen.
    for (const line of this.#said.list().reverse()) say(line);
  }
}

/** As plain tables, one after the other. */
class AsText implements Shown {
  readonly sink: Sink;
  readonly ending: Ending;
  readonly model = new TopModel(Date.now);
  readonly #late = new Late();
  readonly #isLive: boolean;

  constructor(options: TopOptions, origin: Origin, stdout: ByteWriter, intervalMs: number) {
    const surface = outputSurface();
    this.#isLive = origin.isLive;
    this.ending = Ending.listen({
      leave: () => this.#late.leave(),
      report: () => this.#late.report(),
    });
    const output = new StreamOutput(stdout, (reason) => {
      if (reason !== undefined) sayNote(`Cannot write to standard output: ${reason}; ending`);
      this.ending.ask();
    });
    const format = new PlainFormat(this.model, {
      ...options,
      intervalMs,
      ascii: options.ascii || !surface.utf8,
      width: () => surface.width() === Infinity ? PLAIN_WIDTH : surface.width(),
      statusOf: (state) => statusOf(origin, state),
    });
    this.sink = new TextSink(output, format, "to standard output");
  }

  start(handlers: { leave?: () => void; report(): string }): void {
    Object.assign(this.#late, handlers);
    if (this.#isLive) this.model.clock.start();
  }

  ended(): Promise<void> {
    this.model.clock.stop();
    return Promise.resolve();
  }

  [Symbol.dispose](): void {}
}

function terminalSurface({ colour }: TopOptions): { utf8: boolean; colour: boolean } {
  const surface = outputSurface();
  return {
    utf8: surface.utf8,
    colour: colour === "always" || colour === "auto" && terminalHasColours(),
  };
}

/** @throws {UsageError} There is no terminal. */
function openTerminal(events: Parameters<typeof ScreenTerminal.open>[0]): ScreenTerminal {
  try {
    return ScreenTerminal.open(events);
  } catch (error) {
    if (!(error instanceof NoTerminalError)) throw error;
    throw new UsageError(
      `Cannot show a screen without a terminal (${error.message}): use synsnoop top --interval ` +
        "10s, or synsnoop trace --stats --interval 10s",
    );
  }
}

function statusOf(
  { name }: Origin,
  state: TraceState | undefined,
): { host: string; source: string; filtered: number } & Pick<TraceState, "losses" | "delivering"> {
  return {
    host: hostName(),
    source: name,
    losses: state?.losses ?? {},
    delivering: state?.delivering,
    filtered: state?.summary.filtered ?? 0,
  };
}

function drawLadder(
  { handshake, context, packets }: KeptHandshake,
  ascii: boolean,
): readonly ScreenLine[] {
  const kept = packets as Pick<StoryContext, "packets" | "complete"> | undefined;
  const story = tellStory(handshake, {
    ...kept ?? { packets: [], complete: true },
    recorded: kept === undefined,
    ...storyNames(context),
  });
  return drawLesson(story, { ascii, header: false });
}

async function showHost(options: TopOptions, shown: Shown): Promise<number> {
  const { ending, sink } = shown;
  let source: LiveSource | undefined;
  let pipeline: Pipeline;
  try {
    const scope = openScope(options);
    PacketRing.assertPermitted();
    handBackFreed();
    const elsewhere = new Elsewhere({
      isCaptured: (netns) => scope.captures(netns),
      hasKernel: () => source?.hasKernel ?? false,
      onHint: (sentence) => options.namespaces.includes("all") || sayNote(sentence),
    });
    pipeline = new Pipeline({
      filter: { ...options.filter, captured: scope.interfaces.length > 0 },
      sinks: [elsewhere, sink],
      supervisor: ending,
    });
    shown.start({ leave: () => source?.kill(), report: () => pipeline.summarize() });
    source = new LiveSource({
      ...options,
      scope,
      identity: { host: hostName() },
      pipeline,
      supervisor: ending,
      onReady: () => {
        collectOnceStarted();
        ending.askAfter(options.durationMs);
      },
      onNote: sayNote,
    });
  } catch (error) {
    if (!(error instanceof SystemCallError)) throw error;
    shown[Symbol.dispose]();
    const isRefused = error.errnoName === "EPERM";
    sayNote(error.message + (isRefused ? "; or give a FILE of records, or - for a pipe" : ""));
    return isRefused ? ExitStatus.NotPermitted : ExitStatus.Failed;
  }
  await ending.asked;
  // Who asked to leave has his terminal back at once.
  shown[Symbol.dispose]();
  await source.finish();
  return await finish(shown, pipeline, false);
}

async function showFile(
  options: TopOptions,
  file: string,
  shown: Shown,
  origin: Origin,
): Promise<number> {
  const { ending, sink } = shown;
  const { filter, interfaces } = options;
  const pipeline = new Pipeline({ filter, sinks: [sink], supervisor: ending });
  const source: InputSource = new InputSource({
    interfaces,
    host: hostName(),
    pipeline,
    countsOnce: true,
    openThread: openDecoding,
  });
  const reading = new Reading(source, pipeline, ending.asked, new ProgressLine(false), filter);
  shown.start({ report: () => pipeline.summarize() });
  const timer = setInterval(() => pipeline.flush(), FLUSH_MS);
  const fault = await ending.attempt("reading", async () => {
    if (file === STANDARD_INPUT || options.quitAtEnd) return await reading.read(file, false);
    return await reading.readOn(file, sayNote);
  });
  await ending.attempt("matching", () => source.conclude());
  sayUnknown(source);
  if (fault !== undefined) sayNote(fault);
  const isNothing = fault !== undefined && source.items === 0;
  origin.name += ", ended";
  pipeline.flush();
  // What could not even be begun is not looked at.
  if (!isNothing) await shown.ended();
  clearInterval(timer);
  return await finish(shown, pipeline, fault !== undefined);
}

async function finish(shown: Shown, pipeline: Pipeline, hasFailed: boolean): Promise<number> {
  shown[Symbol.dispose]();
  await pipeline.end();
  const summary = await shown.ending.attempt("the summary", () => pipeline.summarize());
  if (summary !== undefined) say(summary);
  return hasFailed || shown.ending.failed || pipeline.failed ? ExitStatus.Failed : ExitStatus.Ok;
}
