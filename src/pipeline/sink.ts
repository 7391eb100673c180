/**
 * What stands at the two ends of a {@link Pipeline}: a source hands handshakes over, sinks take them.
 *
 * @module
 */
import type { CapturedInterface } from "../linux/capture/capture_scope.ts";
import type { TraceProcesses } from "../linux/process_figures.ts";
import type { Mechanism } from "../kernel/choose_probes.ts";
import type { Handshake } from "../match/handshake.ts";
import { NO_ROW, type RowKeeper } from "../match/options.ts";
import type { KeptPacket } from "../pcap/kept_packets.ts";
import type { RecordContext } from "../record/record_context.ts";
import type { Losses, Undecoded } from "./losses.ts";
import type { Summary } from "./summary.ts";

export { NO_ROW };

/** When a trace began and ended, or how far it is. */
export interface TraceSpan {
  /** Whole seconds of Unix time at which the axis begins. */
  epochSeconds: number;
  /** Its begin, nanoseconds on the axis. */
  startNs: number;
  /** Its end. */
  endNs: number;
}

/** What a source counted so far. */
export interface SourceCounters {
  /** From when to when something came. */
  span: TraceSpan;
  /** When the capture ended on the axis, where that is told and may be after the last packet. */
  capturedUntilNs?: number;
  /** What was lost or set aside. */
  losses: Losses;
  /** Packets that were not decoded, or that decide nothing, by reason. */
  undecoded: Undecoded;
  /** Handshakes begun whose end is not known; absent where no packets are matched. */
  underWay?: number;
  /**
   * Which parts of a live trace deliver now; absent where nothing is live.
   *
   * @internal
   */
  delivering?: Delivering;
  /**
   * What the processes of a live trace take of the machine; absent where nothing is live.
   *
   * @internal
   */
  processes?: TraceProcesses;
}

/** What a live trace can see at a moment. */
export interface Delivering {
  /** Where packets are captured. */
  wire: readonly CapturedInterface[];
  /** What hooks the kernel; `none` while nothing does. */
  kernel: Mechanism | "none";
}

/** Where handshakes come from: a live capture, capture files, records that were written before. */
export interface Source {
  /** What records tell beyond the handshake itself. */
  readonly context: RecordContext;
  /** Whole seconds of Unix time at which the axis begins now. */
  readonly epochSeconds: number;
  /** The name of a place's interface, as a capture file tells interfaces apart; untrusted text. */
  interfaceInFile(place: number): string | undefined;
  /** Whether a trace's filter hides there what servers send, see `CaptureInterface`. */
  hidesData(place: number): boolean;
  /**
   * What was counted so far, at any time.
   *
   * @param fresh Whether what takes milliseconds to count is counted anew; else it is as old as the last
   *   time that a source looked.
   */
  counters(fresh: boolean): SourceCounters;
}

/** How it goes so far, or how it went: everything that is counted, at one moment. */
export interface TraceState extends SourceCounters {
  /** The handshakes, counted. */
  summary: Summary;
  /** Where they come from. */
  context: RecordContext;
}

/** Keeps the packets of handshakes under way; see {@link RowKeeper}. */
export interface PacketKeeper extends RowKeeper {
  /** Keeps a packet. @param row The row of its handshake; nothing of the packet's object is kept. */
  keep(row: number, packet: Readonly<KeptPacket>): void;
}

/** Takes the handshakes that pass the filter: a view, a file, whatever becomes of them. */
export interface Sink {
  /** What it writes or where to, behind the word "writing": `packets`, `to standard output`. */
  readonly label: string;
  /**
   * Paths of the fields of a record that it reads of a handshake, and of levels all of whose fields it
   * does: of one that was recorded it may get no others. Absent: every field.
   */
  readonly reads?: readonly string[];
  /** Told once, before the first handshake, where they come from. */
  begin?(source: Source): void;
  /**
   * Asked once, before the first handshake: makes what keeps packets. A sink without it gets none.
   *
   * @param rows Rows of the matcher's table.
   * @internal
   */
  keepPackets?(rows: number): PacketKeeper;
  /**
   * Takes a handshake; nothing of the object is kept.
   *
   * @param row Its row in the matcher's table, {@link NO_ROW} where it comes from none.
   */
  take(handshake: Handshake, row: number): void;
  /**
   * Takes what another host, or another tracer of this one, recorded of a handshake that was taken before,
   * where each counts once; nothing of the object is kept.
   */
  takeAgain?(handshake: Handshake): void;
  /**
   * Takes a line of records that is no handshake, such as one of `status`.
   *
   * @param members What it holds: untrusted.
   */
  takeEvent?(event: string, members: Readonly<Record<string, unknown>>): void;
  /** Hands on what was taken since the last time. Never waits. */
  flush(): void;
  /** How often it wants a {@link report}, milliseconds; undefined: never. */
  readonly reportMs?: number;
  /** Takes how it goes so far; once more just before the end. */
  report?(state: TraceState): void;
  /** Tells that the end is near: who takes nothing for two seconds is given up. */
  hasten?(): void;
  /** Takes how it went, behind the last handshake. */
  end(state: TraceState): void;
  /** Settles when everything handed on was written or given up. */
  settle?(): Promise<void>;
  /** What it lost so far. */
  readonly losses?: Losses;
  /** Whether what it wrote lacks anything. */
  readonly failed?: boolean;
}

/** Whom the parts of a trace tell what failed; `Ending` of the command line. */
export interface Supervisor {
  /** Ends because of an error that nobody foresaw. @param doing What failed by it, for a sentence. */
  fail(doing: string, error: unknown): void;
  /**
   * Does a part of what ends the trace; that it fails does not keep the others from being done.
   *
   * @param maxMs How long it may take. @returns Undefined where it failed.
   */
  attempt<T>(doing: string, work: () => T | Promise<T>, maxMs?: number): Promise<T | undefined>;
}
