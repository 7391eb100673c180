import type { Outcome } from "../../match/handshake.ts";
import type { Grouping } from "../statistics/groupings.ts";
import {
  failuresOf,
  GroupRow,
  perSecond,
  type Quantiles,
  quantilesOf,
  type RowMoment,
} from "./group_row.ts";
import type { KeptHandshake } from "./kept_handshakes.ts";
import type { Count } from "./second_counts.ts";
import { type Sort, sortRows } from "./table_columns.ts";
import type { TopModel } from "./top_model.ts";

/** Rows that stay as they are while it is paused. */
const FROZEN_ROWS = 500;

/** How the table is looked at. */
export interface TableView {
  grouping: Grouping;
  sort: Sort;
  /** The smallest first. */
  isReversed: boolean;
}

/** What all handshakes together say at a moment. */
export interface Totals {
  handshakes: number;
  failed: number;
  /** How many ended how, the most frequent first. */
  failures: [Outcome, number][];
  perSecond: Count;
  network: Quantiles;
  host: Readonly<Record<"client" | "server", Quantiles>>;
  /** The last minute, second by second. */
  history: readonly Count[];
}

/** What a screen shows of the model, at one moment. */
export interface Picture {
  moment: RowMoment;
  /** Handshakes that had come, whether they pass or not. */
  taken: number;
  totals: Totals;
  /** Sorted. */
  rows: readonly GroupRow[];
  /** Handshakes of groups that made room for others; undefined: none did. */
  others: number | undefined;
  /** The latest first. */
  failures: readonly KeptHandshake[];
  slowest: readonly KeptHandshake[];
}

/** Takes a picture of the model. @param isFrozen Whether it is to stay as it is while more comes. */
export function takePicture(model: TopModel, view: TableView, isFrozen: boolean): Picture {
  const { counts, clock } = model;
  const { all } = counts;
  const moment = { now: clock.now(), rateSeconds: clock.rateSeconds() };
  const tallies = counts.groups[view.grouping];
  const rows = tallies.list(Infinity).map((named) => new GroupRow(named, moment));
  const counted = rows.reduce((sum, { handshakes }) => sum + handshakes, 0);
  const sorted = sortRows(rows, view.sort, view.isReversed);
  if (isFrozen) sorted.slice(0, FROZEN_ROWS).forEach((row) => row.freeze());
  return {
    moment,
    taken: model.taken,
    totals: {
      handshakes: all.handshakes,
      failed: all.handshakes - all.established,
      failures: failuresOf(all),
      perSecond: perSecond(all, moment),
      network: quantilesOf(all.networkRtt),
      host: {
        client: quantilesOf(all.hostTime.client),
        server: quantilesOf(all.hostTime.server),
      },
      history: all.seconds.history(moment.now),
    },
    rows: isFrozen ? sorted.slice(0, FROZEN_ROWS) : sorted,
    others: tallies.names === undefined ? counts.named[view.grouping] - counted : undefined,
    failures: counts.failures.list(),
    slowest: counts.slowest.list(),
  };
}
