/**
 * A TCP header as figure 1 of RFC 9293 draws it, filled in with the bits of one packet.
 *
 * @module
 */
import { formatHexadecimal } from "../text/hexadecimal.ts";
import { TcpFlag } from "../wire/tcp_flags.ts";
import { wrap } from "../text/wrap.ts";
import { formatFlagNames, formatWithDecimal } from "./numbers.ts";
import { explainOption, wholeOptions } from "./option_words.ts";
import type { PacketStep } from "./step.ts";
import type { Story } from "./story.ts";

/** Offsets in the header, RFC 9293 section 3.1. */
const DATA_OFFSET = 12;
const WINDOW = 14;
const CHECKSUM = 16;
const URGENT_POINTER = 18;
const WORD_LENGTH = 4;
const FIXED_WORDS = 5;

const RULER = [
  " 0                   1                   2                   3",
  " 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1",
];
const EDGE = "+-".repeat(32) + "+";
/** Offset and bytes of a word stand before the figure, which is 65 wide: 80 in all. */
const MARGIN = 15;
const WIDTH = MARGIN + EDGE.length;
/** A receiver shifts a window by at most this (RFC 7323 section 2.3). */
const SHIFT_MAX = 14;
/** Bytes of an option beside its meaning, on a line. */
const OPTION_BYTES = 10;
const OPTION_INDENT = 4;
/** Where what an option means begins. */
const MEANING_AT = OPTION_INDENT + OPTION_BYTES * 3;

/** Draws the header of a packet and says what its fields mean: lines of text without newlines. */
export function drawHeader(step: PacketStep, { windowShifts }: Story): string[] {
  const { header } = step.packet;
  const view = new DataView(header.buffer, header.byteOffset, header.byteLength);
  return [
    ...RULER.map((line) => " ".repeat(MARGIN) + line),
    " ".repeat(MARGIN) + EDGE,
    ...drawWords(step, view),
    "",
    ...sayFields(step, view, windowShifts),
    ...listOptions(header),
  ];
}

function drawWords({ packet }: PacketStep, view: DataView): string[] {
  const hasAck = (packet.flags & TcpFlag.ACK) !== 0;
  const acknowledgment = hasAck
    ? formatWithDecimal(packet.acknowledgment)
    : `${formatHexadecimal(packet.acknowledgment)} (no ACK flag: means nothing)`;
  const words: { labels: string[]; widths: number[] }[] = [
    {
      labels: [halves(`Source Port ${view.getUint16(0)}`, `Destination Port ${view.getUint16(2)}`)],
      widths: [16, 16],
    },
    { labels: [cell(`Sequence Number ${formatWithDecimal(packet.sequence)}`, 32)], widths: [32] },
    { labels: [cell(`Acknowledgment Number ${acknowledgment}`, 32)], widths: [32] },
    {
      // AE is the last of the reserved bits (RFC 9768 section 3.1).
      labels: [
        `|  Data |     |A|C|E|U|A|P|R|S|F|${cell("", 16)}`,
        `| Offset|Rsrvd|E|W|C|R|C|S|S|Y|I|${cell(`Window ${view.getUint16(WINDOW)}`, 16)}`,
        `|       |     | |R|E|G|K|H|T|N|N|${cell("", 16)}`,
      ].map((line) => line.slice(1)),
      widths: [4, 3, 1, 1, 1, 1, 1, 1, 1, 1, 1, 16],
    },
    {
      labels: [
        halves(
          `Checksum 0x${hex(view.getUint16(CHECKSUM), 4)}`,
          `Urgent Pointer ${view.getUint16(URGENT_POINTER)}`,
        ),
      ],
      widths: [16, 16],
    },
  ];
  return words.flatMap(({ labels, widths }, word) => {
    const at = word * WORD_LENGTH;
    const margins = [`${String(at).padStart(2)} ${hexBytes(view, at)}`];
    return [
      ...[...labels, drawBits(view.getUint32(at), widths)].map((line, index) =>
        (margins[index] ?? "").padEnd(MARGIN) + "|" + line
      ),
      " ".repeat(MARGIN) + EDGE,
    ];
  });
}

/** The bits of a word with a bar behind each field. */
function drawBits(word: number, widths: readonly number[]): string {
  const bits = word.toString(2).padStart(32, "0");
  let at = 0;
  return widths.map((width) => [...bits.slice(at, at += width)].join(" ") + "|").join("");
}

/** A text in the middle of a field of some bits, and the bar behind it. */
function cell(text: string, bits: number): string {
  const width = bits * 2 - 1;
  return text.padStart(Math.ceil((width + text.length) / 2)).padEnd(width) + "|";
}

function halves(left: string, right: string): string {
  return cell(left, 16) + cell(right, 16);
}

function sayFields(
  { packet, from }: PacketStep,
  view: DataView,
  windowShifts: Story["windowShifts"],
): string[] {
  const words = view.getUint8(DATA_OFFSET) >> 4;
  const window = view.getUint16(WINDOW);
  const isSyn = (packet.flags & TcpFlag.SYN) !== 0;
  const shift = Math.min(windowShifts?.[from] ?? 0, SHIFT_MAX);
  const scaled = isSyn
    ? `Window ${window}: bytes that the sender can take, never scaled in a SYN`
    : windowShifts
    ? `Window ${window}: times 2^${shift} by the window scale option is ${
      window * 2 ** shift
    } bytes`
    : `Window ${window}: bytes that the sender can take, unless window scale was agreed on`;
  const flags = formatFlagNames(packet.flags);
  const bytes = words * WORD_LENGTH;
  return [
    `Data Offset ${words}: the header has ${words} words of 4 bytes, ${bytes} in all`,
    `Flags: ${flags === "" ? "none" : flags}`,
    scaled,
  ].flatMap((text) =>
    wrap(text, WIDTH - OPTION_INDENT).map((line, nth) => (nth === 0 ? "  " : "    ") + line)
  );
}

function listOptions(header: Uint8Array): string[] {
  const { options, isCut } = wholeOptions(header);
  let at = FIXED_WORDS * WORD_LENGTH;
  const lines = options.flatMap((option) => {
    const { data } = option;
    const end = data.byteOffset - header.byteOffset + data.length;
    const texts = [...header.subarray(at, end)].map((byte) => hex(byte, 2));
    at = end;
    const meaning = wrap(explainOption(option), WIDTH - MEANING_AT);
    const rows = Math.max(Math.ceil(texts.length / OPTION_BYTES), meaning.length);
    return Array.from({ length: rows }, (_, row) => {
      const bytes = texts.slice(row * OPTION_BYTES, (row + 1) * OPTION_BYTES).join(" ");
      const line = " ".repeat(OPTION_INDENT) + bytes;
      return (line.padEnd(MEANING_AT) + (meaning[row] ?? "")).trimEnd();
    });
  });
  if (isCut) lines.push("    The capture cut the rest of the options off.");
  const length = header.length - FIXED_WORDS * WORD_LENGTH;
  return [length === 0 ? "  Options: none" : `  Options: ${length} bytes`, ...lines];
}

function hex(value: number, digits: number): string {
  return value.toString(16).padStart(digits, "0");
}

function hexBytes(view: DataView, at: number): string {
  return [0, 1, 2, 3].map((index) => hex(view.getUint8(at + index), 2)).join(" ");
}
