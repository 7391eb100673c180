import { assertEquals } from "@std/assert";
import { PacketType, Passage, passageOf } from "../../../src/wire/passage.ts";

Deno.test("passageOf tells what is this host's; of anything else, nothing", () => {
  const { HOST, BROADCAST, MULTICAST, OTHER_HOST, OUTGOING } = PacketType;
  const received = [HOST, BROADCAST, MULTICAST].map(passageOf);
  assertEquals(received, received.map(() => Passage.RECEIVED));
  assertEquals(passageOf(OUTGOING), Passage.SENT);
  // Above those are types that no capture shows.
  assertEquals([OTHER_HOST, 5, 255].map(passageOf), [0, 0, 0].map(() => Passage.UNKNOWN));
});
