import { assertEquals, assertStringIncludes } from "@std/assert";
import { HandshakePick } from "../../../src/explain/pick.ts";
import type { HandshakeFilter } from "../../../src/pipeline/filter.ts";
import { NO_ROW } from "../../../src/pipeline/sink.ts";
import { LinkType } from "../../../src/wire/frame.ts";
import { HANDSHAKES, WORKED_EXAMPLE as HANDSHAKE } from "../record/sample_handshakes.ts";
import { buildConversation, pickFrom, WORKED_EXAMPLE } from "./build_conversation.ts";
import { sourceOf } from "../pipeline/stand_ins.ts";
import { buildIpv4, buildTcp } from "../wire/build_frame.ts";

const TWO = buildConversation({
  packets: [
    ...WORKED_EXAMPLE.packets,
    { atNs: 20_000_000, by: "client", sequence: 5, sourcePort: 7 },
  ],
});

function pickOf(filter: HandshakeFilter, index: number): { pick: HandshakePick; picked: number } {
  let picked = 0;
  const pick = new HandshakePick({ filter, index, onPicked: () => picked++ }, 8);
  pick.begin(sourceOf({ host: "web1", interfaceName: () => undefined }));
  pick.keepPackets(16);
  for (const handshake of HANDSHAKES) pick.take(handshake, 0);
  return { pick, picked };
}

Deno.test("HandshakePick tells the first handshake of a capture, or the one asked for", () => {
  assertEquals(pickFrom(TWO).story?.title, "TCP handshake: established");
  const second = pickFrom(TWO, 2).story;
  assertEquals(second?.title, "TCP handshake: unanswered");
  assertEquals(second?.client, "192.0.2.1:7");
  assertEquals(second?.steps.length, 1);
});

Deno.test("HandshakePick decodes packets kept from the IP header on, as those of a trace are", () => {
  const pick = new HandshakePick({ filter: {}, index: 1, onPicked: () => {} }, 8);
  pick.begin(sourceOf({ host: "web1", interfaceName: () => "eth0" }));
  const keeper = pick.keepPackets(16);
  const tcp = buildTcp({ sourcePort: HANDSHAKE.client.port, sequence: HANDSHAKE.client.isn });
  const packet = buildIpv4({ source: "192.168.100.191", payload: tcp });
  const whole = {
    view: new DataView(packet.buffer as ArrayBuffer),
    start: 0,
    end: packet.length,
    originalLength: packet.length,
    linkType: LinkType.RAW,
    timeNs: HANDSHAKE.timeNs,
    place: 2,
    direction: 0,
  };
  keeper.begin(4);
  keeper.keep(4, whole);
  // One that was cut within its IP header cannot be shown: it is said.
  keeper.keep(4, { ...whole, end: 9 });
  pick.take(HANDSHAKE, 4);
  const steps = pick.story?.steps.filter(({ kind }) => kind === "packet");
  assertEquals(steps?.map(({ timeNs }) => timeNs), [0]);
  assertStringIncludes(pick.story!.remarks.join(" "), "more packets than could be kept");
});

Deno.test("HandshakePick picks once, the Nth that passes the filter", () => {
  const refused = HANDSHAKES.filter(({ outcome }) => outcome === "refused");
  const { pick, picked } = pickOf({ outcomes: ["refused"] }, refused.length);
  assertEquals([pick.story?.title, picked], ["TCP handshake: refused", 1]);
});

Deno.test("HandshakePick tells of a handshake of which no packets were kept, and misses none", () => {
  const pick = new HandshakePick({ filter: {}, index: 1, onPicked: () => {} }, 8);
  pick.begin(sourceOf({ host: "web1", interfaceName: () => undefined }));
  pick.take(HANDSHAKE, NO_ROW);
  assertEquals(pick.story?.title, "TCP handshake: established");
  assertEquals(pick.story!.remarks.filter((remark) => remark.includes("could be kept")), []);
});

const MISSES: { name: string; filter: HandshakeFilter; index: number; says: string }[] = [
  {
    name: "nothing matches",
    filter: { ports: [{ first: 7_777, last: 7_777 }] },
    index: 1,
    says: "none of them matches",
  },
  { name: "too few", filter: {}, index: 99, says: "there is no number 99" },
  {
    name: "too few match",
    filter: { ports: [{ first: 443, last: 443 }] },
    index: 99,
    says: "of them match, there is no",
  },
];

for (const { name, filter, index, says } of MISSES) {
  Deno.test(`HandshakePick says what came instead: ${name}`, () => {
    const { pick, picked } = pickOf(filter, index);
    assertEquals([pick.story, picked], [undefined, 0]);
    const established = HANDSHAKES.filter(({ outcome }) => outcome === "established").length;
    const miss = pick.describeMiss();
    assertStringIncludes(
      miss,
      `${HANDSHAKES.length} handshakes came (${established} established, `,
    );
    assertStringIncludes(miss, says);
  });
}

Deno.test("HandshakePick says that no handshake came", () => {
  const options = { filter: {}, index: 1, onPicked: () => {} };
  assertEquals(new HandshakePick(options, 1).describeMiss(), "no handshake came");
});
