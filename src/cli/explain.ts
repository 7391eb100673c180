import { SystemCallError } from "../linux/libc.ts";
import { ProgressLine } from "./process/progress_line.ts";
import { PacketRing } from "../linux/capture/packet_ring.ts";
import { type ByteWriter, StreamOutput, writeText } from "../files/stream_output.ts";
import { hostName } from "../linux/host.ts";
import { outputSurface, sayNote } from "./process/terminal.ts";
import { formatLessonMarkdown } from "../explain/lesson_markdown.ts";
import { formatLessonSvg } from "../explain/lesson_svg.ts";
import { formatLessonText } from "../explain/lesson_text.ts";
import type { Story } from "../explain/story.ts";
import { LineFormat } from "../output/handshake_format.ts";
import { describeDiscarded, type Undecoded } from "../output/summary.ts";
import { Ending } from "./ending.ts";
import { EXPLAIN_FLAGS, type ExplainOptions, parseExplainOptions } from "./explain_options.ts";
import { formatFlags } from "./flags.ts";
import { HandshakePick } from "./handshake_pick.ts";
import { Reading } from "./read.ts";
import { ReadSession } from "./read_session.ts";
import { openScope } from "./trace.ts";
import { TraceSession } from "./trace_session.ts";
import { ExitStatus } from "./usage.ts";

const HELP = `Explain one TCP handshake, packet by packet.

synsnoop explain [flags] FILE   the first in a capture file that matches; - is standard input
synsnoop explain [flags]        the next one on this host that ends and matches (root)

${formatFlags(EXPLAIN_FLAGS)}
Flags that filter may be repeated or list values separated by commas; with a FILE there are --port,
--host, --interface and --outcome. Of this host, Ctrl-C ends the waiting: a handshake that is under
way and matches is then explained as it stands. Text is coloured on a terminal, unless NO_COLOR is
set.

Exit status: 0 done, 1 nothing matched, a file could not be read or not all could be written, 2 wrong
usage, 3 not permitted (run as root), 130 interrupted twice.
`;

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
  if (options.help) return await writeText(stdout, HELP) ? ExitStatus.Ok : ExitStatus.Failed;
  const { story, status } = options.file === undefined
    ? await pickOfHost(options)
    : await pickOfFile(options, options.file, stdout);
  if (story === undefined) return status;
  return await writeText(stdout, format(story, options)) ? status : ExitStatus.Failed;
}

interface Picked {
  story: Story | undefined;
  status: number;
}

function format(story: Story, { format, header, ascii }: ExplainOptions): string {
  const { utf8, colour } = outputSurface();
  switch (format) {
    case "svg":
      return formatLessonSvg(story, { header });
    case "markdown":
      return formatLessonMarkdown(story, { header, ascii: ascii || !utf8 });
    case "text":
      return formatLessonText(story, { header, ascii: ascii || !utf8, color: colour });
  }
}

async function pickOfFile(
  options: ExplainOptions,
  file: string,
  stdout: ByteWriter,
): Promise<Picked> {
  const ending = Ending.listen({ report: () => `${pick.describeMiss()} so far` });
  const output = new StreamOutput(stdout, ending.ask);
  const pick: HandshakePick = new HandshakePick({
    filter: options.filter,
    index: options.index,
    interfaceName: (place) => session.interfaceName(place),
    onPicked: () => session.done = true,
  });
  const session: ReadSession = new ReadSession({
    filter: {},
    interfaces: options.interfaces,
    // Nothing is written of what it reports: it is picked from.
    count: 0,
    format: new LineFormat(),
    output,
    host: hostName(),
    kept: pick.kept,
    onHandshake: pick.take,
  });
  const reading = new Reading(session, output, ending.asked, new ProgressLine());
  const fault = await ending.attempt("reading", () => reading.read(file, false));
  await ending.attempt("matching", () => session.finish());
  if (fault !== undefined) sayNote(fault);
  sayThrownAway(session.undecoded());
  if (pick.story === undefined) {
    const undecoded = Object.entries(session.undecoded());
    const rest = undecoded.map(([reason, count]) => `, ${count} ${reason}`).join("");
    sayNote(
      `Cannot explain a handshake: ${pick.describeMiss()}; ${session.packets} packets were read${rest}`,
    );
  }
  const isDone = pick.story !== undefined && fault === undefined && !ending.failed;
  return { story: pick.story, status: isDone ? ExitStatus.Ok : ExitStatus.Failed };
}

/** Says how many packets decide nothing, and why: the ladder lacks them. */
function sayThrownAway(undecoded: Undecoded): void {
  const thrownAway = describeDiscarded(undecoded);
  if (thrownAway !== undefined) sayNote(thrownAway);
}

async function pickOfHost(options: ExplainOptions): Promise<Picked> {
  let session: TraceSession | undefined;
  let pick: HandshakePick | undefined;
  const ending = Ending.listen({
    leave: () => session?.kill(),
    report: () => `${pick?.describeMiss() ?? "nothing is waited for"} so far`,
  });
  try {
    const scope = openScope(options.trace);
    PacketRing.assertPermitted();
    pick = new HandshakePick({
      filter: { ...options.filter, captured: scope.interfaces.length > 0 },
      index: options.index,
      interfaceName: (place) => session?.interfaceName(place),
      onPicked: ending.ask,
    });
    sayNote(describeWaiting(options));
    session = new TraceSession({
      options: options.trace,
      scope,
      output: NOWHERE,
      format: new LineFormat(),
      ending,
      kept: pick.kept,
      onHandshake: pick.take,
    });
    await ending.asked;
    await session.finish();
    sayThrownAway(session.undecoded());
    if (pick.story === undefined) sayNote(`Cannot explain a handshake: ${pick.describeMiss()}`);
    return {
      story: pick.story,
      status: pick.story === undefined || ending.failed ? ExitStatus.Failed : ExitStatus.Ok,
    };
  } catch (error) {
    if (!(error instanceof SystemCallError)) throw error;
    sayNote(error.message);
    const status = error.errnoName === "EPERM" ? ExitStatus.NotPermitted : ExitStatus.Failed;
    return { story: undefined, status };
  }
}

/** The session writes nothing: what it reports is picked from. */
const NOWHERE = { lost: 0, write: () => {}, flush: () => Promise.resolve() };

function describeWaiting({ index, interfaces, filterText }: ExplainOptions): string {
  const which = index === 1
    ? "the next TCP handshake"
    : `TCP handshake number ${index} from now on`;
  const where = interfaces.length > 0 ? interfaces.join(", ") : "all interfaces";
  return `waiting for ${which} on ${where} that ends${filterText && ` and matches ${filterText}`}`;
}
