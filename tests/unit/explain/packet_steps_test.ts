import { assertEquals, assertStringIncludes } from "@std/assert";
import { TcpFlag } from "../../../src/wire/tcp_flags.ts";
import type { PacketStep } from "../../../src/explain/step.ts";
import {
  type Conversation,
  CONVERSATIONS,
  type Said,
  storyOf,
  WORKED_EXAMPLE,
} from "./build_conversation.ts";

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
  assertEquals(steps[2].remarks.join(" ").includes("The ACK had not come"), false);
  assertStringIncludes(steps[4].remarks.join(" "), "The ACK had not come to the server yet");
});

Deno.test("packetSteps blames no lost ACK for the first SYN-ACK, captured late", () => {
  const [syn, synAck, ack] = WORKED_EXAMPLE.packets;
  const packets = [syn, { ...ack, atNs: 1 }, { ...synAck, atNs: 2 }];
  const steps = storyOf({ packets }).steps.filter((step) => step.kind === "packet");
  assertEquals(steps.map(({ part, fits }) => [part, fits]), [
    ["SYN", true],
    ["ACK", true],
    ["SYN-ACK", true],
  ]);
  assertEquals(steps[2].remarks.join(" ").includes("The ACK had not come"), false);
});

/** Each packet of a conversation as sender, part, and whether it fits. */
function judged(packets: Conversation["packets"]): string[] {
  return storyOf({ packets }).steps.filter((step) => step.kind === "packet")
    .map(({ from, part, fits }) => `${from} ${part} ${fits ? "fits" : "no"}`);
}

const { SYN, ACK, RST, FIN } = TcpFlag;
const OPENING: Said = { atNs: 0, by: "client", flags: SYN, sequence: 1000 };
const ANSWER: Said = {
  atNs: 20,
  by: "server",
  flags: SYN | ACK,
  sequence: 5000,
  acknowledgment: 1001,
};

Deno.test("packetSteps says that a client's RST after its ACK ends no handshake, seen answer or not", () => {
  const ack: Said = { atNs: 5, by: "client", flags: ACK, sequence: 1001, acknowledgment: 9000 };
  const reset: Said = { atNs: 9, by: "client", flags: RST, sequence: 1001 };
  assertEquals(judged([OPENING, ack, reset, ANSWER]), [
    "client SYN fits",
    "client ACK no",
    "client RST no",
    "server SYN-ACK fits",
  ]);
});

Deno.test("packetSteps says what a client's RST refuses only where its Seq is the Ack there", () => {
  const remarks = [1001, 4].map((sequence) => {
    const reset: Said = { atNs: 30, by: "client", flags: RST, sequence };
    const steps = storyOf({ packets: [OPENING, ANSWER, reset] }).steps
      .filter((step) => step.kind === "packet");
    return steps[2].remarks.join(" ");
  });
  assertStringIncludes(remarks[0], "It refuses packet 2");
  assertStringIncludes(remarks[1], "Its numbers are not those of this handshake");
});

Deno.test("packetSteps takes no SYN-ACK's end for what was sent behind another one", () => {
  const reset: Said = { atNs: 30, by: "server", flags: RST, sequence: 5000 };
  const other: Said = { ...ANSWER, atNs: 25, sequence: 4990 };
  assertEquals(judged([OPENING, ANSWER, other, reset]).at(-1), "server RST no");
  // Of three the matcher holds the first and the last.
  const third: Said = { ...ANSWER, atNs: 27, sequence: 70 };
  const fits = [4991, 5001, 71].map((sequence) =>
    judged([OPENING, ANSWER, other, third, { ...reset, sequence }]).at(-1)
  );
  assertEquals(fits, ["server RST no", "server RST fits", "server RST fits"]);
});

Deno.test("packetSteps takes a server's segment for the third packet only of a simultaneous open", () => {
  const early: Said = { atNs: 30, by: "client", flags: ACK, sequence: 1001, acknowledgment: 5101 };
  const data: Said = {
    atNs: 30,
    by: "server",
    flags: FIN | ACK,
    sequence: 5001,
    acknowledgment: 1001,
    payload: new Uint8Array(100),
  };
  assertEquals(judged([OPENING, ANSWER, early, data])[2], "client ACK fits");
});

Deno.test("packetSteps takes the data in both SYNs of a simultaneous open", () => {
  const syns: Said[] = [
    { ...OPENING, payload: new Uint8Array(100) },
    { atNs: 1, by: "server", flags: SYN, sequence: 5000, payload: new Uint8Array(100) },
  ];
  const answer: Said = {
    atNs: 2,
    by: "client",
    flags: SYN | ACK,
    sequence: 1000,
    acknowledgment: 5101,
  };
  const { steps, relations } = storyOf({ packets: [...syns, answer] });
  const packets = steps.filter((step) => step.kind === "packet");
  assertEquals(packets.map(({ fits }) => fits), [true, true, true]);
  assertEquals(relations[1].sum, "0x00001388 + 1 + 100 = 0x000013ed");
});
