import type { Handshake, Outcome } from "../match/handshake.ts";
import { BOLD, OUTCOME_COLOUR, paint } from "./colour.ts";
import { toAscii } from "../text/ascii.ts";
import type { ByteText } from "../text/byte_text.ts";
import { type Column, columnWidths, joinCells, padCells } from "./columns.ts";
import type { RecordContext } from "../record/record_context.ts";
import type { TextFormat } from "./text_sink.ts";
import { formatProcesses, formatReasons, formatRtts, joinParts } from "./cells.ts";
import { formatDateTime, formatDuration } from "../text/time.ts";
import { formatEndpoint } from "../wire/address.ts";

/** What other programs chose to say stands last: its width on a terminal is not known. */
const COLUMNS: readonly Column[] = [
  { heading: "TIME (UTC)", align: "left" },
  { heading: "OUTCOME", align: "left" },
  { heading: "CLIENT", align: "left" },
  { heading: "SERVER", align: "left" },
  { heading: "CLIENT RTT", align: "right" },
  { heading: "SERVER RTT", align: "right" },
  { heading: "TOTAL", align: "right" },
  { heading: "SYN", align: "right" },
  { heading: "SYN-ACK", align: "right" },
  { heading: "NOTES", align: "left" },
];
const OUTCOME_COLUMN = 1;
/** Widths where no row is waited for: most IPv4 rows fit. */
const USUAL_WIDTHS = [26, 11, 21, 21, 10, 10, 7, 3, 7, 0];

/** How a table is written. */
export interface TableOptions {
  /** Rows that wait for the widths of those behind them; later ones are written at once. */
  rowsHeld: number;
  colour: boolean;
  /** ASCII alone. */
  ascii: boolean;
  /** Whether the times are those of this host's zone, not UTC. */
  localTime?: boolean;
}

/**
 * An aligned table, one row a handshake. The columns are as wide as the first rows need; where there
 * are more than are held, a longer cell pushes the rest of its row right.
 */
export class TableFormat implements TextFormat {
  readonly #options: TableOptions;
  #held: string[][] = [];
  #widths: number[] | undefined;

  /** Writes nothing yet. */
  constructor(options: TableOptions) {
    this.#options = options;
  }

  /** Its row, or once enough rows are held those too. */
  take(handshake: Handshake, _context: RecordContext, into: ByteText): void {
    const { ascii, localTime = false } = this.#options;
    const own = cellsOf(handshake, localTime);
    const cells = ascii ? own.map(toAscii) : own;
    if (this.#widths !== undefined) {
      into.text(this.#row(cells, this.#widths));
      return;
    }
    this.#held.push(cells);
    if (this.#held.length >= this.#options.rowsHeld) into.text(this.#release());
  }

  /** The rows still held; the headings alone where there was none. */
  end(): string {
    return this.#widths === undefined ? this.#release() : "";
  }

  #release(): string {
    const least = this.#options.rowsHeld > 1 ? [] : USUAL_WIDTHS;
    const widths = columnWidths(COLUMNS, this.#held)
      .map((width, at) => Math.max(width, least[at] ?? 0));
    const rows = this.#held.map((cells) => this.#row(cells, widths));
    this.#widths = widths;
    this.#held = [];
    const zone = this.#options.localTime ? "TIME" : COLUMNS[0].heading;
    const names = [zone, ...COLUMNS.slice(1).map(({ heading }) => heading)];
    const headings = joinCells(padCells(COLUMNS, names, widths));
    return paint(headings.trimEnd(), BOLD, this.#options.colour) + "\n" + rows.join("");
  }

  #row(cells: readonly string[], widths: readonly number[]): string {
    const padded = padCells(COLUMNS, cells, widths);
    const colour = OUTCOME_COLOUR[cells[OUTCOME_COLUMN] as Outcome];
    padded[OUTCOME_COLUMN] = paint(padded[OUTCOME_COLUMN], colour, this.#options.colour);
    return joinCells(padded);
  }
}

function cellsOf(handshake: Handshake, localTime: boolean): string[] {
  const { epochSeconds, timeNs, outcome, client, server, totalNs, flags } = handshake;
  const notes = [...formatReasons(handshake), ...flags, formatProcesses(handshake)];
  return [
    formatDateTime(epochSeconds, timeNs, localTime).slice(0, 26),
    outcome,
    formatEndpoint(client),
    formatEndpoint(server),
    ...formatRtts(handshake),
    totalNs === undefined ? "-" : formatDuration(totalNs),
    String(handshake.synCount),
    String(handshake.synAckCount),
    joinParts(notes),
  ];
}
