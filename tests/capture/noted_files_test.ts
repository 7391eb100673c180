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
  noted.assertThere();
  Deno.renameSync(other, one);
  noted.assertSame([other]);
  assertThrows(() => noted.assertSame([one, other]), SqlError, "ask once more");
  assertThrows(() => noted.assertThere(), SqlError, "ask once more");
});

Deno.test("a question fails whose files another process removes or makes again meanwhile", async (t) => {
  using folder = new Folder();
  const lines = toldRecords(50, 1).map(toldLine).join("");
  const path = folder.write("2026-11-23T01.web1.1-1.ndjson", lines);
  await seal(path, "1-1");
  const twin = path.replace(".ndjson", ".parquet");
  const asking = (meanwhile: () => void) =>
    ask({
      inputs: [folder.path],
      filter: {},
      memoryBytes: 512e6,
      onFetch: () => {},
      onBegin: () => {},
      // It is made by then, and is read after that.
      onProgress: (at, count) => at === count && meanwhile(),
      asked: { sql: "SELECT count(*) > 0 FROM records" },
    });
  const CHANGED = "were removed or made again meanwhile: ask once more";
  await t.step("made again", async () => {
    const replace = () => {
      Deno.copyFileSync(twin, `${twin}.copy`);
      Deno.renameSync(`${twin}.copy`, twin);
    };
    await assertRejects(() => asking(replace), SqlError, CHANGED);
  });
  await t.step("removed", async () => {
    await assertRejects(() => asking(() => Deno.removeSync(twin)), SqlError, CHANGED);
  });
  await t.step("and no more is left of that", async () => {
    assertEquals((await asking(() => {})).rows, [[true]]);
  });
});
