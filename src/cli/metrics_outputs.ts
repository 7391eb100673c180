/**
 * Who gets the numbers of handshakes: opens, writes and pushes what the flags ask for.
 *
 * @module
 */
import { replaceFile } from "../files/shared_text.ts";
import { formatListenAddress } from "../http/listen_address.ts";
import { openListener } from "../http/open_listener.ts";
import { type Page, PageServer } from "../http/page_server.ts";
import { Pusher } from "../http/pusher.ts";
import { Rendered } from "../http/rendered.ts";
import { environmentVariable } from "../linux/environment.ts";
import { ownContainer } from "../linux/own_container.ts";
import { ownFigures } from "../linux/process_figures.ts";
import type { Family, SourcesUp } from "../output/metrics/metrics_model.ts";
import { Health, liveSourcesUp, MetricsSink } from "../output/metrics/metrics_sink.ts";
import { OtlpEncoder, parseKeyValues, resourceAttributes } from "../output/metrics/otlp.ts";
import {
  chooseTextKind,
  CONTENT_TYPES,
  PrometheusWriter,
  type TextKind,
} from "../output/metrics/prometheus_text.ts";
import type { TraceState } from "../pipeline/sink.ts";
import type { RecordContext } from "../record/record_context.ts";
import { messageOf } from "../text/message.ts";
import type { MetricsOptions } from "./flags/metrics_options.ts";
import { whyNoPath } from "./flags/output_options.ts";

/** What metrics tell of, beside the flags. */
export interface MetricsGround {
  version: string;
  /** Which host this is, and which run of the tool. */
  identity: Pick<RecordContext, "host" | "hostId" | "tracer">;
  /** Whether the container is told that the tool runs in. */
  tellsContainer: boolean;
  /** Says one sentence. */
  onNote(sentence: string): void;
}

/** The text is made anew only when it is older. */
const RENDERED_MS = 1_000;
/** How often the file is written: node_exporter is asked about so often. */
const FILE_MS = 15_000;
/** How often it is tried again to listen where that was not possible. */
const LISTEN_RETRY_MS = 5_000;
/** How long the last push may take. */
const LAST_PUSH_MS = 2_000;

const encoder = new TextEncoder();

/** What gives metrics to who wants them. */
export class MetricsOutputs {
  /** Counts the handshakes. */
  readonly sink: MetricsSink;
  readonly #options: MetricsOptions;
  readonly #ground: MetricsGround;
  readonly #writer = new PrometheusWriter();
  readonly #health = new Health();
  #state: (() => TraceState) | undefined;
  #up: (state: TraceState) => SourcesUp = () => ({ sources: {} });
  #server: PageServer | undefined;
  #pusher: Pusher | undefined;
  #timers: ReturnType<typeof setTimeout>[] = [];
  #fileFails = false;
  #pushFails = false;
  #isClosed = false;

  /** Gives nothing yet. */
  constructor(options: MetricsOptions, ground: MetricsGround) {
    this.#options = options;
    this.#ground = ground;
    this.sink = new MetricsSink({
      ...options,
      version: ground.version,
      now: () => performance.timeOrigin + performance.now(),
      process: ownFigures,
    });
  }

  /**
   * Begins to give those of a live trace, which goes on where they cannot be given.
   *
   * @param state How it goes so far. @param hasKernel Whether kernel events are wanted at all.
   */
  beginLive(state: () => TraceState, hasKernel: boolean): void {
    this.begin(state, ({ delivering }) => liveSourcesUp(delivering!, hasKernel));
    this.#listenWhenPossible(true);
  }

  /**
   * Begins to give them, but does not {@link listen}.
   *
   * @param state How the trace goes so far. @param up How its sources are.
   */
  begin(state: () => TraceState, up: (state: TraceState) => SourcesUp): void {
    this.#state = state;
    this.#up = up;
    const { file, otlp } = this.#options;
    if (file !== undefined) {
      this.#writeFile(file);
      this.#timers.push(setInterval(() => this.#writeFile(file), FILE_MS));
    }
    if (otlp === undefined) return;
    const { onNote, version, identity, tellsContainer } = this.#ground;
    const container = tellsContainer ? ownContainer() : undefined;
    const own = resourceAttributes({ version, identity, container });
    const added = parseKeyValues(environmentVariable("OTEL_RESOURCE_ATTRIBUTES"));
    const encoding = new OtlpEncoder({ ...own, ...added }, version, otlp.temporality);
    this.#pusher = new Pusher({
      url: otlp.url,
      headers: parseKeyValues(environmentVariable("OTEL_EXPORTER_OTLP_HEADERS")),
      intervalMs: otlp.intervalMs,
      make: () => encoding.encode(this.#families(), performance.timeOrigin + performance.now()),
      onNote,
    });
  }

  /**
   * Listens, where that is asked for.
   *
   * @throws {Error} One sentence, where that is not possible.
   */
  async listen(): Promise<void> {
    const { listen } = this.#options;
    if (listen === undefined) return;
    try {
      const listener = await openListener(listen);
      if (this.#isClosed) return listener.close();
      this.#server = new PageServer(listener, this.#pages(), this.#ground.onNote);
      this.#ground.onNote(`metrics are at ${listener.where}/metrics`);
    } catch (error) {
      throw new Error(`Cannot listen at ${formatListenAddress(listen)}: ${messageOf(error)}`);
    }
  }

  /** Listens, now or later; says so where it is not possible yet. */
  async #listenWhenPossible(isFirst: boolean): Promise<void> {
    try {
      await this.listen();
    } catch (error) {
      // What systemd did not hand over at the start it never will.
      const isLater = this.#options.listen?.kind !== "systemd";
      const then = isLater ? "going on without, trying again every 5 s" : "going on without";
      if (isFirst) this.#ground.onNote(`${messageOf(error)}; ${then}`);
      if (!isLater || this.#isClosed) return;
      this.#timers.push(setTimeout(() => this.#listenWhenPossible(false), LISTEN_RETRY_MS));
    }
  }

  #pages(): Readonly<Record<string, Page>> {
    const rendered = (kind: TextKind) =>
      new Rendered(() => encoder.encode(this.#writer.write(this.#families(), kind)), RENDERED_MS);
    const texts = { text: rendered("text"), openmetrics: rendered("openmetrics") };
    return {
      "/metrics": ({ headers }) => {
        const kind = chooseTextKind(headers.get("accept"));
        const body = texts[kind].bytes(performance.now());
        return { status: 200, contentType: CONTENT_TYPES[kind], body };
      },
      "/healthz": () => {
        const { isWell, text } = this.#health.judge(this.#up(this.#state!()));
        return {
          status: isWell ? 200 : 503,
          contentType: "text/plain; charset=utf-8",
          body: encoder.encode(text),
        };
      },
    };
  }

  #families(): Family[] {
    const state = this.#state!();
    const up = this.#up(state);
    this.#health.judge(up);
    return this.sink.families(state, up);
  }

  /** Writes the file; what goes wrong is said once, until it works again. */
  #writeFile(path: string): void {
    try {
      replaceFile(path, this.#writer.write(this.#families(), "text", { shared: true }));
      if (this.#fileFails) this.#ground.onNote(`Writing metrics to "${path}" again`);
      this.#fileFails = false;
    } catch (error) {
      if (!this.#fileFails) {
        this.#ground.onNote(
          `Cannot write metrics to "${path}": ${whyNoPath(error)}; going on without`,
        );
      }
      this.#fileFails = true;
    }
  }

  /** Whether somebody lacks what was counted last: the file cannot be written, or nobody took the push. */
  get fails(): boolean {
    return this.#fileFails || this.#pushFails;
  }

  /** Writes and pushes what was counted last, and answers nobody any more. */
  async close(): Promise<void> {
    this.#isClosed = true;
    // What was up is not from now on.
    const upBefore = this.#up;
    this.#up = (state) => allDown(upBefore(state));
    for (const timer of this.#timers) clearTimeout(timer);
    if (this.#state !== undefined) {
      const { file } = this.#options;
      if (file !== undefined) this.#writeFile(file);
      this.#pushFails = await this.#pusher?.close(LAST_PUSH_MS) === false;
    }
    this.#server?.close();
  }
}

function allDown({ sources, places }: SourcesUp): SourcesUp {
  const down = Object.fromEntries(Object.keys(sources).map((name) => [name, false]));
  return { sources: down, ...places && { places: { up: 0, down: places.up + places.down } } };
}
