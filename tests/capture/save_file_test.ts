// What is saved goes into a new file, and never over or through one that is there.
// Covers src/files/save_file.ts
import { assertEquals } from "@std/assert";
import { saveFile } from "../../src/files/save_file.ts";

Deno.test("saveFile writes a new file, and touches none that is there", async () => {
  const folder = await Deno.makeTempDir();
  try {
    const path = `${folder}/a.ndjson`;
    assertEquals(await saveFile(path, "{}\n{}\n"), `saved 2 lines in "${path}"`);
    assertEquals((await Deno.stat(path)).mode! & 0o137, 0);
    assertEquals(
      await saveFile(path, "x\n"),
      `Cannot save "${path}": it is there already; give another name`,
    );
    assertEquals(await Deno.readTextFile(path), "{}\n{}\n");
    await Deno.symlink(`${folder}/elsewhere`, `${folder}/link`);
    assertEquals(
      await saveFile(`${folder}/link`, "x\n"),
      `Cannot save "${folder}/link": it is there already; give another name`,
    );
    assertEquals(
      (await saveFile(`${folder}/no/a`, "x\n")).startsWith(`Cannot save "${folder}/no/a": No such`),
      true,
    );
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
