import { assertEquals, assertStringIncludes } from "@std/assert";
import { roundTrips } from "../../../src/explain/round_trips.ts";
import { packetSteps } from "../../../src/explain/packet_steps.ts";
import { ROLES } from "../../../src/match/handshake.ts";
import { linuxSynOptions } from "../wire/build_frame.ts";
import { WORKED_EXAMPLE as HANDSHAKE } from "../record/sample_handshakes.ts";
import { CONVERSATIONS, seenPackets, storyOf, WORKED_EXAMPLE } from "./build_conversation.ts";

Deno.test("roundTrips tells each duration and between which packets", () => {
  const steps = packetSteps(HANDSHAKE, seenPackets(WORKED_EXAMPLE, HANDSHAKE.timeNs, 2));
  const trips = roundTrips(HANDSHAKE, steps);
  assertEquals(trips.map(({ name, ns }) => [name, ns]), [
    ["client RTT", 10_231_000],
    ["server RTT", 41_000],
    ["total", 10_272_000],
    ["client kernel", 10_240_000],
  ]);
  assertStringIncludes(
    trips[0].text,
    "SYN (packet 1) to SYN-ACK (packet 2): the way to the server",
  );
  assertStringIncludes(trips[1].text, "SYN-ACK (packet 2) to ACK (packet 3): the time that this");
});

Deno.test("roundTrips says what a leg measures where the packets were captured", () => {
  const texts = ROLES.map((role) => roundTrips({ ...HANDSHAKE, role }, [])[0].text);
  assertEquals(new Set(texts).size, ROLES.length);
});

Deno.test("roundTrips gives no number where it is ambiguous, and both bounds", () => {
  const [client, server] = storyOf(CONVERSATIONS.ambiguous).roundTrips;
  assertEquals([client.ns, server.ns], [undefined, 40_000]);
  assertStringIncludes(
    client.text,
    "0.005000000 s since the last SYN, 1.005000000 s since the first",
  );
  assertStringIncludes(client.text, "Karn");
});

Deno.test("roundTrips says how the answered packet is known: by the echoed timestamp", () => {
  const [syn, again, synAck, ack] = CONVERSATIONS.ambiguous.packets;
  const stamped = { options: linuxSynOptions({ timestampValue: 1 }) };
  const later = { options: linuxSynOptions({ timestampValue: 2 }) };
  const echo = { options: linuxSynOptions({ timestampValue: 9, timestampEcho: 2 }) };
  const packets = [{ ...syn, ...stamped }, { ...again, ...later }, { ...synAck, ...echo }, ack];
  const [client] = storyOf({ packets }).roundTrips;
  assertEquals(client.ns, 5_000_000);
  assertStringIncludes(client.text, "SYN (packet 2) to SYN-ACK (packet 3)");
  assertStringIncludes(client.text, "the echoed timestamp is that of the last SYN");
});

Deno.test("roundTrips says that a SYN was answered that was not captured, and which was", () => {
  const [syn, , synAck, ack] = CONVERSATIONS.ambiguous.packets;
  const stamped = { options: linuxSynOptions({ timestampValue: 1 }) };
  const echo = { options: linuxSynOptions({ timestampValue: 9, timestampEcho: 2 }) };
  const packets = [{ ...syn, ...stamped }, { ...synAck, ...echo }, ack];
  const [client] = storyOf({ packets }).roundTrips;
  assertEquals(client.ns, undefined);
  assertEquals(
    client.text,
    "ambiguous: 1.005000000 s since the SYN that was seen. The SYN-ACK echoes the timestamp of a " +
      "later one, which was not captured here",
  );
});

Deno.test("roundTrips says how the answered packet is known: by the number", () => {
  const [syn, synAck, ack] = WORKED_EXAMPLE.packets;
  const packets = [syn, { ...synAck, atNs: 5, sequence: 7 }, synAck, ack];
  const [, server] = storyOf({ ...WORKED_EXAMPLE, packets }).roundTrips;
  assertEquals(server.ns, 41_000);
  assertStringIncludes(server.text, "The ACK's Ack tells which SYN-ACK it answers");
});

const MISSING: { name: keyof typeof CONVERSATIONS; leg: number; says: string }[] = [
  { name: "refused", leg: 0, says: "a RST is no round trip" },
  { name: "refused", leg: 1, says: "no SYN-ACK and no ACK that fits" },
  { name: "wrongNumbers", leg: 1, says: "no ACK that fits was seen" },
  { name: "oneSided", leg: 0, says: "no SYN that fits was seen" },
  { name: "simultaneous", leg: 1, says: "needs no third packet" },
];

for (const { name, leg, says } of MISSING) {
  Deno.test(`roundTrips says why leg ${leg} of ${name} is unknown: ${says}`, () => {
    const trip = storyOf(CONVERSATIONS[name]).roundTrips[leg];
    assertEquals(trip.ns, undefined);
    assertStringIncludes(trip.text, says);
  });
}

Deno.test("roundTrips has none where the clock was set", () => {
  const handshake = { ...HANDSHAKE, flags: ["clock_set" as const], clientRttNs: undefined };
  assertStringIncludes(roundTrips(handshake, [])[0].text, "cannot be subtracted");
});
