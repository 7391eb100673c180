// Both ends of handshakes that a server has, joined there as those of files are joined here.
// Covers src/store/clickhouse/ask_pairs.ts
// Covers src/store/clickhouse/pairs_sql.ts
// Covers src/store/pairs/find_pairs.ts
// Covers src/store/pairs/found_pairs.ts
// Covers src/store/pairs/hosts.ts
// Covers src/store/pairs/pair_rules.ts
import { assertEquals, assertGreater, assertMatch } from "@std/assert";
import config from "../../deno.json" with { type: "json" };
import { ClickHouseFleet, findClickHouse } from "../clickhouse_fleet.ts";
import { Folder } from "../folder.ts";
import { applySchema } from "../../src/store/clickhouse/check_schema.ts";
import type { ClickHouseServer } from "../../src/store/clickhouse/client.ts";
import { flattenLine } from "../../src/store/ship/flatten.ts";
import { askPairs } from "../../src/store/clickhouse/ask_pairs.ts";
import { findPairs } from "../../src/store/pairs/find_pairs.ts";
import type { FoundPairs } from "../../src/store/pairs/found_pairs.ts";
import { ChdbServer } from "../chdb_server.ts";
import { findPresentClickHouse } from "../present_clickhouse.ts";
import { insertLines, makeTables, serverAt } from "./loaded_server.ts";
import { type Host, makePairs } from "./made_pairs.ts";
import { randomEnds } from "./random_ends.ts";

const ROOT = new URL("../../", import.meta.url).pathname;
const HOSTS: readonly Host[] = [
  { name: "web1", address: "10.0.0.10", aheadNs: 0, driftPpb: 0 },
  { name: "api1", address: "10.0.1.10", aheadNs: 3_217_000, driftPpb: 1_700 },
  { name: "db1", address: "2001:db8::10", aheadNs: -41_530_000, driftPpb: -12_400 },
];
const [found, chdb] = [await findClickHouse(), await findPresentClickHouse()];
const ignore = typeof found === "string";

/** Runs the tool with the permissions of its task. */
async function run(task: "pairs" | "query", args: readonly string[]) {
  const command = config.tasks[task].command.split(" ").slice(2, -1);
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: [...command, task, ...args],
    cwd: ROOT,
    stdin: "null",
  }).output();
  const [out, said] = [stdout, stderr].map((bytes) => new TextDecoder().decode(bytes));
  return { status: code, out, said };
}

const skipped = ignore ? ` (skipped: ${found})` : "";
const MEMORY_BYTES = 512e6;

/** All that was found, in an order of its own. */
async function allOf(found: FoundPairs) {
  const pairs = (await Array.fromAsync(found.pairs())).flat();
  return {
    notes: found.notes,
    pairs: pairs.map((row) => JSON.stringify(row)).sort(),
    clocks: await Array.fromAsync(found.clocks()),
    paths: await found.paths(),
  };
}

/** Holds what a server finds against what DuckDB finds in the same lines. @returns Pairs by their tier. */
async function assertSame(
  server: ClickHouseServer,
  folder: Folder,
  lines: readonly string[],
): Promise<Map<number, number>> {
  const asked = { filter: {}, memoryBytes: MEMORY_BYTES };
  const quiet = { onFetch: () => {}, onBegin: () => {}, onProgress: () => {} };
  const inputs = [folder.write("ends.ndjson", lines.join(""))];
  const expected = await findPairs({ ...asked, ...quiet, inputs }, allOf);
  assertEquals(await allOf(await askPairs({ ...asked, server })), expected);
  const byTier = Map.groupBy(expected.pairs, (row): number => JSON.parse(row)[0]);
  return new Map([...byTier].map(([tier, { length }]) => [tier, length]));
}

/** The rows of random ends, in a server with no others. */
async function assertRandom(
  server: ClickHouseServer,
  seeds: readonly number[],
  empty: () => Promise<void>,
): Promise<void> {
  using folder = new Folder();
  const tiers = new Map<number, number>();
  for (const seed of seeds) {
    const lines = randomEnds({
      count: 300,
      numbers: [4, 8, 60, 400][seed % 4],
      tracers: 1 + seed % 3,
      seed: seed * 7_919,
    });
    await empty();
    await insertLines(server, lines.join(""));
    const found = await assertSame(server, folder, lines);
    for (const [tier, count] of found) tiers.set(tier, count + (tiers.get(tier) ?? 0));
  }
  for (const tier of [1, 2, 3]) assertGreater(tiers.get(tier) ?? 0, 5, `tier ${tier}`);
}

/** Passes on what is asked of a server, and less than half of each long answer. */
function cuttingProxy(origin: string): Deno.HttpServer<Deno.NetAddr> {
  return Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, async (request) => {
    const { search } = new URL(request.url);
    const body = await request.text();
    const answer = await fetch(`${origin}/${search}`, { method: "POST", body });
    const bytes = await answer.bytes();
    // Only pairs, and the least delays that clocks are made of, take so many.
    if (bytes.length < 3_000 || !/client_t|is_to_other/.test(body)) {
      return new Response(bytes, { status: answer.status });
    }
    const half = bytes.subarray(0, bytes.length / 2);
    return new Response(
      new ReadableStream({
        pull(controller) {
          if (controller.desiredSize === 0) return;
          controller.enqueue(half);
          queueMicrotask(() => controller.error(new Error("gone")));
        },
      }, { highWaterMark: half.length }),
    );
  });
}

for (const servers of [1, 3] as const) {
  Deno.test(
    `${servers} of ClickHouse 18.16 join whatever DuckDB joins, and nothing else${skipped}`,
    { ignore },
    async (t) => {
      if (typeof found === "string") return;
      await using fleet = await ClickHouseFleet.start(found, { servers });
      using server = await makeTables(fleet, servers);
      const part = servers === 1 ? "" : "_part";
      const empty = async () => {
        for (const table of ["handshakes", "status"]) {
          for (let at = 0; at < servers; at++) {
            await fleet.sql(`TRUNCATE TABLE synsnoop.${table}${part}`, at);
          }
        }
      };
      await t.step("random ends", async () => {
        await assertRandom(server, servers === 1 ? [1, 2, 3, 4, 5, 6] : [2, 3, 4], empty);
      });
      if (servers === 1) return;

      await t.step("records that are not where their numbers belong", async () => {
        await empty();
        const lines = randomEnds({ count: 300, numbers: 60, tracers: 1, seed: 5 });
        for (let at = 0; at < servers; at++) {
          using other = serverAt(fleet.url(at));
          const rows = lines.filter((_, nth) => nth % servers === at).map(flattenLine)
            .filter((row) => row.kind === "row");
          for (const table of ["handshakes", "status"] as const) {
            const texts = rows.flatMap((row) => row.table === table ? row.json : []);
            await other.insert(`${table}_part`, new TextEncoder().encode(texts.join("")));
          }
        }
        using folder = new Folder();
        await assertSame(server, folder, lines);
      });
    },
  );
}

Deno.test({
  name: "a present ClickHouse joins whatever DuckDB joins, and nothing else" +
    (typeof chdb === "string" ? ` (skipped: ${chdb})` : ""),
  ignore: typeof chdb === "string",
  async fn() {
    if (typeof chdb === "string") return;
    await using present = await ChdbServer.start(chdb);
    using server = serverAt(present.url);
    await applySchema(server, undefined);
    await assertRandom(server, [1, 2, 3], async () => {
      for (const table of ["handshakes", "status"]) await server.run(`TRUNCATE TABLE ${table}`);
    });
  },
});

Deno.test(`pairs --from answers as of files${skipped}`, { ignore }, async (t) => {
  if (typeof found === "string") return;
  using folder = new Folder();
  const { textOf, statusOf } = makePairs(HOSTS, 3_000, 300);
  const texts = HOSTS.map((host) => textOf(host.name) + statusOf(host));
  const inputs = texts.map((text, at) => folder.write(HOSTS[at].name, text));
  await using fleet = await ClickHouseFleet.start(found, { servers: 2 });
  {
    // Tables come to all servers before rows do.
    using server = await makeTables(fleet, 2);
    await insertLines(server, texts.join(""));
  }
  const from = ["--from", fleet.url()];

  await t.step("pairs, ways and clocks", async () => {
    for (
      const filters of [[], ["--server-port", "443"], [
        "--host",
        "10.0.0.0/8",
        "--role",
        "client,server",
      ]]
    ) {
      for (const form of [[], ["--json"]]) {
        const [one, other] = await Promise.all([
          run("pairs", [...inputs, ...filters, ...form]),
          run("pairs", [...from, ...filters, ...form]),
        ]);
        assertEquals([other.status, other.said], [one.status, one.said]);
        // Two of one time may stand in either order.
        assertEquals(other.out.split("\n").sort(), one.out.split("\n").sort());
        assertGreater(other.out.split("\n").length, form.length === 0 ? 5 : 100);
      }
    }
  });

  await t.step("questions of query that need both ends", async () => {
    for (const question of ["pairs", "paths", "clocks"]) {
      const how = [question, "--csv", "--limit", "10000"];
      const [one, other] = await Promise.all([
        run("query", [...inputs, ...how]),
        run("query", [...from, ...how]),
      ]);
      assertEquals([other.status, other.said], [one.status, one.said]);
      assertEquals(other.out.split("\n").sort(), one.out.split("\n").sort());
      assertGreater(other.out.split("\n").length, 3);
    }
  });

  await t.step("an answer that stops in the middle is an error, and no table", async () => {
    await using proxy = cuttingProxy(fleet.url());
    const cut = ["--from", `http://127.0.0.1:${proxy.addr.port}`];
    const asked: ["pairs" | "query", string[]][] = [
      ["pairs", []],
      ["query", ["pairs", "--json", "--limit", "100000"]],
      ["query", ["clocks"]],
    ];
    for (const [task, args] of asked) {
      const { status, out, said } = await run(task, [...cut, ...args]);
      assertEquals([status, out], [1, ""]);
      assertMatch(said, /^synsnoop: Cannot reach \S+: .*\n$/);
    }
    // Lines are handed on as they come, each of them whole.
    const { status, out, said } = await run("pairs", [...cut, "--json"]);
    assertEquals([status, out.at(-1) ?? "\n"], [1, "\n"]);
    for (const line of out.split("\n").slice(0, -1)) assertEquals(JSON.parse(line).event, "pair");
    assertMatch(said, /^synsnoop: Cannot reach \S+: .*\n$/);
  });

  await t.step("a server of the cluster that is gone is an error", async () => {
    await fleet.stopServer(1, "SIGKILL");
    const { status, out, said } = await run("pairs", from);
    assertEquals([status, out], [1, ""]);
    assertMatch(said, /^synsnoop: A server of the cluster of \S+ does not answer: .*\n$/);
  });
});
