// What reads NDJSON to its end reads a store too, and tells of it what it tells of the same lines in one file.
import { assertEquals, assertGreater, assertMatch, assertStringIncludes } from "@std/assert";
import { zstdDecompressSync } from "node:zlib";
import { listSegments } from "../../src/store/store_folder.ts";
import { Folder } from "../folder.ts";
import { HOSTS } from "./made_records.ts";
import { MadeStore } from "./made_store.ts";

const MAIN = new URL("../../src/main.ts", import.meta.url).pathname;
const HANDSHAKES = 300;

/** Runs a command to its end. @returns What it wrote and said, without the path of its input. */
async function run(command: string, input: string, flags: readonly string[] = []): Promise<string> {
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--quiet", MAIN, command, input, ...flags],
    stdin: "null",
    env: { NO_COLOR: "1", COLUMNS: "100" },
  }).output();
  const text = [stdout, stderr].map((bytes) => new TextDecoder().decode(bytes)).join("");
  assertEquals(code, 0, text);
  return text.replaceAll(input, "INPUT");
}

/** The lines of all segments, oldest first, in one file. */
function joined(store: MadeStore, folder: Folder): string {
  const texts = listSegments(store.path).map(({ path }) => {
    const bytes = Deno.readFileSync(path);
    return new TextDecoder().decode(path.endsWith(".zst") ? zstdDecompressSync(bytes) : bytes);
  });
  assertGreater(texts.length, HOSTS.length);
  return folder.write("records.ndjson", texts.join(""));
}

Deno.test("what reads NDJSON tells of a store what it tells of its lines in one file", async (t) => {
  using store = await MadeStore.of(HANDSHAKES);
  using folder = new Folder();
  const file = joined(store, folder);
  const commands: Record<string, string[]> = {
    read: ["--stats"],
    explain: ["--header", "--index", "7"],
  };
  for (const [command, flags] of Object.entries(commands)) {
    await t.step(command, async () => {
      const ofStore = await run(command, store.path, flags);
      assertEquals(ofStore, await run(command, file, flags));
      assertMatch(ofStore, command === "explain" ? /TCP handshake/ : /300 handshakes/);
    });
  }
  await t.step("metrics", async () => {
    const metricsOf = async (input: string) => {
      const path = `${folder.path}/metrics.prom`;
      await run("metrics", input, ["--metrics-file", path]);
      return Deno.readTextFileSync(path).split("\n")
        .filter((line) => /^synsnoop_handshakes/.test(line)).sort();
    };
    const metrics = await metricsOf(store.path);
    assertEquals(metrics, await metricsOf(file));
    const total = metrics.filter((line) => /^synsnoop_handshakes(_total)?\{/.test(line))
      .reduce((sum, line) => sum + Number(line.split(" ").at(-1)), 0);
    assertEquals(total, HANDSHAKES);
  });
  await t.step("report", async () => {
    const page = `${folder.path}/page.html`;
    await run("report", store.path, ["--output", page]);
    const [told] = (await run("read", file, ["--stats"])).split("\n");
    assertStringIncludes(Deno.readTextFileSync(page), told);
  });
});
