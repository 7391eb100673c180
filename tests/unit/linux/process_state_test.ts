import { assertEquals } from "@std/assert";
import { parseProcessState } from "../../../src/linux/process_state.ts";

/** As Linux 6.18 writes it, with a name that a process may give itself. */
const TEXT =
  "13877 (a) S 1 (b) R 13873 13861 13860 34816 13861 4194304 1244 0 0 0 3 1 0 0 20 0 12 0 " +
  "8812345 1000000 2000 18446744073709551615 1 1 0 0 0 0 0\n";

Deno.test("parseProcessState finds every member behind any name", () => {
  assertEquals(parseProcessState(TEXT), {
    pid: 13877,
    comm: "a) S 1 (b",
    letter: "R",
    parentPid: 13873,
    group: 13861,
    session: 13860,
    terminal: 34816,
    foregroundGroup: 13861,
    cpuTicks: 4,
    startTicks: 8812345,
  });
  assertEquals(parseProcessState(TEXT.replace(") R ", ") Z "))?.letter, "Z");
});

Deno.test("parseProcessState takes no other text for a process", () => {
  for (const text of ["", "1", "1 (init", ") 1 (", "1 (init)", "1 (init) S x", TEXT.slice(0, 60)]) {
    assertEquals(parseProcessState(text), undefined, text);
  }
});
