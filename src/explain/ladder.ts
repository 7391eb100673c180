import type { Style } from "./appearance.ts";
import { formatExact, type TimeUnit } from "./numbers.ts";
import type { Arrow, End, KernelStep } from "./step.ts";
import type { Story } from "./story.ts";
import { wrap } from "../text/wrap.ts";

/** A packet or an event on a ladder, its texts in lines that fit between the bars. */
export interface LadderRow {
  /** An arrow from an end; at an end, or at neither, something that the kernel told. */
  kind: "arrow" | "event";
  /** Of an arrow: whether it never came to the other end. */
  isLost: boolean;
  /** The end that it comes from or happens at; undefined: not known. */
  end: End | undefined;
  /** Number of the packet; undefined: it is an event. */
  number: number | undefined;
  time: string;
  /** By the server's clock, on a ladder of both ends; else "". */
  serverTime: string;
  style: Exclude<Style, "heading">;
  /** Of a packet, above its arrow: flags and numbers. */
  label: string;
  /** Below the arrow, or what happened. */
  lines: readonly string[];
  /** How the lines look. */
  linesStyle: Exclude<Style, "heading">;
}

/** A ladder that is ready to be drawn; widths are in characters of a monospaced font. */
export interface Ladder {
  client: string;
  server: string;
  timeWidth: number;
  /** Of the times by the server's clock; 0: there are none. */
  serverTimeWidth: number;
  /** Between the bars. */
  inner: number;
  rows: readonly LadderRow[];
}

/** What a ladder is drawn with; places are pixels. */
export interface LadderPen {
  text(x: number, y: number, text: string, style: Style | "ink", anchor: "start" | "end"): void;
  /** @param d Path data of SVG. @param isLine Whether it is a line, not an area. */
  path(d: string, style: Style, isLine: boolean): void;
  circle(x: number, y: number, radius: number, style: Style): void;
}

/** Characters between the bars beyond the longest label. */
const LABEL_EXTRA = 6;
const INNER_MIN = 58;
const TIME_UNKNOWN = "-";

/** Lays out the ladder of a story. */
export function layLadder({ client, server, steps, unit, isOfBothEnds }: Story): Ladder {
  const labels = steps.map((step) => step.kind === "kernel" ? 0 : step.label.length);
  const inner = Math.max(...labels, INNER_MIN) + LABEL_EXTRA;
  const rows = steps.map((step) => {
    const time = timeText(step.timeNs, unit, isOfBothEnds);
    const serverTime = isOfBothEnds ? timeText(step.serverNs, unit, isOfBothEnds) : "";
    const row = step.kind === "kernel" ? eventRow(step, inner) : arrowRow(step, inner);
    return { ...row, time, serverTime };
  });
  const timeWidth = Math.max(...rows.map(({ time }) => time.length), TIME_UNKNOWN.length);
  const serverTimeWidth = Math.max(0, ...rows.map((row) => row.serverTime.length));
  return { client, server, timeWidth, serverTimeWidth, inner, rows };
}

/** Where two clocks stand side by side, what one of them does not know is left out. */
export function timeText(
  ns: number | undefined,
  unit: TimeUnit,
  isOfBothEnds: boolean | undefined,
): string {
  if (ns !== undefined) return formatExact(ns, unit);
  return isOfBothEnds ? "" : TIME_UNKNOWN;
}

type UntimedRow = Omit<LadderRow, "time" | "serverTime">;

function arrowRow(step: Arrow, inner: number): UntimedRow {
  const { number, from, tone, label, remarks, isLost = false } = step;
  return {
    kind: "arrow",
    isLost,
    end: from,
    number,
    style: isLost ? "bad" : tone === "usual" ? from : tone,
    label,
    lines: remarks.flatMap((remark) => wrap(remark, inner - 4)),
    linesStyle: tone === "bad" ? "bad" : "aside",
  };
}

function eventRow({ at, text, tone }: KernelStep, inner: number): UntimedRow {
  const style = tone === "usual" ? "aside" : "bad";
  return {
    kind: "event",
    isLost: false,
    end: at,
    number: undefined,
    style,
    label: "",
    lines: wrap(text, inner - 4),
    linesStyle: style,
  };
}
