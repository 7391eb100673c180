// Every capture file of a folder, against tshark: the same handshakes, the same numbers, the same
// times. The folder is named by SYNSNOOP_CORPUS; its files are not part of this repository.
import { assertEquals } from "@std/assert";
import { findExecutable } from "../../src/linux/host.ts";
import { capturesBelow, compareFile, formatComparison, isClean } from "./compare.ts";

const CORPUS = Deno.env.get("SYNSNOOP_CORPUS");

function obstacle(): string | undefined {
  if (CORPUS === undefined) return "SYNSNOOP_CORPUS names no folder of capture files";
  return findExecutable("tshark") === undefined ? 'no "tshark" (package tshark)' : undefined;
}

const reason = obstacle();
if (reason !== undefined) {
  Deno.test({ name: `corpus against tshark — skipped: ${reason}`, ignore: true, fn() {} });
} else {
  const paths = capturesBelow([CORPUS!]);
  Deno.test("corpus holds capture files", () => {
    assertEquals(paths.length > 0, true, CORPUS);
  });
  for (const path of paths) {
    Deno.test(`read and tshark agree on ${path.slice(CORPUS!.length + 1)}`, async () => {
      const file = await compareFile(path);
      assertEquals(isClean([file]), true, formatComparison([file]));
    });
  }
}
