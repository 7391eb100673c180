import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import fc from "fast-check";
import { formatLessonMarkdown } from "../../../src/explain/lesson_markdown.ts";
import { formatLessonSvg } from "../../../src/explain/lesson_svg.ts";
import { formatLessonText } from "../../../src/explain/lesson_text.ts";
import { type Story, tellStory } from "../../../src/explain/story.ts";
import { toldRelations, toldSteps } from "../../../src/explain/told_steps.ts";
import type { Handshake } from "../../../src/match/handshake.ts";
import { anyHandshake } from "../record/arbitrary_handshake.ts";
import { HANDSHAKES, makeHandshake, WORKED_EXAMPLE } from "../record/sample_handshakes.ts";

const ENDS = { client: { address: "10.0.0.1" }, server: { address: "10.0.0.2" } };
const CONTEXT = { packets: [], complete: true, recorded: true, interfaceName: () => "eth0" };

function withFlags(flags: Handshake["flags"]): Handshake {
  const { client, server } = WORKED_EXAMPLE;
  return makeHandshake({
    ...WORKED_EXAMPLE,
    client: { ...client, address: "192.168.100.191" },
    server: { ...server, address: "172.67.149.132" },
    flags,
  });
}

function lesson(story: Story): string {
  return formatLessonText(story, { color: false, ascii: false, header: true });
}

Deno.test("toldSteps makes an arrow of each packet that a record tells of", () => {
  assertEquals(
    toldSteps(withFlags([])).map((
      { number, timeNs, from, label },
    ) => [number, timeNs, from, label]),
    [
      [1, 0, "client", "[SYN] Seq=0x4ce45750 (0)"],
      [2, 10_231_000, "server", "[SYN, ACK] Seq=0xc112f693 (0) Ack=0x4ce45751 (1)"],
      [3, 10_272_000, "client", "[ACK]"],
    ],
  );
  assertEquals(toldSteps(withFlags([]))[0].remarks, [
    "Window 64240, MSS 1460, window scale 7, SACK permitted, timestamps",
  ]);
});

Deno.test("toldSteps leaves out a number that a record does not make sure", () => {
  // The server may have taken data of the SYN.
  assertEquals(
    toldSteps(withFlags(["tcp_fast_open"]))[1].label,
    "[SYN, ACK] Seq=0xc112f693 (0)",
  );
  const [synAck] = toldSteps(makeHandshake({ ...ENDS, synAckNs: 0, synAckCount: 1 }));
  assertEquals(synAck.label, "[SYN, ACK]");
});

Deno.test("toldSteps says of packets that came again only how many there were", () => {
  const [syn] = toldSteps(makeHandshake({ ...ENDS, synNs: 0, synCount: 7 }));
  assertEquals(syn.remarks, ["The first of 7; when the others came, a record does not say."]);
});

Deno.test("toldSteps tells a SYN-ACK that does not fit, and the RST that ended it", () => {
  const aborted = makeHandshake({
    ...ENDS,
    outcome: "aborted",
    synNs: 0,
    synAckNs: 5,
    rstCount: 1,
    synAckAcknowledgesSyn: false,
  });
  assertEquals(toldSteps(aborted).map(({ part, from, tone }) => [part, from, tone]), [
    ["SYN", "client", "usual"],
    ["SYN-ACK", "server", "bad"],
    ["RST", "client", "bad"],
  ]);
  const refused = makeHandshake({ ...ENDS, outcome: "refused", synNs: 0, rstCount: 1 });
  assertEquals(toldSteps(refused).at(-1)!.from, "server");
});

Deno.test("toldRelations gives the record's verdicts, and sums where they are sure", () => {
  const of = (handshake: Handshake) =>
    toldRelations(handshake).map(({ verdict, sum }) => [verdict, sum]);
  const sum = "0x4ce45750 + 1 = 0x4ce45751";
  assertEquals(of(withFlags([])), [[true, sum], [true, sum], [true, undefined]]);
  assertEquals(of(withFlags(["tcp_fast_open"])), [
    [true, undefined],
    [true, undefined],
    [true, undefined],
  ]);
  const wrong = makeHandshake({ ...ENDS, synAckAcknowledgesSyn: false });
  assertEquals(of(wrong), [[false, undefined], [undefined, undefined], [undefined, undefined]]);
  assertStringIncludes(toldRelations(wrong)[1].claim, "the record does not say");
});

Deno.test("tellStory of a record puts its packets and the kernel's times on one ladder", () => {
  const story = tellStory(WORKED_EXAMPLE, CONTEXT);
  assertEquals(story.steps.map(({ kind, timeNs }) => [kind, timeNs]), [
    ["kernel", -52_000],
    ["told", 0],
    ["told", 10_231_000],
    ["kernel", 10_250_000],
    ["told", 10_272_000],
  ]);
  const text = lesson(story);
  assertStringIncludes(text, "All of this is what a record told, which has no packets");
  // Of a packet that is not at hand there is no header.
  assert(!text.includes("Header of the"), text);
});

Deno.test("tellStory of a record puts what has no time behind what it is about", () => {
  const refused = HANDSHAKES.find(({ outcome, wire, kernel, dropReason }) =>
    outcome === "refused" && wire && kernel && dropReason === undefined
  )!;
  assertEquals(
    tellStory(refused, CONTEXT).steps.map((step) => step.kind === "kernel" ? step.text : step.part),
    ["connect() is called", "SYN", "RST"],
  );
});

Deno.test("tellStory of a record names the packets of its durations, and those that it lacks", () => {
  const textsOf = (handshake: Handshake) =>
    tellStory(handshake, CONTEXT).roundTrips.map(({ text }) => text);
  assertStringIncludes(textsOf(WORKED_EXAMPLE)[0], "SYN (packet 1) to SYN-ACK (packet 2)");
  const unanswered = makeHandshake({ ...ENDS, wire: true, synNs: 0, synCount: 1 });
  assertEquals(textsOf(unanswered), [
    "none: no SYN-ACK that fits was seen",
    "none: no SYN-ACK and no ACK that fits was seen",
  ]);
});

Deno.test("tellStory of any record is drawn in every form, and acts on no terminal", () => {
  fc.assert(fc.property(anyHandshake(), (handshake) => {
    const story = tellStory(handshake, CONTEXT);
    for (
      const text of [
        lesson(story),
        formatLessonMarkdown(story, { ascii: false, header: true }),
        formatLessonSvg(story, { header: true }),
      ]
    ) assert(!/[^\n\P{C}]|[\p{Zl}\p{Zp}]/u.test(text), JSON.stringify(text));
  }));
});
