// @ts-check
/**
 * The pieces of time that are looked at.
 *
 * @module
 */

/** @import { PageData } from "../page_data.ts" */
/** @import { ViewState } from "./view_state.js" */

const DAY_MS = 86_400_000;
const STEPS_MS = [
  ...[1, 2, 5, 10, 20, 50, 100, 200, 500, 1e3, 2e3, 5e3, 10e3, 15e3, 30e3],
  ...[1, 2, 5, 10, 15, 30, 60, 120, 180, 360, 720].map((minutes) => minutes * 60e3),
  ...[1, 2, 5, 10, 30, 100, 365, 1e3, 1e4, 1e5, 1e6].map((days) => days * DAY_MS),
];

/** Some pieces of time side by side: from `first` to before `last`. */
export class TimeRange {
  /**
   * @param {Pick<PageData, "startMs" | "widthMs" | "buckets">} data
   * @param {Pick<ViewState, "from" | "to">} [asked] What is looked at, which may end within a piece.
   */
  constructor({ startMs, widthMs, buckets }, { from, to } = { from: undefined, to: undefined }) {
    this.startMs = startMs;
    this.widthMs = widthMs;
    this.buckets = buckets;
    const first = from === undefined ? 0 : Math.floor((from - startMs) / widthMs);
    const last = to === undefined ? buckets : Math.ceil((to - startMs) / widthMs);
    /** The first piece. */
    this.first = Math.max(0, Math.min(first, buckets - 1));
    /** The first that is no longer part of it. */
    this.last = Math.max(this.first + 1, Math.min(last, buckets));
  }

  /** Whether it is all the time that there is. */
  get isWhole() {
    return this.first === 0 && this.last >= this.buckets;
  }

  /** Whether it is of more than one day, so that a time of day says too little. */
  get isLong() {
    return Math.floor(this.fromMs / DAY_MS) !== Math.floor((this.toMs - 1) / DAY_MS);
  }

  /** Pixels that a moment takes below a chart. */
  get tickWidth() {
    return this.isLong ? 150 : 95;
  }

  /** When it begins, milliseconds of Unix time. */
  get fromMs() {
    return this.momentOf(this.first);
  }

  /** When it ends. */
  get toMs() {
    return this.momentOf(this.last);
  }

  /**
   * When a piece begins.
   *
   * @param {number} at Its number.
   * @returns {number} Milliseconds of Unix time.
   */
  momentOf(at) {
    return this.startMs + at * this.widthMs;
  }

  /**
   * Round moments in it, to be written below a chart.
   *
   * @param {number} most How many at most, at least 1.
   * @returns {number[]} Milliseconds of Unix time.
   */
  ticks(most) {
    const lengthMs = this.toMs - this.fromMs;
    const step = STEPS_MS.find((step) => lengthMs / step <= most) ?? lengthMs;
    const first = Math.ceil(this.fromMs / step) * step;
    const count = Math.floor((this.toMs - first) / step) + 1;
    return Array.from({ length: Math.max(0, count) }, (_, at) => first + at * step);
  }

  /**
   * Whether a moment lies in it.
   *
   * @param {number} ms Milliseconds of Unix time.
   * @returns {boolean}
   */
  has(ms) {
    return ms >= this.fromMs && ms < this.toMs;
  }
}
