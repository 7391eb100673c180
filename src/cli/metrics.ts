import type { ByteWriter } from "../files/stream_output.ts";
import { hostName } from "../linux/host.ts";
import { hostId, tracerId } from "../linux/host_id.ts";
import { InputSource } from "../pipeline/input_source.ts";
import { Pipeline } from "../pipeline/pipeline.ts";
import { messageOf } from "../text/message.ts";
import { type Command, print } from "./commands.ts";
import { Ending } from "./ending.ts";
import { FILTER_FLAGS, FILTERS_HELP, parseFilter } from "./flags/filter_options.ts";
import { type Flag, parseFlags } from "./flags/flags.ts";
import { formatHelp, type Help } from "./help.ts";
import { metricsFlags, type MetricsOptions, parseMetrics } from "./flags/metrics_options.ts";
import { MetricsOutputs } from "./metrics_outputs.ts";
import { ProgressLine } from "./process/progress_line.ts";
import { say, sayNote } from "./process/terminal.ts";
import { openDecoding, Reading, sayInterruption, sayUnknown } from "./reading.ts";
import { refuseInputs } from "./flags/read_options.ts";
import { ExitStatus, UsageError } from "./usage.ts";
import { readVersion } from "./version.ts";

const METRICS_FLAGS: readonly Flag[] = [
  ...metricsFlags("listen"),
  {
    name: "follow",
    meaning: "wait for more of FILE, which is still being written; of a store, too",
  },
  ...FILTER_FLAGS,
  { name: "help", meaning: "show this" },
];

/** What `metrics --help` tells. */
export const METRICS_HELP: Help = {
  summary: "Give the handshakes in records to Prometheus or OpenTelemetry, as numbers.",
  usage: [
    ["synsnoop metrics [flags] FILE...", "records (NDJSON) or captures; - is standard input"],
  ],
  flags: METRICS_FLAGS,
  headings: {
    listen: "Who gets them",
    follow: "How far",
    port: "Which handshakes",
    help: "More",
  },
  examples: [
    ["synsnoop metrics --follow --listen 127.0.0.1:9464 handshakes.ndjson", "while it is written"],
    [
      "tail -n +1 -F handshakes.ndjson | synsnoop metrics --listen 127.0.0.1:9464 -",
      "through log rotation",
    ],
    [
      "synsnoop metrics --otlp http://127.0.0.1:4318 handshakes.ndjson",
      "once, to OpenTelemetry's collector",
    ],
  ],
  paragraphs: [
    "It needs no right but to read its files. With --listen it answers GET /metrics and /healthz " +
    "until it is ended, also when all is read: /healthz is then 503. Without, it ends when all is " +
    "read, with a last push. A handshake that two hosts recorded counts once.",
    FILTERS_HELP,
    "The names of the metrics, how many servers have labels, rules for alerts and a dashboard for " +
    "Grafana are in src/output/metrics. OTEL_RESOURCE_ATTRIBUTES and OTEL_EXPORTER_OTLP_HEADERS " +
    "add to what is pushed.",
  ],
  statuses: [
    [ExitStatus.Ok, "done"],
    [ExitStatus.Failed, "could not listen, write or push, or not read a file to its end"],
    [ExitStatus.Usage, "wrong usage"],
    [ExitStatus.Interrupted, "interrupted twice"],
  ],
};

/** The command `metrics`. */
export const command: Command = { help: METRICS_HELP, run: metrics };

interface Options {
  metrics: MetricsOptions;
  files: readonly string[];
  follow: boolean;
}

async function metrics(args: readonly string[], output: ByteWriter): Promise<number> {
  const parsed = parseFlags(args, METRICS_FLAGS);
  if (parsed.switches.has("help")) return await print(output, { text: formatHelp(METRICS_HELP) });
  const filter = parseFilter(parsed);
  const { metrics: options, files, follow } = parseOptions(parsed);
  const host = hostName();
  const outputs = new MetricsOutputs(options, {
    version: await readVersion(),
    identity: { host, hostId: await hostId(), tracer: tracerId() },
    tellsContainer: true,
    onNote: sayNote,
  });
  const ending = Ending.listen({ report: () => pipeline.summarize() });
  const pipeline = new Pipeline({ filter, sinks: [outputs.sink], supervisor: ending });
  const source = new InputSource({
    interfaces: [],
    host,
    pipeline,
    countsOnce: true,
    openThread: openDecoding,
  });
  const reading = new Reading(source, pipeline, ending.asked, new ProgressLine());
  let isRead = false;
  outputs.begin(() => pipeline.state(), () => ({ sources: { input: !isRead } }));
  try {
    await outputs.listen();
  } catch (error) {
    sayNote(`${messageOf(error)}; give another --listen`);
    return ExitStatus.Failed;
  }
  let failed = false;
  for (const file of files) {
    if (source.done) break;
    const fault = await ending.attempt("reading", () => reading.read(file, follow));
    if (fault === undefined) continue;
    sayNote(fault);
    failed = true;
  }
  await ending.attempt("matching", () => source.conclude());
  pipeline.flush();
  isRead = true;
  sayUnknown(source);
  sayInterruption(reading);
  if (options.listen !== undefined && !reading.isOver) {
    sayNote("all is read; answering until this is ended");
    await ending.asked;
  }
  await pipeline.end();
  await ending.attempt("the metrics", () => outputs.close());
  const summary = await ending.attempt("the summary", () => pipeline.summarize());
  if (summary !== undefined) say(summary);
  return failed || ending.failed || outputs.fails ? ExitStatus.Failed : ExitStatus.Ok;
}

function parseOptions(parsed: ReturnType<typeof parseFlags>): Options {
  const { switches, operands: files } = parsed;
  const follow = switches.has("follow");
  const options = parseMetrics(parsed, "listen");
  if (options === undefined) {
    throw new UsageError(
      "Cannot give metrics to nobody: give --listen ADDRESS, --metrics-file FILE or --otlp URL",
    );
  }
  refuseInputs(files, follow, "NDJSON, pcap or pcapng");
  return { metrics: options, files, follow };
}
