import { CaptureScope } from "../linux/capture/capture_scope.ts";
import { SystemCallError } from "../linux/libc.ts";
import { UnknownTargetError } from "../linux/netns/namespace_watch.ts";
import { PacketRing } from "../linux/capture/packet_ring.ts";
import { standardError } from "../files/standard_streams.ts";
import { type ByteWriter, writeText } from "../files/stream_output.ts";
import { errorSurface, outputSurface, say, sayNote } from "./process/terminal.ts";
import { hostName } from "../linux/host.ts";
import { hostId, tracerId } from "../linux/host_id.ts";
import { Elsewhere } from "../pipeline/elsewhere.ts";
import { LiveSource } from "../pipeline/live_source.ts";
import { Pipeline } from "../pipeline/pipeline.ts";
import type { Sink } from "../pipeline/sink.ts";
import { ANONYMIZE_HELP, loadDisguise } from "./anonymize_options.ts";
import { Ending } from "./ending.ts";
import { createFormat } from "./format_options.ts";
import { FILTERS_HELP } from "./filter_options.ts";
import { type Command, load } from "./commands.ts";
import { formatHelp, type Help } from "./help.ts";
import { loadFileOpener, openOutputs, type Outputs } from "./open_outputs.ts";
import type { MetricsOptions } from "./metrics_options.ts";
import type { MetricsGround, MetricsOutputs } from "./metrics_outputs.ts";
import { OUTPUT_HELP, writesFiles } from "./output_options.ts";
import { parseTraceOptions, TRACE_FLAGS, type TraceOptions } from "./trace_options.ts";
import { ExitStatus, UsageError } from "./usage.ts";
import { readVersion } from "./version.ts";
import {
  COMMAND_HELP,
  COMMAND_STATUSES,
  handSignals,
  prepareCommand,
  refuseCommand,
} from "./run_command.ts";

/** What `trace --help` tells. */
export const TRACE_HELP: Help = {
  summary: "Report every TCP handshake on this host, from its packets and its kernel.",
  usage: [
    ["synsnoop trace [flags]", "on a terminal one line a handshake, elsewhere NDJSON"],
    ["synsnoop trace [flags] -- COMMAND", "run COMMAND, and report its handshakes alone"],
  ],
  flags: TRACE_FLAGS,
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
  const { withConfig }: typeof import("./configured.ts") = await load("./configured.ts");
  const { readConfigText }: typeof import("./process/config_text.ts") = await load(
    "./process/config_text.ts",
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
    return await writeText(stdout, formatHelp(TRACE_HELP)) ? ExitStatus.Ok : ExitStatus.Failed;
  }
  const fault = options.command && await refuseCommand(options.command);
  if (fault) {
    sayNote(fault.sentence);
    return fault.status;
  }
  using traced = options.command && await prepareCommand(options.command);
  const onInterfaces = options.interfaces.length > 0
    ? options.interfaces.join(", ")
    : "all interfaces";
  // It is made beside this thread.
  const id = hostId();
  const isStandardError = options.toStandardError;
  const surface = isStandardError ? errorSurface() : outputSurface();
  const { statusIntervalMs: intervalMs, filterTexts: filters } = options;
  const status = intervalMs === undefined
    ? undefined
    : { intervalMs, filters, sample: options.filter.sample, version: await readVersion() };
  const format = await createFormat(options.format, surface, true, status);
  const disguise = await loadDisguise(options);
  const opener = await loadFileOpener(options);
  const report = options.report === undefined ? undefined : await loadReport(options, stdout);
  let outputs: Outputs | undefined;
  let metrics: MetricsOutputs | undefined;
  let pipeline: Pipeline | undefined;
  let source: LiveSource | undefined;
  // Before anything is said: who reads it may send a signal at once.
  const ending = Ending.listen({
    leave: () => {
      source?.kill();
      traced?.[Symbol.dispose]();
    },
    report: () => source === undefined ? "the trace has not begun" : pipeline!.summarize(),
    ...traced && handSignals(traced),
    reopen: writesFiles(options) ? () => outputs?.reopen() : undefined,
  });
  try {
    const scope = openScope(options);
    PacketRing.assertPermitted();
    const host = hostName();
    const identity = { host, hostId: await id, tracer: tracerId() };
    const shown = disguise?.identity(identity) ?? identity;
    outputs = openOutputs(options, opener, {
      format,
      writer: { host: shown.hostId ?? shown.host, tracer: identity.tracer },
      fields: options.format.fields,
      status,
      showsToo: surface.isTerminal,
      stdout: isStandardError ? standardError() : stdout,
      isStandardError,
      onGone: ending.ask,
    });
    metrics = options.metrics && await loadMetrics(options.metrics, shown, !disguise);
    const { length } = scope.sites;
    const inNamespaces = length > 1 ? ` of ${length} network namespaces` : "";
    sayNote(`starting to trace TCP handshakes on ${onInterfaces}${inNamespaces}`);
    const elsewhere = new Elsewhere({
      isCaptured: (netns) => scope.captures(netns),
      hasKernel: () => source?.hasKernel ?? false,
      // With `all`, a namespace has come and gone before it could be captured.
      onHint: (sentence) => options.namespaces.includes("all") || sayNote(sentence),
    });
    pipeline = new Pipeline({
      filter: {
        ...options.filter,
        captured: scope.interfaces.length > 0,
        isMeant: traced && ((process, path) => traced.has(process, path)),
      },
      count: options.count,
      sinks: [
        elsewhere,
        ...metrics ? [metrics.sink] : [],
        ...report ? [report] : [],
        ...outputs.sinks,
      ],
      disguise,
      supervisor: ending,
      onCount: ending.ask,
    });
    source = new LiveSource({
      ...options,
      scope,
      identity,
      pipeline,
      supervisor: ending,
      onReady: (hasKernel) => {
        endAfter(options.durationMs, ending);
        traced?.start(hasKernel);
      },
      onNote: sayNote,
    });
    metrics?.beginLive(() => pipeline!.state(), options.probes !== "none");
  } catch (error) {
    if (!(error instanceof SystemCallError)) throw error;
    sayNote(error.message);
    return error.errnoName === "EPERM" ? ExitStatus.NotPermitted : ExitStatus.Failed;
  }
  traced?.ended.then(ending.ask);
  await ending.asked;
  traced?.close();
  await source.finish();
  await pipeline.end();
  await ending.attempt("the metrics", () => metrics?.close());
  await ending.attempt("the store", () => outputs?.close());
  const summary = await ending.attempt("the summary", () => pipeline.summarize());
  if (summary !== undefined) say(summary);
  if (report && pipeline.handshakes === 0) {
    sayNote(`no handshake came: "${options.report}" is not written`);
  }
  const commandStatus = await traced?.status();
  if (ending.failed || pipeline.failed) return ExitStatus.Failed;
  if (commandStatus !== undefined) return commandStatus;
  return options.exitStatus && pipeline.handshakes === 0
    ? ExitStatus.NothingMatched
    : ExitStatus.Ok;
}

/** Loads what counts handshakes for others, where it is asked for. */
async function loadMetrics(
  options: MetricsOptions,
  identity: MetricsGround["identity"],
  tellsContainer: boolean,
): Promise<MetricsOutputs> {
  const { MetricsOutputs }: typeof import("./metrics_outputs.ts") = await load(
    "./metrics_outputs.ts",
  );
  const version = await readVersion();
  return new MetricsOutputs(options, { version, identity, tellsContainer, onNote: sayNote });
}

/** Loads what makes a page, where one is asked for. @throws {UsageError} It cannot be written there. */
async function loadReport(
  { report, force, filter, filterTexts, anonymize, output, write }: TraceOptions,
  stdout: ByteWriter,
): Promise<Sink> {
  const { openReport }: typeof import("./open_report.ts") = await load("./open_report.ts");
  return await openReport({
    flag: "report",
    path: report,
    force,
    others: [output, write].filter((path) => path !== undefined),
    filters: filterTexts,
    anonymize,
    sample: filter.sample,
    stdout,
  });
}

/** Has a trace end after so many milliseconds from now on; Infinity: not by that. */
export function endAfter(durationMs: number, ending: Ending): void {
  if (durationMs < Infinity) setTimeout(ending.ask, durationMs);
}

/** Finds what is to be captured. @throws {UsageError} where an interface or a namespace is not there. */
export function openScope(
  { interfaces, awaitsInterfaces: awaits, namespaces }: Pick<
    TraceOptions,
    "interfaces" | "awaitsInterfaces" | "namespaces"
  >,
): CaptureScope {
  try {
    return new CaptureScope(interfaces, namespaces, { awaits });
  } catch (error) {
    throw error instanceof UnknownTargetError ? new UsageError(error.message) : error;
  }
}
