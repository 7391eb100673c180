import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { describeHandshake } from "../../../src/output/packet_comment.ts";
import { anyHandshake } from "../record/arbitrary_handshake.ts";
import { makeHandshake } from "../record/sample_handshakes.ts";

const CLIENT = { address: "192.0.2.1", port: 40_000 };
const PROCESS = { pid: 4711, comm: "curl", uid: 0, cgroup: 1 };

Deno.test("describeHandshake says which handshake it is, whose, and how it ended", () => {
  const ends = { client: CLIENT, server: { address: "2001:db8::1", port: 80 } };
  const cases = [
    { parts: ends, text: "unanswered 192.0.2.1:40000 → [2001:db8::1]:80" },
    {
      parts: {
        ...ends,
        client: { ...CLIENT, process: PROCESS },
        server: { ...ends.server, process: { ...PROCESS, comm: "a\nb" } },
        outcome: "established" as const,
        clientRttNs: 10_231_000,
        serverRttNs: 41_000,
        flags: ["ecn" as const],
      },
      text: "established 192.0.2.1:40000 → [2001:db8::1]:80, client curl (4711), " +
        "server a\\u{a}b (4711), client RTT 10.2 ms, server RTT 41.0 µs, ecn",
    },
    {
      parts: { ...ends, outcome: "refused" as const, reason: "ECONNREFUSED" },
      text: "refused 192.0.2.1:40000 → [2001:db8::1]:80, ECONNREFUSED",
    },
  ];
  for (const { parts, text } of cases) {
    assertEquals(describeHandshake(makeHandshake(parts)), text);
  }
});

Deno.test("describeHandshake writes nothing that acts on a terminal", () => {
  fc.assert(fc.property(anyHandshake(), (handshake) => {
    assert(!/[\p{C}\p{Zl}\p{Zp}]/u.test(describeHandshake(handshake)));
  }));
});
