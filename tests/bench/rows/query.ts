/** How long a question takes, of a store with its Parquet twins and without. */
import { seal } from "../../../src/store/seal.ts";
import { formatSegmentName } from "../../../src/store/segment_name.ts";
import { QUESTIONS } from "../../../src/store/query/questions.ts";
import { HOSTS, linesOf, makeRecords } from "../../capture/made_records.ts";
import { residentMb } from "../process_cost.ts";
import type { Bench, Figure, Row } from "../row.ts";
import { HERE, taskCommand } from "../task_command.ts";

/** Handshakes made at a time: all of them would not fit the memory. */
const AT_ONCE = 20_000;
const SEGMENTS_A_HOST = 10;
const QUESTION_SECONDS = 2;
const MEMORY_MB = 700;
/** What any tool would do without this one: every record is read. */
const JQ = 'select(.event == "handshake" and .outcome != "established") | .server.address';

/** Each question of a store of a million records, and of five in a long run, beside jq and DuckDB alone. */
export const query: Row = {
  name: "query",
  title: "`query` of a store of records of two hosts, seconds a question",
  needs: ["zstdcat"],
  async measure(bench) {
    const store = `${bench.folder}/store`;
    const records = await makeStore(store, bench.either(1_000_000, 5_000, 5_000_000));
    const rounds = bench.either(3, 1);
    const million = `${(records / 1e6).toPrecision(2)} M records`;
    const first = await timed([...taskCommand("query"), store, "servers"]);
    const figures: Figure[] = [{
      name: `${million}: the first question, which makes the twins`,
      unit: "s",
      values: [first.seconds],
    }, {
      name: `${million}: its peak of memory`,
      unit: "MB",
      values: [first.peak],
      aim: { atMost: MEMORY_MB },
    }];
    for (const name of Object.keys(QUESTIONS)) {
      const runs = [];
      for (let round = 0; round < rounds; round++) {
        runs.push(await timed([...taskCommand("query"), store, name]));
      }
      figures.push({
        name: `${million}: ${name}`,
        unit: "s",
        values: runs.map(({ seconds }) => seconds),
        aim: { atMost: QUESTION_SECONDS },
      }, {
        name: `${million}: ${name}, peak of memory`,
        unit: "MB",
        values: runs.map(({ peak }) => peak),
        aim: { atMost: MEMORY_MB },
      });
    }
    return [...figures, await byJq(bench, store, million), await byDuckDb(store, million)];
  },
};

/** @returns How many records it has. */
async function makeStore(folder: string, records: number): Promise<number> {
  Deno.mkdirSync(folder);
  const names = HOSTS.flatMap((host) =>
    Array.from({ length: SEGMENTS_A_HOST }, (_, at) => ({
      host,
      path: `${folder}/${
        formatSegmentName({ hour: `2026-11-23T0${at}`, host, tracer: `${1 + at}-1` })
      }`,
    }))
  );
  let count = 0;
  for (let seed = 1; count < records; seed++) {
    const made = makeRecords(Math.min(AT_ONCE, records - count), seed);
    for (const [at, { host, path }] of names.entries()) {
      if (at % SEGMENTS_A_HOST !== seed % SEGMENTS_A_HOST) continue;
      Deno.writeTextFileSync(path, linesOf(made, host), { append: true });
    }
    count += made.reduce((sum, { lines }) => sum + lines.size, 0);
  }
  for (const { path } of names) {
    Deno.writeTextFileSync(path, "", { append: true });
    await seal(path, "bench");
  }
  return count;
}

async function timed(command: readonly string[]): Promise<{ seconds: number; peak: number }> {
  const [program, ...args] = command;
  const began = performance.now();
  const child = new Deno.Command(program, { args, cwd: HERE, stdin: "null", stdout: "null" })
    .spawn();
  let peak = 0;
  const timer = setInterval(() => {
    try {
      peak = Math.max(peak, residentMb(child.pid).peak);
    } catch {
      // It has just ended.
    }
  }, 20);
  const { success } = await child.status;
  clearInterval(timer);
  if (!success) throw new Error(`${args.join(" ")} failed`);
  return { seconds: (performance.now() - began) / 1_000, peak };
}

async function byJq(bench: Bench, store: string, million: string): Promise<Figure> {
  const name = `${million}: failures of each server by zstdcat, jq, sort and uniq`;
  if (bench.length === "long") return { name, unit: "s", values: [], note: "it takes minutes" };
  const script = `zstdcat ${store}/*.zst | jq -r '${JQ}' | sort | uniq -c`;
  const { seconds } = await timed(["sh", "-c", script]);
  return { name, unit: "s", values: [seconds] };
}

/** DuckDB by hand, which detects the columns of compressed NDJSON. */
async function byDuckDb(store: string, million: string): Promise<Figure> {
  const script = `const { DuckDBInstance } = await import("@duckdb/node-api");
    const connection = await (await DuckDBInstance.create(":memory:", { memory_limit: "2GB" })).connect();
    await connection.run("SELECT server.address, count(*) FROM read_json_auto('${store}/*.zst', " +
      "format = 'newline_delimited', union_by_name = true) WHERE outcome <> 'established' GROUP BY 1");`;
  const config = `${HERE}/deno.json`;
  const { seconds } = await timed([Deno.execPath(), "eval", "--config", config, script]);
  return { name: `${million}: the same by DuckDB alone`, unit: "s", values: [seconds] };
}
