import { assertEquals } from "@std/assert";
import { BENCH_NEEDS } from "../../../src/setup/bench_needs.ts";
import { needName } from "../../../src/setup/packages.ts";
import { TEST_NEEDS } from "../../../src/setup/test_needs.ts";
import { checkNeeds } from "./check_needs.ts";

Deno.test("BENCH_NEEDS share what they can with TEST_NEEDS, and each can be installed", () => {
  checkNeeds(BENCH_NEEDS);
  const shared = BENCH_NEEDS.filter((need) => TEST_NEEDS.includes(need)).map(needName);
  assertEquals(shared, [
    ...["bpftrace", "ip", "tcpdump", "tshark", "gcc", "/usr/include/stdio.h"],
    ...["qemu-system-x86_64", "busybox", "depmod", "xz", "zstd"],
  ]);
});
