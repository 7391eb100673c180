/** How long a question takes, of a store with its Parquet twins and without. */
import { QUESTIONS } from "../../../src/store/query/questions.ts";
import { commandCost } from "../command_cost.ts";
import { Truth } from "../../capture/made_truth.ts";
import { makeStore } from "../made_store.ts";
import { compareInPairs } from "../pairs.ts";
import type { Bench, Figure, Row } from "../row.ts";
import { HERE, taskCommand } from "../task_command.ts";

const QUESTION_SECONDS = 2;
const MEMORY_MB = 700;
/** What any tool would do without this one: every record is read. */
const JQ = 'select(.event == "handshake" and .outcome != "established") | .server.address';

/** Each question of a store of a million records, and of five in a long run, beside jq and DuckDB alone. */
export const query: Row = {
  name: "query",
  title: "`query` of a store of records of two hosts, seconds a question",
  needs: ["zstdcat"],
  compare: compareVersions,
  async measure(bench) {
    const store = `${bench.folder}/store`;
    const truth = new Truth();
    const { records } = await makeStore(store, bench.either(1_000_000, 5_000, 5_000_000), truth);
    const rounds = bench.either(3, 1);
    const million = `${(records / 1e6).toPrecision(2)} M records`;
    const first = await commandCost([...taskCommand("query"), store, "servers"]);
    const figures: Figure[] = [{
      name: `${million}: the first question, which makes the twins`,
      unit: "s",
      values: [first.seconds],
    }, {
      name: `${million}: its peak of memory`,
      unit: "MB",
      values: [first.peakMb],
      aim: { atMost: MEMORY_MB },
    }];
    for (const name of Object.keys(QUESTIONS)) {
      const runs = [];
      for (let round = 0; round < rounds; round++) {
        runs.push(await commandCost([...taskCommand("query"), store, name]));
      }
      figures.push({
        name: `${million}: ${name}`,
        unit: "s",
        values: runs.map(({ seconds }) => seconds),
        aim: { atMost: QUESTION_SECONDS },
      }, {
        name: `${million}: ${name}, peak of memory`,
        unit: "MB",
        values: runs.map(({ peakMb }) => peakMb),
        aim: { atMost: MEMORY_MB },
      });
    }
    return [
      ...figures,
      await wrongAnswers(store, truth, million),
      await byJq(bench, store, million),
      await byDuckDb(store, million),
    ];
  },
};

/** @throws {Error} An answer is not the right one. */
async function wrongAnswers(store: string, truth: Truth, million: string): Promise<Figure> {
  for (const question of truth.questions) {
    const limit = question === "slow" ? "20" : "1000000";
    const [program, ...args] = taskCommand("query");
    const { success, stdout } = await new Deno.Command(program, {
      args: [...args, store, question, "--json", "--limit", limit],
      cwd: HERE,
      stderr: "inherit",
    }).output();
    if (!success) throw new Error(`The question "${question}" has no answer`);
    const lines = new TextDecoder().decode(stdout).split("\n").slice(0, -1);
    const difference = truth.difference(question, lines.map((line) => JSON.parse(line)));
    if (difference !== undefined) throw new Error(`The answer to "${question}" has ${difference}`);
  }
  const name = `${million}: wrong answers to ${truth.questions.length} questions`;
  return { name, unit: "answers", values: [0], aim: { atMost: 0 } };
}

async function byJq(bench: Bench, store: string, million: string): Promise<Figure> {
  const isLong = bench.length === "long";
  // Of five million it would take minutes: the first of ten hours, which hold as many records each.
  const files = isLong ? `${store}/*T00.*.zst` : `${store}/*.zst`;
  const name = `${million}${isLong ? ", a tenth of them" : ""}: ` +
    "failures of each server by zstdcat, jq, sort and uniq";
  const script = `zstdcat ${files} | jq -r '${JQ}' | sort | uniq -c`;
  const { seconds } = await commandCost(["sh", "-c", script]);
  return { name, unit: "s", values: [seconds] };
}

/** DuckDB by hand, which detects the columns of compressed NDJSON. */
async function byDuckDb(store: string, million: string): Promise<Figure> {
  const script = `const { DuckDBInstance } = await import("@duckdb/node-api");
    const connection = await (await DuckDBInstance.create(":memory:", { memory_limit: "2GB" })).connect();
    await connection.run("SELECT server.address, count(*) FROM read_json_auto('${store}/*.zst', " +
      "format = 'newline_delimited', union_by_name = true) WHERE outcome <> 'established' GROUP BY 1");`;
  const config = `${HERE}/deno.json`;
  const { seconds } = await commandCost([Deno.execPath(), "eval", "--config", config, script]);
  return {
    name: `${million}: failures of each server by DuckDB alone`,
    unit: "s",
    values: [seconds],
  };
}

/** Each version asks a store of its own, whose Parquet twins it makes. */
async function compareVersions(bench: Bench, root: string): Promise<Figure[]> {
  const records = bench.either(300_000, 5_000);
  const stores = new Map([[HERE, `${bench.folder}/here`], [root, `${bench.folder}/there`]]);
  for (const folder of stores.values()) await makeStore(folder, records);
  const questions = ["servers", "failures", "over-time", "isn"] as const;
  const quantities = questions.map((name) => ({ name: `${name}: CPU`, unit: "s" }));
  return await compareInPairs(bench, root, bench.either(10, 1), quantities, async (version) => {
    const taken: number[] = [];
    for (const question of questions) {
      const command = [...taskCommand("query", version), stores.get(version)!, question];
      taken.push((await commandCost(command)).cpuSeconds);
    }
    return taken;
  });
}
