import { assertEquals } from "@std/assert";
import { GroupTally } from "../../../../src/output/top/group_tally.ts";
import { TopClock } from "../../../../src/output/top/top_clock.ts";
import { SampleClock, sampleHandshake } from "./sample_top.ts";

Deno.test("GroupTally counts both legs by role, and when it was", () => {
  const clock = new TopClock(new SampleClock().wallMs);
  const tally = new GroupTally(clock);
  for (
    const handshake of [
      sampleHandshake({ clientRttNs: 5_000, serverRttNs: 7 }),
      sampleHandshake({ role: "server", clientRttNs: 11, serverRttNs: 9_000 }),
      sampleHandshake({ role: "local", clientRttNs: 13, serverRttNs: 17 }),
      sampleHandshake({ outcome: "timeout" }),
    ]
  ) {
    clock.place(handshake);
    tally.record(handshake);
  }
  const { client, server } = tally.hostTime;
  assertEquals([tally.networkRtt.count, tally.networkRtt.max], [3, 9_000]);
  assertEquals([client?.count, client?.max, server?.count, server?.max], [1, 7, 1, 11]);
  const { second } = clock;
  assertEquals(tally.seconds.sum(second, second + 1), { handshakes: 4, failed: 1 });
  assertEquals([tally.handshakes, tally.established], [4, 3]);
});
