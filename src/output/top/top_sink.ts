import type { Handshake } from "../../match/handshake.ts";
import type { PacketKeeper, Sink, Source, TraceState } from "../../pipeline/sink.ts";
import { CurrentContext } from "../../record/record_context.ts";
import type { TopModel } from "./top_model.ts";

/** How often the model is told what was lost and what delivers, milliseconds. */
const REPORT_MS = 500;
/** Handshakes a second whose packets are copied: no more are kept of what failed. */
const COPIES_MAX = 1_000;

/** What keeps the packets of handshakes that may be looked at. */
export interface PacketMemory {
  /** See `Sink.keepPackets`. */
  keepPackets(rows: number): PacketKeeper;
  /** Copies those of a handshake while it is taken. @param row See `Sink.take`. */
  packetsOf(row: number): unknown;
}

/** Hands what comes to a model. */
export class TopSink implements Sink {
  readonly label = "to the screen";
  readonly reportMs = REPORT_MS;
  /** Undefined: there are no packets, as of records. */
  readonly keepPackets: ((rows: number) => PacketKeeper) | undefined;
  readonly #model: TopModel;
  readonly #memory: PacketMemory | undefined;
  readonly #onState: (state: TraceState) => void;
  #source: Source | undefined;
  #second = 0;
  #copies = 0;

  /** @param onState Called twice a second with how it goes, and at the end. */
  constructor(
    model: TopModel,
    memory: PacketMemory | undefined,
    onState: (state: TraceState) => void,
  ) {
    this.#model = model;
    this.#memory = memory;
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
    const packets = row >= 0 && this.#memory !== undefined && this.#wantsPackets(handshake)
      ? this.#memory.packetsOf(row)
      : undefined;
    const kept = context instanceof CurrentContext ? context.now : context;
    this.#model.take(handshake, kept, packets);
  }

  /** Of what somebody may look at; in a flood not of each. */
  #wantsPackets(handshake: Handshake): boolean {
    if (!this.#model.mayBeLookedAt(handshake)) return false;
    const second = this.#model.clock.now();
    if (second !== this.#second) this.#copies = 0;
    this.#second = second;
    return ++this.#copies <= COPIES_MAX;
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
