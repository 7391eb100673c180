// Both ends of handshakes that a server has, joined as those of files are.
// Covers src/store/clickhouse/fetch_ends.ts
import { assertEquals, assertGreater, assertMatch } from "@std/assert";
import config from "../../deno.json" with { type: "json" };
import { ClickHouseFleet, findClickHouse } from "../clickhouse_fleet.ts";
import { Folder } from "../folder.ts";
import { insertLines, makeTables } from "./loaded_server.ts";
import { type Host, makePairs } from "./made_pairs.ts";

const ROOT = new URL("../../", import.meta.url).pathname;
const HOSTS: readonly Host[] = [
  { name: "web1", address: "10.0.0.10", aheadNs: 0, driftPpb: 0 },
  { name: "api1", address: "10.0.1.10", aheadNs: 3_217_000, driftPpb: 1_700 },
  { name: "db1", address: "2001:db8::10", aheadNs: -41_530_000, driftPpb: -12_400 },
];
const found = await findClickHouse();
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

const name = "pairs --from joins what a cluster has as it joins files" +
  (ignore ? ` (skipped: ${found})` : "");
Deno.test(name, { ignore }, async (t) => {
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

  await t.step("a server of the cluster that is gone is an error", async () => {
    await fleet.stopServer(1, "SIGKILL");
    const { status, out, said } = await run("pairs", from);
    assertEquals([status, out], [1, ""]);
    assertMatch(said, /^synsnoop: A server of the cluster of \S+ does not answer: .*\n$/);
  });
});
