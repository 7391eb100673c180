import type { Handshake } from "../../match/handshake.ts";
import type { PacketKeeper, Sink, Source, TraceState } from "../../pipeline/sink.ts";
import { CurrentContext } from "../../record/record_context.ts";
import type { TopModel } from "./top_model.ts";

/** How often the model is told what was lost and what delivers, milliseconds. */
const REPORT_MS = 500;

/** What keeps the packets of handshakes that may be looked at. */
export interface PacketMemory {
  /** See `Sink.keepPackets`. */
  keepPackets(rows: number): PacketKeeper;
  /** Copies those of a handshake while it is taken. @param row See `Sink.take`. */
  packetsOf(row: number): unknown;
}

/**
 * Hands what comes to a model. It reads whole records: what is kept is shown and saved whole, and a filter
 * that is typed later may ask for anything.
 */
export class TopSink implements Sink {
  readonly label = "to the screen";
  readonly reportMs = REPORT_MS;
  /** Undefined: there are no packets, as of records. */
  readonly keepPackets: ((rows: number) => PacketKeeper) | undefined;
  readonly #model: TopModel;
  readonly #onState: (state: TraceState) => void;
  #source: Source | undefined;

  /** @param onState Called twice a second with how it goes, and at the end. */
  constructor(
    model: TopModel,
    memory: PacketMemory | undefined,
    onState: (state: TraceState) => void,
  ) {
    this.#model = model;
    if (memory) model.packetsOf = (row) => memory.packetsOf(row);
    this.#onState = onState;
    this.keepPackets = memory && ((rows) => memory.keepPackets(rows));
  }

  /** See {@link Sink.begin}. */
  begin(source: Source): void {
    this.#source = source;
  }

  /** See {@link Sink.take}. */
  take(handshake: Handshake, row: number): void {
    const { context } = this.#source!;
    this.#model.take(handshake, context instanceof CurrentContext ? context.now : context, row);
  }

  /** Nothing: a screen is drawn by its own time. */
  flush(): void {}

  /** See {@link Sink.report}. */
  report(state: TraceState): void {
    this.#onState(state);
  }

  /** See {@link Sink.end}. */
  end(state: TraceState): void {
    this.#onState(state);
  }
}
