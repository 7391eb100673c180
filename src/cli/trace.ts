import type { ByteWriter } from "../files/stream_output.ts";
import { SystemCallError } from "../linux/libc.ts";
import { ANONYMIZE_HELP } from "./flags/anonymize_options.ts";
import type { Command } from "./commands.ts";
import { FILTERS_HELP } from "./flags/filter_options.ts";
import { formatHelp, type Help } from "./help.ts";
import { OUTPUT_HELP } from "./flags/output_options.ts";
import { printText, sayNote } from "./process/terminal.ts";
import { COMMAND_HELP, COMMAND_STATUSES, prepareCommand, refuseCommand } from "./run_command.ts";
import { parseTraceOptions, TRACE_FLAGS } from "./flags/trace_options.ts";
import { TraceSession } from "./trace_session.ts";
import { ExitStatus } from "./usage.ts";

/** What `trace --help` tells. */
export const TRACE_HELP: Help = {
  summary: "Report every TCP handshake on this host, from its packets and its kernel.",
  usage: [
    ["synsnoop trace [flags]", "on a terminal one line a handshake, elsewhere NDJSON"],
    ["synsnoop trace [flags] -- COMMAND", "run COMMAND, and report its handshakes alone"],
  ],
  flags: TRACE_FLAGS,
  headings: {
    interface: "Where and how long",
    port: "Which handshakes",
    json: "In which form",
    output: "Where they go",
    metrics: "Metrics",
    "status-interval": "More",
  },
  examples: [
    ["synsnoop trace --server-port 443 --failed", "what goes wrong with HTTPS"],
    ["synsnoop trace --slower-than 100ms --not-host 10.0.0.0/8", "what is slow, and far"],
    ["synsnoop trace --netns all --output /var/log/handshakes.ndjson", "every container, kept"],
    ["synsnoop trace --report page.html --duration 1m", "a minute as a page with charts"],
    ["synsnoop trace --stats --interval 10s", "counts and round trips of each ten seconds"],
    ["synsnoop trace --config /etc/synsnoop.toml", "as the service does"],
    ["synsnoop trace -- curl -s https://example.org", "what one command does"],
  ],
  paragraphs: [
    FILTERS_HELP,
    "The summary comes at the end on standard error, and as the last line of NDJSON. In files and " +
    "pipes a status line stands among the records every minute and at the end: what the trace can " +
    "see, and what it lost so far.",
    "Ctrl-C and SIGTERM end the trace; another one, a second later or more, leaves at once. SIGUSR1 " +
    "prints the summary so far. SIGHUP without a terminal has --output and --write open their files " +
    "again.",
    `${OUTPUT_HELP} On a terminal --output shows the lines as well. At the end a reader that takes ` +
    "nothing for two seconds is given up.",
    COMMAND_HELP,
    ANONYMIZE_HELP,
    "Network namespaces have names by `ip netns`; of a container give a process. The own one is " +
    "always captured. --netns all takes those that appear later too. --interface means the " +
    "interface of that name in each of them.",
    "--config takes a file of TOML with a table [trace]: a flag's name is a key, without dashes. " +
    'port = ["443", "8000-8999"], slower-than = "100ms", count = 10 and failed = true are flags. A ' +
    "switch that a file turns on cannot be turned off by a flag.",
  ],
  statuses: [
    [ExitStatus.Ok, "done"],
    [ExitStatus.Failed, "could not go on or could not write all"],
    [ExitStatus.Usage, "wrong usage"],
    [ExitStatus.NotPermitted, "not permitted (run as root)"],
    [ExitStatus.NothingMatched, "with --exit-status: nothing matched"],
    [ExitStatus.Interrupted, "interrupted twice"],
    ...COMMAND_STATUSES,
  ],
};

/** The command `trace`. */
export const command: Command = { help: TRACE_HELP, run: runConfigured };

/** What reads configuration files is loaded where one is named, for a trace begins the sooner. */
async function runConfigured(args: readonly string[], stdout: ByteWriter): Promise<number> {
  const flags = args.slice(0, args.includes("--") ? args.indexOf("--") : args.length);
  if (!flags.some((arg) => arg.startsWith("--config"))) return await trace(args, stdout);
  const { withConfig }: typeof import("./flags/configured.ts") = await import(
    import.meta.resolve("./flags/configured.ts")
  );
  const { readConfigText }: typeof import("./process/config_text.ts") = await import(
    import.meta.resolve("./process/config_text.ts")
  );
  const run = (all: readonly string[]) => trace(all, stdout);
  return await withConfig(args, { name: "trace", flags: TRACE_FLAGS }, readConfigText, run);
}

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
  if (options.help) {
    return await printText(stdout, formatHelp(TRACE_HELP)) ? ExitStatus.Ok : ExitStatus.Failed;
  }
  const fault = options.command && await refuseCommand(options.command);
  if (fault) {
    sayNote(fault.sentence);
    return fault.status;
  }
  using traced = options.command && await prepareCommand(options.command);
  const session = await TraceSession.prepare(options, stdout, traced);
  try {
    await session.begin();
  } catch (error) {
    if (!(error instanceof SystemCallError)) throw error;
    sayNote(error.message);
    return error.errnoName === "EPERM" ? ExitStatus.NotPermitted : ExitStatus.Failed;
  }
  await session.ended();
  return await session.finish();
}
