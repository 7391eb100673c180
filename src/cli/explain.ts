import { SystemCallError } from "../linux/libc.ts";
import { ProgressLine } from "./process/progress_line.ts";
import { PacketRing } from "../linux/capture/packet_ring.ts";
import { standardError } from "../files/standard_streams.ts";
import { type ByteWriter, writeText } from "../files/stream_output.ts";
import { messageOf } from "../text/message.ts";
import { errorSurface, outputSurface, printText, sayNote } from "./process/terminal.ts";
import { hostName } from "../linux/host.ts";
import { isOrdinary, narrow } from "../linux/narrow.ts";
import { HandshakePick } from "../explain/pick.ts";
import { InputSource } from "../pipeline/input_source.ts";
import { LiveSource } from "../pipeline/live_source.ts";
import { describeDiscarded } from "../pipeline/losses.ts";
import { Pipeline } from "../pipeline/pipeline.ts";
import { formatLessonMarkdown } from "../explain/lesson_markdown.ts";
import { formatLessonSvg } from "../explain/lesson_svg.ts";
import { formatLessonText } from "../explain/lesson_text.ts";
import type { Story } from "../explain/story.ts";
import { openScope } from "./flags/capture_options.ts";
import { Ending } from "./ending.ts";
import {
  EXPLAIN_FLAGS,
  type ExplainOptions,
  parseExplainOptions,
} from "./flags/explain_options.ts";
import { FILTERS_HELP } from "./flags/filter_options.ts";
import type { Command } from "./commands.ts";
import { formatHelp, type Help } from "./help.ts";
import { Reading, sayInterruption, sayUnknown } from "./reading.ts";
import {
  COMMAND_HELP,
  COMMAND_STATUSES,
  handSignals,
  prepareCommand,
  refuseCommand,
} from "./run_command.ts";
import { refusePath } from "./flags/output_options.ts";
import { ExitStatus } from "./usage.ts";

/** What `explain --help` tells. */
export const EXPLAIN_HELP: Help = {
  summary: "Explain one TCP handshake, packet by packet.",
  usage: [
    ["synsnoop explain [flags] FILE", "the first in a file that matches"],
    ["synsnoop explain --pair [flags] FILE...", "one as both of its hosts tell it"],
    ["synsnoop explain [flags]", "the next one here that ends and matches (root)"],
    ["synsnoop explain [flags] -- COMMAND", "the first of COMMAND, which it runs (root)"],
  ],
  flags: EXPLAIN_FLAGS,
  headings: {
    index: "What is told",
    interface: "Which handshakes",
    "interface-wait": "Of this host",
    "exit-status": "More",
  },
  examples: [
    ["synsnoop explain --comm curl --header", "the next one of curl, bit by bit"],
    ["synsnoop explain --outcome refused --index 2 capture.pcapng", "the second that was refused"],
    ["synsnoop explain --format svg --output syn.svg capture.pcapng", "as a picture"],
    ["synsnoop explain --pair --failed web1.ndjson db1.ndjson", "where on the way it failed"],
    ["synsnoop explain -- curl -s https://example.org", "what curl does"],
  ],
  paragraphs: [
    "FILE is pcap, pcapng or NDJSON of this tool; - is standard input. A record has no packets: then " +
    "the ladder has what the record tells of them, and processes and roles are known of records " +
    "alone.",
    "--pair: the first that matches in the FILEs, in their order, and its other end, wherever it is in " +
    "them: captures of both ends, records, or stores. What was lost on the way, and in which " +
    "direction, is told by both; how long each way took, as far as other handshakes of the two hosts " +
    "in the same minute bound their clocks. What is not known is said. What " +
    "can be read once, such as standard input, is copied into TMPDIR meanwhile, where it may take half " +
    "of the room that is left: FILEs are read three times.",
    `${FILTERS_HELP} --since, --until and --traced-on need a FILE.`,
    "Of this host, Ctrl-C ends the waiting: a handshake that is under way " +
    "and matches is then explained as it stands. Text is coloured on a terminal, unless NO_COLOR is " +
    "set.",
    `${COMMAND_HELP} The explanation is written when COMMAND has ended.`,
  ],
  statuses: [
    [ExitStatus.Ok, "done"],
    [ExitStatus.Failed, "nothing matched, a file could not be read or not all could be written"],
    [ExitStatus.Usage, "wrong usage"],
    [ExitStatus.NotPermitted, "not permitted (run as root)"],
    [ExitStatus.NothingMatched, "with --exit-status: nothing matched"],
    [ExitStatus.Interrupted, "interrupted twice"],
    ...COMMAND_STATUSES,
  ],
};

/** The command `explain`. */
export const command: Command = { help: EXPLAIN_HELP, run: explain };

/**
 * The command `explain`.
 *
 * @param args What follows the command's name.
 * @param stdout Where the explanation and help go.
 * @returns The exit status.
 * @throws {UsageError} One line for the user.
 */
export async function explain(args: readonly string[], stdout: ByteWriter): Promise<number> {
  const options = parseExplainOptions(args);
  if (options.help) {
    return await printText(stdout, formatHelp(EXPLAIN_HELP)) ? ExitStatus.Ok : ExitStatus.Failed;
  }
  const fault = options.command && await refuseCommand(options.command);
  if (fault) {
    sayNote(fault.sentence);
    return fault.status;
  }
  const write = await openExplanation(options, stdout);
  const { story, status } = options.pairFiles !== undefined
    ? await pickPair(options, options.pairFiles)
    : options.file === undefined
    ? await pickOfHost(options)
    : await pickOfFile(options, options.file);
  if (story === undefined) return status;
  return await write(format(story, options)) ? status : ExitStatus.Failed;
}

/** Opens where the explanation goes. @returns Writes it; whether that was possible, else it was said. */
async function openExplanation(
  { output, toStandardError }: ExplainOptions,
  stdout: ByteWriter,
): Promise<(text: string) => Promise<boolean>> {
  if (output === undefined) {
    return (text) => toStandardError ? writeText(standardError(), text) : printText(stdout, text);
  }
  const { openTextOutput }: typeof import("../files/open_output.ts") = await import(
    import.meta.resolve("../files/open_output.ts")
  );
  try {
    const write = openTextOutput(output, sayNote);
    return async (text) => {
      try {
        await write(text);
        return true;
      } catch (error) {
        sayNote(`Cannot write "${output}": ${messageOf(error)}`);
        return false;
      }
    };
  } catch (error) {
    throw refusePath("output", output, error);
  }
}

interface Picked {
  story: Story | undefined;
  status: number;
}

function format(story: Story, options: ExplainOptions): string {
  const { format, header, ascii, output, toStandardError } = options;
  const { utf8, colour: hasColour } = toStandardError ? errorSurface() : outputSurface();
  const colour = hasColour && output === undefined;
  switch (format) {
    case "svg":
      return formatLessonSvg(story, { header });
    case "markdown":
      return formatLessonMarkdown(story, { header, ascii: ascii || !utf8 });
    case "text":
      return formatLessonText(story, { header, ascii: ascii || !utf8, color: colour });
  }
}

async function pickOfFile(options: ExplainOptions, file: string): Promise<Picked> {
  const ending = Ending.listen({ report: () => `${pick.describeMiss()} so far` });
  const { filter, index, interfaces } = options;
  const pick = new HandshakePick({ filter, index, onPicked: () => source.done = true });
  const pipeline = new Pipeline({ sinks: [pick], supervisor: ending });
  const source: InputSource = new InputSource({ interfaces, host: hostName(), pipeline });
  const reading = new Reading(source, pipeline, ending.asked, new ProgressLine(), filter);
  // From here on it is bytes of strangers.
  if (options.output === undefined && isOrdinary(file)) narrow();
  const fault = await ending.attempt("reading", () => reading.read(file, false));
  await ending.attempt("matching", () => source.conclude());
  sayUnknown(source);
  sayInterruption(reading);
  if (fault !== undefined) sayNote(fault);
  sayThrownAway(pipeline);
  // Of what could not even be begun there is nothing to sum up.
  if (pick.story === undefined && (fault === undefined || source.items > 0)) {
    const undecoded = Object.entries(pipeline.state().undecoded);
    const rest = undecoded.map(([reason, count]) => `, ${count} ${reason}`).join("");
    sayNote(
      `Cannot explain a handshake: ${pick.describeMiss()}; ${source.describeRead()}${rest}`,
    );
  }
  const hasFailed = fault !== undefined || ending.failed;
  return { story: pick.story, status: statusOf(pick, hasFailed, options) };
}

async function pickPair(options: ExplainOptions, files: readonly string[]): Promise<Picked> {
  const { explainPair, holdInputs }: typeof import("./explain_pair.ts") = await import(
    import.meta.resolve("./explain_pair.ts")
  );
  const ending = Ending.listen({ report: () => "the other end is not found yet" });
  const held = await holdInputs(files, ending);
  if (held === undefined) return { story: undefined, status: ExitStatus.Failed };
  // From here on it is bytes of strangers.
  const isReopened = (file: string) => !held.has(file);
  if (options.output === undefined && files.filter(isReopened).every(isOrdinary)) narrow();
  const { story, hasFailed } = await explainPair(files, held, options, ending);
  return { story, status: statusOf({ story }, hasFailed || ending.failed, options) };
}

/** Says how many packets decide nothing, and why: the ladder lacks them. */
function sayThrownAway(pipeline: Pipeline): void {
  const thrownAway = describeDiscarded(pipeline.state().undecoded);
  if (thrownAway !== undefined) sayNote(thrownAway);
}

async function pickOfHost(options: ExplainOptions): Promise<Picked> {
  using traced = options.command && await prepareCommand(options.command);
  let source: LiveSource | undefined;
  let pick: HandshakePick | undefined;
  const ending = Ending.listen({
    leave: () => {
      source?.kill();
      traced?.[Symbol.dispose]();
    },
    ...traced && handSignals(traced),
    report: () => `${pick?.describeMiss() ?? "nothing is waited for"} so far`,
  });
  try {
    const scope = openScope(options);
    PacketRing.assertPermitted();
    pick = new HandshakePick({
      filter: {
        ...options.filter,
        captured: scope.interfaces.length > 0,
        isMeant: traced && ((process, path) => traced.has(process, path)),
      },
      index: options.index,
      onPicked: ending.ask,
    });
    sayNote(describeWaiting(options));
    const pipeline = new Pipeline({ sinks: [pick], supervisor: ending });
    source = new LiveSource({
      ...options,
      scope,
      identity: { host: hostName() },
      pipeline,
      supervisor: ending,
      onReady: (hasKernel) => {
        ending.askAfter(options.durationMs);
        traced?.start(hasKernel);
      },
      onNote: sayNote,
    });
    traced?.ended.then(ending.ask);
    await ending.asked;
    traced?.close();
    await source.finish();
    const commandStatus = await traced?.status();
    sayThrownAway(pipeline);
    const whose = options.command ? ` of "${options.command[0]}"` : "";
    if (pick.story === undefined) {
      sayNote(`Cannot explain a handshake${whose}: ${pick.describeMiss()}`);
    }
    const status = statusOf(pick, ending.failed, options);
    return {
      story: pick.story,
      status: status === ExitStatus.Ok ? commandStatus ?? status : status,
    };
  } catch (error) {
    if (!(error instanceof SystemCallError)) throw error;
    sayNote(error.message);
    const status = error.errnoName === "EPERM" ? ExitStatus.NotPermitted : ExitStatus.Failed;
    return { story: undefined, status };
  }
}

function statusOf(
  { story }: Pick<HandshakePick, "story">,
  hasFailed: boolean,
  { exitStatus }: ExplainOptions,
) {
  if (hasFailed) return ExitStatus.Failed;
  if (story !== undefined) return ExitStatus.Ok;
  return exitStatus ? ExitStatus.NothingMatched : ExitStatus.Failed;
}

function describeWaiting({ index, interfaces, filterText, command }: ExplainOptions): string {
  const which =
    (index === 1 ? "the next TCP handshake" : `TCP handshake number ${index} from now on`) +
    (command ? ` of "${command[0]}"` : "");
  const where = interfaces.length > 0 ? interfaces.join(", ") : "all interfaces";
  return `waiting for ${which} on ${where} that ends${filterText && ` and matches ${filterText}`}`;
}
