import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { tellBothEnds } from "../../../src/explain/both_ends.ts";
import { formatLessonMarkdown } from "../../../src/explain/lesson_markdown.ts";
import { formatLessonSvg } from "../../../src/explain/lesson_svg.ts";
import { formatLessonText } from "../../../src/explain/lesson_text.ts";
import type { Outcome } from "../../../src/match/handshake.ts";
import { capturedEnd, makeSyn, makeSynAck, recordedEnd } from "./told_ends.ts";

/** The server's clock is 7 ms ahead; the way takes 300 µs there and 200 µs back. */
const CLIENT = recordedEnd("web1", {
  outcome: "established",
  synCount: 1,
  synAckCount: 1,
  synNs: 0,
  synAckNs: 510_000,
  ackNs: 520_000,
  clientRttNs: 510_000,
  serverRttNs: 10_000,
});
const SERVER = recordedEnd("db1", {
  timeNs: 7_300_000,
  outcome: "established",
  synCount: 1,
  synAckCount: 1,
  synNs: 0,
  synAckNs: 10_000,
  ackNs: 520_000,
  clientRttNs: 10_000,
  serverRttNs: 510_000,
});

Deno.test("tellBothEnds tells the round trip without a clock, and each way within the clocks' bounds", () => {
  const clock = { offsetNs: 6_990_000, uncertaintyNs: 20_000 };
  const { roundTrips, outcome, title } = tellBothEnds(CLIENT, SERVER, { tier: 1, clock });
  assertEquals([title, outcome], [
    "TCP handshake of two hosts: established",
    "Both ends are established.",
  ]);
  assertEquals(roundTrips.map(({ name, ns }) => [name, ns]), [
    ["network RTT", 500_000],
    ["way there", 310_000],
    ["way back", 190_000],
    ["server", 10_000],
    ["client", 10_000],
  ]);
  assertStringIncludes(roundTrips[1].text, "give or take 20.000 µs");
});

Deno.test("tellBothEnds gives no way its time where the clocks are not bounded, or contradict it", () => {
  const away = { offsetNs: 90_000_000, uncertaintyNs: 20_000 };
  for (const clock of [undefined, away]) {
    const { roundTrips } = tellBothEnds(CLIENT, SERVER, { tier: 1, clock });
    assertEquals(roundTrips.slice(0, 3).map(({ ns }) => ns), [500_000, undefined, undefined]);
    assertStringIncludes(roundTrips[1].text, "not known: nothing here bounds");
  }
});

Deno.test("tellBothEnds says where on the way it failed", () => {
  const cases: [client: Outcome, server: Outcome, says: RegExp][] = [
    ["established", "half_open", /The way from web1 to db1 lost the ACK/],
    ["timeout", "half_open", /The way back lost it: db1 answered/],
    ["timeout", "dropped", /The way is good: the SYN came to db1, which did not answer: ACCEPT_Q/],
    ["established", "dropped", /db1 threw the ACK away: ACCEPT_QUEUE_FULL/],
    ["refused", "refused", /db1 itself refused/],
    ["refused", "half_open", /web1 got a RST that db1 did not send/],
    ["unreachable", "half_open", /The network answered web1 with an error/],
    ["aborted", "half_open", /One end gave up/],
  ];
  for (const [one, other, says] of cases) {
    const client = recordedEnd("web1", { outcome: one, synCount: 1, synNs: 0 });
    const server = recordedEnd("db1", {
      ...{ outcome: other, synCount: 1, synNs: 0 },
      ...other === "dropped" && { reason: "ACCEPT_QUEUE_FULL" },
    });
    const { outcome, title } = tellBothEnds(client, server, { tier: 3 });
    assertMatch(outcome, says);
    assertMatch(title, /: [a-z_]+$/);
  }
});

Deno.test("a story of both ends is drawn with both clocks in every form", () => {
  const lossy = recordedEnd("db1", {
    ...{ outcome: "half_open", synCount: 1, synAckCount: 6, synNs: 0, synAckNs: 14_000 },
  });
  const silent = recordedEnd("web1", { outcome: "timeout", synCount: 7, synNs: 0 });
  const story = tellBothEnds(silent, lossy, { tier: 1 });
  const text = formatLessonText(story, { color: false, ascii: true, header: false });
  assertMatch(text, /2 {12}\| {7}X-- \[SYN, ACK\] .*---\| {2}14.000 us$/m);
  assertStringIncludes(text, "by the clock of the client's host");
  assertMatch(text, /7 were sent and 1 came: 6 lost on the way/);
  assertMatch(text, /network RTT +- +none: no SYN-ACK came to the client's host/);
  const svg = formatLessonSvg(story, { header: false });
  assertStringIncludes(svg, "server to client [SYN, ACK] Seq=0x00001388 (0), lost on the way");
  assertEquals(svg.match(/14\.000 µs<\/text>/g)?.length, 1);
  const [, right] = /x="([\d.]+)" y="[\d.]+" class="ink">14\.000 µs/.exec(svg)!;
  const [, width] = /width="([\d.]+)"/.exec(svg)!;
  assert(Number(right) + 9 * 8.4 < Number(width), `${right} of ${width}`);
  assertStringIncludes(
    formatLessonMarkdown(story, { ascii: false, header: false }),
    "✗── [SYN, ACK]",
  );
});

Deno.test("tellBothEnds says what a NAT changed", () => {
  const behind = recordedEnd("db1", { outcome: "established", synCount: 1 });
  Object.assign(behind.identity, { client: "203.0.113.9:61000" });
  const { facts } = tellBothEnds(CLIENT, behind, { tier: 2 });
  assertEquals(
    facts.find(({ name }) => name === "NAT")?.text,
    "the server's host sees the client as 203.0.113.9:61000",
  );
});

Deno.test("tellBothEnds takes the numbers of a packet that never came from who sent it", () => {
  const client = capturedEnd("web1", { outcome: "unanswered", synCount: 1, synNs: 0 }, [
    makeSyn(0, 1),
  ]);
  const server = capturedEnd(
    "db1",
    {
      ...{ outcome: "half_open", synCount: 1, synNs: 0, synAckCount: 1, synAckNs: 10_000 },
      synAckAcknowledgesSyn: true,
    },
    [makeSyn(0, 1), makeSynAck(10_000, 2)],
  );
  const { relations } = tellBothEnds(client, server, { tier: 1 });
  assertEquals(relations.map(({ verdict }) => verdict), [true, undefined, undefined]);
  assertMatch(relations[0].sum!, / \+ 1 = /);
});
