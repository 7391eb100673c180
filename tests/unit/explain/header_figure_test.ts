import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import fc from "fast-check";
import { drawHeader } from "../../../src/explain/header_figure.ts";
import type { PacketStep } from "../../../src/explain/step.ts";
import { storyOf, WORKED_EXAMPLE } from "./build_conversation.ts";

const STORY = storyOf(WORKED_EXAMPLE);
const PACKETS = STORY.steps.filter((step) => step.kind === "packet");

/** The bits that a figure shows, as bytes. */
function bitsOf(lines: readonly string[]): number[] {
  const rows = lines.map((line) => line.slice(15)).filter((row) => /^\|[01][01 |]*\|$/.test(row));
  const bits = rows.join("").replace(/[^01]/g, "");
  return (bits.match(/.{8}/g) ?? []).map((byte) => parseInt(byte, 2));
}

Deno.test("drawHeader shows every bit of the fixed header, whatever they are", () => {
  const bytes = fc.uint8Array({ minLength: 20, maxLength: 20 });
  fc.assert(fc.property(bytes, fc.constantFrom(...PACKETS), (header, step) => {
    const lines = drawHeader({ ...step, packet: { ...step.packet, header } }, STORY);
    assertEquals(bitsOf(lines), [...header]);
  }));
});

Deno.test("drawHeader draws every row of the figure as wide as its edge", () => {
  for (const step of PACKETS) {
    const figure = drawHeader(step, STORY).slice(2).filter((line) => /^.{15}[|+]/.test(line));
    assert(figure.length > 15);
    for (const line of figure) assertEquals(line.length, 80, line);
  }
});

Deno.test("drawHeader keeps within 80 columns, whatever the header holds", () => {
  const bytes = fc.uint8Array({ minLength: 20, maxLength: 60 });
  const shifts = fc.option(fc.record({ client: fc.nat(14), server: fc.nat(14) }));
  fc.assert(fc.property(bytes, fc.constantFrom(...PACKETS), shifts, (header, step, shift) => {
    const story = { ...STORY, windowShifts: shift ?? undefined };
    const lines = drawHeader({ ...step, packet: { ...step.packet, header } }, story);
    for (const line of lines) assert(line.length <= 80, line);
  }));
});

Deno.test("drawHeader names the fields with their values beside their bytes", () => {
  const text = drawHeader(PACKETS[1], STORY).join("\n");
  for (
    const words of [
      "01 bb cc 58 |        Source Port 443        |",
      "c1 12 f6 93 |",
      "Sequence Number 0xc112f693 = 3239245459",
      "Acknowledgment Number 0x4ce45751 = 1290032977",
      "Data Offset 8: the header has 8 words of 4 bytes, 32 in all",
      "Flags: SYN, ACK",
      "never scaled in a SYN",
      "02 04 05 78 ",
      "Maximum segment size: 1400 bytes",
    ]
  ) assertStringIncludes(text, words);
});

Deno.test("drawHeader says that an acknowledgment number without the flag means nothing", () => {
  const says = (step: PacketStep) =>
    drawHeader(step, STORY).some((line) => line.includes("no ACK flag: means nothing"));
  assertEquals(PACKETS.map(says), [true, false, false]);
});

Deno.test("drawHeader scales a later window by what its sender announced", () => {
  const windowOf = (windowShifts: typeof STORY.windowShifts) =>
    drawHeader(PACKETS[2], { ...STORY, windowShifts }).join(" ").replace(/\s+/g, " ");
  assertStringIncludes(windowOf({ client: 7, server: 13 }), "Window 502: times 2^7");
  assertStringIncludes(windowOf({ client: 7, server: 13 }), "64256 bytes");
  assertStringIncludes(windowOf(undefined), "unless window scale was agreed on");
});

Deno.test("drawHeader lists options with the very bytes, damaged and cut ones too", () => {
  const [syn] = PACKETS;
  const listed = (header: Uint8Array) => {
    const lines = drawHeader({ ...syn, packet: { ...syn.packet, header } }, STORY);
    return lines.slice(lines.findIndex((line) => line.startsWith("  Options")));
  };
  const fixed = syn.packet.header.subarray(0, 20);
  const damaged = new Uint8Array([...fixed, 4, 2, 3, 9]);
  damaged[12] = 0x60;
  const rows = (lines: string[]) =>
    lines.slice(1).map((line) => line.slice(4, 33).trim()).filter((bytes) => bytes !== "");
  assertEquals(listed(damaged)[0], "  Options: 4 bytes");
  assertEquals(rows(listed(damaged)), ["04 02", "03 09"]);
  assertStringIncludes(listed(syn.packet.header.subarray(0, 25)).at(-1)!, "cut the rest");
  const long = new Uint8Array([...fixed, 34, 16, ...new Uint8Array(14).fill(7), 1, 1, 1, 1]);
  long[12] = 0xa0;
  const bytes = rows(listed(long)).flatMap((row) => row.split(" "));
  assertEquals(bytes, [...long.subarray(20)].map((byte) => byte.toString(16).padStart(2, "0")));
});
