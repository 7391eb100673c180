import { assertEquals } from "@std/assert";
import type { Handshake } from "../../../src/match/handshake.ts";
import { senderOf } from "../../../src/explain/sender.ts";
import { makeHandshake } from "../record/sample_handshakes.ts";
import { CLIENT, CONVERSATIONS, seenPackets, SERVER } from "./build_conversation.ts";

const ENDS = { client: CLIENT, server: SERVER };
const INSIDE = { client: { address: "10.0.0.9", port: 5 }, server: SERVER };
const PACKETS = seenPackets(CONVERSATIONS.simultaneous);

const CASES: { name: string; handshake: Handshake; expected: string[] }[] = [
  {
    name: "by address and port",
    handshake: makeHandshake(ENDS),
    expected: ["client", "server", "client", "server"],
  },
  {
    name: "by the other tuple of a translated one",
    handshake: { ...makeHandshake(INSIDE), translated: makeHandshake(ENDS) },
    expected: ["client", "server", "client", "server"],
  },
  {
    name: "by its flags where both ends are one",
    handshake: makeHandshake({ client: CLIENT, server: CLIENT, flags: ["self_connect"] }),
    expected: ["client", "client", "server", "server"],
  },
];

for (const { name, handshake, expected } of CASES) {
  Deno.test(`senderOf tells who sent a packet: ${name}`, () => {
    assertEquals(PACKETS.map((packet) => senderOf(handshake, packet)), expected);
  });
}
