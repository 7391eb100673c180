import { assertEquals, assertStringIncludes } from "@std/assert";
import type { PacketStep } from "../../../../src/report/explain/step.ts";
import { CONVERSATIONS, storyOf, WORKED_EXAMPLE } from "./build_conversation.ts";

type Name = keyof typeof CONVERSATIONS;

function packetsOf(name: Name): PacketStep[] {
  return storyOf(CONVERSATIONS[name]).steps.filter((step) => step.kind === "packet");
}

/** Each packet as sender, part, tone, and whether it fits. */
const EXPECTED: Record<Name, string[]> = {
  refused: ["client SYN usual fits", "server RST bad no", "server RST bad fits"],
  wrongNumbers: [
    "client SYN usual fits",
    "server SYN-ACK bad no",
    "client RST bad no",
    "server SYN-ACK usual fits",
    "client ACK bad no",
  ],
  ambiguous: [
    "client SYN usual fits",
    "client SYN repeated fits",
    "server SYN-ACK usual fits",
    "client ACK usual fits",
  ],
  fastOpen: ["client SYN usual fits", "server SYN-ACK usual fits", "client ACK usual fits"],
  simultaneous: [
    "client SYN usual fits",
    "server SYN usual fits",
    "client SYN-ACK usual fits",
    "server SYN-ACK usual fits",
  ],
  oneSided: ["server SYN-ACK usual fits", "client ACK usual fits"],
  translated: ["client SYN usual fits", "server SYN-ACK usual fits", "client ACK usual fits"],
  twoPlaces: ["client SYN usual fits", "server SYN-ACK usual fits", "client ACK usual fits"],
};

for (const name of Object.keys(EXPECTED) as Name[]) {
  Deno.test(`packetSteps tells the part of each packet: ${name}`, () => {
    const told = packetsOf(name).map(({ from, part, tone, fits }) =>
      `${from} ${part} ${tone} ${fits ? "fits" : "no"}`
    );
    assertEquals(told, EXPECTED[name]);
  });
}

const REMARKS: { name: Name; packet: number; says: string }[] = [
  { name: "refused", packet: 2, says: "Its numbers are not those of this handshake" },
  { name: "refused", packet: 3, says: "It acknowledges the SYN" },
  { name: "wrongNumbers", packet: 2, says: "Its Ack is not what follows the SYN" },
  { name: "wrongNumbers", packet: 3, says: "It refuses packet 2" },
  { name: "wrongNumbers", packet: 5, says: "its Ack does not follow the SYN-ACK" },
  { name: "ambiguous", packet: 2, says: "Sent again: the same Seq as packet 1" },
  { name: "fastOpen", packet: 1, says: "Carries 500 bytes of data" },
  { name: "fastOpen", packet: 1, says: "Fast Open cookie of 8 bytes" },
  { name: "simultaneous", packet: 2, says: "a simultaneous open" },
];

for (const { name, packet, says } of REMARKS) {
  Deno.test(`packetSteps remarks of packet ${packet} of ${name}: ${says}`, () => {
    assertStringIncludes(packetsOf(name)[packet - 1].remarks.join(" "), says);
  });
}

Deno.test("packetSteps labels packets with flags and both kinds of numbers, Ack only with ACK", () => {
  const steps = storyOf(WORKED_EXAMPLE).steps.filter((step) => step.kind === "packet");
  assertEquals(steps.map(({ number, label, timeNs }) => [number, label, timeNs]), [
    [1, "[SYN] Seq=0x4ce45750 (0)", 0],
    [2, "[SYN, ACK] Seq=0xc112f693 (0) Ack=0x4ce45751 (1)", 10_231_000],
    [3, "[ACK] Seq=0x4ce45751 (1) Ack=0xc112f694 (1)", 10_272_000],
  ]);
});

Deno.test("packetSteps tells a SYN-ACK with another number and one after the ACK", () => {
  const [syn, synAck, ack] = WORKED_EXAMPLE.packets;
  const packets = [
    syn,
    { ...synAck, atNs: 1, sequence: 7 },
    synAck,
    ack,
    { ...synAck, atNs: 211_000_000 },
  ];
  const steps = storyOf({ ...WORKED_EXAMPLE, packets }).steps
    .filter((step) => step.kind === "packet");
  assertEquals(steps.map(({ tone }) => tone), [
    "usual",
    "usual",
    "repeated",
    "usual",
    "repeated",
  ]);
  assertStringIncludes(steps[2].remarks.join(" "), "another initial sequence number, 0xc112f693");
  assertStringIncludes(steps[4].remarks.join(" "), "The ACK had not come to the server yet");
});
