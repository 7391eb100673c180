import { assertEquals } from "@std/assert";
import { recordedEnd } from "./told_ends.ts";

Deno.test("EndTold keeps what one host tells, in nanoseconds of its own clock", () => {
  const end = recordedEnd("web1", {
    ...{ epochSeconds: 1_795_395_723, timeNs: 123_456_789, outcome: "refused" },
    ...{ synCount: 2, synAckCount: 0, rstCount: 1, reason: "ECONNREFUSED" },
  });
  assertEquals(end.atNs, 1_795_395_723_123_456_789n);
  assertEquals([end.count("SYN"), end.count("SYN-ACK"), end.count("RST")], [2, 0, 1]);
  assertEquals([end.isPlain, end.hasPackets, end.sawPackets], [false, false, true]);
  assertEquals([end.host, end.outcome, end.reason], ["web1", "refused", "ECONNREFUSED"]);
  assertEquals(end.identity.client, "192.0.2.1:40000");
});

Deno.test("EndTold knows which packets may have come after its end", () => {
  const established = recordedEnd("a", { outcome: "established" });
  assertEquals(["SYN", "SYN-ACK"].map((part) => established.endedBefore(part as "SYN")), [
    false,
    true,
  ]);
  assertEquals(recordedEnd("a", { outcome: "timeout" }).endedBefore("SYN-ACK"), false);
  assertEquals(recordedEnd("a", { outcome: "refused" }).endedBefore("SYN"), true);
});
