import { ProgressLine } from "./process/progress_line.ts";
import type { ByteWriter } from "../files/stream_output.ts";
import { outputSurface, printText, say, sayNote } from "./process/terminal.ts";
import { hostName } from "../linux/host.ts";
import { isOrdinary, narrow } from "../linux/narrow.ts";
import { InputSource } from "../pipeline/input_source.ts";
import { Pipeline } from "../pipeline/pipeline.ts";
import { TABLE_ROWS_HELD, TALLIES_MAX } from "../output/limits.ts";
import { ANONYMIZE_HELP, loadDisguise } from "./flags/anonymize_options.ts";
import { Ending } from "./ending.ts";
import { createFormat } from "./flags/format_options.ts";
import { FILTERS_HELP } from "./flags/filter_options.ts";
import type { Command } from "./commands.ts";
import type { Help } from "./help.ts";
import { loadFileOpener, openOutputs } from "./open_outputs.ts";
import { OUTPUT_HELP, writesFiles } from "./flags/output_options.ts";
import { describeTimes, openDecoding, Reading, sayInterruption, sayUnknown } from "./reading.ts";
import { parseReadOptions, READ_FLAGS, STANDARD_INPUT } from "./flags/read_options.ts";
import { ExitStatus } from "./usage.ts";

/** What `read --help` tells. */
export const READ_HELP: Help = {
  summary: "Report every TCP handshake in capture files, or in records that were written before.",
  usage: [
    ["synsnoop read [flags] FILE...", "on a terminal one line a handshake, elsewhere NDJSON"],
  ],
  flags: READ_FLAGS,
  headings: {
    follow: "How far",
    interface: "Which handshakes",
    json: "In which form",
    output: "Where they go",
    "exit-status": "More",
  },
  examples: [
    ["synsnoop read --table capture.pcapng", "as a table"],
    ["synsnoop read --stats --since 1h /var/log/handshakes.ndjson*", "the last hour, counted"],
    ["synsnoop read --follow --failed /var/lib/synsnoop", "what fails, of all that traces keep"],
    ["tcpdump -U -w - tcp | synsnoop read -", "while it is captured"],
  ],
  paragraphs: [
    "FILE is pcap, pcapng or NDJSON of this tool, compressed with gzip or zstd or not, or the folder " +
    "of a store; - is standard input. Several captures are one in their order: a handshake may begin " +
    "in one and end in the next. Of records, --table and --stats count a handshake once that two " +
    "hosts saw: the same addresses, ports and initial sequence number of the client within 120 s. " +
    "Processes and roles are known of records alone.",
    FILTERS_HELP,
    "The summary comes at the end on standard error, and as the last line of NDJSON.",
    `${OUTPUT_HELP} After a signal a reader that takes nothing for two seconds is given up.`,
    ANONYMIZE_HELP,
    `--table is as wide as its first ${TABLE_ROWS_HELD} rows need, and written when those are ` +
    `known, with --follow at once. --stats counts ${TALLIES_MAX} names of each kind at a ` +
    "time; where there are more, it says so, and is sure to name whoever has more than one in " +
    `${TALLIES_MAX / 2} handshakes. Its quantiles are never too low and at most 1.6 % too high.`,
  ],
  statuses: [
    [ExitStatus.Ok, "done"],
    [
      ExitStatus.Failed,
      "a file could not be read to its end (what comes before the fault is reported) or not all " +
      "could be written",
    ],
    [ExitStatus.Usage, "wrong usage"],
    [ExitStatus.NothingMatched, "with --exit-status: nothing matched"],
    [ExitStatus.Interrupted, "interrupted twice"],
  ],
};

/** The command `read`. */
export const command: Command = { help: READ_HELP, run: read };

/**
 * The command `read`.
 *
 * @param args What follows the command's name.
 * @param stdout Where records and help go.
 * @returns The exit status.
 * @throws {UsageError} One line for the user.
 */
export async function read(args: readonly string[], stdout: ByteWriter): Promise<number> {
  const options = parseReadOptions(args);
  if (options.help) {
    const { formatHelp }: typeof import("./help.ts") = await import(
      import.meta.resolve("./help.ts")
    );
    return await printText(stdout, formatHelp(READ_HELP)) ? ExitStatus.Ok : ExitStatus.Failed;
  }
  const format = await createFormat(options.format, outputSurface(), options.follow);
  const disguise = await loadDisguise(options);
  const opener = await loadFileOpener(options);
  const ending = Ending.listen({
    report: () => summarize(),
    reopen: writesFiles(options) ? () => outputs.reopen() : undefined,
  });
  const progress = new ProgressLine();
  const outputs = openOutputs(options, opener, {
    format,
    fields: options.format.fields,
    inputs: options.files.filter((file) => file !== STANDARD_INPUT),
    stdout,
    usesThread: true,
    before: (output) => progress.before(output),
    onGone: ending.ask,
  });
  const pipeline = new Pipeline({
    filter: options.filter,
    count: options.count,
    sinks: outputs.sinks,
    disguise,
    supervisor: ending,
    onCount: () => source.done = true,
  });
  const source: InputSource = new InputSource({
    interfaces: options.interfaces,
    host: hostName(),
    pipeline,
    countsOnce: options.format.kind !== "records",
    openThread: openDecoding,
    refusal: options.write && "it holds records, which have no packets for --write",
  });
  const summarize = () => pipeline.summarize() + describeTimes(source);
  const reading = new Reading(source, pipeline, ending.asked, progress, options.filter);
  // From here on it is bytes of strangers.
  if (!writesFiles(options) && options.files.every(isOrdinary)) narrow();
  let failed = false;
  for (const file of options.files) {
    if (source.done) break;
    const fault = await ending.attempt("reading", () => reading.read(file, options.follow));
    if (fault === undefined) continue;
    sayNote(fault);
    failed = true;
  }
  // Of what could not even be begun there is nothing to sum up.
  if (failed && source.items === 0) return ExitStatus.Failed;
  await ending.attempt("matching", () => {
    // What comes last is to stand under the path.
    outputs.reopen();
    source.conclude();
  });
  sayUnknown(source);
  sayInterruption(reading);
  await pipeline.end();
  const summary = await ending.attempt("the summary", summarize);
  if (summary !== undefined) say(summary);
  if (failed || ending.failed || pipeline.failed) return ExitStatus.Failed;
  return options.exitStatus && pipeline.handshakes === 0
    ? ExitStatus.NothingMatched
    : ExitStatus.Ok;
}
