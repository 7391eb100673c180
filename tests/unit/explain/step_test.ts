import { assertEquals } from "@std/assert";
import { packetSteps } from "../../../src/explain/packet_steps.ts";
import { nameStep } from "../../../src/explain/step.ts";
import { WORKED_EXAMPLE as HANDSHAKE } from "../record/sample_handshakes.ts";
import { seenPackets, WORKED_EXAMPLE } from "./build_conversation.ts";

Deno.test("nameStep names a packet so that it is found on the ladder", () => {
  const steps = packetSteps(HANDSHAKE, seenPackets(WORKED_EXAMPLE));
  assertEquals(steps.map(nameStep), ["SYN (packet 1)", "SYN-ACK (packet 2)", "ACK (packet 3)"]);
});
