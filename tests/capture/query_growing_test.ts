// A store of two hosts is asked while its hours are written, one after the other, and sealed.
import { assertEquals, assertGreater } from "@std/assert";
import { ask } from "../../src/store/query/ask.ts";
import { seal } from "../../src/store/seal.ts";
import { Folder } from "../folder.ts";
import { HOSTS, linesOf, makeRecords } from "./made_records.ts";

const QUESTIONS = 100;
const QUESTIONS_AN_HOUR = 12;
const WRITTEN_AT_ONCE = 100;
const PAUSE_MS = 20;

Deno.test("what is asked while hours are written and sealed only grows, and ends exact", async () => {
  using folder = new Folder();
  let hour = 0;
  let written = 0;
  let isOver = false;
  const pathsOf = (hour: number) =>
    HOSTS.map((host) =>
      `${folder.path}/2026-11-23T${String(hour).padStart(2, "0")}.${host}.1-1.ndjson`
    );
  const write = () => {
    const made = makeRecords(WRITTEN_AT_ONCE, ++written);
    for (const [at, path] of pathsOf(hour).entries()) {
      Deno.writeTextFileSync(path, linesOf(made, HOSTS[at]), { append: true });
    }
  };
  const count = async () => {
    const { rows, lines } = await ask({
      inputs: [folder.path],
      filter: {},
      memoryBytes: 512e6,
      onFetch: () => {},
      onBegin: () => {},
      onProgress: () => {},
      asked: { sql: "SELECT count(*) FROM handshakes" },
    });
    assertEquals(lines.refused, []);
    return Number(rows[0][0]);
  };

  write();
  const writing = (async () => {
    while (!isOver) {
      write();
      await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
    }
  })();
  const sealing: Promise<void>[] = [];
  const counts: number[] = [];
  try {
    for (let asked = 1; asked <= QUESTIONS; asked++) {
      counts.push(await count());
      if (asked % QUESTIONS_AN_HOUR === 0) {
        sealing.push(...pathsOf(hour++).map((path) => seal(path, "1-1")));
        write();
      }
    }
  } finally {
    isOver = true;
    await Promise.all([writing, ...sealing]);
  }

  assertEquals(counts, counts.toSorted((one, other) => one - other));
  assertGreater(counts.at(-1)!, counts[0]);
  assertEquals(await count(), written * WRITTEN_AT_ONCE);
  const kept = [...Deno.readDirSync(folder.path)].filter(({ name }) => name.endsWith(".told"));
  assertGreater(kept.length, 1);
});
