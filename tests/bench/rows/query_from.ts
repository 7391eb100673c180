/** How long a question takes at a fleet's ClickHouse, beside the same of the store that was shipped there. */
import { makeTables } from "../../capture/loaded_server.ts";
import { ClickHouseFleet, findClickHouse } from "../../clickhouse_fleet.ts";
import { QUESTIONS } from "../../../src/store/query/questions.ts";
import { PAIR_QUESTIONS } from "../../../src/store/pairs/pair_questions.ts";
import { commandCost } from "../command_cost.ts";
import { makeStore } from "../made_store.ts";
import type { Bench, Figure, Row } from "../row.ts";
import { HERE, taskCommand } from "../task_command.ts";

const SERVERS = 3;
/** Of the process that asks: what comes is no more than the answer. */
const ASKING_MB = 200;

/** Each question of many records: `query --from` three servers of a cluster, and `query` of the store. */
export const queryFrom: Row = {
  name: "query-from",
  title: "`query --from` a cluster of three ClickHouse servers, beside `query` of the same store",
  needs: [],
  async measure(bench: Bench): Promise<Figure[]> {
    const server = await findClickHouse();
    if (typeof server === "string") {
      return [{ name: "a question", unit: "s", values: [], note: server }];
    }
    const store = `${bench.folder}/asked`;
    const { records } = await makeStore(store, bench.either(200_000, 5_000, 1_000_000));
    await using fleet = await ClickHouseFleet.start(server, { servers: SERVERS });
    await ship(bench, store, fleet);
    const of = `${(records / 1e6).toPrecision(2)} M records`;
    // The first question makes the store's Parquet files.
    await commandCost([...taskCommand("query"), store, "servers"]);
    const figures: Figure[] = [];
    let peakMb = 0;
    for (const question of [...Object.keys(QUESTIONS), ...Object.keys(PAIR_QUESTIONS)]) {
      const seconds: Record<"there" | "here", number[]> = { there: [], here: [] };
      for (let round = 0; round < bench.either(1, 1, 3); round++) {
        const there = await commandCost([
          ...taskCommand("query"),
          ...["--from", fleet.url(), question, "--memory", "1G"],
        ]);
        const here = await commandCost([...taskCommand("query"), store, question]);
        seconds.there.push(there.seconds);
        seconds.here.push(here.seconds);
        peakMb = Math.max(peakMb, there.peakMb);
      }
      figures.push(
        { name: `${of}: ${question}, at the servers`, unit: "s", values: seconds.there },
        { name: `${of}: ${question}, of the store`, unit: "s", values: seconds.here },
      );
    }
    const name = `${of}: the greatest peak of memory of who asks servers`;
    return [...figures, { name, unit: "MB", values: [peakMb], aim: { atMost: ASKING_MB } }];
  },
};

async function ship(bench: Bench, store: string, fleet: ClickHouseFleet): Promise<void> {
  // Tables come to all servers before records do.
  using _ = await makeTables(fleet, SERVERS);
  const [program, ...args] = taskCommand("ship");
  const { success } = await new Deno.Command(program, {
    args: [...args, store, "--to", fleet.url(), "--once", "--state", `${bench.folder}/shipped`],
    ...{ cwd: HERE, stdin: "null", stderr: "inherit" },
  }).output();
  if (!success) throw new Error("ship failed");
}
