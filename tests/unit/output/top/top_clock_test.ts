import { assertEquals } from "@std/assert";
import { TopClock } from "../../../../src/output/top/top_clock.ts";
import { EPOCH_SECONDS } from "../../record/sample_handshakes.ts";
import { SampleClock, sampleHandshake } from "./sample_top.ts";

Deno.test("TopClock counts what is reported as it happens when it is", () => {
  const wall = new SampleClock();
  const clock = new TopClock(wall.wallMs);
  wall.seconds = EPOCH_SECONDS + 130;
  clock.place(sampleHandshake({ second: 3 }));
  assertEquals([clock.second, clock.now()], [wall.seconds, wall.seconds]);
  wall.seconds += 5;
  assertEquals([clock.now(), clock.rateSeconds()], [wall.seconds, 5]);
  wall.seconds += 60;
  assertEquals(clock.rateSeconds(), 10);
  clock.stop();
  assertEquals(clock.now(), EPOCH_SECONDS + 131);
});

Deno.test("TopClock counts what is older when it began, and the last of it is now", () => {
  const wall = new SampleClock();
  const clock = new TopClock(wall.wallMs);
  assertEquals([clock.now(), clock.rateSeconds()], [0, 1]);
  wall.seconds = EPOCH_SECONDS + 1e6;
  clock.place(sampleHandshake({ second: 20 }));
  assertEquals(clock.second, EPOCH_SECONDS + 20);
  clock.place(sampleHandshake({ second: 3 }));
  assertEquals([clock.second, clock.now()], [EPOCH_SECONDS + 3, EPOCH_SECONDS + 21]);
});

Deno.test("TopClock leaves the time to the host that reads where another's is ahead", () => {
  const wall = new SampleClock();
  const clock = new TopClock(wall.wallMs);
  clock.place(sampleHandshake({ second: 1e9 }));
  assertEquals([clock.second, clock.now()], [wall.seconds, wall.seconds]);
});

Deno.test("TopClock goes on though nothing comes, where something may", () => {
  const wall = new SampleClock();
  const clock = new TopClock(wall.wallMs);
  clock.start();
  wall.seconds += 4;
  assertEquals([clock.now(), clock.rateSeconds()], [wall.seconds, 4]);
  clock.restart();
  assertEquals(clock.rateSeconds(), 1);
});
