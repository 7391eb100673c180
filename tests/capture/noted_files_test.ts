import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import { ask } from "../../src/store/query/ask.ts";
import { SqlError } from "../../src/store/query/duckdb.ts";
import { NotedFiles } from "../../src/store/query/noted_files.ts";
import { seal } from "../../src/store/seal.ts";
import { Folder } from "../folder.ts";
import { toldLine, toldRecords } from "./told_again.ts";

Deno.test("a file that takes the place of another is found, one that is gone is not missed", () => {
  using folder = new Folder();
  const [one, other] = ["one", "other"].map((name) => folder.write(name, name));
  const noted = new NotedFiles();
  noted.note(one);
  noted.note(other);
  noted.assertSame([one, other]);
  Deno.renameSync(other, one);
  noted.assertSame([other]);
  assertThrows(() => noted.assertSame([one, other]), SqlError, "ask once more");
});

Deno.test("a question fails whose files another process makes again meanwhile", async () => {
  using folder = new Folder();
  const path = folder.write(
    "2026-11-23T01.web1.1-1.ndjson",
    toldRecords(50, 1).map(toldLine).join(""),
  );
  await seal(path, "1-1");
  const twin = path.replace(".ndjson", ".parquet");
  const asking = (replaces: boolean) =>
    ask({
      inputs: [folder.path],
      filter: {},
      memoryBytes: 512e6,
      onFetch: () => {},
      onBegin: () => {},
      // It is made by then, and is read after that.
      onProgress: (at, count) => {
        if (!replaces || at < count) return;
        Deno.copyFileSync(twin, `${twin}.copy`);
        Deno.renameSync(`${twin}.copy`, twin);
      },
      asked: { sql: "SELECT count(*) > 0 FROM records" },
    });
  await assertRejects(() => asking(true), SqlError, "were made again meanwhile: ask once more");
  assertEquals((await asking(false)).rows, [[true]]);
});
