import type { Handshake } from "../../match/handshake.ts";
import type { TraceState } from "../../pipeline/sink.ts";
import { CurrentContext, type RecordContext } from "../../record/record_context.ts";
import type { TextFormat } from "../text_sink.ts";
import {
  drawCounts,
  drawLegs,
  drawTitle,
  type HeaderOptions,
  type TopStatus,
} from "./draw_header.ts";
import { type TableView, takePicture } from "./picture.ts";
import { fitScreen, type ScreenLine } from "./screen_line.ts";
import { drawHeadings, drawRow, layOut } from "./table_columns.ts";
import type { TopModel } from "./top_model.ts";

/** How the table is written as text. */
export interface PlainOptions {
  intervalMs: number;
  /** Rows at most. */
  top: number;
  table: TableView;
  ascii: boolean;
  localTime: boolean;
  /** Characters of a line at most, asked for each table. */
  width(): number;
  /** Tells what the first line does. */
  statusOf(state: TraceState): TopStatus;
}

/** The table of groups as plain text, again and again: for a screen reader, a pager or a file. */
export class PlainFormat implements TextFormat {
  readonly reportMs: number;
  readonly #model: TopModel;
  readonly #options: PlainOptions;

  /** Writes nothing before the end of the first interval, or of all. */
  constructor(model: TopModel, options: PlainOptions) {
    this.#model = model;
    this.#options = options;
    this.reportMs = options.intervalMs;
  }

  /** Nothing yet. */
  take(handshake: Handshake, context: RecordContext): void {
    this.#model.take(handshake, context instanceof CurrentContext ? context.now : context);
  }

  /** The table as it is now, and an empty line. */
  report(state: TraceState): string {
    return this.#format(state) + "\n";
  }

  /** Nothing: the last report came just before. */
  end(): string {
    return "";
  }

  #format(state: TraceState): string {
    const { table, ascii, localTime, top, width, statusOf } = this.#options;
    const columns = width();
    const picture = takePicture(this.#model, table, false);
    const status = statusOf(state);
    const header: HeaderOptions = {
      columns,
      ascii,
      localTime,
      grouping: table.grouping,
      filter: "",
      isPaused: false,
      taken: picture.taken,
    };
    const layout = layOut(columns - 1, false);
    const { sort, isReversed } = table;
    const rows = picture.rows.slice(0, top);
    const left = picture.rows.length - rows.length;
    const lines: ScreenLine[] = [
      drawTitle(picture, status, header),
      drawCounts(picture, status, header),
      drawLegs(picture.totals, header),
      drawHeadings(layout, { name: table.grouping.toUpperCase(), sort, isReversed, ascii }),
      ...rows.map((row) => drawRow(layout, row, { isChosen: false, ascii })),
      ...left > 0 ? [[{ text: ` ${left} more` }]] : [],
    ];
    return fitScreen(lines, { columns, rows: Infinity }, ascii)
      .map((line) => line.map(({ text }) => text).join("").trimEnd() + "\n").join("");
  }
}
