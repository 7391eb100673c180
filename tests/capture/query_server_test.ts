// `query --from` as a process: what it prints, what it refuses, and how it ends.
// Covers src/store/clickhouse/ask_server.ts
import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import config from "../../deno.json" with { type: "json" };
import { ClickHouseFleet, findClickHouse } from "../clickhouse_fleet.ts";
import { makeFolder } from "../netns/disk.ts";
import { until } from "../netns/namespace.ts";
import { insertLines, makeTables } from "./loaded_server.ts";
import { HOSTS, linesOf, makeRecords } from "./made_records.ts";

const ROOT = new URL("../../", import.meta.url).pathname;
const found = await findClickHouse();
const ignore = typeof found === "string";
const skipped = ignore ? ` (skipped: ${found})` : "";

/** Starts the tool with the permissions of its task. */
function start(args: readonly string[], env: Record<string, string> = {}): Deno.ChildProcess {
  const command = config.tasks.query.command.split(" ").slice(2, -1);
  return new Deno.Command(Deno.execPath(), {
    args: [...command, "query", ...args],
    cwd: ROOT,
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
    env,
  }).spawn();
}

async function run(args: readonly string[], env: Record<string, string> = {}) {
  const { code, stdout, stderr } = await start(args, env).output();
  const [out, said] = [stdout, stderr].map((bytes) => new TextDecoder().decode(bytes));
  return { status: code, out, said };
}

const USERS = "<asker><password>s3cret</password><networks><ip>127.0.0.1</ip></networks>" +
  "<profile>asker</profile><quota>default</quota></asker>";
const PROFILES = "<asker><readonly>1</readonly></asker>";

/** SQL that would read or do something else, or be answered otherwise. */
const REFUSED: [sql: string, says: RegExp][] = [
  ["SELECT 1; SELECT 2", /give one statement/],
  ["/* nothing */", /give a statement/],
  ["selec", /give a SELECT/],
  ["SELECT * FROM nothing", /has no such table/],
  ["SELECT nothing FROM handshakes", /nothing/],
  ["DROP TABLE handshakes", /give a SELECT/],
  ["INSERT INTO handshakes SELECT 1", /give a SELECT/],
  ["SET readonly = 0", /give a SELECT/],
  ["SELECT count(*) FROM handshakes SETTINGS skip_unavailable_shards = 1", /leave SETTINGS out/],
  ["SELECT 1 FORMAT JSON", /leave FORMAT out/],
  ["SELECT 1 INTO OUTFILE '/tmp/x'", /leave OUTFILE out/],
  ["SELECT * FROM url('http://127.0.0.1:1/', CSV, 'a String')", /forbidden in readonly mode/],
  ["SELECT * FROM file('/etc/passwd', CSV, 'a String')", /forbidden in readonly mode/],
  ["SELECT * FROM remote('127.0.0.1', system.one)", /forbidden in readonly mode/],
];

Deno.test(`query --from answers, and tells what it cannot${skipped}`, { ignore }, async (t) => {
  if (typeof found === "string") return;
  using folder = makeFolder();
  await using fleet = await ClickHouseFleet.start(found, {
    servers: 2,
    users: USERS,
    profiles: PROFILES,
  });
  const made = makeRecords(500, 7);
  {
    using server = await makeTables(fleet, 2);
    await insertLines(server, HOSTS.map((host) => linesOf(made, host)).join(""));
  }
  const from = ["--from", fleet.url()];
  const files = HOSTS.map((host) => {
    const path = `${folder.path}/${host}.ndjson`;
    Deno.writeTextFileSync(path, linesOf(made, host));
    return path;
  });

  await t.step("the same as of files, as a table, JSON and comma-separated values", async () => {
    const filters = ["--server-port", "443", "--since", "2026-11-23T02:00:00Z"];
    for (const form of [[], ["--json"], ["--csv"]]) {
      const [one, other] = await Promise.all([
        run([...files, "failures", ...filters, ...form]),
        run([...from, "failures", ...filters, ...form]),
      ]);
      assertEquals(other, one);
      assertEquals([other.status, other.out.split("\n").length > 3], [0, true]);
    }
  });

  await t.step("what is run, and that it runs as it is printed", async () => {
    const { out, status } = await run([...from, "servers", "--explain-sql", "--role", "client"]);
    assertEquals(status, 0);
    assertStringIncludes(out, "FROM `synsnoop`.handshakes FINAL");
    assertStringIncludes(out, "role IN ('client')");
    const rows = (await fleet.sql(out.replace(/;\s*$/, ""))).split("\n");
    const { out: csv } = await run([...from, "servers", "--role", "client", "--csv"]);
    assertEquals(
      rows.map((row) => row.split("\t").slice(0, 3)),
      csv.trim().split("\r\n").slice(1)
        .map((row) => row.split(",").slice(0, 3)),
    );
  });

  await t.step("SQL of one's own, by filtered views, with times as records have them", async () => {
    const sql = "SELECT time, role, 'FROM handshakes' AS text FROM handshakes " +
      "WHERE client_isn IN (SELECT client_isn FROM records) ORDER BY time LIMIT 1;";
    const { out, said } = await run([...from, "--sql", sql, "--json", "--role", "server"]);
    assertEquals(said, "");
    const row = JSON.parse(out);
    assertMatch(row.time, /^2026-11-23T01:\d\d:\d\d\.\d{9}Z$/);
    assertEquals([row.role, row.text], ["server", "FROM handshakes"]);
    const counts = await run([...from, "--sql", "SELECT count() AS n FROM handshakes", "--csv"]);
    assertEquals(counts.out, `n\r\n${made.length}\r\n`);
  });

  await t.step("SQL that is refused", async (t) => {
    for (const [sql, says] of REFUSED) {
      await t.step(sql, async () => {
        const { status, out, said } = await run([...from, "--sql", sql]);
        assertEquals([status, out], [1, ""]);
        assertMatch(said, says);
        assertEquals(said.trimEnd().split("\n").length, 1);
      });
    }
  });

  await t.step("who may only read can ask, and who has another password cannot", async () => {
    const file = `${folder.path}/password`;
    Deno.writeTextFileSync(file, "s3cret\n", { mode: 0o600 });
    const asker = [...from, "servers", "--clickhouse-user", "asker"];
    assertEquals((await run([...asker, "--password-file", file])).status, 0);
    const { status, said } = await run(asker, { SYNSNOOP_CLICKHOUSE_PASSWORD: "no" });
    assertEquals(status, 1);
    assertMatch(said, /^synsnoop: ClickHouse at \S+ refuses this user and password: .*\n$/);
  });

  await t.step("tables that are not there, or of another version", async () => {
    const none = await run([...from, "servers", "--database", "nothing"]);
    assertEquals(none.status, 1);
    assertMatch(none.said, /^synsnoop: The database "nothing" of \S+ has no tables of synsnoop: /);
    await fleet.sql("CREATE DATABASE later");
    await fleet.sql("CREATE TABLE later.schema_version (version UInt32) ENGINE = Log");
    await fleet.sql("INSERT INTO later.schema_version VALUES (999)");
    const later = await run([...from, "servers", "--database", "later"]);
    assertEquals(later.status, 1);
    assertMatch(later.said, /has tables of version 999, and this synsnoop knows version \d+/);
  });

  await t.step("a question that is interrupted ends at the server too", async () => {
    const running = async () =>
      Number(await fleet.sql("SELECT count() FROM system.processes WHERE query LIKE '%endless%'")) -
      1;
    const sql = "SELECT sum(number) AS endless FROM system.numbers";
    const child = start([...from, "--sql", sql]);
    await until("it is asked", async () => await running() === 1);
    child.kill("SIGINT");
    const { code, stderr } = await child.output();
    assertEquals([code, new TextDecoder().decode(stderr)], [130, ""]);
    await until("it runs no more", async () => await running() === 0);
  });

  await t.step("a question that takes more memory than it may", async () => {
    const sql =
      "SELECT groupArray(number) AS all FROM (SELECT number FROM system.numbers LIMIT 99999999)";
    const { status, said } = await run([...from, "--sql", sql, "--memory", "512M"]);
    assertEquals(status, 1);
    assertMatch(said, /gives up at a limit: Memory limit .*; give more with --memory\n$/);
  });

  await t.step("a server of the cluster that is gone is an error", async () => {
    await fleet.stopServer(1, "SIGKILL");
    const { status, out, said } = await run([...from, "servers"]);
    assertEquals([status, out], [1, ""]);
    assertMatch(said, /^synsnoop: A server of the cluster of \S+ does not answer: .*\n$/);
  });

  await t.step("nobody there, and something else", async () => {
    await fleet.stopServer(0, "SIGKILL");
    const gone = await run([...from, "servers"]);
    assertEquals(gone.status, 1);
    assertMatch(gone.said, /^synsnoop: Cannot reach \S+: .*Connection refused/);
    await using other = Deno.serve(
      { hostname: "127.0.0.1", port: 0, onListen() {} },
      () => new Response("<html>\x1b[2J"),
    );
    const foreign = await run(["--from", `http://127.0.0.1:${other.addr.port}`, "servers"]);
    assertEquals(foreign.status, 1);
    assertMatch(foreign.said, /^synsnoop: What answers at \S+ is no ClickHouse\n$/);
  });
});
