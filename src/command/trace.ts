import { interfaceIndex, listInterfaces } from "../io/interfaces.ts";
import { SystemCallError } from "../io/libc.ts";
import { PacketRing } from "../io/packet_ring.ts";
import { type ByteWriter, writeText } from "../io/stream_output.ts";
import { exit, isTerminal, onEndSignals, say, sayNote } from "../io/terminal.ts";
import { formatFlags } from "./flags.ts";
import { openOutputs, type Outputs } from "./open_outputs.ts";
import { parseTraceOptions, TRACE_FLAGS } from "./trace_options.ts";
import { TraceSession } from "./trace_session.ts";
import { ExitStatus, UsageError } from "./usage.ts";

const HELP = `Report every TCP handshake on this host, from its packets and its kernel.

synsnoop trace [flags]      on a terminal one line a handshake, elsewhere NDJSON

${formatFlags(TRACE_FLAGS)}
Flags that filter may be repeated or list values separated by commas. The summary comes at the end
on standard error, and as the last line of NDJSON. Ctrl-C ends the trace, a second one at once.

Exit status: 0 done, 1 could not go on or could not write all, 2 wrong usage, 3 not permitted (run
as root), 130 interrupted twice.
`;

/**
 * The command `trace`.
 *
 * @param args What follows the command's name.
 * @param stdout Where records and help go.
 * @returns The exit status.
 * @throws {UsageError} One line for the user.
 */
export async function trace(
  args: readonly string[],
  stdout: ByteWriter,
): Promise<number> {
  const options = parseTraceOptions(args);
  if (options.help) return await writeText(stdout, HELP) ? ExitStatus.Ok : ExitStatus.Failed;
  // Named twice, or by another of its names, an interface would give each packet twice.
  const interfaces = [...new Set(options.interfaces.map(indexOf))];
  const where = options.interfaces.length > 0 ? options.interfaces.join(", ") : "all interfaces";
  const { promise: ended, resolve: end } = Promise.withResolvers<void>();
  let outputs: Outputs;
  let session: TraceSession | undefined;
  // Before anything is said: who reads it may send a signal at once.
  const ignoreSignals = onEndSignals(end, () => {
    session?.kill();
    exit(ExitStatus.Interrupted);
  });
  try {
    PacketRing.assertPermitted();
    outputs = openOutputs(options, [], stdout, end);
    sayNote(`starting to trace TCP handshakes on ${where}`);
    session = new TraceSession({
      options,
      interfaces,
      output: outputs.lines,
      packetOutput: outputs.packets,
      asText: isTerminal() && !options.json && options.output === undefined,
      onDone: end,
    });
  } catch (error) {
    ignoreSignals();
    if (!(error instanceof SystemCallError)) throw error;
    sayNote(error.message);
    return error.errnoName === "EPERM" ? ExitStatus.NotPermitted : ExitStatus.Failed;
  }
  await ended;
  const summary = await session.finish();
  await outputs.lines.flush();
  ignoreSignals();
  say(summary);
  return outputs.lines.lost > 0 || session.packetsFailed ? ExitStatus.Failed : ExitStatus.Ok;
}

function indexOf(name: string): number {
  const index = interfaceIndex(name);
  if (index === undefined) {
    const names = listInterfaces().map((known) => known.name).join(", ");
    throw new UsageError(`Cannot use --interface "${name}": there are ${names}`);
  }
  return index;
}
