import type { ByteWriter } from "../files/stream_output.ts";
import { isOrdinary, narrow } from "../linux/narrow.ts";
import { InputSource } from "../pipeline/input_source.ts";
import { Pipeline } from "../pipeline/pipeline.ts";
import { ANONYMIZE_HELP, loadDisguise } from "./flags/anonymize_options.ts";
import type { Command } from "./commands.ts";
import { Ending } from "./ending.ts";
import { FILTERS_HELP } from "./flags/filter_options.ts";
import { formatHelp, type Help } from "./help.ts";
import { describeNoPage, openReport } from "./open_report.ts";
import { ProgressLine } from "./process/progress_line.ts";
import { printText, say, sayNote } from "./process/terminal.ts";
import { describeTimes, openDecoding, Reading, sayInterruption, sayUnknown } from "./reading.ts";
import { STANDARD_INPUT } from "./flags/read_options.ts";
import { parseReportOptions, REPORT_FLAGS } from "./flags/report_options.ts";
import { ExitStatus } from "./usage.ts";

/** What `report --help` tells. */
const REPORT_HELP: Help = {
  summary: "Make one page of what happened, for a browser, a ticket or a lesson.",
  usage: [
    ["synsnoop report [flags] FILE... --output page.html", "of captures or records"],
  ],
  flags: REPORT_FLAGS,
  headings: {
    output: "Where the page goes",
    interface: "Which handshakes",
    anonymize: "Whose they are",
    "exit-status": "More",
  },
  examples: [
    ["synsnoop report --output page.html web1.ndjson db1.ndjson", "what two hosts recorded"],
    ["synsnoop report --since 1h --output hour.html /var/log/handshakes.ndjson*", "the last hour"],
    ["synsnoop report --force --output page.html capture.pcapng", "once more, of a capture"],
  ],
  paragraphs: [
    "FILE is pcap, pcapng or NDJSON of this tool, compressed with gzip or zstd or not, or the folder " +
    "of trace --store; - is standard input.",
    "The page is one file that needs no server and no network: outcomes over time, the round trip " +
    "through the network and the time of the host apart, failures by reason, servers, clients, " +
    "processes, and a table of handshakes, each with its ladder. What is behind the # of its " +
    "address is what one looks at: a link shows the same to others. A handshake that two hosts " +
    "recorded counts once and is shown from both ends.",
    "The numbers are of all handshakes; the table has up to 500 of them: of each way to end some, " +
    "chosen at random, and the slowest. A script of the page draws it; where none may run, the page " +
    "has the numbers as text.",
    FILTERS_HELP,
    ANONYMIZE_HELP,
    "A new page may be read by its owner and group. It is there when it is whole.",
  ],
  statuses: [
    [ExitStatus.Ok, "done"],
    [
      ExitStatus.Failed,
      "nothing matched, a file could not be read to its end (the page has what comes before the " +
      "fault) or the page could not be written",
    ],
    [ExitStatus.Usage, "wrong usage"],
    [ExitStatus.NothingMatched, "with --exit-status: nothing matched"],
    [ExitStatus.Interrupted, "interrupted twice"],
  ],
};

/** The command `report`. */
export const command: Command = { help: REPORT_HELP, run: report };

/** Who tells what a capture holds: which host made it, is not known. */
const CAPTURE = "the capture";

async function report(args: readonly string[], stdout: ByteWriter): Promise<number> {
  const options = parseReportOptions(args);
  if (options.help) {
    return await printText(stdout, formatHelp(REPORT_HELP)) ? ExitStatus.Ok : ExitStatus.Failed;
  }
  const { files, filter, interfaces } = options;
  const disguise = await loadDisguise(options);
  const sink = await openReport({
    ...options,
    flag: "output",
    path: options.output,
    others: files.filter((file) => file !== STANDARD_INPUT),
    filters: options.filterTexts,
    isPart: () => reading.describeInterruption() !== undefined,
    stdout,
  });
  const ending = Ending.listen({ report: () => pipeline.summarize() });
  const pipeline = new Pipeline({ filter, sinks: [sink], disguise, supervisor: ending });
  const source = new InputSource({
    interfaces,
    host: CAPTURE,
    pipeline,
    countsOnce: true,
    openThread: openDecoding,
  });
  const reading = new Reading(source, pipeline, ending.asked, new ProgressLine(), filter);
  if (options.output === undefined && files.every(isOrdinary)) narrow();
  let failed = false;
  for (const file of files) {
    if (source.done) break;
    const fault = await ending.attempt("reading", () => reading.read(file, false));
    if (fault === undefined) continue;
    sayNote(fault);
    failed = true;
  }
  if (failed && source.items === 0) return ExitStatus.Failed;
  await ending.attempt("matching", () => source.conclude());
  sayUnknown(source);
  sayInterruption(reading);
  await pipeline.end();
  if (pipeline.handshakes === 0) {
    sayNote(describeNoPage(source.describeRead()));
    return options.exitStatus && !failed ? ExitStatus.NothingMatched : ExitStatus.Failed;
  }
  const summary = await ending.attempt(
    "the summary",
    () => pipeline.summarize() + describeTimes(source),
  );
  if (summary !== undefined) say(summary);
  return failed || ending.failed || pipeline.failed ? ExitStatus.Failed : ExitStatus.Ok;
}
