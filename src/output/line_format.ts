import type { Handshake } from "../match/handshake.ts";
import type { RecordContext } from "../record/record_context.ts";
import type { ByteText } from "../text/byte_text.ts";
import { formatHandshake, formatHeading, type LineStyle } from "./line.ts";
import type { TextFormat } from "./text_sink.ts";
import { Whereabouts } from "./whereabouts.ts";

/** Lines for a terminal, as the handshakes come. */
export class LineFormat implements TextFormat {
  readonly #style: () => Partial<LineStyle>;
  readonly #whereabouts = new Whereabouts();
  #heading = "";
  /** For which the heading was made. */
  #width: number | undefined = NaN;

  /** Writes nothing yet. @param style How, asked for each line: a terminal may become wider. */
  constructor(style: () => Partial<LineStyle> = () => ({})) {
    this.#style = style;
  }

  /** Its line, below the headings if it is the first or others stand there now. */
  take(handshake: Handshake, context: RecordContext, into: ByteText): void {
    const style = this.#style();
    const where = this.#whereabouts;
    where.take(handshake, context);
    if (style.width !== this.#width) {
      const heading = formatHeading(style);
      if (heading !== this.#heading) into.text(heading);
      this.#heading = heading;
      this.#width = style.width;
    }
    const { severalNetns: netns, severalCgroups: cgroups } = where;
    into.text(formatHandshake(handshake, { ...style, netns, cgroups }, context));
  }

  /** Nothing. */
  end(): string {
    return "";
  }
}
