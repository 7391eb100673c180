import { assertEquals } from "@std/assert";
import { Passage } from "../../../src/wire/passage.ts";
import { end, type Event, type Packet, Play, run, type Snapshot } from "./traffic.ts";

const V4 = new Play(end("192.0.2.1", 50000), end("198.51.100.2", 443), 1000, 5000);
const V6 = new Play(end("2001:db8::1", 50000), end("2001:db8::2", 443), 1000, 5000);
const MS = 1e6;
const ONCE = { synCount: 1, synAckCount: 1, ambiguous: false, clientRttNs: 10, serverRttNs: 10 };

function check(name: string, events: Event[], expected: Partial<Snapshot>): void {
  const { records } = run(events);
  assertEquals(records.length, 1, name);
  assertEquals({ ...records[0], ...expected }, records[0], name);
}

Deno.test("Matcher counts a copy at a mirror port once, where it came first", () => {
  const ids = [7, 8].map((identification) => ({ identification }));
  check("by the identification, in another VLAN and with another checksum", [
    V4.syn(0, { ...ids[0], vlan: 300 }),
    V4.syn(2, { ...ids[0], vlan: 50 }),
    V4.synAck(10, { ...ids[1], vlan: 50 }),
    V4.synAck(12, { ...ids[1], vlan: 300 }),
    V4.ack(20),
  ], { ...ONCE, vlan: 300 });
  const sums = [7, 8].map((checksum) => ({ identification: 0, checksum }));
  for (const play of [V4, V6]) {
    check("by the bytes", [
      play.syn(0, sums[0]),
      play.syn(2, sums[0]),
      play.synAck(10, sums[1]),
      play.synAck(12, sums[1]),
      play.ack(20),
    ], ONCE);
  }
  check("behind the SYN-ACK", [
    V4.syn(0, ids[0]),
    V4.synAck(10),
    V4.syn(12, ids[0]),
    V4.ack(20),
  ], ONCE);
  check("of a SYN that was refused", [V4.syn(0, ids[0]), V4.refusal(5), V4.syn(9, ids[0])], {
    outcome: "refused",
    synCount: 1,
  });
});

Deno.test("Matcher counts what was sent again: another packet, or the same one later", () => {
  const fields = { identification: 7 };
  check("another identification", [
    V4.syn(0, fields),
    V4.syn(2, { identification: 8 }),
    V4.synAck(10),
  ], { synCount: 2, ambiguous: true });
  check("100 ms later", [V4.syn(0, fields), V4.syn(100 * MS, fields)], { synCount: 1 });
  check("more than 100 ms later", [V4.syn(0, fields), V4.syn(100 * MS + 1, fields)], {
    synCount: 2,
  });
  check("a copy of each", [
    V4.syn(0, { identification: 7 }),
    V4.syn(2, { identification: 7 }),
    V4.syn(1_000 * MS, { identification: 8 }),
    V4.syn(1_000 * MS + 2, { identification: 8 }),
  ], { synCount: 2 });
});

Deno.test("Matcher counts what passed by twice in one way as sent twice, though no bit differs", () => {
  const again = (first: number, second: number, fields: Partial<Packet> = {}) => [
    V4.syn(0),
    V4.synAck(10, { identification: 0, checksum: 8, ...fields, passage: first }),
    V4.synAck(12, { identification: 0, checksum: 8, ...fields, passage: second }),
    V4.ack(20),
  ];
  const { UNKNOWN, RECEIVED, SENT } = Passage;
  check("as it came in", again(RECEIVED, RECEIVED), { synAckCount: 2 });
  check("as it left", again(SENT, SENT), { synAckCount: 2 });
  check("as it came in and left by one interface", again(RECEIVED, SENT), { synAckCount: 1 });
  check("overheard", again(UNKNOWN, UNKNOWN), { synAckCount: 1 });
  check("overheard, then as it came in", again(UNKNOWN, RECEIVED), { synAckCount: 1 });
  const identified = again(SENT, SENT, { identification: 7 });
  check("with one identification", identified, { synAckCount: 1 });
  check("each as it came in and as it left", [
    V6.syn(0),
    ...[RECEIVED, SENT, RECEIVED, SENT].map((passage, at) =>
      V6.synAck(10 + at, { checksum: 8, passage })
    ),
    V6.ack(20),
  ], { synAckCount: 2 });
});

Deno.test("Matcher keeps one tuple with one number in two VLANs apart", () => {
  const play = (vlan: number, atNs: number) => [
    V4.syn(atNs, { vlan }),
    V4.synAck(atNs + 10, { vlan, sequence: vlan }),
    V4.ack(atNs + 20, { vlan, acknowledgment: vlan + 1 }),
  ];
  const [a, b] = [play(7, 0), play(8, 1)];
  const { records } = run([a[0], b[0], a[1], b[1], a[2], b[2]]);
  assertEquals(
    records.map((
      { vlan, outcome, synCount, clientRttNs, serverRttNs, server },
    ) => [vlan, outcome, synCount, clientRttNs, serverRttNs, server.isn]),
    [[7, "established", 1, 10, 10, 7], [8, "established", 1, 10, 10, 8]],
  );
});

Deno.test("Matcher takes a copy of a SYN-ACK that fitted nothing for no handshake of its own", () => {
  const stray = (timeNs: number, fields: Partial<Packet> = {}) =>
    V4.synAck(timeNs, { identification: 7, acknowledgment: 77, ...fields });
  const around = (copy: Event) => [V4.syn(0), stray(5), V4.synAck(10), V4.ack(20), copy];
  check("from another tap, when the handshake has ended", around(stray(30)), ONCE);
  check("at another place", around({ ...stray(30), place: 2 }), ONCE);
  check(
    "by another tap, when a RST has ended it",
    [V4.syn(0), stray(5), V4.refusal(9), stray(30)],
    {
      outcome: "refused",
    },
  );
  const others: [string, Event][] = [
    ["later than a copy can come", stray(100 * MS + 6)],
    ["with another number", stray(30, { acknowledgment: 78 })],
    ["of another server", stray(30, { from: end("198.51.100.3", 443) })],
  ];
  for (const [name, event] of others) {
    const outcomes = run(around(event)).records.map(({ outcome }) => outcome).sort();
    assertEquals(outcomes, ["established", "half_open"], name);
  }
});
