import { assert } from "@std/assert";
import * as limits from "../../../src/pcap/limits.ts";

Deno.test("limits fit into each other", () => {
  // What is held must have room for all headers of the longest usual packet.
  assert(limits.SNAP_LENGTH_USUAL < limits.HELD_MAX);
  assert(limits.HELD_MAX < limits.PACKET_LENGTH_MAX);
  assert(limits.PACKET_LENGTH_MAX < limits.BLOCK_LENGTH_MAX);
  // Lengths are 32 bits in the file, and offsets in a buffer are added to them.
  assert(limits.BLOCK_LENGTH_MAX + 2 * limits.HELD_MAX < 2 ** 31);
});
