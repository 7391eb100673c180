import { everywhere, type Need, needName } from "./packages.ts";
import { TEST_NEEDS } from "./test_needs.ts";

/** What of the tests' needs the benchmark has too. */
const SHARED_WITH_TESTS = [
  ...["bpftrace", "ip", "gcc", "/usr/include/stdio.h", "tcpdump", "tshark"],
  ...["qemu-system-x86_64", "busybox", "depmod", "xz", "zstd"],
];

/** What the benchmark needs: namespaces, load generators, and the tools it compares with. */
export const BENCH_NEEDS: readonly Need[] = [
  ...TEST_NEEDS.filter((need) => SHARED_WITH_TESTS.includes(needName(need))),
  { executables: ["nginx"], package: everywhere("nginx") },
  { executables: ["wrk"], package: everywhere("wrk") },
  { executables: ["iperf3"], package: { ...everywhere("iperf3"), "zypper": "iperf" } },
  { executables: ["tcptrace"], package: everywhere("tcptrace") },
  { executables: ["jq"], package: everywhere("jq") },
];
