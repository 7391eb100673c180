import { assertEquals } from "@std/assert";
import { readHeldBpf } from "../../../src/kernel/held_bpf.ts";

// As Linux 6.18 describes them.
const COMMON = "pos:\t0\nflags:\t02000002\nmnt_id:\t15\nino:\t2082\n";
const map = (id: number, type: number, entries: number) =>
  `${COMMON}map_type:\t${type}\nkey_size:\t8\nvalue_size:\t8\nmax_entries:\t${entries}\n` +
  `map_flags:\t0x0\nmap_extra:\t0x0\nmemlock:\t5507240\nmap_id:\t${id}\nfrozen:\t0\n`;
const program = (id: number, misses: number) =>
  `${COMMON}prog_type:\t5\nprog_jited:\t1\nprog_tag:\t8b2c0f1d5a3e4476\nmemlock:\t4096\n` +
  `prog_id:\t${id}\nrun_time_ns:\t0\nrun_cnt:\t0\nrecursion_misses:\t${misses}\n` +
  "verified_insns:\t415\n";

Deno.test("readHeldBpf takes the maps in their order and says which are hashes", () => {
  const held = readHeldBpf([map(7, 1, 32768), COMMON, map(9, 5, 1), map(3, 4, 64)]);
  assertEquals(held, {
    maps: [
      { id: 7, isHash: true, maxEntries: 32768 },
      { id: 9, isHash: true, maxEntries: 1 },
      { id: 3, isHash: false, maxEntries: 64 },
    ],
    recursionMisses: 0,
  });
});

Deno.test("readHeldBpf adds what each program missed, once where it is held twice", () => {
  const link =
    `${COMMON}link_type:\tperf\nlink_id:\t4\nprog_tag:\t8b2c0f1d5a3e4476\nprog_id:\t11\n`;
  const cases: [descriptions: string[], misses: number][] = [
    [[], 0],
    [[program(11, 3), program(12, 40)], 43],
    [[program(11, 3), program(12, 40), program(11, 3)], 43],
    [[program(11, 3), link], 3],
    [[link, program(11, 3)], 3],
  ];
  for (const [descriptions, misses] of cases) {
    assertEquals(readHeldBpf(descriptions), { maps: [], recursionMisses: misses });
  }
});
