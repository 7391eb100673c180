import { assertEquals } from "@std/assert";
import { nameOfFile, saveHandshakes, saveLadder } from "../../../../src/output/top/save.ts";
import { decodeLine } from "../../../../src/record/record_decoder.ts";
import { NOW_SECONDS, sampleModel } from "./sample_top.ts";

Deno.test("saveHandshakes writes records that are read back, the oldest first", () => {
  const model = sampleModel([{ port: 1 }, { port: 2, outcome: "refused" }]);
  const lines = saveHandshakes(model.latest()).trimEnd().split("\n").map((line) =>
    decodeLine(line)
  );
  assertEquals(
    lines.map((line) =>
      line.kind === "handshake" &&
      [line.handshake.server.port, line.handshake.outcome, line.context.host]
    ),
    [[1, "established", "web1"], [2, "refused", "web1"]],
  );
});

Deno.test("saveLadder writes text without blanks at the ends", () => {
  assertEquals(saveLadder([[{ text: "a ", style: "bad" }, { text: "b  " }], []]), "a b\n\n");
});

Deno.test("nameOfFile tells when it was", () => {
  assertEquals(
    [nameOfFile(NOW_SECONDS, false), nameOfFile(NOW_SECONDS, true)],
    ["synsnoop-2026-11-23T010303.ndjson", "synsnoop-2026-11-23T010303.txt"],
  );
});
