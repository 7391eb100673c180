import { assertEquals } from "@std/assert";
import { CapturedPacket } from "../../../src/pcap/captured_packet.ts";
import { isOutbound, packetComments } from "../../../src/pcap/pcapng_option.ts";

Deno.test("CapturedPacket begins empty: no bytes, no options", () => {
  const packet = new CapturedPacket();
  assertEquals(packet.end - packet.start, 0);
  assertEquals([packetComments(packet), isOutbound(packet)], [[], false]);
});
