import { assertEquals } from "@std/assert";
import { ExpectedNumbers } from "../../../src/explain/expected_numbers.ts";
import { TcpFlag } from "../../../src/wire/tcp_flags.ts";
import { makeHandshake } from "../record/sample_handshakes.ts";
import { CLIENT, CONVERSATIONS, seenPackets, SERVER } from "./build_conversation.ts";

const ISN = 0xfffffff0;

function expectedOf(flags: "tcp_fast_open"[], serverIsn?: number): ExpectedNumbers {
  const handshake = makeHandshake({
    client: { ...CLIENT, isn: ISN },
    server: { ...SERVER, isn: serverIsn },
    flags,
  });
  return new ExpectedNumbers(handshake, seenPackets(CONVERSATIONS.fastOpen));
}

Deno.test("ExpectedNumbers.followsSyn takes its Seq + 1 and up to its data more, modulo 2^32", () => {
  const expected = expectedOf(["tcp_fast_open"]);
  assertEquals(expected.synData, 500);
  const distances = [0, 1, 501, 502, -1];
  assertEquals(distances.map((distance) => expected.followsSyn((ISN + distance) >>> 0)), [
    false,
    true,
    true,
    false,
    false,
  ]);
});

Deno.test("ExpectedNumbers.isOfServer takes what was sent by then, synAckBefore what was taken", () => {
  const packets = seenPackets(CONVERSATIONS.fastOpen);
  const expected = expectedOf([]);
  assertEquals([5_000, 5_001, 5_002].map((number) => expected.isOfServer(number, packets)), [
    false,
    true,
    false,
  ]);
  const data = { ...packets[1], flags: TcpFlag.ACK, sequence: 5_001, payloadLength: 100 };
  assertEquals([5_101, 5_102].map((number) => expected.isOfServer(number, [...packets, data])), [
    true,
    false,
  ]);
  assertEquals([5_001, 5_101, 5_000].map((number) => expected.synAckBefore(number)), [
    5_000,
    5_000,
    undefined,
  ]);
});

Deno.test("ExpectedNumbers knows the numbers of every SYN-ACK that answers", () => {
  const expected = expectedOf([], 9_000);
  assertEquals([9_001, 5_001].map((number) => expected.synAckBefore(number)), [9_000, 5_000]);
  assertEquals([9_001, 5_001, 5_002].map((number) => expected.isNextOfServer(number)), [
    true,
    true,
    false,
  ]);
});
