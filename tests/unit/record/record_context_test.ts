import { assertEquals } from "@std/assert";
import { RecordedContext } from "../../../src/record/record_context.ts";

Deno.test("RecordedContext numbers interfaces by their names", () => {
  const context = new RecordedContext();
  assertEquals(["eth0", "lo", "eth0"].map((name) => context.placeOf(name)), [1, 2, 1]);
  assertEquals([0, 1, 2, 3].map((place) => context.interfaceName(place)), [
    undefined,
    "eth0",
    "lo",
    undefined,
  ]);
});

Deno.test("RecordedContext keeps the paths of cgroups", () => {
  const context = new RecordedContext();
  context.setCgroupPath(7, "/a");
  assertEquals([context.cgroupPath(7), context.cgroupPath(8)], ["/a", undefined]);
});
