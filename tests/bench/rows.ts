/**
 * All rows of the benchmark.
 *
 * @module
 */
import type { Row } from "./row.ts";
import { bpfTime } from "./rows/bpf_time.ts";
import { bulk } from "./rows/bulk.ts";
import { connectRate } from "./rows/connect_rate.ts";
import { connectTime } from "./rows/connect_time.ts";
import { cpu } from "./rows/cpu.ts";
import { flood } from "./rows/flood.ts";
import { garbage } from "./rows/garbage.ts";
import { http } from "./rows/http.ts";
import { instructions } from "./rows/instructions.ts";
import { memory } from "./rows/memory.ts";
import { metrics } from "./rows/metrics.ts";
import { ndjson } from "./rows/ndjson.ts";
import { pairs } from "./rows/pairs.ts";
import { query } from "./rows/query.ts";
import { queryFrom } from "./rows/query_from.ts";
import { readSpeed } from "./rows/read_speed.ts";
import { report } from "./rows/report.ts";
import { ship } from "./rows/ship.ts";
import { soaking } from "./rows/soak.ts";
import { start } from "./rows/start.ts";
import { store } from "./rows/store.ts";
import { syntheticRate } from "./rows/synthetic_rate.ts";
import { topScreen } from "./rows/top.ts";

/** What pays for it first, then what it can take. */
export const ROWS: readonly Row[] = [
  connectRate,
  connectTime,
  http,
  bulk,
  bpfTime,
  instructions,
  cpu,
  garbage,
  memory,
  start,
  topScreen,
  metrics,
  store,
  syntheticRate,
  flood,
  soaking,
  ndjson,
  readSpeed,
  report,
  query,
  queryFrom,
  pairs,
  ship,
];
