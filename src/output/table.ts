import type { Handshake, Outcome } from "../match/handshake.ts";
import { BOLD, outcomeColour, paint } from "./colour.ts";
import { toAscii } from "../text/ascii.ts";
import type { ByteText } from "../text/byte_text.ts";
import { columnWidths, joinCells, padCells } from "./columns.ts";
import type { HandshakeColumn } from "./field_column.ts";
import type { RecordContext } from "../record/record_context.ts";
import type { TextFormat } from "./text_sink.ts";
import { formatProcesses, formatReasons, formatRtts, joinParts } from "./cells.ts";
import { formatDateTime, formatDuration } from "../text/time.ts";
import { formatEndpoint } from "../wire/address.ts";

/** The columns where none are chosen. What other programs chose to say stands last: nobody knows its width. */
const COLUMNS: readonly HandshakeColumn[] = [
  left("OUTCOME", 11, ({ outcome }) => outcome),
  left("CLIENT", 21, ({ client }) => formatEndpoint(client)),
  left("SERVER", 21, ({ server }) => formatEndpoint(server)),
  right("CLIENT RTT", 10, (handshake) => formatRtts(handshake)[0]),
  right("SERVER RTT", 10, (handshake) => formatRtts(handshake)[1]),
  right("TOTAL", 7, ({ totalNs }) => totalNs === undefined ? "-" : formatDuration(totalNs)),
  right("SYN", 3, ({ synCount }) => String(synCount)),
  right("SYN-ACK", 7, ({ synAckCount }) => String(synAckCount)),
  left("NOTES", 0, (handshake, context) =>
    joinParts([
      ...formatReasons(handshake),
      ...handshake.flags,
      formatProcesses(handshake, context),
    ])),
];

function left(
  heading: string,
  width: number,
  cell: HandshakeColumn["cell"],
): HandshakeColumn {
  return { heading, align: "left", width, cell };
}

function right(
  heading: string,
  width: number,
  cell: HandshakeColumn["cell"],
): HandshakeColumn {
  return { heading, align: "right", width, cell };
}

function timeColumn(localTime: boolean): HandshakeColumn {
  return left(
    localTime ? "TIME" : "TIME (UTC)",
    26,
    ({ epochSeconds, timeNs }) => formatDateTime(epochSeconds, timeNs, localTime).slice(0, 26),
  );
}

/** How a table is written. */
export interface TableOptions {
  /** Rows that wait for the widths of those behind them; later ones are written at once. */
  rowsHeld: number;
  colour: boolean;
  /** ASCII alone. */
  ascii: boolean;
  /** Whether the times are those of this host's zone, not UTC. */
  localTime?: boolean;
  /** Columns of one's own choice; absent: the usual ones. */
  columns?: readonly HandshakeColumn[];
}

/**
 * An aligned table, one row a handshake. The columns are as wide as the first rows need; where there
 * are more than are held, a longer cell pushes the rest of its row right.
 */
export class TableFormat implements TextFormat {
  readonly #options: TableOptions;
  readonly #columns: readonly HandshakeColumn[];
  #held: { cells: string[]; outcome: Outcome }[] = [];
  #widths: number[] | undefined;

  /** Writes nothing yet. */
  constructor(options: TableOptions) {
    this.#options = options;
    this.#columns = options.columns ?? [timeColumn(options.localTime ?? false), ...COLUMNS];
  }

  /** Its row, or once enough rows are held those too. */
  take(handshake: Handshake, context: RecordContext, into: ByteText): void {
    const own = this.#columns.map(({ cell }) => cell(handshake, context));
    const cells = this.#options.ascii ? own.map(toAscii) : own;
    const { outcome } = handshake;
    if (this.#widths !== undefined) {
      into.text(this.#row(cells, outcome, this.#widths));
      return;
    }
    this.#held.push({ cells, outcome });
    if (this.#held.length >= this.#options.rowsHeld) into.text(this.#release());
  }

  /** The rows still held; the headings alone where there was none. */
  end(): string {
    return this.#widths === undefined ? this.#release() : "";
  }

  #release(): string {
    const columns = this.#columns;
    const waits = this.#options.rowsHeld > 1;
    const widths = columnWidths(columns, this.#held.map(({ cells }) => cells))
      .map((width, at) => waits ? width : Math.max(width, columns[at].width));
    const rows = this.#held.map(({ cells, outcome }) => this.#row(cells, outcome, widths));
    this.#widths = widths;
    this.#held = [];
    const headings = joinCells(padCells(columns, columns.map(({ heading }) => heading), widths));
    return paint(headings.trimEnd(), BOLD, this.#options.colour) + "\n" + rows.join("");
  }

  #row(cells: readonly string[], outcome: Outcome, widths: readonly number[]): string {
    const padded = padCells(this.#columns, cells, widths);
    const at = this.#columns.findIndex(({ heading }) => /^outcome$/i.test(heading));
    if (at >= 0) padded[at] = paint(padded[at], outcomeColour(outcome), this.#options.colour);
    return joinCells(padded);
  }
}
