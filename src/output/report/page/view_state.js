// @ts-check
/**
 * What one looks at, as it stands behind the # of the address: a link shows the same to others.
 *
 * @module
 */

/**
 * @typedef {object} ViewState
 * @property {number | undefined} from Begin of the time looked at, milliseconds of Unix time; undefined:
 *   from the start on.
 * @property {number | undefined} to Its end; undefined: to the end.
 * @property {string} filter Words that rows must have.
 * @property {string} sort Name of the column that the table is sorted by.
 * @property {boolean} isDown Whether the largest stand first.
 * @property {number | undefined} open The row whose ladder is shown; undefined: none.
 * @property {boolean} isLocal Whether times are those of who looks, not UTC.
 */

/** @type {ViewState} */
export const FIRST_STATE = {
  from: undefined,
  to: undefined,
  filter: "",
  sort: "time",
  isDown: false,
  open: undefined,
  isLocal: false,
};

/**
 * Reads a state; what is not there or makes no sense is as at first.
 *
 * @param {string} hash As `location.hash` has it.
 * @returns {ViewState}
 */
export function readState(hash) {
  const values = new URLSearchParams(hash.replace(/^#/, ""));
  const from = momentOf(values.get("from"));
  const to = momentOf(values.get("to"));
  const isSpan = from === undefined || to === undefined || from < to;
  const open = values.get("open");
  return {
    from: isSpan ? from : undefined,
    to: isSpan ? to : undefined,
    filter: values.get("filter") ?? FIRST_STATE.filter,
    sort: values.get("sort") ?? FIRST_STATE.sort,
    isDown: values.get("order") === "down",
    open: open !== null && /^\d{1,6}$/.test(open) ? Number(open) : undefined,
    isLocal: values.get("time") === "local",
  };
}

/**
 * Writes a state, without what is as at first.
 *
 * @param {ViewState} state
 * @returns {string} "" or `#` and what follows.
 */
export function writeState(state) {
  const values = new URLSearchParams();
  for (const edge of /** @type {const} */ (["from", "to"])) {
    const ms = state[edge];
    // Of what has no date, all the time is looked at.
    if (ms !== undefined && Math.abs(ms) <= 8.64e15) values.set(edge, new Date(ms).toISOString());
  }
  if (state.filter !== FIRST_STATE.filter) values.set("filter", state.filter);
  if (state.sort !== FIRST_STATE.sort) values.set("sort", state.sort);
  if (state.isDown) values.set("order", "down");
  if (state.open !== undefined) values.set("open", String(state.open));
  if (state.isLocal) values.set("time", "local");
  const text = values.toString();
  return text === "" ? "" : `#${text}`;
}

/** @param {string | null} text */
function momentOf(text) {
  const ms = text === null ? NaN : Date.parse(text);
  return Number.isNaN(ms) ? undefined : ms;
}
