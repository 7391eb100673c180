// Which records are told twice, kept beside the files of a store, against all held against all.
// Covers src/store/query/find_repeats.ts
// Covers src/store/query/told_files.ts
import { assertEquals, assertGreater, assertNotEquals } from "@std/assert";
import fc from "fast-check";
import type { HandshakeFilter } from "../../src/pipeline/filter.ts";
import { ask } from "../../src/store/query/ask.ts";
import { Database } from "../../src/store/query/duckdb.ts";
import { seal } from "../../src/store/seal.ts";
import { Folder } from "../folder.ts";
import { countingNumbers, toldLine, toldRecords } from "./told_again.ts";

type Records = ReturnType<typeof toldRecords>;

const QUIET = { memoryBytes: 512e6, onFetch: () => {}, onBegin: () => {}, onProgress: () => {} };
const COUNTING = "SELECT server_isn FROM handshakes ORDER BY 1";

async function numbersOf(inputs: readonly string[], filter: HandshakeFilter = {}) {
  return (await ask({ ...QUIET, inputs, filter, asked: { sql: COUNTING } })).rows.flat();
}

/** A store whose segments hold records that tell the same handshakes. */
class Store {
  readonly folder = new Folder();
  readonly segments = new Map<string, { records: Records; isSealed: boolean }>();
  #hour = 0;

  async add(records: Records, isSealed: boolean): Promise<void> {
    const hour = String(this.#hour++).padStart(2, "0");
    const name = `2026-11-23T${hour}.host${records[0].number % 3}.1-1`;
    const path = this.folder.write(`${name}.ndjson`, records.map(toldLine).join(""));
    if (isSealed) await seal(path, "1-1");
    this.segments.set(name, { records, isSealed });
  }

  async seal(name: string): Promise<void> {
    const segment = this.segments.get(name)!;
    if (!segment.isSealed) await seal(`${this.folder.path}/${name}.ndjson`, "1-1");
    segment.isSealed = true;
  }

  remove(name: string): void {
    this.segments.delete(name);
    for (const file of this.files()) {
      if (file.startsWith(name)) Deno.removeSync(`${this.folder.path}/${file}`);
    }
  }

  files(): string[] {
    return [...Deno.readDirSync(this.folder.path)].map(({ name }) => name).sort();
  }

  kept(): string[] {
    return this.files().filter((name) => name.endsWith(".told"));
  }

  get records(): Records {
    return [...this.segments.values()].flatMap(({ records }) => records);
  }
}

/** What may happen to a store between two questions. */
const CHANGES: Record<string, (store: Store, at: number) => void | Promise<void>> = {
  "an hour is written": async (store, at) => await store.add(partOf(at), true),
  "an hour is begun": async (store, at) => await store.add(partOf(at), false),
  "the hours are sealed": async (store) => {
    for (const name of store.segments.keys()) await store.seal(name);
  },
  "an hour is too old": (store, at) => {
    const name = [...store.segments.keys()][at % store.segments.size];
    if (store.segments.size > 2) store.remove(name);
  },
  "a twin is made again": (store, at) => {
    const twins = store.files().filter((name) => name.endsWith(".parquet"));
    if (twins.length > 0) Deno.removeSync(`${store.folder.path}/${twins[at % twins.length]}`);
  },
  "what is kept is lost": (store, at) => {
    const kept = store.kept();
    if (kept.length > 0) Deno.removeSync(`${store.folder.path}/${kept[at % kept.length]}`);
  },
  "what is kept is torn": (store, at) => {
    const kept = store.kept();
    if (kept.length > 0) store.folder.write(kept[at % kept.length], "PAR1");
  },
};

/** Records of one segment: with those of a few others some tell the same, but few enough for pairs. */
function partOf(at: number): Records {
  return toldRecords(60, at + 1).map((each) => ({ ...each, number: at * 100 + each.number }));
}

Deno.test("whatever becomes of a store, of what several told the least teller's records count", async (t) => {
  const changes = fc.array(fc.tuple(fc.constantFrom(...Object.keys(CHANGES)), fc.nat(1_000)), {
    minLength: 10,
    maxLength: 10,
  });
  for (const [at, steps] of fc.sample(changes, { numRuns: 8, seed: 3 }).entries()) {
    await t.step(`store ${at}`, async () => {
      const store = new Store();
      using _ = store.folder;
      await store.add(partOf(2_000), true);
      await store.add(partOf(2_001), true);
      const done: string[] = [];
      for (const [name, number] of steps) {
        done.push(name);
        await CHANGES[name](store, number);
        const { records } = store;
        const said = done.join(", ");
        assertEquals(await numbersOf([store.folder.path]), countingNumbers(records), said);
        const tracedOn = ["api1", "web1"];
        const some = records.filter(({ host }) => tracedOn.includes(host));
        assertEquals(
          await numbersOf([store.folder.path], { tracedOn }),
          countingNumbers(some),
          said,
        );
      }
    });
  }
});

Deno.test("which records are told twice is found out once", async (t) => {
  const store = new Store();
  using _ = store.folder;
  for (const at of [0, 1, 2, 3]) await store.add(partOf(at), true);
  const { path } = store.folder;
  const kept = () => store.kept().map((name) => [name, Deno.statSync(`${path}/${name}`).mtime]);
  const assertRight = async (inputs = [path]) =>
    assertEquals(await numbersOf(inputs), countingNumbers(store.records));

  await assertRight();
  const first = kept();
  await t.step("in one file, beside the latest hour", async () => {
    assertEquals(first.map(([name]) => name), [`${[...store.segments.keys()].at(-1)}.told`]);
    await assertRight();
    assertEquals(kept(), first);
  });
  await t.step("then of what is new alone", async () => {
    await store.add(partOf(4), true);
    await assertRight();
    assertEquals(kept().length, 2);
    assertEquals(kept()[0], first[0]);
  });
  await t.step(
    "an hour that is being written is held against all, and nothing is kept of it",
    async () => {
      await store.add(partOf(5), false);
      const before = kept();
      await assertRight();
      assertEquals(kept(), before);
      store.remove([...store.segments.keys()].at(-1)!);
    },
  );
  await t.step("a question of some hours takes what is kept of all", async () => {
    const before = kept();
    const since = { seconds: Date.parse("2026-11-23T03:00:00Z") / 1_000, ns: 0 };
    const sql = "SELECT count(*) FROM records";
    await ask({ ...QUIET, inputs: [path], filter: { since }, asked: { sql } });
    assertEquals(kept(), before);
  });
  await t.step("a store that is asked twice is held against itself", async () => {
    const records = [...store.records, ...store.records];
    assertEquals(await numbersOf([path, path]), countingNumbers(records));
  });
  await t.step("so are two stores that were asked alone before", async () => {
    const other = new Store();
    using _ = other.folder;
    await other.add(partOf(6), true);
    assertEquals(await numbersOf([other.folder.path]), countingNumbers(other.records));
    for (let times = 0; times < 2; times++) {
      assertEquals(
        await numbersOf([path, other.folder.path]),
        countingNumbers([...store.records, ...other.records]),
      );
      await assertRight();
    }
  });
  await t.step("what is kept is what counts", async () => {
    // Rows that say that nothing is told twice, in place of those that are there.
    const before = kept();
    for (const [name] of before) await forget(`${path}/${name}`, store.folder);
    assertNotEquals(await numbersOf([path]), countingNumbers(store.records));
    for (const [name] of before) Deno.removeSync(`${path}/${name}`);
    await assertRight();
  });
});

Deno.test("where too many are told again, nothing is kept, and the answer is right", async () => {
  const store = new Store();
  using _ = store.folder;
  await store.add(toldRecords(900, 1), true);
  await store.add(
    toldRecords(900, 2).map((each) => ({ ...each, number: each.number + 1_000 })),
    true,
  );
  assertEquals(await numbersOf([store.folder.path]), countingNumbers(store.records));
  assertEquals(store.kept(), []);
});

Deno.test("where nothing may be kept, it is found out for each question", async () => {
  const store = new Store();
  using _ = store.folder;
  for (const at of [0, 1]) await store.add(partOf(at), true);
  for (const name of store.segments.keys()) {
    Deno.mkdirSync(`${store.folder.path}/${name}.told/x`, { recursive: true });
  }
  for (let times = 0; times < 2; times++) {
    assertEquals(await numbersOf([store.folder.path]), countingNumbers(store.records));
  }
  assertGreater(store.files().length, 0);
});

/** Takes all rows out of a file. */
async function forget(path: string, folder: Folder): Promise<void> {
  using database = await Database.open({ memoryBytes: 512e6, folder: folder.path });
  const { values: [[facts]] } = await database.ask(
    `SELECT decode(value) FROM parquet_kv_metadata('${path}') WHERE decode(key) = 'synsnoop'`,
  );
  await database.run(
    `COPY (SELECT * FROM read_parquet('${path}') LIMIT 0) TO '${path}' ` +
      `(FORMAT parquet, KV_METADATA {synsnoop: '${String(facts).replaceAll("'", "''")}'})`,
  );
}
