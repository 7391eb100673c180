/**
 * One run of `trace`, from its flags to its exit status.
 *
 * @module
 */
import { standardError } from "../files/standard_streams.ts";
import type { ByteWriter } from "../files/stream_output.ts";
import { PacketRing } from "../linux/capture/packet_ring.ts";
import { collectOnceStarted, handBackFreed } from "../linux/free_memory.ts";
import { hostName } from "../linux/host.ts";
import { hostId, tracerId } from "../linux/host_id.ts";
import type { StatusOptions } from "../output/status.ts";
import type { TextFormat } from "../output/text_sink.ts";
import type { Disguise } from "../pipeline/disguise.ts";
import { Elsewhere } from "../pipeline/elsewhere.ts";
import { LiveSource } from "../pipeline/live_source.ts";
import { Pipeline } from "../pipeline/pipeline.ts";
import type { Sink } from "../pipeline/sink.ts";
import type { RecordContext } from "../record/record_context.ts";
import { loadDisguise } from "./flags/anonymize_options.ts";
import { openScope } from "./flags/capture_options.ts";
import { Ending } from "./ending.ts";
import { createFormat } from "./flags/format_options.ts";
import type { MetricsOptions } from "./flags/metrics_options.ts";
import type { MetricsOutputs } from "./metrics_outputs.ts";
import { loadFileOpener, openOutputs, type Outputs, type OutputsOptions } from "./open_outputs.ts";
import { writesFiles } from "./flags/output_options.ts";
import type { TracedCommand } from "./process/traced_command.ts";
import { errorSurface, outputSurface, say, sayNote } from "./process/terminal.ts";
import { handSignals } from "./run_command.ts";
import type { TraceOptions } from "./flags/trace_options.ts";
import { ExitStatus } from "./usage.ts";
import { readVersion } from "./version.ts";

/** Which host traces, and which run of the tool. */
type Identity = Pick<RecordContext, "host" | "hostId" | "tracer">;

/** What is loaded and made ready before anything of the host is touched. */
interface Prepared {
  options: TraceOptions;
  /** Where records go that no file is named for. */
  stdout: ByteWriter;
  /** The command to run and to trace alone. */
  traced: TracedCommand | undefined;
  /** It is made beside this thread. */
  hostId: ReturnType<typeof hostId>;
  status: StatusOptions | undefined;
  format: TextFormat;
  showsToo: boolean;
  disguise: Disguise | undefined;
  opener: Awaited<ReturnType<typeof loadFileOpener>>;
  report: Sink | undefined;
}

/** A trace: {@link begin}, wait until it has {@link ended}, {@link finish}. */
export class TraceSession {
  readonly #prepared: Prepared;
  readonly #options: TraceOptions;
  readonly #ending: Ending;
  #outputs: Outputs | undefined;
  #metrics: MetricsOutputs | undefined;
  #pipeline: Pipeline | undefined;
  #source: LiveSource | undefined;

  private constructor(prepared: Prepared) {
    this.#prepared = prepared;
    this.#options = prepared.options;
    // Before anything is said: who reads it may send a signal at once.
    this.#ending = this.#listen();
  }

  /**
   * Loads what the flags need, and listens to signals.
   *
   * @param stdout Where records go that no file is named for.
   * @param traced A command to run once everything is seen, and to trace alone.
   * @throws {UsageError} One line for the user.
   */
  static async prepare(
    options: TraceOptions,
    stdout: ByteWriter,
    traced: TracedCommand | undefined,
  ): Promise<TraceSession> {
    const id = hostId();
    const surface = options.toStandardError ? errorSurface() : outputSurface();
    const status = await statusOptions(options);
    return new TraceSession({
      options,
      stdout,
      traced,
      hostId: id,
      status,
      format: await createFormat(options.format, surface, true, status),
      showsToo: surface.isTerminal,
      disguise: await loadDisguise(options),
      opener: await loadFileOpener(options),
      report: options.report === undefined ? undefined : await loadReport(options, stdout),
    });
  }

  #listen(): Ending {
    const { traced } = this.#prepared;
    return Ending.listen({
      leave: () => {
        this.#source?.kill();
        traced?.[Symbol.dispose]();
      },
      report: () =>
        this.#source === undefined ? "the trace has not begun" : this.#pipeline!.summarize(),
      ...traced && handSignals(traced),
      reopen: writesFiles(this.#options) ? () => this.#outputs?.reopen() : undefined,
    });
  }

  /**
   * Opens what is written to and begins to capture.
   *
   * @throws {SystemCallError} EPERM without the right to capture.
   * @throws {UsageError} One line for the user.
   */
  async begin(): Promise<void> {
    const options = this.#options;
    const { disguise, traced } = this.#prepared;
    const ending = this.#ending;
    const scope = openScope(options);
    PacketRing.assertPermitted();
    handBackFreed();
    const identity = {
      host: hostName(),
      hostId: await this.#prepared.hostId,
      tracer: tracerId(),
    };
    const shown = disguise?.identity(identity) ?? identity;
    this.#outputs = this.#openOutputs({
      host: shown.hostId ?? shown.host,
      tracer: identity.tracer,
    });
    this.#metrics = options.metrics && await loadMetrics(options.metrics, shown, !disguise);
    sayNote(`starting to trace TCP handshakes on ${wordsOf(options, scope.sites.length)}`);
    const pipeline = this.#pipeline = new Pipeline({
      filter: {
        ...options.filter,
        captured: scope.interfaces.length > 0,
        isMeant: traced && ((process, path) => traced.has(process, path)),
      },
      count: options.count,
      sinks: this.#sinks((netns) => scope.captures(netns)),
      disguise,
      supervisor: ending,
      onCount: ending.ask,
    });
    this.#source = new LiveSource({
      ...options,
      scope,
      identity,
      pipeline,
      supervisor: ending,
      onReady: (hasKernel) => {
        collectOnceStarted();
        ending.askAfter(options.durationMs);
        traced?.start(hasKernel);
      },
      onNote: sayNote,
    });
    this.#metrics?.beginLive(() => pipeline.state(), options.probes !== "none");
  }

  /** @param writer Who writes to a store. */
  #openOutputs(writer: OutputsOptions["writer"]): Outputs {
    const { opener, format, status, showsToo, stdout } = this.#prepared;
    const options = this.#options;
    const isStandardError = options.toStandardError;
    return openOutputs(options, opener, {
      format,
      writer,
      fields: options.format.fields,
      status,
      showsToo,
      stdout: isStandardError ? standardError() : stdout,
      isStandardError,
      onGone: this.#ending.ask,
    });
  }

  /** @param isCaptured Whether packets of a network namespace are captured, by its inode number. */
  #sinks(isCaptured: (netns: number) => boolean): Sink[] {
    const { namespaces } = this.#options;
    const { report } = this.#prepared;
    const elsewhere = new Elsewhere({
      isCaptured,
      hasKernel: () => this.#source?.hasKernel ?? false,
      // With `all`, a namespace has come and gone before it could be captured.
      onHint: (sentence) => namespaces.includes("all") || sayNote(sentence),
    });
    return [
      elsewhere,
      ...this.#metrics ? [this.#metrics.sink] : [],
      ...report ? [report] : [],
      ...this.#outputs!.sinks,
    ];
  }

  /** Settles when the trace is to end: it was asked to, or the command that it runs has ended. */
  async ended(): Promise<void> {
    this.#prepared.traced?.ended.then(this.#ending.ask);
    await this.#ending.asked;
  }

  /**
   * Ends what delivers, writes what is left, and says what came. Each part is done whatever becomes of
   * the others.
   *
   * @returns The exit status.
   */
  async finish(): Promise<number> {
    const ending = this.#ending;
    const { traced, report } = this.#prepared;
    const pipeline = this.#pipeline!;
    traced?.close();
    await this.#source!.finish();
    await pipeline.end();
    await ending.attempt("the metrics", () => this.#metrics?.close());
    await ending.attempt("the store", () => this.#outputs?.close());
    const summary = await ending.attempt("the summary", () => pipeline.summarize());
    if (summary !== undefined) say(summary);
    if (report && pipeline.handshakes === 0) {
      sayNote(`no handshake came: "${this.#options.report}" is not written`);
    }
    return this.#exitStatus(await traced?.status());
  }

  #exitStatus(ofCommand: number | undefined): number {
    const { failed, handshakes } = this.#pipeline!;
    if (this.#ending.failed || failed) return ExitStatus.Failed;
    if (ofCommand !== undefined) return ofCommand;
    return this.#options.exitStatus && handshakes === 0 ? ExitStatus.NothingMatched : ExitStatus.Ok;
  }
}

/** Which status lines are written; undefined: none. */
async function statusOptions(
  { statusIntervalMs: intervalMs, filterTexts: filters, filter: { sample } }: TraceOptions,
): Promise<StatusOptions | undefined> {
  return intervalMs === undefined
    ? undefined
    : { intervalMs, filters, sample, version: await readVersion() };
}

/** Where is captured, in words. */
function wordsOf({ interfaces }: TraceOptions, namespaces: number): string {
  const on = interfaces.length > 0 ? interfaces.join(", ") : "all interfaces";
  return namespaces > 1 ? `${on} of ${namespaces} network namespaces` : on;
}

/** Loads what counts handshakes for others, where it is asked for. */
async function loadMetrics(
  options: MetricsOptions,
  identity: Identity,
  tellsContainer: boolean,
): Promise<MetricsOutputs> {
  const { MetricsOutputs }: typeof import("./metrics_outputs.ts") = await import(
    import.meta.resolve("./metrics_outputs.ts")
  );
  const version = await readVersion();
  return new MetricsOutputs(options, { version, identity, tellsContainer, onNote: sayNote });
}

/** Loads what makes a page, where one is asked for. @throws {UsageError} It cannot be written there. */
async function loadReport(
  { report, force, filter, filterTexts, anonymize, output, write }: TraceOptions,
  stdout: ByteWriter,
): Promise<Sink> {
  const { openReport }: typeof import("./open_report.ts") = await import(
    import.meta.resolve("./open_report.ts")
  );
  return await openReport({
    flag: "report",
    path: report!,
    force,
    others: [output, write].filter((path) => path !== undefined),
    filters: filterTexts,
    anonymize,
    sample: filter.sample,
    stdout,
  });
}
