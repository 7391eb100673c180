import type { Handshake } from "../match/handshake.ts";
import type { ByteText } from "../text/byte_text.ts";
import type { RecordContext } from "../record/record_context.ts";
import { formatHandshake, formatHeading } from "./line.ts";
import { writeHandshake } from "../record/ndjson.ts";
import type { Losses, Summary, Undecoded } from "./summary.ts";

/** When a trace began and ended. */
export interface TraceSpan {
  /** Whole seconds of Unix time at which the axis begins. */
  epochSeconds: number;
  /** Nanoseconds on the axis. */
  startNs: number;
  endNs: number;
}

/** What is known when the last handshake was taken. */
export interface TraceEnd {
  summary: Summary;
  context: RecordContext;
  span: TraceSpan;
  losses: Losses;
  undecoded?: Undecoded;
}

/** One way to write handshakes. */
export interface HandshakeFormat {
  /**
   * Takes a handshake; nothing of the object is kept.
   *
   * @param into Whole lines that can be written now are appended to it.
   */
  take(handshake: Handshake, context: RecordContext, into: ByteText): void;
  /** Whole lines that stand behind the last handshake. */
  end(end: TraceEnd): string;
}

/** NDJSON: a record a line, the summary as the last. */
export class NdjsonFormat implements HandshakeFormat {
  /** Its record. */
  take(handshake: Handshake, context: RecordContext, into: ByteText): void {
    writeHandshake(into, handshake, context);
  }

  /** The summary's line. */
  end({ summary, context, span, losses, undecoded }: TraceEnd): string {
    const { epochSeconds, startNs, endNs } = span;
    return summary.encode(context.host, epochSeconds, startNs, endNs, losses, undecoded);
  }
}

/** Lines for a terminal, as the handshakes come. */
export class LineFormat implements HandshakeFormat {
  readonly #ascii: boolean;
  #headed = false;

  /** Writes nothing yet; in ASCII alone where asked to. */
  constructor({ ascii = false }: { ascii?: boolean } = {}) {
    this.#ascii = ascii;
  }

  /** Its line, below the headings if it is the first. */
  take(handshake: Handshake, _context: RecordContext, into: ByteText): void {
    if (!this.#headed) into.text(formatHeading());
    this.#headed = true;
    into.text(formatHandshake(handshake, { ascii: this.#ascii }));
  }

  /** Nothing. */
  end(): string {
    return "";
  }
}
