import type { Handshake } from "../../match/handshake.ts";
import type { Delivering, Sink, Source, TraceState } from "../../pipeline/sink.ts";
import type { RecordContext } from "../../record/record_context.ts";
import {
  type Family,
  MetricsModel,
  type MetricsModelOptions,
  type ProcessFigures,
  READ_BY_METRICS,
  type SourcesUp,
} from "./metrics_model.ts";

/** What a {@link MetricsSink} measures, and how. */
export interface MetricsSinkOptions extends MetricsModelOptions {
  /** What is known of this process now. */
  process(): ProcessFigures;
}

/** Counts handshakes for who asks for metrics. */
export class MetricsSink implements Sink {
  readonly label = "metrics";
  readonly reads: readonly string[] = READ_BY_METRICS;
  readonly #model: MetricsModel;
  readonly #process: () => ProcessFigures;
  #context: RecordContext | undefined;

  /** Counts nothing yet. */
  constructor(options: MetricsSinkOptions) {
    this.#model = new MetricsModel(options);
    this.#process = options.process;
  }

  /** See {@link Sink.begin}. */
  begin({ context }: Source): void {
    this.#context = context;
  }

  /** See {@link Sink.take}. */
  take(handshake: Handshake): void {
    this.#model.record(handshake, this.#context!);
  }

  /** Hands nothing on: who wants metrics asks for them. */
  flush(): void {
    this.#model.tick();
  }

  /** Writes nothing: who pushes metrics does it afterwards. */
  end(): void {}

  /** All metrics now. @param state How the trace goes so far. @param up How its sources are. */
  families(state: TraceState, up: SourcesUp): Family[] {
    return this.#model.families({ state, up, process: this.#process() });
  }
}

/** How the sources of a live trace are. @param hasKernel Whether kernel events are wanted at all. */
export function liveSourcesUp({ wire, kernel }: Delivering, hasKernel: boolean): SourcesUp {
  const up = wire.filter((place) => place.up).length;
  return {
    sources: { wire: up > 0, ...hasKernel && { kernel: kernel !== "none" } },
    places: { up, down: wire.length - up },
  };
}

/** Judges whether the sources are well: what was up once still is, and something is. */
export class Health {
  readonly #wereUp = new Set<string>();

  /** Judges how they are now. @returns The verdict, and a line for each source. */
  judge({ sources }: SourcesUp): { isWell: boolean; text: string } {
    const entries = Object.entries(sources);
    for (const [name, isUp] of entries) if (isUp) this.#wereUp.add(name);
    const isWell = entries.some(([, isUp]) => isUp) &&
      entries.every(([name, isUp]) => isUp || !this.#wereUp.has(name));
    return {
      isWell,
      text: entries.map(([name, isUp]) => `${name} ${isUp ? "up" : "down"}\n`).join(""),
    };
  }
}
