// Each question that has a name, against the truth of what was made.
import { assertEquals, assertGreater, assertMatch } from "@std/assert";
import { ask } from "../../src/store/query/ask.ts";
import { DUCKDB } from "../../src/store/query/dialect.ts";
import { QUESTIONS } from "../../src/store/query/questions.ts";
import { seal } from "../../src/store/seal.ts";
import { Folder } from "../folder.ts";
import { HOSTS, linesOf, makeRecords } from "./made_records.ts";
import { makeStatus, statusLine, Truth } from "./made_truth.ts";
import { runRead } from "./read_tool.ts";

const HANDSHAKES = 200_000;
const AT_ONCE = 20_000;
const QUIET = { memoryBytes: 512e6, onFetch: () => {}, onBegin: () => {}, onProgress: () => {} };

/** A store of two hosts, sealed: its twins are made once. */
async function makeStore(folder: Folder, truth: Truth): Promise<void> {
  const paths = HOSTS.map((host) => folder.write(`2026-11-23T01.${host}.1-1.ndjson`, ""));
  for (let seed = 1; truth.handshakes < HANDSHAKES; seed++) {
    const made = makeRecords(AT_ONCE, seed);
    truth.take(made);
    for (const [at, host] of HOSTS.entries()) {
      const status = makeStatus(host, seed);
      truth.takeStatus(status);
      Deno.writeTextFileSync(paths[at], linesOf(made, host) + statusLine(status), { append: true });
    }
  }
  for (const path of paths) await seal(path, "1-1");
}

Deno.test("each question is answered with the truth", async (t) => {
  using folder = new Folder();
  const truth = new Truth();
  await makeStore(folder, truth);
  const inputs = [folder.path];
  const rowsOf = async (question: string, more = {}) => {
    const asked = { by: undefined, bucketSeconds: 60, limit: question === "slow" ? 20 : 1_000_000 };
    const { columns, rows } = await ask({
      ...QUIET,
      inputs,
      filter: {},
      asked: QUESTIONS[question].answer(DUCKDB, { ...asked, ...more }),
    });
    return rows.map((row) => Object.fromEntries(columns.map(({ name }, at) => [name, row[at]])));
  };

  for (const question of truth.questions) {
    await t.step(question, async () => {
      assertEquals(truth.difference(question, await rowsOf(question)), undefined);
      assertGreater(truth.answer(question).length, 1);
    });
  }
  await t.step("with clocks and constants among the initial sequence numbers", () => {
    const rows = truth.answer("isn");
    for (const fact of ["by_4us_clock", "by_64ns_clock", "unchanged"]) {
      assertGreater(rows.reduce((sum, row) => sum + Number(row[fact]), 0), 10);
    }
  });
  await t.step("an answer that differs is found", async () => {
    const rows = await rowsOf("servers");
    assertEquals(
      truth.difference("servers", rows.slice(1)),
      `${rows.length - 1} rows, not ${rows.length}`,
    );
    rows[1].network_rtt_p99_ns = Number(rows[1].network_rtt_p99_ns) + 1;
    assertMatch(truth.difference("servers", rows)!, /^\{.*\}, not \{.*\}$/);
  });
  await t.step("the most frequent first", async () => {
    const counts = (await rowsOf("servers")).map(({ handshakes }) => Number(handshakes));
    assertEquals(counts, counts.toSorted((one, other) => other - one));
  });
  await t.step("as many rows as were asked for", async () => {
    const all = await rowsOf("clients");
    assertEquals(await rowsOf("clients", { limit: 3 }), all.slice(0, 3));
  });
  await t.step("the sum is that of --stats", async () => {
    const { summary } = await runRead([...inputs, "--stats", "--json"]);
    assertEquals(summary.handshakes, truth.handshakes);
    const sums = (await rowsOf("failures", { by: ["outcome"] })).map(({ failures }) =>
      Number(failures)
    );
    const failed = truth.answer("failures").reduce((sum, row) => sum + Number(row.failures), 0);
    assertEquals(sums.reduce((sum, count) => sum + count, 0), failed);
    const told = { sql: "SELECT count(*) FROM records" };
    const { rows } = await ask({ ...QUIET, inputs, filter: {}, asked: told });
    assertEquals(rows, [[truth.records]]);
    assertGreater(truth.records, truth.handshakes);
  });
});
