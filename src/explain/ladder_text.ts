/**
 * The ladder of a handshake as lines of text: times on the left, a bar for each end, an arrow for each
 * packet.
 *
 * @module
 */
import type { Glyphs, Line, Span, Style } from "./appearance.ts";
import { timeText } from "./ladder.ts";
import type { Arrow, KernelStep } from "./step.ts";
import type { Story } from "./story.ts";
import { wrap } from "../text/wrap.ts";

/** Line, blanks and head around the label of an arrow, so that it still looks like one. */
const ARROW_EXTRA = 9;
const INNER_MIN = 56;
/** What is left free where an arrow ends before it came. */
const LOST_GAP = 8;
/** Before the remarks on a packet. */
const INDENT = 3;
const NUMBER_WIDTH = 2;

/** What every line of one ladder shares. */
interface Frame {
  story: Story;
  glyphs: Glyphs;
  /** Characters of the time, and between the bars. */
  timeWidth: number;
  inner: number;
}

/** Draws the ladder of a story. */
export function drawLadder(story: Story, glyphs: Glyphs): Line[] {
  const times = story.steps.map(({ timeNs }) => timeOf(timeNs, story));
  const labels = story.steps.map((step) =>
    step.kind === "kernel" ? 0 : step.label.length + ARROW_EXTRA + (step.isLost ? LOST_GAP : 0)
  );
  const frame: Frame = {
    story,
    glyphs,
    timeWidth: Math.max(...times.map((time) => time.length), 1),
    inner: Math.max(...labels, INNER_MIN),
  };
  return [
    ...drawHeads(frame),
    betweenBars(frame, [{ text: "" }]),
    ...story.steps.flatMap((step) =>
      step.kind === "kernel" ? drawEvent(frame, step) : drawPacket(frame, step)
    ),
  ];
}

function timeOf(timeNs: number | undefined, { unit, isOfBothEnds }: Story): string {
  return timeText(timeNs, unit, isOfBothEnds);
}

/** Behind the server's bar: when a step was by its clock, where there are two. */
function serverMargin({ story }: Frame, { serverNs }: { serverNs?: number }): Line {
  const time = story.isOfBothEnds ? timeOf(serverNs, story) : "";
  return time === "" ? [] : [{ text: `  ${time}` }];
}

/** Number and time of a step before the client's bar, or as many blanks. */
function margin(
  { story, timeWidth }: Frame,
  step?: { timeNs: number | undefined; number?: number },
): string {
  if (step === undefined) return " ".repeat(NUMBER_WIDTH + 2 + timeWidth + 2);
  const number = String(step.number ?? "").padStart(NUMBER_WIDTH);
  return `${number}  ${timeOf(step.timeNs, story).padStart(timeWidth)}  `;
}

function drawHeads(frame: Frame): Line[] {
  const { story: { client, server }, inner } = frame;
  const width = inner + 2;
  const heads = client.length + server.length + 2 <= width
    ? [client + server.padStart(width - client.length)]
    : [client, server.padStart(width)];
  return ["client" + "server".padStart(width - "client".length), ...heads].map((head) => [
    { text: margin(frame) },
    { text: head, style: "heading" },
  ]);
}

/** A line with both bars and nothing but text between them. */
function betweenBars({ inner, glyphs: { bar }, ...rest }: Frame, spans: readonly Span[]): Line {
  const length = spans.reduce((sum, { text }) => sum + text.length, 0);
  return [
    { text: margin({ inner, glyphs: { bar } as Glyphs, ...rest }) },
    { text: bar },
    ...spans,
    { text: " ".repeat(Math.max(inner - length, 0)) + bar },
  ];
}

function drawPacket(frame: Frame, step: Arrow): Line[] {
  const { glyphs, inner } = frame;
  const { label, from, tone, remarks, isLost } = step;
  const style: Style = isLost ? "bad" : tone === "usual" ? from : tone;
  const lead = glyphs.line.repeat(2);
  const gap = isLost ? " ".repeat(LOST_GAP - 1) : "";
  const toClient = isLost ? gap + glyphs.lost : glyphs.toClient;
  const text = from === "client" ? `${lead} ${label} ` : `${toClient}${lead} ${label} `;
  const head = from === "client" ? isLost ? glyphs.lost + gap : glyphs.toServer : "";
  const rest = glyphs.line.repeat(Math.max(inner - text.length - head.length, 0)) + head;
  return [
    [
      { text: margin(frame, step) },
      { text: from === "client" ? glyphs.fromClient : glyphs.bar },
      { text: text + rest, style },
      { text: from === "client" ? glyphs.bar : glyphs.fromServer },
      ...serverMargin(frame, step),
    ],
    ...remarks.flatMap((remark) => drawRemark(frame, remark, tone === "bad" ? "bad" : "aside")),
  ];
}

function drawRemark(frame: Frame, remark: string, style: Style): Line[] {
  return wrap(remark, frame.inner - 2 * INDENT).map((text) =>
    betweenBars(frame, [{ text: " ".repeat(INDENT) }, { text, style }])
  );
}

function drawEvent(frame: Frame, step: KernelStep): Line[] {
  const { timeNs, at, tone, text } = step;
  const { glyphs: { event, bar }, inner } = frame;
  const style: Style = tone === "usual" ? "aside" : tone;
  return wrap(text, inner - 2 * INDENT).map((row, index) => {
    const isFirst = index === 0;
    const before = at === "server" ? inner - row.length - 1 : at === "client" ? 1 : INDENT;
    const after = inner - before - row.length;
    return [
      { text: margin(frame, isFirst ? { timeNs } : undefined) },
      { text: at === "client" && isFirst ? event : bar },
      { text: " ".repeat(before) },
      { text: row, style },
      { text: " ".repeat(after) },
      { text: at === "server" && isFirst ? event : bar },
      ...isFirst ? serverMargin(frame, step) : [],
    ];
  });
}
