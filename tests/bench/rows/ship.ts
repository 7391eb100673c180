/** What it takes to hand a store to ClickHouse, and what that keeps of it. */
import { ClickHouseFleet, findClickHouse } from "../../clickhouse_fleet.ts";
import { commandCost } from "../command_cost.ts";
import { makeStore } from "../made_store.ts";
import type { Bench, Figure, Row } from "../row.ts";
import { taskCommand } from "../task_command.ts";

const MEMORY_MB = 200;

/** `ship --once` of a million records to one server. */
export const ship: Row = {
  name: "ship",
  title: "`ship` of a store of records of two hosts to one ClickHouse",
  needs: [],
  async measure(bench: Bench): Promise<Figure[]> {
    const server = await findClickHouse();
    if (typeof server === "string") {
      return [{ name: "CPU time of ship", unit: "µs a record", values: [], note: server }];
    }
    const store = `${bench.folder}/shipped`;
    const { records, bytes } = await makeStore(store, bench.either(1_000_000, 5_000));
    await using fleet = await ClickHouseFleet.start(server, { servers: 1 });
    const args = ["--apply", "--to", fleet.url(), "--once", "--state", `${bench.folder}/state`];
    const { cpuSeconds, seconds, peakMb } = await commandCost([
      ...taskCommand("ship"),
      store,
      ...args,
    ]);
    await fleet.sql("OPTIMIZE TABLE synsnoop.handshakes FINAL");
    const [rows, onDisk] = (await fleet.sql(
      "SELECT sum(rows), sum(bytes_on_disk) FROM system.parts " +
        "WHERE active AND database = 'synsnoop' AND table = 'handshakes'",
    )).split("\t").map(Number);
    if (rows !== records) throw new Error(`${rows} records arrived of ${records}`);
    const of = `${(records / 1e6).toPrecision(2)} M records`;
    return [
      {
        name: `${of}: CPU time of ship`,
        unit: "µs a record",
        values: [cpuSeconds / records * 1e6],
      },
      { name: `${of}: records a second`, unit: "/s", values: [records / seconds] },
      {
        name: `${of}: its peak of memory`,
        unit: "MB",
        values: [peakMb],
        aim: { atMost: MEMORY_MB },
      },
      { name: `${of}: as NDJSON`, unit: "bytes a record", values: [bytes / records] },
      { name: `${of}: on ClickHouse's disk`, unit: "bytes a record", values: [onDisk / records] },
    ];
  },
};
